"""The files a check looks at, and what a check reports.

A Tree is a directory: the repository, or a small one that a self-test wrote. Checks never read
anything else, so a self-test is the same code on other files.
"""

import pathlib
import re
from dataclasses import dataclass, field

SKIPPED = {"build", ".git", ".cache", "__pycache__", "node_modules"}
TEXT_SUFFIXES = {
    ".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".yaml", ".yml", ".avsc", ".java",
    ".env", ".in", ".xml", ".toml", ".cfg", "",
}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass
class Tree:
    root: pathlib.Path
    build: pathlib.Path | None = None  # a configured build directory, for include paths
    program: pathlib.Path | None = None  # the built millrace
    skipped: list = field(default_factory=list)  # what a check could not look at, and why
    _paths: list | None = None

    def paths(self):
        """Every file, relative to the root with forward slashes, in order."""
        if self._paths is None:
            found = []
            stack = [self.root]
            while stack:
                for entry in sorted(stack.pop().iterdir()):
                    if entry.is_symlink() or entry.name in SKIPPED:
                        continue  # .git is a file in a worktree
                    if entry.is_dir():
                        stack.append(entry)
                    else:
                        found.append(entry.relative_to(self.root).as_posix())
            self._paths = sorted(found)
        return self._paths

    def c_files(self, suffixes=(".c", ".h")):
        return [p for p in self.paths() if p.endswith(suffixes)]

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def text_files(self):
        return [p for p in self.paths() if pathlib.PurePosixPath(p).suffix in TEXT_SUFFIXES]


TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def code_only(text):
    """C text with comments and the insides of literals blanked, line by line the same."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(blank, text)
