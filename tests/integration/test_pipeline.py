"""The whole graph on real servers: what goes in comes out, once, and everybody reads the same.

Goal:   a few hundred recorded trades with faults mixed in verify equal on topics, document store
        and Redis; a stock Avro client reads every topic and agrees with `millrace tap` record by
        record; the processes tell plausible numbers about it.
Method: one pipeline and one load for the class; each test looks at it from another side.
"""

import concurrent.futures
import datetime
import decimal
import json
import os
import unittest

import pymongo
import redis
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

import support

TRADES = 200
MIX = ("--duplicates", "2%", "--conflicts", "1%", "--invalid", "2%", "--unfunded", "1%",
       "--cancels", "2%", "--malformed", "1%", "--market-takers", "5%")


def same(ours, theirs):
    """A value of tap's JSON against what the stock deserializer makes of the same bytes."""
    if isinstance(theirs, dict):
        return (isinstance(ours, dict) and list(ours) == list(theirs) and
                all(same(ours[name], theirs[name]) for name in theirs))
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, decimal.Decimal):
        return decimal.Decimal(ours) == theirs
    if isinstance(theirs, datetime.datetime):
        return ours == theirs.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(theirs, bytes):
        return ours == theirs.hex()
    return type(ours) is type(theirs) and ours == theirs


class Pipeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("pipeline")
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.start()
        cls.load = support.Load(cls.topology, "pipe", TRADES, *MIX)
        cls.addClassCleanup(cls.load.close)
        cls.manifest = cls.load.play()
        cls.report = cls.load.verify()

    def check(self, name):
        found = [c for c in self.report["checks"] if c["name"] == name]
        self.assertEqual(len(found), 1, f"no check {name!r} in {self.report['checks']}")
        return found[0]

    def test_verify_looked_at_everything(self):
        # verify exits 0 when all its checks are equal; here: that the checks are not empty ones.
        self.assertGreaterEqual(self.check("accepted")["actual"], 2 * TRADES)
        for name in ("duplicates", "conflicts", "cancelled"):
            self.assertGreater(self.check(name)["actual"], 0, name)
        letters = self.check(f"dead letters {self.topology.application}.validate.dlq")
        self.assertGreater(letters["actual"], 0)
        trades = [c["actual"] for c in self.report["checks"]
                  if c["name"].startswith("trades equal the tape")]
        self.assertEqual(sum(trades), TRADES)
        self.assertTrue(any(c["name"].startswith("rejected with 3001") and c["actual"] > 0
                            for c in self.report["checks"]), "orders without funds are rejected")

    def test_stores_hold_the_run(self):
        # verify compares them with the topics; an empty store would be equal to nothing read.
        with pymongo.MongoClient(os.environ["DOCUMENTDB_URI"]) as client:
            database = client[self.topology.database]
            for name in ("orders", "executions", "positions", "ledger", "candles"):
                self.assertGreater(database[name].count_documents({}), 0, name)
            orders = database["orders"].distinct("orderId")[:50]
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as keys:
            there = sum(keys.exists(f"order:{order}") for order in orders)
        self.assertGreater(there, 25, "orders of the last minutes are in Redis")

    def test_stock_client_agrees_with_tap_on_every_topic(self):
        # All but the notes of `topology apply`, which are JSON.
        topics = support.topic_names() - {f"{self.topology.application}-control"}
        declared = {t["name"]: t for t in self.topology.describe()["topics"]}
        self.assertEqual(topics, {n for n, t in declared.items() if t["in_log"]})
        theirs = support.read_topics(topics)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ours = dict(zip(sorted(topics), pool.map(
                lambda topic: support.tap(self.topology, topic), sorted(topics))))
        registry = self.enterContext(SchemaRegistryClient({"url": support.REGISTRY}))
        deserialize = AvroDeserializer(registry)
        empty = set()
        for topic in sorted(topics):
            with self.subTest(topic=topic):
                self.compare(topic, ours[topic], theirs[topic], deserialize)
            if not theirs[topic]:
                empty.add(topic)
        read = {t for t in topics - empty if not t.endswith(".dlq")}
        self.assertLessEqual({"orders", "accounts", "prices", "instruments", "orders.validated",
                              "orders.unique", "orders.approved", "executions", "trades", "book",
                              "book.snapshots", "candles", "tickers", "risk-events", "ledger",
                              "positions", "balances", "accounts.approved"}, read)
        self.assertEqual(len([t for t in read if t.endswith("-changelog")]), 5)

    def compare(self, topic, ours, theirs, deserialize):
        places = [(m.partition(), m.offset()) for m in theirs]
        self.assertEqual([(r["partition"], r["offset"]) for r in ours], places)
        plain = topic.endswith(".dlq")
        for mine, message in zip(ours, theirs):
            place = f"{topic} [{message.partition()}] {message.offset()}"
            self.assertEqual(mine["topic"], topic)
            # A key that is no text: tap writes its bytes one by one.
            key = f"{mine['store']}\0{mine['key']}" if "store" in mine else mine["key"]
            self.assertEqual(key, (message.key() or b"").decode("latin-1"), place)
            if message.value() is None:
                self.assertIsNone(mine["value"], place)
                self.assertNotIn("bytes", mine, place)
            elif plain or mine["value"] is None:
                self.assertEqual(mine["bytes"], message.value().hex(), place)
                if not plain:
                    self.assertEqual(topic, "orders", f"{place}: only malformed orders are bytes")
            else:
                value = deserialize(message.value(),
                                    SerializationContext(topic, MessageField.VALUE))
                self.assertTrue(same(mine["value"], value), f"{place}: {mine['value']} {value}")
            if plain:
                headers = {name: value.decode() for name, value in message.headers() or []}
                self.assertEqual(mine["headers"], headers, place)

    def test_metrics_add_up(self):
        account, market = self.pipeline.account, self.pipeline.market
        letters = self.manifest["expected"]["deadLetters"]
        self.assertEqual(account.total("millrace_dead_letters_total"), letters)
        self.assertEqual(market.total("millrace_dead_letters_total"), 0)
        for part in (account, market):
            self.assertGreater(part.total("millrace_commits_total"), 0)
            self.assertEqual(part.total("millrace_aborts_total"), 0)
            self.assertEqual(part.total("millrace_tasks"), self.topology.partitions)
            self.assertEqual(part.total("millrace_tasks_ready"), self.topology.partitions)
            self.assertEqual(part.total("millrace_restore_records_left"), 0)
            self.assertGreaterEqual(part.total("millrace_records_in_total"), 2 * TRADES)
            commits = part.metrics()
            self.assertGreater(sum(commits["millrace_commit_seconds_count"].values()), 0)
        self.assertGreaterEqual(self.pipeline.connectors.total("millrace_sink_records_total"),
                                2 * TRADES)

    def test_metrics_have_the_lag_of_every_input(self):
        # Every partition of every input of every consumer, and nothing left to do at the end.
        graph = self.topology.describe()
        expected = {(f"{self.topology.application}.{group['name']}", topic, str(p))
                    for group in graph["groups"] for topic in group["consumes"]
                    for p in range(self.topology.partitions)}
        expected |= {(f"{self.topology.application}.{c['name']}", c["topic"], str(p))
                     for c in graph["connectors"] for p in range(self.topology.partitions)}

        def measured():
            found = {}
            for part in self.pipeline.parts:
                for labels, value in part.metrics().get("millrace_lag_records", {}).items():
                    labels = dict(labels)
                    found[labels["consumer"], labels["topic"], labels["partition"]] = value
            return found

        def drained():
            found = measured()
            # The marker of the last transaction may stand behind the committed offset.
            return set(found) == expected and max(found.values()) <= 1

        try:
            support.wait_until(drained, "lag of every input is there and small", 20)
        except AssertionError:
            found = measured()
            self.assertEqual(set(found), expected)
            self.fail(f"lag that does not end: { {k: v for k, v in found.items() if v > 1} }")

    def test_every_order_type_comes_out_as_written_down(self):
        # Beside the run, whose proof is over; then the books of both, and an order that is not sent.
        topology = str(self.topology.file)
        run = f"tour{self.topology.stamp}"
        answer = support.millrace_ok("load", "tour", "--topology", topology, "--run", run,
                                     "--json", "--quiet")
        tour = json.loads(answer.out)
        self.assertTrue(tour["equal"])
        self.assertGreater(len(tour["steps"]), 20)
        self.assertEqual([s["type"] for s in tour["steps"] if not s["asExpected"]], [])
        books = json.loads(support.millrace_ok("verify", "--topology", topology, "--ledger",
                                               "--json", "--quiet").out)
        self.assertTrue(books["equal"], books)
        dry = ("risk", "check", topology, "--user", f"{run}.bob", "--symbol", f"{run}.SPOT",
               "--side", "BUY", "--price", "100", "--json", "--qty")
        self.assertTrue(json.loads(support.millrace_ok(*dry, "1").out)["allowed"])
        refused = support.millrace(*dry, "9")
        self.assertEqual(refused.code, 1, refused)
        checks = {c["name"]: c["code"] for c in json.loads(refused.out)["checks"]
                  if not c["passed"]}
        self.assertEqual(checks, {"funds": 3001})

    def test_health_is_good(self):
        for part in self.pipeline.parts:
            self.assertEqual(part.get("/health")[0], 200, part.name)


if __name__ == "__main__":
    support.main()
