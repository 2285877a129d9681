"""Programs that aren't ours read the topic: kcat brings the records, Avro's Python library decodes them."""
import collections
import csv
import gzip
import json
import os
import shutil
import subprocess
import sys

from fault_world import FULL, KAFKA, ROWS, SKIPPED, Faults, main

END = "<<end of the record 5b1f0a5a7d1c4d0e>>"
DATA = os.environ["PDR_LOANS_DATA"]
DECISIONS = {"A_APPROVED": "ApplicationApproved", "A_DECLINED": "ApplicationDeclined", "A_CANCELLED": "ApplicationCancelled",
             "A_SUBMITTED": "ApplicationSubmitted"}


def python_with_avro():
    for python in (os.environ.get("PERDURE_TEST_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import avro"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def expected(rows):
    """Counted in the file itself."""
    applications, decisions = set(), collections.Counter()
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        for row, _ in zip(csv.DictReader(file), range(rows)):
            applications.add(row["application"])
            decisions[DECISIONS.get(row["activity"])] += 1
    return len(applications), decisions


class Consumers(Faults):
    def test_consumers_read_the_topic(self):
        rows = ROWS if FULL else 60000
        journal = self.kafka()
        self.load(journal, "--stop-after", str(rows))
        path = os.path.join(self.folder, "records")
        with open(path, "wb") as file:
            done = subprocess.run(["kcat", "-C", "-e", "-q", "-b", KAFKA, "-t", journal.schema + ".events", "-o", "beginning",
                                   "-f", "%p %o %K %S\n%k%s%h" + END], stdout=file, stderr=subprocess.PIPE, check=False,
                                  timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "consume_avro.py")
        found = json.loads(self.works(python_with_avro(), reader, path, END))
        entities, decisions = expected(rows)
        self.assertEqual(found["wrong"], [])
        self.assertEqual((found["events"], found["entities"]), (rows, entities))
        for name in DECISIONS.values():
            self.assertEqual(found["names"].get(name, 0), decisions[name], name)
        print("\nsize: consumers_read_the_topic: %d events of %d types read by kcat and Avro's Python library"
              % (found["events"], len(found["names"])), flush=True)


if __name__ == "__main__":
    if not shutil.which("kcat") or not python_with_avro():
        print("skipped: no kcat, or no Python with the module avro (PERDURE_TEST_PYTHON); ./dev test installs both")
        sys.exit(SKIPPED)
    main()
