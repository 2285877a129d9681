"""Claims about perdure export's forms for other programs: plain, jsonl and csv, against the loans' CSV."""
import csv
import datetime
import gzip
import json
import os
import unittest

import exports
from exports import Exports
from programs import COMMAND, LOANS_APP

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/loans/data/loan_applications.csv.gz")
ROWS = 3000
UTC = datetime.timezone.utc


def time_of(text):
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=UTC)


class Shown(Exports):
    def facts(self):
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            return [row for _, row in zip(range(ROWS), csv.DictReader(file))]

    def submitted(self):
        """(entity, time, amount) of the applications that were submitted, as the data have them."""
        return sorted(("loan/" + f["application"], time_of(f["at"]), float(f["amount_requested"])) for f in self.facts()
                      if f["activity"] == "A_SUBMITTED")

    def shown(self, form, name, *more):
        flags = self.written_by_three(ROWS)
        return json.loads(self.works(COMMAND, "export", *flags, name, "--format", form, "--app", LOANS_APP, "--json", *more))

    def lines(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def rows_of(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def test_plain_containers_have_each_type_in_its_own_schema_of_today(self):
        done = self.shown("plain", "out")
        files = sorted(os.listdir(self.path("out")))
        self.assertEqual(done["bytes"], sum(os.path.getsize(self.path("out/" + f)) for f in files))
        records = {f[:-5]: self.records("out/" + f) for f in files}
        self.assertEqual(sum(len(r) for r in records.values()), done["events"])
        got = sorted((r["entity"], r["time"], float(r["event"]["amount"])) for r in records["loans.ApplicationSubmitted"])
        self.assertEqual(got, self.submitted())
        with self.reader("out/loans.ApplicationSubmitted.avro") as reader:
            fields = {f.name: f.type for f in exports.avro.schema.parse(reader.meta["avro.schema"]).fields}
        self.assertEqual(fields["event"].fullname, "loans.ApplicationSubmitted")
        self.assertNotIn("loans.ReminderPrinted", records, "today's application drops them")

    def test_a_line_of_json_per_event_in_today_s_form_or_as_it_was_written(self):
        done = self.shown("jsonl", "out.jsonl")
        lines = self.lines("out.jsonl")
        self.assertEqual((len(lines), done["unreadable"]), (done["events"], 0))
        got = sorted((e["entity"], time_of(e["time"]), float(e["event"]["amount"])) for e in lines
                     if e["type"] == "loans.ApplicationSubmitted")
        self.assertEqual(got, self.submitted())
        self.works(COMMAND, "export", *self.sqlite("three"), "raw.jsonl", "--format", "jsonl")
        raw = self.lines("raw.jsonl")
        self.assertEqual(len(raw), ROWS + 5)
        self.assertGreater(len({tuple(e["event"]) for e in raw if e["type"] == "loans.ApplicationSubmitted"}), 1, "of three versions")

    def test_a_row_per_event_and_a_column_per_field(self):
        done = self.shown("csv", "out.csv")
        rows = self.rows_of("out.csv")
        self.assertEqual(len(rows), done["events"])
        got = sorted((r["entity"], time_of(r["time"]), float(r["event.amount"])) for r in rows if r["type"] == "loans.ApplicationSubmitted")
        self.assertEqual(got, self.submitted())
        by = {(r["entity"], r["seq"], r["part"]): r for r in rows}
        self.works(COMMAND, "export", *self.sqlite("three"), "out.jsonl", "--format", "jsonl", "--app", LOANS_APP)
        for line in self.lines("out.jsonl"):
            row = by.pop((line["entity"], str(line["seq"]), str(line.get("part", ""))))
            self.assertEqual(row["type"], line["type"])
            self.assertEqual(row["command"], line.get("command", ""))
            employee = line["event"]["by"]["employee"]
            self.assertEqual(row["event.by.employee"], "" if employee is None else str(employee))
        self.assertEqual(by, {})

    def test_types_times_and_entities_are_chosen(self):
        facts = self.facts()
        since, until = facts[500]["at"], facts[2500]["at"]
        wanted = sorted(x for x in self.submitted() if time_of(since) <= x[1] < time_of(until))
        for types in ("ApplicationSubmitted", "OfferSent,loans.ApplicationSubmitted"):
            self.shown("csv", "some.csv", "--type", types, "--since", since, "--until", until, "--force")
            rows = self.rows_of("some.csv")
            self.assertEqual({r["type"] for r in rows} - {"loans.OfferSent"}, {"loans.ApplicationSubmitted"})
            got = sorted((r["entity"], time_of(r["time"]), float(r["event.amount"])) for r in rows
                         if r["type"] == "loans.ApplicationSubmitted")
            self.assertEqual(got, wanted)
            for name in list(os.listdir(self.folder.name)):
                if name.startswith("three"):
                    os.remove(self.path(name))
        self.assertGreater(len(wanted), 10)
        one = wanted[0][0]
        self.shown("jsonl", "one.jsonl", "--entities", one)
        self.assertEqual([e["seq"] for e in self.lines("one.jsonl")], list(range(1, 1 + len([f for f in facts if "loan/" + f["application"] == one]))))

    def test_text_with_quotes_commas_and_line_ends_comes_back(self):
        odd = 'a"b,c\nd/1'
        self.container("made.avro", [exports.SCHEMA, exports.event(odd, 1, command={"id": b'x,"y"', "fingerprint": b"12345678"})])
        target = self.made("home", 1)
        self.works(COMMAND, "import", *target, "made.avro")
        done = self.perdure("export", *target, "out.csv", "--format", "csv", "--app", LOANS_APP)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        (row,) = self.rows_of("out.csv")
        self.assertEqual((row["entity"], row["type"], row["command"]), (odd, "shop.Coin", 'x,"y"'))
        self.works(COMMAND, "export", *target, "out.jsonl", "--format", "jsonl")
        (line,) = self.lines("out.jsonl")
        self.assertEqual((line["entity"], line["event"]), (odd, {"n": 1}))

    def test_events_that_can_t_be_read_are_counted_and_the_rest_is_there(self):
        flags = self.written_by_three(600)
        gap = os.environ["PDR_OTHER_APP"]
        for form, rows in (("jsonl", 605), ("csv", 0), ("plain", 0)):
            done = self.perdure("export", *flags, "out." + form, "--format", form, "--app", gap, "--json")
            self.assertEqual(done.returncode, 1, done.stderr)
            counts = json.loads(done.stdout)
            self.assertEqual((counts["events"], counts["unreadable"]), (rows, 605), form)
        self.assertEqual({"problem" in line for line in self.lines("out.jsonl")}, {True})

    def test_what_is_in_the_way_is_told(self):
        flags = self.written_by_three(300)
        app = ["--app", LOANS_APP]
        self.refuses(2, ["export", *flags, "x.csv", "--format", "csv"], "--app")
        self.refuses(2, ["export", *flags, "-", "--format", "plain", *app], "folder")
        self.refuses(1, ["export", *flags, "x.csv", "--format", "csv", "--type", "OfferMade", *app], "OfferMade")
        self.works(COMMAND, "export", *flags, "out", "--format", "plain", *app)
        before = {f: os.path.getmtime(self.path("out/" + f)) for f in os.listdir(self.path("out"))}
        self.refuses(4, ["export", *flags, "out", "--format", "plain", *app], "--force")
        self.assertEqual({f: os.path.getmtime(self.path("out/" + f)) for f in os.listdir(self.path("out"))}, before)
        self.works(COMMAND, "export", *flags, "out", "--format", "plain", "--force", *app)
        for name in sorted(before):
            self.refuses(2, ["import", *flags, "out/" + name], "isn't an exact export")
            break


if __name__ == "__main__":
    unittest.main()
