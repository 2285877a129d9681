"""What the claims about projection workers share: a log of the loans in Kafka, loaded once, views in a schema of their own for each
claim, workers, and the rows that must come out."""
import json
import os
import sys

from fault_world import COMMAND, LOANS_APP, POSTGRES, ROWS, Faults, Missed, Running, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import loans_figures  # noqa: E402

FILES = os.environ["PDR_LOANS_PROJECTIONS"]
DATA = os.environ["PDR_LOANS_DATA"]
PARTITIONS = 8


def file_of(name):
    return os.path.join(FILES, name + ".sql")


class Worker(Running):
    """perdure project run."""

    def __init__(self, claim, names, *flags, extra=None, **settings):
        given = dict(claim.settings(), **settings)
        words = [COMMAND, "project", "run", *names, *claim.journal.flags, "--views", claim.views, "--app", LOANS_APP,
                 "--json", "--settings", ",".join("%s=%s" % (name.replace("__", "."), value) for name, value in given.items())]
        super().__init__(words + list(flags), claim.folder, extra=extra)

    def report(self):
        """What it said at its end, by projection."""
        return {one["projection"]: one for one in json.loads(self.lines[-1])["projections"]}


class ViewFaults(Faults):
    NAMES = ("applications", "work_items", "workload")
    SIZE = ROWS  # events of the log
    loaded, figures = None, None

    def setUp(self):
        super().setUp()
        if ViewFaults.loaded is None:
            ViewFaults.figures = loans_figures.Figures(DATA, self.SIZE)
            journal = self.new_journal()
            self.load(journal, "--stop-after", str(self.SIZE))
            ViewFaults.loaded = journal
        self.journal = ViewFaults.loaded
        self.new_views()

    def new_journal(self):
        return self.kafka()

    def new_views(self):
        self.schema = "views_%s" % os.urandom(6).hex()
        self.views = "%s%sschema=%s" % (POSTGRES, "&" if "?" in POSTGRES else "?", self.schema)
        self.postgres('create schema "%s"' % self.schema)

    def settings(self):
        return {"project.view.schema": self.schema, "project.retry.max.ms": 1000}

    def worker(self, *flags, names=None, **more):
        files = [name if "/" in name else file_of(name) for name in names or self.NAMES]
        program = Worker(self, files, *flags, **more)
        self.programs.append(program)
        return program

    def catch_up(self, **more):
        """One worker to the log's end; its report."""
        return self.ends_well(self.worker("--until-caught-up", **more)).report()

    def command(self, *words, status=0):
        """A command of `perdure project` or `perdure dlq`; what it printed."""
        done = self.run_in(COMMAND, *words, *self.journal.flags, "--views", self.views, "--app", LOANS_APP, "--settings",
                           "project.view.schema=" + self.schema)
        self.assertEqual(done.returncode, status, "%s\n%s%s" % (words, done.stdout[-500:], done.stderr[-2000:]))
        return done.stdout

    # --- rows ---

    def select(self, sql):
        return self.postgres('set search_path = "%s"; %s' % (self.schema, sql)).strip()

    def number(self, sql):
        return int(self.select(sql) or 0)

    def rows(self, table):
        return loans_figures.rows_from_csv(self.select(loans_figures.select(table)))

    def wrong(self, names=None):
        """What differs from the figures, table by table, row by row."""
        said = []
        for name in names or self.NAMES:
            for table in loans_figures.TABLES[name]:
                said += loans_figures.differences(self.figures, table, self.rows(table))
        return said

    def are_right(self, names=None):
        self.assertEqual(self.wrong(names), [])
        for name in names or self.NAMES:
            self.assertEqual(self.number("select sum(events) from projection_position where projection = '%s'" % name), self.SIZE)
            self.assertEqual(self.number("select count(*) from dead_letter where projection = '%s'" % name), 0)

    def done(self, name="applications"):
        """Events that the version's positions cover."""
        return self.number("select coalesce(sum(events), 0) from projection_position where projection = '%s'" % name)

    def until_done(self, events, worker, name="applications"):
        def there():
            return worker.ended() or self.made() and self.done(name) >= events
        until(there, lambda: "%d events projected\n%s" % (events, worker.tail()))

    def until_met(self, attempt):
        """Each time with views of its own."""
        def afresh(slower):
            if slower > 1:
                self.new_views()
            return attempt(slower)
        return super().until_met(afresh)

    def work_was_left(self, name="applications"):
        """When the last fault came; how much had been done."""
        done = self.done(name)
        if done >= self.SIZE:
            raise Missed("the log ended before the last fault")
        return done

    def made(self):
        return self.number("select count(*) from pg_tables where schemaname = '%s' and tablename = 'projection_position'" %
                           self.schema) > 0
