"""The peer: the same kind of pipeline in Kafka Streams, built and run as its README says.

How:  its directory is read only: it is copied below the benchmark's directory and built there. Its run.sh
      starts one JVM, loads it in steps RATE:SECONDS and prints two lines a step, which are read here.
"""

import os
import re
import shutil
import subprocess

from common import BenchError, say

RUN_S_MAX = 900
GUARANTEE = "exactly_once_v2"
COMMIT_MS = "100"
THREADS = "1"

LOAD = re.compile(r"rate (\d+): sent (\d+) in ([\d.]+)s, accepted (\d+), trade legs (\d+), (\d+) orders/s")
LATENCY = re.compile(r"p50 ([\d.]+) p90 ([\d.]+) p99 ([\d.]+) p999 ([\d.]+) max ([\d.]+)")
CPU = re.compile(r"jvm cpu ([\d.]+)s => (\d+) orders per cpu-second; rss (\d+) MB")


def parse(text):
    """{rate: step} of run.sh's output."""
    steps = {}
    step = None
    for line in text.splitlines():
        if line.startswith("rate "):
            step = None
        found = LOAD.search(line)
        if found:
            step = {"rate": int(found[1]), "sent": int(found[2]), "outcomes": int(found[4]),
                    "trade_legs": int(found[5]), "orders_per_s": float(found[6])}
            percentiles = LATENCY.search(line)
            if percentiles:
                step["latency"] = {name: float(value) for name, value in
                                   zip(("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"),
                                       percentiles.groups())}
            steps[str(step["rate"])] = step
        found = CPU.search(line)
        if found and step is not None:
            step["pipeline_cpu_s"] = float(found[1])
            step["orders_per_cpu_s"] = int(found[2])
            step["rss_mb"] = int(found[3])
    return steps


def _run(words, directory, environment=None):
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False,
                          timeout=RUN_S_MAX, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise BenchError(f"{' '.join(words)} ended with exit code {done.returncode}:\n"
                         f"{(done.stdout + done.stderr).strip()[-1500:]}")
    return done.stdout


def build(bench, source):
    """The peer's copy, built; an earlier copy of the same sources is used again."""
    for program in ("java", "mvn", "cc", "bc"):
        if shutil.which(program) is None:
            raise BenchError(f"the peer needs {program}, which is not installed")
    if not (source / "run.sh").is_file():
        raise BenchError(f"{source} is not the peer: it has no run.sh")
    target = bench.dir / "peer"
    if not (target / ".built").exists():
        say(f"  building the peer in {target}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        for path in [target, *target.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
        _run(["mvn", "-q", "package", "dependency:copy-dependencies", "-DoutputDirectory=lib",
              "-DincludeScope=runtime"], target)
        _run(["cc", "-O2", "load.c", "-o", "load", "-lrdkafka", "-lpthread"], target)
        (target / ".built").touch()
    return target


def run(bench, target, steps):
    """One JVM through all steps."""
    text = _run(["./run.sh", GUARANTEE, COMMIT_MS, THREADS, steps], target,
                {"BOOT": bench.stack["KAFKA_BOOTSTRAP"], "PY": bench.python})
    result = parse(text)
    if not result:
        raise BenchError(f"the peer gave no figures:\n{text.strip()[-1500:]}")
    return result
