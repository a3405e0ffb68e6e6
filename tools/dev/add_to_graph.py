#!/usr/bin/env python3
"""Puts a stage into a topology.yaml behind another one: topic, stage, its readers, its group.

Why: five places have to agree, and a person who has just written a stage knows none of them by heart.
How: as text, so that comments and layout stay. The input of the new stage is the topic that the stage
     before it writes and that carries the record of the in port. An out port of the same record passes
     it on: it gets a topic of its own, and every stage that read the old topic reads that one. Another
     out port gets a topic as it is named, or an existing one (--out rejected:ExecutionReport=executions).
Not: a parser of all of YAML. Ports are bound as `in: {port: topic}` in the file; what is written another
     way is refused, and the file left alone. `millrace topology check` says whether the result is right.

  add_to_graph.py --name throttle --after dedupe --in orders:OrderCommand --out passed:OrderCommand
"""
import argparse
import pathlib
import re
import sys

ENTRY = re.compile(r"^  ([A-Za-z0-9_.-]+):", re.MULTILINE)
BOUND = re.compile(r"([A-Za-z0-9_-]+):\s*(?:\{\s*table:\s*([A-Za-z0-9_.-]+)\s*\}|([A-Za-z0-9_.-]+))")


class Refused(Exception):
    """The file is left as it is; the text says why."""


class Part:
    """A piece of the file: what it is called, and from where to where it goes."""

    def __init__(self, name, start, end):
        self.name, self.start, self.end = name, start, end


def section(text, name):
    head = re.search(rf"^{name}:[^\n]*\n", text, re.MULTILINE)
    if not head:
        raise Refused(f"it has no section {name}")
    after = re.search(r"^[^\s#]", text[head.end():], re.MULTILINE)
    return Part(name, head.end(), head.end() + after.start() if after else len(text))


def entries(text, part):
    """Name -> Part; what follows an entry (comments, empty lines) is no part of it."""
    found = {}
    starts = [match for match in ENTRY.finditer(text, part.start, part.end)]
    for at, match in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else part.end
        lines = text[match.start():end].splitlines(keepends=True)
        while len(lines) > 1 and (not lines[-1].strip() or re.match(r" {0,3}#", lines[-1])):
            lines.pop()
        found[match.group(1)] = Part(match.group(1), match.start(), match.start() + len("".join(lines)))
    return found


def bindings(text, stage, direction):
    """[(port, topic, is a table, offset of the topic)]."""
    head = re.compile(rf"(?<![\w-]){direction}:\s*\{{").search(text, stage.start, stage.end)
    if not head:
        if re.compile(rf"(?<![\w-]){direction}:").search(text, stage.start, stage.end):
            raise Refused(f"stage {stage.name} does not bind its ports as `{direction}: {{port: topic}}`")
        return []
    depth, end = 1, head.end()
    while depth > 0 and end < stage.end:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return [(match.group(1), match.group(2) or match.group(3), bool(match.group(2)),
             match.start(2) if match.group(2) else match.start(3))
            for match in BOUND.finditer(text, head.end(), end - 1)]


def setting(text, topic, name):
    match = re.compile(rf"(?<![\w-]){name}:\s*(\"[^\"]*\"|[^,}}\n]+)").search(text, topic.start, topic.end)
    return match.group(1).strip() if match else ""


def port(words):
    """orders:OrderCommand or rejected:ExecutionReport=executions."""
    match = re.fullmatch(r"([a-z][a-z0-9-]*):([A-Za-z0-9_]+)(?:=([A-Za-z0-9_.-]+))?", words)
    if not match:
        raise argparse.ArgumentTypeError(f"'{words}' is not PORT:RECORD or PORT:RECORD=TOPIC")
    return match.groups()


def source_topic(text, before, topics, record):
    """The topic behind the stage before that carries the record."""
    written = [topic for _, topic, _, _ in bindings(text, before, "out")]
    fitting = [t for t in written if t in topics and setting(text, topics[t], "value") == record]
    if len(set(fitting)) != 1:
        what = f"several topics of {record}: {', '.join(fitting)}" if fitting else f"no topic of {record}"
        raise Refused(f"stage {before.name} writes {what}")
    return fitting[0]


