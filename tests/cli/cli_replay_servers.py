"""Claims about perdure replay, on Kafka and PostgreSQL."""
import os
import random
import unittest

from programs import Programs
from replay_claims import ReplayClaims

SERVERS = os.environ.get("PERDURE_TEST_KAFKA") and os.environ.get("PERDURE_TEST_POSTGRES")


@unittest.skipUnless(SERVERS, "no servers")
class OnServers(ReplayClaims, Programs):
    def journal(self, name):
        run = "%s_%08x" % (name, random.getrandbits(32))
        return ["--journal", "kafka://%s/replay-%s" % (os.environ["PERDURE_TEST_KAFKA"], run), "--store",
                "%s%sschema=replay_%s" % (os.environ["PERDURE_TEST_POSTGRES"],
                                          "&" if "?" in os.environ["PERDURE_TEST_POSTGRES"] else "?", run)]


if __name__ == "__main__":
    unittest.main()
