#!/usr/bin/env python3
"""Writes docs/SCHEMAS.md: every record of schemas/avro, field by field, and the topics that carry it.

Usage: python3 tools/avrogen/document.py MILLRACE [ROOT]   prints the page

Why: who writes a client needs names, types, defaults and keys in one place, and a page that is typed
     by hand is wrong after the next field.
How: the records from the .avsc files, the topics from `millrace topology describe --json` over
     topology.yaml, so the page is what the program would register and create.
"""
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from model import SchemaError, load_all  # noqa: E402

TYPES = {"STRING": "string", "BYTES": "bytes", "LONG": "long", "INT": "int", "BOOL": "boolean",
         "TIMESTAMP_US": "timestamp-micros", "DECIMAL": "decimal(38,18)"}

HEAD = """# Schemas

Written by `make docs` from `schemas/avro` and `topology.yaml`; do not edit.

Records are Avro in Confluent's wire format: a zero byte, the schema's id as four bytes, big-endian, then Avro binary.
[tools/clients](../tools/clients/README.md) shows how four languages read and write it.

| type | in Avro | |
|---|---|---|
| decimal(38,18) | fixed(16) `Dec38_18`, logical type decimal | exact; two's complement, big-endian, counts 10^-18 |
| timestamp-micros | long, logical type timestamp-micros | microseconds since 1970-01-01T00:00:00Z |
| fixed(n) | fixed | n bytes |
| optional T | union of null and T | null when absent |

A field without a default must be written. An optional field has the default null.

## Evolution

A subject is `<topic>-value`; of a stage's store it is `<application>-<stage>-changelog-<full record name>`. All are
BACKWARD: a reader with the new schema can read what was written with the old one. `millrace topology apply` sets that, registers the
schemas, and refuses what is not compatible.

| change | |
|---|---|
| add a field with a default | allowed |
| reorder fields | allowed: fields are matched by name |
| int becomes long | allowed: readers of the new schema widen it |
| change `doc` | allowed: not another schema to the codec |
| add a field without a default | refused: old records do not have it |
| remove or rename a field, remove an enum's symbol, change a type | not done: old readers would miss it |
| add an enum's symbol | readers first: an old reader cannot name it, and its records become dead letters |

The pipeline reads records of any version whose id the registry knows and that resolves to its own: by avro-c, into the same struct.
[evolve-a-schema](howto/evolve-a-schema.md) adds a field while everything runs.
"""


def default_text(item):
    if "default" not in item:
        return ""
    value = item["default"]
    return f"`{json.dumps(value) if not isinstance(value, str) or value == '' else value}`"


def type_text(field):
    if field.kind == "ENUM":
        text = f"[{field.detail.name}](#{field.detail.name.lower()})"
    elif field.kind == "FIXED":
        text = f"fixed({field.detail})"
    elif field.kind == "ARRAY":
        text = f"array of [{field.detail.name}](#{field.detail.name.lower()})"
    else:
        text = TYPES[field.kind]
    return f"optional {text}" if field.nullable else text


def cell(text):
    return text.replace("|", "\\|").replace("*", "\\*")


def field_rows(record):
    yield "| field | type | default | |"
    yield "|---|---|---|---|"
    for field, item in zip(record.fields, record.json["fields"]):
        yield f"| {field.name} | {type_text(field)} | {default_text(item)} | {cell(field.doc)} |"


def ends_of(graph, topic):
    """(who writes it, who reads it), as text."""
    writers = [s["name"] for s in graph["stages"] for p in s["out"] if p["topic"] == topic]
    readers = [s["name"] + (" (table)" if p["table"] else "")
               for s in graph["stages"] for p in s["in"] if p["topic"] == topic]
    readers += [c["name"] for c in graph["connectors"] if c["topic"] == topic]
    return ", ".join(dict.fromkeys(writers)) or "from outside", ", ".join(dict.fromkeys(readers)) or "nobody here"


def topic_rows(graph, record):
    yield "| topic | subject | key | cleanup | written by | read by |"
    yield "|---|---|---|---|---|---|"
    for topic in graph["topics"]:
        if topic["kind"] == "declared" and topic["schema"] == record.name:
            writers, readers = ends_of(graph, topic["name"])
            yield (f"| {topic['name']} | {topic['subject']} | {topic['key']} | "
                   f"{topic['configs']['cleanup.policy']} | {writers} | {readers} |")


def record_section(record, rows):
    yield f"### {record.name}\n"
    if record.doc:
        yield f"{record.doc}\n"
    for table in rows:
        yield from table
        yield ""


def sections(model, graph, nested):
    carried = {t["schema"] for t in graph["topics"] if t["kind"] == "declared"}
    top = [r for r in model.records.values() if r.top_level]
    yield "## Records of topics\n"
    for record in top:
        if record.name in carried:
            yield from record_section(record, [topic_rows(graph, record), field_rows(record)])
    yield "## Records of state and journals\n"
    yield "Values of changelog topics and of the journal. They belong to the program: read them, never write them.\n"
    for record in top:
        if record.name not in carried:
            yield from record_section(record, [field_rows(record)])
    yield "## Parts of records\n"
    for record in nested:
        yield from record_section(record, [field_rows(record)])
    yield "## Enums\n"
    for enum in sorted(model.enums.values(), key=lambda e: e.name):
        yield f"### {enum.name}\n"
        yield ", ".join(f"`{symbol}`" for symbol in enum.symbols) + "\n"


def render(root, graph):
    """The page, for the schemas under root and what `topology describe --json` says."""
    model = load_all(sorted((Path(root) / "schemas/avro").rglob("*.avsc")))
    nested = [r for r in model.records.values() if not r.top_level]
    return HEAD + "\n" + "\n".join(sections(model, graph, nested)).rstrip("\n") + "\n"


def describe(program, root):
    """The graph of root's topology.yaml, with every ${NAME} at its default."""
    done = subprocess.run([str(program), "topology", "describe", "--json", str(Path(root) / "topology.yaml")],
                          capture_output=True, text=True, check=False, env={})
    if done.returncode != 0:
        raise ValueError(f"millrace topology describe fails: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__, file=sys.stdout if "--help" in arguments else sys.stderr)
        return 0 if "--help" in arguments else 2
    root = Path(arguments[1]) if len(arguments) == 2 else Path(__file__).resolve().parent.parent.parent
    try:
        sys.stdout.write(render(root, describe(arguments[0], root)))
    except (OSError, ValueError, SchemaError) as problem:
        print(f"document.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
