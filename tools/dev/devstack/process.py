"""Processes that outlive the command that started them, and how they are recognised later.

Why:  a process id alone is not an identity: the kernel reuses it, and then a stranger is killed.
How:  the pid file holds pid, start time (ticks since boot) and boot id; a process is ours only when
      all three agree. Signals go through a pidfd, so nothing can change between check and signal.
"""

import json
import os
import pathlib
import select
import signal
import subprocess

import config

TERM_S = 15.0
KILL_S = 5.0


def _boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid):
    """(state, start ticks) of a process, or None. The name may contain spaces and brackets."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def rss_mb(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return None


def start(command, log, pid_file, cwd, env):
    """Starts command detached from the terminal; its output goes to log. Returns the Popen."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        os.replace(log, log.with_suffix(".log.before"))
    with open(log, "wb") as out:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
            env={**os.environ, **env},
        )
    stat = _stat(child.pid)
    record = {"pid": child.pid, "start_ticks": stat[1] if stat else 0, "boot_id": _boot_id()}
    config.write_text(pid_file, json.dumps(record) + "\n")
    return child


def _open(pid_file):
    """(pid, pidfd) of the living process that pid_file describes, or None."""
    try:
        record = json.loads(pid_file.read_text())
        pid, ticks = int(record["pid"]), int(record["start_ticks"])
        if record["boot_id"] != _boot_id():
            return None
        pidfd = os.pidfd_open(pid)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    stat = _stat(pid)
    if stat is None or stat[0] in "ZX" or stat[1] != ticks:
        os.close(pidfd)
        return None
    return pid, pidfd


def alive(pid_file):
    """The pid when the process that pid_file describes is still that process, else None."""
    opened = _open(pid_file)
    if opened is None:
        return None
    os.close(opened[1])
    return opened[0]


def _signal_and_wait(pidfd, number, seconds):
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return True
    # A pidfd becomes readable when its process has ended.
    return bool(select.select([pidfd], [], [], seconds)[0])


def stop(pid_file):
    """Ends the process: SIGTERM, then SIGKILL after a bound. Returns 'stopped', 'killed', None."""
    opened = _open(pid_file)
    how = None
    if opened is not None:
        pidfd = opened[1]
        try:
            how = "stopped"
            if not _signal_and_wait(pidfd, signal.SIGTERM, TERM_S):
                how = "killed"
                if not _signal_and_wait(pidfd, signal.SIGKILL, KILL_S):
                    raise config.StackError(f"process {opened[0]} does not end; see {pid_file}")
        finally:
            os.close(pidfd)
    pid_file.unlink(missing_ok=True)
    return how
