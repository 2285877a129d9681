"""Claims about the commands that read all of a log, on SQLite."""
import os
import sqlite3
import unittest

from programs import COMMAND, LOANS_APP, Programs
from scan_claims import DAMAGED, ROWS, ScanClaims


class OnSqlite(ScanClaims, Programs):
    def journal(self, name):
        base = os.path.join(self.home.name if name == "log" else self.folder.name, name)
        return ["--journal", "sqlite:%s.db" % base, "--store", "sqlite:%s-store.db" % base]

    def test_what_the_store_has_not_saved_yet_is_listed_from_the_log(self):
        empty = "sqlite:" + self.path("empty-store.db")
        self.works(COMMAND, "init", *self.flags[:2], "--store", empty, "--partitions", "5")
        listed = self.lines("entity list", flags=[*self.flags[:2], "--store", empty])
        self.assertEqual(listed, self.lines("entity list"))

    def test_without_a_store_all_is_read_from_the_log(self):
        alone = ["--journal", "sqlite:" + self.path("alone.db"), "--store", "sqlite:" + self.path("gone.db")]
        self.works(COMMAND, "init", *alone)
        self.works(os.environ["PDR_LOANS_LOAD"], *alone, "--stop-after", "500")
        flags = [*alone[:2], "--store", "sqlite:" + self.path("other.db")]
        self.assertEqual(len(self.lines("grep", flags=flags)), 500)
        self.assertEqual([l["seq"] for l in self.lines("entity list", flags=flags)],
                         [l["seq"] for l in self.lines("entity list", flags=alone)])

    def test_a_log_that_breaks_its_rules_is_damaged_with_the_place(self):
        flags = self.journal("bad")
        self.works(COMMAND, "init", *flags, "--partitions", "1")
        self.works(os.environ["PDR_LOANS_LOAD"], *flags, "--stop-after", "100")
        with sqlite3.connect(self.path("bad.db")) as db:
            db.execute("DELETE FROM record_0 WHERE offset = 50")
        for words in (["grep"], ["stats"], ["entity", "list", "--from-log"], ["trace", "1"]):
            done = self.perdure(*words, *flags, "--app", LOANS_APP)
            self.assertEqual(done.returncode, DAMAGED, done.stderr)
            self.assertIn("partition 0", done.stderr)
            self.assertIn("lacks its records 50 to 50", done.stderr)

    def test_the_text_for_people_has_a_line_for_each_event(self):
        text = self.works(COMMAND, "grep", *self.flags, "--app", LOANS_APP)
        self.assertEqual(len(text.splitlines()), ROWS)
        self.assertIn("ApplicationSubmitted", text)


if __name__ == "__main__":
    unittest.main()
