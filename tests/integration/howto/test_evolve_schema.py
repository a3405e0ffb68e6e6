"""docs/howto/evolve-a-schema.md, done: OrderCommand gains a field while orders flow.

Goal:   the program of the new schema takes over group by group, and back, and the proof is as equal as
        if nothing had happened; the new field reaches the end of the pipeline once both groups have it;
        programs of either version read what the other wrote.
Method: a copy of the schemas gains the field, and the same sources are built with it into a directory
        of their own (seconds when nothing else changed). One load, sent by the program of the old
        schema, runs through all of it.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import evolution  # noqa: E402
import support  # noqa: E402

EVOLVED = support.ROOT / "build/howto/evolve-schema"
SCHEMA = "OrderCommand.avsc"
FIELD = '{"name": "desk", "type": "string", "doc": "Whose desk asked.", "default": ""}'
TRADES = 2500
RATE = "300/s"
BUILD_S = 540


def add_field():
    """A copy of the schemas in which OrderCommand ends with the new field; unchanged files keep their time."""
    target = EVOLVED / "schemas"
    for path in (support.ROOT / "schemas/avro").rglob("*.avsc"):
        text = path.read_text()
        if path.name == SCHEMA:
            head, end, _ = text.rpartition("\n  ]\n")
            assert end, f"{SCHEMA} does not end as it did: write the field where the page says"
            text = f"{head},\n    {FIELD}\n  ]\n}}\n"
        copy = target / path.relative_to(support.ROOT / "schemas/avro")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_text() != text:
            copy.write_text(text)
    return target


def build():
    """The program of the evolved schemas."""
    directory = EVOLVED / "build"
    for words in (["cmake", "-S", support.ROOT, "-B", directory, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                   "-DCMAKE_C_FLAGS_DEBUG=-O0", f"-DMR_SCHEMA_DIR={add_field()}"],
                  ["cmake", "--build", directory, "--target", "millrace"]):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=BUILD_S,
                              env={k: v for k, v in os.environ.items() if k != "DESTDIR"})
        if done.returncode != 0:
            shutil.rmtree(directory, ignore_errors=True)
            raise AssertionError(f"{' '.join(map(str, words))}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return directory / "tools/millrace/millrace"


class EvolveSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.old = support.program()
        cls.new = str(build())
        support.fresh_stack()
        cls.topology = support.Topology("evolve")
        cls.topics = [t["name"] for t in cls.topology.describe()["topics"] if t["schema"] == "OrderCommand"]
        evolution.forget(cls.topics)
        cls.addClassCleanup(evolution.forget, cls.topics)
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.start()

    def run_new(self, *args, stdin=None):
        done = subprocess.run([self.new, *map(str, args)], input=stdin, capture_output=True, check=False,
                              timeout=support.COMMAND_S, cwd=support.ROOT, preexec_fn=support.die_with_parent)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def roll(self, part, program):
        """One process, stopped well and started with another program."""
        code, _ = part.terminate()
        self.assertEqual(code, 0, part.tail())
        part.args[0] = program
        part.start().wait_ready()

    def desks(self, topic, order):
        """What stands in the new field of the order's commands on the topic."""
        lines = self.run_new("tap", topic, "--topology", self.topology.file).splitlines()
        return [value["desk"] for value in (json.loads(line)["value"] for line in lines)
                if value is not None and value["orderId"] == order]

    def send(self, order, desk):
        """An order by the new program, and a deposit that pays for it."""
        user, stamp = f"howto-{self.topology.stamp}", "2026-01-01T00:00:00.000000Z"
        self.run_new("produce", "accounts", "--topology", self.topology.file, stdin=json.dumps({
            "eventId": f"{order}-deposit", "ts": stamp, "userId": user, "action": "DEPOSIT", "asset": "USDT",
            "amount": "1000000", "cancelOrders": False}).encode())
        support.wait_until(lambda: any(f"{order}-deposit".encode() in message.value()
                                       for message in support.read_topic("accounts.approved")), "the deposit")
        self.run_new("produce", "orders", "--topology", self.topology.file, stdin=json.dumps({
            "eventId": order, "ts": stamp, "action": "NEW", "orderId": order, "userId": user, "symbol": "BTCUSDT",
            "side": "BUY", "ordType": "LIMIT", "tif": "GTC", "qty": "0.001", "price": "60000", "postOnly": False,
            "reduceOnly": False, "stpMode": "EXPIRE_TAKER", "source": "howto", "desk": desk}).encode())
        support.wait_until(lambda: any(order.encode() in message.value()
                                       for message in support.read_topic("executions")), f"a report of {order}")

    def test_a_field_is_added_while_orders_flow(self):
        load = support.Load(self.topology, "evolve", TRADES, "--rate", RATE)
        self.addCleanup(load.close)
        load.start_and_wait(200)
        applied = json.loads(self.run_new("topology", "apply", "--json", self.topology.file))
        self.assertEqual({item["name"] for item in applied["items"] if item["action"] != "kept"},
                         {f"{topic}-value" for topic in self.topics})
        # Who reads what others write goes first.
        for part in (self.pipeline.market, self.pipeline.connectors, self.pipeline.account):
            self.roll(part, self.new)
        self.assertIsNone(load.child.poll(), "the load still flows when all have the new program")
        load.finish()
        load.verify()

        self.send(f"one-{self.topology.stamp}", "d7")
        for topic in ("orders", "orders.validated", "orders.unique", "orders.approved"):
            self.assertEqual(self.desks(topic, f"one-{self.topology.stamp}"), ["d7"], topic)

        # The way back is the same. The old program reads the new records, and writes its own again.
        for part in (self.pipeline.account, self.pipeline.market):
            self.roll(part, self.old)
        self.send(f"two-{self.topology.stamp}", "d8")
        self.assertEqual(self.desks("orders", f"two-{self.topology.stamp}"), ["d8"])
        self.assertEqual(self.desks("orders.approved", f"two-{self.topology.stamp}"), [""], "the field's default")
        letters = support.read_topics([t for t in support.topic_names() if t.endswith(".dlq")])
        self.assertEqual([message.headers() for found in letters.values() for message in found], [])


if __name__ == "__main__":
    support.main()
