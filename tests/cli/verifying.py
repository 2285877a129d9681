"""What is claimed about perdure verify on SQLite and, with the same words, on Kafka and PostgreSQL."""
import csv
import gzip
import json
import os
import subprocess

from programs import COMMAND, LOANS_APP

DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED, STOPPED = range(7)
FORGE, LOAD = os.environ["PDR_FORGE"], os.environ["PDR_LOANS_LOAD"]
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "loans", "data",
                    "loan_applications.csv.gz")
PARTITIONS = 16

# What a forged record breaks first, and whether the finding names its entity.
FORGED = [("term", "one-term-in-force", False), ("repeat", "one-term-in-force", False), ("malformed", "framing", False),
          ("gap", "seq-contiguous", True), ("twice", "seq-contiguous", True), ("backlink", "backlinks", True),
          ("framing", "framing", True), ("schema", "schemas", True), ("datum", "readable", True),
          ("id", "once-per-command-id", True), ("commit", "all-or-none", False), ("partition", "partition", True),
          ("journal", "journal-id", False), ("partitions", "journal-id", False), ("format", "format", False)]
FOLLOWS = {("framing", "readable")}  # a value without framing can't be read either


def first_rows(count):
    """The applications of the first rows of the bank's log."""
    with gzip.open(DATA, "rt", newline="") as file:
        rows = csv.DictReader(file)
        return [row["application"] for row, _ in zip(rows, range(count))]


