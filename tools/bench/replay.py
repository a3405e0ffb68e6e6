"""How fast recorded input is worked again, against how fast it was worked when it came.

Why:  a backfill, and the proof that a new program writes what the old one wrote, must take a fraction of
      the time that the record took.
How:  the closed loop drives the pipeline as fast as it goes; the inputs that its tasks took in that time
      are the live rate. The pipeline is ended and everything that is on record replayed and compared,
      broker running, on the same machine: the inputs that the replay took by its own count.
Not:  reading alone: a replay runs every stage, encodes every output and compares each with its record.
"""

import json
import os
import subprocess
import time

import load
import pipeline
from common import BenchError, say

LIVE_S = 20
INPUTS = "millrace_records_in_total"


def inputs(running):
    return sum(process.counters().get(INPUTS, 0) for process in running.processes)


def live(bench):
    with pipeline.Pipeline(bench) as running:
        load.run(bench, rate=0, seconds=5)
        before, began = inputs(running), time.monotonic()
        load.run(bench, rate=0, seconds=LIVE_S)
        seconds = time.monotonic() - began
        return {"inputs_per_s": round((inputs(running) - before) / seconds)}


def replayed(bench):
    done = subprocess.run([str(bench.program("tools/millrace/millrace")), "replay", "--verify", "--json",
                           "--quiet", "--topology", str(bench.topology)], capture_output=True, text=True,
                          check=False, env={**os.environ, **bench.stack})
    if done.returncode != 0:
        raise BenchError(f"the replay ended with exit code {done.returncode}: "
                         f"{(done.stdout[-1000:] + done.stderr).strip()}")
    told = json.loads(done.stdout)
    return {"inputs": told["inputs"], "outputs": told["outputsEqual"],
            "seconds": round(told["elapsedUs"] / 1e6, 2),
            "inputs_per_s": round(told["inputs"] * 1e6 / told["elapsedUs"])}


def measure(bench):
    say(f"  live, {LIVE_S} s of the closed loop")
    found = {"live": live(bench)}
    say("  replay of everything that is on record")
    found["replay"] = replayed(bench)
    found["ratio"] = round(found["replay"]["inputs_per_s"] / found["live"]["inputs_per_s"], 2)
    return found
