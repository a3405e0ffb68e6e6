"""make crash-points: a process dies, stops or fails at every point of its commit cycle and recovery.

Why:  kills at random moments meet the narrow places rarely: between the commit's answer and the write to
      the state, in the middle of a restore, between assignment and the first task. The debug build has
      these places as points (runtime/include/millrace/fault.h).
How:  a cell is point x group x action, one after the other on one stack, under load. The victim is the
      second instance of its group, started with MILLRACE_POINT. What died is started again; the cell is
      over when the victim's partitions have committed output again. At the end the verdict of a round.
Not:  `error` at a point where nothing can fail: the program only passes there.
Exit: 0 when every cell was reached and went on, and the verdict is clean.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import sys
import time

import common
import machine

from .round import Round
from .world import ChaosError, World

ROOT = common.ROOT
FAULT_H = ROOT / "runtime/include/millrace/fault.h"
ACTIONS = ("kill", "stop", "error")
CAN_FAIL = ("before-produce", "after-produce")
RESTORE = ("restore-batch", "restore-done")
COMMIT = ("before-produce", "after-produce", "offsets-sent", "end-txn-sent", "committed", "before-state-write",
          "after-state-write")
GROUPS = ("account", "market")
VICTIM, HELPER = 1, 2
PASSES = {"before-state-write": 2, "after-state-write": 2}  # twice a second; commits are more frequent
COMMIT_PASSES = 15
REACH_S = 40
STOP_S = 1.0
HEAL_S = 60
CELL_S = 9


def point_names():
    """From the header, so that a new point is a new row."""
    return re.findall(r'X\(\w+, "([a-z-]+)"\)', FAULT_H.read_text().partition("MR_PLANTED_MAP")[0])


def passes(point):
    return PASSES.get(point, COMMIT_PASSES if point in COMMIT else 1)


def cells(points, groups, actions):
    return [{"point": point, "group": group, "action": action}
            for point in points for group in groups for action in actions
            if action != "error" or point in CAN_FAIL]


class Matrix(Round):
    """A round of which the faults are cells."""

    def __init__(self, world, options, wanted):
        super().__init__(world, options, 1)
        self.wanted = wanted

    def announce(self, todo):
        self.world.say(f"{len(self.wanted)} cells; load: {self.options['load']} at {self.options['round_rate']}/s")

    def expected_s(self, todo):
        return len(self.wanted) * CELL_S

    def harm(self, pipeline, watcher, sender, todo):
        told, kills = [], 0
        self.pipeline, self.watcher = pipeline, watcher
        for group in GROUPS:
            # Only cells that need a rebalance start it.
            self.leave(pipeline.instances[f"{group}-{HELPER}"])
        for group in GROUPS:
            self.await_members(group, 2)
        for number, cell in enumerate(self.wanted, 1):
            if sender.ended():
                self.troubles.append(f"the load ended before cell {number}: {sender.tail()}")
                break
            result = {**cell, **self.cell(**cell)}
            kills += result["reached"] and cell["action"] == "kill"
            told.append(result)
            took = f"went on after {result['recovery_ms']:.0f} ms" if result["recovered"] else "DID NOT GO ON"
            self.world.say(f"  {number:3} {cell['group']:<8} {cell['point']:<18} {cell['action']:<6}"
                           f"{took if result['reached'] else 'NOT REACHED'}")
        for result in told:
            if not (result["reached"] and result["recovered"]):
                self.troubles.append(f"cell {result['group']} {result['point']} {result['action']}: "
                                     f"reached={result['reached']} recovered={result['recovered']}")
        return {"faults": [], "cells": told, "kills": kills}

    # ---- one cell

    def cell(self, point, group, action):
        """{"reached", "recovered", "recovery_ms"}: from the fault to committed output of the victim's partitions."""
        victim = self.pipeline.instances[f"{group}-{VICTIM}"]
        helper = self.pipeline.instances[f"{group}-{HELPER}"]
        if point == "revoking":
            self.await_members(group, 2)
        self.arm(victim, f"{point}:{passes(point)}:{action}", wiped=point in RESTORE)
        if point == "revoking":
            self.world.wait_until(victim.ready, HEAL_S)
            helper.start()
        reached = self.world.wait_until(lambda: self.at_point(victim, point), REACH_S, every_s=0.005)
        places = self.watcher.places_of(group, VICTIM)
        watch = self.watcher.watch(places or self.watcher.places_of_all())
        self.undo(victim, action, reached)
        recovered = self.world.wait_until(lambda: watch.done() and victim.ready(), HEAL_S, every_s=0.01)
        self.watcher.forget(watch)
        if point == "revoking":
            self.leave(helper)
        return {"reached": reached, "recovered": recovered, "recovery_ms": watch.recovery_ms() or 0.0}

    def arm(self, victim, spec, wiped):
        """Starts the victim again, this time with a point; nobody else is to start it then."""
        self.watcher.refresh()
        self.leave(victim)
        if wiped:
            victim.wipe()
        self.log_from = victim.log_path.stat().st_size
        clean = victim.environment
        victim.environment = {**clean, "MILLRACE_POINT": spec}
        victim.start()
        victim.environment = clean
        victim.wanted = False

    def at_point(self, victim, point):
        with open(victim.log_path, "rb") as log:
            log.seek(self.log_from)
            return f"fault point={point} pid={victim.pid}".encode() in log.read()

    def undo(self, victim, action, reached):
        """What would happen in production: it is started again, or goes on."""
        if action == "kill" and reached:
            self.world.wait_until(lambda: not victim.alive(), 5)
        if action == "stop" and reached:
            self.world.wait(STOP_S)
            victim.child.send_signal(signal.SIGCONT)
        if not victim.alive():
            victim.start()
        victim.wanted = True

    def leave(self, instance):
        """SIGTERM and the end of it. A victim whose point lies on this way too ends as it may."""
        instance.terminate()
        if not self.world.wait_until(lambda: not instance.alive(), HEAL_S):
            instance.kill()

    def await_members(self, group, count):
        """A static member that has left stays in the group until its session is over."""
        def few():
            self.watcher.refresh()
            return len(self.watcher.known[group]) <= count

        self.world.wait_until(few, 20, every_s=0.25)


