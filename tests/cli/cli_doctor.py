"""Claims about perdure doctor, on SQLite and, where they are, on Kafka and PostgreSQL."""
import json
import os
import sqlite3
import unittest
import uuid

from programs import COMMAND, LOANS_APP, Programs

FINE, WRONG, USAGE, AWAY = range(4)
KAFKA = os.environ.get("PERDURE_TEST_KAFKA")
POSTGRES = os.environ.get("PERDURE_TEST_POSTGRES")
LOG, STORE = "sqlite:log.db", "sqlite:store.db"
# Views of one projection, without a worker.
DEFINITION = """projection counted version 1;
table counted (application text, events integer not null default 0, primary key (application))
    key entity (entity.key);
on loans.ApplicationSubmitted upsert counted set events = events + 1;
"""


class Doctor(Programs):
    flags = ["--journal", LOG, "--store", STORE, "--app", LOANS_APP]

    def ask(self, code, *more, flags=None):
        """What it says, by check: a list of (status, what, advice)."""
        done = self.perdure("doctor", "--json", *(self.flags if flags is None else flags), *more)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        *lines, counts = [json.loads(line) for line in done.stdout.splitlines()]
        said = {}
        for line in lines:
            said.setdefault(line["check"], []).append((line["status"], line["what"], line.get("advice", "")))
        statuses = [line["status"] for line in lines]
        self.assertEqual(counts, {"ok": statuses.count("ok"), "notes": statuses.count("note"),
                                  "wrong": statuses.count("wrong"), "away": statuses.count("away")})
        for line in lines:
            self.assertTrue(line["status"] in ("ok", "note") or line.get("advice"), line)
        return said

    def is_wrong(self, check, text, *more, flags=None):
        """Only this is wrong, it says this, and what to do."""
        said = self.ask(WRONG, *more, flags=flags)
        wrong = [(name, what) for name, lines in said.items() for status, what, _ in lines if status in ("wrong", "away")]
        self.assertEqual([name for name, _ in wrong], [check], said)
        self.assertIn(text, wrong[0][1])

    def make(self, rows=1500, partitions=3):
        self.works(COMMAND, "init", "--journal", LOG, "--store", STORE, "--partitions", str(partitions))
        self.load(LOG, rows, "--store", STORE)

    def sql(self, file, *statements):
        db = sqlite3.connect(self.path(file))
        try:
            for statement in statements:
                db.execute(statement)
            db.commit()
        finally:
            db.close()

    def project(self):
        with open(self.path("counted.sql"), "w", encoding="utf-8") as file:
            file.write(DEFINITION)
        self.works(COMMAND, "project", "run", "counted.sql", "--until-caught-up", *self.flags)

    def test_a_sound_journal_is_fine_and_nothing_is_written(self):
        self.make()
        self.project()
        before = {name: os.path.getsize(self.path(name)) for name in os.listdir(self.folder.name)}
        said = self.ask(FINE)
        self.assertEqual({name for name in os.listdir(self.folder.name) if not name.endswith(("-wal", "-shm"))},
                         {name for name in before if not name.endswith(("-wal", "-shm"))})
        self.assertEqual(set(said), {"versions", "settings", "application", "disk", "log", "file", "reading", "clock",
                                     "store", "takeover", "schemas", "projections"})
        self.assertEqual({status for lines in said.values() for status, _, _ in lines}, {"ok"})
        self.assertIn("3 partitions", said["log"][0][1])
        self.assertIn("counted version 1 is 0 records behind", said["projections"][0][1])

    def test_a_journal_without_events_is_fine(self):
        self.works(COMMAND, "init", "--journal", LOG, "--store", STORE)
        self.assertIn("no owner yet", self.ask(FINE)["store"][0][1])

    def test_what_is_not_initialised_is_said_and_not_made(self):
        said = self.ask(WRONG)
        self.assertEqual((said["log"][0][0], said["store"][0][0]), ("wrong", "wrong"))
        self.assertIn("perdure init", said["log"][0][2])
        self.assertEqual(os.listdir(self.folder.name), [])
        self.make(100)
        self.is_wrong("store", "no such file", flags=["--journal", LOG, "--store", "sqlite:none.db"])
        self.is_wrong("projections", "no such file", "--views", "sqlite:none.db")
        self.assertNotIn("none.db", os.listdir(self.folder.name))

    def test_a_store_of_another_journal(self):
        self.make(100)
        self.load("sqlite:other.db", 100)
        self.is_wrong("store", "partitions", flags=["--journal", LOG, "--store", "sqlite:other.db"])
        self.works(COMMAND, "init", "--journal", "sqlite:third.db", "--partitions", "3")
        self.load("sqlite:third.db", 100)
        self.is_wrong("store", "another journal", flags=["--journal", LOG, "--store", "sqlite:third.db"])

    def test_checkpoints_that_are_far_behind_or_past_the_end(self):
        self.make(3000)
        self.sql("store.db", "UPDATE store_partition SET checkpoint_offset = -1, checkpoint_term_offset = -1, "
                 "checkpoint_term_incarnation = 0, checkpoint_number = 0 WHERE partition = 1")
        self.assertIn("of partition 1", self.ask(FINE)["takeover"][0][1])
        self.is_wrong("takeover", "BUSY", "--settings", "scan.limit=100")
        self.sql("store.db", "UPDATE store_partition SET checkpoint_offset = 1000000 WHERE partition = 2")
        self.is_wrong("takeover", "partition 2: the store's checkpoint")

    def test_records_from_the_future_and_records_that_are_gone(self):
        self.make(300)
        self.sql("log.db", "UPDATE record_1 SET time_ms = time_ms + 7200000")
        self.is_wrong("clock", "s from now")
        self.sql("log.db", "UPDATE record_1 SET time_ms = time_ms - 7200000", "DELETE FROM record_2 WHERE offset = 0")
        self.assertEqual(self.ask(WRONG)["reading"][0][0], "wrong")

    def test_schemas_and_applications(self):
        self.make(1500)
        without = self.ask(FINE, flags=self.flags[:4])
        self.assertEqual(without["schemas"][0][0], "note")
        self.is_wrong("schemas", "schemas that the store knows", flags=[*self.flags[:4], "--app", os.environ["PDR_OTHER_APP"]])
        self.assertIn("upcaster", self.ask(WRONG, flags=[*self.flags[:4], "--app", os.environ["PDR_MAILED_GAP_APP"]])
                      ["application"][0][1])
        self.assertEqual(self.ask(WRONG, flags=[*self.flags[:4], "--app", "none.so"])["application"][0][0], "wrong")

    def test_projections_that_stopped_are_paused_or_have_parked_events(self):
        self.make()
        self.project()
        self.load(LOG, 2000, "--store", STORE)
        self.assertEqual(self.ask(FINE)["projections"][0][0], "note")
        self.sql("store.db", "UPDATE projection_version SET paused = 1")
        self.assertIn("paused", self.ask(FINE)["projections"][0][1])
        self.sql("store.db", "UPDATE projection_version SET paused = 0, fault = 'a column is gone'")
        self.is_wrong("projections", "a column is gone")
        self.sql("store.db", "UPDATE projection_version SET fault = ''",
                 "INSERT INTO dead_letter (projection, version, partition, offset, before_offset, before_term_offset, "
                 "before_term_incarnation, before_number, entity, seq, behind, attempts, first_us, last_us, reason) "
                 "VALUES ('counted', 1, 1, 9, -1, -1, 0, 0, 'loan/1', 1, 0, 1, 1, 1, '')")
        self.is_wrong("projections", "1 parked events")

    def test_servers_that_are_away(self):
        said = self.ask(AWAY, "--settings", "open.timeout.ms=2000",
                        flags=["--journal", "kafka://127.0.0.1:1/x", "--store", "postgres://127.0.0.1:1/x"])
        self.assertEqual((said["log"][0][0], said["store"][0][0]), ("away", "away"))

    def test_settings_and_flags_that_are_wrong(self):
        self.refuses(USAGE, ["doctor"], "PERDURE_JOURNAL")
        self.refuses(USAGE, ["doctor", "--journal", LOG, "--settings", "scan.limits=1"], "scan.limits")
        self.refuses(USAGE, ["doctor", "--journal", LOG, "--settings", "scan.limit=1"], "scan.limit")
        self.refuses(USAGE, ["doctor", "--journal", "what:x"], "URL")

    def test_people_read_it_too(self):
        self.make(100)
        out = self.works(COMMAND, "doctor", *self.flags)
        self.assertRegex(out, r"(?m)^ok    log          sqlite, journal log, 3 partitions")
        self.assertTrue(out.endswith("nothing is wrong\n"))
        os.remove(self.path("store.db"))
        done = self.perdure("doctor", *self.flags)
        self.assertEqual(done.returncode, WRONG)
        self.assertRegex(done.stdout, r"(?m)^wrong store .*\n +what to do: run perdure init first$")

    @unittest.skipUnless(KAFKA and POSTGRES, "no servers")
    def test_on_kafka_and_postgresql(self):
        name = "d" + uuid.uuid4().hex[:12]
        store = "%s%sschema=%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", name)
        flags = ["--journal", "kafka://%s/%s" % (KAFKA, name), "--store", store, "--app", LOANS_APP]
        said = self.ask(WRONG, flags=flags)
        self.assertEqual((said["log"][0][0], said["store"][0][0]), ("wrong", "wrong"))
        self.works(COMMAND, "init", *flags[:4], "--partitions", "3")
        self.load(flags[1], 500, "--store", store)
        said = self.ask(FINE, flags=flags)
        self.assertEqual([line[0] for check in ("log", "topic", "reading", "store", "takeover", "postgres", "schemas")
                          for line in said[check]], ["ok"] * 7, said)
        self.assertEqual([line[0] for line in said["clock"]], ["ok", "ok"])
        self.assertEqual([line[0] for line in said["rights"]], ["note", "ok"])
        self.works(os.environ["PDR_TOPIC_TOOL"], KAFKA, name + ".events", "set", "retention.ms", "604800000")
        self.is_wrong("topic", "retention.ms", flags=flags)


if __name__ == "__main__":
    unittest.main()
