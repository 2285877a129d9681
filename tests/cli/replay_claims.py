"""Claims about perdure replay, for every backend. What they must find
is computed from the CSV, without a line of the product."""
import csv
import gzip
import json
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from loans_figures import micros  # noqa: E402
from programs import COMMAND, LOANS_APP  # noqa: E402

BUG_APP, GAP_APP, LOAD_V1 = (os.environ["PDR_" + name] for name in ("BUG_APP", "SCHEDULED_GAP_APP", "LOANS_LOAD_V1"))
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/loans/data/loan_applications.csv.gz")
DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED, STOPPED = range(7)
ROWS = 12000
REGISTERED = "loans.ApplicationRegistered"


class Facts:
    """The first rows of the CSV: each is one event of its application."""

    def __init__(self, rows):
        self.rows, self.entities, self.registered, self.newest = rows, {}, [], 0
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if number == rows:
                    break
                entity = "loan/" + row["application"]
                self.entities[entity] = self.entities.get(entity, 0) + 1
                self.newest = max(self.newest, micros(row["at"]))
                if row["activity"] == "A_REGISTERED":
                    self.registered.append((entity, self.entities[entity], micros(row["at"])))


class ReplayClaims:
    """Mixed into a test case that has journal(name): the flags of a fresh journal. Nothing here changes one, so each is
    made once."""
    facts = Facts(ROWS)
    made = {}

    def loaded(self, rows=ROWS, program=os.environ["PDR_LOANS_LOAD"]):
        self.flags = self.made.get((type(self), rows, program))
        if self.flags:
            return
        self.flags = self.made[type(self), rows, program] = self.journal("log%d" % len(self.made))
        self.works(COMMAND, "init", *self.flags, "--partitions", "4")
        if rows:
            self.works(program, *self.flags, "--stop-after", str(rows))

    def replay(self, code, *words, app=BUG_APP, **environment):
        """The findings by kind, and the summary."""
        done = self.perdure("replay", *self.flags, "--app", app, "--json", *words, **environment)
        self.assertEqual(done.returncode, code, (words, done.stdout[-2000:], done.stderr))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        findings = {}
        for line in lines[:-1]:
            findings.setdefault(line["finding"], []).append(line)
        self.assertTrue(lines[-1]["summary"])
        return findings, lines[-1]

    # --- nothing to find ---

    def test_the_same_code_differs_nowhere(self):
        self.loaded()
        shutil.copy(LOANS_APP, self.path("old.so"))
        for against in ([], ["--against", "snapshots"], ["--against", "old.so"], ["--against", LOANS_APP]):
            findings, summary = self.replay(DONE, *against, app=LOANS_APP)
            self.assertEqual(findings, {})
            self.assertEqual((summary["events"], summary["entities"]), (ROWS, len(self.facts.entities)))
            self.assertEqual(summary["compared"], len(self.facts.entities) if against else 0)
            self.assertEqual((summary["partitions"], summary["partitions_read"]), (4, 4))
            self.assertGreater(summary["folded_twice"], 0)

    def test_an_empty_journal_has_nothing_to_find(self):
        self.loaded(0)
        for against in ([], ["--against", "snapshots"], ["--against", LOANS_APP]):
            self.assertEqual(self.replay(DONE, *against)[1]["events"], 0)

    # --- a seeded bug ---

    def expect_forgotten(self, findings, summary):
        first = {entity: (seq, at) for entity, seq, at in self.facts.registered}
        self.assertEqual(summary["differs"], len(first))
        self.assertEqual(len(findings["differs"]), len(first))
        for found in findings["differs"]:
            self.assertEqual(found["changes"], [{"path": ".registered", "from": True, "to": False}])
        return first

    def test_a_bug_in_apply_is_found_at_its_very_events(self):
        self.loaded()
        findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--samples", "1000", PERDURE_TEST_BUG="forgotten")
        first = self.expect_forgotten(findings, summary)
        self.assertEqual({f["entity"]: (f["seq"], micros(f["time"] if "." in f["time"] else f["time"][:-1] + ".0Z"))
                          for f in findings["differs"]}, first)
        self.assertEqual({f["type"] for f in findings["differs"]}, {REGISTERED})
        self.assertEqual(summary["at"], [{"finding": "differs", "type": REGISTERED, "entities": len(first)}])
        findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--samples", "3", PERDURE_TEST_BUG="forgotten")
        self.assertEqual((len(findings["differs"]), summary["differs"]), (3, len(first)))
        text = self.perdure("replay", *self.flags, "--app", BUG_APP, "--against", LOANS_APP, PERDURE_TEST_BUG="forgotten")
        self.assertEqual(text.returncode, FAILED)
        for words in ("%d states differ" % len(first), REGISTERED, ".registered: true -> false"):
            self.assertIn(words, text.stdout)

    def test_a_bug_in_apply_is_found_against_the_store_s_states(self):
        self.loaded()
        findings, summary = self.replay(FAILED, "--against", "snapshots", "--samples", "1000", PERDURE_TEST_BUG="forgotten")
        first = self.expect_forgotten(findings, summary)
        self.assertEqual({f["entity"]: f["seq"] for f in findings["differs"]},
                         {entity: self.facts.entities[entity] for entity in first})
        self.assertEqual(summary["compared"], len(self.facts.entities))

    def test_what_is_ignored_does_not_count(self):
        self.loaded()
        findings, _ = self.replay(DONE, "--against", LOANS_APP, "--ignore", ".registered", PERDURE_TEST_BUG="forgotten")
        self.assertEqual(findings, {})

    def test_parts_of_history_can_be_chosen(self):
        self.loaded()
        registered = {entity for entity, _, _ in self.facts.registered}
        chosen = sorted(registered)[:3] + [e for e in self.facts.entities if e not in registered][:2]
        with open(self.path("list"), "w", encoding="ascii") as file:
            file.write("# these\n" + "\n".join(chosen) + "\n")
        for choice in (",".join(chosen), "@list"):
            findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--entities", choice, PERDURE_TEST_BUG="forgotten")
            self.assertEqual((summary["entities"], summary["differs"]), (5, 3))
        prefix = sorted(registered)[0][:-1]
        _, summary = self.replay(FAILED, "--against", LOANS_APP, "--entities", prefix + "*", PERDURE_TEST_BUG="forgotten")
        self.assertEqual(summary["differs"], sum(e.startswith(prefix) for e in registered))
        parts = [self.replay(FAILED, "--against", LOANS_APP, "--partition", part, PERDURE_TEST_BUG="forgotten")[1]
                 for part in ("0,2", "1-1,3")]
        self.assertEqual(sum(p["differs"] for p in parts), len(registered))
        self.assertEqual(sum(p["events"] for p in parts), ROWS)

    def test_since_chooses_entities_but_folds_all_of_them(self):
        self.loaded()
        last, times = {}, {}
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if number == ROWS:
                    break
                last["loan/" + row["application"]] = row["at"]
                times[number] = row["at"]
        since = times[ROWS * 9 // 10]
        late = {entity for entity, at in last.items() if at >= since}
        registered = {entity: seq for entity, seq, _ in self.facts.registered if entity in late}
        findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--since", since, "--samples", "1000",
                                        PERDURE_TEST_BUG="forgotten")
        self.assertEqual(summary["entities"], len(late))
        self.assertEqual({f["entity"]: f["seq"] for f in findings["differs"]}, registered)
        self.assertLess(len(registered), len(self.facts.registered))

    # --- code that fails ---

    def test_what_fails_is_told_and_the_others_are_folded(self):
        self.loaded()
        findings, summary = self.replay(FAILED, PERDURE_TEST_BUG="fails", PERDURE_TEST_AT=str(self.facts.registered[1][2]))
        entity, seq, _ = self.facts.registered[1]
        self.assertEqual([(f["entity"], f["seq"], f["type"]) for f in findings["fails"]], [(entity, seq, REGISTERED)])
        self.assertEqual(summary["entities"], len(self.facts.entities))

    def test_code_that_is_not_deterministic_is_told(self):
        self.loaded(600)
        findings, summary = self.replay(FAILED, "--check", "1", PERDURE_TEST_BUG="unsteady")
        self.assertIn("deterministic", findings["fails"][0]["why"])
        self.assertEqual(summary["fails"], summary["entities"])
        self.assertEqual(self.replay(DONE, "--check", "0", PERDURE_TEST_BUG="unsteady")[1]["folded_twice"], 0)

    def test_a_crash_is_told_with_its_event_and_the_others_are_folded(self):
        self.loaded()
        entity, seq, at = self.facts.registered[2]
        for bug, why, lost in (("crash", "SIGSEGV", 0), ("abort", "SIGABRT", 0), ("recursion", "SIGSEGV", 0),
                               ("memory", "memory", 1), ("exit", "exit", 1)):
            findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--memory", "16", PERDURE_TEST_BUG=bug,
                                            PERDURE_TEST_AT=str(at))
            self.assertEqual([(f["entity"], f["seq"], f["type"]) for f in findings["crashes"]], [(entity, seq, REGISTERED)], bug)
            self.assertIn(why, findings["crashes"][0]["why"])
            self.assertEqual((summary["differs"], summary["entities"]), (0, len(self.facts.entities)), bug)
            self.assertEqual((summary["lost_processes"], summary["partitions_read"]), (lost, 4), bug)

    def test_code_that_crashes_everywhere_is_folded_to_the_end_all_the_same(self):
        self.loaded()
        _, summary = self.replay(FAILED, PERDURE_TEST_BUG="crash")
        self.assertEqual(summary["crashes"], len({entity for entity, _, _ in self.facts.registered}))
        self.assertEqual(summary["partitions_read"], 4)

    def test_an_apply_without_end_costs_its_entity_only(self):
        self.loaded(ROWS)
        entity, seq, at = self.facts.registered[0]
        findings, summary = self.replay(FAILED, "--patience", "6", PERDURE_TEST_BUG="hang", PERDURE_TEST_AT=str(at))
        self.assertEqual([(f["entity"], f["seq"]) for f in findings["crashes"]], [(entity, seq)])
        self.assertIn("no end within 6 s", findings["crashes"][0]["why"])
        self.assertEqual((summary["entities"], summary["lost_processes"]), (len(self.facts.entities), 1))

    def test_the_old_code_s_failures_are_told_apart(self):
        self.loaded()
        findings, summary = self.replay(FAILED, "--against", BUG_APP, app=LOANS_APP, PERDURE_TEST_BUG="crash",
                                        PERDURE_TEST_AT=str(self.facts.registered[2][2]))
        self.assertEqual([f["entity"] for f in findings["old-fails"]], [self.facts.registered[2][0]])
        self.assertEqual((summary["crashes"], summary["differs"]), (0, 0))

    def test_events_that_no_longer_decode_are_told(self):
        self.loaded(2000, LOAD_V1)
        findings, summary = self.replay(FAILED, app=GAP_APP)
        self.assertEqual({f["type"] for f in findings["unreadable"]}, {"loans.WorkItemScheduled"})
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            rows = [row for _, row in zip(range(2000), csv.DictReader(file))]
        expected = {r["application"] for r in rows if r["activity"].startswith("W_") and r["transition"] == "SCHEDULE"}
        self.assertEqual(summary["unreadable"], len(expected))
        self.assertEqual(self.replay(DONE, app=LOANS_APP)[0], {})

    # --- stopping, going on ---

    def test_a_replay_that_was_stopped_goes_on_where_it_was(self):
        self.loaded()
        at = str(self.facts.registered[-1][2])
        words = ["replay", *self.flags, "--app", BUG_APP, "--against", LOANS_APP, "--samples", "1000", "--json",
                 "--resume", "aside"]
        whole, before = self.replay(FAILED, "--against", LOANS_APP, "--samples", "1000", PERDURE_TEST_BUG="forgotten")
        process = self.start(*words, "--processes", "1", PERDURE_TEST_BUG="pause", PERDURE_TEST_AT=at)
        self.until_held(process)
        process.send_signal(signal.SIGINT)
        self.let_go()
        out, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, STOPPED, (out, err))
        self.assertIn("--resume aside", err)
        self.assertFalse(json.loads(out.splitlines()[-1])["finished"])
        findings, summary = self.replay(FAILED, "--against", LOANS_APP, "--samples", "1000", "--resume", "aside",
                                        PERDURE_TEST_BUG="pause", PERDURE_TEST_AT=at)
        self.assertEqual(findings, whole)
        self.assertTrue(summary["resumed"] and summary["finished"])
        for name in ("seconds", "resumed"):
            self.assertNotEqual(summary.pop(name), before.pop(name))
        self.assertEqual(summary, before)
        self.assertFalse(os.path.exists(self.path("aside")))

    def stopped_at_once(self, *words):
        """Work that was put aside, in the file `aside`."""
        process = self.start("replay", *self.flags, "--app", BUG_APP, "--json", "--resume", "aside", *words,
                             PERDURE_TEST_BUG="pause")
        self.until_held(process)
        process.send_signal(signal.SIGTERM)
        self.let_go()
        process.communicate(timeout=240)
        self.assertEqual(process.returncode, STOPPED)

    def test_what_was_put_aside_fits_only_the_same_question(self):
        self.loaded()
        self.stopped_at_once()
        go_on = ["replay", *self.flags, "--resume", "aside"]
        self.refuses(REFUSED, [*go_on, "--app", LOANS_APP], "aside", "--app")
        self.refuses(REFUSED, [*go_on, "--app", BUG_APP, "--since", "2011-10-02"], "--since")
        self.refuses(REFUSED, [*go_on, "--app", BUG_APP, "--against", LOANS_APP], "--against")
        size = os.path.getsize(self.path("aside"))
        with open(self.path("aside"), "r+b") as file:
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 1]))
        self.refuses(DAMAGED, [*go_on, "--app", BUG_APP], "damaged")
        with open(self.path("aside"), "w", encoding="ascii") as file:
            file.write("something else that somebody needs")
        self.refuses(REFUSED, [*go_on, "--app", BUG_APP], "another file")
        with open(self.path("aside"), encoding="ascii") as file:
            self.assertEqual(file.read(), "something else that somebody needs")

    def test_work_that_could_not_be_put_aside_is_not_begun(self):
        self.loaded(300)
        self.refuses(LATER, ["replay", *self.flags, "--app", BUG_APP, "--resume", "no/such/folder"], "no/such/folder")

    # --- bisect ---

    def test_bisect_names_the_event_at_which_two_versions_disagree(self):
        self.loaded()
        for entity, seq, _ in self.facts.registered[:5]:
            done = self.perdure("bisect", entity, *self.flags, "--app", LOANS_APP, "--app", BUG_APP, "--json",
                                PERDURE_TEST_BUG="forgotten")
            self.assertEqual(done.returncode, DONE, done.stderr)
            found = json.loads(done.stdout)
            self.assertEqual((found["entity"], found["seq"], found["type"]), (entity, seq, REGISTERED))
            self.assertEqual(found["changes"], [{"path": ".registered", "from": True, "to": False}])
        done = self.perdure("bisect", *self.flags, "--app", LOANS_APP, "--app", BUG_APP, "--json", PERDURE_TEST_BUG="forgotten")
        self.assertEqual(done.returncode, DONE, done.stderr)
        found = json.loads(done.stdout)
        self.assertIn((found["entity"], found["seq"]), [(e, s) for e, s, _ in self.facts.registered])
        self.refuses(FAILED, ["bisect", *self.flags, "--app", LOANS_APP, "--app", BUG_APP], "agree")
        agreed = next(e for e in self.facts.entities if e not in {r[0] for r in self.facts.registered})
        self.refuses(FAILED, ["bisect", agreed, *self.flags, "--app", LOANS_APP, "--app", BUG_APP], "agree",
                     PERDURE_TEST_BUG="forgotten")

    def test_bisect_tells_of_a_version_that_crashes(self):
        self.loaded()
        entity, seq, at = self.facts.registered[2]
        done = self.perdure("bisect", entity, *self.flags, "--app", LOANS_APP, "--app", BUG_APP, "--json",
                            PERDURE_TEST_BUG="crash", PERDURE_TEST_AT=str(at))
        self.assertEqual(done.returncode, DONE, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["finding"], found["entity"], found["seq"]), ("crashes", entity, seq))
