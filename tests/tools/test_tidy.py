"""Claims about tools/tidy.py."""
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "tools", "tidy.py"))


def run(path, text):
    with tempfile.TemporaryDirectory() as root:
        place = os.path.join(root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        done = subprocess.run([sys.executable, PROGRAM], input=path.encode() + b"\0", capture_output=True, cwd=root,
                              check=False)
        return done.returncode, done.stdout.decode()


class Tidy(unittest.TestCase):
    def refuses(self, path, text, word):
        code, output = run(path, text)
        self.assertEqual(code, 1, output)
        self.assertIn(word, output)

    def test_a_tidy_file_passes(self):
        self.assertEqual(run("base/a.c", "int a;\n" * 600), (0, ""))

    def test_a_source_over_600_lines_is_refused(self):
        self.refuses("base/a.c", "int a;\n" * 601, "601 lines")

    def test_a_long_document_is_not_a_long_source(self):
        self.assertEqual(run("docs/a.md", "word\n" * 2000), (0, ""))

    def test_space_at_a_lines_end_is_refused(self):
        self.refuses("docs/a.md", "one\ntwo \n", "docs/a.md:2")
        self.refuses("docs/a.md", "one\r\n", "docs/a.md:1")

    def test_a_tab_in_c_is_refused(self):
        self.refuses("base/a.h", "\tint a;\n", "a tab")

    def test_a_note_of_work_left_undone_is_refused(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" * 3):
            self.refuses("base/a.c", "/* %s: later */\n" % word, "undone")

    def test_a_template_of_a_temporary_name_is_no_such_note(self):
        self.assertEqual(run("tools/a.sh", "mktemp a.%s\n" % ("X" * 6)), (0, ""))

    def test_a_missing_newline_at_the_end_is_refused(self):
        self.refuses("base/a.c", "int a;", "no newline")

    def test_text_that_is_not_utf_8_is_refused(self):
        self.refuses("docs/a.md", b"\xff\xfe\n", "not UTF-8")

    def test_golden_bytes_are_left_alone(self):
        self.assertEqual(run("tests/golden/a.json", "x \n"), (0, ""))


if __name__ == "__main__":
    unittest.main()
