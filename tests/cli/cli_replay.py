"""Claims about perdure replay, on SQLite, and about what it refuses."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import COMMAND, LOANS_APP, Programs
from replay_claims import BUG_APP, DONE, FAILED, REFUSED, USAGE, ReplayClaims


class OnSqlite(ReplayClaims, Programs):
    @classmethod
    def setUpClass(cls):
        cls.logs = tempfile.TemporaryDirectory(prefix="perdure-cli-")
        cls.addClassCleanup(cls.logs.cleanup)

    def journal(self, name):
        path = os.path.join(self.logs.name, name)
        return ["--journal", "sqlite:%s.db" % path, "--store", "sqlite:%s.store.db" % path]

    # --- what is refused ---

    def test_what_makes_no_sense_is_refused(self):
        self.loaded(0)
        at = ["replay", *self.flags]
        self.refuses(USAGE, at, "--app")
        self.refuses(FAILED, [*at, "--app", "nosuch.so"], "nosuch.so")
        app = [*at, "--app", LOANS_APP]
        self.refuses(FAILED, [*app, "--against", "nosuch.so"], "nosuch.so")
        self.refuses(USAGE, [*app, "--partition", "4"], "partition 4")
        self.refuses(USAGE, [*app, "--partition", "x"], "list of partitions")
        self.refuses(USAGE, [*app, "--since", "yesterday"], "yesterday")
        self.refuses(USAGE, [*app, "--entities", ","], "names no entity")
        self.refuses(FAILED, [*app, "--entities", "@nosuch"], "nosuch")
        self.refuses(USAGE, [*app, "--break", "loan/1"], "ENTITY:SEQ")
        self.refuses(USAGE, [*app, "--break", "loan/1:0"], "ENTITY:SEQ")
        self.refuses(REFUSED, [*app, "--break", "loan/1:3"], "debugger", "gdb")

    def test_entities_that_are_not_there_are_named(self):
        self.loaded(300)
        findings, summary = self.replay(FAILED, "--entities", "loan/173688,loan/17368", app=LOANS_APP)
        self.assertEqual([f["entity"] for f in findings["absent"]], ["loan/17368"])
        self.assertIn("did you mean loan/173688", findings["absent"][0]["why"])
        self.assertEqual((summary["entities"], summary["absent"]), (1, 1))

    def test_two_versions_that_share_their_code_are_refused(self):
        """A copy of a file is another version; the same file twice is itself."""
        self.loaded(300)
        shutil.copy(BUG_APP, self.path("copy.so"))
        self.replay(DONE, "--against", "copy.so")
        self.replay(DONE, "--against", BUG_APP)

    # --- gdb ---

    @unittest.skipUnless(shutil.which("gdb"), "no gdb")
    def test_a_debugger_stops_right_before_apply(self):
        self.loaded(300)
        words = ["gdb", "-q", "-batch", "-ex", "run", "-ex", "tbreak loans_apply", "-ex", "continue", "-ex",
                 "print event->type->name", "-ex", "print event->seq", "-ex",
                 "print ((loans_application *)state)->status", "-ex", "finish", "-ex",
                 "print ((loans_application *)state)->status", "-ex", "continue", "--args", COMMAND, "replay", *self.flags,
                 "--app", LOANS_APP, "--break", "loan/173688:3"]
        done = subprocess.run(words, cwd=self.folder.name, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=120, check=False)
        self.assertIn("received signal SIGTRAP", done.stdout, done.stderr)
        self.assertRegex(done.stdout, r'\$1 = .*"loans.ApplicationPreaccepted"')
        self.assertRegex(done.stdout, r"\$2 = 3")
        self.assertRegex(done.stdout, r"\$3 = LOANS_STATUS_PARTLY_SUBMITTED")
        self.assertRegex(done.stdout, r"exited normally")
        self.assertIn("stopping before apply of loans.ApplicationPreaccepted at loan/173688 seq 3", done.stderr)
        self.assertTrue(re.search(r'the state after: .*"PREACCEPTED"', done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()
