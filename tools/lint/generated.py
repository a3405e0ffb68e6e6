"""A generated document is what the program, or the generator beside it, prints."""

import pathlib
import subprocess
import sys

from tree import Finding

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "avrogen"))

import document as schemas  # noqa: E402

NAME = "generated"
DOCUMENTS = {"docs/OPTIONS.md": ["options"], "docs/CODES.md": ["codes", "--markdown"],
             "docs/topology.schema.json": ["topology", "schema"]}
SCHEMAS = "docs/SCHEMAS.md"


def compare(tree, document, command, printed):
    if document not in tree.paths():
        return Finding(document, 0, f"is not there: {command} > {document}")
    have = tree.text(document).split("\n")
    want = printed.split("\n")
    for number, (left, right) in enumerate(zip(have + [None], want + [None]), 1):
        if left != right:
            return Finding(document, number, f"is not what {command} prints: write it anew")
    return None


def check_printed(tree, document, arguments):
    command = "millrace " + " ".join(arguments)
    done = subprocess.run([str(tree.program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return Finding(document, 0, f"{command} fails: {done.stderr.strip()}")
    return compare(tree, document, command, done.stdout)


def check_schemas(tree):
    try:
        printed = schemas.render(tree.root, schemas.describe(tree.program, tree.root))
    except (OSError, ValueError, schemas.SchemaError) as problem:
        return Finding(SCHEMAS, 0, str(problem))
    return compare(tree, SCHEMAS, "tools/avrogen/document.py", printed)


def check(tree):
    if tree.program is None or not tree.program.is_file():
        tree.skipped.append("generated: no built millrace (--program FILE)")
        return
    found = [check_printed(tree, document, arguments) for document, arguments in DOCUMENTS.items()]
    found.append(check_schemas(tree))
    yield from (finding for finding in found if finding is not None)


GRAPH = {"topics": [], "stages": [], "connectors": []}
PROGRAM = """#!/bin/sh
case "$*" in
*describe*) echo '{"topics": [], "stages": [], "connectors": []}' ;;
*) echo "# $*" ;;
esac
"""
SCHEMA = '{"type": "record", "name": "A", "namespace": "x.y", "fields": [{"name": "f", "type": "%s"}]}\n'
GOOD = {"program": PROGRAM, "docs/OPTIONS.md": "# options\n", "docs/CODES.md": "# codes --markdown\n",
        "docs/topology.schema.json": "# topology schema\n",
        SCHEMAS: schemas.render(pathlib.Path("nowhere"), GRAPH)}
SELF_TESTS = [
    ("stale", GOOD | {"docs/OPTIONS.md": "# option\n"}, "is not what millrace options prints"),
    ("the other one stale", GOOD | {"docs/CODES.md": "# codes\n"}, "is not what millrace codes --markdown prints"),
    ("missing", {"program": PROGRAM, "docs/OPTIONS.md": "# options\n"}, "is not there"),
    ("a stale schema", GOOD | {"docs/topology.schema.json": "{}\n"},
     "is not what millrace topology schema prints"),
    ("short", GOOD | {"docs/CODES.md": ""}, "is not what"),
    ("a program that fails", GOOD | {"program": "#!/bin/sh\nexit 3\n"}, "fails"),
    ("a new schema", GOOD | {"schemas/avro/A.avsc": SCHEMA % "int"}, "is not what tools/avrogen/document.py prints"),
    ("a wrong schema", GOOD | {"schemas/avro/A.avsc": SCHEMA % "float"}, "field f: type float"),
    ("up to date", GOOD, None),
]
