"""Claims about what is typed: help, flags, URLs, the application, exit codes."""
import os
import re
import unittest

from programs import COMMAND, LOANS_APP, Programs

COMMANDS = {"init": ["init"], "rebuild-store": ["rebuild-store"], "store-dump": ["store", "dump"],
            "schema-check": ["schema", "check"], "schema-list": ["schema", "list"], "schema-show": ["schema", "show"],
            "schema-compat": ["schema", "compat"], "schema-diff": ["schema", "diff"],
            "schema-register": ["schema", "register"],
            "schema-golden": ["schema", "golden"], "snapshot-rebuild": ["snapshot", "rebuild"],
            "snapshot-list": ["snapshot", "list"], "gen": ["gen"],
            "project-run": ["project", "run"], "project-rebuild": ["project", "rebuild"],
            **{"project-" + verb: ["project", verb] for verb in (
                "list", "status", "check", "pause", "resume", "throttle", "reset", "delete")},
            "project-diff": ["project", "diff"], "project-swap": ["project", "swap"], "project-rollback": ["project", "rollback"],
            "dlq-list": ["dlq", "list"], "dlq-show": ["dlq", "show"], "dlq-retry": ["dlq", "retry"], "dlq-skip": ["dlq", "skip"],
            "dlq-purge": ["dlq", "purge"]}
DONE, FAILED, USAGE, LATER, REFUSED, DAMAGED = range(6)


