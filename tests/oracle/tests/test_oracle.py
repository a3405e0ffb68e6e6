"""Goal: the oracle's own parts do what their rules say, and bad input is refused in one line.
Method: hand-made values and small dumps; the rules of the stages are proved on recorded runs (storms.py,
selftest.py), where the other implementation is the judge."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import amounts  # noqa: E402
import avro  # noqa: E402
import codes  # noqa: E402
import compare  # noqa: E402
import structure  # noqa: E402
from book import Book  # noqa: E402
from journal import Journal  # noqa: E402
from orders import Order  # noqa: E402
from predict import Predicted, murmur2  # noqa: E402
from recorded import Recorded  # noqa: E402
from store import Store  # noqa: E402


class Amounts(unittest.TestCase):
    def test_text_and_atoms_are_each_others_reverse(self):
        for text in ("0", "1", "-1", "0.5", "-0.000000000000000001", "99999999999999999999.999999999999999999"):
            self.assertEqual(amounts.text_of(amounts.atoms(text)), text)

    def test_every_rounding_goes_its_own_way(self):
        one = amounts.ONE
        self.assertEqual(amounts.product_floor(-1, one // 2), -1)
        self.assertEqual(amounts.product_ceil(1, one // 2), 1)
        self.assertEqual(amounts.share(-7, 1, 2), -3)
        self.assertEqual([amounts.half_even(n, 2) for n in (1, 3, 5, -1, -3)], [0, 2, 2, 0, -2])
        with self.assertRaises(amounts.OutOfRange):
            amounts.product(1, one // 2)
        with self.assertRaises(amounts.OutOfRange):
            amounts.in_range(amounts.MAX + 1)

    def test_times_come_back(self):
        rng = random.Random(1)
        for us in [-1, 0, 253402300799999999, 253402300800000000, *(rng.randrange(10 ** 16) for _ in range(500))]:
            self.assertEqual(amounts.micros(amounts.time_of(us)), us)
        self.assertEqual(amounts.time_of(1723161255342000), "2024-08-08T23:54:15.342000Z")


class Codes(unittest.TestCase):
    @unittest.skipUnless("MILLRACE" in os.environ, "no built millrace")
    def test_the_program_has_the_same_numbers_and_texts(self):
        done = subprocess.run([os.environ["MILLRACE"], "codes", "--json"], capture_output=True, check=True)
        rows = json.loads(done.stdout)["codes"]
        self.assertEqual({row["name"]: (row["number"], row["text"]) for row in rows}, codes.TEXTS)


class Partitions(unittest.TestCase):
    def test_murmur2_is_that_of_kafka(self):
        """Values of Kafka's own tests."""
        for text, value in ((b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536),
                            (b"a-little-bit-longer-string", -1486304829), (b"abc", 479470107)):
            self.assertEqual(murmur2(text), value & 0xffffffff)


class Decoding(unittest.TestCase):
    FRAME = b"\0\0\0\0\7"

    def test_a_price_tick(self):
        price = (15 * 10 ** 17).to_bytes(16, "big")
        data = self.FRAME + b"\6BTC" + b"\x02" + b"\0" + price + b"\0" * 4 + b"\x0e" + b"\0"
        value = avro.decode("PriceTick", 7, data)
        self.assertEqual(value, {"symbol": "BTC", "ts": "1970-01-01T00:00:00.000001Z", "kind": "LAST", "price": "1.5",
                                 "bid": None, "ask": None, "bidQty": None, "askQty": None, "seq": 7, "source": ""})

    def test_what_is_no_record_is_refused(self):
        for data in (b"", self.FRAME, b"\1\0\0\0\7\0", b"\0\0\0\0\x08" + b"\0" * 40, self.FRAME + b"\0" * 80):
            with self.assertRaises(avro.Malformed):
                avro.decode("PriceTick", 7, data)


def resting(name, side, price, qty, user="u", stp="EXPIRE_TAKER"):
    return Order(id=name, side=side, price=price, leaves=qty, user=user, stp=stp)


