"""A log of the loans example that three versions of it wrote, against one that the newest wrote alone: whoever reads it,
by whatever path, finds the same. On SQLite, and on Kafka and PostgreSQL where they are."""
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import unittest

from programs import COMMAND, LOANS_APP, Programs

LOAD = {version: os.environ["PDR_LOANS_LOAD" + name] for version, name in ((1, "_V1"), (2, "_V2"), (3, ""))}
REMIND, CHECK, DEMO = (os.environ["PDR_LOANS_" + name] for name in ("REMIND_V1", "CHECK", "DEMO"))
GAPS = {"loans.OfferMailed": ("PDR_MAILED_GAP_APP", 2), "loans.WorkItemScheduled": ("PDR_SCHEDULED_GAP_APP", 1)}
ROWS, REMINDERS = 9000, 5
SERVERS = os.environ.get("PERDURE_TEST_KAFKA") and os.environ.get("PERDURE_TEST_POSTGRES")
ON_PAPER = re.compile(r"^loan/9\d{6}$")


class OnSqlite(Programs):
    def journal(self, name):
        return ["--journal", "sqlite:%s.db" % name, "--store", "sqlite:%s.store.db" % name]

    def forget_states(self, flags):
        with sqlite3.connect(self.path(flags[3].split(":")[1])) as db:
            db.execute("DELETE FROM store_state")
        db.close()

    # --- what is done ---

    def loaded(self, version, flags, rows):
        last = self.works(LOAD[version], *flags, "--stop-after", str(rows)).splitlines()[-1]
        self.assertRegex(last, r"^done .* refused 0$")

    def killed(self, version, flags, rows):
        """Dies before it has loaded `rows`, and before it saved any: its tail is the next one's to read."""
        with subprocess.Popen([LOAD[version], *flags, "--stop-after", str(rows), "--rate", "3000"], cwd=self.folder.name,
                              stdout=subprocess.PIPE, text=True) as loader:
            for line in loader.stdout:
                counts = re.search(r"fresh (\d+) repeated (\d+)", line)
                if counts and int(counts[1]) + int(counts[2]) >= rows - 1500:
                    break
            loader.send_signal(signal.SIGKILL)

    def written_by_three(self, rows=ROWS):
        flags = self.journal("three")
        self.loaded(1, flags, rows // 3)
        self.works(REMIND, flags[1], flags[3], str(REMINDERS))
        self.loaded(2, flags, rows // 3 * 2)
        self.loaded(3, flags, rows)
        return flags

    def written_by_one(self, rows=ROWS):
        flags = self.journal("one")
        self.loaded(3, flags, rows)
        return flags

    # --- what is found ---

    def states(self, flags):
        heads = [json.loads(line) for line in self.dump(*flags, "--app", LOANS_APP).splitlines()]
        return {h["entity"]: (h["seq"], h["state"]) for h in heads if not ON_PAPER.match(h["entity"])}

    def read(self, flags):
        """By a partition reader, folded; and the hash of all states."""
        return self.works(CHECK, *flags)

    def found(self, flags, app=LOANS_APP, exit_code=0):
        done = self.perdure("schema", "check", *flags, "--app", app, "--json")
        self.assertEqual((done.returncode, done.stderr), (exit_code, ""))
        return json.loads(done.stdout)

    def story(self, flags, entity):
        """By a history reader: what happened, and the state at the end, which is the journal's own."""
        with open(self.path("none.csv"), "w", encoding="ascii") as file:
            file.write("at,application,activity,transition,resource,amount_requested\n")
        told = self.works(DEMO, *flags, "--data", "none.csv", "--entity", entity)
        events = re.findall(r"^ *\d+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (\w+)", told, re.MULTILINE)
        return events, re.search(r"^state at seq .*$", told, re.MULTILINE)[0]

    # --- claims ---

    def test_every_path_reads_the_same_of_three_versions_as_of_one(self):
        three, one = self.written_by_three(), self.written_by_one()
        expected = self.read(one)
        self.assertIn("events %d\n" % ROWS, expected)
        self.assertIn("faults 0\n", expected)
        self.assertEqual(self.read(three), expected, "by readers")
        for flags in (three, one):
            self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP, "--yes")
        states = self.states(one)
        self.assertEqual(self.states(three), states, "rebuild-store")
        # Without a snapshot each entity that is asked is made from its history, and decides on with that.
        for flags in (three, one):
            self.forget_states(flags)
            self.loaded(3, flags, ROWS + ROWS // 3)
        self.assertEqual(self.read(three), self.read(one), "after activations")
        more = self.states(one)
        self.assertEqual(self.states(three), more)
        self.assertGreater(len(more), len(states))

    def test_a_takeover_folds_the_tail_of_an_older_version(self):
        three, one = self.journal("three"), self.written_by_one()
        self.works(COMMAND, "init", *three, "--partitions", "8")
        self.killed(1, three, ROWS // 3)
        self.killed(2, three, ROWS // 3 * 2)
        self.loaded(3, three, ROWS)
        self.assertEqual(self.read(three), self.read(one))
        found = {(v["type"], v["version"]): v["events"] for v in self.found(three)["versions"]}
        for version in (1, 2, 3):
            self.assertGreater(found["loans.ApplicationSubmitted", version], 0)
        for flags in (three, one):
            self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP, "--yes")
        self.assertEqual(self.states(three), self.states(one))

    def test_a_history_tells_today_s_events_and_ends_in_the_same_state(self):
        three, one = self.written_by_three(), self.written_by_one()
        letters = 0
        for entity in list(self.states(one))[::90]:
            old, old_state = self.story(three, entity)
            new, new_state = self.story(one, entity)
            letters += old.count("DeclineLetterSent")
            self.assertEqual([event for event in old if event != "DeclineLetterSent"], new, entity)
            self.assertEqual(old_state, new_state, entity)
        self.assertGreater(letters, 0)

    def test_check_tells_every_version_and_how_it_is_read(self):
        found = self.found(self.written_by_three())
        self.assertTrue(found["readable"])
        self.assertEqual(found["events"], ROWS + REMINDERS)
        by = {(v["type"].split(".")[1], v["version"]): v for v in found["versions"]}
        for name, versions in (("ApplicationSubmitted", 3), ("ApplicationDeclined", 3), ("WorkItemScheduled", 3),
                               ("OfferMailed", 2)):
            for version in range(1, versions + 1):
                self.assertGreater(by[name, version]["events"], 0, name)
        read = {key: (v["read"], [(b["type"].split(".")[1], b["version"]) for b in v["becomes"]]) for key, v in by.items()}
        self.assertEqual(read["ApplicationSubmitted", 1], ("upcast", [("ApplicationSubmitted", 3)]))
        self.assertEqual(read["ApplicationSubmitted", 3], ("today", [("ApplicationSubmitted", 3)]))
        self.assertEqual(sorted(read["ApplicationDeclined", 2][1]), [("ApplicationDeclined", 3), ("DeclineLetterSent", 1)])
        self.assertEqual(read["OfferMailed", 1], ("upcast", [("OfferSent", 1)]))
        self.assertEqual(read["ReminderPrinted", 1], ("upcast", []))
        self.assertEqual(by["ReminderPrinted", 1]["dropped"], REMINDERS)
        self.assertEqual(found["snapshots"]["entities"], found["snapshots"]["usable"] + found["snapshots"]["to_be_rebuilt"])
        self.assertGreater(found["snapshots"]["other_revision"], 0)

    def first_of(self, found, name, version):
        (group,) = [v for v in found["versions"] if (v["type"], v["version"]) == (name, version)]
        return group

    def test_without_one_upcaster_check_names_type_version_and_place(self):
        flags = self.written_by_three()
        whole = self.found(flags)
        for name, (variable, version) in GAPS.items():
            app = os.environ[variable]
            found = self.found(flags, app, exit_code=1)
            bad = {(v["type"], v["version"]) for v in found["versions"] if v["failed"]}
            self.assertEqual(bad, {(name, v) for v in range(1, version + 1)})
            group = self.first_of(found, name, version)
            self.assertEqual((group["failed"], group["code"]), (group["events"], "UNKNOWN_SCHEMA"))
            self.assertEqual(group["events"], self.first_of(whole, name, version)["events"])
            # Nothing of the kind stands before it in its partition, and none in a partition below.
            self.check_first(flags, group)
            text = self.perdure("schema", "check", *flags, "--app", app).stdout
            self.assertIn("%s version %d, fingerprint %s" % (name, version, group["fingerprint"]), text)
            place = group["failed_first"]
            self.assertIn("the first is %s, seq %d, at partition %d, offset %d\n"
                          % (group["failed_entity"], group["failed_seq"], place["partition"], place["offset"]), text)
            listed = self.works(COMMAND, "schema", "list", "--app", app)
            self.assertEqual("MISSING" in listed, version == 2)
            # Nothing that would have to read it opens.
            done = self.perdure("rebuild-store", *flags, "--app", app, "--yes")
            if version == 2:
                self.assertEqual(done.returncode, 2)
                self.assertIn("%s version %d" % (name, version), done.stderr)

    def check_first(self, flags, group):
        fingerprint = bytes.fromhex(group["fingerprint"])[::-1]
        with sqlite3.connect(self.path(flags[1].split(":")[1])) as db:
            for partition in range(group["failed_first"]["partition"] + 1):
                row = db.execute("SELECT min(offset) FROM record_%d WHERE substr(value, 3, 8) = ?" % partition,
                                 (fingerprint,)).fetchone()
                wanted = group["failed_first"]["offset"] if partition == group["failed_first"]["partition"] else None
                self.assertEqual(row[0], wanted)
        db.close()


@unittest.skipUnless(SERVERS, "no servers")
class OnServers(OnSqlite):
    def journal(self, name):
        run = "%s_%08x" % (name, random.getrandbits(32))
        return ["--journal", "kafka://%s/history-%s" % (os.environ["PERDURE_TEST_KAFKA"], run), "--store",
                "%s%sschema=history_%s" % (os.environ["PERDURE_TEST_POSTGRES"],
                                           "&" if "?" in os.environ["PERDURE_TEST_POSTGRES"] else "?", run)]

    def forget_states(self, flags):
        """Another revision's states are none of today's: the same as if they weren't there."""
        url, schema = re.match(r"(.*?)[?&]schema=(\w+)$", flags[3]).groups()
        self.works("psql", url, "-q", "-c", "DELETE FROM %s.state" % schema)

    def check_first(self, flags, group):
        pass


if __name__ == "__main__":
    unittest.main()
