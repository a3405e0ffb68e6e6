"""The clients of tools/clients: four languages, one pipeline, the same reports.

Goal:   an order that C, Python, Java or Go places is filled, settled, rejected or cancelled, and its
        client says so by its reports and its exit code; all four print the same of any order, and
        that is what a stock deserializer finds in the topic; an order sent twice is one order; what
        is missing or wrong is named.
Method: two of them trade with each other, then the other two; every order is then followed by all
        four from the beginning, and its lines are made a second time from the topic's records.
"""

import decimal
import json
import subprocess
import sys
import unittest
import uuid

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

import clients
import support

LANGUAGES = ("c", "python", "java", "go")
SYMBOL = "SPOT"
SHOWN = ("execType", "status", "orderId", "symbol", "side", "lastQty", "lastPx", "tradeId", "liquidity",
         "feeAmount", "feeAsset", "cumQty", "leavesQty", "cancelledQty", "cancelReason", "rejectCode",
         "rejectText", "version", "execId")
NOW = "2026-01-01T00:00:00.000000Z"


def produce(topology, topic, *values):
    text = "\n".join(json.dumps(value) for value in values)
    support.millrace_ok("produce", topic, "--topology", topology.file, stdin=text.encode())


def set_up_market(topology, users):
    produce(topology, "instruments", {
        "symbol": SYMBOL, "ts": NOW, "baseAsset": "BTC", "quoteAsset": "USDT", "state": "TRADING",
        "tickSize": "0.000001", "lotSize": "0.00000001", "minPrice": "0.01", "maxPrice": "1000000",
        "minQty": "0.001", "maxQty": "9000", "minNotional": "5", "maxNotional": "9000000",
        "makerFee": "0.0002", "takerFee": "0.001", "version": 1})
    produce(topology, "prices", {"symbol": SYMBOL, "ts": NOW, "kind": "LAST", "price": "100", "seq": 1,
                                 "source": "test"})
    produce(topology, "accounts", *(
        {"eventId": f"{user}-{asset}", "ts": NOW, "userId": user, "action": "DEPOSIT", "asset": asset,
         "amount": "100000", "cancelOrders": False} for user in users for asset in ("BTC", "USDT")))


