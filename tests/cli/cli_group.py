"""Claims about consumer groups: workers of one projection that come and go, on Kafka and PostgreSQL."""
import json
import os
import signal
import subprocess
import unittest
import uuid

from programs import COMMAND, LOANS_APP, Programs

KAFKA = os.environ.get("PERDURE_TEST_KAFKA")
POSTGRES = os.environ.get("PERDURE_TEST_POSTGRES")
ROWS = 20000

DEFINITION = """
projection %s version 1;
table %s (application text, events bigint not null default 0, newest bigint, primary key (application))
    key entity (entity.key);
on %s upsert %s set events = events + 1, newest = seq;
"""
EVENTS = ("ApplicationSubmitted ApplicationPartlySubmitted ApplicationPreaccepted ApplicationAccepted "
          "ApplicationFinalized ApplicationApproved ApplicationRegistered ApplicationActivated ApplicationDeclined "
          "ApplicationCancelled DeclineLetterSent OfferSelected OfferCreated OfferSent OfferSentBack OfferAccepted "
          "OfferDeclined OfferCancelled WorkItemScheduled WorkItemStarted WorkItemCompleted").split()


@unittest.skipUnless(KAFKA and POSTGRES, "PERDURE_TEST_KAFKA or PERDURE_TEST_POSTGRES isn't set")
class Group(Programs):
    def setUp(self):
        super().setUp()
        self.name = "g" + uuid.uuid4().hex[:12]
        glue = "&" if "?" in POSTGRES else "?"
        self.flags = {"PERDURE_JOURNAL": "kafka://%s/%s" % (KAFKA, self.name),
                      "PERDURE_STORE": "%s%sschema=%s" % (POSTGRES, glue, self.name), "PERDURE_APP": LOANS_APP}
        with open(self.path("counts.sql"), "w", encoding="utf-8") as file:
            events = ", ".join("loans." + event for event in EVENTS)
            file.write(DEFINITION % (self.name, self.name, events, self.name))
        self.works(COMMAND, "init", "--partitions", "6", **self.flags)
        self.addCleanup(self.perdure, "project", "delete", self.name, "--all", "--yes", **self.flags)
        self.workers = []

    def load_up_to(self, rows):
        self.works(os.environ["PDR_LOANS_LOAD"], "--journal", self.flags["PERDURE_JOURNAL"], "--stop-after", str(rows),
                   **self.flags)

    def join(self, name):
        env = dict(os.environ, **self.flags)
        worker = subprocess.Popen([COMMAND, "project", "run", "counts.sql", "--group", "--name", name, "--json",
                                   "--settings", "kafka.session.timeout.ms=6000,kafka.heartbeat.interval.ms=500"],
                                  cwd=self.folder.name, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(worker.stdout.close)
        self.addCleanup(worker.kill)
        return worker

    def leave(self, worker):
        self.until_heeds(worker, signal.SIGTERM)
        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=240)
        self.assertEqual(worker.returncode, 0)
        return json.loads(out)["projections"][0]

    def status(self):
        done = self.perdure("project", "status", self.name, "--json", "--over", "0", **self.flags)
        return json.loads(done.stdout)[0] if done.returncode == 0 else None

    def until_projected(self, rows):
        def projected():
            status = self.status()
            return status and status["events"] == rows and status["lag_events"] == 0
        self.until("%d events projected" % rows, projected)

    def works_too(self, name):
        status = self.status()
        return status and name in {part["worker"] for part in status["partitions"]}

    def counts(self):
        query = "SELECT count(*), sum(events), count(*) FILTER (WHERE events <> newest) FROM " + self.name
        psql = self.works("psql", "-XAtq", "-c", query, POSTGRES)
        return tuple(int(number) for number in psql.strip().split("|"))

    def test_each_event_is_once_in_the_rows_while_workers_join_and_leave(self):
        self.load_up_to(ROWS)
        one, two = self.join("one"), self.join("two")
        self.until_projected(ROWS)
        three = self.join("three")
        rows = ROWS
        # Partitions move while events come.
        while not self.works_too("three"):
            self.assertLess(rows, 200000, "the third never gets a partition")
            rows += 1000
            self.load_up_to(rows)
            self.until_projected(rows)
        self.leave(one)
        two.kill()
        self.load_up_to(rows + 3000)
        self.until_projected(rows + 3000)
        self.leave(three)
        entities, events, wrong = self.counts()
        self.assertEqual((events, wrong), (rows + 3000, 0))
        self.assertGreater(entities, 500)

    def test_all_partitions_come_to_the_one_that_is_left(self):
        self.load_up_to(2000)
        one, two = self.join("one"), self.join("two")
        self.until_projected(2000)
        self.leave(one)
        self.load_up_to(8000)
        self.until_projected(8000)
        self.assertGreater(self.leave(two)["events"], 0)
        self.assertEqual(self.counts()[1:], (8000, 0))


if __name__ == "__main__":
    unittest.main()
