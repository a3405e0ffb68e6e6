"""docs/OPTIONS.md is what `millrace options` prints."""

import subprocess

from tree import Finding

NAME = "options"
DOCUMENT = "docs/OPTIONS.md"


def check(tree):
    if tree.program is None or not tree.program.is_file():
        tree.skipped.append("options: no built millrace (--program FILE)")
        return
    done = subprocess.run([str(tree.program), "options"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield Finding(DOCUMENT, 0, f"millrace options fails: {done.stderr.strip()}")
        return
    if DOCUMENT not in tree.paths():
        yield Finding(DOCUMENT, 0, "is not there: millrace options > docs/OPTIONS.md")
        return
    have = tree.text(DOCUMENT).split("\n")
    want = done.stdout.split("\n")
    for number, (left, right) in enumerate(zip(have + [None], want + [None]), 1):
        if left != right:
            yield Finding(DOCUMENT, number, "is not what millrace options prints: write it anew")
            return


PROGRAM = "#!/bin/sh\necho '# Options'\n"
SELF_TESTS = [
    ("stale", {"program": PROGRAM, DOCUMENT: "# Option\n"}, "is not what"),
    ("missing", {"program": PROGRAM}, "is not there"),
    ("short", {"program": PROGRAM, DOCUMENT: ""}, "is not what"),
    ("a program that fails", {"program": "#!/bin/sh\nexit 3\n", DOCUMENT: ""}, "fails"),
    ("up to date", {"program": PROGRAM, DOCUMENT: "# Options\n"}, None),
]
