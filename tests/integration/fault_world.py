"""What the claims about faults on real servers share: programs, servers, journals of their own, a loader to kill."""
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from heeds import heeds  # noqa: E402

LOAD, CHECK, COMMAND, LOANS_APP = (os.environ["PDR_" + n] for n in ("LOANS_LOAD", "LOANS_CHECK", "COMMAND", "LOANS_APP"))
DEV, KAFKA, POSTGRES = (os.environ.get("PERDURE_TEST_" + n) for n in ("DEV", "KAFKA", "POSTGRES"))
FULL = os.environ.get("PERDURE_TEST_SIZE") == "full"
SKIPPED = 77
ROWS = 262200
FACTS = {"events": 262200, "entities": 13087, "approved": 2246, "declined": 7635, "cancelled": 2807, "faults": 0}
COUNTS = re.compile(r"(?:done )?sent (\d+) answered (\d+) in-flight (\d+) fresh (\d+) repeated (\d+) refused (\d+)")


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_") or k.startswith("PERDURE_TEST_")}


class Missed(Exception):
    """A fault was to meet a program at work, and it had ended."""


def until(true, what, seconds=240):
    """A condition that must come; the limit only ends a test that has failed. `what`: a text, or a function that gives one
    at the end."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what() if callable(what) else what))
        time.sleep(0.01)


def dev(*words, **extra):
    """./dev, which starts, stops and wipes the servers."""
    done = subprocess.run([DEV, "services", *words], capture_output=True, text=True, check=False, timeout=600,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **extra))
    if done.returncode:
        raise AssertionError("services %s: %s" % (" ".join(words), done.stderr))


class Journal:
    """URLs of a journal and its store, new for each test."""

    def __init__(self, log, store, schema=None):
        self.log, self.store, self.schema = log, store, schema
        self.flags = ["--journal", log, "--store", store]


class Running:
    """A program whose lines are read as they come."""

    def __init__(self, words, cwd, preexec=None, extra=None):
        self.words, self.lines, self.errors = words, [], []
        self.process = subprocess.Popen(words, cwd=cwd, env=dict(environment(), **(extra or {})), text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=preexec)
        self.threads = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            if line.endswith("\n"):  # a killed program's last line may be cut off
                lines.append(line[:-1])
        stream.close()

    def until_heeds(self, number):
        """It does something about a signal: one that comes before kills it."""
        until(lambda: self.ended() or heeds(self.process.pid, number), lambda: "signal %d is heeded\n%s" % (number, self.tail()))

    def signal(self, number):
        self.process.send_signal(number)

    def state(self):
        """As the kernel names it: T is stopped."""
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def stop(self):
        self.signal(signal.SIGSTOP)
        until(lambda: self.state() == "T", "a stopped process")

    def drain(self):
        """Everything that it has printed is in `lines`, provided that it has ended or is stopped."""
        if self.ended():
            self.end()
            return
        waiting = bytearray(4)
        while fcntl.ioctl(self.process.stdout, termios.FIONREAD, waiting) == 0 and any(waiting):
            time.sleep(0.01)
            waiting = bytearray(4)
        time.sleep(0.1)  # what the thread has taken from the pipe becomes lines

    def ended(self):
        return self.process.poll() is not None

    def end(self, seconds=600):
        """Its exit code, once everything that it printed is here."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s doesn't end\n%s" % (self.words, self.tail())) from None
        for thread in self.threads:
            thread.join()
        return self.process.returncode

    def kill(self):
        if not self.ended():
            self.process.send_signal(signal.SIGKILL)
        return self.end()

    def tail(self):
        return "\n".join(self.lines[-5:] + self.errors[-20:])


class Loader(Running):
    """loans_load, from the first row."""

    def __init__(self, journal, cwd, *flags, **more):
        super().__init__([LOAD, *journal.flags, *flags], cwd, **more)

    def counts(self):
        """Its newest line as sent, answered, in flight, fresh, repeated, refused."""
        for line in reversed(self.lines[-3:]):
            match = COUNTS.match(line)
            if match:
                return [int(n) for n in match.groups()]
        return [0] * 6

    def fresh(self):
        return self.counts()[3]

    def until_fresh(self, rows):
        until(lambda: self.fresh() >= rows or self.ended(), lambda: "%d fresh rows\n%s" % (rows, self.tail()))


class Faults(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="perdure-faults-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.programs = []
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for program in self.programs:
            if not program.ended():
                program.signal(signal.SIGCONT)
                program.kill()

    def until_met(self, attempt):
        """attempt(slower) does something to a program at work. Where the machine is so slow, or so busy with others, that
        the work is done before, it raises Missed: then once more, with work that takes so many times as long."""
        for slower in (1, 4, 16, 64):
            try:
                return attempt(slower)
            except Missed as missed:
                self.kill_all()
                print("once more, slower: %s" % missed, flush=True)
        return self.fail("the fault always came too late")

    def met(self, program):
        """It is at work still."""
        if program.ended():
            self.ends_well(program)
            raise Missed(program.tail())

    # --- journals ---

    def kafka(self, settings=""):
        """Kafka and PostgreSQL, a topic and a schema of its own."""
        name = "faults_%016x" % random.getrandbits(64)
        return Journal("kafka://%s/%s%s" % (KAFKA, name, settings), "%s?schema=%s" % (POSTGRES, name), name)

    def sqlite(self):
        """Two files in the test's folder."""
        name = "%08x" % random.getrandbits(32)
        return Journal("sqlite:log_%s.db" % name, "sqlite:store_%s.db" % name)

    # --- programs ---

    def run_in(self, *words, seconds=600):
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=self.folder, env=environment(),
                              stdin=subprocess.DEVNULL, timeout=seconds)

    def works(self, *words):
        done = self.run_in(*words)
        self.assertEqual(done.returncode, 0, "%s\n%s%s" % (words, done.stdout[-500:], done.stderr[-2000:]))
        return done.stdout

    def loader(self, journal, *flags, **more):
        program = Loader(journal, self.folder, *flags, **more)
        self.programs.append(program)
        return program

    def ends_well(self, program):
        self.assertEqual(program.end(), 0, program.tail())
        return program

    def load(self, journal, *flags):
        """To the end; its counts."""
        return self.ends_well(self.loader(journal, *flags)).counts()

    def check(self, journal):
        """What a reader of all histories finds; and log and store keep every rule that they show."""
        self.works(COMMAND, "verify", *journal.flags, "--app", LOANS_APP)
        return json.loads(self.works(CHECK, *journal.flags, "--json"))

    def dump(self, journal):
        return self.works(COMMAND, "store", "dump", *journal.flags, "--app", LOANS_APP)

    def uninterrupted(self, rows):
        """What a run that nothing disturbs leaves behind, on SQLite."""
        journal = self.sqlite()
        self.load(journal, "--stop-after", str(rows))
        return self.check(journal)

    def postgres(self, sql):
        return self.works("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql,
                          POSTGRES.replace("postgres:", "postgresql:", 1))


def main(needs_servers=True):
    if needs_servers and not (KAFKA and POSTGRES and DEV):
        print("skipped: PERDURE_TEST_KAFKA, PERDURE_TEST_POSTGRES and PERDURE_TEST_DEV are not all set; "
              "./dev services up starts the servers, build/services/env has the three")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
