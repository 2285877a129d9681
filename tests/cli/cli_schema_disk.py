"""Claims about schemas in a folder: compat, diff, register, and a build that refuses what was released and changed."""
import json
import os
import unittest

from programs import COMMAND, Programs

DONE, FAILED, USAGE, LATER = range(4)


def record(name, *fields, **more):
    return dict({"type": "record", "name": name, "fields": list(fields)}, **more)


def field(name, kind, **more):
    return dict({"name": name, "type": kind}, **more)


V1 = record("bank.Made", field("amount", "int"))
V2 = record("bank.Made", field("amount", "long"), field("note", "string", default=""))
V3 = record("bank.Made", field("amount", "long"), field("note", "string", default=""), field("by", "string", default="?"),
            perdure={"readableByOlder": True})
BROKEN = record("bank.Made", field("cents", "long"))


class SchemasOnDisk(Programs):
    def put(self, name, schema, folder="bank"):
        os.makedirs(self.path(folder), exist_ok=True)
        with open(os.path.join(self.path(folder), name), "w", encoding="utf-8") as file:
            file.write(schema if isinstance(schema, str) else json.dumps(schema))

    def history(self, *versions):
        for number, schema in enumerate(versions, 1):
            self.put("Made.v%d.avsc" % number, schema)

    def schema(self, *words):
        return self.works(COMMAND, "schema", *words)

    def lines(self, *words, code=DONE):
        done = self.perdure("schema", *words, "--json")
        self.assertEqual((done.returncode, done.stderr), (code, ""), words)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def lock(self):
        with open(self.path("bank/schemas.lock"), encoding="utf-8") as file:
            return file.read()

    # --- register with a registry (that it works is claimed where there is one: tests/integration/fault_registry.py) ---

    def test_flags_of_a_registry_that_do_not_go_together_are_refused(self):
        self.history(V1)
        register, url = ["schema", "register", "bank"], ["--registry", "http://127.0.0.1:1"]
        self.refuses(USAGE, register + ["--topic", "bank.events"], "--registry")
        self.refuses(USAGE, register + url, "--topic")
        self.refuses(USAGE, register + url + ["--subject", "schema"], "topic-record, record or topic")
        self.refuses(USAGE, register + ["--subject", "record", "--registry", "ftp://h/"], "http")
        self.assertFalse(os.path.exists(self.path("bank/schemas.lock")))

    def test_a_registry_that_is_away_leaves_the_lock_as_it_was(self):
        self.history(V1)
        os.environ["no_proxy"] = "127.0.0.1"
        self.refuses(LATER, ["schema", "register", "bank", "--registry", "http://127.0.0.1:1", "--subject", "record"],
                     "http://127.0.0.1:1", "bank/Made.v1.avsc")
        self.assertFalse(os.path.exists(self.path("bank/schemas.lock")))

    # --- register ---

    def test_register_writes_a_lock_that_reads_well(self):
        self.history(V1, V2)
        self.assertEqual(self.schema("register", "bank"), "registered: Made version 1\nregistered: Made version 2\n")
        lock = json.loads(self.lock())
        self.assertEqual([(e["event"], e["version"]) for e in lock["schemas"]], [("Made", 1), ("Made", 2)])
        self.assertEqual(lock["schemas"][1]["schema"]["perdure"], {"version": 2, "readableByOlder": False})
        self.assertIn('          {"name": "amount", "type": "int"}\n', self.lock(), "a field has a line of its own")
        self.assertEqual(sorted(os.listdir(self.path("bank"))), ["Made.v1.avsc", "Made.v2.avsc", "schemas.lock"])

    def test_register_again_changes_nothing(self):
        self.history(V1, V2)
        self.schema("register", "bank")
        before = self.lock()
        self.assertIn("nothing is new", self.schema("register", "bank/"))
        self.assertEqual(self.lock(), before)

    def test_a_new_version_only_adds_lines(self):
        self.history(V1, V2)
        self.schema("register", "bank")
        before = self.lock().splitlines()
        self.history(V1, V2, V3)
        self.assertEqual(self.lines("register", "bank")[0]["version"], 3)
        after = self.lock().splitlines()
        rest = iter(after)
        gone = [line for line in before if not any(line == other for other in rest)]
        self.assertEqual([line for line in gone if line.strip() != "}"], [], "all old lines stand there, in their order")

    def test_register_refuses_what_breaks_a_rule_and_adds_nothing(self):
        self.history(V1)
        self.schema("register", "bank")
        before = self.lock()
        self.history(V1, BROKEN)
        self.refuses(FAILED, ["schema", "register", "--rule", "BACKWARD", "bank"], "BACKWARD is broken", "/fields/0",
                     '"cents"')
        self.assertEqual(self.lock(), before)
        self.schema("register", "bank")

    def test_readable_by_older_is_checked_whatever_the_rule(self):
        self.history(V1, dict(BROKEN, perdure={"readableByOlder": True}))
        self.refuses(FAILED, ["schema", "register", "bank"], "readableByOlder is broken",
                     "bank/Made.v1.avsc can't read bank/Made.v2.avsc: /fields/0")
        self.assertFalse(os.path.exists(self.path("bank/schemas.lock")))

    def test_readable_by_older_reaches_back_as_far_as_it_is_said(self):
        second = record("bank.Made", field("cents", "long", default=0))
        third = record("bank.Made", field("cents", "long", default=0), field("x", "int", default=0),
                       perdure={"readableByOlder": True})
        self.history(V1, second, third)
        self.schema("register", "bank")
        os.remove(self.path("bank/schemas.lock"))
        self.history(V1, dict(V2, perdure={"readableByOlder": True}), third)
        self.refuses(FAILED, ["schema", "register", "bank"], "bank/Made.v1.avsc can't read bank/Made.v2.avsc",
                     "bank/Made.v1.avsc can't read bank/Made.v3.avsc")

    # --- the build ---

    def gen(self, code=DONE, *texts):
        done = self.perdure("gen", "--out", ".", "bank")
        self.assertEqual(done.returncode, code, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_the_build_refuses_a_released_version_that_was_changed(self):
        self.history(V1, V2)
        self.schema("register", "bank")
        self.gen()
        self.history(record("bank.Made", field("amount", "int", default=1)), V2)
        self.gen(FAILED, "bank/Made.v1.avsc isn't what was released: /amount: default added: 1", "make version 3")
        self.refuses(FAILED, ["schema", "register", "bank"], "bank/Made.v1.avsc isn't what was released")
        self.history(dict(V1, doc="now with a doc"), V2)
        self.gen()

    def test_the_build_refuses_a_released_version_that_was_deleted(self):
        self.history(V1, V2)
        self.schema("register", "bank")
        os.remove(self.path("bank/Made.v2.avsc"))
        self.gen(FAILED, "bank/Made.v2.avsc is missing: it has been released")
        os.remove(self.path("bank/Made.v1.avsc"))
        self.put("commands.avsc", record("bank.Make"))
        self.gen(FAILED, "bank/Made.v1.avsc is missing: it has been released")

    def test_the_build_takes_a_new_version_and_diff_tells_of_it(self):
        self.history(V1)
        self.schema("register", "bank")
        self.history(V1, V2)
        self.gen()
        text = self.schema("diff", "bank")
        self.assertIn("Made version 2: new\n  /amount: type int is now long\n", text)
        self.assertIn("1 new; `perdure schema register bank`", text)

    def test_single_files_are_checked_against_the_lock_beside_them(self):
        self.history(V1)
        self.schema("register", "bank")
        self.works(COMMAND, "gen", "--prefix", "bank", "bank/Made.v1.avsc")
        self.history(V2)
        self.refuses(FAILED, ["gen", "--prefix", "bank", "bank/Made.v1.avsc"], "isn't what was released")

    def test_old_versions_of_two_events_may_define_a_type_of_one_name_today_s_may_not(self):
        def kind(symbol):
            return {"type": "enum", "name": "Kind", "symbols": [symbol]}
        for event in ("Made", "Lost"):
            self.put(event + ".v1.avsc", record(event, field("kind", kind(event.upper()))))
        self.gen(FAILED, "bank_kind would be the C name of Kind in bank/Lost.v1.avsc and of Kind in bank/Made.v1.avsc")
        self.put("Lost.v2.avsc", record("Lost"))
        self.gen()
        self.put("Made.v2.avsc", record("Made"))
        self.gen()
        with open(self.path("bank.gen.h"), encoding="utf-8") as file:
            header = file.read()
        for name in ("BANK_KIND_MADE_V1_MADE", "BANK_KIND_LOST_V1_LOST", "struct bank_made_v1 {", "struct bank_made {"):
            self.assertIn(name, header)

    def test_a_retired_event_has_only_old_names(self):
        self.put("Sent.v1.avsc", record("Sent", perdure={"retired": True}))
        self.gen()
        with open(self.path("bank.gen.h"), encoding="utf-8") as file:
            header = file.read()
        self.assertIn("bank_sent_v1_type", header)
        self.assertNotIn("bank_sent_type", header)
        self.assertNotIn("BANK_TYPE_COUNT", header, "there is no type of today's")

    def test_a_lock_that_is_none_stops_everything(self):
        self.history(V1)
        for text, says in (("", "schemas.lock:1:1"), ("<<<<<<< ours", "schemas.lock:1:1"), ("{}", "no lock file"),
                           ('{"perdureLock":2,"schemas":[]}', "format 2")):
            self.put("schemas.lock", text)
            self.gen(FAILED, says)
            for verb in ("register", "diff", "compat"):
                self.refuses(FAILED, ["schema", verb, "bank"], says)

    # --- compat ---

    def test_compat_has_an_exit_code_for_ci(self):
        self.history(V1, V2)
        self.schema("compat", "bank")
        self.assertEqual(self.perdure("schema", "compat", "--rule", "FULL", "bank").returncode, FAILED)
        self.history(V1, BROKEN)
        done = self.perdure("schema", "compat", "bank")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("bank/Made.v2.avsc can't read bank/Made.v1.avsc: /fields/0", done.stdout)
        self.assertIn("bank/Made.v2.avsc: BACKWARD is broken", done.stdout)

    def test_compat_looks_at_what_is_not_registered(self):
        self.history(V1, BROKEN)
        self.schema("register", "bank")
        self.assertIn("nothing is new", self.schema("compat", "bank"))
        self.assertEqual(self.perdure("schema", "compat", "--all", "bank").returncode, FAILED)

    def test_compat_in_json_has_a_line_for_each_problem(self):
        self.history(V1, V2)
        problems = [line for line in self.lines("compat", "--rule", "FULL_TRANSITIVE", "bank", code=FAILED)
                    if not line["kept"]]
        self.assertEqual(len(problems), 1)
        self.assertEqual((problems[0]["reader"], problems[0]["writer"]), ("bank/Made.v1.avsc", "bank/Made.v2.avsc"))
        self.assertIn("/fields/0/type", problems[0]["problem"])

    def test_compat_of_files_takes_them_in_their_order(self):
        self.put("a.avsc", V1, ".")
        self.put("b.avsc", V2, ".")
        self.schema("compat", "a.avsc", "b.avsc")
        done = self.perdure("schema", "compat", "b.avsc", "a.avsc")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("a.avsc can't read b.avsc: /fields/0/type", done.stdout)

    def test_transitive_sees_what_the_step_does_not(self):
        self.put("a.avsc", record("R", field("x", "int")), ".")
        self.put("b.avsc", record("R"), ".")
        self.put("c.avsc", record("R", field("x", "string", default="")), ".")
        self.schema("compat", "a.avsc", "b.avsc", "c.avsc")
        self.assertEqual(self.perdure("schema", "compat", "--rule", "BACKWARD_TRANSITIVE", "a.avsc", "b.avsc",
                                      "c.avsc").returncode, FAILED)

    # --- diff ---

    def test_diff_of_two_files_tells_all_and_judges_nothing(self):
        self.history(V1, BROKEN)
        both = ("bank/Made.v1.avsc", "bank/Made.v2.avsc")
        self.assertEqual(self.schema("diff", *both), "/amount: field removed: int\n/cents: field added: long\n")
        self.assertEqual(self.lines("diff", *both),
                         [{"path": "/amount", "change": "field-removed", "what": None, "before": "int", "after": None},
                          {"path": "/cents", "change": "field-added", "what": None, "before": None, "after": "long"}])
        self.assertEqual(self.schema("diff", both[0], both[0]), "no difference\n")

    def test_diff_of_a_folder_tells_what_changed_since_release(self):
        self.history(V1, V2)
        self.schema("register", "bank")
        self.assertEqual(self.schema("diff", "bank"), "")
        self.history(dict(V1, doc="x"), dict(V2, owner="me"))
        self.assertEqual(self.schema("diff", "bank"), "Made version 1: docs changed\n  /: doc added: x\n"
                                                      "Made version 2: changed\n  /: attribute owner added: \"me\"\n")
        os.remove(self.path("bank/Made.v2.avsc"))
        self.assertIn({"event": "Made", "version": 2, "status": "missing"}, self.lines("diff", "bank"))

    def test_a_file_alone_finds_shared_types_beside_it(self):
        self.put("shared.avsc", record("bank.Money", field("minor", "long")))
        self.history(record("bank.Made", field("m", "Money")), record("bank.Made", field("m", "Money"), field("n", "int")))
        self.put("bad.v1.avsc", "{")
        self.assertEqual(self.schema("diff", "bank/Made.v1.avsc", "bank/Made.v2.avsc"), "/n: field added: int\n")

    # --- what is wrong ---

    def test_words_that_are_wrong_are_named(self):
        self.history(V1)
        for verb in ("compat", "diff", "register"):
            self.refuses(USAGE, ["schema", verb], "missing: F")
            self.refuses(USAGE, ["schema", verb, "bank", "--no"], "no such flag: --no")
        self.refuses(USAGE, ["schema", "diff", "a", "b", "c"], "unexpected: c")
        self.refuses(USAGE, ["schema", "register", "a", "b"], "unexpected: b")
        self.refuses(USAGE, ["schema", "compat", "bank", "bank/Made.v1.avsc"], "can't be mixed")
        self.refuses(USAGE, ["schema", "compat", "bank/Made.v1.avsc"], "is one file")
        for verb in ("compat", "register"):
            self.refuses(USAGE, ["schema", verb, "--rule", "backward", "bank"], "there is no such rule")
        self.refuses(FAILED, ["schema", "register", "nowhere"], "no such folder")
        self.refuses(FAILED, ["schema", "diff", "nowhere", "bank/Made.v1.avsc"], "nowhere")
        self.put("commands.avsc", record("X"), "other")
        self.refuses(USAGE, ["schema", "register", "other"], "no file is a version")
        os.mkdir(self.path("empty"))
        self.refuses(FAILED, ["schema", "register", "empty"], "no .avsc file")

    def test_files_that_are_wrong_are_named(self):
        self.history(V1, V1)
        for verb in ("compat", "diff", "register"):
            self.refuses(FAILED, ["schema", verb, "bank"], "bank/Made.v2.avsc has the fingerprint of version 1",
                         "Rename the field")
        self.put("Made.v2.avsc", "{")
        self.refuses(FAILED, ["schema", "register", "bank"], "bank/Made.v2.avsc:1:2")


if __name__ == "__main__":
    unittest.main()
