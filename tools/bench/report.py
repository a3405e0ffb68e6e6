"""The report: targets, ratios, a table for people and JSON for the rest.

How:  `rows` turns the measures into (what, value, target, met); everything printed comes from it.
"""

import statistics

# What issue and design ask for; the numbers for people are in docs/PERFORMANCE.md.
TARGETS = {
    "orders_per_s": (">=", 25000),
    "orders_per_cpu_s": (">=", 50000),
    "p50_ms": ("<=", 30),
    "p99_ms": ("<=", 100),
    "exactly_once_ratio": (">=", 0.85),
    "journal_ratio": (">=", 0.98),
    "replay_ratio": (">=", 3),
    "rss_mb": ("<=", 150),
    "restart_p50_ms": ("<=", 1000),
    "much_state_ratio": ("<=", 1.1),
    "restored_per_cpu_s": (">=", 200000),
    "check_ms": ("<=", 100),
}


def met(name, value):
    """True, False, or None when there is no target."""
    if name not in TARGETS or value is None:
        return None
    sign, bound = TARGETS[name]
    return value >= bound if sign == ">=" else value <= bound


def row(what, name, value, unit=""):
    sign, bound = TARGETS.get(name, ("", None))
    return {"what": what, "value": value, "unit": unit,
            "target": None if bound is None else f"{sign} {bound:g}", "met": met(name, value)}


def median_of(steps, name):
    return statistics.median(step[name] for step in steps)


def _step_rows(what, step):
    return [
        row(f"{what}: orders/s", "orders_per_s", round(step["orders_per_s"]), "/s"),
        row(f"{what}: orders per CPU-second of the pipeline", "orders_per_cpu_s",
            step["orders_per_cpu_s"], "/s"),
        row(f"{what}: CPU of pipeline, broker, load", "",
            f"{step['pipeline_cpu_s']:.1f}, {step['broker_cpu_s'] or 0:.1f}, {step['cpu_s']:.1f}", "s"),
    ]


def _rss_rows(what, step):
    return [row(f"{what}: highest RSS of {name}", "rss_mb", mb, "MB")
            for name, mb in sorted(step["rss_peak_mb"].items())]


def rows(measures):
    """Every line of the table, in order."""
    table = []
    for rate, step in measures.get("latency", {}).items():
        # The targets are for 5,000 orders a second; other rates are told without one.
        named = "{}_ms" if rate == "5000" else "other_{}"
        for part in ("p50", "p99"):
            table.append(row(f"{rate} orders/s: {part.upper()} order to execution",
                             named.format(part), round(step["latency"][f"{part}_ms"], 1), "ms"))
        table += _rss_rows(f"{rate} orders/s", step)
    if "throughput" in measures:
        table += _step_rows("closed loop", measures["throughput"])
        table += _rss_rows("closed loop", measures["throughput"])
    if "connectors" in measures:
        step = measures["connectors"]
        table.append(row("connectors on: orders/s", "", round(step["orders_per_s"]), "/s"))
        table += _rss_rows("connectors on", step)
    if "guarantees" in measures:
        table += _ratio_rows(measures["guarantees"], "exactly-once", "at-least-once",
                             "exactly_once_ratio")
    if "journal" in measures:
        table += _ratio_rows(measures["journal"], "with journal", "without journal", "journal_ratio")
    if "replay" in measures:
        table += _replay_rows(measures["replay"])
    if "restart" in measures:
        table += _restart_rows(measures["restart"])
    if "check" in measures:
        step = measures["check"]
        table.append(row(f"topology check of {step['stages']} stages", "check_ms", step["p50_ms"], "ms"))
        table.append(row(f"topology check of {step['stages']} stages: CPU", "", step["cpu_ms"], "ms"))
    if "peer" in measures:
        table += _peer_rows(measures["peer"])
    return table


def _ratio_rows(rounds, first, second, target):
    """What the one costs against the other: a target for throughput, none for CPU."""
    table = []
    for name, unit in (("orders_per_s", "throughput"), ("orders_per_cpu_s", "orders per CPU-second")):
        ratio = median_of(rounds[first], name) / median_of(rounds[second], name)
        table.append(row(f"{first} over {second}: {unit}", target if name == "orders_per_s" else "",
                         round(ratio, 2), "x"))
    return table


def _replay_rows(found):
    return [row("live: inputs a second", "", found["live"]["inputs_per_s"], "/s"),
            row(f"replay of {found['replay']['inputs']:,} inputs: a second", "",
                found["replay"]["inputs_per_s"], "/s"),
            row("replay over live", "replay_ratio", found["ratio"], "x")]


def _restart_rows(found):
    """The longest that an order waited, with every amount of state, and their ratio."""
    table = []
    sizes = [found[name] for name in ("little", "much") if name in found]
    for name in sorted(name for name, told in sizes[0].items() if isinstance(told, dict)):
        for size in sizes:
            table.append(row(f"kill -9 of {name}, {size['state_mb']} MB of state: P50 of the longest wait",
                             "restart_p50_ms", round(size[name]["p50_ms"]), "ms"))
        if len(sizes) == 2:
            table.append(row(f"kill -9 of {name}: much state over little", "much_state_ratio",
                             round(sizes[1][name]["p50_ms"] / sizes[0][name]["p50_ms"], 2), "x"))
    restore = found["restore"]
    table.append(row(f"full restore of {restore['records']:,} records: a second", "",
                     restore["records_per_s"], "/s"))
    table.append(row("full restore: a CPU-second", "restored_per_cpu_s", restore["records_per_cpu_s"], "/s"))
    return table


def _peer_rows(rounds):
    """Medians over the rounds, Millrace over the peer; for latency and memory the inverse is good."""
    table = []

    def compare(what, ours, theirs, unit):
        ratio = ours / theirs if theirs else 0
        table.append(row(f"Millrace, peer: {what}", "",
                         f"{ours:.0f}, {theirs:.0f} {unit} = {ratio:.2f} x"))

    def both(name, step, inner=None):
        take = (lambda s: s[name]) if inner is None else (lambda s: s[inner][name])
        return tuple(statistics.median(take(r[side][step]) for r in rounds) for side in ("millrace", "peer"))

    compare("orders/s, overloaded", *both("orders_per_s", "saturated"), "/s")
    compare("orders per CPU-second, overloaded", *both("orders_per_cpu_s", "saturated"), "/s")
    compare("P50 at 5,000 orders/s", *both("p50_ms", "5000", "latency"), "ms")
    compare("P99 at 5,000 orders/s", *both("p99_ms", "5000", "latency"), "ms")
    compare("RSS (all processes)", *both("rss_mb", "saturated"), "MB")
    return table


def text(known_line, table, blocks):
    """The printed report; blocks are tables that are lines already."""
    width = max([len(entry["what"]) for entry in table] or [0])
    lines = [known_line, ""]
    for entry in table:
        verdict = {True: "met", False: "NOT MET", None: ""}[entry["met"]]
        target = entry["target"] or ""
        value = f"{entry['value']:,}" if isinstance(entry["value"], (int, float)) else entry["value"]
        lines.append(f"  {entry['what']:<{width}}  {value:>12} {entry['unit']:<3} {target:<10} {verdict}".rstrip())
    for block in blocks:
        lines += ["", *(f"  {line}" for line in block)]
    return "\n".join(lines)
