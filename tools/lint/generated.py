"""A generated document is what the program prints."""

import subprocess

from tree import Finding

NAME = "generated"
DOCUMENTS = {"docs/OPTIONS.md": ["options"], "docs/CODES.md": ["codes", "--markdown"]}


def compare(tree, document, arguments):
    command = "millrace " + " ".join(arguments)
    done = subprocess.run([str(tree.program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return Finding(document, 0, f"{command} fails: {done.stderr.strip()}")
    if document not in tree.paths():
        return Finding(document, 0, f"is not there: {command} > {document}")
    have = tree.text(document).split("\n")
    want = done.stdout.split("\n")
    for number, (left, right) in enumerate(zip(have + [None], want + [None]), 1):
        if left != right:
            return Finding(document, number, f"is not what {command} prints: write it anew")
    return None


def check(tree):
    if tree.program is None or not tree.program.is_file():
        tree.skipped.append("generated: no built millrace (--program FILE)")
        return
    for document, arguments in DOCUMENTS.items():
        finding = compare(tree, document, arguments)
        if finding is not None:
            yield finding


PROGRAM = "#!/bin/sh\necho \"# $*\"\n"
GOOD = {"program": PROGRAM, "docs/OPTIONS.md": "# options\n", "docs/CODES.md": "# codes --markdown\n"}
SELF_TESTS = [
    ("stale", GOOD | {"docs/OPTIONS.md": "# option\n"}, "is not what millrace options prints"),
    ("the other one stale", GOOD | {"docs/CODES.md": "# codes\n"}, "is not what millrace codes --markdown prints"),
    ("missing", {"program": PROGRAM, "docs/OPTIONS.md": "# options\n"}, "is not there"),
    ("short", GOOD | {"docs/CODES.md": ""}, "is not what"),
    ("a program that fails", GOOD | {"program": "#!/bin/sh\nexit 3\n"}, "fails"),
    ("up to date", GOOD, None),
]
