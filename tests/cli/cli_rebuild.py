"""Claims about versions of projections and dead letters as they are handled by people: rebuild, swap, roll back, dlq.
On SQLite; and on PostgreSQL where it is."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

from programs import COMMAND, LOANS_APP, Programs

POISON_APP = os.environ["PDR_POISON_APP"]
DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)
ROWS = 6000

DEFINITION = """projection loans version %(version)d;
table loans (
    application text,
    status      text not null default 'SUBMITTED',
    offers      integer not null default 0,
    events      integer not null default 0,
    primary key (application)
) key entity (entity.key);
table days (day date, submitted bigint not null default 0, primary key (day)) key shared (date(time));
on loans.ApplicationSubmitted
    upsert loans set events = events + 1
    upsert days set submitted = submitted + 1;
on loans.ApplicationAccepted upsert loans set status = 'ACCEPTED', events = events + 1;
on loans.ApplicationDeclined upsert loans set status = '%(declined)s', events = events + 1;
on loans.OfferSelected upsert loans set offers = offers + %(step)d;
"""


class Versions(Programs):
    def setUp(self):
        super().setUp()
        self.processes = []
        self.addCleanup(self.stop_all)
        self.environment = {"PERDURE_APP": LOANS_APP, "PERDURE_JOURNAL": "sqlite:log.db", "PERDURE_VIEWS": self.views_url()}

    def views_url(self):
        return "sqlite:views.db"

    def query(self, sql):
        with sqlite3.connect(self.path("views.db"), timeout=240) as db:
            rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def change(self, sql):
        with sqlite3.connect(self.path("views.db"), timeout=240) as db:
            db.execute(sql)
        db.close()

    # --- running things ---

    def stop_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def start(self, *words, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_")}
        env.update(self.environment)
        env.update(environment)
        process = subprocess.Popen([COMMAND, *words], cwd=self.folder.name, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 0, (out, err))
        return out

    def does(self, *words, **environment):
        return self.works(COMMAND, *words, **{**self.environment, **environment})

    def denies(self, code, words, *texts, **environment):
        return self.refuses(code, words, *texts, **{**self.environment, **environment})

    # --- the world ---

    def define(self, version, step=1, declined="DECLINED"):
        name = "loans_v%d.sql" % version
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(DEFINITION % {"version": version, "step": step, "declined": declined})
        return name

    def load_log(self, rows=ROWS):
        self.works(COMMAND, "init", "--journal", "sqlite:log.db", "--partitions", "3")
        self.load("sqlite:log.db", rows)

    def live(self, rows=ROWS):
        """A log, and version 1 caught up with it."""
        self.load_log(rows)
        self.does("project", "run", "--until-caught-up", self.define(1))

    def offers(self):
        return self.query("SELECT sum(offers) FROM loans")[0][0]

    def versions(self):
        """From the database itself: version -> (state, paused)."""
        rows = self.query("SELECT version, state, paused FROM %sprojection_version WHERE projection = 'loans'" % self.own())
        return {version: (int(state), bool(paused)) for version, state, paused in rows}

    def own(self):
        return ""

    def events_of(self, version):
        return self.query("SELECT sum(events) FROM %sprojection_position WHERE projection = 'loans' AND version = %d"
                          % (self.own(), version))[0][0] or 0


class Rebuild(Versions):
    def test_a_rebuilt_version_is_swapped_in_and_rolled_back(self):
        self.live()
        old = self.offers()
        self.assertGreater(old, 50)
        done = json.loads(self.does("project", "rebuild", self.define(2, step=10), "--json"))
        self.assertEqual((done["version"], done["caught_up"], done["resumed"], done["parked"]), (2, True, False, 0))
        self.assertEqual(done["events"], done["events_in_all"])
        self.assertEqual(self.offers(), old, "readers see the live one")
        self.does("project", "swap", "loans", "--version", "2")
        self.assertEqual(self.offers(), 10 * old)
        self.assertEqual(self.versions(), {1: (2, False), 2: (1, False)})
        done = json.loads(self.does("project", "rollback", "loans", "--json"))
        self.assertEqual((done["live"], done["former"]), (1, 2))
        self.assertEqual(self.offers(), old)

    def test_a_rebuild_that_was_killed_goes_on_where_it_was(self):
        self.live()
        name = self.define(2)
        for _ in range(3):
            before = self.events_of(2)
            process = self.start("project", "rebuild", name, "--throttle", "800", "--threads", "2")
            self.until("it moves", lambda: self.events_of(2) > before or process.poll() is not None)
            process.kill()
            process.communicate()
            self.assertGreaterEqual(self.events_of(2), before)
        reached = self.events_of(2)
        self.assertGreater(reached, 0)
        done = json.loads(self.does("project", "rebuild", name, "--json", "--throttle", "0"))
        self.assertEqual((done["resumed"], done["caught_up"]), (True, True))
        self.assertEqual(done["events"], done["events_in_all"] - reached)
        self.assertEqual(self.query("SELECT * FROM loans__v2 ORDER BY 1"), self.query("SELECT * FROM loans__v1 ORDER BY 1"))
        self.assertEqual(self.query("SELECT * FROM days__v2 ORDER BY 1"), self.query("SELECT * FROM days__v1 ORDER BY 1"))

    def test_a_throttle_is_of_all_threads_together(self):
        self.live()
        process = self.start("project", "rebuild", self.define(2), "--throttle", "300", "--threads", "3")
        self.until("it moves", lambda: self.events_of(2) > 0)
        began, at = time.monotonic(), self.events_of(2)
        time.sleep(5)
        moved, seconds = self.events_of(2) - at, time.monotonic() - began
        self.stop(process)
        self.assertLess(moved, 300 * (seconds + 5), "a burst of a second is allowed, and one batch's delay; each by itself: 900")

    def test_one_that_is_stopped_says_how_to_go_on(self):
        self.live()
        process = self.start("project", "rebuild", self.define(2), "--throttle", "100")
        self.until("it moves", lambda: self.events_of(2) > 0)
        self.assertIn("run the same command again", self.stop(process))

    def test_what_cannot_be_rebuilt_is_refused(self):
        self.denies(USAGE, ["project", "rebuild"], "give NAME or FILE")
        self.denies(FAILED, ["project", "rebuild", "./nosuch.sql"], "nosuch.sql")
        self.denies(FAILED, ["project", "rebuild", "loans"], "no projection loans in C")
        self.load_log(200)
        first = self.define(1)
        self.denies(FAILED, ["project", "rebuild", first], "perdure project run")
        self.does("project", "run", "--until-caught-up", first)
        self.denies(REFUSED, ["project", "rebuild", first], "version 1", "live", "higher version")
        self.denies(REFUSED, ["project", "rebuild", self.define(1, step=5)], "another definition", "higher version")
        self.does("project", "rebuild", self.define(2))
        self.denies(REFUSED, ["project", "rebuild", self.define(2, step=5)], "another definition", "higher version")
        with open(self.path("bad.sql"), "w", encoding="utf-8") as file:
            file.write("projection loans version 3;\ntable loans (x text);\n")
        self.denies(USAGE, ["project", "rebuild", "--threads", "0", first], "--threads takes a number")
        self.denies(FAILED, ["project", "rebuild", "bad.sql"], "bad.sql:2")
        self.assertEqual(set(self.versions()), {1, 2})


class Diff(Versions):
    def diff(self, code, *words):
        done = self.perdure("project", "diff", *words, "--json", **self.environment)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout[-500:])
        found = json.loads(done.stdout)
        return found, {table["table"]: table for table in found["tables"]}

    def test_the_same_definition_gives_no_difference(self):
        self.live()
        self.does("project", "rebuild", self.define(2))
        found, tables = self.diff(DONE, "loans_v2.sql")
        self.assertEqual((found["from"], found["to"], found["differ"]), (1, 2, False))
        self.assertEqual(tables["loans"]["from_rows"], self.query("SELECT count(*) FROM loans")[0][0])
        self.assertEqual(tables["loans"]["to_rows"], tables["loans"]["from_rows"])
        self.assertIn("are equal", self.does("project", "diff", "loans"), "nothing moves: no definition is needed")

    def test_exactly_the_intended_differences_are_found(self):
        self.live()
        self.does("project", "rebuild", self.define(2, step=2, declined="REFUSED"))
        found, tables = self.diff(FAILED, "loans_v2.sql", "--samples", "4")
        offered = self.query("SELECT count(*) FROM loans WHERE offers > 0")[0][0]
        declined = self.query("SELECT count(*) FROM loans WHERE status = 'DECLINED'")[0][0]
        either = self.query("SELECT count(*) FROM loans WHERE offers > 0 OR status = 'DECLINED'")[0][0]
        loans, days = tables["loans"], tables["days"]
        self.assertGreater(min(offered, declined), 20)
        self.assertEqual(loans["columns"], {"status": declined, "offers": offered, "events": 0})
        self.assertEqual((loans["different"], loans["only_from"], loans["only_to"]), (either, 0, 0))
        self.assertEqual((days["different"], days["only_from"], days["only_to"]), (0, 0, 0))
        samples = [s for s in loans["samples"] if s["column"] == "offers"]
        self.assertEqual(len(samples), 4)
        for sample in samples:
            self.assertEqual(sample["to"], 2 * sample["from"])
        self.assertEqual({s["from"] for s in loans["samples"] if s["column"] == "status"}, {"DECLINED"})

    def test_rows_and_columns_that_only_one_has_are_told(self):
        self.live(2000)
        with open(self.path("loans_v2.sql"), "w", encoding="utf-8") as file:
            file.write("""projection loans version 2;
                table loans (application text, status text not null default 'SUBMITTED', more integer, primary key (application))
                  key entity (entity.key);
                table others (application text, x integer, primary key (application)) key entity (entity.key);
                on loans.ApplicationDeclined upsert loans set status = 'DECLINED';
                on loans.OfferSelected upsert others set x = 1;""")
        self.does("project", "rebuild", "loans_v2.sql")
        _, tables = self.diff(FAILED, "loans_v2.sql")
        declined = self.query("SELECT count(*) FROM loans WHERE status = 'DECLINED'")[0][0]
        every = self.query("SELECT count(*) FROM loans")[0][0]
        self.assertEqual((tables["loans"]["from_rows"], tables["loans"]["to_rows"]), (every, declined))
        self.assertEqual((tables["loans"]["only_from"], tables["loans"]["only_to"]), (every - declined, 0))
        self.assertEqual(sorted(tables["loans"]["single_columns"]), ["events", "more", "offers"])
        self.assertEqual((tables["days"]["in_from"], tables["days"]["in_to"]), (True, False))
        self.assertEqual((tables["others"]["in_from"], tables["others"]["in_to"]), (False, True))

    def test_the_new_version_is_brought_to_where_the_live_one_stands(self):
        self.live(2000)
        self.does("project", "rebuild", self.define(2))
        self.load("sqlite:log.db", 4000)
        self.does("project", "run", "--until-caught-up", "loans_v1.sql")
        self.denies(LATER, ["project", "diff", "loans", "--timeout", "300"], "same positions", "definition isn't given")
        before = self.events_of(2)
        self.diff(DONE, "loans_v2.sql")
        self.assertGreater(self.events_of(2), before)
        self.assertEqual(self.events_of(2), self.events_of(1))
        self.assertEqual(self.versions(), {1: (1, False), 2: (0, False)}, "nothing is held any more")

    def test_one_row_that_was_changed_by_hand_is_found(self):
        self.live()
        self.does("project", "rebuild", self.define(2))
        key = self.query("SELECT max(application) FROM loans")[0][0]
        self.change("UPDATE loans__v2 SET offers = 77 WHERE application = '%s'" % key)
        _, tables = self.diff(FAILED, "loans_v2.sql")
        self.assertEqual(tables["loans"]["columns"], {"status": 0, "offers": 1, "events": 0})
        self.assertEqual(tables["loans"]["samples"][0]["key"], {"application": key})
        self.change("DELETE FROM loans__v2 WHERE application = '%s'" % key)
        text = self.perdure("project", "diff", "loans_v2.sql", **self.environment).stdout
        for word in ("1 rows only in version 1", "application %s" % key, "versions 1 and 2 of loans differ"):
            self.assertIn(word, text)

    def test_what_cannot_be_compared_is_refused(self):
        self.live(200)
        self.denies(USAGE, ["project", "diff"], "missing: NAME")
        self.denies(FAILED, ["project", "diff", "loans"], "only version 1")
        self.denies(FAILED, ["project", "diff", "other"], "no projection other")
        self.denies(USAGE, ["project", "diff", "loans", "--to", "1"], "with itself")
        self.does("project", "rebuild", self.define(2))
        self.denies(FAILED, ["project", "diff", "loans", "--from", "3"], "no version 3", "1, 2")
        self.denies(USAGE, ["project", "diff", "loans", "others"], "two projections")
        self.denies(REFUSED, ["project", "diff", self.define(2, step=5)], "another definition")
        self.denies(FAILED, ["project", "diff", "./nosuch.sql"], "nosuch.sql")


class Reader(threading.Thread):
    """Looks at readers' view all along: what it sees, and whatever fails."""

    def __init__(self, look):
        super().__init__()
        self.look, self.ending, self.failures, self.seen, self.looks = look, threading.Event(), [], [], 0

    def run(self):
        while not self.ending.is_set():
            try:
                value = self.look()
                self.looks += 1
                if not self.seen or self.seen[-1] != value:
                    self.seen.append(value)
            except Exception as failure:  # whatever a reader's query fails with is the claim's business
                self.failures.append(repr(failure))

    def end(self):
        self.ending.set()
        self.join()


