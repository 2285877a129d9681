"""An owner is stopped under load, another takes over, the first goes on: a zombie, whose records are void."""
import collections
import os
import signal
import subprocess
import time

from fault_world import FULL, KAFKA, Faults, Running, main, until

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
        """The first command that no program has an answer for."""
        known = set().union(*(self.answered(p) for p in self.programs))
        first = 1
        while first in known:
            first += 1
        return first

    def serves(self, program, commands=500):
        until(lambda: len(program.lines) > commands or program.ended(), "a new owner that serves")
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
                               "-f", "%p %o %K\n"], capture_output=True, text=True, check=True, timeout=60)
        rows = (line.split() for line in done.stdout.splitlines())
        return {(int(partition), int(offset)) for partition, offset, size in rows if int(size) > 0}

    def takeover(self, journal, old):
        """The new owner, which has made a zombie of the old one."""
        self.serves(old)
        time.sleep(0.05)
        old.signal(signal.SIGSTOP)
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
            self.assertLess(tries, 3 * TAKEOVERS, "zombies hardly write")
            owner = self.takeover(journal, owner)
            self.serves(owner)
            owner.signal(signal.SIGSTOP)  # so that the topic's end stands still
            now = len(self.events_in_topic(journal) - set(self.valid(journal)))
            owner.signal(signal.SIGCONT)
            takeovers += now > void
            void = now
        owner.kill()
        valid, acks = self.nothing_lost_or_doubled(journal)
        print("\nsize: zombie_takeovers: %d takeovers with void records (%d without), %d void records, %d events, %d of them "
              "acknowledged by their writers" % (takeovers, tries - takeovers, void, len(valid), len(acks)), flush=True)


if __name__ == "__main__":
    main()
