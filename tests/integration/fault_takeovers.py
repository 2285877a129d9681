"""An owner is stopped under load, another takes over, the first goes on: a zombie, whose records are void."""
import collections
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

from fault_world import COMMAND, FULL, KAFKA, Faults, Running, main, until

DRIVER = os.environ["PDR_OWNER_DRIVER"]
TAKEOVERS = 20 if FULL else 5
FOREVER = 100000000


class Takeovers(Faults):
    def drive(self, journal, first, last=FOREVER):
        program = Running([DRIVER, "drive", journal.log, journal.store, str(first), str(last)], self.folder)
        self.programs.append(program)
        return program

    @staticmethod
    def acks(programs):
        """Of all programs: the place of each command that was said to be acknowledged, by its id."""
        found = collections.defaultdict(list)
        for program in programs:
            for line in program.lines:
                if line.startswith("ack "):
                    _, command, partition, offset = line.split()
                    found[int(command)].append((int(partition), int(offset)))
        return found

    @staticmethod
    def answered(program):
        return {int(line.split()[1]) for line in program.lines if line.startswith(("ack ", "again "))}

    def first_open(self):
        """The first command that no program has an answer for. Programs that run are stopped: what they said is read first,
        since an entity's window of command ids doesn't reach back for ever."""
        self.assertFalse([p for p in self.programs if not p.ended() and p.state() != "T"])
        for program in self.programs:
            program.drain()
        known = set().union(*(self.answered(p) for p in self.programs))
        first = 1
        while first in known:
            first += 1
        return first

    def serves(self, program, commands=500):
        until(lambda: len(program.lines) > commands or program.ended(), lambda: "a new owner that serves\n" + program.tail())
        self.assertFalse(program.ended(), program.tail())

    def valid(self, journal):
        """Every event that counts: its place and its command."""
        events = [line.split() for line in self.works(DRIVER, "read", journal.log, journal.store).splitlines()]
        seqs = collections.Counter()
        for _, _, _, _, entity, seq in events:
            seqs[entity] += 1
            self.assertEqual(int(seq), seqs[entity], entity)
        return {(int(partition), int(offset)): int(command) for _, partition, offset, command, _, _ in events}

    def nothing_lost_or_doubled(self, journal):
        """The rest of the commands is sent; the journal's events and what was acknowledged."""
        last = max(max(self.answered(p), default=0) for p in self.programs) + 1000
        finisher = self.drive(journal, self.first_open(), last)
        self.ends_well(finisher)
        valid, acks = self.valid(journal), self.acks(self.programs)
        commands = sorted(valid.values())
        self.assertEqual(commands[:last], list(range(1, last + 1)), "a command is lost or has two events")
        for command, places in acks.items():
            self.assertEqual(len(places), 1, "command %d made its event twice" % command)
            self.assertEqual(valid.get(places[0]), command, "an acknowledged event is void")
        return valid, acks

    def events_in_topic(self, journal):
        """Places of all events, void ones among them, as a consumer that knows nothing of terms sees them."""
        done = subprocess.run(["kcat", "-C", "-e", "-q", "-b", KAFKA, "-t", journal.schema + ".events", "-o", "beginning",
                               "-f", "%p %o %K\n"], capture_output=True, text=True, check=True, timeout=240)
        rows = (line.split() for line in done.stdout.splitlines())
        return {(int(partition), int(offset)) for partition, offset, size in rows if int(size) > 0}

    def takeover(self, journal, old):
        """The new owner, which has made a zombie of the old one."""
        self.serves(old)
        time.sleep(0.05)
        old.stop()
        new = self.drive(journal, self.first_open())
        self.serves(new)
        old.signal(signal.SIGCONT)
        self.assertEqual(old.end(), 3, old.tail())
        self.assertEqual(old.lines[-1], "deposed")
        return new

    def test_zombie_takeovers(self):
        # Records wait in the local queue for 100 ms: what is stopped has some there.
        journal = self.kafka("?kafka.linger.ms=100")
        owner, void, takeovers, tries = self.drive(journal, 1), 0, 0, 0
        while takeovers < TAKEOVERS:
            tries += 1
            self.assertLess(tries, 10 * TAKEOVERS, "zombies hardly write")
            owner = self.takeover(journal, owner)
            self.serves(owner)
            owner.stop()  # so that the topic's end stands still
            now = len(self.events_in_topic(journal) - set(self.valid(journal)))
            owner.signal(signal.SIGCONT)
            takeovers += now > void
            void = now
        owner.kill()
        valid, acks = self.nothing_lost_or_doubled(journal)
        totals = json.loads(self.works(COMMAND, "verify", *journal.flags, "--json").splitlines()[-1])
        self.assertEqual((totals["findings"], totals["events"]), (0, len(valid)))
        self.assertGreaterEqual(sum(totals["void"].values()), void)
        print("\nsize: zombie_takeovers: %d takeovers with void records (%d without), %d void records, %d events, %d of them "
              "acknowledged by their writers" % (takeovers, tries - takeovers, void, len(valid), len(acks)), flush=True)

    # --- SQLite, where a process that is stopped may hold the file's lock ---

    def locked(self, journal):
        """Is a transaction open on the log, on the store?"""
        found = []
        for url in (journal.log, journal.store):
            db = sqlite3.connect(os.path.join(self.folder, url.split(":", 1)[1]), timeout=0, isolation_level=None)
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
                found.append(False)
            except sqlite3.OperationalError as error:
                self.assertIn("locked", str(error))
                found.append(True)
            finally:
                db.close()
        return found

    def stop_where(self, program, journal, wanted):
        """Stops it at a moment when its locks are as wanted."""
        for _ in range(2000):
            program.stop()
            if self.locked(journal) == wanted:
                return
            program.signal(signal.SIGCONT)
            time.sleep(random.uniform(0, 0.02))
        self.fail("never stopped with locks as %s" % wanted)

    def test_sqlite_takeover_of_a_process_stopped_between_transactions(self):
        journal = self.sqlite()
        owner = self.drive(journal, 1)
        for _ in range(TAKEOVERS):
            self.serves(owner)
            self.stop_where(owner, journal, [False, False])
            new = self.drive(journal, self.first_open())
            self.serves(new)
            owner.signal(signal.SIGCONT)
            self.assertEqual(owner.end(), 3, owner.tail())
            owner = new
        owner.kill()
        valid, acks = self.nothing_lost_or_doubled(journal)
        print("\nsize: sqlite, stopped between transactions: %d takeovers, %d events, %d acknowledged"
              % (TAKEOVERS, len(valid), len(acks)), flush=True)

    def test_sqlite_takeover_waits_for_a_process_stopped_inside_a_transaction(self):
        journal = self.sqlite()
        owner = self.drive(journal, 1)
        self.serves(owner)
        self.stop_where(owner, journal, [True, False])
        new = self.drive(journal, self.first_open())
        until(lambda: any("waiting for the lock" in line for line in new.errors) or new.ended(), "a taker that says it waits")
        said = [line for line in new.errors if "waiting for the lock" in line]
        self.assertTrue(said, new.tail())
        self.assertIn("process %d" % owner.process.pid, said[0])
        self.assertEqual(new.lines, [])
        owner.signal(signal.SIGCONT)
        self.assertEqual(owner.end(), 3, owner.tail())
        self.serves(new)
        new.kill()
        valid, acks = self.nothing_lost_or_doubled(journal)
        print("\nsize: sqlite, stopped inside a transaction: 1 takeover, %d events, %d acknowledged" % (len(valid), len(acks)),
              flush=True)


if __name__ == "__main__":
    main(needs_servers=not (len(sys.argv) > 1 and "sqlite" in sys.argv[1]))
