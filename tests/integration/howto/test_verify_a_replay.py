"""docs/howto/verify-a-replay.md: the record of a run with a crash in it follows from its input.

Goal:   whatever was on record when the pipeline was stopped, killed or at work is what the same
        program writes again, byte for byte; another option, a record that somebody else wrote and
        an input that is gone are told, by name and place.
Method: a load with faults mixed in, a kill -9 under way, and a second load while the replay runs.
        Then the topology, the record and the retained input are changed in one place each.
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import confluent_kafka  # noqa: E402

import support  # noqa: E402

TRADES = 600
MIX = ("--duplicates", "2%", "--conflicts", "1%", "--invalid", "2%", "--unfunded", "1%",
       "--cancels", "2%", "--malformed", "1%", "--market-takers", "5%")


class VerifyAReplay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("replay")
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.pipeline.parts.remove(cls.pipeline.connectors)
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.start()
        load = support.Load(cls.topology, "first", TRADES, "--rate", "400/s", *MIX)
        cls.addClassCleanup(load.close)
        load.start_and_wait(TRADES // 2)
        cls.pipeline.market.kill()
        cls.pipeline.start()
        load.finish()
        load.verify("--stores=false")

    def replay(self, *args, topology=None):
        outcome = support.millrace("replay", "--verify", "--json", "--quiet", "--topology",
                                   topology or self.topology.file, *args)
        return outcome, json.loads(outcome.out) if outcome.out else None

    def test_1_the_record_follows_from_the_record(self):
        outcome, report = self.replay()
        self.assertEqual(outcome.code, 0, outcome)
        self.assertTrue(report["equal"])
        self.assertGreater(report["outputsEqual"], 10 * TRADES)
        self.assertEqual(report["differences"], [])

    def test_2_while_the_pipeline_is_at_work(self):
        load = support.Load(self.topology, "second", TRADES, "--rate", "200/s")
        self.addCleanup(load.close)
        load.start_and_wait(TRADES // 3)
        outcome, report = self.replay()
        self.assertEqual(outcome.code, 0, f"{outcome}\n{report}")
        load.finish()

    def test_3_another_option_is_told_as_decoded_records(self):
        other = self.topology.variant("other.yaml", [("intervals: [1m, 5m]",
                                                      "intervals: [1m, 3m]")])
        subjects = support.http_json(f"{support.REGISTRY}/subjects")
        outcome, report = self.replay(topology=other)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertEqual({d["topic"] for d in report["differences"]}, {"candles"})
        recorded = [d["recorded"]["interval"] for d in report["differences"] if "recorded" in d]
        replayed = [d["replayed"]["interval"] for d in report["differences"] if "replayed" in d]
        self.assertEqual((set(recorded), set(replayed)), ({"5m"}, {"3m"}))
        outcome, _ = self.replay("--stage", "fill", topology=other)
        self.assertEqual(outcome.code, 0, "what fill writes does not depend on it")
        self.assertEqual(support.http_json(f"{support.REGISTRY}/subjects"), subjects)

    def test_4_a_range_leaves_out_what_is_behind_it(self):
        outcome, report = self.replay("--to", "1h")
        self.assertEqual(outcome.code, 1, "nothing is in it, which proves nothing")
        self.assertEqual(report["transactions"], 0)
        outcome, report = self.replay("--from", "1h")
        self.assertEqual(outcome.code, 0, outcome)

    def test_5_a_record_that_nobody_wrote_is_told(self):
        self.pipeline.close()
        before = support.read_topic("trades")[0]
        producer = confluent_kafka.Producer({"bootstrap.servers": support.BOOTSTRAP})
        producer.produce("trades", key=before.key(), value=before.value(),
                         partition=before.partition())
        producer.flush(20)
        outcome, report = self.replay()
        self.assertEqual(outcome.code, 1, outcome)
        self.assertEqual(report["onlyRecorded"], 1)
        found = report["differences"][0]
        self.assertEqual((found["kind"], found["topic"], found["partition"]),
                         ("only on record", "trades", before.partition()))

    def test_6_an_input_that_is_gone_is_named(self):
        first = support.read_topic("orders")[0]
        place = confluent_kafka.TopicPartition("orders", first.partition(), first.offset() + 1)
        client = support.admin()  # must outlive its answers
        for future in client.delete_records([place]).values():
            future.result(20)
        outcome, _ = self.replay()
        self.assertEqual(outcome.code, 1)
        self.assertIn(f"orders[{first.partition()}]: offsets", outcome.err)
        self.assertIn("no longer retained", outcome.err)


if __name__ == "__main__":
    support.main()
