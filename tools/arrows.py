#!/usr/bin/env python3
"""The dependency arrows of the tree, as docs/ARCHITECTURE.md draws them.

    arrows.py [ROOT]     reads the #include lines of all C files below ROOT; prints each one that breaks an arrow;
                         exit code 1 if there is any

    base <- schemas <- upcasters <- journal <- {projections, actors} <- replay <- cli, console
    backends/* know the seams and nothing above them; only those who wire (WIRING) know the backends;
    one folder each includes a server's or a database's header; public headers need only public ones and the standard's;
    no file includes itself by a detour.
"""
import os
import re
import sys

# Which rooms a room may include besides itself. The tables are the rule; what is in none of them is refused.
BELOW = {
    "base": [],
    "schemas": ["base"],
    "upcasters": ["base", "schemas"],
    "journal": ["base", "schemas", "upcasters"],
    "projections": ["base", "schemas", "upcasters", "journal"],
    "actors": ["base", "schemas", "upcasters", "journal"],
    "replay": ["base", "schemas", "upcasters", "journal", "projections", "actors"],
    "backends": ["base"],
    "cli": ["base", "schemas", "upcasters", "journal", "projections", "actors", "replay", "backends"],
    "console": ["base", "schemas", "upcasters", "journal", "projections", "actors", "replay", "backends"],
    "examples": [],
}

# What backends may know above base: the seams and the values that go through them.
SEAMS = ["journal/log.h", "journal/group.h", "journal/store.h", "journal/env.h", "projections/views.h", "projections/cell.h"]

# Files of the library that wire backends to the public API; elsewhere only cli, console and applications do.
WIRING = ["journal/backends.c", "projections/backends.c"]

# Not the product: these may include anything.
FREE = ["tests", "bench", "build"]

# The room that a public header belongs to; another room may include it as it may include that room.
PUBLIC = {
    "arena": "base",
    "bytes": "base",
    "error": "base",
    "setting": "base",
    "type": "schemas",
    "event": "schemas",
    "upcast": "upcasters",
    "sys/layout": "schemas",
    "sys/wire": "schemas",
    "view": "projections",
    "projection": "projections",
    "worker": "projections",
    "wait": "projections",
    "position": "journal",
    "entity": "journal",
    "reply": "journal",
    "token": "journal",
    "journal": "actors",
    "testing": "actors",
    "app": "actors",
    "perdure": "cli",
    "main": "cli",
}
# Values that go through the seams are public headers too.
SEAM_PUBLIC = ["perdure/position.h", "perdure/view.h"]

# Headers of libraries that only these folders may include (cli may as well).
ONLY_IN = {"rdkafka.h": "backends/kafka", "rdkafka_mock.h": "backends/kafka", "libpq-fe.h": "backends/postgres",
           "sqlite3.h": "backends/sqlite", "curl.h": "schemas", "jansson.h": "schemas replay",
           "microhttpd.h": "projections", "histedit.h": "cli", "jq.h": "replay", "jv.h": "replay",
           "snappy-c.h": "replay"}

STANDARD = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]')


def room_of(path):
    """The first folder of a path; a public header's own room is 'include'."""
    return path.split("/")[0]


def c_files(root):
    for folder, below, names in os.walk(root):
        below[:] = sorted(d for d in below if not d.startswith("."))
        if folder == root:
            below[:] = [d for d in below if d not in FREE and not d.startswith("build-")]
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def includes(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as source:
        for number, line in enumerate(source, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1)


def resolve(root, path, target):
    """The tree's file that an #include names, or None for one from outside the tree."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), target)).replace(os.sep, "/")
    for candidate in (target, "include/" + target, beside):
        if not candidate.startswith("..") and os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def public_fault(path, target):
    """A public header includes standard ones and public ones of its own room or below."""
    if target.endswith(".h") and target[:-2] in STANDARD:
        return None
    if not target.startswith("perdure/"):
        return "a public header includes only public and standard headers"
    mine, other = public_room(path[len("include/"):]), public_room(target)
    if mine is None or other is None:
        return "tools/arrows.py does not say which room each of the two belongs to"
    if other == mine or other in BELOW[mine]:
        return None
    return "a header of %s may include those of %s" % (mine, ", ".join(BELOW[mine]) or "no other room")


def library_fault(path, target):
    """Servers' and databases' headers stay in their folders."""
    homes = ONLY_IN.get(target.rsplit("/", 1)[-1])
    if homes is None or room_of(path) == "cli" or any(path.startswith(home + "/") for home in homes.split()):
        return None
    return "only %s includes it" % homes


def backend_fault(path, target):
    """What a backend may include: its own folder, base, the seams."""
    own = "/".join(path.split("/")[:2])
    if target.startswith(own + "/") or target in SEAMS or room_of(target) == "base":
        return None
    if target.startswith("include/"):
        public = target[len("include/"):]
        if public in SEAM_PUBLIC or public_room(public) == "base":
            return None
    return "a backend knows base and the seams (%s)" % ", ".join(SEAMS)


def public_room(header):
    """perdure/position.h -> journal; None if nobody said where it belongs."""
    return PUBLIC.get(header[len("perdure/"):-2])


def room_fault(path, target):
    """The arrows between rooms, for two files of the tree."""
    mine = room_of(path)
    if mine not in BELOW:
        return "the room %s is not in tools/arrows.py" % mine
    if target.startswith("include/"):
        room = public_room(target[len("include/"):])
        if room is None:
            return "tools/arrows.py does not say which room this public header belongs to"
        if mine == "examples":
            return None
    else:
        room = room_of(target)
    if mine == "backends":
        return backend_fault(path, target)
    if room == mine or room in BELOW[mine]:
        return None
    if room == "backends" and path in WIRING:
        return None
    if mine == "examples":
        return "an example uses public headers and its own"
    return "%s may include %s" % (mine, ", ".join(BELOW[mine]) or "no other room")


def fault(root, path, target):
    if room_of(path) == "include":
        return public_fault(path, target)
    found = resolve(root, path, target)
    if found is not None:
        return room_fault(path, found)
    if target.split("/")[0] in BELOW or target.startswith("perdure/"):
        return "there is no such file"
    return library_fault(path, target)


def cycle(graph):
    """One path of files that leads back to its first, or None."""
    state, trail = {}, []

    def visit(path):
        state[path] = "open"
        trail.append(path)
        for below in graph.get(path, ()):
            if state.get(below) == "open":
                return trail[trail.index(below):] + [below]
            if below not in state:
                found = visit(below)
                if found:
                    return found
        trail.pop()
        state[path] = "done"
        return None

    for path in sorted(graph):
        if path not in state:
            found = visit(path)
            if found:
                return found
    return None


def check(root):
    """All faults of the tree, as lines to print."""
    faults, graph = [], {}
    for path in c_files(root):
        for number, target in includes(root, path):
            reason = fault(root, path, target)
            if reason:
                faults.append("%s:%d: includes %s: %s" % (path, number, target, reason))
            found = resolve(root, path, target)
            if found:
                graph.setdefault(path, []).append(found)
    circle = cycle(graph)
    if circle:
        faults.append("these files include each other in a circle: " + " -> ".join(circle))
    return faults


def main(arguments):
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    root = arguments[0] if arguments else "."
    if not os.path.isdir(root):
        print("arrows: there is no folder %s" % root, file=sys.stderr)
        return 2
    faults = check(root)
    for line in faults:
        print(line)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
