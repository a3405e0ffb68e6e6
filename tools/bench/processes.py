"""What the kernel knows about a process: CPU seconds, memory, by thread if asked.

Why:  a noisy machine spoils every throughput; the CPU that a process used stays comparable.
How:  /proc only. A process that has ended raises ProcessLookupError: it must not end in a benchmark.
"""

import os
import pathlib

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat_cpu_s(text):
    # The command's name stands in brackets and may hold blanks: fields are counted behind it.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _read(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        raise ProcessLookupError(f"{path} is gone: the process has ended") from None


def cpu_s(pid):
    """User and system time of all threads so far, those that have ended included."""
    return _stat_cpu_s(_read(pathlib.Path(f"/proc/{pid}/stat")))


def threads_cpu_s(pid):
    """{name of thread: CPU seconds}; threads of one name are added up."""
    seconds = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            seconds[name] = seconds.get(name, 0.0) + _stat_cpu_s((task / "stat").read_text())
        except FileNotFoundError:
            continue
    return seconds


def memory_mb(pid):
    """(now, highest ever) resident, in MB of 10^6 bytes."""
    values = {}
    for line in _read(pathlib.Path(f"/proc/{pid}/status")).splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            values[name] = int(rest.split()[0]) * 1024 / 1e6
    return values.get("VmRSS", 0.0), values.get("VmHWM", 0.0)
