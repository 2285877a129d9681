"""Claims about the commands that read all of a log, on Kafka and PostgreSQL."""
import os
import random
import unittest

from programs import Programs
from scan_claims import ScanClaims

KAFKA, POSTGRES = os.environ.get("PERDURE_TEST_KAFKA"), os.environ.get("PERDURE_TEST_POSTGRES")


@unittest.skipUnless(KAFKA and POSTGRES, "no servers")
class OnServers(ScanClaims, Programs):
    def journal(self, name):
        run = "%s_%08x" % (name, random.getrandbits(32))
        return ["--journal", "kafka://%s/scan-%s" % (KAFKA, run), "--store",
                "%s%sschema=scan_%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", run)]


if __name__ == "__main__":
    unittest.main()
