"""Claims about perdure verify, on SQLite."""
import json
import os
import signal
import sqlite3
import subprocess
import unittest

from programs import COMMAND, LOANS_APP, Programs
from verifying import DAMAGED, DONE, FAILED, LOAD, PARTITIONS, REFUSED, STOPPED, USAGE, Verifying

TABLES = {"head": "store_head", "state": "store_state", "row": "store_partition", "bytes": "state", "empty": "NULL",
          "junk": "x'050102'"}


class Verify(Verifying, Programs):
    journal, store = "sqlite:log.db", "sqlite:store.db"

    def sql(self, file, *statements):
        db = sqlite3.connect(self.path(file))
        try:
            rows = [db.execute(s).fetchall() for s in statements]
            db.commit()
            return rows[-1]
        finally:
            db.close()

    def store_sql(self, *statements):
        return self.sql("store.db", *(s.format(**TABLES) for s in statements))

    def heads(self):
        return self.store_sql("SELECT key, partition FROM {head} ORDER BY key")

    def test_what_two_loaders_leave_that_took_it_from_each_other_is_explained(self):
        self.works(COMMAND, "init", "--journal", self.journal, "--store", self.store, "--partitions", "4")
        loaders = [subprocess.Popen([LOAD, "--journal", self.journal, "--store", self.store, "--stop-after", "6000",
                                     "--rate", "6000"], cwd=self.folder.name, stdout=subprocess.DEVNULL) for _ in range(2)]
        for loader in loaders:
            self.assertEqual(loader.wait(timeout=240), 0)
        totals = self.is_clean()
        self.assertEqual(totals["events"], 6000)
        self.assertGreater(totals["fences"], 4)

    def test_bytes_changed_in_the_file_are_found(self):
        self.make(4000)
        log = lambda *statements: self.sql("log.db", *statements)
        newest = "(SELECT max(offset) FROM record_%d WHERE substr(header, 2, 1) = x'04')"
        at = {p: log("SELECT * FROM " + newest % p)[0][0] for p in range(9)}
        (key,), = log("SELECT key FROM record_1 WHERE offset = " + newest % 1)
        log("UPDATE record_0 SET value = substr(value, 1, length(value) - 3) WHERE offset = " + newest % 0,
            "UPDATE record_1 SET key = 'loan/another' WHERE offset = " + newest % 1,
            "UPDATE record_2 SET header = NULL WHERE offset = " + newest % 2,
            "UPDATE record_3 SET header = substr(header, 1, 20) WHERE offset = " + newest % 3,
            "UPDATE record_4 SET schema = substr(schema, 1, 40) WHERE offset = 1",
            "DELETE FROM record_5 WHERE offset = 9",
            "DELETE FROM record_6 WHERE offset = 0",
            "UPDATE record_7 SET header = x'09' || substr(header, 2) WHERE offset = 12",
            "UPDATE record_8 SET value = x'C301' || zeroblob(8) || substr(value, 11) WHERE offset = " + newest % 8)
        findings, _ = self.verify(DAMAGED)
        found = {(f["invariant"], f["partition"], f.get("offset")) for f in findings}
        for wanted in (("readable", 0, at[0]), ("heads", 1, at[1]), ("partition", 1, at[1]), ("seq-contiguous", 1, at[1]),
                       ("heads", 2, at[2]), ("framing", 3, at[3]), ("heads", 3, at[3]), ("schemas", 4, 1),
                       ("log-whole", 5, 9), ("log-whole", 6, None), ("format", 7, 12), ("schemas", 8, at[8])):
            self.assertIn(wanted, found)
        self.assertEqual([f["entity"] for f in findings if f["invariant"] == "heads" and f["partition"] == 1], [key])
        self.assertEqual({f["partition"] for f in findings}, set(range(9)))
        findings, _ = self.verify(DAMAGED, app=False)
        unread = [(f["partition"], f["offset"]) for f in findings if f["invariant"] == "readable"]
        self.assertIn((0, at[0]), unread, "by the schema that it was written with")

    def test_a_store_of_another_journal_is_found_by_its_fences(self):
        self.make(100)
        self.sql("store.db", "UPDATE store_meta SET journal_id = zeroblob(16)")
        findings, _ = self.verify(DAMAGED)
        self.assertEqual({f["invariant"] for f in findings}, {"journal-id"})
        self.sql("store.db", "UPDATE store_meta SET partitions = 3")
        self.refuses(REFUSED, ["verify", "--journal", self.journal, "--store", self.store], "partitions")

    def test_positions_and_letters_of_views_are_looked_at(self):
        self.make(2000)
        with open(self.path("all.sql"), "w", encoding="utf-8") as file:
            file.write("projection counted version 1;\n"
                       "table counted (application text, events integer not null default 0, primary key (application))\n"
                       "    key entity (entity.key);\n"
                       "on loans.ApplicationSubmitted upsert counted set events = events + 1;\n")
        self.works(COMMAND, "project", "run", "all.sql", "--until-caught-up", "--journal", self.journal,
                   "--store", self.store, "--app", LOANS_APP)
        before = self.is_clean()["positions"]
        self.assertGreaterEqual(before, 3 * PARTITIONS)
        self.sql("store.db", "UPDATE projection_position SET number = number + 1 WHERE partition = 3")
        (finding,), _ = self.verify(DAMAGED)
        self.assertEqual((finding["invariant"], finding["partition"]), ("positions", 3))
        self.assertIn("projection counted, version 1", finding["expected"])
        self.sql("store.db", "UPDATE projection_position SET number = number - 1 WHERE partition = 3",
                 "INSERT INTO dead_letter (projection, version, partition, offset, before_offset, before_term_offset, "
                 "before_term_incarnation, before_number, entity, seq, behind, attempts, first_us, last_us, reason) "
                 "VALUES ('counted', 1, 4, 9, -1, -1, 0, 0, 'loan/nobody', 1, 0, 1, 1, 1, '')")
        (finding,), totals = self.verify(DAMAGED)
        self.assertEqual((finding["invariant"], finding["partition"], finding["offset"], finding["entity"]),
                         ("dead-letters", 4, 9, "loan/nobody"))
        self.assertEqual(totals["dead_letters"], 1)

    def test_code_that_gives_other_states_or_crashes_is_found_where_it_does(self):
        self.make(20000)
        self.assertEqual(self.is_clean()["events"], 20000)
        words = ["verify", "--journal", self.journal, "--store", self.store, "--app", os.environ["PDR_BUG_APP"], "--json"]
        done = self.perdure(*words, PERDURE_TEST_BUG="forgotten")
        *findings, totals = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, {f["invariant"] for f in findings}), (DAMAGED, {"snapshot-is-a-prefix"}))
        self.assertIn(".registered is false", findings[0]["expected"])
        self.assertIn(".registered is true", findings[0]["found"])
        wrong = {f["entity"] for f in findings}
        for bug in ("crash", "recursion"):
            done = self.perdure(*words, PERDURE_TEST_BUG=bug)
            *findings, totals = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual((done.returncode, done.stderr), (DAMAGED, ""))
            self.assertEqual({(f["invariant"], f["entity"]) for f in findings}, {("readable", e) for e in wrong})
            self.assertIn("SIGSEGV in apply", findings[0]["found"])
            self.assertEqual(totals["not_looked_at"]["states"], len(wrong))

    def test_a_log_that_lost_what_the_store_rests_on_is_found(self):
        self.make(2000)
        self.sql("log.db", "VACUUM INTO '%s'" % self.path("older.db"))
        self.load(self.journal, 4000, "--store", self.store)
        self.sql("store.db", "VACUUM INTO '%s'" % self.path("newer.db"))
        done = self.perdure("verify", "--journal", "sqlite:older.db", "--store", "sqlite:newer.db", "--json", "--app", LOANS_APP)
        self.assertEqual(done.returncode, DAMAGED)
        totals = json.loads(done.stdout.splitlines()[-1])["by_invariant"]
        self.assertGreater(totals["positions"], 2 * PARTITIONS)
        self.assertGreater(totals["heads"], 100)
        self.assertEqual({name for name, count in totals.items() if count}, {"positions", "heads"})

    def test_a_store_of_before_is_fine_it_only_costs_a_longer_takeover(self):
        self.make(2000)
        self.sql("store.db", "VACUUM INTO '%s'" % self.path("before.db"))
        self.load(self.journal, 4000, "--store", self.store)
        self.store = "sqlite:before.db"
        self.assertEqual(self.is_clean()["events"], 4000)

    def test_people_read_it_too(self):
        self.make(2000)
        self.forge("gap", 3)
        done = self.perdure("verify", "--journal", self.journal, "--store", self.store, "--app", LOANS_APP)
        self.assertEqual((done.returncode, done.stderr), (DAMAGED, ""))
        self.assertRegex(done.stdout, r"seq-contiguous  partition 3, offset \d+  loan/\d+  event \d+\n  must be: .*\n  it is:   ")
        self.assertRegex(done.stdout, r"\d+ records, 2001 events of \d+ entities in 16 partitions\n")
        self.assertIn("1 findings: seq-contiguous 1\n", done.stdout)
        done = self.perdure("verify", "--journal", self.journal, "--store", self.store, "--limit", "0")
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("0 shown", done.stdout)
        self.assertIn("give --app", done.stdout)

    def test_little_memory_means_more_passes_and_the_same_answer(self):
        self.make(6000)
        self.forge("backlink", 3)
        findings, totals = self.verify(DAMAGED)
        self.assertEqual(self.verify(DAMAGED, "--memory", "1"), (findings, totals))

    def test_journals_without_events_and_without_a_store(self):
        self.works(COMMAND, "init", "--journal", self.journal, "--store", self.store, "--partitions", "2")
        self.assertEqual(self.is_clean()["records"], 0)
        self.load("sqlite:alone.db", 300)
        self.assertIn("all rules are kept", self.works(COMMAND, "verify", "--journal", "sqlite:alone.db"))

    def test_what_is_wrong_with_the_call_is_said(self):
        self.refuses(USAGE, ["verify"], "PERDURE_JOURNAL")
        self.refuses(USAGE, ["verify", "--journal", "what:x"], "URL")
        self.refuses(USAGE, ["verify", "--memory", "0"], "--memory")
        self.refuses(FAILED, ["verify", "--journal", "sqlite:log.db", "--app", "none.so"], "no such file")
        done = self.perdure("verify", "--journal", "sqlite:none.db")
        self.assertIn(done.returncode, (FAILED, USAGE))
        self.assertEqual((done.stdout, os.listdir(self.folder.name)), ("", []))

    def test_a_reader_that_goes_away_and_a_full_disk(self):
        self.make(2000)
        for partition in range(10):
            self.forge("gap", partition)
        line = '"$0" verify --journal %s --store %s --json --app %s' % (self.journal, self.store, LOANS_APP)
        done = self.run_in("sh", "-c", line + " | head -n 1", COMMAND)
        self.assertEqual((done.stdout.count("\n"), done.stderr), (1, ""))
        done = self.run_in("sh", "-c", line + " >/dev/full", COMMAND)
        self.assertNotEqual(done.returncode, DONE)
        self.assertIn("standard output", done.stderr)

    def test_it_can_be_stopped(self):
        self.make(2000)
        words = ["verify", "--journal", self.journal, "--store", self.store, "--app", os.environ["PDR_BUG_APP"]]
        for stop in (signal.SIGINT, signal.SIGTERM):
            running = self.start(*words, PERDURE_TEST_BUG="pause")
            self.until_held(running)
            running.send_signal(stop)
            self.let_go()
            out, err = running.communicate(timeout=300)
            self.assertEqual(running.returncode, STOPPED, (stop, out, err))
            self.assertIn("stopped after", err)
            os.unlink(self.path("here"))
            os.unlink(self.path("go"))


if __name__ == "__main__":
    unittest.main()
