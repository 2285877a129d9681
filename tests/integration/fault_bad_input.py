"""Logs and stores that aren't as they should be: each is refused by name, with what to do, and is left as it is."""
import os

from fault_world import COMMAND, KAFKA, LOAD, LOANS_APP, Faults, main

TOOL = os.environ["PDR_TOPIC_TOOL"]
SOME = "3000"


class BadInput(Faults):
    def loaded(self):
        # A store that knows more than the log is doubted for three times store.timeout.ms.
        journal = self.kafka("?open.timeout.ms=15000&store.timeout.ms=1000")
        self.load(journal, "--stop-after", SOME)
        return journal

    def meddle(self, journal, *words):
        self.works(TOOL, KAFKA, journal.schema + ".events", *words)

    def refused(self, words, *texts):
        """The program ends by itself with an error that has each of the texts."""
        done = self.run_in(*words, seconds=100)
        self.assertNotEqual(done.returncode, 0, done.stdout[-500:])
        for text in texts:
            self.assertIn(text, done.stderr, words)

    def loader_is_refused(self, journal, *texts):
        self.refused([LOAD, *journal.flags, "--stop-after", SOME, "--patience", "5"], *texts)

    def test_a_topic_that_forgets_is_refused(self):
        journal = self.loaded()
        self.meddle(journal, "set", "retention.ms", "86400000")
        self.loader_is_refused(journal, "retention.ms")
        self.refused([COMMAND, "init", *journal.flags], "retention.ms")

    def test_a_topic_with_more_partitions_than_at_init_is_refused(self):
        journal = self.loaded()
        self.meddle(journal, "grow", "9")
        self.loader_is_refused(journal, "9", "8", "perdure copy")
        self.refused([COMMAND, "init", *journal.flags], "has 8 partitions", "9")

    def test_a_topic_made_again_under_an_old_store_is_refused(self):
        journal = self.loaded()
        before = self.dump(journal)
        self.meddle(journal, "delete")
        self.loader_is_refused(journal, "the log lost records")
        self.assertTrue(before == self.dump(journal))

    def test_a_topic_truncated_past_the_checkpoint_is_refused(self):
        journal = self.loaded()
        before = self.dump(journal)
        for partition in range(8):
            self.meddle(journal, "drop", str(partition), "-1")
        self.loader_is_refused(journal, "partition")
        self.refused([COMMAND, "rebuild-store", *journal.flags, "--app", LOANS_APP, "--yes"])
        self.assertTrue(before == self.dump(journal))

    def test_a_store_of_another_journal_is_refused(self):
        one, other = self.loaded(), self.loaded()
        one.flags = ["--journal", one.log, "--store", other.store]
        before = self.dump(other)
        self.loader_is_refused(one, "different journals")
        self.refused([COMMAND, "init", *one.flags], "another journal")
        self.refused([COMMAND, "rebuild-store", *one.flags, "--app", LOANS_APP, "--yes"], "another journal")
        self.assertTrue(before == self.dump(other))

    def test_a_store_of_a_newer_version_is_refused(self):
        journal = self.loaded()
        self.postgres("INSERT INTO \"%s\".migration (number, name, checksum) VALUES (999, 'later', 'x')" % journal.schema)
        self.loader_is_refused(journal, "999")
        self.refused([COMMAND, "init", *journal.flags], "999")
        self.refused([COMMAND, "store", "dump", *journal.flags], "999")


if __name__ == "__main__":
    main()
