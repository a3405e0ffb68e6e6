"""How long a killed process is missed, with little state and with much, and how fast state is restored.

Why:  a restart in place must not take longer because there is more state, and an emptied directory must
      not keep a partition for hours.
How:  orders come in the open loop; in each step one process is killed with SIGKILL and started again at
      once. An order's latency counts from when it was due, so the longest one is the whole gap: what the
      restart took, and until the orders that had come meanwhile were worked off. `much` is what the
      closed loop has left behind when the state has the size asked for.
      At the end the account processes' directory is emptied and everything restored from the changelogs.
"""

import concurrent.futures
import pathlib
import shutil
import statistics
import time

import load
import pipeline
import processes
from common import BenchError, say

RATE = 3000
STEP_S = 6
KILL_AFTER_S = 3   # behind what order_load leaves out of its percentiles
GROW_S = 15
RESTORE_S = 600
RESTORED = "millrace_restored_records_total"


def size_mb(directory):
    """What a directory takes on the disk; files may vanish meanwhile."""
    blocks = 0
    for path in pathlib.Path(directory).rglob("*"):
        try:
            blocks += path.stat().st_blocks
        except OSError:
            continue
    return blocks * 512 / 1e6


def missed_ms(bench, process):
    """One kill under load; the longest that an order waited."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        loading = pool.submit(load.run, bench, rate=RATE, seconds=STEP_S)
        time.sleep(KILL_AFTER_S)
        process.child.kill()
        process.child.wait()
        process.start()
        return loading.result()["latency"]["max_ms"]


def kills(bench, running, count):
    """{process: milliseconds of each kill, and their median}, the processes in turn."""
    told = {process.name: [] for process in running.processes}
    for number in range(count):
        for process in running.processes:
            told[process.name].append(missed_ms(bench, process))
            say(f"    {process.name}, {number + 1} of {count}: {told[process.name][-1]:.0f} ms")
    return {name: {"each_ms": each, "p50_ms": statistics.median(each), "max_ms": max(each)}
            for name, each in told.items()}


def grow(bench, running, state_mb):
    directory = running.processes[0].state
    found = size_mb(directory)
    while found < state_mb:
        load.run(bench, rate=0, seconds=GROW_S)
        before, found = found, size_mb(directory)
        say(f"    state: {found:.0f} of {state_mb} MB")
        if found <= before:
            say("    it does not grow; compaction may be at work")
    return found


def restore(bench, running):
    """Of the account process, from an emptied directory; without load."""
    process = running.processes[0]
    process.ask_to_end()
    process.stop()
    for found in pathlib.Path(process.state).glob(f"*.{process.name}.*"):
        shutil.rmtree(found)
    began = time.monotonic()
    process.start()
    while process.get("/ready") is None:
        if time.monotonic() - began > RESTORE_S:
            raise BenchError(f"{process.name} has not restored its state in {RESTORE_S} s")
        time.sleep(0.05)
    seconds = time.monotonic() - began
    records = process.counters().get(RESTORED, 0)
    cpu_s = processes.cpu_s(process.pid)
    return {"records": round(records), "seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2),
            "records_per_s": round(records / seconds), "records_per_cpu_s": round(records / cpu_s)}


def measure(bench, plan):
    found = {}
    with pipeline.Pipeline(bench) as running:
        load.run(bench, rate=RATE, seconds=10)
        little_mb = size_mb(running.processes[0].state)
        say(f"  restart in place, {little_mb:.0f} MB of state, {RATE} orders/s")
        found["little"] = {"state_mb": round(little_mb), **kills(bench, running, plan.restarts)}
        if plan.state_mb > little_mb:
            much_mb = grow(bench, running, plan.state_mb)
            say(f"  restart in place, {much_mb:.0f} MB of state")
            found["much"] = {"state_mb": round(much_mb), **kills(bench, running, plan.restarts)}
        say("  full restore")
        found["restore"] = restore(bench, running)
    return found
