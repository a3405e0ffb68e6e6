"""Schemas change while the pipeline runs: old and new writers, old and new readers, on every topic.

Goal:   wherever a record enters the pipeline, from outside or between two stages, one that a newer
        writer wrote (more fields, another order) and one that an older writer wrote (fields missing,
        ints for longs) is processed like our own, and no record becomes a dead letter; every topic can be
        read with an older and with a newer schema; what breaks the rules is refused when it is
        registered, and what only a newer reader understands is a dead letter that says why.
Method: every edge travels through its topic here. A record that the pipeline wrote itself is written
        again under new identities by the other version; what must come of it is awaited downstream.
"""

import copy
import datetime
import decimal
import unittest
import uuid

import evolution
import support

INTERNAL = ("orders.validated: {key: userId, value: OrderCommand", "orders.unique:    {key: userId, value: OrderCommand",
            "accounts.approved: {key: userId, value: AccountCommand, retention: 30d",
            "trades:       {key: symbol, value: Trade",
            "book.snapshots: {key: symbol, value: BookSnapshot, cleanup: compact")
KEYS = {"orders": "userId", "accounts": "userId", "prices": "symbol", "instruments": "symbol",
        "orders.validated": "userId", "orders.unique": "userId", "orders.approved": "symbol",
        "accounts.approved": "userId", "executions": "userId", "trades": "symbol", "book.snapshots": "symbol"}
SYMBOL = "SPOT"
HOLDER = "resting"


