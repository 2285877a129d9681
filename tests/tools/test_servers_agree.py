"""Claims about the two ways to get the servers: ./dev services and docker-compose.yml are the same."""
import os
import re
import unittest

import yaml

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def first(pattern, text):
    return re.search(pattern, text, re.MULTILINE).group(1)


def properties(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


class ServersAgree(unittest.TestCase):
    def setUp(self):
        self.services = yaml.safe_load(text_of("docker-compose.yml"))["services"]

    def test_kafka_has_one_version(self):
        version = first(r"<kafka\.version>(.*)</kafka\.version>", text_of("tools", "kafka", "pom.xml"))
        self.assertEqual(self.services["kafka"]["image"], "apache/kafka:" + version)
        self.assertIn("kafka_2.13-%s.jar" % version, text_of("tools", "kafka", "SHA256SUMS"))

    def test_postgresql_has_one_version(self):
        version = first(r"^POSTGRES_VERSION=(\d+)$", text_of("tools", "dev", "postgres.sh"))
        self.assertEqual(self.services["postgres"]["image"], "postgres:" + version)

    def test_the_registry_has_one_version(self):
        version = first(r"<registry\.version>(.*)</registry\.version>", text_of("tools", "registry", "pom.xml"))
        self.assertEqual(self.services["registry"]["image"], "apicurio/apicurio-registry-mem:" + version)
        self.assertIn("apicurio-registry-app-%s-all.tar.gz" % version, text_of("tools", "registry", "SHA256SUMS"))

    def test_the_first_ports_tried_are_those_of_docker(self):
        script = text_of("tools", "dev", "services.sh")
        kafka, postgres = first(r"KAFKA_PORT=\$\(free_port (\d+)", script), first(r"POSTGRES_PORT=\$\(free_port (\d+)", script)
        self.assertEqual(self.services["kafka"]["ports"], ["127.0.0.1:%s:%s" % (kafka, kafka)])
        self.assertEqual(self.services["postgres"]["ports"], ["127.0.0.1:%s:5432" % postgres])
        registry = first(r"REGISTRY_PORT=\$\(free_port (\d+)", script)
        self.assertEqual(self.services["registry"]["ports"], ["127.0.0.1:%s:8080" % registry])
        self.assertIn("127.0.0.1:" + kafka, self.services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"])

    def test_nothing_is_offered_to_other_machines(self):
        for name, service in self.services.items():
            for port in service["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), name)

    def test_settings_that_both_name_are_equal(self):
        ours = properties(text_of("tools", "kafka", "server.properties.in"))
        theirs = self.services["kafka"]["environment"]
        differs_by_place = ("listeners", "log.dirs", "controller.quorum.voters", "advertised.listeners")
        compared = 0
        for name, value in ours.items():
            other = theirs.get("KAFKA_" + name.upper().replace(".", "_"))
            if other is not None and name not in differs_by_place:
                self.assertEqual(other, value, name)
                compared += 1
        self.assertGreaterEqual(compared, 12)


if __name__ == "__main__":
    unittest.main()
