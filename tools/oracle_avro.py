#!/usr/bin/env python3
"""Makes tests/golden/avro/ anew from Avro's own Java library. Needs a JDK and Maven, and for resolution.txt the
program that makes triples:

    oracle_avro.py [BUILD]    BUILD: a built tree, as build/release

tests/golden/avro/schemas.txt     written by hand: one schema a line
                 canonical.txt    for each: fingerprint and Parsing Canonical Form, or "refused"
                 data.txt         random values of the tests' schemas: name, bytes, bytes with sized blocks, JSON
                 resolution.txt   pairs of schemas with data, and what the reader sees (tests/support/triple.h)
"""
import os
import shutil
import subprocess
import sys
import tempfile

SEED, COUNT = "20120930", "40"
TRIPLES = ["make", "1", "2400"]


def run_java(library, program, *arguments):
    command = ["java", "-cp", os.path.join(library, "*"), os.path.join(ORACLE, program), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def write(name, content):
    with open(os.path.join(GOLDEN, name), "wb") as file:
        file.write(content)


HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "oracle_avro")
ROOT = os.path.dirname(HERE)
GOLDEN = os.path.join(ROOT, "tests", "golden", "avro")


def resolution(build, folder, library):
    triples = os.path.join(folder, "triples.txt")
    with open(triples, "wb") as file:
        subprocess.run([os.path.join(build, "tests", "resolution", "triples"), *TRIPLES], check=True, stdout=file)
    write("resolution.txt", run_java(library, "Resolve.java", triples))


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] == ["--help"]:
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    folder = tempfile.mkdtemp(prefix="pdr-oracle-")
    try:
        library = os.path.join(folder, "lib")
        subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(ORACLE, "pom.xml"), "dependency:copy-dependencies",
                        "-DincludeScope=runtime", "-DoutputDirectory=" + library], check=True)
        schemas = [os.path.join(ROOT, "tests", "unit", "schemas", name) for name in ("every.avsc", "small.avsc")]
        write("canonical.txt", run_java(library, "Oracle.java", "canonical", os.path.join(GOLDEN, "schemas.txt")))
        write("data.txt", run_java(library, "Oracle.java", "data", SEED, COUNT, *schemas))
        if len(sys.argv) == 2:
            resolution(sys.argv[1], folder, library)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
