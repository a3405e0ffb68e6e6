"""Records that nobody can read: one dead letter each, with what is needed to find and judge it.

Goal:   whatever stands on an input, each bad record becomes exactly one dead letter of the stage
        and one of the connector that read it, bytes and key as they were, with its coordinates,
        error class and text in headers; good records before, between and behind are processed.
Method: a stock client sends good and bad records in turn; afterwards every letter is compared with
        the record it names. A bad record stands at a known offset, so "exactly one" is a
        comparison of sets of coordinates, over a restart too.
"""

import io
import random
import unittest

import confluent_kafka
import fastavro

import orders
import support

UNKNOWN_ID = 0x7ffffff0
LETTER_BYTES_MAX = 2_000_000  # a larger value is left out of its letter; the coordinates find it


class BadOrders(orders.Orders):
    def bad(self):
        """[(what, key, value, status that must be named)]"""
        header = self.header()
        body, _ = self.body("u1")
        event = body[:37]  # length and 36 letters of the eventId
        noise = random.Random(1).randbytes
        # qty: union branch 1, then 16 bytes; 2^127 - 1 has more than 38 digits.
        qty = body.index(bytes([2]) + (10 ** 18).to_bytes(16, "big")) + 1
        too_wide = body[:qty] + b"\x7f" + b"\xff" * 15 + body[qty + 16:]
        return [
            ("text", b"u1", b'{"note": "not Avro"}', "MALFORMED"),
            ("no byte", b"u1", b"", "MALFORMED"),
            ("half a header", b"u1", header[:3], "MALFORMED"),
            ("another magic byte", b"u1", self.header(magic=1) + body, "MALFORMED"),
            ("unknown schema id", b"u1", self.header(UNKNOWN_ID) + body, "SCHEMA_UNKNOWN"),
            ("id of another record", b"u1", self.header(other_schema_id()) + body, ""),
            ("header alone", b"u1", header, "MALFORMED"),
            ("cut in a string", b"u1", header + body[:20], "MALFORMED"),
            ("cut before the last field", b"u1", header + body[:-1], "MALFORMED"),
            ("bytes behind the last field", b"u1", header + body + b"\0", "MALFORMED"),
            ("a string longer than the record", b"u1", header + b"\xfe\xff\xff\xff\x0f" + body, ""),
            ("a string of negative length", b"u1", header + b"\x01" + body, "MALFORMED"),
            ("an enum without this symbol", b"u1", header + event + b"\0\0\x62" + body, ""),
            ("a varint without end", b"u1", header + b"\xff" * 12, "MALFORMED"),
            ("a number of more than 38 digits", b"u1", header + too_wide, ""),
            ("noise", b"u1", header + noise(500), ""),
            ("a key that is not the user", b"u2", header + body, "MALFORMED"),
            ("no key", None, header + body, "MALFORMED"),
            ("a tombstone", b"u1", None, ""),
            ("larger than a record may be, compressed small", b"u1",
             header + event + b"x" * (3 << 20), ""),
            ("as large as the topic takes, not compressible", b"u1", header + noise(1_040_000), ""),
        ]