class UnderLoad(Versions):
    def test_while_events_come_in_versions_are_compared_swapped_and_rolled_back_and_no_reader_fails(self):
        self.live(2000)
        self.start("project", "run", "loans_v1.sql")
        loader = subprocess.Popen([os.environ["PDR_LOANS_LOAD"], "--journal", "sqlite:log.db", "--rate", "500",
                                   "--stop-after", "200000"], cwd=self.folder.name, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        self.processes.append(loader)
        # version 1 counts offers one by one, version 2 by thousands: a reader's sum says which version it saw
        keeper = self.start("project", "rebuild", self.define(2, step=1000), "--keep")
        self.until("the new version has caught up", lambda: self.events_of(2) >= 2000)
        reader = Reader(lambda: self.query("SELECT max(offers) >= 1000, count(*) > 100 FROM loans")[0])
        reader.start()
        try:
            done = self.perdure("project", "diff", "loans_v2.sql", "--json", "--samples", "0", **self.environment)
            self.does("project", "swap", "loans", "--version", "2")
            self.until("readers see it", lambda: (1, 1) in reader.seen)
            self.does("project", "rollback", "loans")
            self.until("readers see the old one again", lambda: reader.seen[-1] == (0, 1))
            self.assertIsNone(loader.poll(), "the load went on all along")
        finally:
            reader.end()
        self.assertEqual((done.returncode, done.stderr), (FAILED, ""), "they differ")
        tables = {table["table"]: table for table in json.loads(done.stdout)["tables"]}
        loans, days = tables["loans"], tables["days"]
        self.assertEqual((loans["only_from"], loans["only_to"], loans["columns"]["status"], loans["columns"]["events"]),
                         (0, 0, 0, 0))
        self.assertGreater(loans["columns"]["offers"], 20)
        self.assertEqual((days["only_from"], days["only_to"], days["different"]), (0, 0, 0))
        self.assertEqual(reader.failures, [])
        self.assertEqual(reader.seen, [(0, 1), (1, 1), (0, 1)], "each version whole, and never an empty view")
        self.assertGreater(reader.looks, 20)
        self.assertEqual(self.versions(), {1: (1, False), 2: (2, False)})
        self.stop(keeper)


class Swap(Versions):
    def test_names_and_versions_that_are_not_there_are_refused(self):
        self.live(200)
        self.denies(USAGE, ["project", "swap", "loans"], "--version")
        self.denies(USAGE, ["project", "swap", "--version", "1"], "NAME")
        self.denies(USAGE, ["project", "rollback"], "NAME")
        self.denies(FAILED, ["project", "swap", "other", "--version", "1"], "no projection other")
        self.denies(FAILED, ["project", "swap", "loans", "--version", "7"], "no version 7", "only 1")
        self.denies(REFUSED, ["project", "swap", "loans", "--version", "1"], "live one already")
        self.denies(REFUSED, ["project", "rollback", "loans"], "no former version")
        self.denies(FAILED, ["project", "rollback", "other"], "no projection other")

    def test_one_that_is_behind_is_refused(self):
        self.live(400)
        self.does("project", "rebuild", self.define(2))
        self.load("sqlite:log.db", 800)
        self.does("project", "run", "--until-caught-up", "loans_v1.sql")
        self.denies(REFUSED, ["project", "swap", "loans", "--version", "2", "--timeout", "500"], "behind", "partition")
        self.assertEqual(self.versions(), {1: (1, False), 2: (0, False)}, "and nothing is held any more")
        self.does("project", "rebuild", "loans_v2.sql")
        self.does("project", "swap", "loans", "--version", "2")


class DeadLetters(Versions):
    POISONED = "loan/173691"

    def setUp(self):
        super().setUp()
        self.environment["PERDURE_APP"] = POISON_APP
        self.load_log(2000)
        done = self.perdure("project", "run", "--until-caught-up",
                            **{**self.environment, "PERDURE_TEST_POISON": self.POISONED})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("parked %s from seq 3 on" % self.POISONED, done.stderr)

    def tally(self):
        rows = self.query("SELECT events, seqs FROM tallies WHERE application = '%s'" % self.POISONED)
        return tuple(rows[0]) if rows else None

    def letters(self):
        return json.loads(self.does("dlq", "list", "tallies", "--json"))

    def test_the_list_says_what_is_parked_and_why(self):
        self.assertEqual(self.tally(), (2, 3), "the events before the poison are there")
        letters = self.letters()
        self.assertGreater(len(letters), 3)
        self.assertEqual([letter["seq"] for letter in letters], list(range(3, 3 + len(letters))))
        self.assertEqual([letter["behind"] for letter in letters], [False] + [True] * (len(letters) - 1))
        first = letters[0]
        self.assertEqual((first["projection"], first["version"], first["entity"]), ("tallies", 1, self.POISONED))
        self.assertIn("poisoned on purpose", first["reason"])
        text = self.does("dlq", "list")
        for word in (self.POISONED, "seq 3", "poisoned on purpose", "%d behind it" % (len(letters) - 1),
                     "%d parked events of 1 entities" % len(letters)):
            self.assertIn(word, text)
        self.assertEqual(self.does("dlq", "list", "tallies", "--entity", "loan/1"), "0 parked events of 0 entities\n")

    def test_a_retry_after_the_fix_makes_the_view_whole(self):
        last = self.letters()[-1]["seq"]
        worker = self.start("project", "run")
        done = json.loads(self.does("dlq", "retry", "tallies", self.POISONED, "--wait", "60000", "--json"))
        self.assertEqual((done["entities"], done["requests"], done["parked"]), (1, 1, 0))
        self.stop(worker)
        self.assertEqual(self.tally(), (last, last * (last + 1) // 2))
        self.assertEqual(self.letters(), [])

    def test_a_retry_without_a_fix_leaves_everything_as_it_was(self):
        before = self.letters()
        worker = self.start("project", "run", PERDURE_TEST_POISON=self.POISONED)
        self.does("dlq", "retry", "tallies", "--all", "--wait", "60000")
        self.stop(worker)
        after = self.letters()
        self.assertEqual([l["seq"] for l in after], [l["seq"] for l in before])
        self.assertEqual([l["behind"] for l in after], [l["behind"] for l in before])
        self.assertGreater(after[0]["attempts"], before[0]["attempts"])
        self.assertEqual(self.tally(), (2, 3))

    def test_a_skip_gives_up_the_first_and_projects_the_rest(self):
        last = self.letters()[-1]["seq"]
        worker = self.start("project", "run", PERDURE_TEST_POISON=self.POISONED)
        self.assertIn("0 parked events are left", self.does("dlq", "skip", "tallies", self.POISONED, "--wait", "60000"))
        self.stop(worker)
        self.assertEqual(self.tally(), (last - 1, last * (last + 1) // 2 - 3))

    def test_a_purge_leaves_nothing_parked(self):
        worker = self.start("project", "run", PERDURE_TEST_POISON=self.POISONED)
        self.does("dlq", "purge", "tallies", "--all", "--yes", "--wait", "60000")
        self.stop(worker)
        self.assertEqual(self.letters(), [])

    def test_show_reads_the_log_and_says_what_a_retry_would_do(self):
        before = self.query("SELECT * FROM tallies ORDER BY 1")
        shown = json.loads(self.does("dlq", "show", "tallies", self.POISONED, "--events", "4", "--json"))
        self.assertEqual([e["letter"]["seq"] for e in shown["events"]], [3, 4, 5, 6])
        self.assertEqual({e["outcome"] for e in shown["events"]}, {"would be projected"})
        for event in shown["events"]:
            self.assertTrue(event["events"][0]["type"].startswith("loans."))
            self.assertIsInstance(event["events"][0]["value"], dict)
        self.assertEqual(shown["writes"], [{"table": "tallies", "key": {"application": self.POISONED}, "changes": [
            {"column": "events", "mode": "add", "value": 4}, {"column": "seqs", "mode": "add", "value": 18}]}])
        text = self.does("dlq", "show", "tallies", self.POISONED, "--events", "2")
        for word in ("seq 3", "poisoned on purpose", "loans.", "today: would be projected", "events + 2, seqs + 7"):
            self.assertIn(word, text)
        self.assertEqual(self.query("SELECT * FROM tallies ORDER BY 1"), before, "nothing is written")

    def test_show_says_why_it_would_fail_again(self):
        shown = json.loads(self.does("dlq", "show", "tallies", self.POISONED, "--json", PERDURE_TEST_POISON=self.POISONED))
        self.assertEqual([(e["letter"]["seq"], e["outcome"]) for e in shown["events"]], [(3, "fails")])
        self.assertIn("poisoned on purpose", shown["events"][0]["why"])
        self.assertEqual(shown["writes"], [])

    def test_show_fetches_the_rows_that_a_definition_reads(self):
        with open(self.path("small.sql"), "w", encoding="utf-8") as file:
            file.write("""projection small version 1;
                table small (application text, events integer not null default 0, last integer not null default 0,
                             room numeric(2,0), primary key (application)) key entity (entity.key);
                on loans.ApplicationSubmitted upsert small set events = 1, last = seq;
                on loans.OfferSelected upsert small set last = events * 100 + seq, room = seq * 10;""")
        done = self.perdure("project", "run", "--until-caught-up", "small.sql",
                            **{**self.environment, "PERDURE_APP": LOANS_APP})
        self.assertEqual(done.returncode, 0, done.stderr)
        letters = json.loads(self.does("dlq", "list", "small", "--json"))
        self.assertGreater(len(letters), 0)
        entity = letters[0]["entity"]
        shown = json.loads(self.does("dlq", "show", "small.sql", entity, "--json"))
        self.assertEqual(shown["events"][0]["outcome"], "fails")
        self.assertIn("room", shown["events"][0]["why"])
        self.assertIn("definition isn't given", self.does("dlq", "show", "small", entity))

    def test_what_cannot_be_shown_is_refused(self):
        self.denies(USAGE, ["dlq", "show", "tallies"], "missing")
        self.denies(FAILED, ["dlq", "show", "other", "loan/1"], "no projection other")
        self.denies(FAILED, ["dlq", "show", "tallies", "loan/1"], "no parked event of loan/1")
        self.denies(FAILED, ["dlq", "show", "./nosuch.sql", "loan/1"], "nosuch.sql")

    def test_without_a_worker_requests_wait(self):
        self.assertIn("within seconds", self.does("dlq", "retry", "tallies", self.POISONED))
        self.denies(LATER, ["dlq", "retry", "tallies", self.POISONED, "--wait", "300"], "not carried out", "worker")
        self.assertGreater(len(self.letters()), 3)

    def test_what_is_not_there_is_refused(self):
        self.denies(USAGE, ["dlq", "retry"], "NAME")
        self.denies(USAGE, ["dlq", "retry", "tallies"], "ENTITY")
        self.denies(USAGE, ["dlq", "skip", "tallies", self.POISONED, "--all"], "exclude")
        self.denies(USAGE, ["dlq", "purge", "tallies", "--all"], "--yes")
        self.denies(USAGE, ["dlq", "list", "--version", "1"], "NAME")
        self.denies(FAILED, ["dlq", "list", "other"], "no projection other")
        self.denies(FAILED, ["dlq", "list", "tallies", "--version", "3"], "no version 3")
        self.denies(FAILED, ["dlq", "retry", "other", "--all"], "no projection other")
        self.denies(FAILED, ["dlq", "retry", "tallies", "loan/1"], "no parked event of loan/1")
        self.denies(FAILED, ["dlq", "skip", "tallies", "--all", "--version", "2"], "no version 2")


if __name__ == "__main__":
    unittest.main()