class Verifying:
    """Mixed into Programs. `journal` and `store` are URLs; `store_sql` runs statements in the store."""
    def verify(self, code, *flags, app=True):
        """Findings and totals; the exit code must be this."""
        words = ["verify", "--journal", self.journal, "--store", self.store, "--json", *flags]
        done = self.perdure(*words, *(["--app", LOANS_APP] if app else []))
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(lines[-1]["findings"], len(lines) - 1, "not all are shown")
        return lines[:-1], lines[-1]

    def is_clean(self, **more):
        findings, totals = self.verify(DONE, **more)
        self.assertEqual(findings, [])
        return totals

    def forge(self, kind, partition):
        return json.loads(self.works(FORGE, self.journal, str(partition), kind))

    def make(self, rows):
        self.works(COMMAND, "init", "--journal", self.journal, "--store", self.store, "--partitions", str(PARTITIONS))
        self.load(self.journal, rows, "--store", self.store)

    # --- claims ---

    def test_what_a_loader_wrote_keeps_all_rules(self, rows=6000):
        self.make(rows)
        totals = self.is_clean()
        applications = first_rows(rows)
        self.assertEqual((totals["events"], totals["entities"]), (rows, len(set(applications))))
        self.assertEqual((totals["heads"], totals["states"]), (totals["entities"], totals["entities"]))
        self.assertEqual(totals["not_looked_at"],
                         {"events": 0, "other_states": 0, "states": 0, "backlinks": 0, "store": False})
        without = self.is_clean(app=False)
        self.assertEqual((without["events"], without["not_looked_at"]["events"], without["states"]), (rows, rows, 0))

    def test_beside_a_loader_at_work_nothing_is_found(self, rows=20000, rate=10000):
        self.works(COMMAND, "init", "--journal", self.journal, "--store", self.store, "--partitions", str(PARTITIONS))
        seen, before, loaded = [], 0, 0
        while not [n for n in seen if before < n < loaded]:  # none was made while it wrote: once more, slower
            self.assertGreater(rate, 10)
            before, loaded = loaded, loaded + rows
            loader = subprocess.Popen([LOAD, "--journal", self.journal, "--store", self.store, "--stop-after", str(loaded),
                                       "--rate", str(rate)], cwd=self.folder.name, stdout=subprocess.DEVNULL)
            self.addCleanup(loader.kill)
            seen = []
            while loader.poll() is None:
                seen.append(self.is_clean()["events"])
            self.assertEqual(loader.returncode, 0)
            self.assertEqual(seen, sorted(seen))
            self.assertEqual(self.is_clean()["events"], loaded)
            rate //= 4

    def test_records_that_no_owner_would_write_are_found(self, rows=3000):
        self.make(rows)
        forged = {}
        for partition, (kind, _, _) in enumerate(FORGED):
            forged[partition] = self.forge(kind, partition)
        sound = self.forge("sound", len(FORGED))
        findings, totals = self.verify(DAMAGED)
        for partition, (kind, invariant, named) in enumerate(FORGED):
            here = [f for f in findings if f["partition"] == partition]
            self.assertTrue(here, kind)
            self.assertEqual({f["invariant"] for f in here} - {b for a, b in FOLLOWS if a == kind}, {invariant}, here)
            for f in here:
                self.assertEqual(f["offset"], forged[partition]["offset"], f)
                self.assertTrue(f["expected"] and f["found"], f)
                if named:
                    self.assertEqual((f["entity"], f["seq"]), (forged[partition]["entity"], forged[partition]["seq"]), f)
        self.assertEqual([f for f in findings if f["partition"] == sound["partition"]], [], "an event like any other")
        self.assertEqual(totals["by_invariant"]["seq-contiguous"], 2)

    def test_rows_of_the_store_that_are_not_the_logs_are_found(self, rows=3000):
        self.make(rows)
        heads = self.heads()
        self.assertGreater(len(heads), 60)
        of = {p: [key for key, partition in heads if partition == p] for p in range(PARTITIONS)}
        e = {name: of[i + 4][0] for i, name in enumerate(
            ["raised", "moved", "emptied", "damaged", "gone", "spoilt", "older", "elsewhere"])}
        self.store_sql(
            "UPDATE {head} SET seq = seq + 3 WHERE key = '%s'" % e["raised"],
            "UPDATE {head} SET last_number = last_number + 1 WHERE key = '%s'" % e["moved"],
            "UPDATE {head} SET ids = {empty} WHERE key = '%s'" % e["emptied"],
            "UPDATE {head} SET ids = {junk} WHERE key = '%s'" % e["damaged"],
            "DELETE FROM {state} WHERE key = '%s'" % e["gone"],
            "DELETE FROM {head} WHERE key = '%s'" % e["gone"],
            "UPDATE {state} SET {bytes} = {junk} WHERE key = '%s'" % e["spoilt"],
            "UPDATE {head} SET partition = 1 WHERE key = '%s'" % e["elsewhere"],
            "UPDATE {state} SET seq = seq + 1 WHERE key = '%s'" % e["older"],
            "UPDATE {row} SET checkpoint_number = checkpoint_number + 1 WHERE partition = 0",
            "UPDATE {row} SET seen_offset = seen_offset + 100000 WHERE partition = 1",
            "UPDATE {row} SET term_incarnation = term_incarnation + 1 WHERE partition = 2",
            "UPDATE {row} SET seen_offset = 0, seen_number = 0 WHERE partition = 3")
        findings, _ = self.verify(DAMAGED)
        found = {(f["invariant"], f.get("entity", f["partition"])) for f in findings}
        # seen of partition 3: another record's, and heads behind it
        highest = [f for f in findings if f["partition"] == 3 and "entity" in f]
        self.assertEqual([f["invariant"] for f in highest], ["positions"])
        self.assertEqual(found - {("positions", highest[0]["entity"])},
                         {("heads", e["raised"]), ("heads", e["moved"]), ("heads", e["emptied"]), ("heads", e["damaged"]),
                          ("checkpoint-covers", e["gone"]), ("snapshot-is-a-prefix", e["spoilt"]),
                          ("snapshot-is-a-prefix", e["older"]), ("partition", e["elsewhere"]),
                          ("positions", 0), ("positions", 1), ("positions", 2)} |
                         ({("positions", 3)} & found))
        self.works(COMMAND, "rebuild-store", "--journal", self.journal, "--store", self.store, "--app", LOANS_APP, "--yes")
        self.is_clean()
