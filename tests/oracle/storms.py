#!/usr/bin/env python3
"""Storms on the whole pipeline in memory, each checked by the oracle.

  storms.py [--books | --market] [--seeds N] [--first S] [--records N] [--disturb] [--workers N] [--skip TOPIC]

A storm is random traffic into every corner of the rules (storm.py); --disturb adds crashes, lost state
directories and faults of the log. --books: settle and price-aggregate alone, with inputs that no engine
would make (books.py). --market: straight to fill, with what validate and risk would refuse (market_storm.py).
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import recording  # noqa: E402
import report  # noqa: E402
from check import Check  # noqa: E402
from records import Dump, DumpError  # noqa: E402

PLAY = recording.ROOT / "build" / "debug" / "tests" / "oracle" / "oracle_play"


def options(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--books", action="store_true", help="settle and price-aggregate alone")
    parser.add_argument("--seeds", type=int, default=4, metavar="N", help="how many storms (default 4)")
    parser.add_argument("--first", type=int, default=1, metavar="S", help="seed of the first (default 1)")
    parser.add_argument("--records", type=int, default=2000, metavar="N", help="sent in each (default 2000)")
    parser.add_argument("--disturb", action="store_true", help="crashes and faults too")
    parser.add_argument("--market", action="store_true", help="straight to the matching stage")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="threads of each group (default 1)")
    parser.add_argument("--skip", action="append", default=[], metavar="TOPIC", help="do not compare this topic")
    parser.add_argument("--play", type=pathlib.Path, default=os.environ.get("ORACLE_PLAY", PLAY), metavar="FILE",
                        help="the program oracle_play")
    return parser.parse_args(words)


def storm(given, seed):
    """True when everything is as predicted."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        directory = pathlib.Path(work) / "dump"
        record = (recording.record_books if given.books
                  else recording.record_market_storm if given.market else recording.record_storm)
        record(given.play, directory, seed, given.records, given.disturb, given.workers)
        recorded = time.monotonic()
        dump = Dump(directory)
        results = Check(dump, given.skip).results()
        equal = results.equal()
        counts = {topic: row["recorded"] for topic, row in results.rows().items()}
        print(f"seed {seed}: {results.check.prediction.transactions} transactions, {counts.get('executions', 0)} "
              f"executions, {counts.get('trades', 0)} trades, {counts.get('ledger', 0)} entries, {results.check.prediction.inputs} inputs: "
              f"{report.verdict(results) if not equal else 'equal'} "
              f"({recorded - started:.1f} s, {time.monotonic() - recorded:.1f} s)", flush=True)
        if not equal:
            report.print_differences(results, 20, sys.stdout)
        dump.close()
    return equal


def main():
    given = options(sys.argv[1:])
    try:
        outcomes = [storm(given, seed) for seed in range(given.first, given.first + given.seeds)]
    except (DumpError, recording.RecordingError) as problem:
        print(f"storms: {problem}", file=sys.stderr)
        return 2
    print(f"{len(outcomes)} storms, {outcomes.count(False)} not as predicted")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
