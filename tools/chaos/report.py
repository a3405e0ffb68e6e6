"""The report: one table for people, build/chaos/report.json for the rest.

How:  rounds are added up; percentiles are of single faults, nearest rank, of the slowest partition.
      recovery_ms at the top is that of a restart in place, `kill` and `kill-many`.
"""

import math

import machine

from . import schedule

IN_PLACE = ("kill", "kill-many")
KINDS = ("lost", "doubled", "torn", "stuck")


def percentile(values, share):
    """Nearest rank; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def spread(values):
    return {"samples": len(values), "p50": percentile(values, 0.5), "p99": percentile(values, 0.99),
            "max": max(values, default=None)}


def recovery(faults, kinds, field="recovery_ms"):
    return spread([fault[field] for fault in faults if fault["kind"] in kinds and fault.get(field) is not None])


def by_kind(faults):
    """{kind: {faults, not_recovered, recovery_ms, after_end_ms}} of the kinds that occurred."""
    told = {}
    for kind in schedule.KINDS:
        some = [fault for fault in faults if fault["kind"] == kind]
        if not some:
            continue
        told[kind] = {"faults": len(some), "not_recovered": sum(not fault["recovered"] for fault in some),
                      "recovery_ms": recovery(some, (kind,))}
        if any("after_end_ms" in fault for fault in some):
            told[kind]["after_end_ms"] = recovery(some, (kind,), "after_end_ms")
    return told


def build(rounds, options, root, seconds):
    """rounds: what each round told. Returns the whole report."""
    faults = [fault for one in rounds for fault in one["faults"]]
    kills = sum(one["kills"] for one in rounds)
    sums = {kind: sum(one["findings"]["count"][kind] for one in rounds) for kind in KINDS}
    clean = bool(rounds) and all(one["clean"] for one in rounds)
    return {
        "clean": clean,
        "kills": kills,
        "records_in": sum(one["records_in"] for one in rounds),
        "records_out": sum(one["records_out"] for one in rounds),
        "transactions": sum(one["transactions"] for one in rounds),
        **sums,
        "recovery_ms": recovery(faults, IN_PLACE),
        "recovery_by_kind": by_kind(faults),
        "longest_silence_ms": max((one["longest_silence_ms"] for one in rounds), default=None),
        "dead_lettered": sum(one["dead_lettered"] for one in rounds),
        "ended_unasked": sum(len(ends) for one in rounds for ends in one["ended_unasked"].values()),
        # No violation in n kills: the probability of one is below 3/n with 95 % confidence.
        "bound_per_kill": round(3 / kills, 6) if clean and kills else None,
        "rounds_judged_by_oracle": sum(bool(one["options"].get("oracle")) for one in rounds),
        "seed": options["seed"],
        "options": options,
        "seconds": round(seconds, 1),
        "machine": machine.facts(str(root)),
        "commit": machine.facts(str(root))["commit"],
        "rounds": rounds,
    }


def number(value, unit=""):
    return "-" if value is None else f"{value:,.0f}{unit}" if isinstance(value, float) else f"{value:,}{unit}"


def text(report):
    """The printed report."""
    lines = [machine.line(report["machine"]), ""]

    def row(what, value):
        lines.append(f"  {what:<44} {value:>16}")

    row("kill -9 of pipeline processes", number(report["kills"]))
    row("commands and other records in", number(report["records_in"]))
    row("records out", number(report["records_out"]))
    row("transactions committed", number(report["transactions"]))
    for kind in KINDS:
        row(kind, number(report[kind]))
    row("dead letters", number(report["dead_lettered"]))
    row("processes that ended by themselves", number(report["ended_unasked"]))
    row("rounds, and those that the oracle judged",
        f"{len(report['rounds'])}, {report['rounds_judged_by_oracle']}")
    if report["bound_per_kill"] is not None:
        row("violations per kill, 95 % bound (3/n)", f"< {report['bound_per_kill']:g}")
    lines += ["", f"  {'recovery, ms':<14} {'faults':>7} {'p50':>9} {'p99':>9} {'max':>9}   after the harm ended: p50, max"]
    for kind, told in report["recovery_by_kind"].items():
        some = told["recovery_ms"]
        after = told.get("after_end_ms")
        tail = f"   {number(after['p50'])}, {number(after['max'])}" if after else ""
        late = f"   {told['not_recovered']} NOT RECOVERED IN TIME" if told["not_recovered"] else ""
        lines.append(f"  {kind:<14} {told['faults']:>7} {number(some['p50']):>9} {number(some['p99']):>9} "
                     f"{number(some['max']):>9}{tail}{late}")
    lines.append("")
    for one in report["rounds"]:
        lines += complaints(one)
    lines.append("verdict: exactly once" if report["clean"] else
                 f"verdict: NOT CLEAN; run it again with SEED={report['seed']}")
    return "\n".join(lines)


def complaints(one):
    """What a round that is not clean has to say."""
    lines = []
    for kind in KINDS:
        lines += [f"  round {one['round']}: {kind}: {example}" for example in one["findings"]["examples"][kind]]
    lines += [f"  round {one['round']}: {trouble}" for trouble in one["troubles"]]
    return lines
