"""A projection's topic with delivery exactly-once: whoever is killed or comes back from the dead, readers see each event once."""
import json
import os
import random
import signal
import subprocess
import sys
import time

from fault_world import FULL, KAFKA, SKIPPED, main
from views_world import ViewFaults

TOOL = os.environ["PDR_TOPIC_TOOL"]
KILLS = 50 if FULL else 6


def python_with_kafka():
    for python in (os.environ.get("PERDURE_TEST_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import confluent_kafka"], capture_output=True, check=False).returncode == 0:
            return python
    return None


class TopicFaults(ViewFaults):
    SIZE = 40000
    NAMES = ("public",)

    def new_views(self):
        super().new_views()
        self.topic = self.schema + ".public"
        self.works(TOOL, KAFKA, self.topic, "make", "3")
        self.file = os.path.join(self.folder, "public.sql")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("projection public version 1;\nto topic '%s' delivery exactly-once;\n" % self.topic)

    def sender(self, *flags, slower=1):
        return self.worker(*flags, names=[self.file],
                           **{"project.batch.events": 200, "project.throttle": self.SIZE // (2 * (KILLS + 4)) // slower})

    def arrived(self):
        reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "consume_once.py")
        return json.loads(self.works(python_with_kafka(), reader, KAFKA, self.topic))

    def each_arrived_once(self):
        self.ends_well(self.worker("--until-caught-up", names=[self.file]))
        self.assertEqual(self.done("public"), self.SIZE)
        self.assertEqual(self.arrived(), {"messages": self.SIZE, "events": self.SIZE, "out_of_order": 0,
                                          "entities": len(self.figures.applications)})


class Topic(TopicFaults):
    def test_workers_of_a_topic_are_killed_and_readers_see_each_event_once(self):
        def kills(slower):
            shares = ["0-4", "3-7"]
            workers = [self.sender("--partitions", share, slower=slower) for share in shares]
            self.until_done(1, workers[0], "public")
            for _ in range(KILLS):
                time.sleep(random.uniform(0.2, 1))
                victim = random.randrange(2)
                workers[victim].kill()
                workers[victim] = self.sender("--partitions", shares[victim], slower=slower)
            return self.work_was_left("public")
        done = self.until_met(kills)
        self.kill_all()
        self.each_arrived_once()
        print("\nsize: %d kills of a topic's workers; %d of %d events sent by the last one" % (KILLS, done, self.SIZE), flush=True)

    def test_a_topic_s_worker_that_comes_back_after_another_took_over_sends_nothing(self):
        first = self.sender()
        self.until_done(2000, first, "public")
        for _ in range(3):
            first.stop()
            second = self.sender()
            self.until_done(min(self.done("public") + 1000, self.SIZE), second, "public")
            first.signal(signal.SIGCONT)
            time.sleep(0.5)
            first.kill()
            first = second
        first.kill()
        self.each_arrived_once()

    def test_a_database_that_lags_behind_its_topic_is_brought_up(self):
        """As if a process had died between the two: the position is where it was before the last batches."""
        before = self.sender("--partitions", "0", slower=4)  # of 5,000 events, that is; they last for ten seconds
        self.until_done(200, before, "public")
        before.stop()
        kept = self.select("select \"offset\", term_offset, term_incarnation, number, events from projection_position"
                           " where partition = 0")
        before.signal(signal.SIGCONT)
        self.until_done(int(kept.rsplit("|", 1)[1]) + 600, before, "public")
        before.kill()
        self.select("update projection_position set (\"offset\", term_offset, term_incarnation, number, events) = (%s)"
                    " where partition = 0" % kept.replace("|", ","))
        after = self.worker("--until-caught-up", names=[self.file])
        self.ends_well(after)
        self.assertIn("already; the position follows", "\n".join(after.errors))
        found = self.arrived()
        self.assertEqual((found["messages"], found["events"], found["out_of_order"]), (self.SIZE, self.SIZE, 0))


class Few(TopicFaults):
    SIZE = 30

    def test_a_topic_that_deletes_old_events_is_warned_of(self):
        def warnings():
            worker = self.worker("--until-caught-up", names=[self.file])
            self.ends_well(worker)
            return [line for line in worker.errors if "retention.ms=-1" in line]
        self.assertEqual(warnings(), [])
        self.works(TOOL, KAFKA, self.topic, "set", "retention.ms", "604800000")
        self.assertEqual(len(warnings()), 1)
        self.assertIn("warning: kafka topic %s: RETENTION: the broker deletes" % self.topic, warnings()[0])
        self.works(TOOL, KAFKA, self.topic, "set", "message.timestamp.type", "LogAppendTime")
        self.assertEqual(warnings(), [])

    def test_parked_events_of_a_topic_are_sent_once_though_the_database_forgets_that_they_were(self):
        self.works(TOOL, KAFKA, self.topic, "set", "max.message.bytes", "100")
        self.ends_well(self.worker("--until-caught-up", names=[self.file]))
        self.assertEqual(self.number("select count(*) from dead_letter"), self.SIZE)
        self.assertEqual(self.arrived()["messages"], 0)
        self.works(TOOL, KAFKA, self.topic, "set", "max.message.bytes", "1000000")
        self.select("create table kept as select * from dead_letter")
        entities = self.select("select distinct entity from dead_letter").split()
        worker = self.worker(names=[self.file])
        self.command("dlq", "retry", "public", entities[0], "--wait", "60000")
        sent = self.arrived()["messages"]
        self.assertEqual(sent, self.number("select count(*) from kept where entity = '%s'" % entities[0]))
        worker.kill()
        self.select("insert into dead_letter select * from kept where entity = '%s'" % entities[0])
        worker = self.worker(names=[self.file])
        for entity in entities:
            self.command("dlq", "retry", "public", entity, "--wait", "60000")
        self.assertIn("already; the position follows", "\n".join(worker.errors))
        self.each_arrived_once()


if __name__ == "__main__":
    if not python_with_kafka():
        print("skipped: no Python has confluent_kafka")
        sys.exit(SKIPPED)
    main()
