"""Compiles and runs: the domain, its tests, and one mutant at a time.

A mutant of a .c file costs one compilation and the linking of its tests; one of a header those of the files that
include it. The first test that fails ends it. What none sees runs once more with AddressSanitizer and UBSan, as the
project's own lane does: memory that is lost, and what C does not define.
"""

import math
import os
import pathlib
import resource
import shlex
import shutil
import subprocess

FLAGS = ["-std=c17", "-O1", "-w", "-D_POSIX_C_SOURCE=200809L"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1"]
WRAP = ["-Wl,--wrap=calloc", "-Wl,--wrap=realloc"]
PLAIN, SANITIZED = "plain", "sanitized"
# A test that needs so many times the processor time that it needs unchanged will not end: waiting does
# not count, so that a busy machine kills no mutant.
PATIENCE = 3
TIMEOUT_S = 600
MEMORY_BYTES = 2 << 30  # a loop that should end may allocate in each round
BOOK = ("order_book", "order_book_audit", "@model", "order_book_memory", "order_book_model")

# These count and refuse what is allocated (tests/unit/domain/allocations.h).
WRAPPED = ("heap", "order_book_memory", "stop_book")

# Too slow with the sanitizers for what it adds to @model there.
ONLY_PLAIN = ("order_book_model",)

# The tests of a file whose name is another. The rest have a test of their name.
TESTS = {
    "book_index": BOOK, "book_levels": BOOK, "book_load": BOOK, "book_pool": BOOK, "book_users": BOOK, "order_book": BOOK,
    "order_book_audit": BOOK, "wide": ("decimal", "hold"), "fees": ("fees", "hold"),
    "order": ("order", "codes", "validate"), "sha256": ("fingerprint",), "decimal": ("decimal", "hold"),
    "position": ("position", "lots"), "reserve": ("reserve", "hold"),
}


class BuildError(Exception):
    """The unchanged sources do not build or do not pass."""


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          errors="replace", **more)


def check_flags():
    """How to compile and link with the test library."""
    flags = run(["pkg-config", "--cflags", "--libs", "check"])
    if flags.returncode != 0:
        raise BuildError("pkg-config does not know `check`")
    return shlex.split(flags.stdout)


