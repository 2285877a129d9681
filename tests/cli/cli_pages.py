"""Claims about pages that show what commands print: docs/debugging.md and the recording in README.md.

Each ```console block is run: lines that begin with "$ " are for the shell, what follows them is what must come out. One
folder and one loans journal for all of a page. PERDURE_TEST_WRITE_GOLDEN=1 writes the output into the pages anew."""
import os
import re
import shutil
import unittest

from programs import COMMAND, LOANS_APP, Programs

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What another machine, or another run, may print otherwise.
MASKS = [(re.compile(r"\boffset \d+"), "offset N"), (re.compile(r"\b\d+\.\d s, \d+ events/s"), "N s, N events/s"),
         (re.compile(r"\b\d+ bytes"), "N bytes"), (re.compile(r"^\d+ records, ", re.M), "N records, "),
         (re.compile(r"\b\d+ folded twice"), "N folded twice")]


def masked(text):
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


def commands_of(block):
    """(command, what it printed), in their order."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


class Pages(Programs):
    def run_page(self, name):
        path = os.path.join(ROOT, name)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        blocks = BLOCK.findall(page)
        self.assertTrue(blocks and all(commands_of(block) for block in blocks))
        self.load("sqlite:loans.db", 262200)
        for link, target in (("loans_app.so", LOANS_APP), ("new.so", os.environ["PDR_TIDIED_APP"])):
            os.symlink(target, self.path(link))
        ran = BLOCK.sub(lambda match: "```console\n%s```" % self.run_block(match.group(1)), page)
        if os.environ.get("PERDURE_TEST_WRITE_GOLDEN"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(ran)
            return
        self.assertEqual(masked(page), masked(ran))

    def run_block(self, block):
        out = ""
        for command, shown in commands_of(block):
            if command.startswith("gdb ") and not shutil.which("gdb"):
                out += "$ %s\n%s" % (command, shown)
                continue
            done = self.run_in("bash", "-c", command, PERDURE_JOURNAL="sqlite:loans.db", PERDURE_APP="loans_app.so",
                               PATH=os.path.dirname(COMMAND) + ":" + os.environ["PATH"])
            self.assertIn(done.returncode, (0, 1), (command, done.stderr))
            self.assertEqual(done.stderr, "", command)
            out += "$ %s\n%s" % (command, done.stdout)
        return out

    def test_the_stories_of_debugging_print_what_the_page_says(self):
        self.run_page("docs/debugging.md")

    def test_the_recording_in_the_readme_is_what_the_commands_print(self):
        self.run_page("README.md")

    def listed(self):
        return sorted(re.findall(r"^  ([a-z]+(?:-[a-z]+)*(?: [a-z]+)?)  ", self.works(COMMAND, "--help"), re.M))

    def test_the_readme_names_every_command(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            table = file.read().split("| to | commands of `perdure` |")[1].split("\n\n")[0]
        named = set()
        for words in re.findall(r"`([^`]*)`", table):
            first, _, rest = words.replace("\\|", "|").partition(" ")
            named |= {first + " " + second for second in rest.split("|")} if rest and rest[0] != "-" else {first}
        self.assertEqual(sorted(named | {"completion", "man"}), self.listed())

    def test_operations_tells_of_every_command_and_each_flag_that_it_names(self):
        with open(os.path.join(ROOT, "docs/operations.md"), encoding="utf-8") as file:
            rows = re.findall(r"^\| (`.*?) \| .*\|$", file.read().split("## The command `perdure`")[1].split("\n## ")[0], re.M)
        told, wrong, listed = set(), [], self.listed()
        for row in rows:
            for words in re.findall(r"`([^`]*)`", row):
                words = words.replace("\\|", "|")
                found = [name for name in listed if (words + " ").startswith(name + " ")]
                told |= set(found)
                for name in found:
                    known = self.works(COMMAND, *name.split(), "--help")
                    wrong += [(name, flag) for flag in re.findall(r"--[a-z-]+", words) if "  %s" % flag not in known]
        self.assertEqual(wrong, [])
        short = {"project pause", "project resume", "dlq list", "dlq show", "dlq retry", "dlq skip", "dlq purge"}
        self.assertEqual(sorted(set(listed) - told - short), [])


if __name__ == "__main__":
    unittest.main()
