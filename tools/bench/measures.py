"""The measures: each starts what it needs, loads it, and returns plain values.

Why:  a figure is only as good as the way it was taken, so the way stands here and nowhere else.
How:  every measure begins with orders that are not measured: the broker's compiler, the stores and
      the caches are warm then. CPU counts from before the first order until nothing follows any more;
      throughput until the last order has its first report, as the peer's generator counts it.
Not:  nothing is judged here; report.py compares with the targets.
"""

import json
import os
import pathlib
import subprocess

import load
import pipeline
import processes
from common import ROOT, BenchError, say

EXACTLY_ONCE = "exactly-once"
AT_LEAST_ONCE = "at-least-once"
WITH_JOURNAL = "with journal"
WITHOUT_JOURNAL = "without journal"


class Plan:
    """How long and how often. Quick: under five minutes in all."""

    def __init__(self, full, state_mb=0):
        self.full = full
        self.warm_rates = (1000, 3000, 8000) if not full else (1000, 3000, 8000, 15000)
        self.warm_s = 6 if not full else 20
        self.latency_rates = (5000,) if not full else (1000, 5000, 10000)
        self.latency_s = 15 if not full else 60
        self.max_s = 10 if not full else 60
        self.connectors_s = 5 if not full else 20
        self.rounds = 1 if not full else 3  # of A B B A
        self.round_s = 6 if not full else 20
        self.restarts = 3 if not full else 10
        self.state_mb = state_mb  # what `much` state is; 0: only little is measured
        self.peer_rounds = 1 if not full else 3
        self.peer_steps = "1000:5 5000:15 40000:10" if not full else "1000:20 5000:60 40000:30"


def _broker_pid(bench):
    try:
        text = (bench.stack_dir / "run" / "kafka.pid").read_text()
        return int(json.loads(text)["pid"])
    except (OSError, ValueError, KeyError):
        return None


def _step(bench, running, **how):
    """One step of load with what every process did for it."""
    broker = _broker_pid(bench)
    broker_before = processes.cpu_s(broker) if broker else 0.0
    before = running.observe()
    result = load.run(bench, **how)
    done = pipeline.difference(before, running.observe())
    cpu_s = sum(process["cpu_s"] for name, process in done.items() if name != "connectors")
    result["processes"] = done
    result["pipeline_cpu_s"] = round(cpu_s, 2)
    result["orders_per_cpu_s"] = round(result["sent"] / cpu_s) if cpu_s > 0 else 0
    result["broker_cpu_s"] = round(processes.cpu_s(broker) - broker_before, 2) if broker else None
    result["rss_peak_mb"] = {name: round(mb, 1) for name, mb in running.memory().items()}
    if any(process["dead_letters"] for process in done.values()):
        raise BenchError("there were dead letters: this is not the flow that is to be measured")
    return result


def warm_up(bench, plan):
    """Money for everybody, then rising load; results are thrown away."""
    with pipeline.Pipeline(bench):
        for number, rate in enumerate(plan.warm_rates):
            say(f"  warm-up: {rate} orders/s for {plan.warm_s} s")
            load.run(bench, rate=rate, seconds=plan.warm_s, prepare=number == 0)


def latency(bench, plan):
    """{rate: step} in the open loop."""
    steps = {}
    with pipeline.Pipeline(bench) as running:
        load.run(bench, rate=2000, seconds=3)
        for rate in plan.latency_rates:
            say(f"  latency: {rate} orders/s for {plan.latency_s} s")
            steps[str(rate)] = _step(bench, running, rate=rate, seconds=plan.latency_s)
    return steps


def throughput(bench, plan, connectors):
    """One step in the closed loop: as fast as outcomes come back."""
    seconds = plan.connectors_s if connectors else plan.max_s
    with pipeline.Pipeline(bench, connectors=connectors) as running:
        load.run(bench, rate=2000, seconds=3)
        say(f"  throughput{' with connectors' if connectors else ''}: {seconds} s")
        return _step(bench, running, rate=0, seconds=seconds)


def _in_turn(bench, plan, first, second):
    """Two pipelines, (name, settings) each, in turn, A B B A, so that a drift hits both alike."""
    rounds = {first[0]: [], second[0]: []}
    order = [first, second, second, first] * plan.rounds
    for number, (name, settings) in enumerate(order, 1):
        say(f"  {name}, {number} of {len(order)}: {plan.round_s} s")
        with pipeline.Pipeline(bench, **settings) as running:
            load.run(bench, rate=2000, seconds=2)
            rounds[name].append(_step(bench, running, rate=0, seconds=plan.round_s))
    return rounds


def guarantees(bench, plan):
    return _in_turn(bench, plan, (EXACTLY_ONCE, {"guarantee": EXACTLY_ONCE}),
                    (AT_LEAST_ONCE, {"guarantee": AT_LEAST_ONCE}))


def journal(bench, plan):
    return _in_turn(bench, plan, (WITH_JOURNAL, {"journal": True}),
                    (WITHOUT_JOURNAL, {"journal": False}))


def _table(bench, name, *arguments):
    """What one of tests/bench prints, line by line."""
    program = bench.program(f"tests/bench/{name}")
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{name} ended with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def codec(bench):
    return _table(bench, "codec_bench")


def matching(bench):
    """The order book and the money on one core; recorded flows too where the data folder is."""
    data = pathlib.Path(os.environ.get("MILLRACE_DATA") or ROOT.parent / "shared" / "data")
    flows = sorted((data / "matching-conformance" / "small_dev").glob("*.commands.csv"))
    return _table(bench, "match_bench", *flows) + _table(bench, "money_bench")


def saturate(bench, rate, seconds):
    """The peer's way: open loop above what can be done, so that a backlog builds up."""
    with pipeline.Pipeline(bench) as running:
        load.run(bench, rate=2000, seconds=3)
        step = _step(bench, running, rate=5000, seconds=15)
        return step, _step(bench, running, rate=rate, seconds=seconds)