def new_topics(plan, source):
    """Each out port with its topic, those that must be made, and the one that passes the input on."""
    made, bound, passed = [], [], None
    for name, record, topic in plan.out:
        if topic is None and record == plan.input[1] and passed is None:
            topic = passed = f"{source.split('.')[0]}.{plan.name}"
            made.append((topic, record))
        elif topic is None:
            topic = f"{plan.name}.{name}"
            made.append((topic, record))
        bound.append((name, topic))
    return bound, made, passed


def edits_of(text, plan):
    """[(offset, length, new text)], and what was done, for the reader."""
    topics, stages = entries(text, section(text, "topics")), entries(text, section(text, "stages"))
    groups = entries(text, section(text, "groups"))
    if plan.name in stages:
        raise Refused(f"it has a stage {plan.name} already")
    if plan.after not in stages:
        raise Refused(f"it has no stage {plan.after}; there are: {', '.join(stages)}")
    before = stages[plan.after]
    source = source_topic(text, before, topics, plan.input[1])
    bound, made, passed = new_topics(plan, source)
    edits, said = [], []
    lines = ""
    for topic, record in made:
        if topic in topics:
            raise Refused(f"it has a topic {topic} already")
        lines += f"  {topic}: {{key: {setting(text, topics[source], 'key')}, value: {record}}}\n"
        said.append(f"topic {topic}")
    edits.append((topics[source].end, 0, lines))
    options = ", ".join(option.replace("=", ": ", 1) for option in plan.option)
    outs = ", ".join(f"{name}: {topic}" for name, topic in bound)
    edits.append((before.end, 0, f"  {plan.name}:\n    type: {plan.type or plan.name}\n"
                                 f"    in:  {{{plan.input[0]}: {source}}}\n    out: {{{outs}}}\n"
                                 + (f"    options: {{{options}}}\n" if options else "")))
    said.append(f"stage {plan.name}, which reads {source}")
    for stage in stages.values() if passed else ():
        for name, topic, table, at in bindings(text, stage, "in"):
            if topic == source and not table:
                edits.append((at, len(topic), passed))
                said.append(f"{stage.name}.{name} now reads {passed}")
    edits.append(group_edit(text, plan, groups))
    said.append(f"in the group of {plan.after}")
    return edits, said


def group_edit(text, plan, groups):
    for group in groups.values():
        members = re.compile(r"(?<![\w-])stages:\s*\[([^\]]*)\]").search(text, group.start, group.end)
        for name in re.finditer(r"[A-Za-z0-9_-]+", members.group(1)) if members else ():
            if name.group(0) == plan.after:
                return members.start(1) + name.end(), 0, f", {plan.name}"
    raise Refused(f"no group has {plan.after} in a list `stages: [...]`")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--topology", type=pathlib.Path, default="topology.yaml")
    parser.add_argument("--name", required=True, help="of the stage in the graph")
    parser.add_argument("--type", help="its type: a stage of the program, or ./file.so (default: the name)")
    parser.add_argument("--after", required=True, metavar="STAGE", help="the stage whose output it reads")
    parser.add_argument("--in", dest="input", required=True, type=port, metavar="PORT:RECORD")
    parser.add_argument("--out", action="append", default=[], type=port, metavar="PORT:RECORD[=TOPIC]")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--dry-run", action="store_true", help="print the new file, change nothing")
    plan = parser.parse_args()
    try:
        text = plan.topology.read_text(encoding="utf-8")
        edits, said = edits_of(text, plan)
    except (Refused, OSError) as problem:
        print(f"{parser.prog}: {plan.topology} is left as it is: {problem}", file=sys.stderr)
        return 1
    for at, length, new in sorted(edits, reverse=True):
        text = text[:at] + new + text[at + length:]
    if plan.dry_run:
        print(text, end="")
        return 0
    plan.topology.write_text(text, encoding="utf-8")
    print(f"{plan.topology}: {'; '.join(said)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
