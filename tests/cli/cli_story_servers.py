"""Claims about one entity's story on Kafka and PostgreSQL: history, state, diff, bisect."""
import os
import unittest
import uuid

from programs import COMMAND
from story_claims import StoryClaims, environment_of, load_excerpt

KAFKA = os.environ.get("PERDURE_TEST_KAFKA")
POSTGRES = os.environ.get("PERDURE_TEST_POSTGRES")


@unittest.skipUnless(KAFKA and POSTGRES, "PERDURE_TEST_KAFKA or PERDURE_TEST_POSTGRES isn't set")
class OnServers(StoryClaims):
    def setUp(self):
        super().setUp()
        name = "s" + uuid.uuid4().hex[:12]
        glue = "&" if "?" in POSTGRES else "?"
        self.environment = environment_of("kafka://%s/%s" % (KAFKA, name), "%s%sschema=%s" % (POSTGRES, glue, name))
        self.works(COMMAND, "init", "--partitions", "3", **self.environment)

    def test_answers_are_those_of_the_csv(self):
        self.fails(1, "history", "loan/1", texts=["no id is like it"])
        self.excerpt = load_excerpt(self, self.folder.name, self.environment)
        self.claim_histories()
        self.claim_states()
        self.claim_diffs()
        self.claim_bisections()
        self.claim_unknown()


if __name__ == "__main__":
    unittest.main()
