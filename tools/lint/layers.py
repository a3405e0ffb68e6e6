"""Who may include what, and the one home of each vendor header.

Distribution packages put all headers where every file could include them, so only a check can keep
RocksDB out of a stage and the domain out of the runtime.
"""

import pathlib
import re

from tree import Finding

NAME = "layers"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# top directory -> what else it may include, as path prefixes; its own subdirectory is always allowed
MAY = {
    "domain": (),
    "runtime": ("runtime/", "avro/journal.h"),
    "statestore": ("runtime/include/",),
    "stages": ("runtime/include/", "domain/", "avro/"),
    "connectors": ("runtime/include/", "domain/", "avro/"),
}
# Directories whose parts do not know each other; files directly in them (registry.h) are shared.
APART = ("stages", "connectors")

HOMES = [  # (header, homes)
    (re.compile(r"librdkafka/"), ("runtime/log/kafka/",)),
    (re.compile(r"avro\.h$|avro/(basics|schema|value|io|errors|generic|resolver|consumer)\.h$"),
     ("runtime/codec/",)),
    (re.compile(r"yaml\.h$"), ("runtime/topology/",)),
    (re.compile(r"rocksdb/"), ("statestore/rocksdb/",)),
    (re.compile(r"hiredis/"), ("connectors/redis/",)),
    (re.compile(r"mongoc|bson|libmongoc"), ("connectors/documentdb/",)),
    (re.compile(r"curl/"), ("connectors/registry/", "tools/")),
    (re.compile(r"microhttpd\.h$"), ("runtime/observe/",)),
    (re.compile(r"check\.h$"), ()),
    (re.compile(r"jansson\.h$"), ("runtime/codec/", "connectors/", "tools/")),
    (re.compile(r"zlib\.h$"), ("tools/",)),
]
LIBC = set(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign "
    "stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar "
    "wchar wctype".split())


class Headers:
    """Where an include leads: beside the file, else by its path, else by a unique name."""

    def __init__(self, tree):
        self.paths = set(tree.c_files((".h",)))
        self.by_name = {}
        for path in self.paths:
            self.by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def find(self, includer, include):
        here = pathlib.PurePosixPath(includer).parent
        roots = [here, pathlib.PurePosixPath("."), pathlib.PurePosixPath("runtime/include")]
        for root in roots:
            parts = []
            for part in (root / include).parts:
                if part == "..":
                    if parts:
                        parts.pop()
                else:
                    parts.append(part)
            if "/".join(parts) in self.paths:
                return "/".join(parts)
        if include.startswith("avro/"):
            return include  # generated
        named = [p for p in self.by_name.get(include.rsplit("/", 1)[-1], ()) if p.endswith(include)]
        return named[0] if len(named) == 1 else None


def own_part(path):
    """stages/risk/x.c belongs to stages/risk/, runtime/log/kafka/x.c to runtime/."""
    parts = path.split("/")
    if parts[0] in APART and len(parts) > 2:
        return "/".join(parts[:2]) + "/"
    return parts[0] + "/"


def allowed(path, target):
    top = path.split("/")[0]
    if top not in MAY:
        return True
    if target.startswith(own_part(path)) or target.startswith(MAY[top]):
        return True
    return top in APART and target.startswith(top + "/") and target.count("/") == 1


def vendor(path, include):
    for pattern, homes in HOMES:
        if pattern.match(include):
            if path.startswith(homes) or path.startswith("tests/"):
                return None
            return " or ".join(homes) or "tests/"
    return None


def check(tree):
    headers = Headers(tree)
    for path in tree.c_files():
        top = path.split("/")[0]
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            include = match.group(2)
            target = headers.find(path, include) if match.group(1) == '"' else None
            home = None if target else vendor(path, include)
            if home:
                yield Finding(path, line, f"<{include}> belongs to {home} only")
            elif target and not allowed(path, target):
                yield Finding(path, line, f"{own_part(path)} may not include {target}")
            elif top == "domain" and not target:
                if not (include.endswith(".h") and include[:-2] in LIBC):
                    yield Finding(path, line, f"domain/ includes libc only, not {include}")


SELF_TESTS = [
    ("a stage includes a vendor header", {"stages/a/a.c": "#include <rocksdb/c.h>\n"}, "statestore"),
    ("the home may", {"statestore/rocksdb/a.c": "#include <rocksdb/c.h>\n"}, None),
    ("tests may", {"tests/unit/a.c": "#include <hiredis/hiredis.h>\n#include <check.h>\n"}, None),
    ("check.h in the product", {"runtime/base/a.c": "#include <check.h>\n"}, "tests/"),
    ("runtime includes the domain",
     {"runtime/base/a.c": '#include "domain/decimal.h"\n', "domain/decimal.h": ""},
     "runtime/ may not include domain/decimal.h"),
    ("the same through an include path",
     {"runtime/base/a.c": '#include "decimal.h"\n', "domain/decimal.h": ""}, "domain/decimal.h"),
    ("a stage includes another",
     {"stages/a/a.c": '#include "../b/b.h"\n', "stages/b/b.h": ""}, "stages/b/b.h"),
    ("a stage includes the registry of stages",
     {"stages/a/a.c": '#include "stages/registry.h"\n', "stages/registry.h": ""}, None),
    ("a stage includes runtime's insides",
     {"stages/a/a.c": '#include "task.h"\n', "runtime/task/task.h": ""}, "runtime/task/task.h"),
    ("a stage includes the contract, the domain and the codec",
     {"stages/a/a.c": '#include "millrace/stage.h"\n#include "domain/d.h"\n#include "avro/x.h"\n',
      "runtime/include/millrace/stage.h": "", "domain/d.h": ""}, None),
    ("the runtime includes generated records",
     {"runtime/task/a.c": '#include "avro/order_command.h"\n'}, "avro/order_command.h"),
    ("the domain does I/O", {"domain/a.c": "#include <unistd.h>\n"}, "libc only"),
    ("the domain uses libc", {"domain/a.c": "#include <string.h>\n"}, None),
    ("tools include everything",
     {"tools/m/a.c": '#include "stages/a/a.h"\n#include <jansson.h>\n', "stages/a/a.h": ""}, None),
    ("a comment is no include", {"stages/a/a.c": "/* #include <rocksdb/c.h> */\n"}, None),
]
