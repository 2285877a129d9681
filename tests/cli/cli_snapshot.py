"""Claims about snapshot list, show and drop, on SQLite."""
import unittest

from programs import Programs
from snapshot_claims import FAILED, SnapshotClaims


class OnSqlite(SnapshotClaims, Programs):
    def journal(self, name):
        return ["--journal", "sqlite:%s.db" % name]

    def test_a_store_that_is_not_there_says_init(self):
        self.refuses(FAILED, ["snapshot", "list", "--store", "sqlite:no.db"], "perdure init")


if __name__ == "__main__":
    unittest.main()
