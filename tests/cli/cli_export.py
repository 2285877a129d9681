"""Claims about perdure export, import and copy, on SQLite. What is in an export is read, and some exports are made, by
Avro's Python library; journals are compared by their SQLite tables."""
import datetime
import io
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
import zlib

# Debian's packages belong to /usr/bin/python3, which need not be the one that runs this.
PYTHON = os.environ.get("PERDURE_TEST_PYTHON", "/usr/bin/python3")
try:
    import avro.datafile
    import avro.io
    import avro.schema
except ImportError:
    if PYTHON != sys.executable and subprocess.run([PYTHON, "-c", "import avro"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        os.execv(PYTHON, [PYTHON] + sys.argv)
    raise

from programs import COMMAND, LOANS_APP, Programs

LOAD = {1: os.environ["PDR_LOANS_LOAD_V1"], 2: os.environ["PDR_LOANS_LOAD_V2"], 3: os.environ["PDR_LOANS_LOAD"]}
HERE = ("entity", "seq", "index", "count", "time", "type", "version", "fingerprint", "command", "reply", "correlation",
        "causation", "traceparent", "consumed", "datum")


class Exports(Programs):
    def sqlite(self, name):
        return ["--journal", "sqlite:%s.db" % name]

    def made(self, name, partitions=8):
        self.works(COMMAND, "init", *self.sqlite(name), "--partitions", str(partitions))
        return self.sqlite(name)

    def written_by_three(self, rows=3000):
        """Three versions of the application wrote it, so it has older writer schemas; in several terms."""
        flags = self.made("three")
        for version, share in ((1, 1), (2, 2), (3, 3)):
            self.works(LOAD[version], *flags, "--stop-after", str(rows * share // 3))
        self.works(os.environ["PDR_LOANS_REMIND_V1"], flags[1], flags[1], "5")
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP, "--yes")
        return flags

    def exported(self, flags, name, *more):
        self.works(COMMAND, "export", *flags, name, *more)
        return self.records(name)

    def reader(self, name):
        return avro.datafile.DataFileReader(open(self.path(name), "rb"), avro.io.DatumReader())

    def records(self, name):
        with self.reader(name) as reader:
            return list(reader)

    def events(self, records):
        return [{k: r[k] for k in HERE} for r in records if "entity" in r]

    def by_entity(self, records):
        histories = {}
        for event in self.events(records):
            histories.setdefault(event["entity"], []).append(event)
        return histories

    def rows(self, name):
        """The log's events as the tables have them, by entity: value and traceparent in order of offset."""
        db = sqlite3.connect(self.path(name))
        histories = {}
        (partitions,) = db.execute("SELECT partitions FROM log_meta").fetchone()
        for partition in range(partitions):
            for key, value, trace in db.execute("SELECT key, value, trace FROM record_%d WHERE key IS NOT NULL ORDER BY offset"
                                                % partition):
                histories.setdefault(key, []).append((value, trace))
        schemas = {text for p in range(partitions)
                   for (text,) in db.execute("SELECT schema FROM record_%d WHERE schema IS NOT NULL" % p)}
        db.close()
        return histories, schemas

    def heads(self, flags, app=LOANS_APP):
        heads = [json.loads(line) for line in self.dump(*flags, "--app", app).splitlines()]
        for head in heads:
            del head["partition"], head["last"]
        return heads

    # --- an export made by Avro's Python library ---

    def container(self, name, records, version="1", journal="00112233445566778899aabbccddeeff", codec="null", check=None,
                  ended=True, schema=None):
        if schema is None:
            schema = self.schema_text()
        parsed = avro.schema.parse(schema)
        writer = avro.io.DatumWriter(parsed)
        blob = io.BytesIO()
        for record in records:
            writer.write(record, avro.io.BinaryEncoder(blob))
        events = [r for r in records if "entity" in r]
        end = {"events": len(events), "commits": len([e for e in events if e["index"] + 1 == e["count"]]),
               "check": zlib.crc32(blob.getvalue()) if check is None else check}
        count = len(records)
        if ended:
            writer.write(end, avro.io.BinaryEncoder(blob))
            count += 1
        out = io.BytesIO()
        encoder = avro.io.BinaryEncoder(out)
        out.write(b"Obj\x01")
        meta = {"avro.schema": schema, "avro.codec": codec, "perdure.journal": journal}
        if version:
            meta["perdure.export"] = version
        encoder.write_long(len(meta))
        for key, value in meta.items():
            encoder.write_utf8(key)
            encoder.write_bytes(value.encode())
        encoder.write_long(0)
        sync = b"0123456789abcdef"
        out.write(sync)
        encoder.write_long(count)
        encoder.write_bytes(blob.getvalue())
        out.write(sync)
        with open(self.path(name), "wb") as file:
            file.write(out.getvalue())

    def schema_text(self):
        """As the documentation has it."""
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/formats/export.md"), encoding="utf-8") as file:
            text = re.search(r"```json\n(.*?)```", file.read(), re.DOTALL)[1]
        return json.dumps(json.loads(text), separators=(",", ":"))


COIN = '{"type":"record","name":"Coin","namespace":"shop","fields":[{"name":"n","type":"int"}]}'


def fingerprint(text):
    """CRC-64-AVRO of a canonical form, from Avro's specification."""
    empty = 0xC15D213AA4D7A795
    table = []
    for i in range(256):
        value = i
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1))
        table.append(value)
    result = empty
    for byte in text.encode():
        result = (result >> 8) ^ table[(result ^ byte) & 0xFF]
    return result.to_bytes(8, "big")


MARK = fingerprint('{"name":"shop.Coin","type":"record","fields":[{"name":"n","type":"int"}]}')
SCHEMA = {"fingerprint": MARK, "json": COIN}


def at(microseconds):
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=microseconds)


