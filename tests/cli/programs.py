"""Runs the command and the examples' programs in a folder of their own."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from heeds import heeds  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
COMMAND = os.environ["PDR_COMMAND"]
LOANS_APP = os.environ["PDR_LOANS_APP"]


def environment_with(more):
    """This process's, without settings of a user's journal."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_") or k.startswith("PERDURE_TEST_")}
    return {**kept, **more}


class Programs(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="perdure-cli-")
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_in(self, *words, **environment):
        """Runs a program; its exit code, standard output and standard error are in what comes back."""
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=self.folder.name,
                              env=environment_with(environment), stdin=subprocess.DEVNULL, timeout=600)

    def start(self, *words, **environment):
        """The command, at work: end it by communicate()."""
        process = subprocess.Popen([COMMAND, *words], cwd=self.folder.name, env=environment_with(environment), text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        return process

    def until(self, what, condition, process=None):
        """Waits for something that must come; the limit only ends a claim that has failed. `process`: must still run."""
        end = time.monotonic() + 240
        while not condition():
            if process is not None and process.poll() is not None and not condition():
                self.fail("%s: it ended before, with %d\n%s" % (what, process.returncode, process.stderr and process.stderr.read()))
            self.assertLess(time.monotonic(), end, "not in 240 s: " + what)
            time.sleep(0.01)

    def until_heeds(self, process, number):
        """Waits until the program does something about a signal: one that comes before kills it."""
        self.until("signal %d is heeded" % number, lambda: heeds(process.pid, number), process)

    def until_held(self, process):
        """Waits until the program is at the point where a library or an application holds it."""
        self.until("it is there", lambda: os.path.exists(self.path("here")), process)

    def let_go(self):
        with open(self.path("go"), "w", encoding="ascii"):
            pass

    def perdure(self, *words, **environment):
        return self.run_in(COMMAND, *words, **environment)

    def works(self, *words, **environment):
        done = self.run_in(*words, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), (words, done.stdout[-500:], done.stderr))
        return done.stdout

    def refuses(self, code, words, *texts, **environment):
        """The exit code, nothing on standard output, and each text on standard error."""
        done = self.perdure(*words, **environment)
        self.assertEqual((done.returncode, done.stdout), (code, ""), (words, done.stderr))
        for text in texts:
            self.assertIn(text, done.stderr, words)
        return done.stderr

    def load(self, journal, rows, *more):
        return self.works(os.environ["PDR_LOANS_LOAD"], "--journal", journal, "--stop-after", str(rows), *more)

    def dump(self, *words):
        return self.works(COMMAND, "store", "dump", *words)

    def is_golden(self, name, text):
        """Written anew by PERDURE_TEST_WRITE_GOLDEN=1."""
        path = os.path.join(GOLDEN, name)
        if os.environ.get("PERDURE_TEST_WRITE_GOLDEN"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), text, name)
