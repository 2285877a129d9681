"""Claims about schema golden: tests/support/shop."""
import os
import unittest

from programs import COMMAND, Programs

DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)
SHOP, GAP = os.environ["PDR_SHOP_APP"], os.environ["PDR_SHOP_GAP_APP"]


class Golden(Programs):
    def make(self, *words):
        return self.works(COMMAND, "schema", "golden", "--app", SHOP, "--out", "corpus", *words)

    def corpus(self):
        """Name to bytes."""
        found = {}
        for name in sorted(os.listdir(self.path("corpus/shop"))):
            with open(self.path("corpus/shop/" + name), "rb") as file:
                found[name] = file.read()
        return found

    def write(self, name, data):
        with open(self.path("corpus/shop/" + name), "wb") as file:
            file.write(data)

    def test_every_version_gets_a_payload_and_a_result(self):
        said = self.make()
        self.assertIn("8 payloads and 8 results made", said)
        found = self.corpus()
        self.assertEqual(len(found), 16)
        for name in ("Priced.v1", "Priced.v2", "Priced.v3", "Priced.v3.2", "Moved.v1", "Pinged.v1", "StreetSet.v1",
                     "CitySet.v1"):
            self.assertEqual(found[name + ".bin"][:2], b"\xc3\x01", name)
            self.assertIn(name + ".json", found)
        self.assertEqual(found["Pinged.v1.json"], b"")
        self.assertEqual(found["Moved.v1.json"],
                         b'{"event":"test.shop.StreetSet","version":1,"value":{"street":"street"}}\n'
                         b'{"event":"test.shop.CitySet","version":1,"value":{"city":"city"}}\n')
        self.assertEqual(found["Priced.v1.json"],
                         b'{"event":"test.shop.Priced","version":3,'
                         b'"value":{"cents":100,"currency":"EUR","reason":null}}\n')

    def test_what_is_there_is_never_changed(self):
        self.make()
        before = self.corpus()
        self.write("Moved.v1.json", b"another\n")
        self.assertIn("0 payloads and 0 results made", self.make())
        self.assertEqual(self.corpus()["Moved.v1.json"], b"another\n")
        self.refuses(FAILED, ["schema", "golden", "--app", SHOP, "--out", "corpus", "--check"], "Moved.v1.bin",
                     "is not read as it was", "line 1")
        self.assertIn("0 payloads and 8 results made", self.make("--force"))
        self.assertEqual(self.corpus(), before)
        os.remove(self.path("corpus/shop/Moved.v1.json"))
        self.refuses(FAILED, ["schema", "golden", "--app", SHOP, "--out", "corpus", "--check"], "Moved.v1.json")
        self.assertIn("0 payloads and 1 results made", self.make())
        self.assertEqual(self.corpus(), before)
        self.assertIn("8 payloads are read as they were", self.make("--check"))

    def test_a_step_left_out_is_noticed(self):
        self.make()
        self.refuses(FAILED, ["schema", "golden", "--app", GAP, "--out", "corpus", "--check"], "Moved.v1.bin",
                     "an upcaster is missing")

    def test_without_an_application_nothing_is_made(self):
        self.refuses(USAGE, ["schema", "golden"], "--app")
        self.assertEqual(os.listdir(self.folder.name), [])


if __name__ == "__main__":
    unittest.main()
