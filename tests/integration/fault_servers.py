"""Servers restarted, lost and turned back under a loader at work: it goes on by itself, nothing is lost or doubled."""
import os
import subprocess

from fault_world import COMMAND, FULL, LOANS_APP, POSTGRES, ROWS, Faults, dev, main

SOME = ROWS if FULL else 60000
ROUNDS = 3 if FULL else 1
RATE = SOME // 6


class Servers(Faults):
    def begin(self, slower):
        """A loader that has something saved in the store, and a quarter of the rows behind it."""
        journal = self.kafka("?snapshot.age.ms=1000&backoff.max.ms=2000&close.timeout.ms=120000")
        loader = self.loader(journal, "--stop-after", str(SOME), "--rate", str(RATE // slower))
        loader.until_fresh(SOME // 4)
        self.met(loader)
        return journal, loader

    def at_work(self, loader, rows=1):
        """It has done some more, by itself."""
        loader.until_fresh(loader.fresh() + rows)
        self.met(loader)

    def under_load(self, fault, what):
        """fault(journal, loader) comes in the midst of the loader's work."""
        def attempt(slower):
            journal, loader = self.begin(slower)
            fault(journal, loader)
            return journal, loader
        self.nothing_lost_or_doubled(*self.until_met(attempt), what)

    def goes_on(self, loader):
        """Or it has done all by now: on a slow machine mending the fault takes longer than the rest of the file."""
        loader.until_fresh(min(loader.fresh() + 1, SOME))

    def nothing_lost_or_doubled(self, journal, loader, what):
        self.ends_well(loader)
        counts = loader.counts()
        self.assertEqual(counts[5], 0, loader.tail())
        found = self.check(journal)
        self.assertEqual(found, self.uninterrupted(SOME))
        dumped = self.dump(journal)
        self.assertEqual(dumped.count("\n"), found["entities"])
        self.works(COMMAND, "rebuild-store", *journal.flags, "--app", LOANS_APP, "--yes")
        self.assertTrue(dumped == self.dump(journal), "the store isn't what the log says")
        print("\nsize: %s: %d events, %s" % (self.id().split(".")[-1], found["events"], what), flush=True)

    def restarted(self, server, *how):
        def restarts(_, loader):
            for _ in range(ROUNDS):
                self.at_work(loader)
                dev("restart", server, *how)
                self.goes_on(loader)
        self.under_load(restarts, "%d restarts of %s %s" % (ROUNDS, server, " ".join(how)))

    def test_broker_restarted_under_load(self):
        self.restarted("kafka")

    def test_broker_killed_under_load(self):
        self.restarted("kafka", "--hard")

    def test_postgres_restarted_under_load(self):
        self.restarted("postgres")

    def test_postgres_killed_under_load(self):
        self.restarted("postgres", "--hard")

    def test_postgres_lost_and_rebuilt_under_load(self):
        def lost(journal, loader):
            self.at_work(loader)
            dev("wipe", "postgres")
            self.works(COMMAND, "init", *journal.flags)
            self.works(COMMAND, "rebuild-store", *journal.flags, "--app", LOANS_APP, "--yes")
            self.goes_on(loader)
        self.under_load(lost, "PostgreSQL lost once")

    def test_older_dump_restored_under_owner(self):
        url = POSTGRES.replace("postgres:", "postgresql:", 1)

        def restored(journal, loader):
            for _ in range(ROUNDS):
                older = os.path.join(self.folder, "older.sql")
                self.works("pg_dump", "-n", journal.schema, "-f", older, url)
                self.at_work(loader, SOME // 5)
                with open(older, encoding="utf-8") as file:
                    script = 'BEGIN; DROP SCHEMA "%s" CASCADE;\n%s\nCOMMIT;\n' % (journal.schema, file.read())
                done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", url], input=script, text=True,
                                      capture_output=True, check=False, timeout=240)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.goes_on(loader)
        self.under_load(restored, "%d older dumps restored" % ROUNDS)


if __name__ == "__main__":
    main()
