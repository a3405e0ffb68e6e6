"""The parts that need no server: amounts, partitions, the wire format, evolution, the last report."""

import argparse
import datetime
import decimal
import unittest

import place_order
import report
from partitioner import murmur2, partition_of
from registry import decode, encode

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


class OneSchema:
    """A registry that has one schema, under id 7."""

    def __init__(self, schema):
        self.schema = schema

    def writer(self, schema_id):
        if schema_id != 7:
            raise AssertionError(f"asked for schema {schema_id}")
        return self.schema


def example(**changed):
    value = {"execId": "e", "ts": NOW, "execType": "TRADE", "status": "FILLED", "orderId": "o", "symbol": "S",
             "side": "BUY", "lastQty": decimal.Decimal("1.500000000000000000"), "lastPx": None, "tradeId": None,
             "liquidity": None, "cumQty": decimal.Decimal(3), "leavesQty": decimal.Decimal(0),
             "cancelledQty": decimal.Decimal(0), "feeAmount": None, "feeAsset": None, "rejectCode": None,
             "rejectText": None, "cancelReason": None, "version": 2}
    return value | changed


class Client(unittest.TestCase):
    def test_murmur2_is_that_of_java(self):
        # The vectors of Kafka's own UtilsTest.
        for key, expected in (("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536),
                              ("a-little-bit-longer-string", -1486304829), ("abc", 479470107)):
            self.assertEqual(murmur2(key.encode()), expected & 0xFFFFFFFF, key)
        self.assertEqual(partition_of(b"21", 6), (-973932308 & 0x7FFFFFFF) % 6)

    def test_amounts_are_exact_or_refused(self):
        self.assertEqual(place_order.amount("0.000000000000000001"), decimal.Decimal("1E-18"))
        for words in ("1e3", "-1", "0.0", "", "1.", ".5", "NaN", "0.0000000000000000001", "12345678901234567"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=words):
                place_order.amount(words)

    def test_decimals_survive_and_are_plain(self):
        largest = report.EXACT.create_decimal("99999999999999999999.999999999999999999")
        framed = encode(7, place_order.READER_SCHEMA, example(lastPx=largest))
        self.assertEqual(framed[:5], b"\0\0\0\0\7")
        back = decode(OneSchema(place_order.READER_SCHEMA), framed, place_order.READER_SCHEMA)
        self.assertEqual(back["lastPx"], largest)
        self.assertEqual(report.text(back["lastPx"]), "99999999999999999999.999999999999999999")
        self.assertEqual(report.text(decimal.Decimal("1.500000000000000000")), "1.5")
        self.assertEqual(report.text(decimal.Decimal("100")), "100")

    def test_a_line_is_utc_and_leaves_out_what_is_absent(self):
        east = NOW.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
        line = report.line(example(ts=east))
        self.assertTrue(line.startswith("2026-01-02T03:04:05.000006Z execType=TRADE status=FILLED "), line)
        self.assertIn(" lastQty=1.5 ", line)
        self.assertNotIn("rejectCode", line)

    def test_a_newer_writer_is_read(self):
        newer = dict(place_order.READER_SCHEMA)
        newer["fields"] = [{"name": "venue", "type": "string"}, *reversed(newer["fields"][:7]), *newer["fields"][7:]]
        newer.pop("__fastavro_parsed__", None)
        framed = encode(7, newer, example(venue="somewhere"))
        self.assertEqual(decode(OneSchema(newer), framed, place_order.READER_SCHEMA)["orderId"], "o")
        with self.assertRaises(ValueError):
            decode(OneSchema(newer), b"\1\0\0\0\7", place_order.READER_SCHEMA)

    def test_which_report_is_the_last(self):
        some, none = decimal.Decimal(1), decimal.Decimal(0)
        for exec_type, status, cum, expected in (
                ("NEW", "ACCEPTED", none, None), ("TRADE", "FILLED", some, None), ("SETTLED", "SETTLED", some, "SETTLED"),
                ("CANCELED", "CANCELLED", none, "CANCELLED"), ("CANCELED", "CANCELLED", some, None),
                ("SETTLED", "CANCELLED", some, "CANCELLED"), ("REJECTED", "REJECTED", none, "REJECTED")):
            found = report.outcome(example(execType=exec_type, status=status, cumQty=cum))
            self.assertEqual(found, expected, (exec_type, status, cum))

    def test_an_order_names_its_request(self):
        args = place_order.arguments(["--bootstrap", "b", "--registry", "r", "--user", "u", "--symbol", "S", "--side",
                                      "SELL", "--qty", "1", "--price", "2", "--order-id", "mine"])
        command = place_order.order_command(args, NOW)
        self.assertEqual((command["orderId"], command["idempotencyKey"]), ("mine", "mine"))
        self.assertNotEqual(command["eventId"], place_order.order_command(args, NOW)["eventId"])


if __name__ == "__main__":
    unittest.main()
