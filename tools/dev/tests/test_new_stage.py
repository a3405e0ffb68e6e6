"""Goal:   make new-stage gives a stage that compiles, is in the catalog, has a test and stands in the
        graph where it was asked for; a refused name or place changes nothing.
Method: the script on a copy of the files it touches, with a small graph in the form of topology.yaml;
        with that file itself, whatever stands in it by now, only that the check passes. Where a build is known (MILLRACE_BUILD), the new
        files are compiled with the template's own command lines.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTS = "tests/unit/stages/account"
BUILD = pathlib.Path(os.environ.get("MILLRACE_BUILD") or "nowhere")
PROGRAM = BUILD / "tools/millrace/millrace"
FILES = [
    "tools/dev/new_stage.sh", "tools/dev/lib.sh", "tools/dev/format.sh", ".clang-format",
    "tools/dev/add_to_graph.py",
    "stages/CMakeLists.txt", "stages/registry.c", "stages/registry.h",
    "stages/_template/CMakeLists.txt", "stages/_template/template.c", "stages/_template/template.h",
    f"{TESTS}/CMakeLists.txt", f"{TESTS}/test_template.c",
    "tests/oracle/_template.py", "tests/oracle/tasks.py",
]


GRAPH = """application: small

topics:
  # From outside.
  orders:       {key: userId, value: OrderCommand}
  # Between stages.
  orders.validated: {key: userId, value: OrderCommand}
  orders.unique:    {key: userId, value: OrderCommand}

  executions:   {key: userId, value: ExecutionReport}
  prices:       {key: symbol, value: PriceTick, cleanup: compact}

stages:
  validate:
    type: validate
    in:  {orders: orders, prices: {table: prices}}
    out: {valid: orders.validated, rejected: executions}
  dedupe:
    type: dedupe
    in:  {orders: orders.validated}
    out: {unique: orders.unique}
    options: {window: 24h}
  # What comes behind it.
  risk:
    type: risk
    in:  {orders: orders.unique, executions: executions, prices: {table: prices}}
    out: {rejected: executions}

groups:
  account: {stages: [validate, dedupe, risk], replicas: 2}

connectors:
  requests-redis: {type: redis, in: orders.unique}