class Flags(Programs):
    def test_help_is_what_it_was(self):
        self.assertEqual(self.works(COMMAND, "help"), self.works(COMMAND, "--help"))
        for name, words in COMMANDS.items():
            self.is_golden("help_%s.txt" % name, self.works(COMMAND, *words, "--help"))

    def test_help_comes_before_anything_is_touched(self):
        for words in COMMANDS.values():
            self.works(COMMAND, *words, "--help", PERDURE_JOURNAL="sqlite:x.db")
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_the_version_is_a_number(self):
        self.assertRegex(self.works(COMMAND, "--version"), r"^perdure \d+\.\d+\.\d+\n$")

    def test_help_of_a_command_is_had_by_help_too(self):
        self.assertEqual(self.works(COMMAND, "help", "store", "dump"), self.works(COMMAND, "store", "dump", "--help"))
        self.assertIn("store dump", self.works(COMMAND, "store", "--help"))
        self.assertEqual(self.works(COMMAND, "help", "store"), self.works(COMMAND, "store", "--help"))
        self.assertEqual(self.works(COMMAND, "-h"), self.works(COMMAND, "--help"))
        self.refuses(USAGE, ["help", "destroy"], '"destroy"')

    def test_every_command_is_listed_and_has_its_help(self):
        text = self.works(COMMAND, "--help")
        listed = re.findall(r"^  ([a-z]+(?:-[a-z]+)*(?: [a-z]+)?)  ", text, re.M)
        self.assertTrue(set(" ".join(words) for words in COMMANDS.values()) <= set(listed), listed)
        self.assertEqual(len(listed), len(set(listed)))
        self.assertTrue(text.startswith("usage: perdure COMMAND [FLAGS]\n\n"))
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))
        for name in listed:
            help_text = self.works(COMMAND, *name.split(), "--help")
            self.assertTrue(help_text.startswith("usage: perdure %s" % name), name)
            self.assertIn("perdure " + name, help_text.split("\n", 1)[1], "an example")
            self.assertIn("\n  --help ", help_text)
            self.assertEqual([line for line in help_text.splitlines() if len(line) > 80 and line[0] != " "], [], name)

    def test_a_command_that_is_not_there_is_named(self):
        self.refuses(USAGE, [], "no command", "usage:")
        self.refuses(USAGE, ["destroy"], '"destroy"', "usage:")
        self.refuses(USAGE, ["store"], '"store"', "store dump")
        self.refuses(USAGE, ["store", "eat"], '"store eat"', "store dump")
        self.refuses(USAGE, ["initx"], '"initx"', "did you mean init?")
        self.refuses(USAGE, ["rebiuld-store"], "did you mean rebuild-store?")
        self.refuses(USAGE, ["shcema", "list"], "did you mean schema list?")
        self.assertNotIn("did you mean", self.refuses(USAGE, ["xyzzy"], '"xyzzy"'))
        self.refuses(USAGE, [""], '""')
        self.refuses(USAGE, ["x" * 10000], '"xxx')
        self.refuses(USAGE, ["%s%n%d"], '"%s%n%d"')

    def test_a_flag_that_is_wrong_is_named(self):
        for words in [["init"], ["rebuild-store"], ["store", "dump"], ["schema", "check"]]:
            self.refuses(USAGE, words + ["--colour"], "no such flag: --colour")
            self.refuses(USAGE, words + ["--purple"], "no such flag: --purple")
            self.refuses(USAGE, words + ["more"], "unexpected: more")
            self.refuses(USAGE, words + ["--journal"], "no value for --journal")
            self.refuses(USAGE, words + ["--journal", ""], "no value for --journal")
            self.refuses(USAGE, words + ["--store="], "no value for --store")
            self.refuses(USAGE, words + ["--store=a", "--store", "b"], "given twice: --store")
        self.refuses(USAGE, ["init", "--journ", "x"], "no such flag: --journ", "did you mean --journal")
        self.refuses(USAGE, ["init", "--jounral=x"], "no such flag: --jounral", "did you mean --journal")
        self.refuses(USAGE, ["init", "--json=yes"], "takes no value: --json")
        self.refuses(USAGE, ["init", "--app", "x"], "no such flag: --app")
        self.refuses(USAGE, ["rebuild-store", "--yes=1"], "takes no value: --yes")

    def test_partitions_is_a_number_within_its_range(self):
        for bad in ("0", "-1", "+1", "1.5", "0x10", "many", " 3", "4097", "99999999999999999999", "1e3"):
            self.refuses(USAGE, ["init", "--journal", "sqlite:x.db", "--partitions", bad], "--partitions takes a number",
                         "1 to 4096")
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_a_url_that_is_none_is_refused(self):
        for bad in ("loans.db", "sqlite:", "http://x/y", "kafka://", "kafka://host", "kafka://host:0/x", "kafka://host:x/y",
                    "kafka://h:9092/a b", "postgres://h/db", "sqlite:" + "x" * 3000):
            self.refuses(USAGE, ["init", "--journal", bad, "--store", "sqlite:s.db"], "bad URL")
        for bad in ("loans.db", "kafka://h:9092/x", "sqlite:", "mysql://h/d"):
            for words in (["init"], ["rebuild-store"]):
                self.refuses(USAGE, words + ["--journal", "sqlite:x.db", "--store", bad], "bad URL")
            self.refuses(USAGE, ["store", "dump", "--store", bad], "bad URL")
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_a_password_is_not_repeated(self):
        err = self.refuses(USAGE, ["store", "dump", "--store", "postgresq://me:s3cret@h/db"], "bad URL")
        self.assertNotIn("s3cret", err)
        err = self.refuses(LATER, ["store", "dump", "--store", "postgres://me:s3cret@127.0.0.1:1/db"])
        self.assertNotIn("s3cret", err)

    def test_without_a_url_the_flag_and_the_variable_are_named(self):
        without = [["gen"]] + [["schema", verb] for verb in ("list", "show", "golden", "compat", "diff", "register")]
        without += [words for words in COMMANDS.values() if words[0] in ("project", "dlq")]
        for words in COMMANDS.values():
            if words not in without:
                self.refuses(USAGE, words, "bad URL", "PERDURE_JOURNAL")
        self.refuses(USAGE, ["init", "--journal", "kafka://127.0.0.1:1/x"], "PERDURE_STORE")

    def test_an_unknown_setting_in_the_url_is_refused(self):
        self.refuses(USAGE, ["init", "--journal", "kafka://127.0.0.1:1/x?snapshot.event=1", "--store", "sqlite:s.db"],
                     "bad setting", "snapshot.events")

    def test_a_server_that_is_away_is_a_matter_for_later(self):
        self.refuses(LATER, ["init", "--journal", "kafka://127.0.0.1:1/x?open.timeout.ms=500", "--store", "sqlite:s.db"])
        self.refuses(LATER, ["store", "dump", "--store", "postgres://127.0.0.1:1/db"], "127.0.0.1")

    def test_a_journal_that_is_not_there_says_init(self):
        self.refuses(FAILED, ["store", "dump", "--store", "sqlite:x.db"], "perdure init")
        self.refuses(FAILED, ["rebuild-store", "--journal", "sqlite:x.db"], "perdure init")

    def test_a_file_that_is_no_database_is_refused(self):
        with open(self.path("x.db"), "wb") as file:
            file.write(b"no database" * 1000)
        for words in (["init"], ["rebuild-store"], ["store", "dump"]):
            done = self.perdure(*words, "--journal", "sqlite:x.db")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("x.db", done.stderr)

    def test_an_application_that_is_none_is_refused(self):
        self.works(COMMAND, "init", "--journal", "sqlite:x.db")
        with open(self.path("text.so"), "w", encoding="ascii") as file:
            file.write("not a shared object")
        bad = [("missing.so", FAILED, "no such file"), ("text.so", USAGE, "can't be loaded"),
               (os.environ["PDR_NONE_APP"], USAGE, "exports no pdr_application"),
               (os.environ["PDR_OLD_APP"], USAGE, "ABI version 2"), (os.environ["PDR_SMALL_APP"], USAGE, "size 8"),
               (os.environ["PDR_ENTITY_APP"], USAGE, "without '/'")]
        for file, code, text in bad:
            for words in (["store", "dump"], ["rebuild-store"]):
                self.refuses(code, words + ["--journal", "sqlite:x.db", "--app", file], text)
            self.refuses(code, ["store", "dump", "--journal", "sqlite:x.db"], text, PERDURE_APP=file)

    def test_an_application_here_needs_no_folder_in_its_name(self):
        self.works(COMMAND, "init", "--journal", "sqlite:x.db")
        os.symlink(LOANS_APP, self.path("here.so"))
        self.assertEqual(self.dump("--journal", "sqlite:x.db", "--app", "here.so"), "")


