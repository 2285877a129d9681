"""Owners with a schema registry: who else reads the topic, and what happens when the registry is away."""
import json
import os
import random
import shutil
import subprocess
import sys

from fault_consumers import DECISIONS, expected
from fault_world import COMMAND, KAFKA, LOANS_APP, SKIPPED, Faults, dev, main

REGISTRY = os.environ.get("PERDURE_TEST_REGISTRY")
SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "loans", "schemas", "loan")
ROWS = 20000


def python_with_confluent():
    for python in (os.environ.get("PERDURE_TEST_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "from confluent_kafka.avro import CachedSchemaRegistryClient"],
                                     capture_output=True, check=False).returncode == 0:
            return python
    return None


class Registry(Faults):
    def setUp(self):
        super().setUp()
        os.environ["no_proxy"] = "127.0.0.1"

    def with_registry(self):
        return self.kafka("?registry.url=" + REGISTRY + "&registry.attempts=1")

    def expect_consumed(self, journal, rows, topic=None):
        """By Confluent's client."""
        reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "consume_confluent.py")
        found = json.loads(self.works(python_with_confluent(), reader, KAFKA, topic or journal.schema + ".events", REGISTRY))
        entities, decisions = expected(rows)
        self.assertEqual((found["events"], found["entities"]), (rows, entities))
        self.assertEqual(sorted(found["by_id"].values()), sorted(found["names"]))
        for name in DECISIONS.values():
            self.assertEqual(found["names"].get(name, 0), decisions[name], name)
        return found

    def test_confluent_clients_read_a_topic_with_a_registry_s_ids(self):
        journal = self.with_registry()
        self.load(journal, "--stop-after", str(ROWS))
        found = self.expect_consumed(journal, ROWS)
        # Our own readers: every partition, every state, and the store made anew from the log.
        self.assertEqual(self.check(journal), self.uninterrupted(ROWS))
        self.works(COMMAND, "schema", "check", *journal.flags, "--app", LOANS_APP)
        before = self.dump(journal)
        self.works(COMMAND, "rebuild-store", *journal.flags, "--app", LOANS_APP, "--yes")
        self.assertEqual(self.dump(journal), before)
        print("\nsize: confluent_clients_read_a_topic_with_a_registry_s_ids: %d events of %d types read by Confluent's client"
              % (found["events"], len(found["names"])), flush=True)

    def test_confluent_clients_read_a_projection_s_topic(self):
        journal = self.with_registry()
        topic = journal.schema + ".public"
        self.load(journal, "--stop-after", "3000")
        self.works(os.environ["PDR_TOPIC_TOOL"], KAFKA, topic, "make", "3")
        with open(os.path.join(self.folder, "public.sql"), "w", encoding="utf-8") as file:
            file.write("projection public version 1;\nto topic '%s';\n" % topic)
        flags = [*journal.flags, "--app", LOANS_APP, "--views", "sqlite:views.db"]
        self.works(COMMAND, "project", "run", "public.sql", *flags, "--until-caught-up")
        self.load(journal, "--stop-after", str(ROWS))
        self.works(COMMAND, "project", "run", "public.sql", *flags, "--until-caught-up")
        found = self.expect_consumed(journal, ROWS, topic)
        self.assertEqual(found["by_id"], self.expect_consumed(journal, ROWS)["by_id"], "the ids of the log's own events")

    def register(self, *words):
        return self.run_in(COMMAND, "schema", "register", *words, "--registry", REGISTRY, "--json")

    def test_schema_register_gives_the_registry_what_owners_write(self):
        journal = self.with_registry()
        topic = journal.schema + ".events"
        shutil.copytree(SCHEMAS, os.path.join(self.folder, "schemas"))
        done = self.register("schemas", "--topic", topic)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        ids = {}
        for line in told:
            if "id" in line:
                ids.setdefault(line["subject"], []).append(line["id"])
        versions = [(line["subject"], line["version"]) for line in told if "id" in line]
        self.assertEqual(versions, sorted(versions), "oldest first")
        self.load(journal, "--stop-after", "2000")
        found = self.expect_consumed(journal, 2000)
        newest = {subject[len(topic) + 1:].rsplit(".", 1)[1]: numbers[-1] for subject, numbers in ids.items()}
        self.assertEqual(found["by_id"], {str(newest[name]): name for name in found["names"]}, "no version more was made")

    def test_what_the_registry_refuses_is_not_released(self):
        name, folder = "refused%d" % random.getrandbits(32), os.path.join(self.folder, "refused")
        os.makedirs(folder)

        def put(number, kind):
            with open(os.path.join(folder, name + ".v%d.avsc" % number), "w", encoding="utf-8") as file:
                json.dump({"type": "record", "name": name, "fields": [{"name": "amount", "type": kind}]}, file)

        put(1, "int")
        self.assertEqual(self.register(folder, "--subject", "record").returncode, 0)
        with open(os.path.join(folder, "schemas.lock"), encoding="utf-8") as file:
            before = file.read()
        self.works("curl", "--silent", "--fail", "-X", "PUT", "-H", "Content-Type: application/json", "--data",
                   '{"compatibility":"BACKWARD"}', "%s/config/%s" % (REGISTRY, name))
        put(2, "string")
        done = self.register(folder, "--subject", "record")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("isn't compatible with the latest version of subject " + name, done.stderr)
        with open(os.path.join(folder, "schemas.lock"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)

    def test_a_registry_that_is_away_stops_no_owner(self):
        journal = self.with_registry()
        loader = self.loader(journal, "--rate", "4000", "--stop-after", str(ROWS))
        loader.until_fresh(ROWS // 4)
        self.addCleanup(dev, "start", "registry")
        dev("stop", "registry")
        loader.until_fresh(ROWS // 2)
        loader.kill()
        self.load(journal, "--stop-after", str(ROWS))
        self.assertEqual(self.check(journal), self.uninterrupted(ROWS))

    def test_without_ids_a_registry_that_is_away_is_said(self):
        dev("stop", "registry")
        self.addCleanup(dev, "start", "registry")
        journal = self.with_registry()
        loader = self.loader(journal, "--stop-after", "10", "--patience", "1")
        self.assertNotEqual(loader.end(), 0)
        self.assertIn("needed once for each new event type", loader.tail())


if __name__ == "__main__":
    if not REGISTRY or not python_with_confluent():
        print("skipped: PERDURE_TEST_REGISTRY isn't set (./dev services up --registry), or no Python has confluent_kafka and "
              "avro; ./dev test installs both")
        sys.exit(SKIPPED)
    main()
