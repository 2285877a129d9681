"""Claims about snapshot list, show and drop, on Kafka and PostgreSQL."""
import os
import random
import unittest

from programs import Programs
from snapshot_claims import SnapshotClaims

KAFKA, POSTGRES = os.environ.get("PERDURE_TEST_KAFKA"), os.environ.get("PERDURE_TEST_POSTGRES")


@unittest.skipUnless(KAFKA and POSTGRES, "no servers")
class OnServers(SnapshotClaims, Programs):
    def journal(self, name):
        run = "%s_%08x" % (name, random.getrandbits(32))
        return ["--journal", "kafka://%s/snapshot-%s" % (KAFKA, run), "--store",
                "%s%sschema=snapshot_%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", run)]


if __name__ == "__main__":
    unittest.main()
