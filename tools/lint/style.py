"""The house rules that a machine can see: sizes, forbidden calls, headers, words."""

import re

from tree import Finding, code_only

NAME = "style"
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6
COLUMNS_MAX = 100

FORBIDDEN = {
    "strcpy": "memcpy with a length", "strcat": "snprintf", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "strtok": "strcspn", "gets": "fgets", "atoi": "mr_parse_int",
    "atol": "mr_parse_int", "atoll": "mr_parse_int", "atof": "an exact parser",
    "rand": "a seeded generator", "srand": "a seeded generator", "alloca": "an arena",
    "sleep": "mr_clock_wait_us", "usleep": "mr_clock_wait_us", "setjmp": "a status",
    "longjmp": "a status", "localtime": "UTC", "gmtime": "gmtime_r",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(FORBIDDEN) + r")\s*\(")
GOTO = re.compile(r"\bgoto\s+(\w+)")
# Check's loop index and POSIX's own names are not ours; members (a._b, a->_b) are their library's.
UNDERSCORE = re.compile(r"(?<![\w\"'.>])_(?!i\b|exit\b)[a-z]\w*")
# Functions whose shape somebody else decided.
SHAPED = {
    ("statestore/", "scan"): "mr_backend_ops", ("statestore/", "write_batch"): "mr_backend_ops",
    ("tests/unit/runtime/", "write_batch"): "mr_backend_ops",
    ("tests/sim/", "scan"): "mr_backend_ops", ("tests/sim/", "write_batch"): "mr_backend_ops",
    ("runtime/observe/", "serve"): "MHD_AccessHandlerCallback",
}
# Processes that die in the middle of a step: no status can say that.
ALLOWED = {("tests/sim/", "setjmp"), ("tests/sim/", "longjmp")}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^;{}#=]*\((?P<params>[^;{}]*)\))\s*\n\{\n", re.MULTILINE)
GUARD = re.compile(r"^#ifndef (\w+_H)\n#define \1\n", re.MULTILINE)


def count_parameters(text):
    depth = 0
    count = 1 if text.strip() not in ("", "void") else 0
    for char in text:
        depth += char in "([{"
        depth -= char in ")]}"
        count += char == "," and depth == 0
    return count


def functions(code):
    """(name, first line, lines, parameters) of every definition whose brace stands in column one."""
    for match in FUNCTION.finditer(code):
        end = code.find("\n}", match.end() - 2)
        if end < 0:
            continue
        first = code.count("\n", 0, match.start()) + 1
        last = code.count("\n", 0, end + 1) + 1
        head = match.group("head")
        # The parameter list is the last top-level pair of parentheses of the head.
        depth, at = 0, len(head) - 1
        while at >= 0:
            depth += head[at] == ")"
            depth -= head[at] == "("
            if depth == 0 and head[at] == "(":
                break
            at -= 1
        name = re.search(r"(\w+)\s*$", head[:at])
        yield name.group(1) if name else "?", first, last - first + 1, head[at + 1:-1]


def check_lines(path, text, code):
    for number, (line, bare) in enumerate(zip(text.split("\n"), code.split("\n")), 1):
        if "\t" in line:
            yield Finding(path, number, "a tab: four spaces")
        if line != line.rstrip():
            yield Finding(path, number, "spaces at the end of the line")
        if len(line) > COLUMNS_MAX:
            yield Finding(path, number, f"{len(line)} columns: at most {COLUMNS_MAX}")
        match = CALL.search(bare)
        if match and not any(path.startswith(home) and match.group(1) == name
                             for home, name in ALLOWED):
            name = match.group(1)
            yield Finding(path, number, f"{name}(): use {FORBIDDEN[name]}")
        match = GOTO.search(bare)
        if match and match.group(1) != "out":
            yield Finding(path, number, f"goto {match.group(1)}: the one label is out")
        match = UNDERSCORE.search(bare)
        if match:
            yield Finding(path, number, f"{match.group(0)}: no leading underscore")


