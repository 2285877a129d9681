"""Claims about tools/arrows.py, each on a small tree of its own."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools"))
import arrows  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "arrows.py")


def plant(root, files):
    """Makes the tree {path: text} below root."""
    for path, text in files.items():
        place = os.path.join(root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)


def faults_of(files):
    with tempfile.TemporaryDirectory() as root:
        plant(root, files)
        return arrows.check(root)


class Arrows(unittest.TestCase):
    def accepts(self, files):
        self.assertEqual(faults_of(files), [])

    def refuses(self, files, *words):
        faults = faults_of(files)
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    def test_an_empty_tree_is_fine(self):
        self.accepts({})

    def test_a_room_may_include_itself_and_those_below(self):
        self.accepts({
            "base/map.h": "", "schemas/plan.h": '#include "base/map.h"\n', "upcasters/chain.h": '#include "schemas/plan.h"\n',
            "journal/owner.h": '#include "upcasters/chain.h"\n', "journal/owner.c": '#include "journal/owner.h"\n',
            "projections/fold.c": '#include "journal/owner.h"\n', "actors/node.h": '#include "journal/owner.h"\n',
            "cli/main.c": '#include "actors/node.h"\n', "include/perdure/error.h": "#include <stdint.h>\n",
            "base/error.c": '#include "perdure/error.h"\n'})

    def test_no_room_includes_one_above_it(self):
        rooms = ["base", "schemas", "upcasters", "journal", "actors", "cli"]
        for low in range(len(rooms)):
            for high in range(low + 1, len(rooms)):
                with self.subTest(low=rooms[low], high=rooms[high]):
                    self.refuses({rooms[high] + "/x.h": "", rooms[low] + "/a.c": '#include "%s/x.h"\n' % rooms[high]},
                                 rooms[low] + "/a.c:1", "%s/x.h" % rooms[high])

    def test_projections_and_actors_do_not_know_each_other(self):
        self.refuses({"actors/x.h": "", "projections/a.c": '#include "actors/x.h"\n'}, "projections/a.c:1")
        self.refuses({"projections/x.h": "", "actors/a.c": '#include "projections/x.h"\n'}, "actors/a.c:1")

    def test_a_backend_knows_the_seams_and_base(self):
        self.accepts({
            "journal/log.h": '#include "perdure/position.h"\n', "base/map.h": "", "include/perdure/position.h": "",
            "include/perdure/bytes.h": "", "backends/kafka/log.h": '#include "journal/log.h"\n',
            "backends/kafka/log.c": '#include "backends/kafka/log.h"\n#include "base/map.h"\n'
                                    '#include "perdure/bytes.h"\n#include "perdure/position.h"\n'})

    def test_a_backend_knows_nothing_else(self):
        for target in ("journal/owner.h", "schemas/plan.h", "actors/node.h", "backends/sqlite/db.h"):
            with self.subTest(target=target):
                self.refuses({target: "", "backends/kafka/a.c": '\n#include "%s"\n' % target}, "backends/kafka/a.c:2", "seams")
        self.refuses({"include/perdure/entity.h": "", "backends/kafka/a.c": '#include "perdure/entity.h"\n'}, "seams")

    def test_the_journal_does_not_know_the_backends(self):
        self.refuses({"backends/kafka/log.h": "", "journal/a.c": '#include "backends/kafka/log.h"\n'}, "journal/a.c:1")

    def test_only_the_wiring_and_those_above_know_the_backends(self):
        door = {"backends/kafka/log.h": ""}
        line = '#include "backends/kafka/log.h"\n'
        self.accepts({**door, "cli/a.c": line, "journal/backends.c": line, "tests/unit/a.c": line, "bench/a.c": line})
        self.refuses({**door, "actors/node.c": line}, "actors/node.c:1")
        self.refuses({**door, "examples/loans/a.c": line}, "public headers and its own")

    def test_a_servers_header_stays_in_its_folder(self):
        homes = {"librdkafka/rdkafka.h": "kafka", "libpq-fe.h": "postgres", "sqlite3.h": "sqlite"}
        for header, home in homes.items():
            line = "#include <%s>\n" % header
            self.accepts({"backends/%s/a.c" % home: line, "cli/a.c": line, "bench/a.c": line, "tests/a.c": line})
            for elsewhere in ("journal/a.c", "base/a.c", "backends/sim/a.c", "examples/loans/a.c", "journal/backends.c"):
                with self.subTest(header=header, elsewhere=elsewhere):
                    self.refuses({elsewhere: line}, elsewhere + ":1", "only backends/" + home)

    def test_a_public_header_needs_only_public_and_standard_ones(self):
        self.accepts({"include/perdure/error.h": "#include <stdint.h>\n",
                      "include/perdure/bytes.h": '#include "perdure/error.h"\n'})
        for line in ('#include "base/mem.h"', "#include <sqlite3.h>", "#include <unistd.h>"):
            with self.subTest(line=line):
                self.refuses({"base/mem.h": "", "include/perdure/bytes.h": line + "\n"}, "include/perdure/bytes.h:1")

    def test_public_headers_keep_their_rooms_arrows(self):
        self.refuses({"include/perdure/entity.h": "", "include/perdure/error.h": '#include "perdure/entity.h"\n'}, "error.h:1")
        self.refuses({"include/perdure/entity.h": "", "base/a.c": '#include "perdure/entity.h"\n'}, "base/a.c:1")

    def test_a_public_header_without_a_room_is_refused_where_it_is_used(self):
        self.refuses({"include/perdure/newcomer.h": "", "journal/a.c": '#include "perdure/newcomer.h"\n'}, "which room")
        self.refuses({"include/perdure/error.h": "", "include/perdure/newcomer.h": '#include "perdure/error.h"\n'}, "which room")

    def test_an_example_uses_public_headers_and_its_own(self):
        self.accepts({"include/perdure/app.h": "", "examples/loans/loan.h": "",
                      "examples/loans/a.c": '#include "perdure/app.h"\n#include "loan.h"\n#include "loans_events.h"\n'})
        self.refuses({"journal/owner.h": "", "examples/loans/a.c": '#include "journal/owner.h"\n'}, "public headers")

    def test_an_unknown_room_is_refused(self):
        self.refuses({"base/map.h": "", "attic/a.c": '#include "base/map.h"\n'}, "attic", "tools/arrows.py")

    def test_a_file_that_is_not_there_is_refused(self):
        self.refuses({"journal/a.c": '#include "journal/gone.h"\n'}, "no such file")
        self.refuses({"journal/a.c": '#include "perdure/gone.h"\n'}, "no such file")

    def test_files_of_one_room_do_not_include_each_other_in_a_circle(self):
        self.refuses({"journal/a.h": '#include "journal/b.h"\n', "journal/b.h": '#include "journal/c.h"\n',
                      "journal/c.h": '#include "journal/a.h"\n'}, "circle", "journal/a.h -> journal/b.h -> journal/c.h -> journal/a.h")
        self.refuses({"journal/a.h": '#include "journal/a.h"\n'}, "circle")

    def test_a_long_way_to_one_header_is_no_circle(self):
        self.accepts({"base/a.h": '#include "base/b.h"\n#include "base/c.h"\n', "base/b.h": '#include "base/d.h"\n',
                      "base/c.h": '#include "base/d.h"\n', "base/d.h": ""})

    def test_spaces_in_an_include_line_hide_nothing(self):
        self.refuses({"actors/x.h": "", "base/a.c": '  #  include   "actors/x.h" // why\n'}, "base/a.c:1")

    def test_the_program_prints_the_faults_and_says_by_its_exit_code_if_there_are_any(self):
        for text, code, output in (("", 0, ""), ('#include "journal/x.h"\n', 1, "base/a.c:1")):
            with tempfile.TemporaryDirectory() as root:
                plant(root, {"journal/x.h": "", "base/a.c": text})
                done = subprocess.run([sys.executable, PROGRAM, root], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, code)
                self.assertIn(output, done.stdout)

    def test_a_folder_that_is_not_there_is_an_error(self):
        done = subprocess.run([sys.executable, PROGRAM, "/nowhere/at/all"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
