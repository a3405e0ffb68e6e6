"""Money is exact: no floating point in domain/ and stages/."""

import re

from tree import Finding, code_only

NAME = "floats"
WORD = re.compile(
    r"\b(?:float|double|long\s+double|_Float\w+|strtod|strtof|atof|FLT_\w+|DBL_\w+)\b"
    r"|\b\d+\.\d*(?:[eE][-+]?\d+)?[fFlL]?|\b\d+[eE][-+]?\d+\b|#\s*include\s*<(?:math|float)\.h>")


def check(tree):
    for path in tree.c_files():
        if not path.startswith(("domain/", "stages/")):
            continue
        for number, line in enumerate(code_only(tree.text(path)).split("\n"), 1):
            match = WORD.search(line)
            if match:
                yield Finding(path, number, f"floating point ({match.group(0)}) where money is exact")


SELF_TESTS = [
    ("double", {"domain/a.c": "static double x;\n"}, "double"),
    ("float in a stage's header", {"stages/a/a.h": "float f(void);\n"}, "float"),
    ("a literal", {"stages/a/a.c": "long x = 10 * 1.5;\n"}, "1.5"),
    ("an exponent", {"domain/a.c": "long x = 1e6;\n"}, "1e6"),
    ("math.h", {"domain/a.c": "#include <math.h>\n"}, "math.h"),
    ("in words only", {"domain/a.c": "/* never double 1.5 */\nint doubled; const char *s = \"1.5\";\n"},
     None),
    ("hexadecimal", {"domain/a.c": "unsigned x = 0x1e6;\n"}, None),
    ("elsewhere", {"tools/a.c": "double x;\n"}, None),
]
