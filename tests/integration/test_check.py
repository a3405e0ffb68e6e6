"""`millrace topology check --registry`: may our schemas follow what is registered?

Goal:   a new subject, one as registered and one that may follow are told apart; one that cannot is
        named with topic, version and field, and the exit code is 2; only --transitive looks at the
        versions before the latest; without --registry nothing is asked.
Method: somebody else's versions are registered through the registry's own interface, under a subject of
        a topic of the test's own, and under that of a changelog. Tests go by number, then by name.
"""

import copy
import json
import unittest

import support


def register(subject, schema):
    status, answer = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions", "POST",
                                       {"schema": json.dumps(schema)})
    if status != 200:
        raise AssertionError(f"{subject}: HTTP {status}: {answer}")


def set_level(subject, level):
    """The registry's own rule for what may follow; NONE is none to Apicurio."""
    status, _ = support.http_json(f"{support.REGISTRY}/config/{subject}", "PUT",
                                  {"compatibility": level})
    if status != 200:
        raise AssertionError(f"{subject}: HTTP {status}")


def without_a_field(schema):
    """What another writer may register under BACKWARD, and ours cannot read; and the field."""
    other = copy.deepcopy(schema)
    lost = next(field for field in other["fields"] if "default" not in field)
    other["fields"].remove(lost)
    return other, lost["name"]


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("check", partitions=2)
        # A topic of the test's own: declared ones keep their names, and other tests' subjects.
        cls.topic = f"mine-{cls.topology.stamp}"
        cls.file = cls.topology.variant("mine.yaml", [
            ("  tickers:      {key: symbol,", f"  {cls.topic}: {{key: symbol, value: Trade}}\n"
             "  tickers:      {key: symbol,")])
        cls.trade = json.loads((support.ROOT / "schemas/avro/Trade.avsc").read_text())

    def check(self, *args):
        return support.millrace("topology", "check", self.file, *args)

    def subjects(self, *args):
        """{subject: what check says of it}."""
        answer = json.loads(self.check("--registry", "--json", *args).out)
        return {item["subject"]: item for item in answer["subjects"]}

    def test_1_new_then_as_registered(self):
        before = self.subjects()
        changelog = f"{self.topology.application}-risk-changelog-millrace.oms.RiskAccount"
        self.assertEqual(before[f"{self.topic}-value"]["state"], "new")
        self.assertEqual((before[changelog]["state"], before[changelog]["version"]), ("new", None))
        support.millrace_ok("topology", "apply", self.file)
        after = self.subjects()
        self.assertEqual({item["state"] for item in after.values()}, {"same"})
        self.assertEqual(after[changelog]["topic"], f"{self.topology.application}-risk-changelog")
        outcome = self.check("--registry")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn(f"0 new, {len(after)} as registered", outcome.out)

    def test_2_what_may_follow_does(self):
        # Somebody registered a later version, with a field more; ours can read it.
        later = copy.deepcopy(self.trade)
        later["fields"].append({"name": "note", "type": ["null", "string"], "default": None})
        register(f"{self.topic}-value", later)
        item = self.subjects()[f"{self.topic}-value"]
        self.assertEqual((item["state"], item["version"]), ("same", 2))
        self.assertEqual(self.check("--registry").code, 0)

    def test_3_what_cannot_is_named(self):
        subject = f"{self.topic}-value"
        other, lost = without_a_field(self.trade)
        register(subject, other)
        outcome = self.check("--registry")
        self.assertEqual(outcome.code, 2, outcome)
        line = next(n for n, text in enumerate(self.file.read_text().splitlines(), 1)
                    if text.startswith(f"  {self.topic}:"))
        self.assertIn(f"mine.yaml:{line}:3: topic {self.topic}, subject {subject}, version 3: schema Trade "
                      f"cannot follow: field {lost} of Trade", outcome.err)
        item = self.subjects()[subject]
        self.assertEqual((item["state"], item["version"]), ("incompatible", 3))
        self.assertIn(lost, item["text"])
        self.assertEqual(self.check().code, 0, "nothing is asked without --registry")

    def test_4_the_versions_before_only_when_asked(self):
        subject = f"{self.topic}-value"
        set_level(subject, "FORWARD")
        register(subject, self.trade | {"doc": "as it was"})
        self.assertEqual(self.check("--registry").code, 0)
        outcome = self.check("--registry", "--transitive")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("version 3", outcome.err)

    def test_a_changelogs_schema_counts(self):
        changelog = f"{self.topology.application}-dedupe-changelog"
        subject = f"{changelog}-millrace.oms.DedupeEntry"
        _, latest = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions/latest")
        other, lost = without_a_field(json.loads(latest["schema"]))
        register(subject, other)
        outcome = self.check("--registry")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn(f"topic {changelog}, subject {subject}, version 2: schema DedupeEntry cannot "
                      f"follow: field {lost} of DedupeEntry", outcome.err)

    def test_a_registry_that_is_away_is_named(self):
        address = f"http://127.0.0.1:{support.free_port()}"
        outcome = self.check("--registry-url", address, "--wait", "1s")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(address.removeprefix("http://"), outcome.err)

    def test_transitive_alone_is_misuse(self):
        outcome = self.check("--transitive")
        self.assertEqual(outcome.code, 2)
        self.assertIn("needs --registry", outcome.err)


if __name__ == "__main__":
    support.main()