def other_schema_id():
    return support.http_json(f"{support.REGISTRY}/subjects/trades-value/versions/latest")[1]["id"]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("bad", partitions=1)
        cls.topology.apply()
        cls.process = support.Process(cls.topology, "all", "--group", "all",
                                      "--connectors", "orders-documentdb")
        cls.addClassCleanup(cls.process.close)
        cls.process.start().wait_ready()
        cls.orders = BadOrders()
        cls.sent = {}  # offset -> (what, key, value, status)
        cls.accepted = []
        cls.play()
        cls.good_ones_are_done()
        cls.metrics = cls.process.metrics()
        cls.connector_letters = cls.settled_letters()
        # Again from where it was: what is dead-lettered stays so, once. Of the stage; a connector's
        # letters are at least once, like its writes.
        cls.process.kill()
        cls.process.start().wait_ready()
        cls.send_good()
        cls.good_ones_are_done()

    @classmethod
    def play(cls):
        producer = cls.producer()
        for topic in ("accounts", "instruments", "prices"):
            producer.produce(topic, b"garbage", b"BTCUSDT", partition=0)
        failed = []

        def landed(what):
            def note(error, message):
                if error is not None:
                    failed.append((what[0], error))
                else:
                    cls.sent[message.offset()] = what
            return note

        for what in cls.orders.bad():
            producer.produce("orders", what[2], what[1], partition=0, on_delivery=landed(what))
            producer.flush(20)  # a batch for each: a large one must not keep others out
            cls.send_good(producer)
        if failed:
            raise AssertionError(f"not sent: {failed}")

    @staticmethod
    def producer():
        return confluent_kafka.Producer({
            "bootstrap.servers": support.BOOTSTRAP, "linger.ms": 0, "compression.type": "snappy",
            "message.max.bytes": 8 << 20})

    @classmethod
    def send_good(cls, producer=None):
        producer = producer or cls.producer()
        value, order = cls.orders.good("u1")
        producer.produce("orders", value, b"u1", partition=0)
        cls.accepted.append(order)
        producer.flush(20)

    @classmethod
    def good_ones_are_done(cls):
        """Each good order has its outcome, which stands behind every bad one before it."""
        schema = fastavro.parse_schema(fastavro.schema.load_schema(
            support.ROOT / "schemas/avro/ExecutionReport.avsc"))

        def outcomes():
            found = [fastavro.schemaless_reader(io.BytesIO(m.value()[5:]), schema)["orderId"]
                     for m in support.read_topic("executions")]
            return found if len(found) >= len(cls.accepted) else None

        try:
            found = support.wait_until(outcomes, "every good order has an outcome", 25, 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cls.process.tail()}") from None
        if found != cls.accepted:
            raise AssertionError(f"outcomes {found}, not {cls.accepted}")

    @classmethod
    def settled_letters(cls):
        """The connector's letters, once it has gone through everything."""
        def done():
            at = f"{cls.topology.application}.orders-documentdb"
            lag = [v for labels, v in cls.process.metrics().get("millrace_lag_records", {}).items()
                   if dict(labels)["consumer"] == at]
            return lag and max(lag) == 0
        support.wait_until(done, "the connector has read everything", 30, 0.2)
        return cls.letters("orders-documentdb")

    @classmethod
    def letters(cls, owner):
        topic = f"{cls.topology.application}.{owner}.dlq"
        return [(m, {n: v.decode() for n, v in m.headers() or []})
                for m in support.read_topic(topic)]

    def check_letters(self, owner, letters, expected):
        places = [int(headers["millrace.source.offset"]) for _, headers in letters]
        names = [self.sent.get(p, ("(a good record)",))[0] for p in places]
        self.assertEqual(sorted(places), sorted(expected), names)
        for message, headers in letters:
            what, key, value, status = self.sent[int(headers["millrace.source.offset"])]
            with self.subTest(owner=owner, what=what):
                self.assertEqual(message.key(), key)
                if value is not None and len(value) > LETTER_BYTES_MAX:
                    self.assertEqual(message.value(), b"")
                    self.assertEqual(headers["millrace.value.bytes"], str(len(value)))
                else:
                    self.assertEqual(message.value(), value)
                    self.assertNotIn("millrace.value.bytes", headers)
                self.assertEqual(headers["millrace.source.topic"], "orders")
                self.assertEqual(headers["millrace.source.partition"], "0")
                self.assertEqual(headers["millrace.error.class"], "poison")
                self.assertGreater(len(headers["millrace.error.text"]), 5)
                self.assertEqual(headers["millrace.stage"], owner)
                if status:
                    self.assertEqual(headers["millrace.error"], status, headers)
                self.assertTrue(headers["millrace.error"].isupper())

    def test_one_letter_of_the_stage_for_each_bad_record(self):
        self.check_letters("validate", self.letters("validate"), self.sent)

    def test_one_letter_of_the_connector_for_what_it_cannot_write(self):
        # It does not judge keys; a tombstone means nothing among orders.
        wrong = {offset for offset, what in self.sent.items()
                 if what[0] not in ("a key that is not the user", "no key")}
        self.check_letters("orders-documentdb", self.connector_letters, wrong)

    def test_dead_letters_are_counted(self):
        counted = sum(self.metrics["millrace_dead_letters_total"].values())
        self.assertEqual(counted, len(self.sent) + 2, "one in accounts, one in instruments")

    def test_other_inputs_and_tables(self):
        # accounts is an input of risk, instruments one of fill; as tables, prices and instruments
        # keep what they have and have no letters.
        for stage, topic in (("risk", "accounts"), ("fill", "instruments")):
            with self.subTest(topic):
                (message, headers), = self.letters(stage)
                self.assertEqual((message.key(), message.value()), (b"BTCUSDT", b"garbage"))
                self.assertEqual([headers[f"millrace.source.{f}"]
                                  for f in ("topic", "partition", "offset")], [topic, "0", "0"])
                self.assertEqual(headers["millrace.stage"], stage)
        for owner in ("dedupe", "settle", "price-aggregate"):
            self.assertEqual(self.letters(owner), [], owner)

    def test_tap_shows_the_letter_with_its_headers(self):
        topic = f"{self.topology.application}.validate.dlq"
        shown = support.tap(self.topology, topic)
        self.assertEqual([r["headers"] for r in shown], [h for _, h in self.letters("validate")])
        self.assertEqual(shown[0]["bytes"], b'{"note": "not Avro"}'.hex())


if __name__ == "__main__":
    support.main()
