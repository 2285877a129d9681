"""A rolling deploy: programs of three versions write one journal at the same time, taking its partitions from each
other. Nothing is lost, nothing misread; who can't read an event says which. Then states are made for a fourth.

    rolling.py sqlite | servers"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

WHERE = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
COMMAND = os.environ["PDR_COMMAND"]
PROGRAM = {n: os.environ["PDR_ROLLING_%d" % n] for n in (1, 2, 3, 4)}
APP = {n: os.environ["PDR_ROLLING_APP_%d" % n] for n in (1, 2, 3, 4)}
KAFKA, POSTGRES = (os.environ.get("PERDURE_TEST_" + n) for n in ("KAFKA", "POSTGRES"))
FULL = os.environ.get("PERDURE_TEST_SIZE") == "full"
COUNT = 20000 if FULL else 400
SKIPPED = 77


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_") or k.startswith("PERDURE_TEST_")}


class Rolling(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="perdure-rolling-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        name = "rolling_%s" % os.urandom(8).hex()
        if WHERE == "sqlite":
            self.log = self.store = "sqlite:%s/rolling.db" % self.folder
        else:
            self.log = "kafka://%s/%s" % (KAFKA, name.replace("_", "-"))
            self.store = "%s%sschema=%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", name)
        self.flags = ["--journal", self.log, "--store", self.store]
        self.run_all([[COMMAND, "init", *self.flags, "--partitions", "2"]])

    def run_all(self, commands, code=0, **more):
        """At the same time; the lines of each."""
        started = []
        for i, words in enumerate(commands):
            out, err = (open("%s/%d.%s" % (self.folder, i, kind), "w+", encoding="utf-8") for kind in ("out", "err"))
            self.addCleanup(out.close)
            self.addCleanup(err.close)
            started.append((subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                             env=dict(environment(), **more)),
                            words, out, err))
        lines = []
        for process, words, out, err in started:
            process.wait(600)
            out.seek(0)
            err.seek(0)
            text = out.read()
            self.assertEqual(process.returncode, code, (words, text[-500:], err.read()[-2000:]))
            lines.append([line.split(" ", 2 if line.startswith("unreadable") else -1) for line in text.splitlines()])
        return lines

    def load(self, *loads, **more):
        """Each (program, who, kind, count); what was acknowledged, by entity: {nonce: cents}, and the lines."""
        all_lines = self.run_all([[PROGRAM[p], "load", self.log, self.store, str(who), kind, str(count)]
                                  for p, who, kind, count in loads], **more)
        acked = {}
        for lines in all_lines:
            for line in lines:
                if line[0] == "acked":
                    acked.setdefault(line[1], {})[int(line[2])] = int(line[3])
        return acked, all_lines

    def tell(self, program, what, *more):
        return self.run_all([[PROGRAM[program], what, self.log, self.store, *more]])[0]

    def expect_states(self, lines, acked, kind):
        found = {line[1]: tuple(map(int, line[2:])) for line in lines if line[0] == "state"}
        expected = {entity: (len(events), sum(events.values()), len(events)) for entity, events in acked.items()
                    if kind in entity}
        self.assertEqual(found, expected)

    def expect_events(self, lines, acked):
        """Every acknowledged event once, with its amount, and no other; seqs without a gap."""
        found, seqs = {}, {}
        for line in lines:
            if line[0] != "event":
                continue
            entity, seq, nonce, cents = line[1], *map(int, line[2:])
            self.assertNotIn(nonce, found.setdefault(entity, {}))
            found[entity][nonce] = cents
            self.assertEqual(seq, seqs.get(entity, 0) + 1)
            seqs[entity] = seq
        self.assertEqual(found, acked)

    def expect_unreadable(self, lines, kind):
        told = {line[1]: line[2] for line in lines if line[0] == "unreadable"}
        self.assertEqual(set(told), {"total/%s-%d" % (kind, i) for i in range(8)})
        for why in told.values():
            self.assertRegex(why, r"rolling\.Added")
            self.assertRegex(why, r"version 3")
            self.assertRegex(why, r"[0-9a-f]{16}")

    def test_old_and_new(self):
        # The first two share their entities; what the third writes the others can't read.
        # Each has been served half of its commands before any goes on: whoever was first has lost its partitions by then.
        acked, lines = self.load((1, 1, "old", COUNT), (2, 2, "old", COUNT), (3, 3, "new", COUNT),
                                 PERDURE_TEST_MEET=self.folder, PERDURE_TEST_COMPANY="3")
        self.assertEqual(sum(map(len, acked.values())), 3 * COUNT)
        depositions = sum(int(line[1]) for each in lines for line in each if line[0] == "done")
        self.assertGreater(depositions, 2, "nobody took over from anybody")
        old = {entity: events for entity, events in acked.items() if "old" in entity}
        new = {entity: events for entity, events in acked.items() if "new" in entity}
        for program in (1, 2, 3):
            with self.subTest(program=program):
                self.expect_states(self.tell(program, "states", "old"), acked, "old")
                self.expect_events(self.tell(program, "history", "old"), old)
        self.expect_events(self.tell(3, "history", "new"), new)
        self.expect_states(self.tell(3, "states", "new"), acked, "new")
        for program in (1, 2):
            with self.subTest(program=program):
                self.expect_unreadable(self.tell(program, "states", "new"), "new")
                # Nor does it touch them; the others it serves.
                more, lines = self.load((program, 10 + program, "new", 8), (program, 20 + program, "old", 8))
                self.expect_unreadable([line for each in lines for line in each], "new")
                for entity, events in more.items():
                    acked[entity].update(events)
        self.expect_states(self.tell(3, "states", "old"), acked, "old")
        self.expect_states(self.tell(3, "states", "new"), acked, "new")

    def test_a_reader_that_starts_in_the_middle(self):
        acked, _ = self.load((2, 1, "old", 60))
        # Its own log explains to the first program what the second one wrote, wherever it begins.
        lines = self.tell(1, "scan", "20")
        self.assertGreater(len(lines), 20)
        for line in lines[:-1]:
            self.assertEqual(line[0], "event")
            self.assertEqual(acked[line[1]][int(line[3])], int(line[4]))
        acked, _ = self.load((3, 3, "new", 60))
        lines = [line for line in self.tell(1, "scan", "20") if "new" in line[1]]
        self.assertGreater(len(lines), 20)
        self.assertEqual({line[0] for line in lines}, {"unreadable"})

    def test_states_made_before_a_deploy(self):
        acked, _ = self.load((1, 1, "old", 100), (3, 3, "new", 100))
        before = self.tell(4, "states", "old")
        self.assertEqual(int(before[-1][1]), 8, "another revision's states are brought up from history")
        self.expect_states(before, acked, "old")
        words = [COMMAND, "snapshot", "rebuild", *self.flags, "--app", APP[4], "--json"]
        self.assertEqual(self.json(words), {"entities": 16, "ready": 0, "made": 16, "unreadable": 0, "passes": 1})
        self.assertEqual(self.json(words), {"entities": 16, "ready": 16, "made": 0, "unreadable": 0, "passes": 0})
        for kind in ("old", "new"):
            lines = self.tell(4, "states", kind)
            self.expect_states(lines, acked, kind)
            self.assertEqual(int(lines[-1][1]), 0, "history was read")
        # The third brings the first one's states forward; the first can't make the third one's.
        lines = self.tell(3, "states", "old")
        self.expect_states(lines, acked, "old")
        self.assertEqual(int(lines[-1][1]), 0, "history was read")
        made = self.json([COMMAND, "snapshot", "rebuild", *self.flags, "--app", APP[1], "--json"], code=1)
        self.assertEqual((made["made"] + made["ready"], made["unreadable"]), (8, 8))
        self.assertRegex(made["why"], r"rolling\.Added.*version 3")
        self.assertRegex(made["first_unreadable"], r"total/new-\d")

    def test_states_made_beside_an_owner(self):
        acked, _ = self.load((1, 1, "old", 200))
        rebuild = [COMMAND, "snapshot", "rebuild", *self.flags, "--app", APP[4], "--json"]
        load = [PROGRAM[1], "load", self.log, self.store, "5", "old", str(COUNT)]
        lines = self.run_all([load, rebuild, rebuild])
        for line in lines[0]:
            if line[0] == "acked":
                acked.setdefault(line[1], {})[int(line[2])] = int(line[3])
        self.assertEqual(int(lines[0][-1][1]), 0, "the owner was disturbed")
        self.expect_states(self.tell(4, "states", "old"), acked, "old")
        self.expect_states(self.tell(1, "states", "old"), acked, "old")

    def json(self, words, code=0):
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=240,
                              env=environment())
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)


if __name__ == "__main__":
    if WHERE == "servers" and not (KAFKA and POSTGRES):
        print("SKIPPED: PERDURE_TEST_KAFKA or PERDURE_TEST_POSTGRES isn't set")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])
