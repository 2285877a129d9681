"""What is claimed about the commands that read all of a log (tail, grep, stats, trace, entity list) on SQLite and, with
the same words, on Kafka and PostgreSQL. Answers are computed from the CSV, without a line of the product."""
import collections
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from loans_figures import Figures, rows_of  # noqa: E402
from programs import COMMAND, LOANS_APP  # noqa: E402

CHAIN, OTHER_APP, BUG_APP, GAP_APP, LOAD_V1 = (
    os.environ["PDR_" + name] for name in ("CHAIN", "OTHER_APP", "BUG_APP", "SCHEDULED_GAP_APP", "LOANS_LOAD_V1"))
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/loans/data/loan_applications.csv.gz")
DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED, STOPPED = range(7)
ROWS, MORE = 12000, 300
STEPS = {"SUBMITTED": "Submitted", "PARTLYSUBMITTED": "PartlySubmitted", "PREACCEPTED": "Preaccepted",
         "ACCEPTED": "Accepted", "FINALIZED": "Finalized", "APPROVED": "Approved", "REGISTERED": "Registered",
         "ACTIVATED": "Activated", "DECLINED": "Declined", "CANCELLED": "Cancelled", "SELECTED": "Selected",
         "CREATED": "Created", "SENT": "Sent", "SENT_BACK": "SentBack"}
WORK_STEPS = {"SCHEDULE": "Scheduled", "START": "Started", "COMPLETE": "Completed"}
# Those of which there are several versions, and which is today's.
VERSIONS = {"ApplicationSubmitted": 3, "ApplicationDeclined": 3, "WorkItemScheduled": 3, "WorkItemStarted": 2,
            "WorkItemCompleted": 2}

Event = collections.namedtuple("Event", "entity seq us type command amount employee")


def type_of(row):
    kind, step = row["activity"].split("_", 1)
    if kind == "W":
        return "loans.WorkItem" + WORK_STEPS[row["transition"]]
    return "loans." + {"A": "Application", "O": "Offer"}[kind] + STEPS[step]


def read_rows(count):
    """Each row is one event of its application; the row's number is its command's id."""
    seqs, events = collections.Counter(), []
    for number, row in enumerate(rows_of(DATA), 1):
        if number > count:
            return events
        entity = "loan/" + row["application"]
        seqs[entity] += 1
        amount = int(row["amount_requested"]) if row["activity"] == "A_SUBMITTED" else None
        events.append(Event(entity, seqs[entity], row["micros"], type_of(row), str(number), amount, row["employee"]))
    return events


def text_of(us):
    """As the commands print times: no more digits than are needed."""
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return at.isoformat().rstrip("0" if at.microsecond else "") + "Z"


def short(event):
    return (event.entity, event.seq, text_of(event.us), event.type, event.command)


def short_line(line):
    return (line["entity"], line["seq"], line["time"], line["type"], line["command"])


