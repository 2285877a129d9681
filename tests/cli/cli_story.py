"""Claims about one entity's story on SQLite: history, state, diff, step, bisect."""
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from loans_model import changes
from programs import COMMAND, LOANS_APP, Programs
from story_claims import StoryClaims, environment_of, load_excerpt, when


class OnSqlite(StoryClaims):
    shared, excerpt = None, None

    @classmethod
    def tearDownClass(cls):
        if OnSqlite.shared:
            OnSqlite.shared.cleanup()

    def setUp(self):
        super().setUp()
        if OnSqlite.shared is None:
            OnSqlite.shared = tempfile.TemporaryDirectory(prefix="perdure-story-")
        journal = os.path.join(OnSqlite.shared.name, "loans.db")
        store = os.path.join(OnSqlite.shared.name, "store.db")
        self.environment = environment_of("sqlite:" + journal, "sqlite:" + store)
        if OnSqlite.excerpt is None:
            OnSqlite.excerpt = load_excerpt(self, OnSqlite.shared.name, self.environment)
        self.some = self.excerpt.twenty()[0]

    def test_histories_are_those_of_the_csv(self):
        self.claim_histories()

    def test_states_are_those_of_the_csv(self):
        self.claim_states()

    def test_differences_are_those_of_the_csv(self):
        self.claim_diffs()

    def test_bisect_finds_the_first_event_that_declined(self):
        self.claim_bisections()

    def test_what_is_not_there_is_named_and_what_is_like_it(self):
        self.claim_unknown()

    def test_a_history_is_cut_by_seq_time_and_filter(self):
        events, entity = self.some.events, self.some.entity
        seqs = lambda *words: [e["seq"] for e in self.lines("history", entity, *words)]
        self.assertEqual(seqs("--from-seq", "3", "--to-seq", "7"), [3, 4, 5, 6, 7])
        since, until = events[4].us, events[20].us
        self.assertEqual(seqs("--since", when(since), "--until", when(until)),
                         [e.seq for e in events if since <= e.us < until])
        self.assertEqual(seqs("--where", '.type == "loans.OfferSent" and .event.offer == 1'),
                         [e.seq for e in events if e.type == "loans.OfferSent" and e.event["offer"] == 1])
        self.assertEqual(seqs("--where", ".event.amount > 1"), [1])
        self.assertEqual(seqs("--since", "2011-01-01", "--by-append-time"), [e.seq for e in events])
        self.assertEqual(seqs("--until", "2012-12-31", "--by-append-time"), [])

    def test_the_store_s_state_and_folding_from_the_first_event_agree(self):
        for application in self.excerpt.twenty():
            kept, folded = self.state(application.entity), self.state(application.entity, "--no-snapshot")
            self.assertNotIn("time", kept)
            self.assertEqual(folded.pop("time"), when(application.events[-1].us))
            folded.pop("appended")
            self.assertEqual(kept, folded)

    def test_without_a_store_or_its_states_the_log_is_read(self):
        alone = dict(self.environment, PERDURE_STORE="sqlite:" + self.path("none.db"))
        sqlite3.connect(self.path("none.db")).close()
        self.environment = alone
        self.assertEqual(self.state(self.some.entity)["state"], self.some.states[-1])
        self.assertEqual(len(self.lines("history", self.some.entity)), len(self.some.events))
        self.fails(1, "history", "loan/0", texts=["there is no entity loan/0"])

    def test_without_an_application_a_history_is_as_it_was_written_and_states_say_what_they_need(self):
        bare = {k: v for k, v in self.environment.items() if k != "PERDURE_APP"}
        with_app = self.lines("history", self.some.entity)
        self.environment = bare
        self.assertEqual(self.lines("history", self.some.entity), with_app)
        self.fails(2, "state", self.some.entity, texts=["--app"])

    def test_an_application_that_does_not_know_the_events_shows_them_as_they_were_written(self):
        known = self.lines("history", self.some.entity)
        self.environment = dict(self.environment, PERDURE_APP=os.environ["PDR_OTHER_APP"])
        shown = self.lines("history", self.some.entity)
        for event in shown:
            self.assertIn("fingerprint", event.pop("problem"))
        self.assertEqual(shown, known)
        self.fails(1, "state", self.some.entity, texts=["seq 1 ", "fingerprint"])

    def test_moments_that_make_no_sense_are_refused(self):
        entity = self.some.entity
        for words, code, text in ((("state", entity, "--at", "2999-01-01"), 2, "in the future"),
                                  (("state", entity, "--at", "2011-13-01"), 2, "--at"),
                                  (("state", entity, "--at", "2001-01-01"), 1, "had no event yet"),
                                  (("state", entity, "--at", "now", "--seq", "1"), 2, "not both"),
                                  (("diff", entity, "--from", "9", "--to", "3"), 2, "behind"),
                                  (("diff", entity, "--to", "99999"), 1, "its newest is"),
                                  (("history", entity, "--from-seq", "5", "--to-seq", "4"), 2, "--from-seq"),
                                  (("history", entity, "--since", "now", "--until", "3d"), 2, "--since"),
                                  (("history", entity, "--where", ".[["), 2, "jq"),
                                  (("bisect", entity, "--where", ".status |"), 2, "jq"),
                                  (("bisect", entity), 2, "--where"),
                                  (("bisect", entity, "--where", ".status / 2"), 2, "after event 1"),
                                  (("history",), 2, "ENTITY")):
            self.fails(code, *words, texts=[text])

    def test_a_filter_that_fails_on_an_event_is_told_after_the_others(self):
        done = self.perdure("history", self.some.entity, "--where", ".event.amount / 2 > 0", **self.environment)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn("fails at seq 2", done.stderr)

    def test_an_empty_journal_has_nobody(self):
        self.environment = dict(self.environment, PERDURE_JOURNAL="sqlite:empty.db", PERDURE_STORE="sqlite:empty.db")
        self.fails(1, "history", "loan/1", texts=["not initialised"])
        self.works(COMMAND, "init", **self.environment)
        for command in (["history"], ["state"], ["diff"], ["bisect", "--where", "true"]):
            self.fails(1, command[0], "loan/1", *command[1:], texts=["there is no entity loan/1"])

    # --- step ---

    def test_step_walks_by_lines(self):
        states = self.some.states
        commands = ["next", "n", "", "back", "goto 10", "b", "first", "last", "next", "g " + when(self.some.events[11].us), "nonsense",
                    "goto", "goto 2x"]
        done = subprocess.run([COMMAND, "step", self.some.entity, "--json"], input="\n".join(commands) + "\nquit\nnext\n",
                              capture_output=True, text=True, check=False, env=dict(os.environ, **self.environment), timeout=240)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        walked = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        at = max(e.seq for e in self.some.events if e.us <= self.some.events[11].us)
        seqs = [0, 1, 2, 3, 2, 10, 9, 0, len(self.some.events), at]
        self.assertEqual([s["seq"] for s in walked], seqs)
        for shown in walked:
            self.assertEqual(shown["state"], states[shown["seq"]])
            if shown["seq"]:
                self.assertEqual([(c["path"], c.get("from"), c.get("to")) for c in shown["changes"]],
                                 changes(states[shown["seq"] - 1], states[shown["seq"]]))
        told = [line for line in done.stdout.splitlines() if not line.startswith("{")]
        self.assertEqual(len(told), 4)
        for text, line in zip(("newest", "no such command", "goto what", "2x"), told):
            self.assertIn(text, line)

    def terminal(self, *words):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update({"TERM": "xterm", "COLUMNS": "200", **self.environment})
            os.environ.pop("NO_COLOR", None)
            os.execv(COMMAND, [COMMAND, *words])
        self.addCleanup(os.close, terminal)
        return pid, terminal

    def reads(self, terminal, text):
        """What came until the text did."""
        seen, end = b"", time.monotonic() + 240
        while text.encode() not in seen:
            self.assertLess(time.monotonic(), end, (text, seen))
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)
        return seen.decode()

    def test_step_walks_by_arrow_keys_in_a_terminal(self):
        pid, terminal = self.terminal("step", self.some.entity)
        prompt = "%s %%d/%d> " % (self.some.entity, len(self.some.events))
        self.reads(terminal, prompt % 0)
        os.write(terminal, b"\x1b[C")
        self.assertIn("ApplicationSubmitted", self.reads(terminal, prompt % 1))
        os.write(terminal, b"\x1bOB")
        self.assertIn("\x1b[1;33m.status", self.reads(terminal, prompt % 2))
        os.write(terminal, b"\x1b[D")
        self.reads(terminal, prompt % 1)
        os.write(terminal, b"goto 5\n")
        self.reads(terminal, prompt % 5)
        os.write(terminal, b"state\n")
        self.assertIn("amount_cents", self.reads(terminal, prompt % 5))
        os.write(terminal, b"quit\n")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_a_plain_terminal_will_do(self):
        self.environment = dict(self.environment, TERM="dumb")
        pid, terminal = self.terminal("step", self.some.entity)
        prompt = "%s %%d/%d> " % (self.some.entity, len(self.some.events))
        self.reads(terminal, prompt % 0)
        os.write(terminal, b"next\n")
        self.assertNotIn("\x1b[1", self.reads(terminal, prompt % 1))
        os.write(terminal, b"\x04")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_step_ends_at_an_interrupt(self):
        pid, terminal = self.terminal("step", self.some.entity)
        self.reads(terminal, "> ")
        os.kill(pid, signal.SIGINT)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 6)

    # --- output ---

    def test_a_terminal_has_colour_and_a_pipe_has_none(self):
        pid, terminal = self.terminal("history", self.some.entity, "--to-seq", "1")
        self.assertIn("\x1b[1m", self.reads(terminal, "EUR"))
        os.waitpid(pid, 0)
        shown = self.works(COMMAND, "history", self.some.entity, "--to-seq", "2", **self.environment)
        self.assertNotIn("\x1b", shown)
        self.assertRegex(shown, r"^ +1  \S+Z  ApplicationSubmitted \{.*\}  command=\d+\n +2  ")

    def test_a_reader_that_goes_away_is_no_failure(self):
        for command in ("history", "diff"):
            done = subprocess.run("set -o pipefail; %s %s %s --json | head -n 1" % (COMMAND, command, self.some.entity), shell=True,
                                  executable="/bin/bash", capture_output=True, text=True, check=False, timeout=60,
                                  env=dict(os.environ, **self.environment))
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class Written(Programs):
    """Journals that a claim writes for itself."""

    def setUp(self):
        super().setUp()
        self.environment = {"PERDURE_JOURNAL": "sqlite:j.db", "PERDURE_STORE": "sqlite:s.db", "PERDURE_APP": LOANS_APP}

    def lines(self, *words, **more):
        out = self.works(COMMAND, *words, "--json", **{**self.environment, **more})
        return [json.loads(line) for line in out.splitlines()]

    def by_version(self, name, rows):
        self.works(os.environ["PDR_LOANS_LOAD" + name], "--journal", "sqlite:j.db", "--store", "sqlite:s.db", "--stop-after",
                   str(rows))

    def test_raw_shows_bytes_the_writer_and_which_upcasters_ran(self):
        self.by_version("_V1", 3000)
        found = self.lines("history", "loan/173688", "--raw")
        by_type = {e["type"]: e["raw"] for e in reversed(found)}
        ways = lambda name: [(s["from"], s["to"], s["how"]) for s in by_type[name]["upcasters"]]
        self.assertEqual([w[0] for w in ways("loans.ApplicationSubmitted")],
                         ["loans.ApplicationSubmitted@1", "loans.ApplicationSubmitted@2"])
        self.assertEqual(ways("loans.OfferSent")[-1][1], ["loans.OfferSent@1"])
        written = by_type["loans.OfferSent"]["written"]
        self.assertEqual((written["type"], written["version"]), ("loans.OfferMailed", 1))
        self.assertEqual(by_type["loans.ApplicationAccepted"]["upcasters"], [])
        with sqlite3.connect(self.path("j.db")) as db:
            stored = {bytes(row[0]).hex() for row in db.execute("SELECT value FROM record WHERE value IS NOT NULL")}
        db.close()
        for event in found:
            self.assertIn(event["raw"]["value"], stored)
            self.assertIn(event["raw"]["written"]["fingerprint"],
                          [event["raw"]["value"][4:20], bytes.fromhex(event["raw"]["value"][4:20])[::-1].hex()])
        human = self.works(COMMAND, "history", "loan/173688", "--raw", "--to-seq", "1", **self.environment)
        self.assertIn("written as loans.ApplicationSubmitted@1", human)

    def test_without_an_application_events_are_shown_in_the_schema_they_were_written_with(self):
        self.by_version("_V1", 3000)
        first = self.lines("history", "loan/173688", PERDURE_APP="")[0]
        self.assertEqual(first["event"], {"resource": "User_112", "amount_requested": 20000})

    def test_an_event_that_cannot_be_read_is_shown_with_the_reason_and_stops_the_state(self):
        self.by_version("_V1", 3000)
        gap = {"PERDURE_APP": os.environ["PDR_MAILED_GAP_APP"]}
        found = self.lines("history", "loan/173688", **gap)
        bad = [e for e in found if "problem" in e]
        self.assertEqual([e["type"] for e in bad], ["loans.OfferMailed"])
        self.assertIn("OfferMailed", bad[0]["problem"])
        self.assertEqual(bad[0]["event"]["offer"], 1)
        self.assertEqual([e["seq"] for e in found], list(range(1, len(found) + 1)))
        seq = bad[0]["seq"]
        text = self.refuses(1, ("state", "loan/173688", "--no-snapshot"), "seq %d " % seq, "--seq %d" % (seq - 1),
                            **{**self.environment, **gap})
        self.assertIn("partition", text)
        before, = self.lines("state", "loan/173688", "--seq", str(seq - 1), "--no-snapshot", **gap)
        self.assertEqual(before["seq"], seq - 1)
        walk = "last\ngoto %d\nback\n" % seq
        done = subprocess.run([COMMAND, "step", "loan/173688"], input=walk, capture_output=True, text=True, check=False,
                              cwd=self.folder.name, env=dict(os.environ, **{**self.environment, **gap}), timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("there is no state after event %d" % seq, done.stdout)

    def test_apply_that_fails_is_named_with_its_event(self):
        self.by_version("", 3000)
        sent = next(e for e in self.lines("history", "loan/173688") if e["type"] == "loans.OfferSent")
        refusing = {**self.environment, "PERDURE_APP": os.environ["PDR_REFUSING_APP"]}
        for words in (("state", "loan/173688", "--no-snapshot"), ("diff", "loan/173688"),
                      ("bisect", "loan/173688", "--where", ".activated")):
            self.refuses(1, words, "seq %d " % sent["seq"], "apply of loan", **refusing)
        self.assertEqual(self.lines("history", "loan/173688", **refusing), self.lines("history", "loan/173688"))

    def test_records_that_do_not_count_are_shown_if_asked_for(self):
        self.works(COMMAND, "init", "--partitions", "1", **self.environment)
        owners = [subprocess.Popen([os.environ["PDR_LOANS_LOAD"], "--journal", "sqlite:j.db", "--store", "sqlite:s.db", "--stop-after",
                                    "4000"], cwd=self.folder.name, stdout=subprocess.DEVNULL) for _ in range(2)]
        for owner in owners:
            self.assertEqual(owner.wait(timeout=240), 0)
        with sqlite3.connect(self.path("j.db")) as db:
            keys = [row[0] for row in db.execute("SELECT key FROM record_0 WHERE key IS NOT NULL ORDER BY offset")]
        db.close()
        entity = keys[0]
        counted = self.lines("history", entity)
        shown = self.lines("history", entity, "--void")
        self.assertEqual([e for e in shown if not e.get("void")], counted)
        self.assertEqual(len(shown), sum(1 for k in keys if k == keys[0]))
        self.assertEqual(len({e["offset"] for e in shown}), len(shown))

    def test_a_record_of_somebody_else_with_the_entity_s_id_is_void(self):
        self.by_version("", 500)
        partition = self.lines("history", "loan/173688")[0]["partition"]
        with sqlite3.connect(self.path("j.db")) as db:
            db.execute("INSERT INTO record_%d (offset, time_ms, key, value) SELECT max(offset) + 1, 0, 'loan/173688', x'78' "
                       "FROM record_%d" % (partition, partition))
        db.close()
        plain, shown = self.lines("history", "loan/173688"), self.lines("history", "loan/173688", "--void")
        self.assertEqual(shown[:-1], plain)
        self.assertTrue(shown[-1]["void"])
        self.assertIn("header", shown[-1]["problem"])

    def test_a_record_that_is_gone_or_spoilt_is_damage_with_its_place(self):
        self.by_version("", 3000)
        lost = self.lines("history", "loan/173688")[4]
        for change, place in (("UPDATE record_%d SET header = x'00' WHERE offset = %d", r"event 14 must be at offset \d+; up to there the entity has 4"),
                              ("DELETE FROM record_%d WHERE offset = %d", r"partition \d+ lacks")):
            with sqlite3.connect(self.path("j.db")) as db:
                db.execute(change % (lost["partition"], lost["offset"]))
            db.close()
            self.assertRegex(self.refuses_somewhere(5, "history", "loan/173688"), place)
            self.refuses_somewhere(5, "state", "loan/173688", "--no-snapshot")

    def test_a_store_of_another_journal_is_told(self):
        self.by_version("", 3000)
        self.works(COMMAND, "init", PERDURE_JOURNAL="sqlite:other.db", PERDURE_STORE="sqlite:other.db")
        right = self.lines("history", "loan/173688")
        self.assertEqual(self.lines("history", "loan/173688", "--store", "sqlite:other.db"), right)
        self.refuses(4, ("history", "loan/1", "--store", "sqlite:other.db"), "two different journals", **self.environment)
        self.works(COMMAND, "init", "--partitions", "3", PERDURE_JOURNAL="sqlite:three.db", PERDURE_STORE="sqlite:three.db")
        self.refuses(4, ("history", "loan/1", "--store", "sqlite:three.db"), "3", **self.environment)

    def refuses_somewhere(self, code, *words):
        done = self.perdure(*words, **self.environment)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_what_is_appended_later_is_followed_until_an_interrupt(self):
        self.by_version("", 20)
        follower = subprocess.Popen([COMMAND, "history", "loan/173688", "--follow", "--json"], cwd=self.folder.name,
                                    env=dict(os.environ, **self.environment), stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.kill)
        seqs = [json.loads(follower.stdout.readline())["seq"] for _ in range(4)]
        self.assertEqual(seqs, [1, 2, 3, 4])
        self.by_version("", 3000)
        seqs = [json.loads(follower.stdout.readline())["seq"] for _ in range(10)]
        self.assertEqual(seqs, list(range(5, 15)))
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(timeout=240), 6)

    def test_events_past_the_checkpoint_are_read_from_the_log(self):
        loader = subprocess.Popen([os.environ["PDR_LOANS_LOAD"], "--journal", "sqlite:j.db", "--store", "sqlite:s.db", "--stop-after",
                                   "3000", "--rate", "100000"], cwd=self.folder.name, stdout=subprocess.PIPE, text=True)
        for line in loader.stdout:
            if "answered 0" not in line:
                break
        loader.kill()
        loader.stdout.close()
        loader.wait()
        with sqlite3.connect(self.path("j.db")) as db:  # of the answered ones somebody's, whichever partition was first
            (entity,) = db.execute("SELECT key FROM record WHERE key IS NOT NULL LIMIT 1").fetchone()
        db.close()
        found = self.lines("history", entity)
        self.assertEqual([e["seq"] for e in found], list(range(1, len(found) + 1)))
        state, = self.lines("state", entity)
        folded, = self.lines("state", entity, "--no-snapshot")
        self.assertEqual((state["seq"], state["state"]), (len(found), folded["state"]))


if __name__ == "__main__":
    unittest.main()
