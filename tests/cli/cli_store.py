"""Claims about rebuild-store and store dump, on SQLite."""
import json
import os
import re
import sqlite3
import unittest

from programs import COMMAND, LOANS_APP, Programs

ROWS = 20000
REFUSED, DAMAGED = 4, 5


class Store(Programs):
    def loaded(self, rows=ROWS):
        """A journal and a store in files of their own, closed cleanly; and the flags that name them."""
        self.works(COMMAND, "init", "--journal", "sqlite:log.db", "--store", "sqlite:store.db", "--partitions", "3")
        self.load("sqlite:log.db", rows, "--store", "sqlite:store.db")
        return ["--journal", "sqlite:log.db", "--store", "sqlite:store.db"]

    def drop_tables(self):
        with sqlite3.connect(self.path("store.db")) as db:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                db.execute("DROP TABLE " + name)
        db.close()

    def test_a_store_rebuilt_from_the_log_is_the_same_byte_for_byte(self):
        flags = self.loaded()
        before = self.dump(*flags, "--app", LOANS_APP)
        self.assertGreater(before.count("\n"), 900)
        self.assertIn('"state":{"status":"', before)
        self.drop_tables()
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP)
        self.assertEqual(self.dump(*flags, "--app", LOANS_APP), before, "tables dropped")
        os.remove(self.path("store.db"))
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP)
        self.assertEqual(self.dump(*flags, "--app", LOANS_APP), before, "no file")
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP, "--yes")
        self.assertEqual(self.dump(*flags, "--app", LOANS_APP), before, "over a full one")

    def test_a_rebuilt_store_serves(self):
        flags = self.loaded(3000)
        os.remove(self.path("store.db"))
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP)
        last = self.load("sqlite:log.db", 4000, "--store", "sqlite:store.db").splitlines()[-1]
        self.assertIn("fresh 1000 repeated 3000 refused 0", last)

    def test_a_store_that_is_not_empty_is_left_alone(self):
        flags = self.loaded(500)
        before = self.dump(*flags)
        self.refuses(REFUSED, ["rebuild-store", *flags, "--app", LOANS_APP], "not empty", "--yes")
        self.assertEqual(self.dump(*flags), before)

    def test_a_store_of_another_journal_is_never_touched(self):
        flags = self.loaded(500)
        self.works(COMMAND, "init", "--journal", "sqlite:other.db", "--partitions", "3")
        self.load("sqlite:other.db", 10)
        before = self.dump("--store", "sqlite:other.db")
        for words in (["rebuild-store"], ["rebuild-store", "--yes"], ["init"]):
            self.refuses(REFUSED, [*words, "--journal", flags[1], "--store", "sqlite:other.db"], "journal")
        self.assertEqual(self.dump("--store", "sqlite:other.db"), before)

    def test_without_an_application_only_heads_are_made_and_that_is_said(self):
        flags = self.loaded(500)
        said = self.works(COMMAND, "rebuild-store", *flags, "--yes")
        self.assertIn("without --app", said)
        for line in self.dump(*flags).splitlines():
            self.assertIsNone(json.loads(line)["state"])
        self.load("sqlite:log.db", 600, "--store", "sqlite:store.db")

    def test_json_says_what_was_done(self):
        flags = self.loaded(500)
        done = json.loads(self.works(COMMAND, "rebuild-store", *flags, "--yes", "--json", "--app", LOANS_APP))
        self.assertEqual(done["partitions"], 3)
        self.assertEqual(done["heads_saved"], self.dump(*flags).count("\n"))
        self.assertEqual((done["left_to_owners"], done["states"]), (0, True))

    def test_a_log_that_never_had_an_owner_has_nothing_to_rebuild_from(self):
        self.works(COMMAND, "init", "--journal", "sqlite:log.db")
        self.refuses(1, ["rebuild-store", "--journal", "sqlite:log.db"], "never had an owner")

    def test_the_dump_is_sorted_by_the_bytes_of_the_id_and_is_json(self):
        flags = self.loaded(3000)
        ids = [json.loads(line)["entity"].encode() for line in self.dump(*flags).splitlines()]
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_state_that_the_application_does_not_know_is_hexadecimal(self):
        flags = self.loaded(100)
        for line in self.dump(*flags).splitlines():
            head = json.loads(line)
            self.assertRegex(head["state_hex"], "^([0-9a-f]{2})+$")
            self.assertEqual(head["state_seq"], head["seq"])

    def test_the_dump_is_what_it_was(self):
        flags = self.loaded(12)
        # Where in the log an event lies may differ by records of the journal's own.
        self.is_golden("dump.jsonl", re.sub(r'"last":\d+', '"last":0', self.dump(*flags, "--app", LOANS_APP)))

    def test_the_store_needs_no_journal_to_be_dumped(self):
        flags = self.loaded(100)
        self.assertEqual(self.dump(*flags[2:]), self.dump(*flags))

    def test_the_journals_file_is_the_store_if_none_is_named(self):
        self.load("sqlite:both.db", 100)
        self.assertEqual(self.dump("--journal", "sqlite:both.db"), self.dump("--store", "sqlite:both.db"))

    def test_a_damaged_window_of_ids_is_said_and_not_read_over(self):
        flags = self.loaded(100)
        with sqlite3.connect(self.path("store.db")) as db:
            db.execute("UPDATE store_head SET ids = x'05' WHERE key = (SELECT max(key) FROM store_head)")
        db.close()
        done = self.perdure("store", "dump", *flags)
        self.assertEqual(done.returncode, DAMAGED, done.stderr)
        self.assertIn("command ids", done.stderr)

    def test_output_that_cannot_be_written_is_a_failure(self):
        flags = self.loaded(2000)
        done = self.run_in("sh", "-c", '"$0" store dump "$@" >/dev/full', COMMAND, *flags)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("standard output", done.stderr)

    def test_a_log_that_lost_its_beginning_is_not_rebuilt_from_and_the_store_is_kept(self):
        flags = self.loaded(500)
        before = self.dump(*flags)
        with sqlite3.connect(self.path("log.db")) as db:
            db.execute("DELETE FROM record_2 WHERE rowid = (SELECT min(rowid) FROM record_2)")
        db.close()
        done = self.perdure("rebuild-store", *flags, "--yes", "--app", LOANS_APP)
        self.assertEqual((done.returncode, done.stdout), (DAMAGED, ""))
        self.assertIn("partition 2 holds offsets", done.stderr)
        self.assertEqual(self.dump(*flags), before)


if __name__ == "__main__":
    unittest.main()
