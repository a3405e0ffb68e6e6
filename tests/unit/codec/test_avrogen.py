"""Goal: avrogen takes the shapes it supports and refuses the others, with file and field named.

Method: small schemas in a temporary directory; a table of what must be refused and why.
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GENERATOR = Path(__file__).resolve().parents[3] / "tools" / "avrogen"
FIXED = {"type": "fixed", "name": "F", "size": 4}
ITEM = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}

REFUSED = [
    ({"name": "f", "type": ["int", "null"]}, "null stands first in a union"),
    ({"name": "f", "type": ["null", "int", "long"]}, "unions have two branches"),
    ({"name": "f", "type": "float"}, "no floating point"),
    ({"name": "f", "type": {"type": "map", "values": "int"}}, "no maps"),
    ({"name": "f", "type": {"type": "array", "items": "int"}}, "arrays hold records"),
    ({"name": "f", "type": ["null", {"type": "array", "items": ITEM}]}, "arrays are not null"),
    ({"name": "f", "type": "Unknown"}, "a name nobody defined"),
    ({"name": "f", "type": {"type": "long", "logicalType": "timestamp-millis"}}, "micros only"),
    ({"name": "f", "type": {"type": "fixed", "name": "D", "size": 8, "logicalType": "decimal",
                            "precision": 18, "scale": 8}}, "decimals have one form"),
    ({"name": "default", "type": "int"}, "a word of C"),
    ({"name": "f", "type": ["null", "int"], "default": 1}, "null is the default of a union"),
]


class Avrogen(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        self.addCleanup(self.directory.cleanup)

    def write(self, name, fields, stem=None):
        path = self.root / f"{stem or name}.avsc"
        path.write_text(json.dumps({"type": "record", "name": name, "namespace": "a.oms",
                                    "fields": fields}))
        return str(path)

    def run_generator(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(GENERATOR), *arguments],
                              capture_output=True, text=True, check=False)

    def test_shapes_outside_of_the_supported_are_refused_with_file_and_field(self):
        for field, why in REFUSED:
            with self.subTest(why):
                path = self.write("R", [field])
                done = self.run_generator(str(self.root / "out"), path)
                self.assertEqual(done.returncode, 1, why)
                self.assertIn(path, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_a_type_that_means_two_things_is_refused(self):
        one = self.write("One", [{"name": "f", "type": FIXED}])
        two = self.write("Two", [{"name": "f", "type": dict(FIXED, size=5)}])
        done = self.run_generator(str(self.root / "out"), one, two)
        self.assertEqual(done.returncode, 1)
        self.assertIn("F is defined differently", done.stderr)

    def test_a_file_named_unlike_its_record_is_refused(self):
        done = self.run_generator(str(self.root / "out"),
                                  self.write("R", [{"name": "f", "type": "int"}], stem="Other"))
        self.assertEqual(done.returncode, 1)

    def test_the_list_is_what_is_written(self):
        path = self.write("OneThing", [{"name": "f", "type": {"type": "array", "items": ITEM}}])
        out = self.root / "out"
        listed = self.run_generator("--list", str(out), path).stdout.split()
        self.assertFalse(out.exists())
        self.assertEqual(self.run_generator(str(out), path).returncode, 0)
        self.assertEqual(sorted(listed), sorted(str(p) for p in out.iterdir()))
        self.assertIn(str(out / "one_thing.h"), listed)
        self.assertIn(str(out / "i.h"), listed)

    def test_an_unchanged_file_is_not_written_again(self):
        path = self.write("R", [{"name": "f", "type": "int"}])
        out = self.root / "out"
        self.run_generator(str(out), path)
        before = (out / "r.c").stat().st_mtime_ns
        self.run_generator(str(out), path)
        self.assertEqual((out / "r.c").stat().st_mtime_ns, before)

    def test_names_become_c_names(self):
        path = self.write("R", [
            {"name": "openTs", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "lastPx", "type": ["null", FIXED]}])
        out = self.root / "out"
        self.run_generator(str(out), path)
        header = (out / "r.h").read_text()
        for want in ("struct oms_r {", "int64_t open_ts_us;", "uint8_t last_px[4];",
                     "bool has_last_px;"):
            self.assertIn(want, header)


if __name__ == "__main__":
    unittest.main()
