#!/usr/bin/env python3
"""Claim: Avro's own test cases of schema resolution come out in perdure as they do there.

They are those of Avro's Python library (avro.test.test_compatibility, which follows the Java library's), taken while they
run: each pair of schemas that they ask about, with the answer. A pair is compatible if every datum of the writer's can be
read. Data of each pair are also read through a plan and through the model of resolution."""
import json
import os
import subprocess
import sys
import unittest

SKIPPED = 77

# What perdure doesn't take for a schema (docs/formats/avro.md, "Stricter than the specification").
EMPTY_UNION = "[]"


def collect():
    """(reader, writer, compatible) of each question that Avro's test cases ask."""
    from avro import compatibility
    from avro.test import test_compatibility
    asked = {}
    real = compatibility.ReaderWriterCompatibilityChecker.get_compatibility

    def get_compatibility(self, reader, writer, *more):
        result = real(self, reader, writer, *more)
        if not more:
            compatible = result.compatibility is compatibility.SchemaCompatibilityType.compatible
            asked[(json.dumps(reader.to_json()), json.dumps(writer.to_json()))] = compatible
        return result

    compatibility.ReaderWriterCompatibilityChecker.get_compatibility = get_compatibility
    suite = unittest.defaultTestLoader.loadTestsFromModule(test_compatibility)
    with open(os.devnull, "w", encoding="utf-8") as null:
        unittest.TextTestRunner(stream=null).run(suite)
    return asked


def main():
    try:
        asked = collect()
    except ImportError:
        print("skipped: Avro's Python library and its tests aren't here")
        return SKIPPED
    lines = "".join("%s\t%s\t%s\n" % (writer, reader, "all" if compatible else "not-all")
                    for (reader, writer), compatible in asked.items() if EMPTY_UNION not in (reader, writer))
    return subprocess.run([os.environ["PDR_TRIPLES"], "pairs"], input=lines.encode(),
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
