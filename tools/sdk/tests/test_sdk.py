"""Goal:   a stage built with nothing but the installed SDK runs in the program, with records of its own;
        what was not built for this program is refused at its place, with what would be right.
Method: the SDK into a temporary folder, its example with plain cc and with CMake, the production graph
        with that stage in it, checked and run on the log in memory. Then the same with modules that are
        broken, one in each way.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = os.environ["MILLRACE_BUILD"]
MILLRACE = os.environ["MILLRACE"]
CC = os.environ.get("CC", "cc")
CMAKE = os.environ.get("CMAKE", "cmake")

STAGE = """
#include "avro/order_command.h"
#include "millrace/module.h"
static enum mr_status process(void *self, struct mr_ctx *ctx, size_t port, const struct mr_record *record,
                              struct mr_err *err)
{
    (void)self;
    (void)port;
    return mr_emit(ctx, 0, record->key, record->value, err);
}
static const struct mr_port ports[] = {{.name = "orders", .schema = &oms_order_command_schema}};
static const struct mr_stage stage = {.name = "echo", .state_size = 1, .in = ports, .in_count = 1,
                                      .out = ports, .out_count = 1, .process = process};
static const struct mr_stage *const stages[] = {&stage};
MR_STAGE_MODULE(.stages = stages, .stage_count = 1);
"""


def run(*words, cwd=None, **extra):
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False,
                          env={**os.environ, **extra})


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.top = pathlib.Path(holder.name)
        cls.sdk = cls.top / "sdk"
        done = run(CMAKE, "--install", BUILD, "--component", "sdk", "--prefix", cls.sdk)
        assert done.returncode == 0, done.stderr
        cls.example = cls.top / "example"
        shutil.copytree(cls.sdk / "share/millrace/example", cls.example)
        done = run("make", f"SDK={cls.sdk}", f"CC={CC}", "CFLAGS=-O1 -Wall -Wextra -Werror", cwd=cls.example)
        assert done.returncode == 0, done.stdout + done.stderr

    def setUp(self):
        holder = tempfile.TemporaryDirectory(dir=self.top)
        self.addCleanup(holder.cleanup)
        self.here = pathlib.Path(holder.name)

    def graph(self, kind, *more, out="activity:UserActivity", name="activity"):
        """The production graph with one more stage behind dedupe."""
        path = self.here / "topology.yaml"
        shutil.copy(ROOT / "topology.yaml", path)
        done = run(self.sdk / "share/millrace/add_to_graph.py", "--topology", path, "--name", name, "--type", kind,
                   "--after", "dedupe", "--in", "orders:OrderCommand", "--out", out, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def compile(self, source, *words, sdk=None):
        sdk = sdk or self.sdk
        (self.here / "stage.c").write_text(source)
        done = run(CC, "-std=c17", "-shared", "-fPIC", f"-I{sdk}/include", "-o", self.here / "stage.so",
                   self.here / "stage.c", *words, sdk / "lib/libmillrace_avro.a")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.graph("./stage.so", out="orders:OrderCommand", name="echo")

    def refused(self, path, words):
        """The check says the words at the type of the stage."""
        done = run(MILLRACE, "topology", "check", path)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        lines = path.read_text().splitlines()
        row = next(at for at, line in enumerate(lines, 1) if ".so" in line)
        said = [line for line in (done.stdout + done.stderr).splitlines() if f":{row}:11: " in line]
        self.assertEqual(len(said), 1, done.stdout + done.stderr)
        self.assertIn(words, said[0])

    def test_the_example_runs_in_the_production_graph(self):
        shutil.copy(self.example / "activity.so", self.here / "activity.so")
        path = self.graph("./activity.so", "--option", "span=1ms")
        done = run(MILLRACE, "topology", "check", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run(MILLRACE, "try", "--topology", path, "--limit", "200", "--quiet", "--report",
                   self.here / "report.json", "--manifest", self.here / "manifest.json", "--dump",
                   self.here / "dump", cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("verified: every check is equal", done.stdout)
        records = [json.loads(line) for line in
                   (self.here / "dump/activity.activity.jsonl").read_text().splitlines()]
        self.assertGreater(len(records), 10)
        self.assertTrue(all(record["value"]["commands"] >= 1 for record in records))

    def test_the_example_conforms(self):
        programs = sorted(pathlib.Path(BUILD, "tests/conformance").glob("conformance_test_*"))
        self.assertEqual(len(programs), 5)
        for program in programs:
            done = run(program, self.example / "activity.so", MILLRACE_LOG_LEVEL="error")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("100%: Checks:", done.stdout)

    def test_the_example_builds_with_cmake_too(self):
        source = self.here / "source"
        shutil.copytree(self.sdk / "share/millrace/example", source)
        for words in (("-S", source, "-B", self.here / "b", f"-DCMAKE_C_COMPILER={CC}",
                       f"-Dmillrace-stage_DIR={self.sdk}/lib/cmake/millrace-stage"), ("--build", self.here / "b")):
            done = run(CMAKE, *words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        shutil.copy(self.here / "b/activity.so", self.here / "activity.so")
        self.assertEqual(run(MILLRACE, "topology", "check", self.graph("./activity.so")).returncode, 0)

    @unittest.skipUnless(shutil.which("pkg-config"), "there is no pkg-config")
    def test_pkg_config_names_what_is_there(self):
        done = run("pkg-config", "--cflags", "--libs", "millrace-stage",
                   PKG_CONFIG_PATH=str(self.sdk / "lib/pkgconfig"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in done.stdout.split():
            self.assertTrue(pathlib.Path(word.removeprefix("-I")).exists(), word)

    def test_the_sdk_has_the_contract_and_nothing_of_the_program(self):
        names = {path.stem for path in (self.sdk / "include/millrace").iterdir()}
        self.assertLessEqual({"stage", "module", "store", "schema"}, names)
        self.assertFalse(names & {"log", "runtime", "topology", "backend"})
        for path in (self.sdk / "include").rglob("*.h"):
            for include in re.findall(r'#include "([^"]+)"', path.read_text()):
                self.assertTrue((self.sdk / "include" / include).is_file(), f"{path.name}: {include}")

    def test_a_small_stage_is_taken(self):
        path = self.compile(STAGE)
        done = run(MILLRACE, "topology", "check", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_file_that_is_not_there(self):
        self.refused(self.graph("./none.so"), "cannot be read: No such file or directory")

    def test_a_file_that_is_no_shared_object(self):
        (self.here / "text.so").write_text("these are words, and many enough of them for an ELF header to fit in\n")
        self.refused(self.graph("./text.so"), "it is no shared object; build it with cc -shared")

    def test_a_shared_object_without_the_symbol(self):
        path = self.compile("int answer = 42;\n")
        self.refused(path, "is no stage module: it exports no millrace_stage_module")

    def test_a_function_that_the_program_does_not_offer(self):
        path = self.compile(STAGE.replace("return mr_emit(", "int mr_future(void);\n return mr_future() ? 0 : mr_emit("))
        self.refused(path, "this program does not offer that function")

    def test_a_library_that_is_missing(self):
        (self.here / "helper.c").write_text("int helper(void); int helper(void) { return 0; }\n")
        run(CC, "-shared", "-fPIC", "-o", self.here / "libhelper.so", self.here / "helper.c")
        source = STAGE.replace("return mr_emit(", "int helper(void);\n return helper() ? 0 : mr_emit(")
        path = self.compile(source, self.here / "libhelper.so")
        (self.here / "libhelper.so").unlink()
        self.refused(path, "a library it needs is not on this system")

    def other_headers(self, name, old, new):
        """An SDK that is not this program's."""
        sdk = self.here / "sdk"
        shutil.copytree(self.sdk, sdk)
        path = sdk / "include" / name
        self.assertIn(old, path.read_text())
        path.write_text(path.read_text().replace(old, new))
        return sdk

    def test_another_abi(self):
        for name, old, new, words in (
                ("millrace/module.h", "ABI_MAJOR 1", "ABI_MAJOR 2", "built for stage ABI 2.0, this program has 1.0"),
                ("millrace/module.h", "ABI_MINOR 0", "ABI_MINOR 7", "built for stage ABI 1.7, this program has 1.0"),
                ("millrace/stage.h", "    unsigned flags; /* of", "    int new_field[4];\n    unsigned flags; /* of",
                 "its struct mr_port has "),
                ("millrace/module.h", "0x4d525354", "0x12345678", "that is no stage module")):
            with self.subTest(words):
                path = self.compile(STAGE, sdk=self.other_headers(name, old, new))
                self.refused(path, words)
                shutil.rmtree(self.here / "sdk")

    def test_a_record_of_another_shape(self):
        schema = json.loads((ROOT / "schemas/avro/OrderCommand.avsc").read_text())
        schema["fields"].append({"name": "mood", "type": "long"})
        (self.here / "OrderCommand.avsc").write_text(json.dumps(schema))
        done = run("python3", "-B", self.sdk / "share/millrace/avrogen", "--folder", "own", self.here / "g/own",
                   self.here / "OrderCommand.avsc")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.compile(STAGE.replace("avro/order_command.h", "own/order_command.h"), f"-I{self.here}/g",
                            *(self.here / "g/own").glob("*.c"))
        done = run(MILLRACE, "topology", "check", path)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout + done.stderr,
                         r"in port orders has another OrderCommand than this program: fingerprint [0-9a-f]{16}, here")


if __name__ == "__main__":
    unittest.main()
