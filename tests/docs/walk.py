"""A document's code and commands, carried out in a copy of the tree.

Why: what a newcomer is told to type must work, and nobody types it again after each change.
How: fenced blocks are taken in order. Their first words say what they are:
       ```c stages/x/x.c    the file is written; +stages/x/x.c appends to it
       ```diff              a change of a file; @@ needs no numbers, the lines must occur once
       ```sh                commands, one a line
       ```text              lines that the commands before have said; ... stands for any
     The copy is not built whole, which takes minutes: what is new or changed is compiled with the
     command lines of the build at hand (MILLRACE_BUILD), and linked in front of its archives. So the
     `make` of a document is answered here; a target that is not known below fails the test.
Not: `make demo` and what else needs servers: it stands in the text, not in a block.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MILLRACE_BUILD") or "nowhere")
TESTS = "tests/unit/stages/account"
LEFT_OUT = ("build", ".git", "__pycache__")
FENCE = re.compile(r"^```(\w*)[ ]?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINTS = ("layers", "floats", "clocks", "style", "paths", "format", "documents", "generated", "graph")


def blocks(path):
    """(language, the words behind it, text, line) of each fenced block that is meant to be run."""
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        yield match.group(1), match.group(2), match.group(3), text.count("\n", 0, match.start()) + 1


def apply_diff(root, text):
    """One file, hunks without numbers: what stood there must occur once."""
    path = root / re.search(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE).group(1)
    whole = path.read_text()
    for hunk in re.split(r"^@@.*\n", text, flags=re.MULTILINE)[1:]:
        lines = [line for line in hunk.split("\n") if line]
        before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        if whole.count(before) != 1:
            raise AssertionError(f"{path.name} has {whole.count(before)} times:\n{before}")
        whole = whole.replace(before, after)
    path.write_text(whole)


class Walk:
    def __init__(self, holder):
        self.root = pathlib.Path(holder) / "millrace"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self.made = self.root / "build/made"
        self.program = self.root / "build/release/tools/millrace/millrace"
        self.program.parent.mkdir(parents=True)
        self.made.mkdir(parents=True)
        self.program.symlink_to(BUILD / "tools/millrace/millrace")
        self.rows = {row["file"]: row for row in json.loads((BUILD / "compile_commands.json").read_text())}
        self.said = ""

    def follow(self, path):
        for language, words, text, line in blocks(self.root / path):
            try:
                self.block(language, words, text)
            except AssertionError as problem:
                raise AssertionError(f"{path}:{line}: {problem}") from problem

    def block(self, language, words, text):
        if language == "diff":
            apply_diff(self.root, text)
        elif language == "sh":
            self.said = "".join(self.command(line) for line in text.replace("\\\n", " ").splitlines())
        elif language == "text":
            for line in text.splitlines():
                parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("...")]
                if not re.search(".*".join(parts), self.said):
                    raise AssertionError(f"nothing says: {line}\n{self.said[-2000:]}")
        elif words:
            path = self.root / words.removeprefix("+")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if words.startswith("+") else "w", encoding="utf-8") as file:
                file.write(text)
        # Else it is an example of something: YAML in a rule, a table of words.

    def run(self, *words, **extra):
        done = subprocess.run([str(word) for word in words], cwd=self.root, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "MILLRACE": str(self.program), **extra})
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, words))} ends with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def command(self, line):
        make = re.fullmatch(r"((?:[A-Z_]+=\S+ )*)make ([a-z-]+)((?: [A-Z_]+=\S+)*)", line)
        if not make:
            return self.run("bash", "-c", line)
        given = dict(word.split("=", 1) for word in (make.group(1) + make.group(3)).split())
        return getattr(self, "make_" + make.group(2).replace("-", "_"))(given)

    # ---- what the document's `make` does here ---------------------------------------------------

    def make_new_stage(self, given):
        said = self.run("tools/dev/new_stage.sh", given["NAME"], given.get("AFTER", ""))
        self.link_program()
        return said + self.run("tools/dev/docs.sh") + self.run(self.program, "topology", "check", "topology.yaml")

    def make_test_unit(self, given):
        if given["TESTS"].startswith("conformance"):
            programs = sorted((BUILD / "tests/conformance").glob("conformance_test_*"))
            assert len(programs) == 5, programs
            return "".join(self.run(self.link(f"tests/conformance/{program.name}"), MILLRACE_LOG_LEVEL="error",
                                    **self.only_the_new()) for program in programs)
        if given["TESTS"] == "oracle.storms":
            return self.run("python3", "-B", "tests/oracle/storms.py", "--seeds", "2", "--records", "800",
                            ORACLE_PLAY=str(self.link("tests/oracle/oracle_play")))
        return self.run(self.link(f"{TESTS}/test_template", given["TESTS"]))

    def make_try(self, given):
        self.link_program()
        return self.run("tools/dev/try.sh", **given)

    def make_build(self, _given):
        self.link_program()
        return ""

    def make_docs(self, _given):
        self.link_program()
        return self.run("tools/dev/docs.sh")

    def make_lint(self, _given):
        """What it finds in files that the document has made or changed; the others have tests of their own."""
        words = [word for name in LINTS for word in ("--only", name)]
        said = self.run("bash", "-c", '"$@" || [ $? = 1 ]', "lint", "python3", "-B", "tools/lint/lint.py", "--program",
                        self.program, *words)
        found = [line for line in said.splitlines() if re.match(r"\S+:\d+: ", line)]
        assert re.search(r"^(\d+|nothing) found$", said, re.MULTILINE), said
        ours = [line for line in found if self.is_new(line.split(":")[0])]
        assert not ours, "\n".join(ours)
        return said

    def make_sdk(self, given):
        return self.run("cmake", "--install", BUILD, "--component", "sdk", "--prefix",
                        self.root / given.get("DIR", "build/sdk"))

    # ---- building what is new ------------------------------------------------------------------

    def is_new(self, name):
        """Or changed."""
        known = ROOT / name
        return not known.is_file() or known.read_bytes() != (self.root / name).read_bytes()

    def only_the_new(self):
        """The registered stages are looked at by tests of their own."""
        new = [path.name for path in (self.root / "stages").iterdir() if not (ROOT / "stages" / path.name).exists()]
        return {"MILLRACE_STAGE": new[0]} if new else {}

    def compile(self, source, like):
        """The object of a source of the copy, with the command line of one of the tree."""
        row = self.rows[str(like)]
        target = self.made / (str(source.relative_to(self.root)).replace("/", "_") + ".o")
        words = shlex.split(row["command"])
        words[words.index("-c") + 1] = str(source)
        words[words.index("-o") + 1] = str(target)
        # The copy's headers before the tree's.
        words = [word.replace(f"{ROOT}/topology.yaml", f"{self.root}/topology.yaml") for word in words]
        words[1:1] = [f"-I{self.root / part}" for part in ("build/generated", "stages", ".", TESTS, "runtime/include")]
        done = subprocess.run(words, cwd=row["directory"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return target

    def generate(self):
        """Sources of the codecs that differ from those of the build."""
        new = self.root / "build/generated/avro"
        schemas = sorted((self.root / "schemas/avro").rglob("*.avsc"))
        self.run("python3", "-B", "tools/avrogen", new, *schemas)
        old = BUILD / "generated/avro"
        return [path for path in new.glob("*.c")
                if not (old / path.name).is_file() or path.read_bytes() != (old / path.name).read_bytes()]

    def objects(self):
        """Of everything that is new or changed."""
        codecs = [(path, BUILD / "generated/avro" / (path.name if (BUILD / "generated/avro" / path.name).is_file()
                                                     else "order_command.c")) for path in self.generate()]
        stages = []
        for path in (self.root / "stages").rglob("*.c"):
            known = ROOT / path.relative_to(self.root)
            if self.is_new(path.relative_to(self.root)):
                stages.append((path, known if known.is_file() else ROOT / "stages/_template/template.c"))
        return [self.compile(path, like) for path, like in codecs + stages]

    def link(self, target, test=None):
        """A program of the build with what is new in front; a new test in the place of a known one."""
        said = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", target], capture_output=True,
                              text=True, check=True).stdout.strip().splitlines()[-1]
        words = shlex.split(said.split("&&")[1])
        output = self.made / (test or pathlib.Path(target).name)
        at = words.index("-o")
        words[at + 1] = str(output)
        if test:
            old = next(word for word in words if word.endswith("test_template.c.o"))
            words[words.index(old)] = str(self.compile(self.root / TESTS / f"{test}.c", ROOT / TESTS / "test_template.c"))
        if not test and target.startswith("tests/"):  # they play the graph of the copy
            source = "tests/support/production_text.c"
            words[at:at] = [str(self.compile(self.root / source, ROOT / source))]
        # A test of one stage has no catalog, which would want them all.
        words[at:at] = [str(path) for path in self.objects() if not (test and path.name == "stages_registry.c.o")]
        words += [str(BUILD / part) for part in ("stages/libmr_order_parts.a", "domain/libmr_domain.a",
                                                 "libmr_avro.a", "runtime/codec/libmr_wire.a",
                                                 "runtime/base/libmr_base.a")]
        done = subprocess.run(words, cwd=BUILD, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr[-4000:])
        return output

    def link_program(self):
        new = self.link("tools/millrace/millrace")
        self.program.unlink()
        self.program.symlink_to(new)
