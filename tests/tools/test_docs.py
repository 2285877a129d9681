#!/usr/bin/env python3
"""Claims about the pages: what they quote, name and link to is there."""
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("actors", "backends", "base", "bench", "cli", "cmake", "docs", "examples", "include", "journal", "projections", "schemas",
         "tests", "tools", "upcasters")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`([A-Za-z0-9_./-]+)`")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def pages():
    found = ["README.md"]
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names if name.endswith(".md")]
    return sorted(found)


def anchors_of(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(ROOT, path)):
            yield "%s: %s is not there" % (page, target)
        elif anchor and anchor not in anchors_of(read(path)):
            yield "%s: %s has no such heading" % (page, target)


def missing_files(page, text):
    for name in NAMED.findall(text):
        is_path = name.split("/")[0] in ROOMS and re.search(r"/$|/[^/]*\.[a-z]+$", name) and "NNNN" not in name
        if is_path and not os.path.exists(os.path.join(ROOT, name)):
            yield "%s names `%s`, which is not there" % (page, name)


class Docs(unittest.TestCase):
    def test_the_readme_shows_the_account_example_as_it_is(self):
        shown = re.findall(r"^```c\n(.*?)^```$", read("README.md"), re.MULTILINE | re.DOTALL)
        self.assertIn(read("examples/account/main.c"), shown)

    def test_schema_evolution_shows_the_loans_upcasters_as_they_are(self):
        shown = re.findall(r"^```c\n(.*?)^```$", read("docs/schema-evolution.md"), re.MULTILINE | re.DOTALL)
        marked = re.findall(r"^/\* docs/schema-evolution\.md: .*? \*/\n(.*?)^/\* end \*/$", read("examples/loans/upcasters.c"),
                            re.MULTILINE | re.DOTALL)
        self.assertEqual(len(marked), 4)
        self.assertEqual(shown, marked)

    def test_projections_shows_a_file_of_the_loans_example_as_it_is(self):
        shown = re.findall(r"^```sql\n(.*?)^```$", read("docs/projections.md"), re.MULTILINE | re.DOTALL)
        self.assertIn(read("examples/loans/projections/applications.sql"), shown)

    def test_every_link_leads_somewhere(self):
        self.assertEqual([fault for page in pages() for fault in broken_links(page, read(page))], [])

    def test_every_file_that_a_page_names_is_there(self):
        self.assertEqual([fault for page in pages() for fault in missing_files(page, read(page))], [])

    def test_the_index_lists_every_page_or_its_folder(self):
        index = read("docs/README.md")
        listed = {os.path.normpath(os.path.join("docs", target)) for target in LINK.findall(index)}
        missing = [page for page in pages() if page not in listed and os.path.dirname(page) not in listed]
        self.assertEqual(missing, ["docs/README.md"])

    def test_faults_are_seen(self):
        text = "# A heading: here\n[a](nowhere.md) [b](#a-heading-here) [c](../README.md#no-such-heading) `journal/nowhere.c`"
        self.assertEqual(anchors_of(text), {"a-heading-here"})
        self.assertEqual(len(list(broken_links("docs/operations.md", "[a](nowhere.md) [b](#no-such-heading)"))), 2)
        self.assertEqual(len(list(missing_files("README.md", text))), 1)


if __name__ == "__main__":
    unittest.main()
