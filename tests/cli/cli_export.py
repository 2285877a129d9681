"""Claims about perdure export, import and copy, on SQLite: exact exports."""
import json
import os
import signal
import subprocess
import unittest

from exports import LOAD, SCHEMA, Exports, at, event
from programs import COMMAND, LOANS_APP


class Whole(Exports):
    def test_all_loans_exported_and_imported_have_the_same_states_and_the_same_ids_in_their_heads(self):
        self.works(os.environ["PDR_LOANS_LOAD"], "--journal", "sqlite:loans.db")
        source = self.sqlite("loans")
        done = json.loads(self.works(COMMAND, "export", *source, "all.avro", "--json"))
        self.assertEqual((done["events"], done["entities"], done["unreadable"]), (262200, 13087, 0))
        self.assertEqual(done["bytes"], os.path.getsize(self.path("all.avro")))
        target = self.made("home", 5)
        done = json.loads(self.works(COMMAND, "import", *target, "--app", LOANS_APP, "all.avro", "--json"))
        self.assertEqual(done, {"commits": 262200, "events": 262200, "there": 0, "unfolded": 0, "states": True})
        heads = self.heads(source)
        self.assertEqual(len(heads), 13087)
        self.assertEqual(self.heads(target), heads)
        self.assertEqual(self.rows("home.db")[0], self.rows("loans.db")[0])
        self.works(COMMAND, "verify", *target, "--app", LOANS_APP)
        # The store alone isn't believed: one made anew from the log says the same.
        self.works(COMMAND, "rebuild-store", *target, "--app", LOANS_APP, "--yes")
        self.assertEqual(self.heads(target), heads)
        # Command ids are known: what is sent again is answered, not done again.
        again = self.works(os.environ["PDR_LOANS_LOAD"], "--journal", "sqlite:home.db", "--stop-after", "20000")
        self.assertRegex(again.splitlines()[-1], r"fresh 0 repeated 20000 refused 0")

    def test_a_journal_of_8_partitions_copied_into_one_of_32_has_the_same_histories_and_states(self):
        source, target = self.written_by_three(), self.made("wide", 32)
        self.assertIn("3005 events", self.works(COMMAND, "copy", *source, "--to", target[1], "--app", LOANS_APP))
        self.assertEqual(self.heads(target), self.heads(source))
        self.assertEqual(self.rows("wide.db"), self.rows("three.db"))
        self.assertEqual(self.by_entity(self.exported(target, "b.avro")), self.by_entity(self.exported(source, "a.avro")))
        # What comes later is brought over by the same command.
        self.works(LOAD[3], *source, "--stop-after", "3500")
        done = json.loads(self.works(COMMAND, "copy", *source, "--to", target[1], "--app", LOANS_APP, "--json"))
        self.assertEqual((done["events"], done["there"]), (500, 3005))
        self.assertEqual(self.rows("wide.db"), self.rows("three.db"))
        self.works(COMMAND, "verify", *target, "--app", LOANS_APP)


