"""The README's picture is what `millrace topology graph topology.yaml` draws."""

import re
import subprocess

from tree import Finding

NAME = "graph"
DOCUMENT = "README.md"
BLOCK = re.compile(r"^<!-- graph: begin[^\n]*-->\n```mermaid\n(.*?)```\n<!-- graph: end -->$",
                   re.MULTILINE | re.DOTALL)


def check(tree):
    if tree.program is None or not tree.program.is_file():
        tree.skipped.append("graph: no built millrace (--program FILE)")
        return
    match = BLOCK.search(tree.text(DOCUMENT))
    if match is None:
        yield Finding(DOCUMENT, 0, "no graph between its marks: make docs")
        return
    done = subprocess.run([str(tree.program), "topology", "graph", str(tree.root / "topology.yaml")],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield Finding(DOCUMENT, 0, f"millrace topology graph fails: {done.stderr.strip()}")
    elif done.stdout != match.group(1):
        line = tree.text(DOCUMENT).count("\n", 0, match.start()) + 1
        yield Finding(DOCUMENT, line, "the graph is not that of topology.yaml: make docs")


PROGRAM = "#!/bin/sh\necho 'flowchart LR'\n"


def readme(body):
    return f"# A\n<!-- graph: begin (make docs) -->\n```mermaid\n{body}```\n<!-- graph: end -->\n"


SELF_TESTS = [
    ("stale", {"program": PROGRAM, DOCUMENT: readme("flowchart TD\n")}, "is not that"),
    ("no marks", {"program": PROGRAM, DOCUMENT: "# A\n"}, "no graph"),
    ("a program that fails", {"program": "#!/bin/sh\nexit 3\n", DOCUMENT: readme("flowchart LR\n")}, "fails"),
    ("up to date", {"program": PROGRAM, DOCUMENT: readme("flowchart LR\n")}, None),
]
