"""A disk that fills up under SQLite: it is said, and once there is space again the same process goes on."""
import os

from fault_world import COUNTS, Faults, main, until

SOME = 60000


class Disk(Faults):
    def begin(self, journal, *flags):
        self.full = os.path.join(self.folder, "full")
        return self.loader(journal, "--stop-after", str(SOME), "--rate", "20000", *flags,
                           extra={"LD_PRELOAD": os.environ["PDR_FULL_DISK_LIBRARY"], "PDR_FULL_DISK": self.full})

    def fill(self, loader):
        """Until nothing has gone through for a while; how many rows had."""
        with open(self.full, "w", encoding="ascii"):
            pass
        printed = len(loader.lines)
        until(lambda: len(loader.lines) > printed + 10 or loader.ended(), "a loader that has met the full disk")
        rows = {COUNTS.match(line)[4] for line in loader.lines[printed + 5:printed + 10]}
        self.assertEqual(len(rows), 1, "it goes on without space\n" + loader.tail())
        return loader.fresh()

    def test_sqlite_disk_full_under_load(self):
        journal = self.sqlite()
        loader = self.begin(journal)
        loader.until_fresh(SOME // 4)
        stuck = self.fill(loader)
        self.assertFalse(loader.ended(), loader.tail())
        os.remove(self.full)
        self.ends_well(loader)
        self.assertEqual(loader.counts()[5], 0, loader.tail())
        found = self.check(journal)
        self.assertEqual(found, self.uninterrupted(SOME))
        print("\nsize: sqlite_disk_full_under_load: %d events, the disk full after %d" % (found["events"], stuck), flush=True)


if __name__ == "__main__":
    main(needs_servers=False)