class Books(unittest.TestCase):
    def setUp(self):
        self.book = Book()
        for name, price, qty in (("a", 10, 1), ("b", 10, 2), ("c", 9, 1)):
            self.book.insert(resting(name, "SELL", price, qty, user=name))

    def test_price_goes_before_time(self):
        self.assertEqual(self.book.first("BUY", 10)[0].id, "c")
        self.book.remove(self.book.orders["c"])
        self.assertEqual(self.book.first("BUY", 10)[0].id, "a")
        self.assertEqual(self.book.first("BUY", 9), (None, "LIMIT"))

    def test_all_or_nothing_counts_what_it_may_take(self):
        self.assertTrue(self.book.can_fill(resting("t", "BUY", 10, 4)))
        self.assertFalse(self.book.can_fill(resting("t", "BUY", 10, 5)))
        self.assertFalse(self.book.can_fill(resting("t", "BUY", 10, 3, user="a")))
        self.assertTrue(self.book.can_fill(resting("t", "BUY", 10, 3, user="a", stp="EXPIRE_MAKER")))
        self.assertTrue(self.book.can_fill(resting("t", "BUY", 10, 4, user="a", stp="NONE")))

    def test_a_level_that_is_gone_is_still_a_change(self):
        self.book.forget_changes()
        self.book.remove(self.book.orders["c"])
        side = self.book.sides["SELL"]
        self.assertEqual([level["orders"] for level in side.changes()], [0])
        self.assertEqual([level["orders"] for level in side.top(5)], [2])


class Stores(unittest.TestCase):
    def test_a_record_that_fails_leaves_nothing(self):
        store = Store("s")
        store.put("a", 1)
        store.release()
        store.put("a", 2)
        store.delete("a")
        store.put("b", 3)
        self.assertTrue(store.rollback())
        self.assertEqual((store.get("a"), store.get("b")), (1, None))
        self.assertEqual(store.commit(), [("a", 1)])

    def test_what_came_and_went_is_no_change(self):
        store = Store("s")
        store.put("a", 1)
        store.delete("a")
        store.delete("never")
        self.assertEqual(store.commit(), [])