def event(entity, seq, index=0, count=1, **more):
    made = {"entity": entity, "seq": seq, "index": index, "count": count, "time": at(1_000_000 * seq - 5),
            "append_time": at(7000),
            "partition": 3, "offset": 90 + seq, "type": "shop.Coin", "version": 0, "fingerprint": MARK, "command": None,
            "reply": None, "correlation": None, "causation": None, "traceparent": None, "consumed": None, "datum": b"\x02"}
    made.update(more)
    return made


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
        """An import of 30,000 events, killed while it writes; gives its exit code."""
        with subprocess.Popen([COMMAND, "import", *self.sqlite("home"), "all.avro"], cwd=self.folder.name,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            db = sqlite3.connect(self.path("home.db"), timeout=20)
            count, began = self.count(db), time.monotonic()
            while process.poll() is None and self.count(db) < count + 500 and time.monotonic() < began + 60:
                time.sleep(0.002)
            db.close()
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def count(self, db):
        return sum(db.execute("SELECT count(*) FROM record_%d WHERE key IS NOT NULL" % p).fetchone()[0] for p in range(8))

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
        with subprocess.Popen([COMMAND, "export", *self.sqlite("loans"), "x.avro"], cwd=self.folder.name, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not any("part" in name for name in os.listdir(self.folder.name)):
                time.sleep(0.001)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("it was done before the signal came")
        self.assertEqual(process.returncode, 6)
        self.assertIn("stopped", errors)
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.startswith("x.avro")], [])

    def test_a_reader_that_goes_away_is_no_failure(self):
        self.load("sqlite:loans.db", 20000)
        done = subprocess.run(["bash", "-c", 'set -o pipefail; "$0" export --journal sqlite:loans.db - --codec null | head -c 9'
                               ' >/dev/null', COMMAND], cwd=self.folder.name, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


class BadInput(Exports):
    def small(self):
        records = [SCHEMA] + [event("a/%d" % k, seq, datum=bytes([2 * k])) for k in range(9) for seq in range(1, 6)]
        self.container("small.avro", records)
        with open(self.path("small.avro"), "rb") as file:
            return file.read()

    def import_of(self, data, name="bad.avro"):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.perdure("import", *self.sqlite("home"), name)

    def is_empty(self, name="home.db"):
        self.assertEqual(self.rows(name)[0], {})

    def test_a_file_that_was_cut_short_anywhere_is_refused_before_anything_is_written(self):
        whole = self.small()
        self.made("home", 1)
        for size in sorted({0, 3, 4, 5, 40, len(whole) - 1, len(whole) - 16, len(whole) - 17} | set(range(100, len(whole), 311))):
            done = self.import_of(whole[:size])
            self.assertEqual((done.returncode, done.stdout), (2 if size < 4 else 5, ""), (size, done.stderr))
        self.is_empty()

    def test_a_flipped_bit_anywhere_is_refused_or_means_nothing(self):
        whole = self.small()
        wanted = self.events(self.records("small.avro"))
        for codec in ("deflate", "null"):
            self.made("source-" + codec, 1)
            self.works(COMMAND, "import", *self.sqlite("source-" + codec), "small.avro")
            self.works(COMMAND, "export", *self.sqlite("source-" + codec), codec + ".avro", "--codec", codec)
        self.made("home", 1)
        for codec in ("deflate", "null"):
            with open(self.path(codec + ".avro"), "rb") as file:
                data = file.read()
            header = data.index(b"avro.codec")
            for at in list(range(0, 200, 41)) + list(range(header, len(data), len(data) // 25)):
                done = self.import_of(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1:])
                if done.returncode == 0:
                    self.assertEqual(self.by_entity(self.exported(self.sqlite("home"), "back.avro", "--force")),
                                     self.by_entity(self.records("small.avro")), at)
                    for name in ("home.db", "home.db-wal", "home.db-shm"):
                        if os.path.exists(self.path(name)):
                            os.remove(self.path(name))
                    self.made("home", 1)
                else:
                    self.assertIn(done.returncode, (1, 2, 5), (at, done.stderr))
                    self.assertEqual(done.stdout, "")
        self.is_empty()
        self.assertEqual(len(wanted), 45)
        self.assertGreater(len(whole), 500)

    def test_other_containers_and_other_files_are_refused(self):
        target = self.made("home", 1)
        schema = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
        with avro.datafile.DataFileWriter(open(self.path("foreign.avro"), "wb"), avro.io.DatumWriter(), avro.schema.parse(schema)) as w:
            w.append({"a": 1})
        self.refuses(2, ["import", *target, "foreign.avro"], "isn't an exact export")
        self.container("bzip.avro", [SCHEMA], codec="bzip2")
        self.refuses(2, ["import", *target, "bzip.avro"], '"bzip2"')
        self.container("new.avro", [SCHEMA], version="2")
        self.refuses(1, ["import", *target, "new.avro"], "version 2")
        with open(self.path("text"), "w", encoding="ascii") as file:
            file.write('{"entity":"a/1"}\n')
        self.refuses(2, ["import", *target, "text"], "isn't an Avro container file")
        self.refuses(1, ["import", *target, "none.avro"], "none.avro")
        self.refuses(2, ["import", *target, "."], "isn't a file")
        self.refuses(2, ["import", *target], "FILE")
        self.is_empty()

    def test_records_that_make_no_history_are_refused(self):
        target = self.made("home", 1)
        other = {"fingerprint": b"\x00" * 8, "json": COIN}
        for what, records in {
                "event 1 of a/1 was written with a schema that isn't in the export": [event("a/1", 1)],
                "event 2 of a/1 comes after event 0": [SCHEMA, event("a/1", 2)],
                "event 3 of a/1 comes after event 1": [SCHEMA, event("a/1", 1), event("a/1", 3)],
                "event 1 of a/1 comes after event 1": [SCHEMA, event("a/1", 1), event("a/1", 1)],
                "event 2 of a/1 begins inside a commit": [SCHEMA, event("a/1", 2, 1, 2)],
                "event 1 of a/1 isn't followed by the rest of its commit": [SCHEMA, event("a/1", 1, 0, 2)],
                "event 2 of a/2 doesn't go on": [SCHEMA, event("a/1", 1, 0, 2), event("a/2", 2, 1, 2)],
                "isn't one of an export": [SCHEMA, event("a/1", 1, command={"id": b"", "fingerprint": b"12345678"})],
                "has fingerprint": [other, event("a/1", 1)]}.items():
            self.container("bad.avro", records)
            self.refuses(5, ["import", *target, "bad.avro"], what)
        self.container("bad.avro", [SCHEMA, event("a/1", 1)], check=17)
        self.refuses(5, ["import", *target, "bad.avro"], "check differs")
        self.container("bad.avro", [SCHEMA, event("a/1", 1)], ended=False)
        self.refuses(5, ["import", *target, "bad.avro"], "its end is missing")
        self.is_empty()

    def test_a_journal_that_has_other_events_is_refused(self):
        source = self.written_by_three(900)
        self.works(COMMAND, "export", *source, "all.avro")
        self.small()
        self.refuses(4, ["import", *source, "small.avro"], "isn't empty")
        self.refuses(4, ["import", *source, "all.avro"], "this very journal")
        target = self.made("home", 3)
        self.works(COMMAND, "import", *target, "--app", LOANS_APP, "all.avro")
        self.refuses(4, ["import", *target, "small.avro"], "isn't empty")
        # The same export again does nothing; once the application has gone on, it is refused.
        done = json.loads(self.works(COMMAND, "import", *target, "all.avro", "--json"))
        self.assertEqual((done["events"], done["there"]), (0, 905))
        self.works(LOAD[3], *target, "--stop-after", "1000")
        self.refuses(4, ["import", *target, "all.avro"], "isn't empty")
        self.refuses(4, ["copy", *source, "--to", target[1]], "isn't empty")

    def test_journals_that_were_not_made_and_journals_that_are_empty(self):
        self.small()
        self.refuses(1, ["import", "--journal", "sqlite:none.db", "small.avro"], "none.db")
        self.made("empty", 2)
        self.refuses(1, ["export", *self.sqlite("empty"), "x.avro"], "is empty")
        self.refuses(1, ["copy", *self.sqlite("empty"), "--to", "sqlite:empty.db"], "is empty")
        self.refuses(2, ["copy", *self.sqlite("empty")], "--to")
        self.assertFalse(os.path.exists(self.path("x.avro")))

    def test_events_that_the_application_can_t_fold_come_all_the_same_with_their_heads(self):
        source = self.written_by_three(900)
        self.works(COMMAND, "export", *source, "all.avro")
        heads = [{k: v for k, v in h.items() if k in ("entity", "seq", "ids")} for h in self.heads(source)]
        target = self.made("home", 3)
        done = self.perdure("import", *target, "--app", os.environ["PDR_OTHER_APP"], "all.avro", "--json")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(json.loads(done.stdout)["unfolded"], len(heads))
        got = [{k: v for k, v in h.items() if k in ("entity", "seq", "ids")} for h in self.heads(target)]
        self.assertEqual(got, heads)
        self.assertEqual(self.rows("home.db")[0], self.rows("three.db")[0])

    def test_files_that_exist_stay_unless_they_are_to_be_replaced(self):
        source = self.written_by_three(300)
        with open(self.path("x.avro"), "w", encoding="ascii") as file:
            file.write("precious")
        self.refuses(4, ["export", *source, "x.avro"], "x.avro", "--force")
        with open(self.path("x.avro"), encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        self.refuses(4, ["export", *source, ".", "--force"], "isn't a file")
        self.refuses(1, ["export", *source, "none/x.avro"], "none/x.avro")
        self.assertEqual(len(self.events(self.exported(source, "x.avro", "--force"))), 305)
        self.assertEqual([n for n in os.listdir(self.folder.name) if ".part-" in n], [])

    def test_a_full_disk_leaves_no_half_file(self):
        self.load("sqlite:loans.db", 20000)
        done = subprocess.run([COMMAND, "export", *self.sqlite("loans"), "x.avro"], cwd=self.folder.name, capture_output=True, text=True,
                              check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
        self.assertIn("no space left", done.stderr)
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.startswith("x.avro")], [])

    def test_flags_that_are_wrong_are_named(self):
        source = self.written_by_three(300)
        for words, text in ((["--format", "xml"], "xml"), (["--codec", "zip"], "zip"), (["--since", "yesteryear"], "yesteryear"),
                            (["--type", "OfferMade"], "--type"), (["--since", "2011-01-01"], "--since"),
                            (["--entities", ","], "names no entity"), (["--until", "1h", "--since", "0s"], "")):
            self.refuses(2, ["export", *source, "x.avro", *words], text)
        self.refuses(1, ["export", *source, "x.avro", "--entities", "@none"], "none")
        self.refuses(2, ["export", *source], "FILE")


if __name__ == "__main__":
    unittest.main()