class ScanClaims:
    """Mixed into a test case that has journal(name): the flags of a fresh journal."""
    events = read_rows(ROWS)
    home = flags = None

    @classmethod
    def tearDownClass(cls):
        if cls.home:
            cls.home.cleanup()

    def setUp(self):
        """One journal for all claims that only read."""
        super().setUp()
        cls = type(self)
        if cls.flags is None:
            cls.home = tempfile.TemporaryDirectory(prefix="perdure-scan-")
            flags = self.journal("log")
            self.works(COMMAND, "init", *flags, "--partitions", "5")
            self.works(os.environ["PDR_LOANS_LOAD"], *flags, "--stop-after", str(ROWS))
            cls.flags = flags

    def fresh(self, name):
        flags = self.journal(name)
        self.works(COMMAND, "init", *flags, "--partitions", "3")
        return flags

    def ask(self, command, *words, code=DONE, app=LOANS_APP, flags=None):
        """Lines of JSON and standard error."""
        more = ["--app", app] if app else []
        done = self.perdure(*command.split(), *(flags or self.flags), *more, "--json", *words)
        self.assertEqual(done.returncode, code, (command, words, done.stdout[-500:], done.stderr))
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def lines(self, command, *words, **how):
        lines, said = self.ask(command, *words, **how)
        self.assertEqual(said, "")
        return lines

    def those(self, wanted):
        return sorted(short(event) for event in self.events if wanted(event))

    def finds(self, wanted, *words):
        expected = self.those(wanted)
        self.assertGreater(len(expected), 0, "the claim would say nothing")
        self.assertEqual(sorted(map(short_line, self.lines("grep", *words))), expected, words)

    # --- grep ---

    def test_grep_without_flags_is_every_event_each_entity_in_its_order(self):
        lines = self.lines("grep")
        self.assertEqual(sorted(map(short_line, lines)), self.those(lambda e: True))
        newest = collections.Counter()
        for line in lines:
            newest[line["entity"]] += 1
            self.assertEqual(line["seq"], newest[line["entity"]])

    def test_grep_finds_what_the_csv_has_by_type_entity_time_and_filter(self):
        self.finds(lambda e: e.type in ("loans.OfferSent", "loans.OfferCancelled"), "--type", "OfferSent", "--type",
                   "loans.OfferCancelled")
        self.finds(lambda e: e.entity.startswith("loan/1737"), "--entity", "loan/1737")
        begin = 1317600000000000  # 2011-10-03
        self.finds(lambda e: begin <= e.us <= begin + 43200 * 1000000, "--since", "2011-10-03", "--until",
                   "2011-10-03T14:00+02:00")
        self.finds(lambda e: (e.amount or 0) > 30000, "--where", ".event.amount > 30000")
        self.finds(lambda e: e.employee == 10862 and e.seq > 20, "--where", ".event.by.employee == 10862 and .seq > 20")
        self.finds(lambda e: e.type == "loans.ApplicationDeclined" and e.employee == 112, "--type",
                   "ApplicationDeclined", "--where", ".event.by.employee == 112")

    def test_grep_counts_by_type_entity_and_day(self):
        for kind, key in (("type", lambda e: e.type), ("entity", lambda e: e.entity),
                          ("day", lambda e: text_of(e.us)[:10])):
            expected = collections.Counter(map(key, self.events))
            lines = self.lines("grep", "--count", kind)
            self.assertEqual({line[kind]: line["events"] for line in lines}, dict(expected), kind)
            self.assertEqual(len(lines), len(expected))
            order = (lambda l: l[kind]) if kind == "day" else (lambda l: (-l["events"], l[kind]))
            self.assertEqual(lines, sorted(lines, key=order), kind)
        top = self.lines("grep", "--count", "entity", "--limit", "3", "--type", "OfferSent")
        sent = collections.Counter(e.entity for e in self.events if e.type == "loans.OfferSent")
        self.assertEqual([(t["entity"], t["events"]) for t in top],
                         sorted(sent.items(), key=lambda item: (-item[1], item[0]))[:3])

    def test_grep_stops_at_its_limit(self):
        lines = self.lines("grep", "--type", "OfferSent", "--limit", "7")
        self.assertEqual(len(lines), 7)
        self.assertLessEqual(set(map(short_line, lines)), set(self.those(lambda e: e.type == "loans.OfferSent")))

    def test_without_an_application_events_are_told_by_their_schemas(self):
        words = ["grep", "--entity", "loan/1737"]
        key = lambda line: (line["entity"], line["seq"])  # noqa: E731
        known = sorted(self.lines(*words), key=key)
        self.assertEqual(sorted(self.lines(*words, app=None), key=key), known)
        lines, said = self.ask(*words, app=OTHER_APP, code=FAILED)
        self.assertIn("the application can't read %d events" % len(known), said)
        for line in lines:
            self.assertIn("has no event of that name", line.pop("problem"))
        self.assertEqual(sorted(lines, key=key), known, "an application that doesn't know the events")

    def test_events_that_the_application_cannot_read_are_shown_as_written_and_counted(self):
        flags = self.fresh("old")
        self.works(LOAD_V1, *flags, "--stop-after", "2000")
        scheduled = [e for e in self.events[:2000] if e.type == "loans.WorkItemScheduled"]
        lines, said = self.ask("grep", code=FAILED, app=GAP_APP, flags=flags)
        bad = [line for line in lines if "problem" in line]
        self.assertEqual(sorted(map(short_line, bad)), sorted(map(short, scheduled)))
        self.assertRegex(said, r"the application can't read %d events; the first is loan/\d+, seq \d+ "
                         r"\(partition \d, offset \d+\): " % len(scheduled))

    def test_a_filter_that_fails_says_where_and_the_rest_is_found(self):
        submitted = sum(e.type == "loans.ApplicationSubmitted" for e in self.events)
        lines, said = self.ask("grep", "--where", '.event.amount.x == null', code=FAILED)
        self.assertEqual(len(lines), ROWS - submitted)
        self.assertRegex(said, r"--where failed at %d events; the first is loan/\d+, seq 1 \(partition 0, offset \d+\): "
                         r'jq: Cannot index number with string "x"' % submitted)

    def test_flags_that_make_no_sense_are_refused(self):
        for words, text in ((["--where", ".event.amount >"], "isn't jq: syntax error"),
                            (["--where", " "], "the filter is empty"),
                            (["--since", "yesterday"], "is no time: write 2011-10-01"),
                            (["--since", "12:30"], "is no time"), (["--until", "2999-01-01"], "is in the future"),
                            (["--since", "2012-01-02", "--until", "2012-01-01"], "is later than --until"),
                            (["--count", "month"], "--count takes type, entity or day"), (["--limit", "0"], "--limit")):
            self.refuses(USAGE, ["grep", *self.flags, "--app", LOANS_APP, *words], text)
        self.refuses(USAGE, ["entity", "list", *self.flags, "--order", "age"], "--order takes id, seq")
        self.refuses(USAGE, ["entity", "list", *self.flags, "--where", "true"], "need the application")
        self.refuses(USAGE, ["trace", *self.flags], "missing: ID")

    def test_types_that_do_not_exist_are_told_the_nearest(self):
        for app in ([], ["--app", LOANS_APP]):
            for command in ("grep", "tail"):
                if command == "tail" and not app:
                    continue  # it doesn't read the whole log, so it can't know
                self.refuses(FAILED, [command, *self.flags, *app, "--type", "OfferSnt"],
                             "no event type is called OfferSnt; did you mean OfferSent?")
        self.refuses(FAILED, ["entity", "list", *self.flags, "--app", LOANS_APP, "--type", "loans"], "did you mean loan?")

    def test_nothing_found_is_exit_code_1(self):
        self.assertEqual(self.lines("grep", "--entity", "loan/none", code=FAILED), [])

    def test_a_reader_that_goes_away_is_no_failure(self):
        for command in ("grep", "entity list", "stats"):
            words = [COMMAND, *command.split(), *self.flags, "--app", LOANS_APP]
            child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            child.stdout.close()
            said = child.stderr.read().decode()
            child.stderr.close()
            self.assertEqual((child.wait(timeout=240), said), (DONE, ""), command)

    def test_control_c_stops_a_long_search_cleanly(self):
        # At each event the filter counts for a while: all of them together would take an hour.
        words = [COMMAND, "grep", *self.flags, "--app", LOANS_APP, "--where", "[range(300000)] | length == 1"]
        child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        self.until_heeds(child, signal.SIGINT)
        child.send_signal(signal.SIGINT)
        out, said = child.communicate(timeout=240)
        self.assertEqual((child.returncode, out), (STOPPED, ""), said)

    # --- tail ---

    def newest(self, count, wanted=lambda line: True):
        """By when the log took them."""
        ordered = sorted(filter(wanted, self.lines("grep")),
                         key=lambda l: (moment(l["appended"]), l["partition"], l["offset"]))
        return ordered[len(ordered) - count:] if count < len(ordered) else ordered

    def test_tail_is_the_newest_of_all_partitions_in_the_order_of_their_appends(self):
        for count in (1, 10, 333, ROWS + 1):
            self.assertEqual(self.lines("tail", "--events", str(count)), self.newest(count), count)
        self.assertEqual(len(self.lines("tail")), 10)
        self.assertEqual(self.lines("tail", "--events", "0"), [])

    def test_tail_reads_further_back_for_events_that_are_rare(self):
        self.assertEqual(self.lines("tail", "--events", "5", "--type", "ApplicationSubmitted"),
                         self.newest(5, lambda l: l["type"] == "loans.ApplicationSubmitted"))
        self.assertEqual(self.lines("tail", "--entity", self.events[0].entity, "--where", ".seq <= 2"),
                         self.newest(10, lambda l: l["entity"] == self.events[0].entity and l["seq"] <= 2))

    def test_tail_follows_what_is_appended_until_control_c(self):
        flags = self.fresh("growing")
        load = [os.environ["PDR_LOANS_LOAD"], *flags, "--stop-after"]
        self.works(*load, "200")
        child = subprocess.Popen([COMMAND, "tail", *flags, "--app", LOANS_APP, "--json", "--follow", "--events", "3"],
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdout.close)
        shown = [json.loads(child.stdout.readline()) for _ in range(3)]
        self.works(*load, str(MORE))
        lines = [json.loads(child.stdout.readline()) for _ in range(MORE - 200)]
        self.assertEqual(sorted(map(short_line, lines)), sorted(map(short, self.events[200:MORE])))
        self.assertLess(set(map(short_line, shown)), set(map(short, self.events[:200])))
        child.send_signal(signal.SIGINT)
        self.assertEqual((child.stdout.read(), child.wait(timeout=240)), ("", STOPPED))

    def test_a_journal_that_grows_meanwhile_is_read_as_far_as_it_was(self):
        flags = self.fresh("busy")
        load = subprocess.Popen([os.environ["PDR_LOANS_LOAD"], *flags, "--stop-after", "6000", "--rate", "4000"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(load.kill)
        known, before = set(self.those(lambda e: True)), -1
        while load.poll() is None or before < 0:
            done = self.perdure("grep", *flags, "--app", LOANS_APP, "--json")
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual((done.returncode, done.stderr), (DONE if lines else FAILED, ""))
            self.assertLessEqual(set(map(short_line, lines)), known)
            seqs = collections.Counter(line["entity"] for line in lines)
            self.assertEqual({line["entity"]: line["seq"] for line in lines}, dict(seqs), "none is missing")
            self.assertGreaterEqual(len(lines), before)
            before = len(lines)
        self.assertEqual(load.returncode, 0)
        self.assertEqual(len(self.lines("grep", flags=flags)), 6000)

    def test_a_full_disk_is_told(self):
        for command in ("grep", "tail", "stats", "entity list"):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([COMMAND, *command.split(), *self.flags, "--app", LOANS_APP], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, LATER, done.stderr)
            self.assertIn("standard output can't be written", done.stderr, command)

    # --- stats ---

    def of(self, lines, what):
        return [{key: value for key, value in line.items() if key != "of"} for line in lines if line["of"] == what]

    def stats_are_those_of(self, events, *words):
        lines = self.lines("stats", "--top", "5", *words)
        totals = self.of(lines, "totals")[0]
        entities = collections.Counter(e.entity for e in events)
        times = [e.us for e in events]
        self.assertEqual([totals[key] for key in ("events", "commits", "entities", "first", "last")],
                         [len(events), len(events), len(entities), text_of(min(times)), text_of(max(times))])
        types = collections.Counter((e.type, VERSIONS.get(e.type[6:], 1)) for e in events)
        self.assertEqual({(t["type"], t["version"]): t["events"] for t in self.of(lines, "type")}, dict(types))
        self.assertEqual(sum(t["bytes"] for t in self.of(lines, "type")), totals["bytes"])
        days = collections.Counter(text_of(e.us)[:10] for e in events)
        self.assertEqual([(d["day"], d["events"]) for d in self.of(lines, "day")], sorted(days.items()))
        sizes = collections.Counter(count.bit_length() - 1 for count in entities.values())
        self.assertEqual([(s["from"], s["to"], s["entities"]) for s in self.of(lines, "size")],
                         [(1 << i, (2 << i) - 1, sizes[i]) for i in range(max(sizes) + 1)])
        self.assertEqual([(l["entity"], l["events"]) for l in self.of(lines, "longest")],
                         sorted(entities.items(), key=lambda item: (-item[1], item[0]))[:5])
        hours = collections.defaultdict(collections.Counter)
        for event in events:
            hours[event.entity][text_of(event.us // 3600000000 * 3600000000)] += 1
        best = {entity: max(counts.values()) for entity, counts in hours.items()}
        hottest = self.of(lines, "hottest")
        self.assertEqual([(h["entity"], h["events"]) for h in hottest],
                         sorted(best.items(), key=lambda item: (-item[1], item[0]))[:5])
        for line in hottest:
            self.assertEqual(hours[line["entity"]][line["hour"]], line["events"])

    def test_stats_are_what_the_csv_gives(self):
        self.stats_are_those_of(self.events)
        begin = 1317600000000000
        self.stats_are_those_of([e for e in self.events if e.us >= begin and e.entity.startswith("loan/173")],
                                "--since", "2011-10-03", "--entity", "loan/173")

    def test_stats_draw_a_histogram(self):
        text = self.works(COMMAND, "stats", *self.flags)
        self.assertIn("entities by how many events they have", text)
        sizes = collections.Counter(c.bit_length() - 1 for c in collections.Counter(e.entity for e in self.events).values())
        most = max(sizes, key=sizes.get)
        self.assertRegex(text, r"\n *%d to %d +%d  #{48}\n" % (1 << most, (2 << most) - 1, sizes[most]))

    # --- entity list ---

    def test_entities_are_listed_from_store_and_log_alike(self):
        seqs = collections.Counter(e.entity for e in self.events)
        newest = {e.entity: text_of(e.us) for e in self.events}
        listed = self.lines("entity list")
        self.assertEqual([(l["entity"], l["seq"]) for l in listed], sorted(seqs.items()))
        scanned = self.lines("entity list", "--from-log")
        self.assertEqual([{k: v for k, v in l.items() if k not in ("bytes", "last")} for l in scanned], listed)
        self.assertEqual({l["entity"]: l["last"] for l in scanned}, newest)
        self.assertEqual(self.lines("entity list", app=None), listed)

    def test_entities_are_listed_in_an_order_by_a_prefix_up_to_a_limit(self):
        seqs = collections.Counter(e.entity for e in self.events)
        expected = sorted(seqs.items(), key=lambda item: (-item[1], item[0]))[:4]
        self.assertEqual([(l["entity"], l["seq"]) for l in self.lines("entity list", "--order", "seq", "--limit", "4")],
                         expected)
        for words in (["--prefix", "loan/17371"], ["--type", "loan", "--prefix", "17371"]):
            self.assertEqual([l["entity"] for l in self.lines("entity list", *words)],
                             sorted(e for e in seqs if e.startswith("loan/17371")))
        times = {e.entity: e.us for e in self.events}
        by_time = self.lines("entity list", "--order", "last-time", "--limit", "4")
        self.assertEqual([l["entity"] for l in by_time], sorted(times, key=lambda e: (-times[e], e))[:4])
        by_size = self.lines("entity list", "--order", "size")
        self.assertEqual(by_size, sorted(by_size, key=lambda l: (-l["bytes"], l["entity"])))
        self.assertEqual(len(by_size), len(seqs))

    def test_entities_are_chosen_by_their_states(self):
        applications = Figures(DATA, ROWS).applications
        declined = sorted("loan/" + a for a, mine in applications.items() if mine["status"] == "DECLINED")
        self.assertGreater(len(declined), 0)
        lines = self.lines("entity list", "--where", '.status == "DECLINED"')
        self.assertEqual([l["entity"] for l in lines], declined)
        self.assertEqual({l["state"]["status"] for l in lines}, {"DECLINED"})
        _, said = self.ask("entity list", "--where", ".status.x", code=FAILED)
        self.assertRegex(said, r"--where failed at %d entities; the first is loan/\d+: jq: " % len(applications))

    def test_an_entity_whose_apply_crashes_or_fails_is_named_and_the_others_are_listed(self):
        event = next(e for e in self.events if e.type == "loans.ApplicationRegistered")
        others = {e.entity for e in self.events} - {event.entity}
        for bug, text in (("crash", "the application's code crashed: SIGSEGV"), ("abort", "crashed: SIGABRT"),
                          ("fails", "")):
            done = self.perdure("entity", "list", *self.flags, "--app", BUG_APP, "--where", "true", "--json",
                                PERDURE_TEST_BUG=bug, PERDURE_TEST_AT=str(event.us))
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertEqual({json.loads(line)["entity"] for line in done.stdout.splitlines()}, others, bug)
            self.assertRegex(done.stderr, r"1 entity has no state and is left out; the first: %s, seq %d "
                             r"\(partition \d, offset \d+\): .*%s" % (event.entity, event.seq, text))

    # --- trace ---

    def trace(self, chain, *ids):
        return [[(line["command"], line["entity"], line["depth"]) for line in
                 self.lines("trace", name, app=None, flags=chain)] for name in ids]

    def test_a_trace_is_the_tree_of_what_was_caused(self):
        flags = self.fresh("chain")
        self.works(CHAIN, flags[1], flags[3])
        below_c3 = [("c3", "account/c"), ("c4", "account/a"), ("deadbeef", "account/d"), ("c6", "account/b")]
        whole = [("c1", "account/a", 0), ("c2", "account/b", 1),
                 *((c, e, depth) for depth, (c, e) in enumerate(below_c3, 1))]
        self.assertEqual(self.trace(flags, "c1", "order-7"), [whole, whole + [("c7", "account/e", 0)]])
        self.assertEqual(self.trace(flags, "c3"), [[(c, e, depth) for depth, (c, e) in enumerate(below_c3)]])
        last = [("deadbeef", "account/d", 0), ("c6", "account/b", 1)]
        self.assertEqual(self.trace(flags, "deadbeef", "DEADBEEF"), [last, last])
        self.assertEqual(self.trace(flags, "x1", "u1"),
                         [[("x1", "account/x", 0), ("x2", "account/y", 1)], [("u1", "account/u", 0)]])
        self.refuses(FAILED, ["trace", *flags, "order-8"], "no event has order-8 as its command's id")
        text = self.works(COMMAND, "trace", "c1", *flags)
        self.assertRegex(text, r"(?s)^account/a 1 .*\n\|- account/b 1 .*\n`- account/c 1 .*\n  `- account/a 2 ")

    # --- empty journals ---

    def test_empty_journals_are_empty(self):
        flags = self.fresh("empty")
        for command in ("tail", "entity list", "entity list --from-log", "entity list --where true"):
            self.assertEqual(self.lines(command, flags=flags), [], command)
        self.assertEqual(self.lines("grep", flags=flags, code=FAILED), [])
        lines = self.lines("stats", flags=flags)
        self.assertEqual([(l["of"], l["events"], l["entities"]) for l in lines], [("totals", 0, 0)])
        self.assertIn("0 events of 0 entities", self.works(COMMAND, "stats", *flags))
        self.refuses(FAILED, ["trace", *flags, "x"], "no event has x")


def moment(text):
    form = "%Y-%m-%dT%H:%M:%S" + (".%fZ" if "." in text else "Z")
    return datetime.datetime.strptime(text, form)
