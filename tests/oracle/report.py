"""What the oracle found: a table for people, the same facts as JSON."""

HEAD = ("topic", "predicted", "recorded", "missing", "extra", "different", "order")
STRUCTURE = (
    ("journal", "gaps and doubles in the journal"),
    ("inputs", "inputs taken twice, not in order, or not there"),
    ("offsets", "committed offsets that the journal does not end at"),
    ("untaken", "inputs with records that are not taken"),
    ("open", "partitions with an open transaction"),
)
STATES = (("balances", "balances"), ("positions", "positions"), ("book.snapshots", "books"))
TEXT_MAX = 120


def shorten(value):
    text = str(value)
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX - 3] + "..."


def state_rows(results):
    """(name, keys, keys whose last value differs) of compacted topics and changelogs."""
    names = dict(STATES)
    for topic, row in results.rows().items():
        if results.check.rules[topic].compacted:
            yield names.get(topic, topic), row["keys"], row["latest"]


def structure_rows(results):
    for check, name in STRUCTURE:
        yield name, sum(1 for problem in results.problems if problem.check == check)
    yield "torn transactions", len(results.torn())


def print_table(results, out):
    rows = results.rows()
    width = max(map(len, [*rows, *(name for name, _ in structure_rows(results))]))
    print("  ".join([HEAD[0].ljust(width), *(name.rjust(9) for name in HEAD[1:])]), file=out)
    for topic, row in rows.items():
        counts = [row[name] for name in ("predicted", "recorded", "missing", "extra", "different", "unordered")]
        good = not any(counts[2:]) and (row["latest"] == 0)
        line = "  ".join([topic.ljust(width), *(str(count).rjust(9) for count in counts)])
        note = f"  ({row['compacted']} compacted)" if row["compacted"] else ""
        print(f"{line}  {'ok' if good else 'NOT EQUAL'}{note}", file=out)
    print(f"\n{'last value of each key'.ljust(width)}  {'keys'.rjust(9)}  {'different'.rjust(9)}", file=out)
    for name, keys, different in state_rows(results):
        print(f"{name.ljust(width)}  {keys:9}  {different:9}  {'ok' if different == 0 else 'NOT EQUAL'}", file=out)
    print(file=out)
    prediction = results.check.prediction
    print(f"{'transactions'.ljust(width)}  {prediction.transactions:9}", file=out)
    print(f"{'inputs taken'.ljust(width)}  {prediction.inputs:9}", file=out)
    for name, count in structure_rows(results):
        print(f"{name.ljust(width)}  {count:9}  {'ok' if count == 0 else 'NOT EQUAL'}", file=out)


def print_notes(results, out):
    for note in results.check.notes():
        print(f"note: {note}", file=out)


def difference_text(difference):
    d = difference
    place = f"{d.topic}[{d.partition}]" + (f" offset {d.offset}" if d.offset is not None else "")
    text = f"{place} key {d.key!r}: {d.kind}"
    if d.field is not None:
        text += f": {d.field}: predicted {shorten(d.predicted)}, recorded {shorten(d.recorded)}"
    return text + (f" ({d.task})" if d.task else "")


def print_differences(results, limit, out):
    lines = [f"{p.topic}[{p.partition}] offset {p.offset}: {p.text}" for p in results.problems]
    lines += [difference_text(difference) for difference in results.differences()]
    if lines:
        print(file=out)
    for line in lines[:limit]:
        print(line, file=out)
    if len(lines) > limit:
        print(f"... and {len(lines) - limit} more (--differences N shows more)", file=out)


def verdict(results):
    skipped = f" (not compared: {', '.join(results.check.skipped)})" if results.check.skipped else ""
    return ("equal: every record, every balance and every book is as predicted" if results.equal()
            else "NOT EQUAL") + skipped


def document(results, limit, seconds):
    """The facts as one JSON document."""
    return {
        "equal": results.equal(),
        "seconds": round(seconds, 3),
        "transactions": results.check.prediction.transactions,
        "inputs": results.check.prediction.inputs,
        "topics": results.rows(),
        "states": [{"name": name, "keys": keys, "different": different}
                   for name, keys, different in state_rows(results)],
        "structure": dict(structure_rows(results)),
        "skipped": results.check.skipped,
        "notes": list(results.check.notes()),
        "problems": [problem.facts() for problem in results.problems[:limit]],
        "differences": [difference.facts() for difference in results.differences()[:limit]],
    }
