"""What the documents point at is there: links and their anchors, files, make targets.

A path is checked when it stands in backticks and begins with a folder of the repository; `*` may stand
for any text. What is made (build/) and what is meant as a pattern (NAME, <name>, ...) is not.
"""

import fnmatch
import posixpath
import re

from tree import Finding

NAME = "documents"
LINK = re.compile(r"\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")  # its text may go on in the next line
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[A-Za-z0-9_.*-]+(?:/[A-Za-z0-9_.*-]+)*/?")
TARGET = re.compile(r"(?<![\w-])make ((?:[a-z][a-z-]*|[A-Z_]+=\S+)(?: (?:[a-z][a-z-]*|[A-Z_]+=\S+))*)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")


def slug(heading):
    """As the well-known forges make it: lower case, spaces to dashes, other signs gone."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def lines_of(text):
    """(number, line, whether it is inside a fenced block)."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            yield number, line, True
            fenced = not fenced
        else:
            yield number, line, fenced


def anchors(text):
    found, seen = set(), {}
    for _, line, fenced in lines_of(text):
        match = None if fenced else HEADING.match(line)
        if match:
            name = slug(match.group(1))
            seen[name] = seen.get(name, -1) + 1
            found.add(name if seen[name] == 0 else f"{name}-{seen[name]}")
    return found


def links_of(text):
    """(line, link) outside of code."""
    prose = "\n".join("" if fenced else line for _, line, fenced in lines_of(text))
    prose = CODE.sub(lambda match: "`" + "x" * len(match.group(1)) + "`", prose)
    for match in LINK.finditer(prose):
        yield prose.count("\n", 0, match.start(1)) + 1, match.group(1)


def check_link(tree, path, number, link, known):
    if re.match(r"[a-z][a-z+.-]*:", link):
        return
    name, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
    if target not in known:
        yield Finding(path, number, f"link to {link}, which is not there")
    elif anchor and target.endswith(".md") and anchor not in anchors(tree.text(target)):
        yield Finding(path, number, f"link to {link}: {target} has no such heading")


def check_path(path, number, text, folders, known):
    if not PATH.fullmatch(text) or "/" not in text or re.search(r"NAME|\.\.\.", text):
        return
    if text.split("/")[0] not in folders:
        return
    wanted = text.rstrip("/")
    if not any(fnmatch.fnmatchcase(have, wanted) for have in known):
        yield Finding(path, number, f"`{text}` is not there")


def check_targets(path, number, text, targets):
    for match in TARGET.finditer(text):
        for word in match.group(1).split(" "):
            if "=" not in word and word not in targets:
                yield Finding(path, number, f"make {word}: the Makefile has no such target")
                break  # what follows in prose is no target either


def check(tree):
    files = set(tree.paths())
    known = set(files)
    for path in files:
        while "/" in path:
            path = posixpath.dirname(path)
            known.add(path)
    folders = {path.split("/")[0] for path in files if "/" in path}
    targets = set()
    if "Makefile" in files:
        targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", tree.text("Makefile"), re.MULTILINE))
    for path in sorted(files):
        if not path.endswith(".md"):
            continue
        for number, link in links_of(tree.text(path)):
            yield from check_link(tree, path, number, link, known)
        for number, line, fenced in lines_of(tree.text(path)):
            pieces = [line] if fenced else CODE.findall(line)
            for piece in pieces:
                yield from check_targets(path, number, piece, targets)
            if fenced:
                continue
            for piece in pieces:
                yield from check_path(path, number, piece, folders, known)


MAKE = "test: ## all\n\t@true\nnew-stage:\n\t@true\nX := 1\n"

SELF_TESTS = [
    ("a link to nothing", {"docs/a.md": "see [b](b.md)\n"}, "b.md, which is not there"),
    ("a link out of the folder", {"docs/a.md": "see [b](../b.md)\n", "b.md": "# B\n"}, None),
    ("a link in words of code", {"docs/a.md": "see [`b`](b.md)\n"}, "b.md, which is not there"),
    ("a link over two lines", {"docs/a.md": "see [the\nother](b.md)\n"}, "docs/a.md:2: link to b.md"),
    ("a link in code", {"docs/a.md": "see `[b](b.md)`\n"}, None),
    ("no such heading", {"a.md": "[b](b.md#two)\n", "b.md": "# One\n"}, "no such heading"),
    ("a heading with signs", {"a.md": "[b](b.md#the-way-of-one-order-ack)\n[c](#c-1)\n# C\n# C\n",
                              "b.md": "## The way of `one` order (ACK)\n"}, None),
    ("a heading only in a block", {"a.md": "[b](#x)\n```\n# x\n```\n"}, "no such heading"),
    ("an address", {"a.md": "[b](https://example.org/c.md)\n"}, None),
    ("a file that went", {"tools/b.sh": "", "a.md": "run `tools/a.sh` now\n"}, "`tools/a.sh` is not there"),
    ("a file, a folder and a pattern", {"tools/b.sh": "", "a.md": "`tools/b.sh` `tools/` `tools/*.sh`\n"}, None),
    ("a pattern without files", {"tools/b.sh": "", "a.md": "`tools/*.c`\n"}, "`tools/*.c` is not there"),
    ("not ours", {"tools/b.sh": "", "a.md": "`build/x` `tools/NAME.sh` `a/b` `tools/<x>`\n"}, None),
    ("no such target", {"Makefile": MAKE, "a.md": "`make tset`\n"}, "make tset"),
    ("no such target in a block", {"Makefile": MAKE, "a.md": "```\nmake tset\n```\n"}, "make tset"),
    ("a target with arguments", {"Makefile": MAKE, "a.md": "`make new-stage NAME=x` `make K=1 test`\n"}, None),
    ("a variable is no target", {"Makefile": MAKE, "a.md": "`make x`\n"}, "make x"),
    ("the word in prose", {"Makefile": MAKE, "a.md": "make tset of it\n"}, None),
]
