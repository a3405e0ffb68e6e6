"""Where and of what a figure was taken: the machine, the commit, how busy it was.

Why:  a figure without these says nothing.
"""

import os
import platform
import subprocess
import time


def _first(path, prefix):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(prefix):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return ""


def _git(root, *words):
    run = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else ""


def facts(root):
    """A dict of plain values."""
    memory_kb = _first("/proc/meminfo", "MemTotal").split()
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory_kb[0]) / 1e6, 1) if memory_kb else 0,
        "kernel": platform.release(),
        "commit": commit or "unknown",
        # What is measured is then not what the commit says.
        "changed_files": len(_git(root, "status", "--porcelain", "--untracked-files=no").splitlines()),
        "load_average": round(os.getloadavg()[0], 2),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def line(known):
    changed = f" + {known['changed_files']} changed files" if known["changed_files"] else ""
    return (f"{known['cores']} x {known['cpu']}, {known['memory_gb']:.0f} GB, Linux {known['kernel']}; "
            f"commit {known['commit']}{changed}; load average {known['load_average']} at the start; "
            f"{known['when']}")
