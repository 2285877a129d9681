#!/usr/bin/env python3
"""Makes tests/golden/avro/ anew from Avro's own Java library. Needs a JDK and Maven.

tests/golden/avro/schemas.txt   written by hand: one schema a line
                 canonical.txt  for each: fingerprint and Parsing Canonical Form, or "refused"
                 data.txt       random values of the tests' schemas: name, bytes, bytes with sized blocks, JSON
"""
import os
import shutil
import subprocess
import sys
import tempfile

VERSION = "1.11.4"
SEED, COUNT = "20120930", "40"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>perdure</groupId><artifactId>oracle</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.avro</groupId><artifactId>avro</artifactId><version>%s</version></dependency></dependencies>
</project>"""


def run_java(library, *arguments):
    command = ["java", "-cp", os.path.join(library, "*"), os.path.join(HERE, "oracle_avro", "Oracle.java"), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def write(name, content):
    with open(os.path.join(GOLDEN, name), "wb") as file:
        file.write(content)


HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
GOLDEN = os.path.join(ROOT, "tests", "golden", "avro")


def main():
    if len(sys.argv) > 1:
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    folder = tempfile.mkdtemp(prefix="pdr-oracle-")
    try:
        with open(os.path.join(folder, "pom.xml"), "w", encoding="utf-8") as file:
            file.write(POM % VERSION)
        subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
                        "-DoutputDirectory=lib"], cwd=folder, check=True)
        library = os.path.join(folder, "lib")
        schemas = [os.path.join(ROOT, "tests", "unit", "schemas", name) for name in ("every.avsc", "small.avsc")]
        write("canonical.txt", run_java(library, "canonical", os.path.join(GOLDEN, "schemas.txt")))
        write("data.txt", run_java(library, "data", SEED, COUNT, *schemas))
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
