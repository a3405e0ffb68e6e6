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

from . import plan, report, schedule
from .round import Round, process_names, proxied_names
from .world import ChaosError, World

import common

ROOT = common.ROOT
EPILOG = """\
environment (a flag outranks it):
  KILLS=20        kill -9 of pipeline processes; other faults are mixed in
  SEED=N          the same seed makes the same schedule (default: from the clock; it is printed)
  RATE=3000       commands a second
  MIX=A,B         only these kinds of faults
  STANDBY=true    with standbys
  ORACLE_EVERY=N  the oracle judges every Nth round (default 1)
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
    add("--instances", type=int, default=int(environment("INSTANCES") or 3), help="of each group")
    add("--partitions", type=int, default=6)
    add("--brokers", type=int, choices=(1, 3), default=int(environment("BROKERS") or 1))
    add("--mix", default=environment("MIX") or "", metavar="A,B", help=f"kinds: {' '.join(schedule.KINDS)}")
    add("--only", default="", metavar="KIND", help="the same as --mix with one kind")
    add("--round-kills", type=int, default=15, help="most kills in one round, which has a stack and a verdict of its own")
    add("--first-round", type=int, default=1, help="begin with this round of the run")
    add("--rounds", type=int, default=0, help="only so many rounds of the run")
    add("--schedule", default="", metavar="FILE", help="one round with the faults of a stored schedule.json")
    add("--stop-max", type=float, default=60.0, metavar="S", help="longest SIGSTOP")
    add("--pause-max", type=float, default=4.0, metavar="S", help="longest pause between two faults")
    add("--warm", type=float, default=5.0, metavar="S", help="load before the first fault")
    add("--standby", action="store_true", default=environment("STANDBY") == "true",
        help="every instance follows the state of the tasks that it does not own")
    add("--no-stores", action="store_true", help="without connectors, document store and Redis")
    add("--no-flow", action="store_true", help="only the tape as load")
    add("--oracle-every", type=int, default=int(environment("ORACLE_EVERY") or 1), metavar="N",
        help="tests/oracle judges every Nth round (default 1: each; 0: none)")
    add("--trades", type=pathlib.Path, default=environment("TRADES") or ROOT / "tools/sample/trades.csv.gz")
    add("--build-dir", type=pathlib.Path, default=environment("BUILD_DIR") or ROOT / "build/release")
    add("--out", type=pathlib.Path, default=ROOT / "build/chaos")
    add("--keep", action="store_true", default=environment("KEEP", "0") not in ("", "0"))
    given = parser.parse_args(words)
    kinds = [name for name in (given.only or given.mix).split(",") if name]
    unknown = [name for name in kinds if name not in schedule.KINDS]
    if unknown or given.kills < 0 or given.instances < 1 or given.oracle_every < 0:
        parser.error(f"no such kind of fault: {', '.join(unknown)}" if unknown else "a number is out of range")
    given.kinds = kinds or None
    return given


def options_of(given):
    """What all rounds are told, plain values only: it stands in the report."""
    return {"seed": given.seed, "kills": given.kills, "rate": given.rate, "instances": given.instances,
            "partitions": given.partitions, "brokers": given.brokers, "standby": given.standby,
            "kinds": given.kinds, "stop_max_s": given.stop_max, "pause_max_s": given.pause_max,
            "warm_s": given.warm, "oracle_every": given.oracle_every, "mix": LOAD_MIX.split(),
            "trades": str(given.trades),
            "instruments": str(ROOT / "tools/millrace/instruments/binance.jsonl")}


def judged(given, number):
    """Does the oracle look at this round?"""
    return given.oracle_every > 0 and (number - 1) % given.oracle_every == 0


def rounds_of(given):
    """[(number, options of the round, its faults)] of the run, or of the part of it that is asked for."""
    stores = not given.no_stores
    planned = plan.rounds(given.kills, given.rate, stores, not given.no_flow, given.round_kills)
    if given.schedule:
        dealt = [schedule.from_json(pathlib.Path(given.schedule).read_text())]
        planned = planned[:1]
    else:
        faults = schedule.make(given.seed, given.kills, process_names(given.instances, stores),
                               {"brokers": given.brokers, "proxied": proxied_names(given.instances),
                                "stop_max_s": given.stop_max, "pause_max_s": given.pause_max}, given.kinds)
        dealt = schedule.deal(given.seed, faults, planned)
    whole = [(number, {**options_of(given), "oracle": judged(given, number), **one}, faults)
             for number, (one, faults) in enumerate(zip(planned, dealt), 1)]
    first = given.first_round - 1
    return whole[first:first + given.rounds] if given.rounds else whole[first:]


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
        for number, options, faults in rounds_of(given):
            world = World(out / f"round-{number}", given.build_dir, ROOT / "topology.yaml")
            world.began = began
            world.stack_dir = stack_dir
            world.python = sys.executable
            shutil.rmtree(world.dir, ignore_errors=True)
            last = Round(world, options, number)
            told.append(last.run(faults))
            whole = report.build(told, options_of(given), ROOT, time.monotonic() - began)
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
    print(f"{whole['seconds']:.0f} s; {os.path.relpath(out / 'report.json', ROOT)}")
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