def predicted(rows):
    """(content, task) of each; contents are numbers, even ones."""
    made = Predicted()
    for place, (print_, task) in enumerate(rows):
        for name, value in zip(Predicted.__slots__, (print_, print_ // 100, -1, task, 1, place)):
            getattr(made, name).append(value)
    return made


def recorded(prints):
    made = Recorded()
    for offset, print_ in enumerate(prints):
        made.append((print_, 0, print_ // 100, offset))
    return made


class Comparing(unittest.TestCase):
    STRICT = compare.Rule(True, history=True, compaction=False)
    SERVER = compare.Rule(True, history=True, compaction=True)
    LAST = compare.Rule(True, history=False, compaction=True)

    def outcome(self, rows, prints, rule=STRICT):
        return compare.compare(predicted(rows), recorded(prints), rule)

    def test_tasks_may_interleave_and_one_task_may_not_turn_round(self):
        rows = [(102, 0), (204, 0), (306, 1)]
        self.assertTrue(self.outcome(rows, [306, 102, 204]).equal())
        self.assertEqual(self.outcome(rows, [306, 204, 102]).unordered, [(0, 2)])

    def test_equal_records_are_counted(self):
        rows = [(2, 0), (2, 0)]
        self.assertTrue(self.outcome(rows, [2, 2]).equal())
        self.assertEqual(self.outcome(rows, [2]).missing, [1])
        self.assertEqual(self.outcome(rows, [2, 2, 2]).extra, [2])

    def test_a_compacted_topic_may_lose_what_was_replaced(self):
        rows = [(202, 0), (204, 0), (302, 0)]
        self.assertEqual(self.outcome(rows, [204, 302]).missing, [0])
        outcome = self.outcome(rows, [204, 302], self.SERVER)
        self.assertTrue(outcome.equal())
        self.assertEqual(outcome.compacted, 1)
        self.assertFalse(self.outcome(rows, [202, 302], self.SERVER).equal())

    def test_a_changelog_on_servers_is_its_last_values(self):
        rows = [(202, 0), (302, 0), (301, 0)]  # odd: a tombstone
        self.assertTrue(self.outcome(rows, [202], self.LAST).equal())
        self.assertTrue(self.outcome(rows, [208, 202, 301], self.LAST).equal())
        self.assertEqual(self.outcome(rows, [204], self.LAST).latest, [2])

    def test_the_first_field_that_differs_is_named(self):
        left, right = {"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}
        self.assertEqual(compare.first_difference(left, right), ("a.b[1].c", 2, 3))


def journal_line(sequence, steps, offset=0):
    sources = [{"kind": "INPUT", "name": "in", "partition": 0, "offset": offset}]
    return {"partition": 0, "offset": sequence, "key": "g:0", "value": {
        "group": "g", "partition": 0, "sequence": sequence, "writer": "w", "sources": sources,
        "steps": [{"source": 0, "value": value} for value in steps]}}


class Structure(unittest.TestCase):
    GROUP = {"name": "g", "tasks": 1, "consumes": ["in"]}

    def problems(self, lines, offsets, committed, stable=10):
        journal = Journal("g", "journal")
        for line in lines:
            journal.add(line)
        journal.sort()
        ends = {"in": [{"low": 0, "lastStable": stable, "end": 10}]}
        facts = structure.Facts({"g": journal}, {("in", 0): offsets}, ends, {"g": {"in": [committed]}})
        return [problem.check for problem in structure.check(facts, [self.GROUP])]

    def test_runs_that_join_are_right(self):
        lines = [journal_line(2, [1, 1], offset=4), journal_line(1, [2])]
        self.assertEqual(self.problems(lines, [0, 2, 4, 5], 6), [])

    def test_everything_else_is_said(self):
        first, second = journal_line(1, [2]), journal_line(2, [2], offset=4)
        held = [0, 2, 4, 5]
        for lines, offsets, committed, found in (
                ([first], held, 6, ["offsets", "untaken"]), ([second], held, 6, ["journal", "inputs"]),
                ([first, first], held, 3, ["journal", "inputs", "untaken"]), ([first, second], held, 4, ["offsets"]),
                ([first, second], [0, 2, 4], 6, ["inputs", "offsets"]), ([first, second], [*held, 7], 6, ["untaken"]),
                ([], held, None, ["untaken"])):
            self.assertEqual(self.problems(lines, offsets, committed), found)
        self.assertEqual(self.problems([first, second], held, 6, stable=9), ["open"])


class CommandLine(unittest.TestCase):
    def run_oracle(self, *words, script="."):
        path = HERE if script == "." else HERE / script
        return subprocess.run([sys.executable, "-B", str(path), *map(str, words)], capture_output=True, text=True,
                              check=False)

    def refused(self, done, text):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_help_says_what_it_is_for(self):
        done = self.run_oracle("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("exit codes", done.stdout)

    def test_bad_arguments(self):
        self.refused(self.run_oracle(), "DIR")
        self.refused(self.run_oracle("--differences", "-1", "x"), "must not be negative")
        self.refused(self.run_oracle("--mutations", "0", script="selftest.py"), "above 0")
        self.refused(self.run_oracle("--stack", "/nowhere", "out", script="dump.py"), "/nowhere cannot be read")

    def test_bad_dumps(self):
        with tempfile.TemporaryDirectory() as work:
            index = pathlib.Path(work) / "topics.json"
            self.refused(self.run_oracle(work), "is no complete dump")
            index.write_text("{", encoding="utf-8")
            self.refused(self.run_oracle(work), "cannot be read")
            index.write_text("{}", encoding="utf-8")
            self.refused(self.run_oracle(work), "has no log")
            index.write_text(json.dumps({"log": "memory", "topics": {}, "committed": {}, "schemas": {}, "topology": {
                "application": "a", "stages": [], "topics": [],
                "groups": [{"name": "g", "consumes": [], "tables": [], "tasks": 1, "stages": []}]}}), encoding="utf-8")
            self.refused(self.run_oracle(work), "keeps no journal")
            self.refused(self.run_oracle(work, "--skip", "no"), "has no such topic")

    @unittest.skipUnless("MILLRACE" in os.environ, "MILLRACE names the program")
    def test_tap_takes_one_topic_or_all(self):
        for words in ((), ("orders", "--dump", "x")):
            done = subprocess.run([os.environ["MILLRACE"], "tap", *words], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("TOPIC or --dump DIR", done.stderr)


if __name__ == "__main__":
    unittest.main()
