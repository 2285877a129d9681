"""What the database of the views can do to a worker: its batches wait and are tried again, nothing is parked, every view is right."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from fault_world import POSTGRES, dev, main, until
from views_world import ViewFaults

FULL_DISK = os.environ["PDR_FULL_DISK_LIBRARY"]


class Database(ViewFaults):
    NAMES = ("applications",)
    SIZE = 40000

    def slow(self, **more):
        return dict({"project.batch.events": 50, "project.throttle": 1000}, **more)

    @staticmethod
    def said(worker, text):
        return sum(text in line for line in worker.errors)

    def until_said(self, worker, text, times=1):
        until(lambda: self.said(worker, text) >= times or worker.ended(), lambda: "%r %d times\n%s" % (text, times, worker.tail()))
        self.assertFalse(worker.ended(), worker.tail())

    def stands(self, worker, text):
        """Nothing is done between one complaint and the next: what needs no more space goes through meanwhile."""
        done = self.done()
        self.until_said(worker, text, self.said(worker, text) + 2)
        return self.done() == done

    def ends_right(self, worker):
        """It goes on by itself, and did nothing wrong meanwhile."""
        self.until_done(min(self.done() + 1000, self.SIZE), worker)
        self.assertFalse(worker.ended(), worker.tail())
        worker.signal(signal.SIGTERM)
        self.ends_well(worker)
        self.catch_up()
        self.are_right()

    def in_circle_with(self, lock):
        """Another session holds what a batch takes last, and waits for what the batch takes first."""
        worker = self.worker(**self.slow())
        self.until_done(1000, worker)
        until(lambda: worker.ended() or self.circle(lock) and self.said(worker, "deadlock detected") >= 2,
              lambda: "two deadlocks\n" + worker.tail())
        self.assertFalse(worker.ended(), worker.tail())
        self.ends_right(worker)

    def circle(self, lock):
        """The session that has waited longest is the one that is refused: the worker."""
        self.select("set deadlock_timeout = '60s'; begin; %s; select pg_sleep(0.2);"
                    " select 1 from projection_position for update; commit" % lock)
        return True

    def test_deadlocks_with_a_session_that_locks_a_table_are_retried(self):
        self.in_circle_with("lock table outcomes__v1 in share row exclusive mode")

    def test_deadlocks_with_a_session_that_locks_rows_are_retried(self):
        self.in_circle_with("select 1 from outcomes__v1 for update")

    def test_serialization_failures_are_retried_also_those_of_the_commit(self):
        worker = self.worker(**self.slow())
        self.until_done(1000, worker)
        self.select("create function conflict() returns trigger language plpgsql as $$ begin if random() < tg_argv[0]::float8 then"
                    " raise exception 'could not serialize access: %', tg_name using errcode = '40001'; end if; return null; end $$;"
                    " create trigger soon after insert or update on applications__v1 for each statement"
                    " execute function conflict('0.03'); create constraint trigger late after insert or update on applications__v1"
                    " deferrable initially deferred for each row execute function conflict('0.002')")
        self.until_said(worker, "could not serialize access: soon")
        self.until_said(worker, "could not serialize access: late")
        self.ends_right(worker)

    def test_a_database_out_of_connections_is_waited_for(self):
        role = self.schema
        self.postgres('create role "%s" login; alter schema "%s" owner to "%s"; grant create on database perdure to "%s"' %
                      (role, self.schema, role, role))
        self.addCleanup(self.postgres, 'drop owned by "%s" cascade; drop role "%s"' % (role, role))
        self.views += "&user=" + role
        worker = self.worker(**self.slow())
        self.until_done(1000, worker)
        self.postgres('alter role "%s" connection limit 0; select pg_terminate_backend(pid) from pg_stat_activity where'
                      " usename = '%s'" % (role, role))
        self.until_said(worker, "too many connections", 2)
        self.postgres('alter role "%s" connection limit -1' % role)
        self.ends_right(worker)

    def test_a_disk_that_is_full_under_postgresql_is_waited_for(self):
        place = tempfile.mkdtemp(prefix="perdure-disk-")
        self.addCleanup(shutil.rmtree, place, True)
        os.chmod(place, 0o755)
        library, full = shutil.copy(FULL_DISK, place), os.path.join(place, "full")
        os.chmod(library, 0o755)
        self.addCleanup(dev, "restart", "postgres")
        dev("restart", "postgres", LD_PRELOAD=library, PDR_FULL_DISK=full, PDR_FULL_DISK_UNDER="/base/")
        worker = self.worker(**self.slow())
        self.until_done(1000, worker)
        with open(full, "w", encoding="ascii"):
            pass
        until(lambda: self.stands(worker, "No space left on device"), lambda: "a worker that waits\n" + worker.tail())
        os.remove(full)
        self.ends_right(worker)


if __name__ == "__main__":
    main()
