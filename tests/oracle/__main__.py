"""The oracle: a second implementation of the order rules says what a run must have written, and compares.

It replays the recorded inputs in the order that the runtime's journal gives and predicts every record of
every topic that stages write, every balance, position and book and every row of state. Then it compares in
both directions: nothing missing, nothing extra, the tail included.
"""

import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import report  # noqa: E402
from check import Check  # noqa: E402
from records import Dump, DumpError  # noqa: E402

EPILOG = """\
DIR is what `millrace tap --dump DIR`, `millrace try --dump DIR` or tests/oracle/dump.py wrote.

exit codes: 0 all equal; 1 something differs; 2 wrong arguments, or no dump that can be checked
"""


def options(words):
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the same facts as one JSON document")
    parser.add_argument("--differences", type=int, default=20, metavar="N",
                        help="print at most so many differences (default 20)")
    parser.add_argument("--skip", action="append", default=[], metavar="TOPIC",
                        help="do not compare this topic; said in the result")
    parser.add_argument("--quiet", action="store_true", help="no progress on a terminal")
    given = parser.parse_args(words)
    if given.differences < 0:
        parser.error("--differences must not be negative")
    return given


def progress_on(stream, quiet):
    if quiet or not stream.isatty():
        return lambda text: None

    def show(text):
        stream.write(f"\r\033[K{text}")
        stream.flush()
    return show


def run(given):
    started = time.monotonic()
    progress = progress_on(sys.stderr, given.quiet)
    dump = Dump(given.dir)
    unknown = [topic for topic in given.skip if topic not in dump.ends]
    if unknown:
        raise DumpError(f"--skip {unknown[0]}: the dump has no such topic")
    results = Check(dump, given.skip, progress).results()
    if sys.stderr.isatty() and not given.quiet:
        sys.stderr.write("\r\033[K")
    seconds = time.monotonic() - started
    report.print_table(results, sys.stdout)
    report.print_differences(results, given.differences, sys.stdout)
    report.print_notes(results, sys.stdout)
    print(f"\n{report.verdict(results)}; {seconds:.1f} s")
    if given.json is not None:
        try:
            given.json.write_text(json.dumps(report.document(results, given.differences, seconds), indent=2) + "\n",
                                  encoding="utf-8")
        except OSError as problem:
            raise DumpError(f"{given.json} cannot be written: {problem.strerror}") from None
    dump.close()
    return 0 if results.equal() else 1


def main():
    given = options(sys.argv[1:])
    try:
        return run(given)
    except DumpError as problem:
        print(f"oracle: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
