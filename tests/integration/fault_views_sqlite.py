"""Views in an SQLite file: workers killed, two on one partition, the disk full, the clock set back; they equal the figures all the same."""
import datetime
import os
import random
import signal
import sqlite3
import time


from fault_world import FULL, ROWS, main, until
from views_world import ViewFaults, loans_figures

KILLS = 100 if FULL else 5
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def micros(text):
    """As our views on SQLite write a time."""
    at = datetime.datetime.strptime(text + "00", "%Y-%m-%d %H:%M:%S.%f%z") - EPOCH
    return str((at.days * 86400 + at.seconds) * 1000000 + at.microseconds)


class SqliteViews(ViewFaults):
    def new_journal(self):
        return self.sqlite()

    def setUp(self):
        ViewFaults.loaded = None  # its file is in the claim's own folder
        super().setUp()

    def new_views(self):
        self.file = "views_%08x.db" % random.getrandbits(32)
        self.views = "sqlite:" + self.file

    def settings(self):
        return {"project.retry.max.ms": 1000}

    def query(self, sql):
        db = sqlite3.connect(os.path.join(self.folder, self.file), timeout=60)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def number(self, sql):
        return self.query(sql)[0][0]

    def made(self):
        return os.path.exists(os.path.join(self.folder, self.file)) and self.number(
            "select count(*) from sqlite_master where name in ('projection_position', 'applications', 'open_work', 'workload')") == 4

    def rows(self, table):
        columns = loans_figures.COLUMNS[table].split()

        def text(column, cell):
            return "" if cell is None else micros(cell) if column in loans_figures.TIMES else str(cell)
        found = self.query(loans_figures.select(table, postgres=False))
        return sorted(tuple(text(*pair) for pair in zip(columns, row)) for row in found)

    def slow(self):
        return {"project.batch.events": 100, "project.throttle": 1500}


class Whole(SqliteViews):
    def test_kills_of_workers_leave_views_on_sqlite_right(self):
        def kills(slower):
            flags = {"project.batch.events": 500, "project.throttle": max(200, ROWS // (2 * (KILLS + 3))) // slower}
            shares = ["0-4", "3-7"]
            workers = [self.worker("--partitions", share, **flags) for share in shares]
            until(self.made, lambda: "tables\n" + workers[0].tail())
            for _ in range(KILLS):
                time.sleep(random.uniform(0.1, 0.8))
                victim = random.randrange(2)
                workers[victim].kill()
                workers[victim] = self.worker("--partitions", shares[victim], **flags)
            return self.work_was_left()
        done = self.until_met(kills)
        self.kill_all()
        self.catch_up()
        self.are_right()
        print("\nsize: %d kills on SQLite; %d of %d events projected by the last one" % (KILLS, done, ROWS), flush=True)


class Part(SqliteViews):
    SIZE = 30000

    def ends_right(self, worker):
        self.until_done(min(self.done() + 1000, self.SIZE), worker)
        self.assertFalse(worker.ended(), worker.tail())
        worker.signal(signal.SIGTERM)
        self.ends_well(worker)
        self.catch_up()
        self.are_right()

    def until_said(self, worker, text, times=1):
        until(lambda: sum(text in line for line in worker.errors) >= times or worker.ended(), lambda: text + "\n" + worker.tail())
        self.assertFalse(worker.ended(), worker.tail())

    def test_a_disk_that_is_full_under_views_on_sqlite_is_waited_for(self):
        full = os.path.join(self.folder, "full")
        worker = self.worker(extra={"LD_PRELOAD": os.environ["PDR_FULL_DISK_LIBRARY"], "PDR_FULL_DISK": full}, **self.slow())
        until(self.made, lambda: "tables\n" + worker.tail())
        self.until_done(2000, worker)
        with open(full, "w", encoding="ascii"):
            pass
        self.until_said(worker, "disk is full", 3)
        done = self.done()
        self.until_said(worker, "disk is full", 6)
        self.assertEqual(self.done(), done)
        os.remove(full)
        self.ends_right(worker)

    def test_a_clock_set_back_disturbs_no_worker(self):
        back = os.path.join(self.folder, "back")
        worker = self.worker(extra={"LD_PRELOAD": os.environ["PDR_SET_CLOCK_LIBRARY"], "PDR_CLOCK_BACK": back}, **self.slow())
        until(self.made, lambda: "tables\n" + worker.tail())
        self.until_done(2000, worker)
        newest = self.number("select max(updated_us) from projection_position")
        with open(back, "w", encoding="ascii"):
            pass
        until(lambda: worker.ended() or self.number("select min(updated_us) from projection_position where offset > 0") < newest,
              lambda: "a time before the one that was\n" + worker.tail())
        # Pauses and batches go by a clock that nobody sets: a lock is waited for, then it goes on.
        db = sqlite3.connect(os.path.join(self.folder, self.file), timeout=60, isolation_level=None)
        db.execute("begin immediate")
        done = self.done()
        time.sleep(1)
        self.assertEqual(self.done(), done)
        db.execute("rollback")
        db.close()
        self.until_done(min(done + 1000, self.SIZE), worker)
        status = self.command("project", "status", "--json")
        self.assertNotIn('"lag_seconds":-', status)
        self.ends_right(worker)

    def command(self, *words, status=0):
        done = self.run_in(os.environ["PDR_COMMAND"], *words, *self.journal.flags, "--views", self.views)
        self.assertEqual(done.returncode, status, "%s\n%s%s" % (words, done.stdout[-500:], done.stderr[-2000:]))
        return done.stdout


if __name__ == "__main__":
    main(needs_servers=False)