"""


class NewStage(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        for name in FILES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "topology.yaml").write_text(GRAPH)

    def make(self, *arguments):
        return subprocess.run([str(self.root / "tools/dev/new_stage.sh"), *arguments],
                              capture_output=True, text=True, check=False)

    def text(self, name):
        return (self.root / name).read_text()

    def everything(self):
        return {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def test_the_stage_is_complete_and_nothing_of_the_template_is_left(self):
        done = self.make("cool-down")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("test_cool_down", done.stdout)
        for name in ("stages/cool-down/cool_down.c", "stages/cool-down/cool_down.h",
                     f"{TESTS}/test_cool_down.c", "tests/oracle/stage_cool_down.py"):
            self.assertNotRegex(self.text(name), re.compile("template", re.IGNORECASE), name)
        self.assertIn('.name = "cool-down"', self.text("stages/cool-down/cool_down.c"))
        self.assertIn('#include "cool-down/cool_down.h"', self.text(f"{TESTS}/test_cool_down.c"))
        self.assertEqual(self.text("stages/cool-down/CMakeLists.txt"),
                         "mr_add_stage(cool-down cool_down.c)\n")

    def test_the_stage_is_in_the_build_and_in_the_catalog_once(self):
        self.make("cool-down")
        self.assertRegex(self.text("stages/CMakeLists.txt"), r"(?m)^set\(stages validate .* cool-down\)$")
        registry = self.text("stages/registry.c")
        self.assertEqual(registry.count('#include "cool-down/cool_down.h"'), 1)
        self.assertEqual(registry.count("&cool_down_stage"), 1)
        self.assertIn("mr_add_stage_test(test_cool_down cool-down)", self.text(f"{TESTS}/CMakeLists.txt"))
        self.assertIn('    "cool-down": "stage_cool_down",\n}', self.text("tests/oracle/tasks.py"))
        self.assertIn("\nclass CoolDown(Stage):", self.text("tests/oracle/stage_cool_down.py"))

    def test_two_stages_have_two_magic_numbers(self):
        self.make("cool-down")
        self.make("warm-up")
        numbers = [re.search(r"UINT32_C\((0x[0-9a-f]{8})\)", self.text(name)).group(1) for name in
                   ("stages/_template/template.c", "stages/cool-down/cool_down.c", "stages/warm-up/warm_up.c")]
        self.assertEqual(len(set(numbers)), 3)

    def test_a_refused_name_changes_nothing(self):
        self.make("cool-down")
        before = self.everything()
        for name, words in (
                ("", "which name"), ("Cool", "no name"), ("cool_down", "no name"), ("../x", "no name"),
                ("9lives", "no name"), ("a-", "no name"), ("x" * 41, "no name"),
                ("cool-down", "exists"), ("registry", "exists"), ("template", "exists")):
            done = self.make(name)
            self.assertNotEqual(done.returncode, 0, name)
            self.assertIn(words, done.stderr, name)
        self.assertEqual(self.everything(), before)

    def test_without_a_place_the_graph_is_left_alone_and_that_is_said(self):
        done = self.make("cool-down")
        self.assertIn("The graph is left alone", done.stdout)
        self.assertEqual(self.text("topology.yaml"), GRAPH)

    def test_the_stage_stands_behind_the_one_that_was_named(self):
        done = self.make("cool-down", "dedupe")
        self.assertEqual(done.returncode, 0, done.stderr)
        want = GRAPH
        for old, new in (
                ("  orders.unique:    {key: userId, value: OrderCommand}\n",
                 "  orders.unique:    {key: userId, value: OrderCommand}\n"
                 "  orders.cool-down: {key: userId, value: OrderCommand}\n"),
                ("    options: {window: 24h}\n",
                 "    options: {window: 24h}\n  cool-down:\n    type: cool-down\n"
                 "    in:  {orders: orders.unique}\n    out: {passed: orders.cool-down}\n"),
                # What else reads the old topic still does: a connector.
                ("{orders: orders.unique, executions", "{orders: orders.cool-down, executions"),
                ("[validate, dedupe, risk]", "[validate, dedupe, cool-down, risk]")):
            want = want.replace(old, new)
        self.assertEqual(self.text("topology.yaml"), want)

    def test_a_chain_of_two(self):
        self.make("cool-down", "dedupe")
        self.make("warm-up", "cool-down")
        text = self.text("topology.yaml")
        self.assertIn("in:  {orders: orders.cool-down}\n    out: {passed: orders.warm-up}", text)
        self.assertIn("{orders: orders.warm-up, executions: executions,", text)
        self.assertIn("dedupe, cool-down, warm-up, risk", text)

    def test_a_refused_place_changes_nothing(self):
        before = self.everything()
        for after, words in (("dedup", "it has no stage dedup; there are: validate, dedupe, risk"),
                             ("risk", "no topic of OrderCommand")):
            done = self.make("cool-down", after)
            self.assertNotEqual(done.returncode, 0, after)
            self.assertIn(words, done.stderr, after)
        self.assertEqual(self.everything(), before)

    @unittest.skipUnless(PROGRAM.is_file(), "nothing is built (MILLRACE_BUILD)")
    def test_the_graph_passes_the_check(self):
        """With the place of the new type taken by one of the program with the same ports: dedupe."""
        path = self.root / "topology.yaml"
        shutil.copy(ROOT / "topology.yaml", path)
        self.assertEqual(self.make("nobody-has-this", "dedupe").returncode, 0)
        path.write_text(path.read_text().replace("type: nobody-has-this", "type: dedupe").replace(
            "{passed: orders.nobody-has-this}", "{unique: orders.nobody-has-this, events: risk-events}"))
        done = subprocess.run([PROGRAM, "topology", "check", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless((BUILD / "generated/avro/order_command.h").is_file(), "nothing is built (MILLRACE_BUILD)")
    def test_the_new_files_compile_without_a_warning(self):
        self.make("cool-down")
        commands = json.loads((BUILD / "compile_commands.json").read_text())
        for old, new in (("stages/_template/template.c", "stages/cool-down/cool_down.c"),
                         (f"{TESTS}/test_template.c", f"{TESTS}/test_cool_down.c")):
            row = next(row for row in commands if row["file"] == str(ROOT / old))
            words = shlex.split(row["command"])
            source = words.index("-c")
            output = words.index("-o")
            words[source + 1] = str(self.root / new)
            words[output + 1] = "/dev/null"
            # Before the others: the new header is only in the copy.
            words[1:1] = ["-fsyntax-only", f"-I{self.root / 'stages'}", f"-I{ROOT / TESTS}"]
            done = subprocess.run(words, cwd=row["directory"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
