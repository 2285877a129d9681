"""The store is made anew from the log: the same bytes after a clean close, and beside an owner at work."""
import os
import sys

from fault_world import COMMAND, FULL, LOANS_APP, ROWS, Faults, main

SOME = ROWS if FULL else 60000
RATE = SOME // 6


class Stores(Faults):
    def rebuild(self, journal, *flags):
        return self.works(COMMAND, "rebuild-store", *journal.flags, "--app", LOANS_APP, *flags)

    def same_dump(self, journal, drop):
        self.load(journal, "--stop-after", str(SOME))
        before = self.dump(journal)
        drop()
        said = self.rebuild(journal)
        after = self.dump(journal)
        self.assertTrue(before == after, "the dumps differ: %d bytes, then %d\n%s" % (len(before), len(after), said))
        self.assertIn("partitions rebuilt", said)
        entities = before.count("\n")
        self.assertEqual(entities, self.check(journal)["entities"])
        self.assertEqual(self.load(journal, "--stop-after", str(SOME))[3:], [0, SOME, 0])
        print("\nsize: %s: %d entities, %d bytes" % (self.id().split(".")[-1], entities, len(before)), flush=True)

    def test_rebuild_store_gives_the_same_dump_kafka_postgres(self):
        journal = self.kafka()
        self.same_dump(journal, lambda: self.postgres('DROP SCHEMA "%s" CASCADE' % journal.schema))

    def test_rebuild_store_gives_the_same_dump_sqlite(self):
        journal = self.sqlite()
        name = journal.store.split(":", 1)[1]

        def drop():
            for end in ("", "-wal", "-shm"):
                path = os.path.join(self.folder, name + end)
                if os.path.exists(path):
                    os.remove(path)
        self.same_dump(journal, drop)

    def beside_an_owner(self, new_journal):
        def attempt(slower):
            journal = new_journal()
            owner = self.loader(journal, "--stop-after", str(SOME), "--rate", str(RATE // slower))
            owner.until_fresh(SOME // 4)
            self.met(owner)
            before = owner.fresh()
            self.assertIn("partitions rebuilt", self.rebuild(journal, "--yes"))
            return journal, owner, before
        journal, owner, before = self.until_met(attempt)
        self.ends_well(owner)
        self.assertEqual(owner.counts()[5], 0, owner.tail())
        found = self.check(journal)
        self.assertEqual(found, self.uninterrupted(SOME))
        again = self.dump(journal)
        self.rebuild(journal, "--yes")
        self.assertTrue(again == self.dump(journal), "what the owner saved isn't what the log says")
        print("\nsize: %s: %d events, the store rebuilt after %d" % (self.id().split(".")[-1], found["events"], before),
              flush=True)

    def test_rebuild_store_beside_an_owner_kafka_postgres(self):
        self.beside_an_owner(self.kafka)

    def test_rebuild_store_beside_an_owner_sqlite(self):
        self.beside_an_owner(self.sqlite)


if __name__ == "__main__":
    main(needs_servers=not (len(sys.argv) > 1 and sys.argv[1].endswith("sqlite")))
