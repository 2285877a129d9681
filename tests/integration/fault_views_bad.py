"""What events, operators and logs can do to a view: it is right, or it says why it isn't."""
import json
import os
import signal

from fault_world import COMMAND, KAFKA, ROWS, main
from views_world import FILES, ViewFaults

TOOL = os.environ["PDR_TOPIC_TOOL"]
POISONED = "193674"  # an application in the middle of the log


class BadViews(ViewFaults):
    NAMES = ("applications",)

    def changed_file(self, name, *changes):
        """A copy of one of the files, with texts replaced."""
        with open(os.path.join(FILES, name + ".sql"), encoding="utf-8") as file:
            text = file.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        path = os.path.join(self.folder, name + ".sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def slow(self):
        return {"project.batch.events": 500, "project.throttle": ROWS // 80}

    def retried(self, path, entity):
        """A running worker is asked to project the entity's parked events again."""
        worker = self.worker(names=[path])
        self.command("dlq", "retry", "applications", entity, "--wait", "60000")
        worker.signal(signal.SIGTERM)
        self.ends_well(worker)

    def test_a_poison_event_parks_its_entity_and_nothing_else(self):
        events = self.figures.applications[POISONED]["events"]
        path = self.changed_file("applications", ("  index (status)\n", "  index (status)\n  run once $$ alter table {table} "
                                 "add constraint poison check (application <> '%s' or events < 5) $$\n" % POISONED))
        report = self.catch_up(names=[path])["applications"]
        self.assertEqual(report["parked"], events - 4)
        self.assertLess(report["batches"], 2000)  # without it there are some hundred
        print("\nsize: the poison event found; %d batches went through" % report["batches"], flush=True)
        lacking = self.wrong()
        self.assertTrue(lacking)
        self.assertTrue(all("'%s'" % POISONED in line or line.startswith("outcomes") for line in lacking), lacking)
        self.assertEqual(self.select("select events from applications where application = '%s'" % POISONED), "4")
        self.assertEqual(self.done(), ROWS)
        letters = json.loads(self.command("dlq", "list", "applications", "--json"))
        self.assertEqual([letter["behind"] for letter in letters], [False] + [True] * (events - 5))
        self.assertIn("poison", letters[0]["reason"])
        # The event isn't mended yet: a retry finds it as it was.
        self.retried(path, "loan/" + POISONED)
        self.assertEqual(self.number("select attempts from dead_letter where not behind"), letters[0]["attempts"] + 1)
        self.assertEqual(self.wrong(), lacking)
        self.select("alter table applications__v1 drop constraint poison")
        self.retried(path, "loan/" + POISONED)
        self.are_right()

    def test_values_out_of_range_stop_a_projection_past_its_limit_of_parked_events(self):
        path = self.changed_file("applications", ("amount      numeric(14,2)", "amount      numeric(6,2)"))
        worker = self.worker("--until-caught-up", names=[path], **{"project.parked.max": 50})
        self.assertNotEqual(worker.end(), 0)
        self.assertIn("more than 50 parked events (setting project.parked.max)", worker.tail())
        self.assertIn("table applications: column amount: ", worker.tail())
        self.assertIn("more than 50 parked events", self.command("project", "status", "applications"))
        self.assertRegex(worker.tail(), r"the last, loan/\d+ seq \d+(, waits behind an earlier one)?: table applications: ")

    def refused_reset(self):
        done = self.run_in(COMMAND, "project", "reset", "applications", "--version", "1", "--yes", "--views", self.views,
                           "--settings", "project.view.schema=" + self.schema)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def table_changed_under_it(self, sql, *says):
        worker = self.worker(**self.slow())
        self.until_done(ROWS // 100, worker)
        self.select(sql)
        self.assertNotEqual(worker.end(), 0, worker.tail())
        for text in says:
            self.assertIn(text, worker.tail())
        self.assertNotEqual(self.worker("--until-caught-up").end(), 0)  # a stopped version stays stopped
        refused = self.refused_reset()
        for text in (*says, "`perdure project delete applications --all`"):
            self.assertIn(text, refused)
        self.command("project", "delete", "applications", "--all", "--yes")
        self.catch_up()
        self.are_right()

    def test_a_table_dropped_under_a_worker_stops_it(self):
        self.table_changed_under_it("drop table applications__v1 cascade", "applications")

    def test_a_table_altered_under_a_worker_stops_it(self):
        self.table_changed_under_it("alter table applications__v1 drop column changed cascade", "changed")

    def test_a_log_cut_off_below_the_position_stops_it(self):
        journal = self.kafka()
        self.journal = journal
        self.load(journal, "--stop-after", "3000")
        self.catch_up()
        self.load(journal, "--stop-after", "6000")
        before = self.rows("applications")
        for partition in range(8):
            self.works(TOOL, KAFKA, journal.schema + ".events", "drop", str(partition), "-1")
        worker = self.worker("--until-caught-up")
        self.assertNotEqual(worker.end(), 0)
        self.assertRegex(worker.tail(), r"log no longer holds the records that are needed: .*partition \d at offset \d+")
        self.assertEqual(self.rows("applications"), before)

    def test_a_log_made_again_is_refused(self):
        journal = self.kafka()
        self.journal = journal
        self.load(journal, "--stop-after", "3000")
        self.catch_up()
        before = self.rows("applications")
        self.works(TOOL, KAFKA, journal.schema + ".events", "delete")
        self.postgres('drop schema "%s" cascade' % journal.schema)
        self.load(journal, "--stop-after", "3000")
        worker = self.worker("--until-caught-up")
        self.assertNotEqual(worker.end(), 0)
        self.assertIn("another journal", worker.tail())
        self.assertEqual(self.rows("applications"), before)


if __name__ == "__main__":
    main()
