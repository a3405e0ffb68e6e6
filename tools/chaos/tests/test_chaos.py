"""Goal:   a run that lost, doubled or tore something says so, and a seed decides a schedule.
Method: the verdict over a small committed history made here: as it is nothing is found, and after each
        planted mistake the right kind is. Schedules are made twice; plans and percentiles by hand.
Not:    the reading of topics and the faults themselves: chaos.small runs them on real servers.
"""

import copy
import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
# These tests run without servers, under an interpreter without the clients.
sys.modules.setdefault("proxy", types.ModuleType("proxy"))

import chaos  # noqa: E402,F401
from chaos import plan, report, schedule, tape, verdict  # noqa: E402

PROCESSES = {"account-0": "account", "account-1": "account", "account-2": "account",
             "market-0": "market", "market-1": "market", "market-2": "market", "connectors-0": "connectors"}
OPTIONS = {"brokers": 3, "proxied": ["account-2"], "stop_max_s": 60, "pause_max_s": 4}


# ---- a small history: two orders that trade, a duplicate, a rejection, a record that is none


def report_of(order, kind, version, **more):
    return {"execId": f"{order}-{kind}-{version}", "execType": kind, "status": more.pop("status", "ACCEPTED"),
            "orderId": order, "commandId": f"c-{order}", "symbol": "BTCUSDT", "tradeId": None, "cancelReason": None,
            "version": version, **more}


def entry_of(number, execution, amount=5):
    postings = [{"asset": "USDT", "direction": direction, "amount": amount.to_bytes(16, "big")}
                for direction in ("DEBIT", "CREDIT")]
    return {"journalId": execution or f"deposit-{number}", "execId": execution, "userId": "u", "seq": number,
            "postings": postings}


def history():
    """Of one partition: {topic: [record]}."""
    executions = [report_of("a", "NEW", 1), report_of("b", "NEW", 1),
                  report_of("a", "TRADE", 2, status="FILLED", tradeId=1),
                  report_of("b", "TRADE", 2, status="FILLED", tradeId=1),
                  report_of("a", "SETTLED", 3, status="SETTLED"), report_of("b", "SETTLED", 3, status="SETTLED"),
                  report_of("r", "REJECTED", 1, status="REJECTED")]
    ledger = [entry_of(1, None)] + [entry_of(n, e["execId"]) for n, e in enumerate(executions[:4], 2)]
    return {
        "orders": [{"eventId": "c-a"}, {"eventId": "c-b"}, {"eventId": "c-d"}, {"eventId": "c-r"}, None],
        "orders.validated": [{"eventId": "c-a"}, {"eventId": "c-b"}, {"eventId": "c-d"}],
        "orders.unique": [{"eventId": "c-a"}, {"eventId": "c-b"}],
        "executions": executions,
        "risk-events": [{"type": "DUPLICATE", "commandId": "c-d"}],
        "ledger": ledger,
        "orders.approved": [{"eventId": "c-a"}, {"eventId": "c-b"}],
        "trades": [{"symbol": "BTCUSDT", "tradeId": 1, "makerOrderId": "a", "takerOrderId": "b"}],
        "book": [{"symbol": "BTCUSDT", "firstSeq": 1, "lastSeq": 2}, {"symbol": "BTCUSDT", "firstSeq": 3, "lastSeq": 3}],
        "letters": {("orders", 0, 4): 1},
    }


def judge(history_):
    users = verdict.UserSide(0, history_["letters"])
    for topic, see in (("orders", users.on_order), ("orders.validated", users.on_validated),
                       ("orders.unique", users.on_unique), ("executions", users.on_execution),
                       ("risk-events", users.on_risk_event), ("ledger", users.on_ledger)):
        for offset, record in enumerate(history_[topic]):
            see(offset, record)
    symbols = verdict.SymbolSide()
    for topic, see in (("orders.approved", symbols.on_approved), ("trades", symbols.on_trade),
                       ("book", symbols.on_book)):
        for offset, record in enumerate(history_[topic]):
            see(0, offset, record)
    findings = users.end()
    symbols.on_legs(users.legs)
    findings.merge(symbols.end())
    return findings


def without(topic, index):
    return lambda h: h[topic].pop(index)


def again(topic, index):
    return lambda h: h[topic].append(copy.deepcopy(h[topic][index]))


def changed(topic, index, **fields):
    return lambda h: h[topic][index].update(fields)


