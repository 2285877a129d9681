"""Claims about perdure project run, list, status, check, pause, resume, reset, delete, on SQLite."""
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

from programs import COMMAND, LOANS_APP, Programs

DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)
ROWS = 3000
LOG = "sqlite:log.db"

DEFINITION = """
projection applications version %d;
table applications (
    application text, status text not null default 'open', events integer not null default 0,
    primary key (application)
) key entity (entity.key);
on loans.ApplicationSubmitted, loans.ApplicationAccepted, loans.OfferCreated
    upsert applications set events = events + 1;
on loans.ApplicationDeclined upsert applications set status = '%s', events = events + 1;
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Project(Programs):
    def setUp(self):
        super().setUp()
        self.works(COMMAND, "init", "--journal", LOG, "--partitions", "3")
        self.load(LOG, ROWS)
        self.define(1, "declined")

    def define(self, version, word, name="applications.sql"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(DEFINITION % (version, word))

    def project(self, *words, **environment):
        return self.works(COMMAND, "project", *words, PERDURE_JOURNAL=LOG, PERDURE_APP=LOANS_APP, **environment)

    def refused(self, code, words, *texts):
        return self.refuses(code, ["project", *words], *texts, PERDURE_JOURNAL=LOG, PERDURE_APP=LOANS_APP)

    def catch_up(self, *more):
        return json.loads(self.project("run", "applications.sql", "--until-caught-up", "--json", *more))["projections"]

    def rows(self, sql="SELECT application, status, events FROM applications ORDER BY 1"):
        db = sqlite3.connect(self.path("log.db"))
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def start(self, *words):
        """A worker in the background; it is there when its version is."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_")}
        env.update(PERDURE_JOURNAL=LOG, PERDURE_APP=LOANS_APP)
        worker = subprocess.Popen([COMMAND, "project", "run", "applications.sql", *words], cwd=self.folder.name, env=env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(worker.kill)
        self.addCleanup(worker.stdout.close)
        self.addCleanup(worker.stderr.close)
        return worker

    def status(self):
        return json.loads(self.project("status", "--json", "--over", "0"))

    def all_events(self):
        return self.rows("SELECT sum(events) FROM applications")[0][0]

    def test_a_run_until_caught_up_projects_every_event_once_and_the_next_goes_on_from_there(self):
        first = self.catch_up()[0]
        self.assertEqual((first["events"], first["lag_events"], first["parked"], first["partitions"]), (ROWS, 0, 0, 3))
        before = self.all_events()
        self.assertGreater(before, 500)
        self.assertEqual(self.catch_up()[0]["events"], 0)
        self.assertEqual(self.all_events(), before)
        self.load(LOG, ROWS + 500)
        self.assertEqual(self.catch_up()[0]["events"], 500)

    def test_lists_of_partitions_add_up(self):
        self.assertEqual(sum(self.catch_up("--partitions", part)[0]["events"] for part in ("0-1", "2")), ROWS)
        whole = self.rows()
        self.project("reset", "applications", "--version", "1", "--yes")
        self.assertEqual(self.rows(), [])
        self.catch_up()
        self.assertEqual(self.rows(), whole)

    def test_views_of_a_file_of_format_1_get_generations_and_go_on(self):
        self.catch_up()
        whole, db = self.rows(), sqlite3.connect(self.path("log.db"))
        db.execute("ALTER TABLE projection_position DROP COLUMN generation")
        db.execute("UPDATE projection_meta SET format = 1")
        db.commit()
        db.close()
        self.load(LOG, ROWS + 100)
        self.assertEqual(self.catch_up()[0]["events"], 100)
        self.assertEqual(len(self.rows("SELECT 1 FROM projection_position WHERE generation <> 0")), 3)
        self.project("reset", "applications", "--version", "1", "--yes")
        self.assertEqual(self.catch_up()[0]["events"], ROWS + 100)
        self.assertGreaterEqual(self.rows(), whole)

    def test_sigterm_commits_what_was_folded_and_says_what_was_done(self):
        for name in (signal.SIGTERM, signal.SIGINT):
            worker = self.start("--json")
            self.until("projected", lambda: self.rows("SELECT 1 FROM sqlite_master WHERE name = 'applications'")
                       and self.status()[0]["events"] == ROWS)
            self.until_heeds(worker, name)
            worker.send_signal(name)
            out, err = worker.communicate(timeout=240)
            self.assertEqual((worker.returncode, err), (DONE, ""))
            self.assertEqual(json.loads(out)["projections"][0]["state"], "idle")

    def test_status_says_how_far_behind_and_who_works(self):
        self.catch_up("--name", "somebody")
        (version,) = self.status()
        self.assertEqual((version["state"], version["lag_events"], version["parked"], version["fault"]),
                         ("live", 0, 0, None))
        self.assertEqual({part["worker"] for part in version["partitions"]}, {"somebody"})
        self.load(LOG, ROWS + 200)
        (version,) = self.status()
        self.assertGreaterEqual(version["lag_events"], 200)
        self.assertGreater(version["lag_seconds"], 0)
        text = self.project("status", "applications", "--over", "1")
        self.assertIn("applications v1: live; %d events projected" % ROWS, text)
        self.assertIn("behind", text)
        self.assertIn("somebody", text)

    def test_a_paused_one_stands_still_until_it_is_resumed(self):
        self.catch_up()
        self.project("pause", "applications")
        self.assertIn("live, paused", self.project("list"))
        self.load(LOG, ROWS + 100)
        worker = self.start()
        time.sleep(1)
        self.assertEqual(self.status()[0]["events"], ROWS)
        self.project("resume", "applications")
        self.until("resumed", lambda: self.status()[0]["events"] == ROWS + 100)
        worker.terminate()
        self.assertEqual(worker.wait(240), DONE)

    def test_check_looks_at_definition_and_tables_and_changes_nothing(self):
        self.assertIn("fine", self.project("check", "applications.sql"))
        self.assertIn("doesn't have it yet", self.project("check", "applications.sql", "--views", LOG))
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name LIKE '%projection%'"), [])
        self.catch_up()
        self.assertIn("as it is", self.project("check", "applications.sql", "--views", LOG))
        self.define(1, "no")
        done = self.perdure("project", "check", "applications.sql", "--views", LOG, "--json", PERDURE_APP=LOANS_APP)
        self.assertEqual((done.returncode, done.stderr), (REFUSED, ""))
        self.assertIn("another definition", json.loads(done.stdout)[0]["says"])
        self.define(2, "no")
        self.assertIn("project rebuild", self.project("check", "applications.sql", "--views", LOG))
        with open(self.path("bad.sql"), "w", encoding="utf-8") as file:
            file.write("projection bad version 1;\ntable t (a text, b text, primary key (a)) key entity (entity.kee);\n")
        done = self.perdure("project", "check", "bad.sql", "applications.sql", PERDURE_APP=LOANS_APP)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("bad.sql:2:", done.stdout)
        self.assertIn("applications.sql: applications v2, fine", done.stdout)

    def test_a_changed_definition_of_a_running_version_is_refused(self):
        self.catch_up()
        self.define(1, "gone")
        before = self.rows()
        self.refused(REFUSED, ["run", "applications.sql", "--until-caught-up"], "project rebuild applications")
        self.assertEqual(self.rows(), before)

    def test_reset_and_delete_ask_first(self):
        self.catch_up()
        before = self.rows()
        self.refused(REFUSED, ["reset", "applications", "--version", "1"], "--yes")
        self.refused(REFUSED, ["delete", "applications", "--all"], "--yes")
        self.refused(REFUSED, ["delete", "applications", "--version", "1", "--yes"], "live", "swap")
        self.assertEqual(self.rows(), before)
        self.project("delete", "applications", "--all", "--yes")
        self.assertEqual(self.project("list"), "")
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name LIKE 'applications%'"), [])

    def test_a_table_that_somebody_dropped_stops_it_and_says_so(self):
        self.catch_up()
        db = sqlite3.connect(self.path("log.db"))
        db.execute("DROP VIEW applications")
        db.execute("DROP TABLE applications__v1")
        db.commit()
        db.close()
        self.load(LOG, ROWS + 100)
        done = self.perdure("project", "run", "applications.sql", "--until-caught-up", PERDURE_JOURNAL=LOG,
                            PERDURE_APP=LOANS_APP)
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertIn("applications v1 stopped", done.stderr)
        self.assertIn("stopped", self.project("list"))
        self.assertEqual(self.status()[0]["events"], ROWS)

    def test_what_is_wrong_is_refused_and_named(self):
        with open(self.path("other.sql"), "w", encoding="utf-8") as file:
            file.write("projection other version 1;\ntable t (a text, b text, primary key (a)) key entity (entity.key);\n"
                       "on bank.Deposited upsert t set b = 'x';\n")
        self.refused(FAILED, ["run", "nowhere.sql"], "nowhere.sql")
        self.refused(FAILED, ["run", "other.sql"], "other.sql:3:4", "bank.Deposited")
        self.refused(USAGE, ["run"], "no projection")
        self.refused(USAGE, ["run", "applications.sql", "applications.sql"], "twice")
        self.refused(USAGE, ["run", "applications.sql", "--partitions", "3"], "partition 3")
        for wrong in ("x", "1-", "2-1", ",", "1,", "-1", "99999999999"):
            self.refused(USAGE, ["run", "applications.sql", "--partitions", wrong], wrong)
        self.refused(USAGE, ["run", "applications.sql", "--group"], "list of partitions")
        self.refused(USAGE, ["run", "applications.sql", "--settings", "project.attempts"], "NAME=VALUE")
        self.refused(USAGE, ["run", "applications.sql", "--settings", "project.attempt=3"], "project.attempts")
        self.refused(USAGE, ["run", "applications.sql", "--settings", "project.batch.events=1,,2,project.attempts=3"], 'not "1,2"')
        self.refused(USAGE, ["run", "applications.sql", "--views", "mysql://secret@x"], "views")
        self.refused(USAGE, ["run", "applications.sql", "--app", "/dev/null"], "/dev/null")
        self.refuses(USAGE, ["project", "run", "applications.sql", "--journal", LOG], "--app")
        self.refused(LATER, ["list", "--views", "postgres://127.0.0.1:1/x"])
        for verb in ("list", "status", "pause", "resume"):
            self.refused(FAILED, [verb, "nobody"], "no projection nobody")
        self.refused(FAILED, ["throttle", "nobody", "--events", "1"], "no projection nobody")
        self.refused(USAGE, ["throttle", "nobody"], "--events")
        self.refused(USAGE, ["pause"], "NAME")
        self.refused(USAGE, ["delete", "nobody"], "--version")
        self.refused(FAILED, ["reset", "nobody", "--version", "1"], "no projection nobody")
        self.catch_up()
        self.refused(FAILED, ["pause", "applications", "--version", "7"], "no version 7")

    def test_a_port_tells_numbers_health_and_readiness_and_survives_bad_requests(self):
        def ask(method, path, body=None, headers=None):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()

        def raw(data):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
                try:
                    stream.sendall(data)
                    stream.shutdown(socket.SHUT_WR)
                    return stream.recv(100).decode("latin-1")
                except OSError:
                    return ""  # hung up on

        def is_ready():
            try:
                return ask("GET", "/readyz")[0] == 200
            except OSError:
                return False

        def started():
            """Somebody else may have taken the port meanwhile."""
            port = free_port()
            worker = self.start("--settings", "project.metrics.port=%d" % port)
            return port, worker
        port, worker = started()
        while not is_ready():
            if worker.poll() is not None:
                self.assertIn(str(port), worker.stderr.read())
                port, worker = started()
            time.sleep(0.05)
        line = 'perdure_projection_events_total{projection="applications",version="1"} %d\n' % ROWS
        self.until("counted", lambda: line in ask("GET", "/metrics")[1])
        status, text = ask("GET", "/metrics")
        self.assertEqual(status, 200)
        for name in ("batches_total", "rows_total", "stale_total", "retries_total", "last_commit_timestamp_seconds"):
            self.assertIn('perdure_projection_%s{projection="applications",version="1"} ' % name, text)
        for name in ("lag_events", "lag_seconds", "parked_events", "position_offset", "log_end_offset"):
            for partition in range(3):
                self.assertIn('perdure_projection_%s{projection="applications",version="1",partition="%d"} '
                              % (name, partition), text)
        self.assertEqual(ask("GET", "/healthz"), (200, "ok\n"))
        self.assertEqual(ask("HEAD", "/metrics"), (200, ""))
        self.assertEqual(ask("GET", "/")[0], 404)
        self.assertEqual(ask("GET", "/metrics/../../etc/passwd")[0], 404)
        self.assertEqual(ask("GET", "/" + "x" * 5000)[0], 404)
        for method in ("POST", "PUT", "DELETE", "BREW"):
            self.assertEqual(ask(method, "/metrics", "x" * 1000)[0], 405, method)
        for data in (b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\x00\xff" * 500, b"GET /metrics HTTP/9.9\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
                     b"GET /metrics HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
            self.assertNotIn(" 200 ", raw(data), data[:40])
        self.assertEqual(ask("GET", "/healthz"), (200, "ok\n"))
        self.refused(LATER, ["run", "applications.sql", "--settings", "project.metrics.port=%d" % port], str(port))
        worker.terminate()
        self.assertEqual(worker.wait(240), DONE)


if __name__ == "__main__":
    unittest.main()
