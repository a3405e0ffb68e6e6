#!/usr/bin/env python3
"""Shows that the oracle can fail: a recorded run with one thing wrong at a time, each of which it must report.

  selftest.py [DIR] [--mutations N] [--seed S]

Without DIR a run is recorded first (`millrace try --dump`, with small transactions). The run is predicted once
and compared once for each mutation. Some mutations are also written to files and checked from the beginning,
so that the short way is shown to tell what the long one does.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import mutations  # noqa: E402
import recording  # noqa: E402
from check import Check  # noqa: E402
from records import Dump, DumpError  # noqa: E402


def options(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir", nargs="?", type=pathlib.Path, metavar="DIR", help="a dump of the log in memory")
    parser.add_argument("--mutations", type=int, default=1000, metavar="N", help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of what is drawn (default 1)")
    parser.add_argument("--limit", type=int, default=1500, metavar="N", help="trades of the run to record")
    parser.add_argument("--millrace", type=pathlib.Path, default=recording.program(), metavar="FILE",
                        help="the program to record with")
    given = parser.parse_args(words)
    if given.mutations < 1 or given.limit < 1:
        parser.error("--mutations and --limit must be above 0")
    return given


def base(directory):
    """The check of a run in which everything is right."""
    dump = Dump(directory)
    if not dump.in_memory:
        raise DumpError(f"{directory} is not of the log in memory, which keeps every record")
    check = Check(dump)
    results = check.results()
    if not results.equal():
        raise DumpError(f"{directory} is not as predicted; the oracle itself says how")
    return check


def short_way(check, given):
    """Number of mutations that were missed."""
    subject = mutations.Subject(check, random.Random(given.seed))
    kinds = collections.Counter()
    missed = 0
    for number in range(given.mutations):
        mutated = mutations.draw(subject)
        kinds[mutated.text.partition(":")[0]] += 1
        if not mutations.is_reported(subject, mutated):
            missed += 1
            print(f"missed: {mutated.text} (mutation {number} of seed {given.seed})")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:16} {count:6}")
    return missed


# ---- the long way --------------------------------------------------------------------------------


def rewritten(directory, target, topic, rewrite):
    """A copy of the dump in which the lines of one topic went through rewrite."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in directory.iterdir():
        if path.name == f"{topic}.jsonl":
            lines = [json.loads(line) for line in path.read_bytes().splitlines()]
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in rewrite(lines))
            (target / path.name).write_text(text, encoding="utf-8")
        else:
            os.symlink(path.resolve(), target / path.name)


def drop_one(rng):
    def rewrite(lines):
        del lines[rng.randrange(len(lines))]
        return lines
    return rewrite


def change_one(rng, field):
    def rewrite(lines):
        line = rng.choice([line for line in lines if line["value"]])
        line["value"][field] = mutations.changed(rng, line["value"][field])
        return lines
    return rewrite


LONG_MAX = 24
LONG = (
    ("orders", lambda rng: change_one(rng, "eventId")), ("orders", drop_one),
    ("executions", lambda rng: change_one(rng, "version")), ("executions", drop_one),
    ("orders.approved", lambda rng: change_one(rng, "reserved")), ("trades", drop_one),
    ("ledger", lambda rng: change_one(rng, "seq")), ("balances", drop_one),
)


def long_way(directory, given, rounds):
    """The same from files: a whole check for each mutation."""
    rng = random.Random(given.seed)
    missed = 0
    with tempfile.TemporaryDirectory() as work:
        for number in range(rounds):
            topic, make = LONG[number % len(LONG)]
            target = pathlib.Path(work) / "dump"
            rewritten(directory, target, topic, make(rng))
            if is_equal(target):
                missed += 1
                print(f"missed: {topic}, round {number} of seed {given.seed}")
    return missed


def is_equal(directory):
    """False also when the oracle refuses the dump, because a record is no more what its schema says."""
    dump = Dump(directory)
    try:
        return Check(dump).results().equal()
    except DumpError:
        return False
    finally:
        dump.close()


def run(given):
    with tempfile.TemporaryDirectory() as work:
        directory = given.dir
        if directory is None:
            directory = pathlib.Path(work) / "dump"
            recording.record_try(given.millrace, directory, given.limit, given.seed)
        started = time.monotonic()
        check = base(directory)
        predicted = time.monotonic()
        missed = short_way(check, given)
        compared = time.monotonic()
        rounds = min(max(2, given.mutations // 100), LONG_MAX)
        missed += long_way(directory, given, rounds)
        print(f"{given.mutations + rounds} mutations, {missed} missed; predicted in {predicted - started:.1f} s, "
              f"compared in {compared - predicted:.1f} s, {rounds} times from files in "
              f"{time.monotonic() - compared:.1f} s")
    return 1 if missed else 0


def main():
    given = options(sys.argv[1:])
    try:
        return run(given)
    except (DumpError, recording.RecordingError) as problem:
        print(f"selftest: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
