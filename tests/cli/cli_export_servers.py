"""Claims about perdure export, import and copy between Kafka with PostgreSQL and SQLite."""
import json
import os
import random
import signal
import subprocess
import time
import unittest

from exports import LOAD, Exports
from programs import COMMAND, LOANS_APP

SERVERS = os.environ.get("PERDURE_TEST_KAFKA") and os.environ.get("PERDURE_TEST_POSTGRES")
ROWS = 20000


@unittest.skipUnless(SERVERS, "no servers")
class Between(Exports):
    def kafka(self, name, partitions):
        run = "%s_%08x" % (name, random.getrandbits(32))
        flags = ["--journal", "kafka://%s/export-%s" % (os.environ["PERDURE_TEST_KAFKA"], run), "--store",
                 "%s%sschema=export_%s" % (os.environ["PERDURE_TEST_POSTGRES"],
                                           "&" if "?" in os.environ["PERDURE_TEST_POSTGRES"] else "?", run)]
        self.works(COMMAND, "init", *flags, "--partitions", str(partitions))
        return flags

    def same(self, one, other):
        self.assertEqual(self.heads(one), self.heads(other))
        records = [self.by_entity(self.exported(flags, "%d.avro" % i, "--force")) for i, flags in enumerate((one, other))]
        self.assertEqual(records[0], records[1])
        self.works(COMMAND, "verify", *other, "--app", LOANS_APP)

    def test_a_history_is_taken_home_from_servers_and_back_again(self):
        source = self.kafka("source", 8)
        self.works(LOAD[3], *source, "--stop-after", str(ROWS))
        self.works(COMMAND, "export", *source, "all.avro")
        home = self.made("home", 3)
        done = json.loads(self.works(COMMAND, "import", *home, "--app", LOANS_APP, "all.avro", "--json"))
        self.assertEqual(done["events"], ROWS)
        self.same(source, home)
        back = self.kafka("back", 5)
        self.works(COMMAND, "copy", *home, "--to", back[1], "--to-store", back[3], "--app", LOANS_APP)
        self.same(source, back)
        # The application goes on there as if nothing had happened.
        last = self.works(LOAD[3], *back, "--stop-after", str(ROWS + 500)).splitlines()[-1]
        self.assertRegex(last, r"fresh 500 repeated %d refused 0" % ROWS)

    def test_a_copy_from_8_to_32_partitions_that_is_killed_goes_on(self):
        source, wide = self.kafka("narrow", 8), self.kafka("wide", 32)
        self.works(LOAD[3], *source, "--stop-after", str(ROWS))
        copy = [COMMAND, "copy", *source, "--to", wide[1], "--to-store", wide[3], "--app", LOANS_APP]
        for number, wait in ((signal.SIGKILL, 1.5), (signal.SIGINT, 2.5)):
            with subprocess.Popen(copy, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                time.sleep(wait)
                process.send_signal(number)
                process.communicate(timeout=120)
            self.assertIn(process.returncode, (-number, 6, 0))
        done = json.loads(self.works(*copy, "--json"))
        self.assertEqual(done["commits"] + done["there"], ROWS)
        self.same(source, wide)

    def test_an_owner_that_is_at_work_in_the_target_is_not_fought_for_long(self):
        source, target = self.kafka("busy", 2), self.kafka("taken", 2)
        self.works(LOAD[3], *source, "--stop-after", "3000")
        self.works(COMMAND, "export", *source, "all.avro")
        self.works(LOAD[3], *target, "--stop-after", "10")
        self.refuses(4, ["import", *target, "all.avro"], "isn't empty")


if __name__ == "__main__":
    unittest.main()
