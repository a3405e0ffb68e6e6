"""The mutants of a C file: one small change each, told as (line, before, after) and as the whole text.

What is changed: relations (< to <=, == to != ...), arithmetic and bits (+ to -, << to >> ...), && and ||, whole
numbers (n to n + 1), conditions (negated), statements (dropped) and what is returned. A change that does not
compile is no mutant; the compiler finds that out. Comments, texts and the preprocessor's lines stay.
"""

import dataclasses
import hashlib
import re

RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<"}
LOGIC = {"&&": "||", "||": "&&"}
ASSIGNMENTS = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "&=", "<<=": ">>=",
               ">>=": "<<=", "++": "--", "--": "++"}
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|<<=|>>=|->|\+\+|--|[-+*/%&|^<>=!]=|<<|>>|&&|\|\||\S")
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)$")
# A statement that begins like this declares something or steers, and is not dropped.
KEPT = re.compile(r"(?:return|if|for|while|do|else|switch|case|default|goto|static|const|struct|enum|union|"
                  r"unsigned|signed|char|int|long|short|bool|void|size_t|u?int\d+_t|dec_[tu]|typedef)\b")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One changed file."""

    file: str
    line: int
    function: str  # its name
    kind: str
    before: str  # the line, without space around it
    after: str
    text: str  # the whole file

    @property
    def name(self):
        """The same for the same change of the same file."""
        return hashlib.sha256(f"{self.file}\0{self.text}".encode()).hexdigest()[:16]


def blank(text):
    """The text with comments, strings and preprocessor lines as spaces; every character keeps its place."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())

    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*"
    return re.sub(pattern, spaces, text, flags=re.DOTALL | re.MULTILINE)


def bodies(code):
    """(start, end) of each function's body: braces in column one."""
    for match in re.finditer(r"^\{\n", code, re.MULTILINE):
        end = code.find("\n}", match.start())
        if end > 0:
            yield match.start() + 1, end


def function_of(code, start):
    """The name of the function whose body starts here: what stands before the first bracket of its head."""
    head = re.split(r"[;}]|\n\s*\n", code[:start])[-1]
    name = re.search(r"(\w+)\s*\(", head)
    return name.group(1) if name else ""


def closing(code, start):
    """The place of the bracket that closes the one at start."""
    depth = 0
    for at in range(start, len(code)):
        depth += code[at] in "(["
        depth -= code[at] in ")]"
        if depth == 0:
            return at
    return len(code)


def swaps(code, start, end):
    """(from, to, new, kind) of operators and numbers."""
    previous = ""
    for match in TOKEN.finditer(code, start, end):
        token = match.group()
        operand = bool(re.match(r"[\w)\]]", previous[-1:])) and previous not in ("return", "case", "sizeof")
        for table, kind in ((RELATIONS, "relation"), (LOGIC, "logic"), (ASSIGNMENTS, "assignment")):
            if token in table:
                yield match.start(), match.end(), table[token], kind
        if token in ARITHMETIC and operand:
            yield match.start(), match.end(), ARITHMETIC[token], "arithmetic"
        number = NUMBER.match(token)
        if number:
            value = int(number.group(1), 0) + 1
            text = hex(value) if token[:2] in ("0x", "0X") else str(value)
            yield match.start(), match.end(), text + number.group(2), "number"
        previous = token


def conditions(code, start, end):
    for match in re.finditer(r"\b(?:if|while)\s*\(", code[start:end]):
        opened = start + match.end() - 1
        closed = closing(code, opened)
        yield opened, closed + 1, f"(!{code[opened:closed + 1]})", "condition"


def statements(code, start, end):
    """Statements that end in a semicolon, outside of brackets."""
    begin, depth = start, 0
    for at in range(start, end):
        char = code[at]
        depth += char in "(["
        depth -= char in ")]"
        if depth == 0 and char in "{};":
            text = code[begin:at].strip()
            if char == ";" and text:
                first = at - len(code[begin:at].lstrip())
                yield first, at, text
            begin = at + 1
        elif depth == 0 and char == ":" and re.match(r"\s*(?:case\b[^?]*|default\s*)$", code[begin:at]):
            begin = at + 1


def drops(code, start, end):
    for first, at, text in statements(code, start, end):
        # What stands behind if (...) or else without braces does not occur: the formatter sees to it.
        if not KEPT.match(text):
            yield first, at, "", "dropped"


def returns(code, start, end):
    for first, at, text in statements(code, start, end):
        if not text.startswith("return") or text == "return":
            continue
        value = text[len("return"):].strip()
        swapped = {"true": "false", "false": "true", "0": "1"}.get(value)
        yield first, at, f"return {swapped or '0'}", "return"
        if not swapped and not re.match(r"NULL$|\d+$", value):
            yield first, at, f"return !({value})", "return"


def line_of(text, at):
    return text[text.rfind("\n", 0, at) + 1:text.find("\n", at)].strip()


def mutants(file, text):
    """All mutants, in the order of the file; the same text gives the same ones."""
    code = blank(text)
    seen = set()
    found = []
    for start, end in bodies(code):
        function = function_of(code, start - 1)
        for make in (swaps, conditions, drops, returns):
            found += [(*change, function) for change in make(code, start, end)]
    for first, last, new, kind, function in sorted(found):
        # Real characters again where blank() has put spaces.
        if kind == "condition":
            new = f"(!{text[first:last]})"
        changed = text[:first] + new + text[last:]
        if changed == text or changed in seen:
            continue
        seen.add(changed)
        yield Mutant(file, text.count("\n", 0, first) + 1, function, kind, line_of(text, first),
                     line_of(changed, first), changed)
