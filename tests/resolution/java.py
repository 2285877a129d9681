#!/usr/bin/env python3
"""Claim: plans read what Avro's Java library reads, on triples made anew (tests/support/triple.h).

PDR_TRIPLES names the program that makes and checks them, PERDURE_TEST_AVRO the folder with Avro's jars, which
./dev test fetches; without it, or without a JDK, the claim is skipped. At full size there are ten times as many."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SEED, COUNT, FULL = 1897, 6000, 60000
SKIPPED = 77
RESOLVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "oracle_avro", "Resolve.java")


def main():
    library = os.environ.get("PERDURE_TEST_AVRO")
    if not library or not shutil.which("javac"):
        print("skipped: ./dev test brings Avro's Java library and a JDK")
        return SKIPPED
    triples = os.environ["PDR_TRIPLES"]
    count = FULL if os.environ.get("PERDURE_TEST_SIZE") == "full" else COUNT
    jars = os.pathsep.join(sorted(glob.glob(os.path.join(library, "*.jar"))))
    with tempfile.TemporaryDirectory(prefix="pdr-resolution-") as folder:
        made, answered = os.path.join(folder, "made.txt"), os.path.join(folder, "answered.txt")
        with open(made, "wb") as file:
            subprocess.run([triples, "make", str(SEED), str(count)], check=True, stdout=file)
        with open(answered, "wb") as file:
            subprocess.run(["java", "-Xmx512m", "-cp", jars, RESOLVE, made], check=True, stdout=file)
        return subprocess.run([triples, "check", answered], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
