"""A disk that fills up under SQLite: it is said, and once there is space again the same process goes on."""
import os

from fault_world import COUNTS, Faults, main, until

SOME = 60000


class Disk(Faults):
    def begin(self, journal, slower):
        self.full = os.path.join(self.folder, "full")
        return self.loader(journal, "--stop-after", str(SOME), "--rate", str(20000 // slower),
                           extra={"LD_PRELOAD": os.environ["PDR_FULL_DISK_LIBRARY"], "PDR_FULL_DISK": self.full})

    def fill(self, loader):
        """Until nothing has gone through for a while; how many rows had."""
        with open(self.full, "w", encoding="ascii"):
            pass
        printed = len(loader.lines)

        def stands():
            lines = loader.lines[printed:][-10:]
            return len(lines) == 10 and len({COUNTS.match(line)[4] for line in lines}) == 1
        until(lambda: stands() or loader.ended(), lambda: "a loader that has met the full disk\n" + loader.tail())
        self.assertFalse(loader.ended(), "it goes on without space\n" + loader.tail())
        return loader.fresh()

    def test_sqlite_disk_full_under_load(self):
        def attempt(slower):
            journal = self.sqlite()
            loader = self.begin(journal, slower)
            loader.until_fresh(SOME // 4)
            self.met(loader)
            return journal, loader, self.fill(loader)
        journal, loader, stuck = self.until_met(attempt)
        os.remove(self.full)
        self.ends_well(loader)
        self.assertEqual(loader.counts()[5], 0, loader.tail())
        found = self.check(journal)
        self.assertEqual(found, self.uninterrupted(SOME))
        print("\nsize: sqlite_disk_full_under_load: %d events, the disk full after %d" % (found["events"], stuck), flush=True)


if __name__ == "__main__":
    main(needs_servers=False)
