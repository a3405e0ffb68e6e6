#!/usr/bin/env python3
"""Writes the topics of a running stack as a dump that the oracle can check.

  dump.py [--stack build/stack/stack.env] [--topology topology.yaml] OUT

The pipeline should have nothing to do meanwhile: a dump is one moment only if nothing is committed while it
is written. It is `millrace tap --dump OUT` with the addresses of the stack.
"""

import argparse
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import recording  # noqa: E402


def options(words):
    root = recording.ROOT
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("out", type=pathlib.Path, metavar="OUT", help="the directory to write")
    parser.add_argument("--stack", type=pathlib.Path, default=root / "build" / "stack" / "stack.env", metavar="FILE",
                        help="addresses, as `make stack-up` writes them (default build/stack/stack.env)")
    parser.add_argument("--topology", type=pathlib.Path, default=root / "topology.yaml", metavar="FILE")
    parser.add_argument("--millrace", type=pathlib.Path, default=recording.program(), metavar="FILE",
                        help="the program that reads (default $MILLRACE or build/release)")
    return parser.parse_args(words)


def addresses(path):
    """NAME=value lines."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise recording.RecordingError(f"{path} cannot be read: {problem.strerror}; `make stack-up` starts a "
                                       "stack") from None
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def main():
    given = options(sys.argv[1:])
    try:
        environment = {**os.environ, **addresses(given.stack)}
        words = [given.millrace, "tap", "--dump", given.out, "--topology", given.topology]
        return subprocess.run([str(word) for word in words], env=environment, check=False).returncode
    except recording.RecordingError as problem:
        print(f"dump: {problem}", file=sys.stderr)
    except OSError as problem:
        print(f"dump: {given.millrace} cannot be run: {problem.strerror}; --millrace names another", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
