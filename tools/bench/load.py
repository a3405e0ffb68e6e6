"""Runs order_load and takes its result."""

import json
import subprocess
import sys

from common import BenchError


def run(bench, rate=0, seconds=10, prepare=False, window=20000, skip=None):
    """One step of load; the JSON object of order_load. Raises BenchError when orders were lost."""
    words = [str(bench.program("tools/bench/order_load")),
             "--kafka", bench.stack["KAFKA_BOOTSTRAP"],
             "--registry", bench.stack["SCHEMA_REGISTRY_URL"],
             "--rate", str(rate), "--duration", f"{seconds}s", "--window", str(window)]
    if skip is not None:
        words += ["--skip", skip]
    if prepare:
        words.append("--prepare")
    if not sys.stderr.isatty():
        words.append("--silent")
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=None, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"order_load ended with exit code {done.returncode}: "
                         f"{done.stdout.strip() or 'see its message above'}")
    result = json.loads(done.stdout)
    # Rejected orders are cheap: a figure with many of them would be of another flow.
    if result["rejected"] * 100 > result["sent"]:
        raise BenchError(f"{result['rejected']} of {result['sent']} orders were rejected: "
                         "this is not the flow that is to be measured")
    return result
