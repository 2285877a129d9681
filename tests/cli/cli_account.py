"""Claims about the account example: on SQLite, and on Kafka and PostgreSQL where they are."""
import os
import random
import re
import unittest

from programs import Programs

ACCOUNT = os.environ["PDR_ACCOUNT"]
LINES = re.compile(r'deposit 100: Ack\((\d+)\)\nwithdraw 30: Ack\((\d+)\)\n'
                   r'withdraw 1000000: Nack\("insufficient funds"\)\nalice has (\d+) after (\d+) events\n')


class Account(Programs):
    def numbers(self, *flags):
        match = LINES.fullmatch(self.works(ACCOUNT, *flags))
        self.assertIsNotNone(match)
        return [int(n) for n in match.groups()]

    def test_it_answers_and_goes_on_where_it_was(self):
        self.assertEqual(self.numbers(), [1, 2, 70, 2])
        self.assertEqual(self.numbers(), [3, 4, 140, 4])
        self.assertEqual(sorted(n for n in os.listdir(self.folder.name) if not n.endswith(("-wal", "-shm"))), ["accounts.db"])

    def test_flags_that_it_does_not_know_are_refused(self):
        for flags in (["--kafka"], ["--kafka", "x"], ["--stor", "a", "--kafka", "b"], ["x"]):
            done = self.run_in(ACCOUNT, *flags)
            self.assertEqual((done.returncode, done.stdout), (1, ""), flags)
            self.assertIn("usage: account", done.stderr)
        self.assertEqual(os.listdir(self.folder.name), [])

    @unittest.skipUnless(os.environ.get("PERDURE_TEST_KAFKA") and os.environ.get("PERDURE_TEST_POSTGRES"), "no servers")
    def test_the_same_on_kafka_and_postgresql(self):
        store = "%s?schema=account_%08x" % (os.environ["PERDURE_TEST_POSTGRES"], random.getrandbits(32))
        flags = ["--kafka", os.environ["PERDURE_TEST_KAFKA"], "--store", store]
        first = self.numbers(*flags)
        seq = first[0]
        self.assertEqual(first[1], seq + 1)
        self.assertEqual(self.numbers(*flags), [seq + 2, seq + 3, first[2] + 70, seq + 3])


if __name__ == "__main__":
    unittest.main()