def check_c(path, text):
    code = code_only(text)
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Finding(path, 0, f"{lines} lines: at most {FILE_LINES_MAX}")
    if not text.startswith("/*"):
        yield Finding(path, 1, "a file opens with a comment that says what it is for")
    if path.endswith(".h") and not GUARD.search(code):
        yield Finding(path, 1, "no include guard <NAME>_H")
    yield from check_lines(path, text, code)
    for name, first, length, parameters in functions(code):
        if length > FUNCTION_LINES_MAX:
            yield Finding(path, first, f"{name} has {length} lines: at most {FUNCTION_LINES_MAX}")
        count = count_parameters(parameters)
        shaped = any(path.startswith(home) and name == given for home, given in SHAPED)
        if count > PARAMETERS_MAX and not shaped:
            yield Finding(path, first, f"{name} has {count} parameters: at most {PARAMETERS_MAX}")


def check(tree):
    for path in tree.c_files():
        yield from check_c(path, tree.text(path))
    for path in tree.text_files():
        if path.startswith("tools/lint/"):
            continue  # names what it looks for
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = UNFINISHED.search(line)
            if match:
                yield Finding(path, number, f"{match.group(0)}: finish it or write it down elsewhere")


def c_file(body):
    return {"runtime/a.c": "/* a.c */\n" + body}


LONG = "int f(void)\n{\n" + "    x();\n" * 70 + "}\n"
JUST = "int f(void)\n{\n" + "    x();\n" * 67 + "}\n"

SELF_TESTS = [
    ("a long file", c_file("int a;\n" * 600), "lines: at most 600"),
    ("a long function", c_file(LONG), "f has 73 lines"),
    ("a function that just fits", c_file(JUST), None),
    ("seven parameters", c_file("int f(int a, int b, int c,\n      int d, int e, int g, int h)\n{\n}\n"),
     "7 parameters"),
    ("a shape of somebody else's",
     {"statestore/m/a.c": "/* a.c */\nint scan(int a, int b, int c, int d, int e, int g, int h)\n{\n}\n"},
     None),
    ("six and a callback", c_file("int f(int a, int b, int c, int d, int e, int (*g)(int, int))\n{\n}\n"),
     None),
    ("strcpy", c_file("int a = strcpy(b, c);\n"), "strcpy()"),
    ("a member of that name", c_file("int a = ops->sleep(b) + mr_strcpy(c);\n"), None),
    ("strcpy in words", c_file("/* strcpy(a) */ const char *s = \"strcpy(a)\";\n"), None),
    ("sleep in a test", {"tests/a.c": "/* a.c */\nint a = sleep(1);\n"}, "sleep()"),
    ("a jump", {"tests/a.c": "/* a.c */\nint a = setjmp(b);\n"}, "setjmp()"),
    ("a jump in the simulation", {"tests/sim/a.c": "/* a.c */\nint a = setjmp(b);\n"}, None),
    ("another label", c_file("void f(void)\n{\n    goto fail;\n}\n"), "goto fail"),
    ("the one label", c_file("void f(void)\n{\n    goto out;\n}\n"), None),
    ("a leading underscore", c_file("static int _x;\n"), "_x"),
    ("Check's index and a library's member", c_file("int a = rows[_i] + m->_private + m._x;\n"), None),
    ("a keyword", c_file("_Static_assert(1, \"\");\n_Atomic int a;\n__extension__ int b;\n"), None),
    ("a tab", c_file("int\ta;\n"), "a tab"),
    ("a wide line", c_file("int a; /* " + "x" * 100 + " */\n"), "columns"),
    ("no header comment", {"runtime/a.c": "int a;\n"}, "opens with a comment"),
    ("no guard", {"runtime/a.h": "/* a.h */\nint a;\n"}, "include guard"),
    ("a guard", {"runtime/a.h": "/* a.h */\n#ifndef A_H\n#define A_H\n#endif\n"}, None),
    ("unfinished", {"docs/a.md": "TO" "DO: write\n"}, "TO" "DO"),
]
