"""The pipeline under measurement: one process per group, and one for the connectors.

How:  a process is ready when its /ready says so; it is ended with SIGTERM and must then exit 0. Its log and
      state lie in the benchmark's directory. Counters come from its own /metrics. A process does not
      outlive the one that started it, however that one ends. tools/chaos starts its own with this too.
"""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

import processes
from common import BenchError

READY_S = 60
STOP_S = 30


class Process:
    """One `millrace run`."""

    def __init__(self, bench, name, arguments, environment, state=None):
        self.name = name
        self.root = bench.root
        self.environment = environment
        self.state = state or bench.dir / "state"
        self.log_path = bench.dir / "logs" / f"{name}.log"
        self.port_file = bench.dir / "run" / f"{name}.port"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.port_file.parent.mkdir(parents=True, exist_ok=True)
        # setpriv becomes the program: the pid is the program's.
        self.words = ["setpriv", "--pdeathsig", "KILL", bench.program("tools/millrace/millrace"),
                      "run", bench.topology, *arguments,
                      "--state-dir", self.state, "--http-port-file", self.port_file]
        self.start()

    def start(self):
        """Also once more, after it has ended."""
        self.port_file.unlink(missing_ok=True)
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen([str(word) for word in self.words], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, cwd=self.root,
                                          env={**os.environ, **self.environment})
        self.pid = self.child.pid
        self.asked_to_end = False

    def get(self, path):
        """The answer's text, or None when there is none yet (or it says no)."""
        with contextlib.suppress(OSError, ValueError, urllib.error.URLError):
            port = int(self.port_file.read_text())
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        return None

    def wait_ready(self):
        limit = time.monotonic() + READY_S
        while self.get("/ready") is None:
            if self.child.poll() is not None:
                raise BenchError(f"{self.name} ended with exit code {self.child.returncode}; "
                                 f"the end of its log:\n{self.log_tail()}")
            if time.monotonic() > limit:
                raise BenchError(f"{self.name} is not ready after {READY_S} s; "
                                 f"the end of its log:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self):
        with contextlib.suppress(OSError):
            lines = self.log_path.read_text(errors="replace").splitlines()[-10:]
            return "\n".join(f"    {line}" for line in lines)
        return "    (no log)"

    def counters(self):
        """{metric: sum over its label sets} of /metrics."""
        return counters_of(self.get("/metrics") or "")

    def ask_to_end(self):
        """Once: a second SIGTERM would not wait for the last commit."""
        if not self.asked_to_end and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        self.asked_to_end = True

    def stop(self):
        self.ask_to_end()
        try:
            code = self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise BenchError(f"{self.name} did not end within {STOP_S} s of SIGTERM") from None
        if code != 0:
            raise BenchError(f"{self.name} ended with exit code {code}:\n{self.log_tail()}")


def counters_of(text):
    """Prometheus text -> {metric: sum}; buckets of histograms are left out."""
    sums = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        name = name.partition("{")[0]
        if not name or line.startswith("#") or name.endswith("_bucket"):
            continue
        with contextlib.suppress(ValueError):
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


class Pipeline:
    """Started processes as a context; everything it started has ended when it is left."""

    def __init__(self, bench, guarantee="exactly-once", connectors=False, journal=True):
        self.bench = bench
        self.environment = {**bench.stack, "GUARANTEE": guarantee,
                            "JOURNAL": "true" if journal else "false"}
        self.wanted = [("account", ["--group", "account"]), ("market", ["--group", "market"])]
        self.with_connectors = connectors
        self.processes = []

    def __enter__(self):
        try:
            for name, arguments in self.wanted:
                self.processes.append(Process(self.bench, name, arguments, self.environment))
            if self.with_connectors:
                self.processes.append(Process(self.bench, "connectors", ["--connectors", "all"],
                                              self.environment))
            for process in self.processes:
                process.wait_ready()
        except BaseException:
            self.end(quiet=True)
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.end(quiet=kind is not None)

    def end(self, quiet):
        errors = []
        for process in self.processes:
            process.ask_to_end()
        for process in self.processes:
            try:
                process.stop()
            except BenchError as error:
                errors.append(str(error))
        self.processes = []
        if errors and not quiet:
            raise BenchError("; ".join(errors))

    def observe(self):
        """Counters and CPU of every process now; the difference of two is what happened between."""
        return {process.name: {"cpu_s": processes.cpu_s(process.pid),
                               "threads": processes.threads_cpu_s(process.pid),
                               "counters": process.counters()}
                for process in self.processes}

    def memory(self):
        """{process: highest resident MB}."""
        return {process.name: processes.memory_mb(process.pid)[1] for process in self.processes}


def difference(before, after):
    """What each process did between two observations."""
    done = {}
    for name, now in after.items():
        then = before[name]
        done[name] = {
            "cpu_s": now["cpu_s"] - then["cpu_s"],
            "threads_cpu_s": {thread: round(seconds - then["threads"].get(thread, 0.0), 2)
                              for thread, seconds in sorted(now["threads"].items())},
            **{short: now["counters"].get(metric, 0.0) - then["counters"].get(metric, 0.0)
               for short, metric in (("commits", "millrace_commits_total"),
                                     ("aborts", "millrace_aborts_total"),
                                     ("records_in", "millrace_records_in_total"),
                                     ("records_out", "millrace_records_out_total"),
                                     ("dead_letters", "millrace_dead_letters_total"))},
        }
    return done
