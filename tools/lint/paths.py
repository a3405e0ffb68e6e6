"""No absolute path of somebody's machine in the repository."""

import re

from tree import Finding

NAME = "paths"
# Home directories and mount points; system paths (/usr, /etc, /tmp, /proc, /dev, /var) are everybody's.
PATH = re.compile(r"(?<![\w.:}/$)])/(?:home|Users|root|work|mnt|media|workspace|builds)/[\w.-]+")


def check(tree):
    for path in tree.text_files():
        if path == "tools/lint/paths.py":
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = PATH.search(line)
            if match:
                yield Finding(path, number, f"path of one machine: {match.group(0)}")


SELF_TESTS = [
    ("a home directory", {"docs/a.md": "see /home/somebody/notes\n"}, "/home/somebody"),
    ("in a script", {"tools/a.sh": 'cd "/builds/main"\n'}, "/builds/main"),
    ("a relative path", {"docs/a.md": "see ../builds/main and build/home/x\n"}, None),
    ("an address", {"docs/a.md": "http://host/builds/main and $HOME/builds/x ${A}/home/b\n"}, None),
    ("a system path", {"docs/a.md": "/usr/include /tmp/x /dev/null\n"}, None),
]
