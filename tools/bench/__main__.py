"""make bench: how fast, how much CPU, how much memory, and against what.

Why:  figures anyone can take again with one command, printed with the machine and the commit.
How:  a stack of its own, started and ended here; the pipeline as separate processes; the load from
      order_load. Quick by default; FULL=1 takes longer steps and more rounds.
Not:  a test: the exit code says whether it could measure, not whether a target was met (--strict does).
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import check
import machine
import measures
import peer
import replay
import report
import restart
from common import ROOT, Bench, BenchError, read_pairs, say, stack_command

MEASURES = ("latency", "throughput", "connectors", "guarantees", "journal", "replay", "restart", "codec",
            "matching", "check")
# Those that need no servers.
ALONE = {"codec": measures.codec, "matching": measures.matching, "check": check.measure}
EPILOG = """\
environment (a flag outranks it):
  PEER=DIR         also run the peer of that directory, in turn with Millrace
  STATE_MB=1000    restart: also with so much state
  FULL=1           longer steps, more rounds (default: quick, under five minutes)
  ONLY=A,B         these measures only: latency throughput connectors guarantees journal replay
                   restart codec matching check
  BUILD_DIR=DIR    where the programs are (default build/release)
  TOPOLOGY=FILE    another topology
  STACK_DIR=DIR    the stack to use (default build/bench/stack); one that runs already is left running
  KEEP=1           leave the stack running
"""


def options(words):
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__.splitlines()[0], epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ.get
    parser.add_argument("--full", action="store_true", default=environment("FULL", "0") not in ("", "0"))
    parser.add_argument("--peer", type=pathlib.Path, default=environment("PEER") or None, metavar="DIR")
    parser.add_argument("--only", default=environment("ONLY") or "", metavar="A,B")
    parser.add_argument("--state-mb", type=int, default=int(environment("STATE_MB") or 0), metavar="MB",
                        help="restart: also with so much state (1000 takes a quarter of an hour to fill)")
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a target is not met")
    parser.add_argument("--keep", action="store_true", default=environment("KEEP", "0") not in ("", "0"))
    parser.add_argument("--build-dir", type=pathlib.Path,
                        default=environment("BUILD_DIR") or ROOT / "build" / "release", metavar="DIR")
    parser.add_argument("--topology", type=pathlib.Path,
                        default=environment("TOPOLOGY") or ROOT / "topology.yaml", metavar="FILE")
    given = parser.parse_args(words)
    given.only = [name for name in given.only.split(",") if name]
    unknown = [name for name in given.only if name not in MEASURES]
    if unknown:
        parser.error(f"no measure is called {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return given


def start_stack(bench):
    """True when this call started it. A stack of the benchmark's own begins empty, every time."""
    ran = stack_command(bench, "status")[0] == 0
    if not ran and bench.stack_dir == bench.dir / "stack":
        stack_command(bench, "reset")
        shutil.rmtree(bench.dir / "state", ignore_errors=True)
    code, out = stack_command(bench, "up")
    if code != 0:
        raise BenchError(f"the stack does not start:\n{out.strip()}")
    bench.stack = read_pairs(bench.stack_dir / "stack.env")
    return not ran


def apply_topology(bench):
    done = subprocess.run([str(bench.program("tools/millrace/millrace")), "topology", "apply",
                           str(bench.topology)], capture_output=True, text=True, check=False,
                          env={**os.environ, **bench.stack})
    if done.returncode != 0:
        raise BenchError(f"topology apply ended with exit code {done.returncode}:\n"
                         f"{(done.stdout + done.stderr).strip()[-1500:]}")


def compare_with_peer(bench, plan, source):
    """Rounds of both, the first to go changing from round to round."""
    code, out = stack_command(bench, "python")
    if code != 0:
        raise BenchError(f"the peer's scripts need a Python with confluent-kafka: {out.strip()}")
    bench.python = out.strip().splitlines()[-1]
    built = peer.build(bench, source)
    overload = plan.peer_steps.split()[-1].split(":")
    rounds = []
    for number in range(plan.peer_rounds):
        entry = {}
        for side in ("peer", "millrace") if number % 2 == 0 else ("millrace", "peer"):
            say(f"  {side}, round {number + 1} of {plan.peer_rounds}")
            if side == "peer":
                steps = peer.run(bench, built, plan.peer_steps)
                entry["peer"] = {"5000": steps["5000"], "saturated": steps[overload[0]]}
            else:
                calm, saturated = measures.saturate(bench, int(overload[0]), int(overload[1]))
                saturated["rss_mb"] = sum(saturated["rss_peak_mb"].values())
                entry["millrace"] = {"5000": calm, "saturated": saturated}
        rounds.append(entry)
    return rounds


def measure(bench, plan, given):
    wanted = given.only or list(MEASURES)
    found = {}
    for name, measure_alone in ALONE.items():
        if name in wanted:
            say(name)
            found[name] = measure_alone(bench)
    if set(wanted) <= set(ALONE) and given.peer is None:
        return found
    started = start_stack(bench)
    try:
        apply_topology(bench)
        say("warm-up")
        measures.warm_up(bench, plan)
        if "latency" in wanted:
            say("latency")
            found["latency"] = measures.latency(bench, plan)
        if "throughput" in wanted:
            say("throughput")
            found["throughput"] = measures.throughput(bench, plan, connectors=False)
        if "guarantees" in wanted:
            say("exactly-once against at-least-once")
            found["guarantees"] = measures.guarantees(bench, plan)
        if "journal" in wanted:
            say("with and without the journal")
            found["journal"] = measures.journal(bench, plan)
        if "replay" in wanted:
            say("replay")
            found["replay"] = replay.measure(bench)
        if "restart" in wanted:
            say("restart")
            found["restart"] = restart.measure(bench, plan)
        if given.peer is not None:
            say("the peer")
            found["peer"] = compare_with_peer(bench, plan, given.peer.resolve())
        # Last: what the document store holds afterwards takes memory from whatever follows.
        if "connectors" in wanted:
            say("throughput with connectors")
            found["connectors"] = measures.throughput(bench, plan, connectors=True)
    finally:
        if started and not given.keep:
            stack_command(bench, "down")
    return found


def main(words):
    given = options(words)
    bench = Bench(ROOT / "build" / "bench", given.build_dir, given.topology)
    bench.stack_dir = pathlib.Path(os.environ.get("STACK_DIR") or bench.dir / "stack").resolve()
    known = machine.facts(str(ROOT))
    began = time.monotonic()
    say(machine.line(known))
    found = measure(bench, measures.Plan(given.full, given.state_mb), given)
    table = report.rows(found)
    whole = {"machine": known, "mode": "full" if given.full else "quick",
             "command": " ".join(["bench.sh", *words]), "seconds": round(time.monotonic() - began, 1),
             "table": table, "measures": found}
    bench.dir.mkdir(parents=True, exist_ok=True)
    (bench.dir / "report.json").write_text(json.dumps(whole, indent=1) + "\n")
    print(json.dumps(whole) if given.json else report.text(machine.line(known), table,
                                                               [told for told in found.values() if isinstance(told, list)]))
    say(f"{whole['seconds']:.0f} s; build/bench/report.json")
    return 1 if given.strict and any(entry["met"] is False for entry in table) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BenchError, ProcessLookupError, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