class Verdict(unittest.TestCase):
    PLANTED = (
        ("an outcome is missing", without("executions", 6), "lost"),
        ("a duplicate is not reported", without("risk-events", 0), "lost"),
        ("a dead letter is missing", lambda h: h["letters"].clear(), "lost"),
        ("a report is missing in the middle", without("executions", 2), "lost"),
        ("a hole in the ledger", changed("ledger", 4, seq=9), "lost"),
        ("a trade number is left out", changed("trades", 0, tradeId=2), "lost"),
        ("a hole in the book", changed("book", 1, firstSeq=5, lastSeq=5), "lost"),
        ("a report twice", again("executions", 0), "doubled"),
        ("two outcomes of one command", changed("executions", 6, commandId="c-a"), "doubled"),
        ("two dead letters of one record", lambda h: h["letters"].update({("orders", 0, 4): 2}), "doubled"),
        ("a hop twice", again("orders.unique", 0), "doubled"),
        ("approved twice", again("orders.approved", 1), "doubled"),
        ("a trade twice", again("trades", 0), "doubled"),
        ("a journal twice", again("ledger", 2), "doubled"),
        ("the book again", again("book", 0), "doubled"),
        ("a fill without its journal", without("ledger", 4), "torn"),
        ("a journal without its fill", without("executions", 3), "torn"),
        ("filled and not settled", without("executions", 5), "torn"),
        ("a trade with one leg", changed("executions", 3, tradeId=7), "torn"),
        ("legs without their trade", without("trades", 0), "torn"),
        ("a journal that does not balance",
         lambda h: h["ledger"][1]["postings"][0].update(amount=(6).to_bytes(16, "big")), "torn"),
        ("a hop out of nowhere", changed("orders.unique", 0, eventId="c-x"), "torn"),
    )

    def test_nothing_is_found_in_a_good_history(self):
        findings = judge(history())
        self.assertTrue(findings.clean(), findings.examples)

    def test_every_planted_mistake_is_found(self):
        for why, plant, kind in self.PLANTED:
            with self.subTest(why):
                planted = history()
                plant(planted)
                findings = judge(planted)
                self.assertGreater(findings.count[kind], 0, findings.examples)
                self.assertTrue(findings.examples[kind])

    def test_all_that_can_be_left_out_or_repeated_is_missed(self):
        """Whichever record of whichever topic: dropping it or appending it again is never clean."""
        for topic, records in history().items():
            for index in range(len(records) if topic != "letters" else 0):
                for change in (without, again):
                    if topic == "book" and change is without and index == len(records) - 1:
                        continue  # the last delta of a book leaves no hole; `verify` knows the snapshots
                    if topic in ("orders.validated", "orders.unique", "orders.approved") and change is without:
                        continue  # what follows from it is there: judged where it was taken
                    if records[index] is None and change is without:
                        continue  # a dead letter without a source is `verify`'s
                    with self.subTest(topic=topic, index=index, change=change.__name__):
                        planted = history()
                        change(topic, index)(planted)
                        self.assertFalse(judge(planted).clean())


class Taken(unittest.TestCase):
    OFFSETS = {"orders": [0, 1, 3, 4, 7]}  # 2, 5, 6: markers and aborted records

    def entries(self):
        def entry(sequence, offset, *steps):
            return {"sequence": sequence, "steps": [{"source": 0, "value": n} for n in steps],
                    "sources": [{"kind": "INPUT", "name": "orders", "offset": offset},
                                {"kind": "TABLE", "name": "prices", "offset": 0}]}
        return [entry(2, 3, 2), entry(1, 0, 1, 1), entry(3, 7, 1)]

    def find(self, change):
        entries = self.entries()
        change(entries)
        taken = verdict.Taken("account", 0, copy.deepcopy(self.OFFSETS))
        taken.on_entries(entries)
        return taken.end()

    def test_runs_that_cover_the_input_once(self):
        findings = self.find(lambda e: None)
        self.assertTrue(findings.clean(), findings.examples)

    def test_planted_mistakes(self):
        for why, change, kind in (
            ("a record is left out", lambda e: e[0]["sources"][0].update(offset=4) or e[0]["steps"][0].update(value=1), "lost"),
            ("a transaction is missing", lambda e: e.pop(0), "lost"),
            ("a record is taken twice", lambda e: e[0]["sources"][0].update(offset=1), "doubled"),
            ("a transaction twice", lambda e: e.append(copy.deepcopy(e[0])), "doubled"),
            ("the end is not taken", lambda e: e.pop(), "stuck"),
        ):
            with self.subTest(why):
                findings = self.find(change)
                self.assertGreater(findings.count[kind], 0, findings.examples)

    def test_lag_and_open_transactions_are_stuck(self):
        drained = ("g", "orders", 0, 7, 0, 8, 8)
        self.assertTrue(verdict.stuck_partitions([drained]).clean())
        self.assertEqual(verdict.stuck_partitions([("g", "orders", 0, 5, 3, 8, 8)]).count["stuck"], 3)
        self.assertEqual(verdict.stuck_partitions([("g", "orders", 0, 7, 0, 8, 11)]).count["stuck"], 1)


