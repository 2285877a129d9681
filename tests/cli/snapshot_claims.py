"""Claims about snapshot list, show and drop, for every backend: states are a cache; what is dropped comes back from the
log."""
import json
import os
import subprocess

from programs import COMMAND, LOANS_APP

DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)
LOANS_APP_V1, LOANS_LOAD_V1 = os.environ["PDR_LOANS_APP_V1"], os.environ["PDR_LOANS_LOAD_V1"]


class SnapshotClaims:
    """Mixed into a test case that has journal(name): the flags of a fresh journal. Loaded by version 1 of the program;
    today's states were made beside."""

    def setUp(self):
        super().setUp()
        self.flags = self.journal("x")
        self.works(LOANS_LOAD_V1, *self.flags, "--stop-after", "400")
        self.works(COMMAND, "snapshot", "rebuild", *self.flags, "--app", LOANS_APP)

    def snapshot(self, verb, *words, app=LOANS_APP):
        more = ["--app", app] if app else []
        return self.works(COMMAND, "snapshot", verb, *words, *self.flags, *more)

    def rows(self, *words, **more):
        return [json.loads(line) for line in self.snapshot(*words, "--json", **more).splitlines()]

    def dumped(self, app=LOANS_APP):
        return [json.loads(line) for line in self.dump(*self.flags, "--app", app).splitlines()]

    # --- list ---

    def test_counts_are_those_of_a_dump(self):
        wanted = {}
        for row in self.dumped():
            found = wanted.setdefault(row["revision"], [0, 0])
            found[0] += 1
            found[1] += row["state_seq"] < row["seq"]
        rows = self.rows("list")
        self.assertEqual(len(rows), 2)
        self.assertEqual({r["revision"]: [r["states"], r["behind"]] for r in rows}, wanted)
        self.assertEqual(sorted(r["use"] for r in rows), ["not used", "today"])
        self.assertEqual([r["revision"] for r in rows], sorted(r["revision"] for r in rows))
        for row in rows:
            self.assertEqual(row["type"], "loan")
            self.assertTrue(0 < row["largest"] <= row["bytes"] <= row["largest"] * row["states"])

    def test_another_program_uses_the_others(self):
        today = {r["revision"]: r["use"] for r in self.rows("list")}
        then = {r["revision"]: r["use"] for r in self.rows("list", app=LOANS_APP_V1)}
        self.assertEqual({r for r, use in today.items() if use == "today"}, {r for r, use in then.items() if use != "today"})
        self.assertEqual({r["use"] for r in self.rows("list", app=None)}, {"unknown"})

    def test_people_get_a_line_each(self):
        lines = self.snapshot("list").splitlines()
        self.assertEqual(len(lines), 2)
        for line, row in zip(lines, self.rows("list")):
            self.assertIn("loan  %s  %s" % (row["revision"], row["use"]), line)
            self.assertIn("%d states, %d bytes" % (row["states"], row["bytes"]), line)

    def test_another_type_has_none(self):
        self.assertEqual(len(self.rows("list", "--type", "loan")), 2)
        self.assertEqual(self.rows("list", "--type", "loa"), [])

    # --- show ---

    def test_each_state_is_as_in_a_dump(self):
        dumped = self.dumped()
        for row in dumped[:6]:
            shown = self.rows("show", row["entity"], "--revision", row["revision"])
            self.assertEqual(len(shown), 1)
            for name in ("entity", "partition", "revision", "seq", "state_seq", "state_hex"):
                self.assertEqual(shown[0].get(name), row.get(name), name)
            if "state" in row:
                self.assertEqual(shown[0]["use"], "today")
                self.assertEqual(set(shown[0]["state"]), set(row["state"]))
                self.assertEqual(shown[0]["state"]["status"], row["state"]["status"])
            self.assertEqual(len(self.rows("show", row["entity"])), 2)

    def test_without_an_application_it_is_hexadecimal(self):
        entity = self.dumped()[0]["entity"]
        for row in self.rows("show", entity, app=None):
            self.assertEqual(len(row["state_hex"]), 2 * row["bytes"])
            self.assertEqual(row["use"], "unknown")

    def test_people_get_a_line_about_it_and_the_state(self):
        entity = self.dumped()[0]["entity"]
        today = [r for r in self.rows("show", entity) if r["use"] == "today"][0]
        lines = self.snapshot("show", entity, "--revision", today["revision"]).splitlines()
        self.assertIn("revision %s (today), of the first %d events of %d" % (today["revision"], today["state_seq"],
                                                                             today["seq"]), lines[0])
        self.assertEqual(json.loads(lines[1]), today["state"])

    def test_what_is_not_there_is_told(self):
        entity = self.dumped()[0]["entity"]
        flags = self.flags
        self.refuses(FAILED, ["snapshot", "show", "loan/0", *flags], "no loan/0", "perdure history")
        self.refuses(FAILED, ["snapshot", "show", entity, "--revision", "77", *flags], "2 states", "none of revision")
        self.refuses(USAGE, ["snapshot", "show", *flags], "missing: ENTITY")
        self.refuses(USAGE, ["snapshot", "show", "x" * 2000, *flags], "bytes")
        for bad in ("0x1", "today", "11112222333344445", "-1", " 1"):
            self.refuses(USAGE, ["snapshot", "show", entity, "--revision", bad, *flags], "hexadecimal")

    # --- drop ---

    def uses(self):
        return {r["use"]: r["states"] for r in self.rows("list") if r["revision"]}

    def drop(self, *words):
        return self.rows("drop", *words, "--yes")[0]["dropped"]

    def test_old_is_all_but_todays(self):
        before = self.uses()
        self.assertEqual(self.drop("--revision", "old"), before["not used"])
        self.assertEqual(self.uses(), {"today": before["today"]})
        self.assertEqual(self.drop("--revision", "old"), 0)

    def test_one_revision_one_entity_one_type_or_all(self):
        before = self.uses()
        rows = self.rows("list")
        entity = self.dumped()[0]["entity"]
        self.assertEqual(self.drop("--revision", "all", "--entity", entity), 2)
        self.assertEqual(self.drop("--revision", "old", "--entity", entity), 0)
        self.assertEqual(self.drop("--revision", rows[0]["revision"]), rows[0]["states"] - 1)
        self.assertEqual(self.drop("--revision", "all", "--type", "loa"), 0)
        self.assertEqual(self.drop("--revision", "all", "--type", "loan"), rows[1]["states"] - 1)
        self.assertEqual(self.uses(), {})
        lists = self.rows("list")
        self.assertEqual([(r["revision"], r["entities"]) for r in lists], [(None, before["today"])])

    def test_it_asks_first(self):
        before = self.snapshot("list")
        for words in (["--revision", "old"], ["--revision", "all"]):
            self.refuses(REFUSED, ["snapshot", "drop", *words, *self.flags, "--app", LOANS_APP],
                         "nothing was done", "--yes")
        self.assertEqual(self.snapshot("list"), before)

    def test_bad_flags_drop_nothing(self):
        before = self.snapshot("list")
        flags = [*self.flags, "--yes"]
        self.refuses(USAGE, ["snapshot", "drop", *flags], "--revision")
        self.refuses(USAGE, ["snapshot", "drop", "--revision", "none", *flags], "hexadecimal")
        self.refuses(USAGE, ["snapshot", "drop", "--revision", "old", *flags], "--app")
        self.refuses(USAGE, ["snapshot", "drop", "--revision", "all", "--type", "a", "--entity", "a/1", *flags], "exclude")
        self.refuses(USAGE, ["snapshot", "drop", "--revision", "all", "--type", "loan/", *flags], "'/'")
        self.assertEqual(self.snapshot("list"), before)

    def test_what_is_dropped_comes_back_when_it_is_used(self):
        states = {r["entity"]: r["state"] for r in self.dumped() if "state" in r}
        self.drop("--revision", "all")
        self.works(COMMAND, "snapshot", "rebuild", *self.flags, "--app", LOANS_APP)
        self.assertEqual({r["entity"]: r["state"] for r in self.dumped()}, states)

    def test_an_owner_at_work_goes_on(self):
        busy, quiet = self.journal("busy"), self.journal("quiet")
        load = subprocess.Popen([os.environ["PDR_LOANS_LOAD"], *busy, "--stop-after", "6000"], cwd=self.folder.name,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while load.poll() is None:
            done = self.perdure("snapshot", "drop", "--revision", "all", "--yes", *busy)
            self.assertIn(done.returncode, (DONE, FAILED, LATER), done.stderr)  # not there yet, or locked
        out, err = load.communicate()
        self.assertEqual((load.returncode, err), (0, ""), out)
        self.works(os.environ["PDR_LOANS_LOAD"], *quiet, "--stop-after", "6000")
        self.works(COMMAND, "snapshot", "rebuild", *busy, "--app", LOANS_APP)
        states = [[{r["entity"]: (r["seq"], r["state"])} for r in map(json.loads, self.dump(
            *flags, "--app", LOANS_APP).splitlines())] for flags in (busy, quiet)]
        self.assertEqual(states[0], states[1])