class Exact(Exports):
    def test_an_export_says_what_the_tables_say_and_comes_back_the_same(self):
        source = self.written_by_three()
        records = self.exported(source, "a.avro")
        histories, schemas = self.rows("three.db")
        told = {}
        for e in records:
            if "entity" in e:
                value = b"\xc3\x01" + e["fingerprint"][::-1] + e["datum"]
                told.setdefault(e["entity"], []).append((value, e["traceparent"]))
        self.assertEqual(told, histories)
        self.assertEqual({r["json"] for r in records if "json" in r}, schemas)
        self.assertEqual({e["version"] for e in records if e.get("type") == "loans.ApplicationSubmitted"}, {1, 2, 3})
        self.assertEqual(records[-1]["events"], len(self.events(records)))
        self.assertEqual(self.exported(source, "null.avro", "--codec", "null"), records)
        self.works(COMMAND, "export", *source, "snappy.avro", "--codec", "snappy")
        target = self.made("home", 3)
        self.works(COMMAND, "import", *target, "--app", LOANS_APP, "snappy.avro")
        self.assertEqual(self.rows("home.db"), (histories, schemas))
        self.assertEqual(self.by_entity(self.exported(target, "b.avro")), self.by_entity(records))
        self.assertEqual(self.heads(target), self.heads(source))

    def test_commits_ids_replies_and_all_else_that_a_record_may_have_are_kept(self):
        told = {"command": {"id": b"\x00\xff", "fingerprint": b"12345678"}, "correlation": b"c" * 64, "causation": b"\x01",
                "traceparent": b"", "consumed": {"partition": 4, "offset": 1 << 60}}
        records = [SCHEMA] + [event("a/1", i + 1, i, 3, **told) for i in range(3)]
        records[-1].update(reply=b"")
        records += [event("b/\u00e4", 1, time=at(0)), event("b/\u00e4", 2, time=at(-(1 << 50)), reply=b"r" * 240, command={"id": b"x" * 64, "fingerprint": b"\xff" * 8})]
        self.container("made.avro", records)
        target = self.made("home", 2)
        self.assertIn("5 events in 3 commits", self.works(COMMAND, "import", *target, "made.avro"))
        got = self.by_entity(self.exported(target, "got.avro"))
        with self.reader("made.avro") as reader:
            self.assertEqual(got, self.by_entity(list(reader)))
        heads = {h["entity"]: h for h in self.heads(target)}
        self.works(COMMAND, "verify", *target)
        self.assertEqual([(i["seq"], i["events"], i["command"]) for i in heads["a/1"]["ids"]], [(3, 3, "3132333435363738")])

    def test_entities_are_chosen_by_id_by_beginning_and_by_file(self):
        source = self.written_by_three(1500)
        all_of = self.by_entity(self.exported(source, "all.avro"))
        one = sorted(all_of)[3]
        with open(self.path("list"), "w", encoding="ascii") as file:
            file.write("%s\nloan/none\n" % one)
        for words, wanted in ((one, {one}), ("@list", {one}), (one[:-1] + "*", {e for e in all_of if e.startswith(one[:-1])}),
                              ("loan/none", set())):
            name = "chosen.avro"
            got = self.by_entity(self.exported(source, name, "--entities", words, "--force"))
            self.assertEqual(got, {e: all_of[e] for e in wanted}, words)
            with self.reader(name) as reader:
                self.assertEqual(json.loads(reader.meta["perdure.selection"]), {"entities": words})
        self.works(COMMAND, "export", *source, "one.avro", "--entities", one)
        target = self.made("home", 1)
        self.works(COMMAND, "import", *target, "--app", LOANS_APP, "one.avro")
        self.assertEqual(self.heads(target), [h for h in self.heads(source) if h["entity"] == one])
        # Another entity of the same journal may follow.
        other = sorted(all_of)[5]
        self.works(COMMAND, "export", *source, "two.avro", "--entities", other)
        self.works(COMMAND, "import", *target, "--app", LOANS_APP, "two.avro")
        self.assertEqual({h["entity"] for h in self.heads(target)}, {one, other})

    def test_until_gives_the_beginning_of_each_history(self):
        source = self.written_by_three(1500)
        all_of = self.by_entity(self.exported(source, "all.avro"))
        times = sorted(e["time"] for h in all_of.values() for e in h if e["entity"] < "loan/9")
        until = times[len(times) // 2]
        got = self.by_entity(self.exported(source, "some.avro", "--until", until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        wanted = {k: [e for e in h if e["time"] < until] for k, h in all_of.items()}
        self.assertEqual(got, {k: h for k, h in wanted.items() if h})
        target = self.made("home", 4)
        self.works(COMMAND, "import", *target, "some.avro")
        self.assertEqual(self.by_entity(self.exported(target, "back.avro")), got)

    def test_the_same_log_gives_the_same_bytes(self):
        source = self.written_by_three(900)
        for name in ("a.avro", "b.avro"):
            self.works(COMMAND, "export", *source, name)
        with open(self.path("a.avro"), "rb") as a, open(self.path("b.avro"), "rb") as b:
            self.assertEqual(a.read(), b.read())
        out = subprocess.run([COMMAND, "export", *source, "-"], cwd=self.folder.name, capture_output=True, check=True)
        with open(self.path("a.avro"), "rb") as a:
            self.assertEqual(out.stdout, a.read())
        self.assertEqual(out.stderr, b"")


class Stopped(Exports):
    def killed(self, number):
        """An import of 30,000 events, stopped or killed while it writes; gives its exit code, and standard error."""
        process = self.held("write 400 home.db-wal", "import", *self.sqlite("home"), "all.avro")
        process.send_signal(number)
        return self.goes_on(process)

    def test_an_import_that_was_stopped_or_killed_goes_on_and_does_nothing_twice(self):
        self.load("sqlite:loans.db", 30000)
        source, target = self.sqlite("loans"), self.made("home")
        self.works(COMMAND, "export", *source, "all.avro")
        outcomes = [self.killed(number) for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL)]
        self.assertEqual(outcomes[0][0], -signal.SIGKILL)
        self.assertEqual(outcomes[1][0], 6, outcomes[1][1])
        self.assertIn("the same command goes on", outcomes[1][1])
        done = json.loads(self.works(COMMAND, "import", *target, "--app", LOANS_APP, "all.avro", "--json"))
        self.assertEqual(done["commits"] + done["there"], 30000)
        self.assertGreater(done["there"], 500)
        self.assertGreater(done["commits"], 0)
        self.assertEqual(self.by_entity(self.exported(target, "b.avro")), self.by_entity(self.records("all.avro")))
        self.works(COMMAND, "verify", *target)
        self.works(COMMAND, "rebuild-store", *target, "--app", LOANS_APP, "--yes")
        self.assertEqual(self.heads(target), self.heads(source))

    def test_an_export_that_is_stopped_leaves_nothing(self):
        self.load("sqlite:loans.db", 30000)
        process = self.held("read 100 loans.db", "export", *self.sqlite("loans"), "x.avro")
        self.assertTrue(any(name.startswith("x.avro") for name in os.listdir(self.folder.name)), "it writes")
        process.send_signal(signal.SIGTERM)
        code, errors = self.goes_on(process)
        self.assertEqual(code, 6)
        self.assertIn("stopped", errors)
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.startswith("x.avro")], [])

    def test_a_reader_that_goes_away_is_no_failure(self):
        self.load("sqlite:loans.db", 20000)
        done = subprocess.run(["bash", "-c", 'set -o pipefail; "$0" export --journal sqlite:loans.db - --codec null | head -c 9'
                               ' >/dev/null', COMMAND], cwd=self.folder.name, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
