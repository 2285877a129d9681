"""Claims about schema check, list and show, on SQLite."""
import json
import os
import pty
import re
import sqlite3
import subprocess
import unittest

from programs import COMMAND, LOANS_APP, Programs

DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)


def anywhere(text):
    """Where and when events were written differs from run to run."""
    text = re.sub(r"partition \d+, offset \d+, [0-9TZ:.-]+", "partition P, offset O, T", text)
    return re.sub(r" \d+ records", " R records", text)


class Check(Programs):
    def loaded(self, rows=2000, *more):
        self.works(COMMAND, "init", "--journal", "sqlite:log.db", "--store", "sqlite:store.db", "--partitions", "3")
        self.load("sqlite:log.db", rows, "--store", "sqlite:store.db", *more)
        return ["--journal", "sqlite:log.db", "--store", "sqlite:store.db"]

    def check(self, *words, app=LOANS_APP):
        """The exit code and the report."""
        done = self.perdure("schema", "check", *words, "--app", app)
        self.assertEqual(done.stderr, "", words)
        return done.returncode, done.stdout

    def found(self, *words, app=LOANS_APP):
        code, text = self.check(*words, "--json", app=app)
        found = json.loads(text)
        self.assertEqual(code, DONE if found["readable"] else FAILED)
        return found

    def execute(self, file, *statements):
        with sqlite3.connect(self.path(file)) as db:
            for statement in statements:
                db.execute(statement)
        db.close()

    def test_a_log_of_today_is_read_and_every_event_is_counted(self):
        flags = self.loaded(12)
        code, text = self.check(*flags)
        self.assertEqual(code, DONE)
        self.is_golden("schema_check.txt", anywhere(text))
        found = self.found(*flags)
        self.assertEqual((found["events"], found["void"], found["partitions"]), (12, 0, 3))
        self.assertEqual(sum(v["events"] for v in found["versions"]), 12)
        self.assertEqual(sum(v["tried"] for v in found["versions"]), 12)
        self.assertEqual(found["snapshots"]["usable"], found["snapshots"]["entities"])

    def test_first_and_last_are_places_in_the_log(self):
        flags = self.loaded()
        for version in self.found(*flags)["versions"]:
            for which in ("first", "last"):
                place = version[which]
                with sqlite3.connect(self.path("log.db")) as db:
                    ((millis, value),) = db.execute("SELECT time_ms, value FROM record_%d WHERE offset = ?" % place["partition"],
                                                    (place["offset"],)).fetchall()
                db.close()
                self.assertEqual(value[2:10][::-1].hex(), version["fingerprint"])
                self.assertTrue(place["time"].endswith(".%03dZ" % (millis % 1000)), place)

    def test_an_event_that_is_damaged_is_named_with_its_place(self):
        flags = self.loaded()
        with sqlite3.connect(self.path("log.db")) as db:
            offset, key, value = db.execute("SELECT offset, key, value FROM record_1 WHERE key IS NOT NULL ORDER BY offset "
                                            "LIMIT 1 OFFSET 20").fetchone()
            db.execute("UPDATE record_1 SET value = ? WHERE offset = ?", (value[:10] + b"\x07", offset))
        db.close()
        code, text = self.check(*flags)
        self.assertEqual(code, FAILED)
        self.assertIn("NOT READ: 1 of", text)
        self.assertIn("the first is %s, seq" % (key if isinstance(key, str) else key.decode()), text)
        self.assertIn("at partition 1, offset %d\n" % offset, text)
        (bad,) = [v for v in self.found(*flags)["versions"] if v["failed"]]
        self.assertEqual((bad["failed"], bad["failed_first"]["partition"], bad["failed_first"]["offset"], bad["code"]),
                         (1, 1, offset, "BAD_DATA"))

    def test_a_schema_that_nobody_declares_is_named_by_what_the_log_says(self):
        flags = self.loaded()
        # The same log read by an application that knows none of its events.
        found = self.found(*flags, app=os.environ["PDR_OTHER_APP"])
        self.assertFalse(found["readable"])
        self.assertEqual(len(found["versions"]), len(self.found(*flags)["versions"]))
        for version in found["versions"]:
            self.assertRegex(version["type"], r"^loans\.")
            self.assertEqual(version["failed"], version["events"])
            self.assertEqual(version["code"], "UNKNOWN_SCHEMA")
        self.assertGreater(found["snapshots"]["to_be_rebuilt"], 0)
        self.assertEqual(found["snapshots"]["usable"], 0)

    def test_a_sample_tries_one_in_so_many(self):
        flags = self.loaded()
        found = self.found(*flags, "--sample", "100")
        self.assertEqual(found["events"], 2000)
        for version in found["versions"]:
            self.assertEqual(version["tried"], (version["events"] + 99) // 100)

    def test_without_a_store_no_snapshot_is_looked_at_and_that_is_said(self):
        flags = self.loaded(100)
        self.assertIsNone(self.found(*flags[:2])["snapshots"], "the journal's own file holds no store here")
        self.assertIn("none looked at", self.check(*flags[:2])[1])
        self.refuses(FAILED, ["schema", "check", *flags[:2], "--store", "sqlite:no.db", "--app", LOANS_APP], "perdure init")

    def test_snapshots_that_are_missing_damaged_or_of_other_code_are_counted(self):
        flags = self.loaded()
        entities = self.found(*flags)["snapshots"]["entities"]
        first = "(SELECT min(key) FROM store_state)"
        self.execute("store.db", "UPDATE store_state SET state = x'ff' WHERE key = " + first,
                     "UPDATE store_state SET revision = 12345 WHERE key = (SELECT max(key) FROM store_state)",
                     "DELETE FROM store_state WHERE key = (SELECT min(key) FROM store_state WHERE key > %s)" % first)
        s = self.found(*flags)["snapshots"]
        self.assertEqual((s["entities"], s["usable"], s["damaged"], s["other_revision"], s["none"], s["to_be_rebuilt"]),
                         (entities, entities - 3, 1, 1, 1, 3))
        code, text = self.check(*flags)
        self.assertEqual(code, DONE)
        self.assertIn("%d usable, 3 to be rebuilt (1 of them damaged)" % (entities - 3), text)

    def test_a_store_of_another_journal_is_refused(self):
        flags = self.loaded(100)
        self.works(COMMAND, "init", "--journal", "sqlite:other.db", "--partitions", "3")
        self.load("sqlite:other.db", 10)
        self.refuses(REFUSED, ["schema", "check", *flags[:2], "--store", "sqlite:other.db", "--app", LOANS_APP],
                     "another journal")

    def test_nothing_is_written(self):
        flags = self.loaded(100)
        before = {name: open(self.path(name), "rb").read() for name in ("log.db", "store.db")}
        self.check(*flags)
        self.assertEqual({name: open(self.path(name), "rb").read() for name in ("log.db", "store.db")}, before)

    def test_it_works_beside_an_owner(self):
        flags = self.loaded(1000)
        with subprocess.Popen([os.environ["PDR_LOANS_LOAD"], *flags, "--rate", "2000", "--stop-after", "6000"],
                              cwd=self.folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as owner:
            counted = []
            while owner.poll() is None:
                counted.append(self.found(*flags)["events"])
            self.assertEqual((owner.returncode, owner.stderr.read()), (0, b""))
        self.assertEqual(counted, sorted(counted))
        self.assertEqual(self.found(*flags)["events"], 6000)

    def test_a_log_that_lost_its_beginning_is_damaged(self):
        flags = self.loaded(500)
        self.execute("log.db", "DELETE FROM record_2 WHERE offset = 0")
        done = self.perdure("schema", "check", *flags, "--app", LOANS_APP)
        self.assertEqual((done.returncode, done.stdout), (DAMAGED, ""))
        self.assertIn("partition 2 holds offsets", done.stderr)

    def test_a_record_that_breaks_the_rules_is_named(self):
        flags = self.loaded(500)
        self.execute("log.db", "UPDATE record_1 SET key = NULL WHERE offset = (SELECT min(offset) FROM record_1 WHERE key IS "
                     "NOT NULL)")
        done = self.perdure("schema", "check", *flags, "--app", LOANS_APP)
        self.assertEqual((done.returncode, done.stdout), (DAMAGED, ""))
        self.assertIn("partition 1", done.stderr)

    def test_an_empty_log_is_read(self):
        self.works(COMMAND, "init", "--journal", "sqlite:log.db")
        found = self.found("--journal", "sqlite:log.db")
        self.assertEqual((found["events"], found["versions"], found["readable"]), (0, [], True))

    def test_what_is_typed_wrong_is_named(self):
        self.refuses(USAGE, ["schema"], '"schema"')
        self.refuses(USAGE, ["schema", "check", "--journal", "sqlite:x.db"], "--app", "PERDURE_APP")
        for bad in ("0", "-1", "x", "1.5", "1000000001"):
            self.refuses(USAGE, ["schema", "check", "--sample", bad], "--sample takes a number")
        self.refuses(FAILED, ["schema", "check", "--journal", "sqlite:x.db", "--app", LOANS_APP], "perdure init")

    def test_progress_is_shown_on_a_terminal_and_nowhere_else(self):
        flags = self.loaded(20000)
        mine, theirs = pty.openpty()
        with subprocess.Popen([COMMAND, "schema", "check", *flags, "--app", LOANS_APP], cwd=self.folder.name,
                              stdout=subprocess.DEVNULL, stderr=theirs) as running:
            os.close(theirs)
            told = b""
            while True:
                try:
                    piece = os.read(mine, 4096)
                except OSError:
                    break
                if not piece:
                    break
                told += piece
            self.assertEqual(running.wait(), DONE)
        os.close(mine)
        self.assertRegex(told.decode(), r"reading: \d+ of 20\d+ records, \d of 3 partitions done, \d+ records/s, \d+ s left")
        self.assertTrue(told.endswith(b"\r\x1b[K"), told[-80:])


class ListAndShow(Programs):
    def loaded(self):
        self.works(COMMAND, "init", "--journal", "sqlite:log.db", "--partitions", "3")
        self.load("sqlite:log.db", 500)
        return ["--journal", "sqlite:log.db"]

    def test_the_list_is_what_it_was(self):
        self.is_golden("schema_list.txt", self.works(COMMAND, "schema", "list", "--app", LOANS_APP))

    def test_the_list_of_an_application_and_of_its_log_have_the_same_events(self):
        flags = self.loaded()
        own = json.loads(self.works(COMMAND, "schema", "list", "--app", LOANS_APP, "--json"))
        both = json.loads(self.works(COMMAND, "schema", "list", "--app", LOANS_APP, *flags, "--json"))
        alone = json.loads(self.works(COMMAND, "schema", "list", *flags, "--json"))
        self.assertEqual([e["fingerprint"] for e in both], [e["fingerprint"] for e in own])
        self.assertEqual(sum(e["events"] for e in both), 500)
        self.assertEqual(sorted((e["type"], e["fingerprint"], e["events"]) for e in alone),
                         sorted((e["type"], e["fingerprint"], e["events"]) for e in both if e["in_log"]))
        self.assertEqual({e["role"] for e in alone}, {"not declared"})

    def test_the_store_s_table_has_what_was_written(self):
        self.loaded()
        table = json.loads(self.works(COMMAND, "schema", "list", "--store", "sqlite:log.db", "--json"))
        both = json.loads(self.works(COMMAND, "schema", "list", "--app", LOANS_APP, "--store", "sqlite:log.db", "--json"))
        log = json.loads(self.works(COMMAND, "schema", "list", "--journal", "sqlite:log.db", "--json"))
        self.assertEqual([(e["type"], e["version"], e["fingerprint"]) for e in table],
                         [(e["type"], e["version"], e["fingerprint"]) for e in log])
        self.assertEqual({e["fingerprint"] for e in both if e["in_store"]}, {e["fingerprint"] for e in table})
        self.assertEqual(json.loads(self.works(COMMAND, "schema", "show", "ApplicationSubmitted@3", "--store", "sqlite:log.db"))
                         ["perdure"]["version"], 3)
        self.refuses(FAILED, ["schema", "list", "--store", "sqlite:none.db"], "perdure init")

    def test_a_schema_is_shown_by_name_short_name_version_or_fingerprint(self):
        shown = self.works(COMMAND, "schema", "show", "loans.WorkItemScheduled", "--app", LOANS_APP)
        schema = json.loads(shown)
        self.assertEqual((schema["name"], schema["namespace"]), ("WorkItemScheduled", "loans"))
        self.is_golden("schema_show.txt", shown)
        listed = json.loads(self.works(COMMAND, "schema", "list", "--app", LOANS_APP, "--json"))
        (entry,) = [e for e in listed if e["type"] == "loans.WorkItemScheduled" and e["role"] == "event"]
        for which in ("WorkItemScheduled", entry["fingerprint"], entry["fingerprint"].upper()):
            self.assertEqual(self.works(COMMAND, "schema", "show", which, "--app", LOANS_APP), shown)

    def test_a_schema_of_the_log_alone_is_shown(self):
        flags = self.loaded()
        schema = json.loads(self.works(COMMAND, "schema", "show", "ApplicationSubmitted", *flags))
        self.assertEqual(schema["name"], "ApplicationSubmitted")

    def test_what_is_not_there_or_typed_wrong_is_named(self):
        self.refuses(USAGE, ["schema", "list"], "--app, --journal or --store")
        self.refuses(USAGE, ["schema", "list", "more", "--app", LOANS_APP], "unexpected: more")
        self.refuses(USAGE, ["schema", "show", "--app", LOANS_APP], "which schema?")
        self.refuses(USAGE, ["schema", "show", "A", "B", "--app", LOANS_APP], "unexpected: B")
        self.refuses(USAGE, ["schema", "show", "", "--app", LOANS_APP], "no value for SCHEMA")
        for bad in ("A@", "A@0", "A@x", "A@1x", "@1", "A@1@2", "A@99999999999"):
            self.refuses(USAGE, ["schema", "show", bad, "--app", LOANS_APP], "version is 1, 2, 3")
        for missing in ("Nothing", "loans.Nothing", "ApplicationSubmitted@99", "0123456789abcdef"):
            self.refuses(FAILED, ["schema", "show", missing, "--app", LOANS_APP], missing)


if __name__ == "__main__":
    unittest.main()
