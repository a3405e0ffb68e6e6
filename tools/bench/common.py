"""What the benchmark's modules share: the error for people, where things lie, lines of progress."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A reason to stop that the user can act on; printed without a traceback."""


def say(text):
    """Progress goes to stderr: stdout is for the table, or for JSON."""
    print(text, file=sys.stderr, flush=True)


def read_pairs(path):
    """NAME=value lines as a dict."""
    pairs = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals:
            pairs[name] = value
    return pairs


class Bench:
    """One run of the benchmark: directories, programs, the stack's addresses."""

    def __init__(self, directory, build, topology):
        self.root = ROOT
        self.dir = directory.resolve()
        self.build = build.resolve()
        self.topology = topology.resolve()
        self.stack = {}
        self.stack_dir = self.dir / "stack"
        self.python = ""

    def program(self, path):
        program = self.build / path
        if not program.is_file():
            raise BenchError(f"{program} is not built: `make bench` builds it, or give BUILD_DIR=")
        return program


def stack_command(bench, *words, **environment):
    """Runs tools/dev/stack.sh on the stack of bench.stack_dir: (exit code, what it printed)."""
    done = subprocess.run([str(ROOT / "tools" / "dev" / "stack.sh"), *words], stdout=subprocess.PIPE,
                          text=True, check=False,
                          env={**os.environ, "STACK_DIR": str(bench.stack_dir), **environment})
    return done.returncode, done.stdout
