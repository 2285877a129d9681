"""Claims about the script dev: what it refuses, and how it says so. Nothing is built or started here."""
import os
import subprocess
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
VERBS = ["demo", "test", "services", "bench", "sim", "check", "perdure"]


def dev(*arguments):
    return subprocess.run([os.path.join(ROOT, "dev"), *arguments], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)


class Dev(unittest.TestCase):
    def refuses(self, arguments, *words):
        done = dev(*arguments)
        self.assertNotEqual(done.returncode, 0, arguments)
        self.assertEqual(done.stdout, "", arguments)
        for word in words:
            self.assertIn(word, done.stderr, arguments)

    def test_help_names_every_verb(self):
        for arguments in (["help"], ["--help"], ["-h"], []):
            done = dev(*arguments)
            self.assertEqual(done.returncode, 0)
            for verb in VERBS:
                self.assertIn("./dev " + verb, done.stdout)

    def test_a_verb_that_is_not_there_is_named(self):
        self.refuses(["destroy"], "no verb 'destroy'", "./dev demo")
        self.assertEqual(dev("destroy").returncode, 2)

    def test_an_argument_that_a_verb_does_not_know_is_named(self):
        self.refuses(["demo", "--cassandra"], "--cassandra", "./dev demo")
        self.refuses(["demo", "--kafka", "more"], "--kafka")
        self.refuses(["test", "--fast"], "--fast", "./dev test")
        self.refuses(["bench", "--xml"], "--xml", "./dev bench")
        self.refuses(["sim", "--rounds", "3"], "--rounds", "./dev sim")
        self.refuses(["check", "this"], "no arguments")

    def test_a_flag_that_takes_a_number_takes_nothing_else(self):
        for bad in ("", "many", "-1", "1.5", "0x10", "1;2"):
            self.refuses(["sim", "--seeds", bad], "--seeds", "number")
        self.refuses(["sim", "--seeds"], "--seeds", "number")
        self.refuses(["sim", "--break"], "--break")

    def test_services_refuses_what_it_does_not_know(self):
        self.refuses(["services"], "services up")
        self.refuses(["services", "explode"], "services up")
        self.refuses(["services", "up", "--all"], "--all")
        self.refuses(["services", "restart"], "kafka, postgres or registry")
        self.refuses(["services", "restart", "redis"], "kafka, postgres or registry")
        self.refuses(["services", "restart", "kafka", "--soft"], "--soft")
        self.refuses(["services", "wipe", "kafka"], "only postgres")
        self.refuses(["services", "wipe", "registry"], "only postgres")
        self.refuses(["services", "down", "--all"], "--all")


if __name__ == "__main__":
    unittest.main()