class Workshop:
    """The unchanged objects, and a place for each worker."""

    def __init__(self, root, work, compiler="cc"):
        self.root, self.work, self.compiler = root, work, compiler
        self.check = check_flags()
        self.domain = sorted(path.stem for path in (root / "domain").glob("*.c"))
        unit = root / "tests" / "unit" / "domain"
        self.tests = {path.stem[len("test_"):]: [path] for path in sorted(unit.glob("test_*.c"))}
        flow = root / "tests" / "conformance" / "match"
        self.tests["@model"] = [flow / name for name in ("engine.c", "flow.c", "naive.c", "rules.c", "stream.c",
                                                         "match_differential.c")]
        self.cpu_s = {}  # (test, mode): what it may take
        self.users = {header.name: self._users(header.name) for header in (root / "domain").glob("*.h")}

    def _users(self, header):
        """The .c files of the domain that include a header, through others too."""
        texts = {path: path.read_text() for path in (self.root / "domain").glob("*.[ch]")}
        reached = {header}
        while True:
            more = {path.name for path, text in texts.items()
                    if any(f'#include "domain/{name}"' in text for name in reached)} - reached
            if not more:
                return sorted(name[:-2] for name in reached if name.endswith(".c"))
            reached |= more

    def _compile(self, source, out, mode, first=None):
        folders = [first] if first else []
        folders += [self.root, self.root / "tests" / "unit" / "domain", self.root / "tests" / "conformance" / "match"]
        command = [self.compiler, *FLAGS, *(SANITIZE if mode == SANITIZED else []),
                   *[f"-I{folder}" for folder in folders],
                   f'-DMR_SCHEMA_DIR="{self.root}/schemas/avro"', "-c", str(source), "-o", str(out)]
        return run(command)

    def _link(self, test, objects, out, mode):
        sources = self.tests[test]
        command = [self.compiler, *(SANITIZE if mode == SANITIZED else []),
                   *[str(self.work / mode / f"test_{path.stem}.o") for path in sources], *map(str, objects),
                   *(WRAP if test in WRAPPED else []), "-o", str(out), *self.check]
        return run(command)

    def _run(self, program, test, mode):
        arguments = ["--seeds", "3", "--commands", "1500"] if test == "@model" else []
        environment = {**os.environ, "CK_FORK": "no", "ASAN_OPTIONS": "detect_leaks=1:hard_rss_limit_mb=1024"}

        cpu_s = self.cpu_s.get((test, mode), 60)

        def limit():
            if mode == PLAIN:  # the sanitizer reserves more than any limit, and has its own
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        try:
            return subprocess.run([str(program), *arguments], env=environment, timeout=TIMEOUT_S, check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  preexec_fn=limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def prepare(self, files):
        """Compiles everything unchanged and sees that the tests of these files pass."""
        tests = sorted({test for file in files for test in self.tests_of(file)})
        for mode in (PLAIN, SANITIZED):
            folder = self.work / mode
            folder.mkdir(parents=True, exist_ok=True)
            for name in self.domain:
                self._refresh(self.root / "domain" / f"{name}.c", folder / f"{name}.o", mode)
            for test in self._in(mode, tests):
                for path in self.tests[test]:
                    self._refresh(path, folder / f"test_{path.stem}.o", mode)
                program = folder / f"run_{test.strip('@')}"
                self._must(self._link(test, self._objects(mode, {}), program, mode))
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                if not self._run(program, test, mode):
                    raise BuildError(f"the unchanged sources do not pass {test} ({mode})")
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                self.cpu_s[test, mode] = math.ceil(PATIENCE * took + 0.3)

    def _refresh(self, source, out, mode):
        """Compiles what is older than anything it may include."""
        newest = max(path.stat().st_mtime for folder in (source.parent, self.root / "domain")
                     for path in [source, *folder.glob("*.h")])
        if not out.exists() or out.stat().st_mtime < newest:
            self._must(self._compile(source, out, mode))

    @staticmethod
    def _must(done):
        if done.returncode != 0:
            raise BuildError(done.stdout[-2000:])

    def _objects(self, mode, changed):
        return [changed.get(name, self.work / mode / f"{name}.o") for name in self.domain]

    def tests_of(self, file):
        stem = pathlib.Path(file).stem
        own = [test for test in TESTS.get(stem, (stem,)) if test in self.tests]
        return own or list(self.tests)  # a file without tests of its own: whichever may see it

    @staticmethod
    def _in(mode, tests):
        return [test for test in tests if mode == PLAIN or test not in ONLY_PLAIN]

    def judge(self, mutant, place):
        """"killed", "survived" or "no mutant" (it does not compile), and by which test."""
        folder = place / "domain"
        shutil.rmtree(place, ignore_errors=True)
        folder.mkdir(parents=True)
        path = folder / pathlib.Path(mutant.file).name
        path.write_text(mutant.text)
        units = [path.stem] if path.suffix == ".c" else self.users[path.name]
        for mode in (PLAIN, SANITIZED):
            changed = {}
            for unit in units:
                source = path if path.suffix == ".c" else self.root / "domain" / f"{unit}.c"
                changed[unit] = place / f"{unit}.o"
                if self._compile(source, changed[unit], mode, place).returncode != 0:
                    return "no mutant", "compiler"
            if mode == PLAIN and self._same_code(changed):
                return "no mutant", "same machine code"
            for test in self._in(mode, self.tests_of(mutant.file)):
                program = place / "run"
                if self._link(test, self._objects(mode, changed), program, mode).returncode != 0:
                    return "no mutant", "linker"
                if not self._run(program, test, mode):
                    return "killed", test if mode == PLAIN else f"{test}, sanitized"
        return "survived", None

    def _same_code(self, changed):
        """The compiler makes the same of it: nothing could see a difference."""
        return all(path.read_bytes() == (self.work / PLAIN / f"{name}.o").read_bytes()
                   for name, path in changed.items())
