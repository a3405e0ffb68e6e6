"""Goal:   the topology files that people use are right, for the loader and for an editor, and the
        editor's schema and the loader agree: what one takes the other takes, what is wrong in form
        is refused by both.
Method: `millrace topology check` and a JSON Schema validator (python3-jsonschema) on the same text;
        YAML is read by the rules of YAML 1.2, as editors do. A table of pieces, each put into a good
        file, with why; those that only the loader can see stand apart.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
    import yaml
except ImportError as error:
    sys.exit(f"{error}: python3-jsonschema and python3-yaml of tools/dev/packages-test.txt are missing")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/topology.schema.json").read_text())
FILES = ["topology.yaml", "deploy/topology/development.yaml", "deploy/topology/production.yaml"]

GOOD = """\
application: shop
kafka: {bootstrap.servers: "127.0.0.1:9092"}
registry: {url: "http://127.0.0.1:8081"}
defaults: {partitions: 4, replication: 1}
topics:
  orders: {key: userId, value: OrderCommand}
  unique: {key: userId, value: OrderCommand}
  events: {key: userId, value: RiskEvent}
stages:
  dedupe:
    type: dedupe
    in: {orders: orders}
    out: {unique: unique, events: events}
    options: {window: 24h}
groups:
  one: {stages: [dedupe], workers: 2}
connectors:
  shelf: {type: documentdb, in: orders, options: {uri: "mongodb://x", database: d}}
"""

# (why, what is there, what is put in its place)
TAKEN = [
    ("nothing changed", "", ""),
    ("a number in quotes", "partitions: 4", 'partitions: "4"'),
    ("a variable for a number", "partitions: 4", 'partitions: "${MR_P:-4}"'),
    ("a variable for a choice", "replication: 1", 'replication: 1, guarantee: "${MR_G:-exactly-once}"'),
    ("joined durations", "replication: 1", "replication: 1, commit-interval: 1s500ms"),
    ("a fraction of a duration", "replication: 1", "replication: 1, commit-interval: 0.5s"),
    ("a size without unit", "replication: 1", "replication: 1, cache: 1048576"),
    ("a size with unit", "replication: 1", "replication: 1, cache: 64MiB"),
    ("kept for ever", "replication: 1", "replication: 1, retention: forever"),
    ("truth in quotes", "replication: 1", 'replication: 1, journal: "false"'),
    ("a topic's own settings", "value: RiskEvent", "value: RiskEvent, config: {max.message.bytes: 100}"),
    ("nothing where options stand", "options: {window: 24h}", "options:"),
    ("no connectors", "  shelf: {type: documentdb, in: orders, options: {uri: \"mongodb://x\", database: d}}\n",
     ""),
    ("a comment and CRLF", "application: shop\n", "# hello\r\napplication: shop\r\n"),
]
REFUSED = [
    ("a key nobody knows", "registry:", "registries:"),
    ("no application", "application: shop\n", ""),
    ("a name with a space", "application: shop", "application: my shop"),
    ("a setting nobody knows", "partitions: 4", "partition: 4"),
    ("a number out of range", "partitions: 4", "partitions: 0"),
    ("a text for a number", "partitions: 4", "partitions: many"),
    ("a duration without unit", "replication: 1", "replication: 1, commit-interval: 10"),
    ("a unit nobody knows", "replication: 1", "replication: 1, commit-interval: 10 parsecs"),
    ("a choice that is none", "replication: 1", "replication: 1, guarantee: maybe"),
    ("neither true nor false", "replication: 1", "replication: 1, journal: yes"),
    ("a retention that is none", "replication: 1", "replication: 1, retention: long"),
    ("nothing where a value stands", "partitions: 4", "partitions: ~"),
    ("what the runtime sets", "bootstrap.servers", "group.id"),
    ("a map where a value belongs", '"127.0.0.1:9092"', "{a: b}"),
    ("a registry without url", 'url: "http://127.0.0.1:8081"', ""),
    ("a schema nobody has", "value: RiskEvent", "value: RiskEvnt"),
    ("a topic without key", "events: {key: userId,", "events: {"),
    ("a topic that is a list", "events: {key: userId, value: RiskEvent}", "events: [a]"),
    ("a topic's name", "  events:", "  ev ents:"),
    ("what cleanup says", "value: RiskEvent", "value: RiskEvent, config: {retention.ms: 100}"),
    ("a stage type nobody has", "type: dedupe", "type: dedup"),
    ("a stage without type", "    type: dedupe\n", ""),
    ("a key of a stage", "    in:", "    input:"),
    ("a port nobody has", "unique: unique,", "unique: unique, others: events,"),
    ("a port that is not bound", "unique: unique, ", ""),
    ("a table where a stream is read", "orders: orders}", "orders: {table: orders}}"),
    ("an option nobody has", "window: 24h", "windou: 24h"),
    ("an option with a wrong unit", "window: 24h", "window: 24"),
    ("a group without stages", "stages: [dedupe], ", ""),
    ("too many workers", "workers: 2", "workers: 65"),
    ("a connector type nobody has", "type: documentdb", "type: documents"),
    ("a connector without topic", "in: orders, options", "options"),
    ("an option that must be given", 'uri: "mongodb://x", ', ""),
]
# The form is right: only who knows the whole can refuse.
LOADER_ONLY = [
    ("a duration out of range", "replication: 1", "replication: 1, commit-interval: 2h"),
    ("a topic nobody declared", "unique: unique", "unique: unic"),
    ("a record that does not fit", "unique: unique", "unique: events"),
    ("a stage nobody declared", "stages: [dedupe]", "stages: [dedupe, fill]"),
    ("a variable without value", "partitions: 4", 'partitions: "${MR_TEST_UNSET}"'),
]
# Overlays on GOOD: (why, text, is it right?)
OVERLAYS = [
    ("nothing but the include", "include: base.yaml\n", True),
    ("a list of files", "include: [base.yaml]\n", True),
    ("one option", "include: base.yaml\nstages: {dedupe: {options: {window: 1h}}}\n", True),
    ("a connector removed", "include: base.yaml\nconnectors: {shelf: ~}\n", True),
    ("a setting back to its default", "include: base.yaml\ndefaults: {partitions: ~}\n", True),
    ("a setting nobody knows", "include: base.yaml\ndefaults: {partition: 4}\n", False),
    ("an option out of form", "include: base.yaml\nstages: {dedupe: {type: dedupe, options: {window: 1}}}\n",
     False),
    ("an include that is a map", "include: {a: b}\n", False),
    ("a section that is a list", "include: base.yaml\ntopics: [a]\n", False),
]


class Core(yaml.SafeLoader):
    """Plain texts by the core schema of YAML 1.2: no yes and no, no dates, no numbers of base 60."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"true|false", "tf"), ("null", r"~|null|", "~n\0"),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+.0123456789")):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"),
                               [c if c != "\0" else "" for c in first])


