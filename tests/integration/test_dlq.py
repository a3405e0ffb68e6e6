"""Dead letters of the real pipeline: counted, shown, sent back once, and put right.

Goal:   `dlq list` and `dlq show` tell what a stock client sees on the dead-letter topic; `dlq replay`
        sends nothing without --yes, each letter once with it, and the stage judges it anew; an
        edited value goes through.
Method: validate runs on garbage from a stock client; a replayed record that is still garbage must
        become exactly one more letter.
"""

import json
import unittest

import confluent_kafka

import orders
import support


class DeadLetters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("dlq", partitions=2)
        cls.topology.apply()
        cls.process = support.Process(cls.topology, "all", "--group", "account")
        cls.addClassCleanup(cls.process.close)
        cls.process.start().wait_ready()
        cls.orders = orders.Orders()
        cls.dlq = f"{cls.topology.application}.validate.dlq"
        good, _ = cls.orders.good("u1")
        cls.sent = [(0, b"u1", b'{"note": "not Avro"}'), (1, b"u2", good[:20]),
                    (1, b"u3", b"\x07garbage"), (0, b"u1", good[:-1])]
        producer = confluent_kafka.Producer({"bootstrap.servers": support.BOOTSTRAP})
        for partition, key, value in cls.sent:
            producer.produce("orders", value, key, partition=partition, timestamp=1723161255342,
                             headers=[("trace", key)])
        producer.flush(20)
        cls.wait_letters(len(cls.sent))

    @classmethod
    def wait_letters(cls, count):
        support.wait_until(lambda: len(support.read_topic(cls.dlq)) >= count,
                           f"{count} dead letters", 40, 0.2)
        letters = support.read_topic(cls.dlq)
        if len(letters) != count:
            raise AssertionError(f"{len(letters)} letters, not {count}")
        return letters

    def dlq_command(self, command, *args):
        outcome = support.millrace("dlq", command, *args, "--topology", self.topology.file)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.out

    def replay(self, *args):
        return json.loads(self.dlq_command("replay", "validate", "--json", *args))

    def test_1_list_counts(self):
        told = json.loads(self.dlq_command("list", "--json"))["topics"]
        found = {t["topic"]: t for t in told}
        self.assertEqual(found[self.dlq]["count"], 4)
        self.assertEqual(found[self.dlq]["by"],
                         [{"code": "MALFORMED", "stage": "validate", "count": 4}])
        self.assertEqual(found[f"{self.topology.application}.settle.dlq"]["count"], 0)
        self.assertIn(f"{self.dlq}: 4 letters, oldest 2024-08-08T23:54:15.342",
                      self.dlq_command("list", "validate"))

    def test_2_show_says_where_it_fails(self):
        shown = json.loads(self.dlq_command("show", "validate", "--json"))["letters"]
        self.assertEqual(len(shown), 4)
        by_key = {s["key"] + str(s["source"]["offset"]): s for s in shown}
        cut = by_key["u20"]
        self.assertEqual(cut["failsAtByte"], 5)
        self.assertIn("eventId", cut["decoding"])
        self.assertEqual(cut["bytes"], self.sent[1][2].hex())
        self.assertEqual(cut["headers"], [{"name": "trace", "value": "u2"}])
        self.assertEqual(by_key["u31"]["failsAtByte"], 0)
        text = self.dlq_command("show", "validate", "--code", "MALFORMED", "--count", "1")
        self.assertIn("^^ byte 0", text)
        self.assertIn("no such letter", self.dlq_command("show", "settle"))

    def test_3_replay_is_dry_without_yes(self):
        before = len(support.read_topic("orders"))
        told = self.replay("--all")
        self.assertEqual((told["chosen"], told["sent"]), (4, 0))
        self.assertEqual({letter["to"] for letter in told["letters"]}, {"orders"})
        self.assertEqual(len(support.read_topic("orders")), before)
        for args in ([], ["--all", "--code", "MALFORMED"], ["--offset", "x"]):
            outcome = support.millrace("dlq", "replay", "validate", *args, "--topology",
                                       self.topology.file)
            self.assertEqual(outcome.code, 2, outcome)

    def test_4_each_is_sent_once(self):
        letters = support.read_topic(self.dlq)
        first = f"{letters[0].partition()}:{letters[0].offset()}"
        self.assertEqual(self.replay("--offset", first, "--yes")["sent"], 1)
        after = self.wait_letters(5)  # still garbage: one letter more, of the record sent back
        again = [m for m in after if any(n == "millrace.replay.of" for n, _ in m.headers())]
        self.assertEqual(len(again), 1)
        headers = dict(again[0].headers())
        self.assertEqual(headers["millrace.replay.of"].decode(),
                         f"{self.dlq}/{letters[0].partition()}/{letters[0].offset()}")
        self.assertEqual((again[0].key(), again[0].value(), again[0].timestamp()[1]),
                         (letters[0].key(), letters[0].value(), letters[0].timestamp()[1]))
        self.assertEqual(headers["trace"], letters[0].key())
        told = self.replay("--offset", first, "--yes")
        self.assertEqual((told["replayedBefore"], told["sent"]), (1, 0))
        # All others, among them the letter of the replay; then there is nothing left but theirs.
        self.assertEqual(self.replay("--all", "--yes")["sent"], 4)
        self.wait_letters(9)
        self.assertEqual(self.replay("--offset", first, "--yes", "--again")["sent"], 1)
        self.wait_letters(10)
        listed = json.loads(self.dlq_command("list", "validate", "--json"))["topics"][0]
        self.assertEqual((listed["count"], listed["replayed"]), (10, 5))

    def test_5_an_edited_value_goes_through(self):
        letter = support.read_topic(self.dlq)[-1]
        path = self.topology.path("edited.json")
        user = letter.key().decode()
        record = self.orders.record(user)
        path.write_text(json.dumps({
            "eventId": record["eventId"], "ts": "2024-08-08T23:54:15Z", "action": "NEW",
            "orderId": record["orderId"], "userId": user, "symbol": "NOSUCH", "qty": "1",
            "price": "10"}))
        place = f"{letter.partition()}:{letter.offset()}"
        told = self.replay("--offset", place, "--edit", path, "--yes", "--again")
        self.assertEqual(told["sent"], 1)
        support.wait_until(lambda: any(record["orderId"].encode() in m.value()
                                       for m in support.read_topic("executions")),
                           "the edited order has an outcome", 30, 0.2)
        path.write_text('{"qty": 1}')
        outcome = support.millrace("dlq", "replay", "validate", "--offset", place, "--edit", path,
                                   "--yes", "--again", "--topology", self.topology.file)
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("OrderCommand.", outcome.err)


if __name__ == "__main__":
    support.main()
