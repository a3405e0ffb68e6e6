"""clang-format 14 has nothing to change."""

import re
import shutil
import subprocess

from tree import Finding

NAME = "format"
VERSION = "14"
WARNING = re.compile(r"^(.*?):(\d+):\d+: error: ")


def tool():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            if re.search(rf"version {VERSION}\.", text.stdout):
                return path
    return None


def check(tree):
    program = tool()
    if program is None:
        tree.skipped.append(f"format: no clang-format {VERSION}; other versions differ")
        return
    paths = tree.c_files()
    for at in range(0, len(paths), 100):
        done = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *paths[at:at + 100]],
                              capture_output=True, text=True, cwd=tree.root, check=False)
        seen = set()
        for line in done.stderr.splitlines():
            match = WARNING.match(line)
            if match and match.group(1) not in seen:
                seen.add(match.group(1))
                yield Finding(match.group(1), int(match.group(2)), "run clang-format -i on it")


STYLE = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
SELF_TESTS = [
    ("crooked", {".clang-format": STYLE, "runtime/a.c": "int   a ;\n"}, "clang-format"),
    ("straight", {".clang-format": STYLE, "runtime/a.c": "int a;\n"}, None),
]