def plain(value):
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        clients.build()
        support.fresh_stack()
        cls.topology = support.Topology("clients")
        cls.topology.apply()
        cls.account = support.Process(cls.topology, "account", "--group", "account", state="state-account")
        cls.market = support.Process(cls.topology, "market", "--group", "market", state="state-market")
        for part in (cls.account, cls.market):
            cls.addClassCleanup(part.close)
            part.start()
        for part in (cls.account, cls.market):
            part.wait_ready()
        cls.run_name = cls.topology.stamp
        set_up_market(cls.topology, [cls.user(language) for language in LANGUAGES])
        # Deposits and orders are different inputs: an order must not overtake what pays for it.
        support.wait_until(lambda: len(support.read_topic("accounts.approved")) == 2 * len(LANGUAGES),
                           "the deposits are through")

    @classmethod
    def user(cls, language):
        return f"{cls.run_name}-{language}"

    def start(self, language, *args, **options):
        client = clients.Client(language, *args, **options)
        self.addCleanup(client.close)
        return client

    def order(self, language, side, qty, price, *more, user=None, order=None):
        """A started client and its order's id."""
        order = order or str(uuid.uuid4())
        client = self.start(language, "--user", user or self.user(language), "--symbol", SYMBOL, "--side",
                            side, "--qty", qty, "--price", price, "--order-id", order, *more)
        return client, order

    def from_topic(self, order):
        """The order's lines, as a stock deserializer and this file make them."""
        deserialize = AvroDeserializer(self.enterContext(SchemaRegistryClient({"url": support.REGISTRY})))
        context = SerializationContext("executions", MessageField.VALUE)
        found = (deserialize(message.value(), context) for message in support.read_topic("executions"))
        return [" ".join([report["ts"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                          *(f"{name}={plain(report[name])}" for name in SHOWN if report[name] is not None)])
                for report in found if report["orderId"] == order]

    def assert_all_see(self, user, order, lines, code):
        self.assertEqual(lines, self.from_topic(order))
        runs = {language: self.start(language, "--user", user, "--order-id", order, "--follow")
                for language in LANGUAGES}
        for language, run in runs.items():
            with self.subTest(order=order, seen_by=language):
                self.assertEqual(run.finish(), (code, lines, ""))

    def trade(self, seller, buyer, qty, price):
        with self.subTest(seller=seller, buyer=buyer):
            sells, asked = self.order(seller, "SELL", qty, price)
            sells.wait_for("status=ACCEPTED")
            buys, bid = self.order(buyer, "BUY", qty, price)
            for client, order, liquidity in ((buys, bid, "TAKER"), (sells, asked, "MAKER")):
                code, lines, err = client.finish()
                self.assertEqual((code, err), (0, ""), lines)
                self.assertEqual([line.split()[1:3] for line in lines],
                                 [["execType=NEW", "status=ACCEPTED"], ["execType=TRADE", "status=FILLED"],
                                  ["execType=SETTLED", "status=SETTLED"]])
                self.assertIn(f" lastQty={qty} lastPx={price} ", lines[1])
                self.assertIn(f" liquidity={liquidity} ", lines[1])
                self.assert_all_see(self.user(client.language), order, lines, 0)

    def test_the_python_client_passes_its_own_tests(self):
        # build.sh has run those of Java and Go.
        done = subprocess.run([sys.executable, "-B", "-m", "unittest", "test_client"], capture_output=True, text=True,
                              cwd=clients.CLIENTS / "python", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"Ran [1-9]\d* tests")

    def test_two_trade_and_all_four_see_the_same(self):
        # The last digit of an amount counts; each of them sells once and buys once.
        self.trade("c", "python", "1.00000001", "100.5")
        self.trade("python", "c", "0.5", "99")
        self.trade("java", "go", "2.25", "101.000003")
        self.trade("go", "java", "10", "100")

    def test_an_order_without_funds_is_rejected(self):
        for language in LANGUAGES:
            with self.subTest(language):
                user = f"{self.user(language)}-poor"
                client, order = self.order(language, "BUY", "1", "100", user=user)
                code, lines, err = client.finish()
                self.assertEqual((code, err, len(lines)), (1, "", 1), lines)
                self.assertIn("execType=REJECTED status=REJECTED", lines[0])
                self.assertIn(" rejectCode=3001 ", lines[0])
                if language == "go":
                    self.assert_all_see(user, order, lines, 1)

    def test_a_cancelled_order_is_over(self):
        for language in LANGUAGES:
            with self.subTest(language):
                client, order = self.order(language, "BUY", "1", "91")
                client.wait_for("status=ACCEPTED")
                produce(self.topology, "orders", {
                    "eventId": f"{order}-cancel", "ts": NOW, "action": "CANCEL", "orderId": f"{order}-cancel",
                    "userId": self.user(language), "symbol": SYMBOL, "side": "BUY", "ordType": "LIMIT",
                    "tif": "GTC", "postOnly": False, "reduceOnly": False, "stpMode": "EXPIRE_TAKER",
                    "targetOrderId": order, "source": "test"})
                code, lines, err = client.finish()
                self.assertEqual((code, err), (1, ""), lines)
                self.assertIn("status=CANCELLED", lines[-1])
                self.assertIn("cancelReason=USER", lines[-1])

    def test_sent_twice_is_one_order_and_time_is_named(self):
        runs = []
        for language in LANGUAGES:
            first, order = self.order(language, "BUY", "1", "92", "--timeout", "4")
            first.wait_for("status=ACCEPTED")
            again, _ = self.order(language, "BUY", "1", "92", "--timeout", "4", order=order)
            runs.append((language, order, first, again))
        for language, order, first, again in runs:
            with self.subTest(language):
                code, lines, err = first.finish()
                self.assertEqual((code, len(lines)), (1, 1), lines)
                self.assertIn(f"order {order} was not over after 4 s (--timeout); last status: ACCEPTED", err)
                code, lines, err = again.finish()
                self.assertEqual((code, lines), (1, []))
                self.assertIn("last status: none", err)
                self.assertEqual(len(self.from_topic(order)), 1)

    def test_misuse_is_named(self):
        order = ("--user", "u", "--symbol", SYMBOL, "--side", "BUY", "--qty", "1", "--price", "2")
        wrong = [(("--user", "u"), "symbol"), ((*order, "--nothing"), "nothing"),
                 ((*order[:-1], "1e3"), "price"), ((*order[:5], "LONG", *order[6:]), "side"),
                 ((*order[:7], "0.0000000000000000001", *order[8:]), "qty"),
                 (("--user", "u", "--follow"), "order-id"), ((*order, "--timeout", "0"), "timeout")]
        for language in LANGUAGES:
            runs = [(self.start(language, *args), words) for args, words in wrong]
            for run, words in runs:
                with self.subTest(language, wrong=words):
                    code, lines, err = run.finish()
                    self.assertEqual((code, lines), (2, []), err)
                    self.assertIn(words, err)
            with self.subTest(language, help=True):
                code, lines, err = self.start(language, "--help").finish()
                self.assertEqual((code, err), (0, ""))
                for name in ("bootstrap", "registry", "user", "symbol", "side", "qty", "price", "timeout",
                             "exit codes:"):
                    self.assertIn(name.lower(), "\n".join(lines).lower())

    def test_servers_that_are_away_are_named(self):
        gone = f"127.0.0.1:{support.free_port()}"
        order = ("--user", "u", "--symbol", SYMBOL, "--side", "BUY", "--qty", "1", "--price", "2",
                 "--timeout", "3")
        for language in LANGUAGES:
            no_registry = self.start(language, *order, servers=(
                "--bootstrap", support.BOOTSTRAP, "--registry", f"http://{gone}"))
            no_kafka = self.start(language, *order, servers=(
                "--bootstrap", gone, "--registry", support.REGISTRY))
            for run in (no_registry, no_kafka):
                with self.subTest(language, missing="registry" if run is no_registry else "kafka"):
                    code, lines, err = run.finish()
                    self.assertEqual((code, lines), (1, []), err)
                    self.assertIn(gone, err)


if __name__ == "__main__":
    support.main()
