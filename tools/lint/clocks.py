"""Stages and the domain read no clock: the same input must give the same bytes."""

import re

from tree import Finding, code_only

NAME = "clocks"
HOMES = ("stages/", "domain/")
READ = re.compile(r"(?<![\w.>])(mr_clock_\w+|clock_gettime|gettimeofday|timespec_get|clock|time)\s*\(")
HEADER = re.compile(r'^\s*#\s*include\s*[<"]((?:sys/)?time\.h|millrace/clock\.h)[>"]', re.MULTILINE)


def check(tree):
    for path in tree.c_files():
        if not path.startswith(HOMES):
            continue
        text = tree.text(path)
        for match in HEADER.finditer(text):
            yield Finding(path, text.count("\n", 0, match.start(1)) + 1,
                          f"{match.group(1)}: time comes with the record")
        for number, line in enumerate(code_only(text).split("\n"), 1):
            match = READ.search(line)
            if match:
                yield Finding(path, number, f"{match.group(1)}() reads a clock: time comes with the record")


SELF_TESTS = [
    ("a stage asks the time", {"stages/a/a.c": "int64_t t = time(NULL);\n"}, "time()"),
    ("a stage asks the runtime's clock", {"stages/a/a.c": "t = mr_clock_wall_us(clock);\n"}, "mr_clock_wall_us()"),
    ("the domain includes a clock", {"domain/a.c": "#include <time.h>\n"}, "time.h"),
    ("the runtime may", {"runtime/task/a.c": "t = mr_clock_wall_us(clock);\n"}, None),
    ("words and names", {"stages/a/a.c": "/* time(x) */ t = stream_time(ctx) + a->time(b) + mr_ctx_stream_time_us(ctx);\n"},
     None),
]