def schema_words(text):
    """None when the schema takes it, else what it says."""
    errors = list(jsonschema.Draft7Validator(SCHEMA).iter_errors(yaml.load(text, Loader=Core)))
    return "; ".join(error.message for error in errors) or None


def loader_words(path):
    done = subprocess.run([os.environ["MILLRACE"], "topology", "check", "--json", str(path)],
                          capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == answer["right"]
    return "; ".join(problem["text"] for problem in answer["problems"]) or None


class Files(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def loader(self, text, name="t.yaml"):
        path = pathlib.Path(self.directory.name) / name
        path.write_bytes(text.encode())
        return loader_words(path)

    def compare(self, rows, loader, schema):
        """Does each of them take every piece?"""
        for why, old, new in rows:
            with self.subTest(why):
                self.assertIn(old, GOOD)
                text = GOOD.replace(old, new, 1)
                said = self.loader(text), schema_words(text)
                self.assertEqual((said[0] is None, said[1] is None), (loader, schema), said)

    def test_the_schema_is_one(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_the_files_of_the_repository_are_right(self):
        for name in FILES:
            with self.subTest(name):
                text = (ROOT / name).read_text()
                self.assertIsNone(loader_words(ROOT / name))
                self.assertIsNone(schema_words(text))
                found = re.search(r"^# yaml-language-server: \$schema=(\S+)$", text, re.MULTILINE)
                self.assertIsNotNone(found, "the line that gives the schema to an editor")
                self.assertEqual(((ROOT / name).parent / found.group(1)).resolve(),
                                 ROOT / "docs/topology.schema.json")

    def test_what_the_loader_takes_the_schema_takes(self):
        self.compare(TAKEN, loader=True, schema=True)

    def test_what_is_wrong_in_form_is_refused_by_both(self):
        self.compare(REFUSED, loader=False, schema=False)

    def test_what_only_the_loader_can_see(self):
        self.compare(LOADER_ONLY, loader=False, schema=True)

    def test_overlays(self):
        self.assertIsNone(self.loader(GOOD, "base.yaml"))
        for why, text, right in OVERLAYS:
            with self.subTest(why):
                self.assertEqual(self.loader(text) is None, right, self.loader(text))
                self.assertEqual(schema_words(text) is None, right, schema_words(text))

    def test_what_overlays_are_for(self):
        def described(name):
            done = subprocess.run([os.environ["MILLRACE"], "topology", "describe", "--json", name],
                                  capture_output=True, text=True, check=True, cwd=ROOT)
            return json.loads(done.stdout)

        base, development, production = (described(name) for name in FILES)
        self.assertEqual({topic["replication"] for topic in development["topics"]}, {1})
        self.assertEqual({topic["replication"] for topic in production["topics"]}, {3})
        for group in production["groups"]:
            self.assertEqual((group["replicas"], group["workers"]), (3, 1))
        for other in (development, production):
            self.assertEqual([stage["name"] for stage in other["stages"]],
                             [stage["name"] for stage in base["stages"]])
            self.assertEqual(other["application"], base["application"])


if __name__ == "__main__":
    unittest.main()