class Schedule(unittest.TestCase):
    def make(self, seed, kills=50, kinds=None, **options):
        return schedule.make(seed, kills, PROCESSES, {**OPTIONS, **options}, kinds)

    def test_a_seed_decides_everything(self):
        self.assertEqual(self.make(3), self.make(3))
        self.assertNotEqual(self.make(3), self.make(4))

    def test_a_stored_schedule_is_the_same(self):
        import json
        faults = self.make(5)
        self.assertEqual(schedule.from_json(json.dumps(schedule.to_json(faults))), faults)

    def test_the_kills_are_those_asked_for(self):
        for kills in (0, 1, 2, 3, 20, 200):
            with self.subTest(kills):
                self.assertEqual(sum(fault.kills() for fault in self.make(kills, kills)), kills)

    def test_every_kind_occurs_and_names_what_there_is(self):
        faults = self.make(1, 200)
        self.assertEqual({fault.kind for fault in faults}, set(schedule.KINDS))
        for fault in faults:
            with self.subTest(fault.text()):
                self.assertTrue(fault.targets)
                if fault.kind.startswith("broker"):
                    self.assertIn(fault.targets[0], ("broker-1", "broker-2", "broker-3"))
                elif fault.kind not in ("scale", "stores"):
                    self.assertLessEqual(set(fault.targets), set(PROCESSES))
                self.assertEqual(len(set(fault.targets)), len(fault.targets))

    def test_what_is_not_there_is_not_hurt(self):
        alone = {"account-0": "account", "market-0": "market"}
        kinds = {fault.kind for fault in schedule.make(1, 200, alone, {**OPTIONS, "proxied": []})}
        self.assertFalse(kinds & {"scale", "stores", "cut", "freeze", "slow"})

    def test_a_kind_that_is_asked_for_occurs(self):
        self.assertEqual({fault.kind for fault in self.make(1, 2, ["kill", "freeze", "scale"])},
                         {"kill", "freeze", "scale"})
        self.assertEqual({fault.kind for fault in self.make(1, 9, ["kill"])}, {"kill"})

    def test_rounds_share_the_faults(self):
        for kills in (4, 20, 100):
            with self.subTest(kills):
                faults = self.make(7, kills)
                rounds = plan.rounds(kills, 3000, True, True, 15)
                self.assertEqual(sum(one["kills"] for one in rounds), kills)
                dealt = schedule.deal(7, copy.deepcopy(faults), rounds)
                self.assertEqual(sum(len(some) for some in dealt), len(faults))
                for one, some in zip(rounds, dealt):
                    self.assertEqual([fault.number for fault in some], list(range(1, len(some) + 1)))
                    if not one["stores"]:
                        self.assertFalse([fault for fault in some if fault.kind == "stores"])


class Report(unittest.TestCase):
    def test_percentiles_are_of_the_nearest_rank(self):
        values = [5.0, 1.0, 4.0, 2.0, 3.0]
        self.assertEqual([report.percentile(values, share) for share in (0.5, 0.99, 0.2)], [3.0, 5.0, 1.0])
        self.assertIsNone(report.percentile([], 0.5))

    def round(self, clean=True):
        return {"round": 1, "options": {"oracle": True}, "kills": 300, "clean": clean, "records_in": 10,
                "records_out": 50, "transactions": 7,
                "faults": [{"kind": "kill", "recovered": True, "recovery_ms": 500.0},
                           {"kind": "stop", "recovered": True, "recovery_ms": 9000.0, "after_end_ms": 40.0}],
                "findings": {"count": {"lost": 0 if clean else 2, "doubled": 0, "torn": 0, "stuck": 0},
                             "examples": {kind: [] for kind in report.KINDS}},
                "longest_silence_ms": 900.0, "dead_lettered": 1, "ended_unasked": {}, "troubles": []}

    def build(self, *rounds):
        return report.build(list(rounds), {"seed": 9}, pathlib.Path("."), 1.0)

    def test_the_bound_is_that_of_a_clean_run(self):
        self.assertEqual(self.build(self.round())["bound_per_kill"], 0.01)
        self.assertIsNone(self.build(self.round(), self.round(False))["bound_per_kill"])

    def test_one_bad_round_makes_it_bad_and_the_seed_is_told(self):
        whole = self.build(self.round(), self.round(False))
        self.assertFalse(whole["clean"])
        self.assertEqual((whole["lost"], whole["kills"]), (2, 600))
        self.assertIn("SEED=9", report.text(whole))

    def test_recovery_at_the_top_is_that_of_restarts_in_place(self):
        whole = self.build(self.round())
        self.assertEqual(whole["recovery_ms"]["max"], 500.0)
        self.assertEqual(whole["recovery_by_kind"]["stop"]["after_end_ms"]["p50"], 40.0)


class Tape(unittest.TestCase):
    def test_keys_fall_where_kafka_puts_them(self):
        # From Kafka's own tests of Utils.murmur2.
        for key, value in (("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)):
            hashed = tape.murmur2(key.encode())
            self.assertEqual(hashed - (1 << 32) if hashed >> 31 else hashed, value, key)

    def test_symbols_cover_every_partition(self):
        for partitions in (1, 3, 6, 12):
            names = tape.made_up_symbols(partitions)
            self.assertEqual(sorted(tape.partition_of(name, partitions) for name in names),
                             list(range(partitions)))


if __name__ == "__main__":
    unittest.main()
