"""`millrace topology plan` and `apply`: what is declared becomes so, as was told before.

Goal:   topics have the partitions, cleanup and retention that are declared; subjects are registered
        with BACKWARD compatibility; a second apply changes nothing; other configuration is changed,
        a number of partitions never, and what is refused is refused as a whole; a plan changes
        nothing; nobody applies while somebody else does; a stage that is gone takes no state with it
        unless that is said.
Method: Kafka's and the registry's own interfaces tell what is there, before and after.
"""

import json
import time
import unittest

import confluent_kafka
from confluent_kafka.admin import ConfigResource, ResourceType

import support


def topic_configs(names):
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    client = support.admin()  # must outlive its answers
    return {resource.name: {name: entry.value for name, entry in future.result(20).items()}
            for resource, future in client.describe_configs(resources).items()}


def planned(*args):
    """(exit code, items)."""
    outcome = support.millrace("topology", "plan", "--json", *args)
    return outcome.code, json.loads(outcome.out)["items"]


def named(items, action, kind):
    return {i["name"] for i in items if i["action"] == action and i["kind"] == kind}


class Apply(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("apply", partitions=2)
        cls.plan = support.millrace("topology", "plan", cls.topology.file)
        cls.after_plan = support.topic_names()
        cls.first = json.loads(
            support.millrace_ok("topology", "apply", "--json", cls.topology.file).out)
        cls.declared = {t["name"]: t for t in cls.topology.describe()["topics"]}

    def apply(self, *args):
        return support.millrace("topology", "apply", *args)

    def test_a_plan_changes_nothing(self):
        self.assertEqual(self.after_plan, set())
        self.assertEqual(self.plan.code, 1, self.plan)
        self.assertIn("+ topic     orders ", self.plan.out)

    def test_a_plan_of_what_is_there_has_nothing_to_do(self):
        code, items = planned(self.topology.file)
        self.assertEqual((code, {i["action"] for i in items}), (0, {"kept"}))

    def test_first_creates_everything_as_declared(self):
        created = named(self.first["items"], "created", "topic")
        control = f"{self.topology.application}-control"
        self.assertEqual(created | {control}, support.topic_names())
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
        self.assertEqual({i["action"] for i in again["items"]}, {"kept"})
        subject = f"{self.topology.application}-fill-changelog-millrace.oms.BookState"
        versions = support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions")
        self.assertEqual(versions, (200, [1]))

    def retention(self):
        return topic_configs(["ledger"])["ledger"]["retention.ms"]

    def test_other_configuration_is_planned_and_changed(self):
        path = self.topology.variant("retention.yaml", [
            ("ledger:       {key: userId, value: LedgerEntry, retention: 30d}",
             "ledger:       {key: userId, value: LedgerEntry, retention: 31d}"),
            ("open-orders: 200", "open-orders: 150")])
        code, items = planned(path)
        self.assertEqual(code, 1)
        self.assertEqual(named(items, "changed", "topic"), {"ledger"})
        self.assertIn("open-orders: 200 -> 150", json.dumps(items))
        self.assertEqual(self.retention(), str(30 * 24 * 3600 * 1000))
        self.assertEqual(self.apply(path).code, 0)
        self.assertEqual(self.retention(), str(31 * 24 * 3600 * 1000))
        # Back, for the other tests; and by the same way.
        self.assertEqual(self.apply(self.topology.file).code, 0)
        self.assertEqual(self.retention(), str(30 * 24 * 3600 * 1000))

    def test_other_number_of_partitions_is_refused_and_nothing_is_done(self):
        path = self.topology.variant("partitions.yaml", [
            ("partitions: 2", "partitions: 4"),
            ("tickers:      {key: symbol, value: Ticker, cleanup: compact}",
             "tickers:      {key: symbol, value: Ticker, cleanup: compact}\n"
             "  more:         {key: symbol, value: Trade}")])
        outcome = self.apply(path)
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("has 2 partitions, not 4", outcome.out)
        self.assertIn("nothing changed", outcome.err)
        orders = support.admin().list_topics(timeout=20).topics["orders"]
        self.assertEqual(len(orders.partitions), 2)
        self.assertNotIn("more", support.topic_names(), "all or nothing")

    def test_a_lock_keeps_others_out(self):
        control = f"{self.topology.application}-control"
        producer = confluent_kafka.Producer({"bootstrap.servers": support.BOOTSTRAP})
        until = int((time.time() + 600) * 1e6)
        producer.produce(control, key=b"lock",
                         value=json.dumps({"holder": "elsewhere:1", "untilUs": until}).encode())
        producer.flush(20)
        outcome = self.apply(self.topology.file)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("elsewhere:1 is applying", outcome.err)
        self.assertEqual(planned(self.topology.file)[0], 0, "a plan needs no lock")
        self.assertEqual(self.apply("--break-lock", self.topology.file).code, 0)
        self.assertEqual(self.apply(self.topology.file).code, 0, "and it was given back")


class Renamed(unittest.TestCase):
    """State belongs to a stage's name."""

    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("renamed", partitions=2)
        cls.topology.apply()

    def test_a_stage_that_is_gone_is_named_and_its_state_refused(self):
        changelog = f"{self.topology.application}-dedupe-changelog"
        producer = confluent_kafka.Producer({"bootstrap.servers": support.BOOTSTRAP})
        producer.produce(changelog, key=b"k", value=b"v")
        producer.flush(20)
        path = self.topology.variant("renamed.yaml", [
            ("  dedupe:\n    type: dedupe", "  deduplicate:\n    type: dedupe"),
            ("stages: [validate, dedupe, risk, settle]",
             "stages: [validate, deduplicate, risk, settle]")])
        code, items = planned(path)
        self.assertEqual(code, 2)
        refused = [i for i in items if i["action"] == "refused"]
        self.assertEqual([i["allowLoss"] for i in refused], ["state:dedupe"])
        self.assertIn("deduplicate", refused[0]["detail"])
        self.assertEqual(planned("--allow-loss", "state:risk", path)[0], 2)
        code, items = planned("--allow-loss", "state:dedupe", path)
        self.assertEqual(code, 1)
        self.assertIn(changelog, named(items, "orphaned", "topic"))


if __name__ == "__main__":
    support.main()