# ---- the report


def table(told, points):
    """Rows of points, columns of group and action."""
    columns = [(group, action) for group in GROUPS for action in ACTIONS]
    by_cell = {(one["point"], one["group"], one["action"]): one for one in told}
    lines = ["  " + f"{'ms until committed output':<26}" + "".join(f"{f'{g} {a}':>15}" for g, a in columns)]
    for point in points:
        row = f"  {point:<26}"
        for group, action in columns:
            one = by_cell.get((point, group, action))
            if one is None:
                text = "-"
            elif not one["reached"]:
                text = "NOT REACHED"
            else:
                text = f"{one['recovery_ms']:.0f}" if one["recovered"] else "STUCK"
            row += f"{text:>15}"
        lines.append(row)
    return "\n".join(lines)


def arguments(words):
    environment = os.environ.get
    parser = argparse.ArgumentParser(prog="chaos.sh points", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--points", default=environment("POINTS") or "all", help=f"all, commit, or of: {' '.join(point_names())}")
    add("--groups", default=environment("GROUPS_") or ",".join(GROUPS))
    add("--actions", default=environment("ACTIONS") or ",".join(ACTIONS))
    add("--rate", type=int, default=int((environment("RATE") or "300").removesuffix("/s")))
    add("--seed", type=int, default=int(environment("SEED") or 1), help="of the tape")
    add("--stores", action="store_true", help="with connectors, document store and Redis")
    add("--no-oracle", action="store_true")
    add("--build-dir", type=pathlib.Path, default=environment("BUILD_DIR") or ROOT / "build/debug")
    add("--out", type=pathlib.Path, default=ROOT / "build/chaos")
    add("--keep", action="store_true", default=environment("KEEP", "0") not in ("", "0"))
    given = parser.parse_args(words)
    names = point_names()
    chosen = {"all": names, "commit": list(COMMIT)}.get(given.points, given.points.split(","))
    given.groups, given.actions = given.groups.split(","), given.actions.split(",")
    for what, some, known in (("point", chosen, names), ("group", given.groups, GROUPS),
                              ("action", given.actions, ACTIONS)):
        unknown = set(some) - set(known)
        if unknown:
            parser.error(f"no such {what}: {', '.join(sorted(unknown))}")
    given.points = chosen
    return given


def main(words):
    given = arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = given.out.resolve()
    world = World(out / "points", given.build_dir, ROOT / "topology.yaml")
    world.stack_dir = pathlib.Path(os.environ.get("STACK_DIR") or out / "stack").resolve()
    world.python = sys.executable
    options = {"seed": given.seed, "rate": given.rate, "round_rate": given.rate, "load": "tape", "instances": 3,
               "partitions": 6, "brokers": 1, "standby": False, "stores": given.stores,
               "warm_s": 2.0, "oracle": not given.no_oracle,
               "mix": ["--duplicates", "1%", "--cancels", "1%", "--invalid", "1%", "--malformed", "0.2%"],
               "trades": str(ROOT / "tools/sample/trades.csv.gz"),
               "instruments": str(ROOT / "tools/millrace/instruments/binance.jsonl")}
    began = time.monotonic()
    matrix = Matrix(world, options, cells(given.points, given.groups, given.actions))
    try:
        told = matrix.run([])
    finally:
        if not given.keep:
            matrix.stack.down()
    facts = machine.facts(str(ROOT))
    told.update(machine=facts, commit=facts["commit"], seconds=round(time.monotonic() - began, 1))
    (out / "points.json").write_text(json.dumps(told, indent=1, default=str) + "\n")
    count = told["findings"]["count"]
    print("\n".join([machine.line(facts), "", table(told["cells"], given.points), "",
                     "  " + ", ".join(f"{kind} {number}" for kind, number in count.items())
                     + f"; {told['records_in']} records in, {told['records_out']} out",
                     *(f"  {trouble}" for trouble in told["troubles"]),
                     *(f"  {kind}: {text}" for kind in count for text in told["findings"]["examples"][kind]),
                     "verdict: exactly once" if told["clean"] else "verdict: NOT CLEAN",
                     f"{told['seconds']:.0f} s; {os.path.relpath(out / 'points.json', ROOT)}"]))
    return 0 if told["clean"] else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ChaosError, common.BenchError) as error:
        print(f"crash-points: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("crash-points: interrupted", file=sys.stderr)
        sys.exit(130)
