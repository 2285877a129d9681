"""Kill -9 at random moments under load. The loader keeps no position: each time the file goes again from its first row."""
import random
import sys
import time

from fault_world import FACTS, FULL, ROWS, Faults, main, until

KILLS = 50 if FULL else 5
RATE = 20000


class Kills(Faults):
    def one_kill(self, journal, left, done):
        """Kills a loader once; how many rows were then known to be done, and whether commands were in flight."""
        loader = self.loader(journal, "--rate", str(RATE))
        room = (ROWS - done - RATE) / (left + 1) - RATE / 5  # what a loader does before its line is seen is lost
        if done and random.random() < 0.2:  # while rows of before are sent again, or while it recovers
            time.sleep(random.uniform(0, min(0.5, done / 250000)))
        elif room < 1:
            sent = random.uniform(1, ROWS)
            until(lambda: loader.counts()[0] >= sent or loader.ended(), lambda: "rows sent\n" + loader.tail())
        else:
            loader.until_fresh(random.uniform(1, room))
            time.sleep(random.uniform(0, 0.1))
        if loader.ended():  # a busy machine let it come to the file's end before the kill: there is one kill less
            self.ends_well(loader)
        loader.kill()
        sent, answered, in_flight, fresh, repeated, refused = loader.counts()
        self.assertEqual(refused, 0, loader.tail())
        self.assertEqual(loader.errors, [])
        return max(done, fresh + repeated), fresh, in_flight > 0 and sent > answered

    def kills(self, journal):
        kills = tries = fresh = done = 0
        while kills < KILLS:
            tries += 1
            self.assertLess(tries, 20 * KILLS, "hardly a kill finds commands in flight")
            done, more, counts = self.one_kill(journal, KILLS - kills, done)
            fresh += more
            kills += counts
        last = self.load(journal, "--rate", str(RATE))
        self.assertEqual((last[0], last[3] + last[4], last[5]), (ROWS, ROWS, 0))
        found = self.check(journal)
        self.assertEqual({k: found[k] for k in FACTS}, FACTS)
        self.assertEqual(found, self.uninterrupted(ROWS))
        print("\nsize: %s: %d kills with commands in flight (%d without), %d rows whose event was kept unanswered, %d events"
              % (self.id().split(".")[-1], kills, tries - kills, ROWS - last[3] - fresh, found["events"]), flush=True)

    def test_kills_sqlite(self):
        self.kills(self.sqlite())

    def test_kills_kafka(self):
        self.kills(self.kafka())


if __name__ == "__main__":
    main(needs_servers="Kills.test_kills_sqlite" not in sys.argv)
