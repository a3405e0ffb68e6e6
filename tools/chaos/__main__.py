"""make chaos: exactly-once under fire. See docs/TESTING.md.

Exit: 0 only when nothing was lost, doubled, torn or stuck; 1 otherwise; 2 wrong usage.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

from . import report, schedule
from .round import Round
from .world import ChaosError, World

import common

ROOT = common.ROOT
EPILOG = """\
environment (a flag outranks it):
  KILLS=20        kill -9 of pipeline processes; other faults are mixed in
  SEED=N          the same seed makes the same schedule (default: from the clock; it is printed)
  RATE=3000       commands a second
  MIX=A,B         only these kinds of faults
  KEEP=1          leave the stack running, and the files of every round
  BUILD_DIR=DIR   where the programs are (default build/release)
  STACK_DIR=DIR   the stack to use; it is emptied before each round (default build/chaos/stack)
  BROKERS=3       three brokers, replication 3
"""
LOAD_MIX = "--duplicates 1% --conflicts 0.5% --invalid 1% --unfunded 0.5% --cancels 1% --malformed 0.2% " \
           "--market-takers 5%"


def arguments(words):
    environment = os.environ.get
    parser = argparse.ArgumentParser(prog="chaos.sh", description=__doc__.splitlines()[0], epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--kills", type=int, default=int(environment("KILLS") or 20))
    add("--seed", type=int, default=int(environment("SEED") or time.time()))
    add("--rate", type=int, default=int((environment("RATE") or "3000").removesuffix("/s")))
    add("--flow", type=float, default=0.33, metavar="SHARE", help="of the rate: the benchmark's flow beside the tape")
    add("--instances", type=int, default=int(environment("INSTANCES") or 3), help="of each group")
    add("--partitions", type=int, default=6)
    add("--brokers", type=int, choices=(1, 3), default=int(environment("BROKERS") or 1))
    add("--mix", default=environment("MIX") or "", metavar="A,B", help=f"kinds: {' '.join(schedule.KINDS)}")
    add("--only", default="", metavar="KIND", help="the same as --mix with one kind")
    add("--round-kills", type=int, default=25, help="kills in one round, which has a stack and a verdict of its own")
    add("--first-round", type=int, default=1, help="begin with this round of the seed")
    add("--rounds", type=int, default=0, help="so many rounds, whatever --kills says")
    add("--schedule", default="", metavar="FILE", help="run a stored schedule.json again")
    add("--stop-max", type=float, default=60.0, metavar="S", help="longest SIGSTOP")
    add("--pause-max", type=float, default=4.0, metavar="S", help="longest pause between two faults")
    add("--warm", type=float, default=5.0, metavar="S", help="load before the first fault")
    add("--no-stores", action="store_true", help="without connectors, document store and Redis")
    add("--no-oracle", action="store_true", help="without tests/oracle")
    add("--trades", type=pathlib.Path, default=environment("TRADES") or ROOT / "tools/sample/trades.csv.gz")
    add("--build-dir", type=pathlib.Path, default=environment("BUILD_DIR") or ROOT / "build/release")
    add("--out", type=pathlib.Path, default=ROOT / "build/chaos")
    add("--keep", action="store_true", default=environment("KEEP", "0") not in ("", "0"))
    given = parser.parse_args(words)
    kinds = [name for name in (given.only or given.mix).split(",") if name]
    unknown = [name for name in kinds if name not in schedule.KINDS]
    if unknown or given.kills < 0 or given.instances < 1 or not 0 <= given.flow < 1:
        parser.error(f"no such kind of fault: {', '.join(unknown)}" if unknown else "a number is out of range")
    given.kinds = kinds or None
    return given


def options_of(given, kills):
    """What a round is told, plain values only: it stands in the report."""
    return {"seed": given.seed, "rate": given.rate, "flow_rate": int(given.rate * given.flow),
            "instances": given.instances, "partitions": given.partitions, "brokers": given.brokers,
            "kinds": given.kinds, "round_kills": kills, "schedule": given.schedule,
            "stop_max_s": given.stop_max, "pause_max_s": given.pause_max, "warm_s": given.warm,
            "stores": not given.no_stores, "oracle": not given.no_oracle, "mix": LOAD_MIX.split(),
            "trades": given.trades, "instruments": ROOT / "tools/millrace/instruments/binance.jsonl"}


def kills_of_rounds(given):
    """The kills of each round, as even as they go."""
    rounds = given.rounds or max(1, -(-given.kills // given.round_kills))
    if given.schedule:
        return [given.kills]
    return [given.kills // rounds + (number < given.kills % rounds) for number in range(rounds)]


def write_report(out, whole):
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(whole, indent=1, default=str) + "\n")


def play(given):
    out = given.out.resolve()
    stack_dir = pathlib.Path(os.environ.get("STACK_DIR") or out / "stack").resolve()
    began = time.monotonic()
    told = []
    whole = None
    last = None
    try:
        for index, kills in enumerate(kills_of_rounds(given)):
            number = given.first_round + index
            world = World(out / f"round-{number}", given.build_dir, ROOT / "topology.yaml")
            world.began = began
            world.stack_dir = stack_dir
            world.python = sys.executable
            shutil.rmtree(world.dir, ignore_errors=True)
            last = Round(world, options_of(given, kills), number)
            told.append(last.run())
            whole = report.build(told, options_of(given, given.kills), ROOT, time.monotonic() - began)
            write_report(out, whole)
            if not told[-1]["clean"]:
                break  # its stack and files are what somebody will want to look at
            if not given.keep:
                for part in ("state", "tape.csv", "dump"):
                    target = world.dir / part
                    shutil.rmtree(target, ignore_errors=True) if target.is_dir() else target.unlink(missing_ok=True)
    finally:
        if last is not None and not given.keep:
            last.stack.down()
    print(report.text(whole))
    print(f"{whole['seconds']:.0f} s; {(out / 'report.json').relative_to(ROOT)}")
    return 0 if whole["clean"] else 1


def main(words):
    given = arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    common.say(f"seed {given.seed}")
    return play(given)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ChaosError, common.BenchError) as error:
        print(f"chaos: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("chaos: interrupted", file=sys.stderr)
        sys.exit(130)
