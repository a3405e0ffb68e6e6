"""`millrace topology apply`: creates what is declared, once, and changes nothing unasked.

Goal:   topics have the partitions, cleanup and retention that are declared; subjects are registered
        with BACKWARD compatibility; a second apply changes nothing; what differs is refused, all or
        nothing; --alter changes configuration, and nothing changes a number of partitions.
Method: Kafka's and the registry's own interfaces tell what is there, before and after.
"""

import json
import unittest

from confluent_kafka.admin import ConfigResource, ResourceType

import support


def topic_configs(names):
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    client = support.admin()  # must outlive its answers
    return {resource.name: {name: entry.value for name, entry in future.result(20).items()}
            for resource, future in client.describe_configs(resources).items()}


class Apply(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("apply", partitions=2)
        cls.dry = support.millrace_ok("topology", "apply", "--dry-run", cls.topology.file)
        cls.after_dry = support.topic_names()
        cls.first = json.loads(
            support.millrace_ok("topology", "apply", "--json", cls.topology.file).out)
        cls.declared = {t["name"]: t for t in cls.topology.describe()["topics"]}

    def apply(self, *args):
        return support.millrace("topology", "apply", *args)

    def test_dry_run_changes_nothing(self):
        self.assertEqual(self.after_dry, set())
        self.assertIn("would create", self.dry.out)

    def test_first_creates_everything_as_declared(self):
        created = {i["name"] for i in self.first["items"]
                   if i["kind"] == "topic" and i["action"] == "create"}
        self.assertEqual(created, support.topic_names())
        self.assertEqual(created, set(self.declared))
        metadata = support.admin().list_topics(timeout=20).topics
        configs = topic_configs(created)
        for name, declared in self.declared.items():
            with self.subTest(name):
                self.assertEqual(len(metadata[name].partitions), declared["partitions"])
                for config, value in declared["configs"].items():
                    self.assertEqual(configs[name][config], value, config)
        self.assertEqual(configs["orders"]["retention.ms"], str(7 * 24 * 3600 * 1000))
        self.assertEqual(configs["ledger"]["retention.ms"], str(30 * 24 * 3600 * 1000))
        changelog = next(n for n in created if n.endswith("-changelog"))
        self.assertEqual(configs[changelog]["cleanup.policy"], "compact")

    def test_subjects_are_registered_and_backward(self):
        _, subjects = support.http_json(f"{support.REGISTRY}/subjects")
        wanted = {f"{name}-value" for name, topic in self.declared.items() if topic["schema"]}
        state = {s for s in subjects if s.startswith(f"{self.topology.application}-risk-changelog-")}
        self.assertGreater(len(state), 1, "a subject for each schema of the stage's stores")
        wanted |= state
        self.assertLessEqual(wanted, set(subjects))
        for subject in sorted(wanted):
            with self.subTest(subject):
                status, config = support.http_json(f"{support.REGISTRY}/config/{subject}")
                self.assertEqual((status, config["compatibilityLevel"]), (200, "BACKWARD"))

    def test_an_incompatible_schema_is_refused_by_the_registry(self):
        # What BACKWARD is for: somebody else's change that our readers could not read.
        subject = f"{self.topology.application}-fill-changelog-millrace.oms.BookState"
        _, latest = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions/latest")
        schema = json.loads(latest["schema"])
        schema["fields"].append({"name": "withoutDefault", "type": "string"})
        status, _ = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions", "POST",
                                      {"schema": json.dumps(schema)})
        self.assertEqual(status, 409)

    def test_second_changes_nothing(self):
        again = json.loads(support.millrace_ok("topology", "apply", "--json",
                                               self.topology.file).out)
        self.assertEqual({i["action"] for i in again["items"]}, {"same"})
        subject = f"{self.topology.application}-fill-changelog-millrace.oms.BookState"
        versions = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions")
        self.assertEqual(versions, (200, [1]))

    def test_other_configuration_is_refused_until_asked(self):
        path = self.topology.variant("retention.yaml", [
            ("ledger:       {key: userId, value: LedgerEntry, retention: 30d}",
             "ledger:       {key: userId, value: LedgerEntry, retention: 31d}"),
            ("tickers:      {key: symbol, value: Ticker, cleanup: compact}",
             "tickers:      {key: symbol, value: Ticker, cleanup: compact}\n"
             "  more:         {key: symbol, value: Trade}")])
        outcome = self.apply(path)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("ledger", outcome.err)
        self.assertIn("--alter", outcome.out + outcome.err)
        self.assertNotIn("more", support.topic_names(), "all or nothing")
        self.assertEqual(topic_configs(["ledger"])["ledger"]["retention.ms"],
                         str(30 * 24 * 3600 * 1000))
        outcome = self.apply("--alter", path)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(topic_configs(["ledger"])["ledger"]["retention.ms"],
                         str(31 * 24 * 3600 * 1000))
        # Back, for the other tests; and by the same way.
        outcome = self.apply("--alter", self.topology.file)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(topic_configs(["ledger"])["ledger"]["retention.ms"],
                         str(30 * 24 * 3600 * 1000))

    def test_other_number_of_partitions_is_refused_always(self):
        path = self.topology.variant("partitions.yaml", [("partitions: 2", "partitions: 4")])
        for args in ([path], ["--alter", path]):
            with self.subTest(args[0]):
                outcome = self.apply(*args)
                self.assertEqual(outcome.code, 1, outcome)
                self.assertIn("has 2 partitions, not 4", outcome.err)
        orders = support.admin().list_topics(timeout=20).topics["orders"]
        self.assertEqual(len(orders.partitions), 2)


if __name__ == "__main__":
    support.main()