def amount(text):
    return decimal.Decimal(text)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Evolution(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("evolution", partitions=2, edits=[
            (text + "}", text + ", boundary: topic}") for text in INTERNAL])
        topics = [t["name"] for t in cls.topology.describe()["topics"] if t["kind"] == "declared"]
        # Before, so that ours is the only version; after, so that it is again for other tests.
        evolution.forget(topics)
        cls.addClassCleanup(evolution.forget, topics)
        cls.topology.apply()
        cls.registry = evolution.Registry()
        cls.writer = evolution.Writer()
        cls.ours = {topic: evolution.latest(topic) for topic in topics}
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.start()
        cls.models = cls.make_models()

    # ---- writing and reading

    @classmethod
    def send(cls, version, topic, record):
        """The record by our version, a newer or an older one. Fields without value have their default."""
        our_id, ours = cls.ours[topic]
        whole = {field["name"]: copy.deepcopy(field["default"])
                 for field in ours["fields"] if "default" in field} | record
        if version == "newer":
            schema = evolution.newer(ours)
            # Registered where a writer would: the subject must take it.
            schema_id = evolution.register(f"{topic}-value", schema)
            whole |= evolution.ADDED
        elif version == "older":
            schema = evolution.older(ours, whole)
            # From before our own version, so it cannot follow it: the id alone is what counts.
            schema_id = evolution.register(f"{cls.topology.application}-{topic}-{uuid.uuid4().hex}", schema)
        else:
            schema, schema_id = ours, our_id
        cls.writer.send(topic, record[KEYS[topic]].encode(), schema_id, schema, whole)

    @classmethod
    def records(cls, topic):
        return [cls.registry.read(message.value()) for message in support.read_topic(topic)
                if message.value() is not None]

    @classmethod
    def wait_for(cls, topic, what, accept):
        """The first record of the topic that accept() takes."""
        return support.wait_until(
            lambda: next((record for record in cls.records(topic) if accept(record)), None),
            f"{topic} has {what}", 30, every_s=0.2)

    # ---- what goes in

    @staticmethod
    def instrument(symbol):
        return {"symbol": symbol, "ts": now(), "baseAsset": "BTC", "quoteAsset": "USDT", "state": "TRADING",
                "tickSize": amount("0.01"), "lotSize": amount("0.001"), "minPrice": amount("0.01"),
                "maxPrice": amount("1000000"), "minQty": amount("0.001"), "maxQty": amount("9000"),
                "minNotional": amount("5"), "maxNotional": amount("9000000"), "makerFee": amount("0.0002"),
                "takerFee": amount("0.001"), "version": 1}

    @staticmethod
    def price(symbol):
        return {"symbol": symbol, "ts": now(), "kind": "LAST", "price": amount("100"), "seq": 1, "source": "test"}

    @staticmethod
    def deposit(user, asset, quantity="1000"):
        return {"eventId": str(uuid.uuid4()), "ts": now(), "userId": user, "action": "DEPOSIT", "asset": asset,
                "amount": amount(quantity)}

    @staticmethod
    def order(user, symbol, side, price, qty="1"):
        order = str(uuid.uuid4())
        return {"eventId": order, "ts": now(), "action": "NEW", "orderId": order, "userId": user,
                "idempotencyKey": order, "symbol": symbol, "side": side, "qty": amount(qty), "price": amount(price),
                "source": "test"}

    @classmethod
    def fund(cls, version, user):
        for asset in ("BTC", "USDT"):
            deposit = cls.deposit(user, asset)
            cls.send(version, "accounts", deposit)
            # Another input than the orders: they must not overtake it.
            cls.wait_for("accounts.approved", f"the deposit of {user}",
                         lambda record, event=deposit["eventId"]: record["eventId"] == event)

    @classmethod
    def trade(cls, version, symbol):
        """Everything that a trade needs, by one version; (maker's order, taker's order)."""
        cls.send(version, "instruments", cls.instrument(symbol))
        cls.send(version, "prices", cls.price(symbol))
        users = [f"{version}-{side}-{cls.topology.stamp}" for side in ("seller", "buyer")]
        for user in users:
            cls.fund(version, user)
        maker = cls.order(users[0], symbol, "SELL", "100.01", "1.5")
        taker = cls.order(users[1], symbol, "BUY", "100.01", "1.5")
        cls.send(version, "orders", maker)
        cls.wait_for("executions", "the maker's order", lambda r: r["orderId"] == maker["orderId"])
        cls.send(version, "orders", taker)
        return maker, taker

    @classmethod
    def settled(cls, order):
        return cls.wait_for("executions", f"the settlement of {order['orderId']}",
                            lambda r: r["orderId"] == order["orderId"] and r["execType"] == "SETTLED")

    @classmethod
    def make_models(cls):
        """One record of each internal topic as the pipeline writes it, from orders of our own version."""
        _, taker = cls.trade("ours", SYMBOL)
        cls.settled(taker)
        cls.fund("ours", HOLDER)
        resting = cls.order(HOLDER, SYMBOL, "BUY", "95")
        cls.send("ours", "orders", resting)

        def of_order(record):
            return record["orderId"] == resting["orderId"]

        models = {topic: cls.wait_for(topic, "the resting order", of_order)
                  for topic in ("executions", "orders.validated", "orders.unique", "orders.approved")}
        models["accounts.approved"] = cls.wait_for("accounts.approved", "a deposit", lambda r: r["userId"] == HOLDER)
        models["trades"] = cls.wait_for("trades", "the trade", lambda r: r["symbol"] == SYMBOL)
        models["book.snapshots"] = cls.wait_for("book.snapshots", "the resting order", lambda r: r["bids"])
        return models

    def dead_letters(self):
        letters = [topic for topic in support.topic_names() if topic.endswith(".dlq")]
        self.assertGreater(len(letters), 5, letters)
        return [dict(message.headers()) for found in support.read_topics(letters).values() for message in found]

    # ---- the topics that others write

    def check_inputs(self, version):
        symbol = f"S{uuid.uuid4().hex[:8].upper()}"
        before = len(self.dead_letters())
        maker, taker = self.trade(version, symbol)
        for order in (maker, taker):
            report = self.settled(order)
            self.assertEqual((report["cumQty"], report["cumQuote"]), (amount("1.5"), amount("150.015")))
        self.wait_for("candles", "the trade", lambda r: r["symbol"] == symbol and r["baseVolume"] == amount("1.5"))
        self.assertEqual(len(self.dead_letters()), before)

    def test_inputs_of_a_newer_writer(self):
        self.check_inputs("newer")

    def test_inputs_of_an_older_writer(self):
        self.check_inputs("older")

    # ---- the topics between the stages

    def check_command(self, version, topic, reaches):
        """An order command under new identities, straight into the topic; it must reach the next one."""
        order = str(uuid.uuid4())
        self.send(version, topic, self.models[topic] | {"orderId": order, "eventId": order, "idempotencyKey": order,
                                                        "fingerprint": None})
        found = self.wait_for(reaches, f"the order from {topic}", lambda r: r["orderId"] == order)
        self.assertEqual(found["userId"], HOLDER)

    def check_between(self, version):
        before = len(self.dead_letters())
        for topic, reaches in (("orders.validated", "orders.unique"), ("orders.unique", "orders.approved"),
                               ("orders.approved", "executions")):
            with self.subTest(topic=topic):
                self.check_command(version, topic, reaches)
        with self.subTest(topic="accounts.approved"):
            event = str(uuid.uuid4())
            self.send(version, "accounts.approved", self.models["accounts.approved"] | {"eventId": event})
            self.wait_for("ledger", "the transfer", lambda r: event in r["journalId"])
        with self.subTest(topic="executions"):
            order = str(uuid.uuid4())
            report = self.models["executions"]
            self.send(version, "executions", report | {"orderId": order, "execId": f"E-{order}",
                                                       "engineSeq": report["engineSeq"] + 1000})
            posted = self.wait_for("ledger", "the hold", lambda r: r["orderId"] == order)
            self.assertEqual({posting["asset"] for posting in posted["postings"]}, {"USDT"})
        with self.subTest(topic="book.snapshots and trades"):
            self.check_market(version)
        self.assertEqual(len(self.dead_letters()), before)

    def check_market(self, version):
        """Both by the symbol: a book that nobody has, then a trade that makes a ticker of it."""
        number = max(record["tradeId"] for record in self.records("trades") if record["symbol"] == SYMBOL) + 1
        bid = amount("90") + number
        snapshot = max((record for record in self.records("book.snapshots") if record["symbol"] == SYMBOL),
                       key=lambda record: record["lastSeq"])
        level = self.models["book.snapshots"]["bids"][0] | {"price": bid}
        self.send(version, "book.snapshots", snapshot | {"lastSeq": snapshot["lastSeq"] + 1, "bids": [level]})
        self.wait_for("tickers", f"the bid {bid}", lambda r: r["bestBid"] == bid)
        self.send(version, "trades", self.models["trades"] | {"tradeId": number})
        self.wait_for("tickers", f"trade {number}", lambda r: r["lastTradeId"] == number)

    def test_between_stages_from_a_newer_writer(self):
        self.check_between("newer")

    def test_between_stages_from_an_older_writer(self):
        self.check_between("older")

    # ---- the topics that others read

    def test_every_topic_is_read_by_older_and_newer_clients(self):
        self.settled(self.trade("ours", f"R{uuid.uuid4().hex[:8].upper()}")[1])
        rejected = self.order(HOLDER, "NOSUCH", "BUY", "1")
        self.send("ours", "orders", rejected)
        self.send("ours", "orders", rejected | {"eventId": str(uuid.uuid4())})
        self.send("ours", "orders", self.order(HOLDER, SYMBOL, "BUY", "95") | {"orderId": "again",
                                                                              "idempotencyKey": "once"})
        self.send("ours", "orders", self.order(HOLDER, SYMBOL, "BUY", "95") | {"orderId": "again-2",
                                                                              "idempotencyKey": "once"})
        self.wait_for("risk-events", "the duplicate", lambda r: True)
        for topic in self.ours:
            with self.subTest(topic=topic):
                self.assertGreater(self.check_readers(topic), 0)

    def check_readers(self, topic):
        """How many records there are that our version wrote; each is what both readers should see."""
        ours, schema = self.ours[topic]
        last = schema["fields"][-1]["name"]
        older = evolution.changed(schema, lambda fields: fields[:-1])
        newer = evolution.newer(schema)
        added = {field["name"]: field["default"] for field in (evolution.ADDED_FIRST, evolution.ADDED_LAST)}
        messages = [message.value() for message in support.read_topic(topic)
                    if message.value() is not None and evolution.schema_id(message.value()) == ours]
        for message in messages:
            whole = self.registry.read(message)
            self.assertEqual(self.registry.read(message, older),
                             {name: value for name, value in whole.items() if name != last})
            self.assertEqual(self.registry.read(message, newer), whole | added)
        return len(messages)

    # ---- what breaks the rules

    def test_a_field_without_a_default_is_refused(self):
        status, answer = evolution.post("orders-value", evolution.changed(
            self.ours["orders"][1], lambda fields: [*fields, {"name": "needed", "type": "string"}]))
        self.assertEqual(status, 409, answer)

    def test_apply_refuses_what_cannot_read_the_subject(self):
        # Somebody has registered a version that our OrderCommand cannot read: it lacks the symbol.
        subject = f"refused{self.topology.stamp}"
        evolution.register(f"{subject}-value", evolution.changed(
            self.ours["orders"][1], lambda fields: [f for f in fields if f["name"] != "symbol"]))
        path = self.topology.variant("refused.yaml", [
            ("topics:\n", f"topics:\n  {subject}: {{key: userId, value: OrderCommand}}\n")])
        outcome = support.millrace("topology", "apply", path)
        self.assertEqual(outcome.code, 2, outcome)
        self.assertRegex(outcome.out + outcome.err,
                         f"{subject}-value +schema OrderCommand cannot read what the subject's latest version wrote")
        self.assertNotIn(subject, support.topic_names())

    def test_a_symbol_that_we_do_not_know_is_a_dead_letter(self):
        def with_day(fields):
            fields = copy.deepcopy(fields)
            next(f for f in fields if f["name"] == "tif")["type"]["symbols"].append("DAY")
            return fields

        schema = evolution.changed(self.ours["orders"][1], with_day)
        # It may follow ours in a registry: BACKWARD asks whether new readers read old records.
        subject = f"{self.topology.application}-day"
        evolution.register(subject, self.ours["orders"][1])
        schema_id = evolution.register(subject, schema)
        for tif, is_read in (("GTC", True), ("DAY", False)):
            order = self.order(HOLDER, SYMBOL, "BUY", "95")
            whole = {f["name"]: f["default"] for f in schema["fields"] if "default" in f} | order | {"tif": tif}
            self.writer.send("orders", HOLDER.encode(), schema_id, schema, whole)
            if is_read:
                self.wait_for("executions", "the GTC order", lambda r, o=order: r["orderId"] == o["orderId"])
        letters = support.wait_until(
            lambda: [headers for headers in self.dead_letters() if b"tif" in b"".join(headers.values())],
            "a dead letter that names the field", 30, every_s=0.2)
        self.assertEqual({headers["millrace.error.class"] for headers in letters}, {b"poison"}, letters)


if __name__ == "__main__":
    support.main()
