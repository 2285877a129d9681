"""Claims about a program that embeds the whole command: examples/loans/command.c."""
import os
import unittest

from programs import COMMAND, LOANS_APP, Programs

LOANS = os.environ["PDR_LOANS"]


class Embed(Programs):
    def setUp(self):
        super().setUp()
        self.load("sqlite:x.db", 200)

    def test_the_application_is_built_in(self):
        want = self.works(COMMAND, "store", "dump", "--journal", "sqlite:x.db", "--app", LOANS_APP)
        self.assertIn('"amount', want)
        self.assertEqual(self.works(LOANS, "store", "dump", "--journal", "sqlite:x.db"), want)
        # What is built in wins over the variable, --app over what is built in.
        self.assertEqual(self.works(LOANS, "store", "dump", "--journal", "sqlite:x.db", PERDURE_APP="missing.so"), want)
        self.assertEqual(self.works(LOANS, "store", "dump", "--journal", "sqlite:x.db", "--app", LOANS_APP), want)
        done = self.run_in(LOANS, "store", "dump", "--journal", "sqlite:x.db", "--app", "missing.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing.so", done.stderr)

    def test_another_version_by_app_runs_its_own_functions(self):
        then = self.works(COMMAND, "schema", "list", "--app", os.environ["PDR_LOANS_APP_V1"])
        self.assertNotEqual(then, self.works(LOANS, "schema", "list"))
        self.assertEqual(self.works(LOANS, "schema", "list", "--app", os.environ["PDR_LOANS_APP_V1"]), then)

    def test_messages_call_it_by_its_name(self):
        self.assertTrue(self.works(LOANS, "--help").startswith("usage: loans COMMAND"))
        self.assertTrue(self.works(LOANS, "init", "--help").startswith("usage: loans init"))
        done = self.run_in(LOANS, "destroy")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith("loans: "), done.stderr)
        done = self.run_in(LOANS, "init", "--purple")
        self.assertTrue(done.stderr.startswith("loans init: "), done.stderr)
        done = self.run_in(LOANS, "store", "dump", "--journal", "sqlite:none.db")
        self.assertTrue(done.stderr.startswith("loans store dump: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
