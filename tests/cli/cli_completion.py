"""Claims about completion scripts and manual pages: they say what the tables say, and shells and man read them."""
import json
import os
import re
import shutil
import subprocess
import unittest

from programs import COMMAND, LOANS_APP, Programs

# The words of several lines, each ended by a word that is "|".
BASH = """
source %s
COMP_WORDS=()
for word; do
  if [ "$word" != "|" ]; then
    COMP_WORDS+=("$word")
    continue
  fi
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _perdure
  [ ${#COMPREPLY[@]} = 0 ] || printf '%%s\\n' "${COMPREPLY[@]}"
  echo "|"
  COMP_WORDS=()
done
"""

# What zsh's own functions would be given, instead of them.
ZSH = """
compdef() { }
_describe() { print -l -- ${(P)2%%%%:*} }
_arguments() { print -l -- "$@" }
source %s
words=()
for word; do
  if [[ $word != "|" ]]; then
    words+=("$word")
    continue
  fi
  CURRENT=$#words
  _perdure
  print "|"
  words=()
done
"""


FLAGS = {}  # by command, as its help has them


def listed(text):
    """The commands that --help lists."""
    return re.findall(r"^  ([a-z]+(?:-[a-z]+)*(?: [a-z]+)?)  ", text, re.M)


class Scripts(Programs):
    def setUp(self):
        super().setUp()
        self.commands = listed(self.works(COMMAND, "--help"))
        self.firsts = sorted(set(name.split()[0] for name in self.commands))
        for name in ("loan.sql", "loan.csv"):
            with open(self.path(name), "w", encoding="ascii"):
                pass
        os.mkdir(self.path("lots"))

    def script(self, shell):
        path = self.path("script." + shell)
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.works(COMMAND, "completion", shell))
        return path

    def flags_of(self, name):
        if name not in FLAGS:
            FLAGS[name] = sorted(set(re.findall(r"^  (--[a-z-]+)", self.works(COMMAND, *name.split(), "--help"), re.M)))
        return FLAGS[name]

    def shell(self, *words, **environment):
        done = self.run_in(*words, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def offered(self, lines, *shell, **environment):
        """What the shell offers for the last word of each line."""
        words = [word for line in lines for word in (COMMAND, *line, "|")]
        parts = self.shell(*shell, *words, **environment).split("|\n")
        self.assertEqual(parts.pop(), "")
        return [sorted(part.split("\n")[:-1]) for part in parts]

    def bash_all(self, lines, **environment):
        return self.offered(lines, "bash", "--norc", "-c", BASH % self.script("bash"), "bash", **environment)

    def bash(self, *words, **environment):
        """The words are split as readline splits them."""
        return self.bash_all([words], **environment)[0]


class Bash(Scripts):
    def test_commands_are_offered_word_by_word(self):
        self.assertEqual(self.bash(""), sorted(self.firsts + ["help", "--help", "--version"]))
        self.assertEqual(self.bash("sch"), ["schema"])
        for first in self.firsts:
            seconds = sorted(name.split()[1] for name in self.commands if name.startswith(first + " "))
            if seconds and first not in self.commands:
                self.assertEqual(self.bash(first, ""), sorted(seconds + ["--help"]))
        self.assertEqual(self.bash("schema", "re"), ["register"])
        self.assertEqual(self.bash("nothing", ""), ["--help"])
        self.assertEqual(self.bash("nothing", "such", ""), [])

    def test_every_flag_of_every_command_is_offered(self):
        offered = self.bash_all([(*name.split(), "--") for name in self.commands])
        self.assertEqual(dict(zip(self.commands, offered)), {name: self.flags_of(name) for name in self.commands})
        self.assertEqual(self.bash("store", "dump", "--jo"), ["--journal"])

    def test_a_value_is_what_its_name_says(self):
        self.assertEqual(self.bash("store", "dump", "--app", "lo"), ["loan.csv", "loan.sql", "lots"])
        self.assertEqual(self.bash("store", "dump", "--app", "=", "lo"), ["loan.csv", "loan.sql", "lots"])
        self.assertEqual(self.bash("schema", "golden", "--out", ""), ["lots"])
        self.assertEqual(self.bash("init", "--partitions", ""), [])
        self.assertEqual(self.bash("init", "--journal", "sqlite", ":", "lo"), [])
        self.assertEqual(self.bash("init", "--journal", "sqlite", ":", "x.db", "--st"), ["--store"])

    def test_words_are_what_their_names_say(self):
        self.assertEqual(self.bash("project", "run", "loan.s"), ["loan.sql"])
        self.assertEqual(self.bash("project", "run", "loan.sql", "--json", "loan.c"), ["loan.csv"])
        self.assertEqual(self.bash("completion", ""), ["bash", "fish", "types", "zsh"])
        self.assertEqual(self.bash("completion", "bash", ""), self.flags_of("completion"))
        self.assertEqual(self.bash("init", ""), self.flags_of("init"))

    def test_entities_are_offered_by_type(self):
        self.assertEqual(self.bash("dlq", "skip", "applications", "--app", LOANS_APP, ""), ["loan/"])
        self.assertEqual(self.bash("dlq", "skip", "applications", "--app", "=", LOANS_APP, "l"), ["loan/"])
        self.assertEqual(self.bash("dlq", "skip", "applications", "", PERDURE_APP=LOANS_APP), ["loan/"])
        self.assertEqual(self.bash("dlq", "skip", "applications", ""), [])
        self.assertEqual(self.bash("dlq", "skip", "applications", "", PERDURE_APP="missing.so"), [])

    def test_behind_the_type_ids_of_the_journal_are_offered(self):
        self.load("sqlite:x.db", 400)
        ids = [json.loads(line)["entity"] for line in self.works(COMMAND, "entity", "list", "--journal", "sqlite:x.db",
                                                                 "--json").splitlines()]
        for prefix in ("loan/", "loan/1736", ids[7]):
            wanted = sorted(name for name in ids if name.startswith(prefix))
            self.assertEqual(self.bash("history", "--journal", "sqlite", ":", "x.db", prefix), wanted)
            self.assertEqual(self.bash("history", "--journal", "=", "sqlite", ":", "x.db", prefix), wanted)
            self.assertEqual(self.bash("history", prefix, PERDURE_JOURNAL="sqlite:x.db"), wanted)
        self.assertEqual(self.bash("history", "loan/9", PERDURE_JOURNAL="sqlite:x.db"), [])
        self.assertEqual(self.bash("history", "loan/1", PERDURE_JOURNAL="sqlite:missing.db"), [])

    def test_odd_words_do_no_harm(self):
        for odd in ("$(touch harm)", "`touch harm`", "'", '"', "*", "a b", "\\", "-", "--", "--=", "=", ":"):
            for before in ([], ["store"], ["store", "dump"], ["dlq", "skip"], ["store", "dump", "--app"]):
                self.bash_all([(*before, odd), (*before, odd, "")])
        self.assertFalse(os.path.exists(self.path("harm")))


@unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
class Zsh(Scripts):
    def zsh_all(self, lines):
        return self.offered(lines, "zsh", "-f", "-c", ZSH % self.script("zsh"), "zsh")

    def zsh(self, *words):
        return self.zsh_all([words])[0]

    def test_commands_are_offered_word_by_word(self):
        self.assertEqual(self.zsh(""), self.firsts)
        self.assertEqual(self.zsh("schema", ""),
                         sorted(name.split()[1] for name in self.commands if name.startswith("schema ")))

    def test_every_flag_of_every_command_is_offered(self):
        for name, specs in zip(self.commands, self.zsh_all([(*name.split(), "") for name in self.commands])):
            flags = sorted(re.sub(r"^\*?(--[a-z-]+).*", r"\1", spec) for spec in specs if re.match(r"\*?--", spec))
            self.assertEqual(flags, self.flags_of(name), name)

    def test_values_are_what_their_names_say(self):
        self.assertTrue(any(spec.startswith("--app=[") and spec.endswith(":FILE:_files")
                            for spec in self.zsh("store", "dump", "")))
        self.assertIn(":word:(bash zsh fish types)", self.zsh("completion", ""))


@unittest.skipUnless(shutil.which("fish"), "there is no fish")
class Fish(Scripts):
    def fish(self, line, **environment):
        text = "source %s; complete -C %s" % (self.script("fish"), "'%s'" % line)
        rows = self.shell("fish", "--no-config", "-c", text, PATH=os.path.dirname(COMMAND) + ":" + os.environ["PATH"],
                          HOME=self.folder.name, **environment).splitlines()
        return sorted(set(row.split("\t")[0] for row in rows))

    def test_commands_are_offered_word_by_word(self):
        self.assertEqual(self.fish("perdure "), self.firsts)
        self.assertEqual(self.fish("perdure schema "),
                         sorted(name.split()[1] for name in self.commands if name.startswith("schema ")))

    def test_flags_values_and_words_are_offered(self):
        for name in ("init", "store dump", "project run", "completion"):
            self.assertEqual(self.fish("perdure %s --" % name), self.flags_of(name), name)
        self.assertEqual(self.fish("perdure store dump --app lo"), ["loan.csv", "loan.sql", "lots/"])
        self.assertEqual(self.fish("perdure completion "), ["bash", "fish", "types", "zsh"])
        self.assertEqual(self.fish("perdure dlq skip x lo", PERDURE_APP=LOANS_APP), ["loan/"])


class Types(Programs):
    def test_the_types_of_the_application_are_told(self):
        self.assertEqual(self.works(COMMAND, "completion", "types", "--app", LOANS_APP), "loan\n")
        self.assertEqual(self.works(COMMAND, "completion", "types", PERDURE_APP=LOANS_APP), "loan\n")
        self.assertEqual(self.works(COMMAND, "completion", "types"), "")

    def test_another_shell_is_refused(self):
        self.refuses(2, ["completion", "csh"], "bash, zsh or fish")
        self.refuses(2, ["completion"], "missing: bash|zsh|fish|types")
        self.refuses(2, ["completion", "bash", "zsh"], "unexpected: zsh")


class Manual(Programs):
    def pages(self):
        os.makedirs(self.path("man1"), exist_ok=True)
        self.assertEqual(self.works(COMMAND, "man", "--out", "man1"), "")
        return sorted(os.listdir(self.path("man1")))

    def test_there_is_a_page_for_each_command(self):
        names = listed(self.works(COMMAND, "--help"))
        self.assertEqual(self.pages(), sorted(["perdure.1"] + ["perdure-%s.1" % name.replace(" ", "-") for name in names]))

    def test_a_page_that_is_printed_is_the_one_that_is_written(self):
        self.pages()
        for words, name in (([], "perdure.1"), (["init"], "perdure-init.1"), (["store", "dump"], "perdure-store-dump.1")):
            with open(self.path("man1/" + name), encoding="utf-8") as file:
                self.assertEqual(self.works(COMMAND, "man", *words), file.read())

    @unittest.skipUnless(shutil.which("groff") or shutil.which("man"), "there is neither man nor groff")
    def test_man_formats_each_page_without_a_warning(self):
        groff = ["groff", "-man", "-Tutf8", "-ww"] if shutil.which("groff") else ["man", "--warnings", "-l"]
        names = listed(self.works(COMMAND, "--help"))
        files = [self.path("man1/" + page) for page in self.pages()]
        done = subprocess.run(groff + files, capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8", MANPAGER="cat", GROFF_NO_SGR="1"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = re.sub(r".\x08", "", done.stdout)
        self.assertEqual(len(re.findall(r"^NAME$", text, re.M)), len(names) + 1)
        for name in ("init", "store dump", "history", "snapshot drop"):
            page = text[text.index("perdure-%s(1)" % name.replace(" ", "-")):]
            for flag in re.findall(r"^  (--[a-z-]+)", self.works(COMMAND, *name.split(), "--help"), re.M):
                self.assertIn(flag, page[:page.index("SEE ALSO")], name)

    def test_what_is_no_command_has_no_page(self):
        self.refuses(2, ["man", "destroy"], '"destroy"')
        self.refuses(2, ["man", "store"], '"store"')
        self.refuses(2, ["man", "init", "more"], '"init more"')
        done = self.perdure("man", "--out", "missing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing", done.stderr)

    def test_a_full_disk_is_told(self):
        for words in (["--help"], ["man"], ["init", "--help"], ["completion", "bash"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 3, words)
            self.assertIn("standard output can't be written", done.stderr)

    def test_a_reader_that_went_away_is_no_failure(self):
        for words in (["--help"], ["completion", "bash"], ["init", "--help"]):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run([COMMAND, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
            os.close(writer)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)


if __name__ == "__main__":
    unittest.main()
