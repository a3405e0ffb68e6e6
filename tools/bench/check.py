"""How long `millrace topology check` takes for a topology that is much larger than ours.

Why:  it runs in editors and before every commit; nobody waits for it twice.
How:  stages in one chain, every second one with a table, twenty to a group; the whole command counts,
      from its start to its exit. The median of many, because the first ones read the program from disk;
      and its CPU, which another load of the machine does not change.
"""

import resource
import statistics
import subprocess
import time

from common import BenchError

STAGES = 200
PER_GROUP = 20
RUNS = 30


def topology(stages):
    """A right topology of so many stages."""
    lines = ["application: large", "topics:", "  t0: {key: userId, value: OrderCommand}",
             "  executions: {key: userId, value: ExecutionReport}",
             "  events: {key: userId, value: RiskEvent}",
             "  instruments: {key: symbol, value: Instrument, cleanup: compact}"]
    lines += [f"  t{i + 1}: {{key: userId, value: OrderCommand}}" for i in range(stages)]
    lines.append("stages:")
    for i in range(stages):
        if i % 2 == 0:
            lines.append(f"  s{i}: {{type: validate, in: {{orders: t{i}, instruments: {{table: instruments}}}}, "
                         f"out: {{valid: t{i + 1}, rejected: executions}}}}")
        else:
            lines.append(f"  s{i}: {{type: dedupe, in: {{orders: t{i}}}, "
                         f"out: {{unique: t{i + 1}, events: events}}, options: {{window: 24h}}}}")
    lines.append("groups:")
    for first in range(0, stages, PER_GROUP):
        names = ", ".join(f"s{i}" for i in range(first, min(first + PER_GROUP, stages)))
        lines.append(f"  g{first}: {{stages: [{names}]}}")
    return "\n".join(lines) + "\n"


def measure(bench):
    program = bench.program("tools/millrace/millrace")
    bench.dir.mkdir(parents=True, exist_ok=True)
    path = bench.dir / "large.yaml"
    path.write_text(topology(STAGES))
    took = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(RUNS):
        began = time.perf_counter()
        done = subprocess.run([str(program), "topology", "check", str(path)], capture_output=True,
                              text=True, check=False)
        took.append((time.perf_counter() - began) * 1000)
        if done.returncode != 0:
            raise BenchError(f"topology check of {path} ended with exit code {done.returncode}:\n"
                             f"{done.stderr.strip()[-1500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"stages": STAGES, "p50_ms": round(statistics.median(took), 1),
            "max_ms": round(max(took), 1), "cpu_ms": round(cpu_s * 1000 / RUNS, 1)}
