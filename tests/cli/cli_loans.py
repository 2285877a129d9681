"""Claims about the loans example's programs, on SQLite."""
import gzip
import json
import os
import re
import signal
import subprocess
import time
import unittest

from programs import Programs

DEMO, LOAD, CHECK = (os.environ["PDR_LOANS_" + name] for name in ("DEMO", "LOAD", "CHECK"))
FACTS = "events 262200\nentities 13087\napproved 2246\ndeclined 7635\ncancelled 2807\n"
HEADER = "at,application,activity,transition,resource,amount_requested\n"
GOOD = "2011-09-30T22:38:44.546000Z,%d,A_SUBMITTED,COMPLETE,112,20000\n"


class Demo(Programs):
    def test_it_prints_the_published_facts_and_a_second_run_doubles_nothing(self):
        first = self.works(DEMO, "--journal", "sqlite:loans.db")
        self.assertIn(FACTS, first)
        self.assertRegex(first, r"\nevents/s [1-9]\d+\n")
        self.assertIn("ApplicationApproved", first)
        self.assertIn("What to try next", first)
        second = self.works(DEMO, PERDURE_JOURNAL="sqlite:loans.db")
        self.assertIn("has 262200 events already", second)
        self.assertIn(FACTS + "repeated 262200\n", second)
        done = json.loads(self.works(DEMO, "--journal", "sqlite:loans.db", "--json"))
        self.assertEqual((done["events"], done["approved"], done["repeated"], done["refused"]), (262200, 2246, 262200, 0))

    def test_malformed_rows_are_named_and_the_rest_goes_on(self):
        with gzip.open(self.path("odd.csv.gz"), "wt") as file:
            file.write(HEADER + GOOD % 1 + "nonsense\n" + GOOD % 2 + GOOD % 1)
            file.write("2011-09-30T22:38:44.546000Z,3,A_DANCED,COMPLETE,112,20000\n" + GOOD % 4)
        done = self.run_in(DEMO, "--journal", "sqlite:odd.db", "--data", "odd.csv.gz", "--entity", "loan/1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = json.loads(done.stdout)
        self.assertEqual((counts["events"], counts["malformed"], counts["refused"]), (3, 2, 1))
        for text in ("odd.csv.gz:3: 1 columns", "row 4 is refused: the application was submitted before",
                     "row 5: no such activity"):
            self.assertIn(text, done.stderr)

    def test_a_file_that_is_cut_off_is_an_error(self):
        with open(self.path("whole"), "wb") as file:
            file.write(gzip.compress((HEADER + "".join(GOOD % i for i in range(1, 5000))).encode()))
        size = os.path.getsize(self.path("whole"))
        with open(self.path("whole"), "rb") as whole, open(self.path("cut.gz"), "wb") as cut:
            cut.write(whole.read(size // 2))
        done = self.run_in(DEMO, "--journal", "sqlite:x.db", "--data", "cut.gz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cut off", done.stderr)

    def test_flags_that_are_wrong_are_named(self):
        for program in (DEMO, LOAD, CHECK):
            self.assertIn("--journal URL", self.works(program, "--help"))
            for words, text in ((["--what"], "--what"), (["--journal"], "--journal"), (["--store", ""], "--store")):
                done = self.run_in(program, *words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr)
        for words in (["--rate", "fast"], ["--rate", "-1"], ["--window", "0"], ["--stop-after", ""], ["--patience", "x"]):
            self.assertEqual(self.run_in(LOAD, *words).returncode, 2, words)
        self.assertEqual(os.listdir(self.folder.name), [])


class Kill(Programs):
    def test_a_loader_killed_at_work_and_begun_again_leaves_what_an_uninterrupted_one_does(self):
        self.load("sqlite:whole.db", 30000)
        expected = self.works(CHECK, "--journal", "sqlite:whole.db")
        self.assertIn("events 30000\n", expected)
        self.assertIn("faults 0\n", expected)
        kills = 0
        for _ in range(50):
            if kills == 2:
                break
            loader = subprocess.Popen([LOAD, "--journal", "sqlite:killed.db", "--stop-after", "30000", "--rate", "20000"],
                                      cwd=self.folder.name, stdout=subprocess.PIPE, text=True)
            in_flight = 0
            for line in loader.stdout:
                counts = re.match(r"sent \d+ answered \d+ in-flight (\d+) fresh (\d+)", line)
                if counts and int(counts[2]) > 2000:
                    in_flight = int(counts[1])
                    break
            loader.send_signal(signal.SIGKILL)
            loader.wait()
            loader.stdout.close()
            kills += in_flight > 0
            time.sleep(0.01)
        last = self.load("sqlite:killed.db", 30000).splitlines()[-1]
        self.assertRegex(last, r"^done .* refused 0$")
        self.assertEqual(self.works(CHECK, "--journal", "sqlite:killed.db"), expected)

    def test_two_loaders_that_take_the_journal_from_each_other_leave_what_one_does(self):
        self.load("sqlite:one.db", 20000)
        expected = self.works(CHECK, "--journal", "sqlite:one.db")
        loaders = [subprocess.Popen([LOAD, "--journal", "sqlite:two.db", "--stop-after", "20000", "--rate", "10000"],
                                    cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                   for _ in range(2)]
        for loader in loaders:
            out, err = loader.communicate(timeout=240)
            self.assertEqual((loader.returncode, err), (0, ""))
            self.assertRegex(out.splitlines()[-1], r"^done .* refused 0$")
        self.assertEqual(self.works(CHECK, "--journal", "sqlite:two.db"), expected)

    def test_loaders_that_make_the_same_journal_at_once_agree_on_it(self):
        for i in range(5):
            loaders = [subprocess.Popen([LOAD, "--journal", "sqlite:new%d.db" % i, "--stop-after", "50"], cwd=self.folder.name,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(4)]
            for loader in loaders:
                self.assertEqual((loader.communicate(timeout=240)[1], loader.returncode), ("", 0))
            self.assertIn("events 50\n", self.works(CHECK, "--journal", "sqlite:new%d.db" % i))

    def test_check_tells_two_states_apart(self):
        self.load("sqlite:a.db", 1000)
        self.load("sqlite:b.db", 1001)
        a, b = (json.loads(self.works(CHECK, "--journal", "sqlite:%s.db" % name, "--json")) for name in "ab")
        self.assertEqual((a["events"], b["events"]), (1000, 1001))
        self.assertNotEqual(a["states"], b["states"])


if __name__ == "__main__":
    unittest.main()