class Init(Programs):
    def test_init_says_what_it_made_and_may_be_run_again(self):
        for _ in range(2):
            self.assertEqual(self.works(COMMAND, "init", "--journal", "sqlite:loans.db", "--partitions", "3"),
                             "journal loans: 3 partitions; log and store are ready\n")
        self.assertEqual(self.works(COMMAND, "init", "--journal", "sqlite:loans.db", "--json"),
                         '{"journal":"loans","partitions":3}\n')
        self.assertEqual(self.works(COMMAND, "init", PERDURE_JOURNAL="sqlite:loans.db"),
                         "journal loans: 3 partitions; log and store are ready\n")

    def test_without_a_number_there_are_eight_partitions(self):
        self.assertIn("8 partitions", self.works(COMMAND, "init", "--journal", "sqlite:x.db"))

    def test_another_number_of_partitions_is_refused(self):
        self.works(COMMAND, "init", "--journal", "sqlite:x.db", "--partitions", "3")
        self.refuses(REFUSED, ["init", "--journal", "sqlite:x.db", "--partitions", "4"], "3 partitions")

    def test_the_flag_wins_over_the_variable(self):
        self.works(COMMAND, "init", "--journal", "sqlite:a.db", PERDURE_JOURNAL="sqlite:b.db", PERDURE_STORE="sqlite:c.db")
        self.assertTrue(os.path.exists(self.path("a.db")) and os.path.exists(self.path("c.db")))
        self.assertFalse(os.path.exists(self.path("b.db")))

    def test_a_folder_that_is_not_there_is_named(self):
        done = self.perdure("init", "--journal", "sqlite:no/such/x.db")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no/such/x.db", done.stderr)


if __name__ == "__main__":
    unittest.main()
