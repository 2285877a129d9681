"""Claims about perdure export, import and copy: what is wrong, in the way, or too much."""
import json
import os
import resource
import subprocess
import unittest

import exports
from exports import COIN, LOAD, SCHEMA, Exports, event
from programs import COMMAND, LOANS_APP

avro = exports.avro


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

    def import_of_30000(self, where, meanwhile, **more):
        """An import with something that happens while it is held; its exit code, and standard error."""
        self.load("sqlite:loans.db", 30000)
        self.works(COMMAND, "export", *self.sqlite("loans"), "all.avro")
        process = self.held(where, "import", *self.made("home", 1), "all.avro", **more)
        meanwhile()
        return self.goes_on(process)

    def test_a_disk_that_fills_up_ends_an_import_which_goes_on_once_there_is_space(self):
        full = self.path("full")
        libraries = os.environ["PDR_HOLD_LIBRARY"] + " " + os.environ["PDR_FULL_DISK_LIBRARY"]
        code, errors = self.import_of_30000("write 400 home.db-wal", lambda: open(full, "w", encoding="ascii").close(),
                                            library=libraries, PDR_FULL_DISK=full)
        os.remove(full)
        self.assertEqual(code, 3, errors)
        self.assertIn("no space left", errors)
        done = json.loads(self.works(COMMAND, "import", *self.sqlite("home"), "all.avro", "--json"))
        self.assertEqual(done["commits"] + done["there"], 30000)
        self.assertEqual(self.rows("home.db")[0], self.rows("loans.db")[0])

    def test_an_application_that_takes_the_journal_over_meanwhile_ends_an_import(self):
        # A write to the file itself, not to its log of changes, is part of no transaction: no lock is held.
        code, errors = self.import_of_30000("write 1 home.db", lambda: self.works(LOAD[3], *self.sqlite("home"), "--stop-after", "10"))
        self.assertEqual(code, 3, errors)
        self.assertIn("is owned by", errors)

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
