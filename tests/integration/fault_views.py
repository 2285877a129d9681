"""Projection workers killed, doubled, and their servers taken away: every view is the one that was computed without them."""
import random
import re
import signal
import time

from fault_world import FULL, ROWS, Missed, dev, main, until
from views_world import PARTITIONS, ViewFaults

KILLS = 100 if FULL else 5
HAND_OVERS = 10 if FULL else 1


def some_partitions():
    """For two workers: each partition is somebody's, and some are both's."""
    both = [[], []]
    for partition in range(PARTITIONS):
        for mine in random.choice(([both[0]], [both[1]], both)):
            mine.append(str(partition))
    return [",".join(mine) or str(random.randrange(PARTITIONS)) for mine in both]


class Views(ViewFaults):
    def flags(self, slower=1):
        """So few events a second that the last kill meets work to do, on a fast machine too."""
        return {"project.batch.events": 500, "project.throttle": max(200, ROWS // (6 * (KILLS + 3))) // slower}

    def kill_one(self, workers, shares, flags):
        """Kill -9 at a random moment; another one takes its place, sometimes with other partitions."""
        time.sleep(random.uniform(0.1, 0.8))
        victim = random.randrange(len(workers))
        if workers[victim].ended():  # it began while the database was away: it says so and ends, to be begun again
            self.assertEqual(workers[victim].end(), 3, workers[victim].tail())
        else:
            workers[victim].kill()
        if random.random() < 0.5:
            shares[victim] = some_partitions()[victim]
        workers[victim] = self.worker("--partitions", shares[victim], **flags)

    def test_kills_of_workers_leave_views_right(self):
        def kills(slower):
            shares, flags = some_partitions(), self.flags(slower)
            workers = [self.worker("--partitions", share, **flags) for share in shares]
            self.until_done(1, workers[0])
            for kill in range(KILLS):
                self.kill_one(workers, shares, flags)
                if kill == KILLS // 2:
                    dev("restart", "postgres", "--hard")
            return self.work_was_left()
        done = self.until_met(kills)
        self.kill_all()
        self.catch_up()
        self.are_right()
        print("\nsize: %d kills, one of PostgreSQL; %d of %d events projected by the last one" % (KILLS, done, ROWS), flush=True)

    def test_workers_of_a_group_killed_and_sent_away_leave_views_right(self):
        fast = dict(self.flags(), **{"kafka.session.timeout.ms": 6000, "kafka.heartbeat.interval.ms": 1000})
        workers = [self.worker("--group", **fast) for _ in range(2)]
        self.until_done(1, workers[0])
        for change in range(2 * HAND_OVERS):
            time.sleep(random.uniform(0.2, 1.5))
            victim = random.randrange(2)
            if change % 2:
                workers[victim].kill()
            else:
                workers[victim].until_heeds(signal.SIGTERM)
                workers[victim].signal(signal.SIGTERM)
                self.assertEqual(workers[victim].end(), 0, workers[victim].tail())
            workers[victim] = self.worker("--group", **fast)
        for worker in workers:
            worker.kill()
        self.catch_up()
        self.are_right()

    def test_of_two_workers_on_one_partition_one_wins_each_batch_and_the_other_takes_over(self):
        """Whatever the assignment says, one wins each batch and the other says by whom it was beaten; once the winner is gone, the
        other goes on where it ended."""
        lost = self.until_met(self.winners_are_killed)
        self.kill_all()
        self.catch_up(names=["workload"])
        self.are_right(["workload"])
        print("\nsize: 4 winners of one partition killed; one lost %(one)d batches, two %(two)d" % lost, flush=True)

    def winners_are_killed(self, slower):
        enough = ROWS // 10  # each of the 8 partitions has more
        small = {"project.batch.events": 100, "project.throttle": 1000 // slower}
        flags = ("--partitions", "3")

        def do(more, worker):
            wanted = more + (self.done("workload") if self.made() else 0)
            self.until_done(min(wanted, enough), worker, "workload")
            if self.done("workload") >= enough:
                raise Missed("the partition ends before the last kill")

        workers = {name: self.worker(*flags, "--name", name, names=["workload"], **small) for name in ("one", "two")}
        lost = {name: 0 for name in workers}
        for change in range(4):
            do(300, workers["one"])
            winner = self.winner()
            loser = "two" if winner == "one" else "one"
            beaten = "the position of partition 3 was moved to offset \\d+ by worker " + winner
            until(lambda: any(re.search(beaten, line) for line in workers[loser].errors) or workers[loser].ended()
                  or self.done("workload") >= enough, lambda: "%s says that %s won\n%s" % (loser, winner, workers[loser].tail()))
            lost[loser] += sum("was moved to offset" in line for line in workers[loser].errors)
            workers[winner].kill()
            do(200, workers[loser])
            self.assertEqual(self.winner(), loser)
            workers[winner] = self.worker(*flags, "--name", winner, names=["workload"], **small)
        return lost

    def winner(self):
        """Who moved the position last."""
        return self.select("select worker from projection_position where projection = 'workload' and partition = 3")

    def test_a_database_that_goes_away_is_waited_for(self):
        worker = self.worker(**self.flags())
        self.until_done(ROWS // 20, worker)
        dev("stop", "postgres", "--hard")
        time.sleep(random.uniform(0.5, 2))
        self.assertFalse(worker.ended(), worker.tail())
        dev("start", "postgres")
        before = self.done()
        self.until_done(min(before + 1, ROWS), worker)
        self.assertFalse(worker.ended(), worker.tail())
        worker.signal(signal.SIGTERM)
        self.ends_well(worker)
        self.catch_up()
        self.are_right()


if __name__ == "__main__":
    main()
