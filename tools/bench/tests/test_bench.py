"""Goal:   a figure in the report is the figure that was measured: what others print is read right, a
        target is judged in its direction, counters of two moments are subtracted.
Method: recorded output of the peer and of /metrics; small made-up steps; this process's own /proc.
"""

import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import check  # noqa: E402
import machine  # noqa: E402
import peer  # noqa: E402
import pipeline  # noqa: E402
import processes  # noqa: E402
import report  # noqa: E402

PEER_OUTPUT = """\
== exactly_once_v2 commit=100 threads=1
rate 5000: sent 50000 in 10.0s, accepted 50000, trade legs 71622, 4849 orders/s to the last execution; latency ms p50 289.0 p90 497.5 p99 636.3 p999 759.6 max 791.3
   jvm cpu 6.02s => 8305 orders per cpu-second; rss 514 MB
rate 40000: nothing received
   jvm cpu 12.73s => 18853 orders per cpu-second; rss 891 MB
"""

METRICS = """\
# HELP millrace_commits_total Committed transactions
# TYPE millrace_commits_total counter
millrace_commits_total{group="account",worker="0"} 3
millrace_commits_total{group="account",worker="1"} 4
millrace_commit_seconds_bucket{le="0.1"} 9
process_odd not-a-number
"""


def step(**changed):
    return {"orders_per_s": 20000.0, "orders_per_cpu_s": 40000, "pipeline_cpu_s": 5.0,
            "broker_cpu_s": 2.0, "cpu_s": 1.0, "rss_peak_mb": {"account": 120.0}, "rss_mb": 120.0,
            "latency": {"p50_ms": 20.0, "p99_ms": 80.0}, **changed}


class Reading(unittest.TestCase):
    def test_the_peers_lines_become_steps(self):
        steps = peer.parse(PEER_OUTPUT)
        self.assertEqual(steps["5000"]["orders_per_s"], 4849)
        self.assertEqual(steps["5000"]["latency"]["p99_ms"], 636.3)
        self.assertEqual(steps["5000"]["rss_mb"], 514)

    def test_a_step_without_results_is_no_step(self):
        self.assertNotIn("40000", peer.parse(PEER_OUTPUT))

    def test_counters_are_summed_over_labels_and_buckets_left_out(self):
        self.assertEqual(pipeline.counters_of(METRICS), {"millrace_commits_total": 7})

    def test_a_difference_is_of_the_same_process(self):
        before = {"a": {"cpu_s": 1.0, "threads": {"w": 0.5}, "counters": {"millrace_commits_total": 2}}}
        after = {"a": {"cpu_s": 3.0, "threads": {"w": 1.5, "new": 1.0},
                       "counters": {"millrace_commits_total": 12}}}
        done = pipeline.difference(before, after)["a"]
        self.assertEqual((done["cpu_s"], done["commits"]), (2.0, 10))
        self.assertEqual(done["threads_cpu_s"], {"w": 1.0, "new": 1.0})


class Processes(unittest.TestCase):
    def test_own_cpu_and_memory_are_seen(self):
        before = processes.cpu_s(os.getpid())
        limit = time.process_time() + 0.05
        while time.process_time() < limit:
            pass
        self.assertGreater(processes.cpu_s(os.getpid()), before)
        now, highest = processes.memory_mb(os.getpid())
        self.assertTrue(1 < now <= highest)

    def test_a_process_that_has_ended_is_an_error(self):
        with self.assertRaises(ProcessLookupError):
            processes.cpu_s(2 ** 22 + 1)

    def test_a_thread_name_with_a_bracket_does_not_shift_the_fields(self):
        fields = ["S"] + ["0"] * 10 + ["150", "50"] + ["0"] * 20
        text = "1 (odd) name) " + " ".join(fields)
        self.assertEqual(processes._stat_cpu_s(text), 200 / processes.TICKS_PER_S)


class Judging(unittest.TestCase):
    def test_targets_are_judged_in_their_direction(self):
        for name, value, expected in (("orders_per_s", 25000, True), ("orders_per_s", 24999, False),
                                      ("p99_ms", 100, True), ("p99_ms", 100.1, False),
                                      ("exactly_once_ratio", 0.84, False), ("unknown", 1, None)):
            with self.subTest(name=name, value=value):
                self.assertIs(report.met(name, value), expected)

    def test_only_5000_orders_a_second_have_a_latency_target(self):
        rows = report.rows({"latency": {"5000": step(), "1000": step()}})
        targets = {row["what"]: row["target"] for row in rows if "P99" in row["what"]}
        self.assertEqual(targets, {"5000 orders/s: P99 order to execution": "<= 100",
                                   "1000 orders/s: P99 order to execution": None})

    def test_the_ratio_is_exactly_once_over_at_least_once(self):
        rows = report.rows({"guarantees": {"exactly-once": [step(orders_per_s=9000.0)] * 2,
                                           "at-least-once": [step(orders_per_s=10000.0)] * 2}})
        self.assertEqual((rows[0]["value"], rows[0]["met"]), (0.9, True))

    def test_more_state_is_compared_with_less_process_by_process(self):
        kills = {"little": {"state_mb": 10, "account": {"p50_ms": 500.0}, "market": {"p50_ms": 400.0}},
                 "much": {"state_mb": 1000, "account": {"p50_ms": 600.0}, "market": {"p50_ms": 400.0}},
                 "restore": {"records": 9, "records_per_s": 1000, "records_per_cpu_s": 250000}}
        table = {line["what"]: line for line in report.rows({"restart": kills})}
        self.assertEqual(table["kill -9 of account: much state over little"]["value"], 1.2)
        self.assertFalse(table["kill -9 of account: much state over little"]["met"])
        self.assertTrue(table["kill -9 of market: much state over little"]["met"])
        self.assertTrue(table["full restore: a CPU-second"]["met"])
        del kills["much"]
        self.assertEqual(len(report.rows({"restart": kills})), 4)

    def test_a_replay_is_told_against_the_live_rate(self):
        found = {"live": {"inputs_per_s": 30000}, "replay": {"inputs": 9, "inputs_per_s": 60000}, "ratio": 2.0}
        table = {line["what"]: line for line in report.rows({"replay": found})}
        self.assertEqual((table["replay over live"]["value"], table["replay over live"]["met"]), (2.0, False))

    def test_a_check_is_judged_by_its_median(self):
        rows = report.rows({"check": {"stages": 200, "p50_ms": 101.0, "max_ms": 300.0, "cpu_ms": 9.0}})
        self.assertEqual([(line["value"], line["met"]) for line in rows], [(101.0, False), (9.0, None)])
        text = check.topology(200)
        self.assertEqual(text.count("type: validate") + text.count("type: dedupe"), 200)

    def test_the_peer_is_compared_by_medians(self):
        ours, theirs = step(), step(orders_per_s=10000.0)
        rounds = [{"millrace": {"5000": ours, "saturated": ours},
                   "peer": {"5000": theirs, "saturated": theirs}}] * 3
        self.assertIn("20000, 10000 /s = 2.00 x", report.rows({"peer": rounds})[0]["value"])

    def test_the_text_names_machine_and_verdict(self):
        known = machine.facts(str(pathlib.Path(__file__).parent))
        text = report.text(machine.line(known), report.rows({"throughput": step()}), [["a table"]])
        self.assertIn(f"commit {known['commit']}", text)
        self.assertIn("NOT MET", text)
        self.assertIn("  a table", text)


if __name__ == "__main__":
    unittest.main()
