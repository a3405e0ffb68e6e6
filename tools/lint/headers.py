"""Every header compiles alone, so that the order of includes never matters."""

import json
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Finding

NAME = "headers"


def include_flags(tree):
    """Every include path of the build, so that vendor headers are found as the compiler finds them."""
    flags = [f"-I{tree.root}", f"-I{tree.root / 'runtime/include'}", f"-I{tree.root / 'domain'}"]
    database = tree.build / "compile_commands.json" if tree.build else None
    if database and database.is_file():
        for row in json.loads(database.read_text()):
            words = shlex.split(row.get("command", ""))
            for at, word in enumerate(words):
                if word.startswith("-I") and word not in flags:
                    flags.append(word)
                elif word == "-isystem" and words[at + 1] not in flags:
                    flags += [word, words[at + 1]]
    return flags


def compile_alone(compiler, flags, tree, path):
    source = f'#include "{path}"\n'
    own = f"-I{(tree.root / path).parent}"
    done = subprocess.run(
        [compiler, "-std=c17", "-D_POSIX_C_SOURCE=200809L", "-fsyntax-only", "-Wall", "-Wextra",
         "-x", "c", own, *flags, "-"],
        input=source, capture_output=True, text=True, cwd=tree.root, check=False)
    if done.returncode == 0 and not done.stderr:
        return None
    first = next((line for line in done.stderr.splitlines() if "error" in line or "warning" in line),
                 done.stderr.strip())
    return Finding(path, 0, "does not compile alone: " + re.sub(r"^.*?(error|warning): ", "", first))


def check(tree):
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        tree.skipped.append(f"headers: no compiler ({compiler})")
        return
    flags = include_flags(tree)
    generated = tree.build is not None
    paths = []
    for path in tree.c_files((".h",)):
        if not generated and '"avro/' in tree.text(path):
            tree.skipped.append(f"headers: {path} needs generated records (--build DIR)")
        else:
            paths.append(path)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda path: compile_alone(compiler, flags, tree, path), paths)
        yield from (finding for finding in found if finding)


SELF_TESTS = [
    ("a type from nowhere", {"runtime/include/millrace/a.h": "size_t f(void);\n"}, "size_t"),
    ("what it needs is there",
     {"runtime/include/millrace/a.h": "#include <stddef.h>\nsize_t f(void);\n"}, None),
    ("a header beside it", {"stages/a/a.h": '#include "b.h"\nb f(void);\n',
                            "stages/a/b.h": "#ifndef B_H\n#define B_H\ntypedef int b;\n#endif\n"}, None),
]
