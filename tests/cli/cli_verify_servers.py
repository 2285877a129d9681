"""Claims about perdure verify, on Kafka and PostgreSQL."""
import os
import subprocess
import unittest
import uuid

from programs import Programs
from verifying import DAMAGED, Verifying

KAFKA = os.environ.get("PERDURE_TEST_KAFKA")
POSTGRES = os.environ.get("PERDURE_TEST_POSTGRES")


@unittest.skipUnless(KAFKA and POSTGRES, "PERDURE_TEST_KAFKA or PERDURE_TEST_POSTGRES isn't set")
class VerifyOnServers(Verifying, Programs):
    def setUp(self):
        super().setUp()
        self.name = "v" + uuid.uuid4().hex[:12]
        self.journal = "kafka://%s/%s" % (KAFKA, self.name)
        self.store = "%s%sschema=%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", self.name)
        self.addCleanup(self.psql, "DROP SCHEMA IF EXISTS %s CASCADE" % self.name)

    def psql(self, *statements):
        done = subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", POSTGRES], text=True,
                              input=";\n".join(statements) + ";\n", capture_output=True, check=False, timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]

    def store_sql(self, *statements):
        tables = {"head": self.name + ".head", "state": self.name + ".state", "row": self.name + ".partition",
                  "bytes": "bytes", "empty": "''::bytea", "junk": r"'\x050102'::bytea"}
        return self.psql(*(s.format(**tables) for s in statements))

    def heads(self):
        return [(key, int(partition)) for key, partition in
                self.store_sql('SELECT key, partition FROM {head} ORDER BY key COLLATE "C"')]

    def test_records_that_were_deleted_from_the_front_are_found(self):
        self.make(2000)
        self.works(os.environ["PDR_TOPIC_TOOL"], KAFKA, self.name + ".events", "drop", "5", "20")
        findings, totals = self.verify(DAMAGED)
        self.assertEqual([(f["invariant"], f["partition"]) for f in findings], [("log-whole", 5)])
        self.assertLess(totals["events"], 2000)


if __name__ == "__main__":
    unittest.main()
