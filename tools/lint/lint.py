#!/usr/bin/env python3
"""Runs every check of this directory, or proves that every check can fail.

  lint.py [--root DIR] [--build DIR] [--program FILE] [--only NAME]   exit 1 when something is found
  lint.py --self-test [--only NAME]                                   exit 1 when a check is blind

A check is a module with NAME, check(tree) that yields findings, and SELF_TESTS: rows of (title, files,
what the finding must say or None when there must be none).
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import clocks  # noqa: E402
import documents  # noqa: E402
import floats  # noqa: E402
import formatting  # noqa: E402
import generated  # noqa: E402
import graph  # noqa: E402
import headers  # noqa: E402
import layers  # noqa: E402
import paths  # noqa: E402
import style  # noqa: E402
from tree import Tree  # noqa: E402

CHECKS = [layers, floats, clocks, style, paths, headers, formatting, documents, generated, graph]


def write_files(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if text.startswith("#!"):
            path.chmod(0o755)


def self_test(module):
    """Number of rows that came out wrong; a check without failing rows is blind too."""
    wrong = 0
    if not any(row[2] for row in module.SELF_TESTS):
        print(f"{module.NAME}: no self-test shows that it can fail")
        wrong += 1
    for title, files, words in module.SELF_TESTS:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            write_files(root, files)
            program = root / "program" if "program" in files else None
            tree = Tree(root, program=program)
            found = [str(finding) for finding in module.check(tree)]
        if tree.skipped:
            print(f"skipped: {tree.skipped[0]} ({title})")
        elif words is None and found:
            print(f"{module.NAME}: {title}: found {found[0]}")
            wrong += 1
        elif words is not None and not any(words in text for text in found):
            print(f"{module.NAME}: {title}: wanted \"{words}\", found {found or 'nothing'}")
            wrong += 1
    return wrong


def run(module, tree):
    started = time.monotonic()
    found = sorted(set(module.check(tree)))
    for finding in found:
        print(f"{finding} [{module.NAME}]")
    print(f"{module.NAME}: {len(found)} found, {time.monotonic() - started:.1f} s", file=sys.stderr)
    return len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("--build", type=pathlib.Path, help="a configured build directory")
    parser.add_argument("--program", type=pathlib.Path, help="the built millrace")
    parser.add_argument("--only", choices=[module.NAME for module in CHECKS], action="append")
    parser.add_argument("--self-test", action="store_true", help="prove that each check can fail")
    arguments = parser.parse_args()
    modules = [m for m in CHECKS if not arguments.only or m.NAME in arguments.only]

    if arguments.self_test:
        wrong = sum(self_test(module) for module in modules)
        rows = sum(len(module.SELF_TESTS) for module in modules)
        print(f"{rows} self-tests of {len(modules)} checks, {wrong} wrong")
        return 1 if wrong else 0
    tree = Tree(arguments.root.resolve(), build=arguments.build, program=arguments.program)
    total = sum(run(module, tree) for module in modules)
    for reason in tree.skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    print(f"{total} found" if total else "nothing found", file=sys.stderr)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
