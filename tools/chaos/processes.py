"""The processes under fire: started, killed, stopped, continued, and started again when they end.

Why:  in production something starts a process again that has ended; a run without that would show only
      the first failure. What ended unasked is written down with its exit code and last words: an exit
      with 1 is the program's right under these faults, a crash is not.
How:  an Instance is a process of the pipeline under its stable name with a state directory of its own.
      Signals go to pids that we have started and not yet waited for.
"""

import contextlib
import json
import shutil
import signal
import time
import urllib.error
import urllib.request

import pipeline as bench_pipeline

from .world import ChaosError

START_AGAIN_S = 0.2
STARTS_IN_A_ROW_MAX = 30
STOP_S = 40
READY_S = 90
CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, 134, 139)


class Instance(bench_pipeline.Process):
    """wanted: it is to run. stopped: SIGSTOP holds it."""

    def __init__(self, world, group, ordinal, environment):
        self.world = world
        self.group = group
        self.ordinal = ordinal
        self.wanted = True
        self.stopped = False
        self.ended = []       # what it did unasked: {"code", "words", "at_s"}
        self.starts_in_a_row = 0
        self.start_at = 0.0
        self.starts = 0
        part = ["--connectors", "all"] if group == "connectors" else ["--group", group]
        name = f"{group}-{ordinal}"
        super().__init__(world, name, [*part, "--instance", str(ordinal), "--wait", "60s"], environment,
                         state=world.dir / "state" / name)

    def start(self):
        super().start()
        self.starts += 1
        self.wanted = True
        self.started = time.monotonic()

    def alive(self):
        return self.child.poll() is None

    def units(self):
        """The units of /ready, whether it says yes or no; [] while nobody answers."""
        with contextlib.suppress(OSError, ValueError):
            port = int(self.port_file.read_text())
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
                    text = answer.read()
            except urllib.error.HTTPError as error:
                text = error.read()
            return json.loads(text)["units"]
        return []

    def ready(self):
        units = self.units()
        return bool(units) and all(unit["ready"] for unit in units)

    def counter(self, name):
        return self.counters().get(name, 0.0)

    def kill(self):
        """kill -9; returns when it is gone."""
        self.wanted = False
        self.child.kill()
        self.child.wait()
        self.stopped = False

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        self.stopped = False
        if self.alive():
            self.child.send_signal(signal.SIGCONT)

    def terminate(self):
        """SIGTERM; its end is awaited by the caller."""
        self.wanted = False
        self.ask_to_end()

    def wipe(self):
        shutil.rmtree(self.state, ignore_errors=True)

    def supervise(self):
        """Starts it again when it has ended unasked."""
        if not self.wanted or self.stopped:
            return
        now = time.monotonic()
        if self.alive():
            if self.starts_in_a_row and now - self.started > 15:
                self.starts_in_a_row = 0
            return
        if self.start_at == 0.0:
            self.note_end(self.child.returncode)
            self.starts_in_a_row += 1
            if self.starts_in_a_row > STARTS_IN_A_ROW_MAX:
                raise ChaosError(f"{self.name} ended {self.starts_in_a_row} times in a row:\n{self.log_tail()}")
            self.start_at = now + min(START_AGAIN_S * self.starts_in_a_row, 2.0)
        elif now >= self.start_at:
            self.start_at = 0.0
            self.start()

    def note_end(self, code):
        words = self.last_words()
        self.ended.append({"code": code, "words": words, "at_s": round(self.world.seconds(), 1),
                           "crash": code in CRASHES})
        self.world.say(f"  {self.name} ended by itself with code {code}: {words}")

    def last_words(self):
        with contextlib.suppress(OSError):
            with open(self.log_path, "rb") as log:
                log.seek(max(0, log.seek(0, 2) - 4096))
                lines = log.read().decode(errors="replace").strip().splitlines()
            told = [line for line in lines if "event=stopped" in line or line.startswith("millrace")]
            return (told or lines or [""])[-1][:400]
        return ""


class Pipeline:
    """All instances of one run; ended, every one, when the block is left."""

    def __init__(self, world, counts, environment_of):
        """counts: {group: instances}. environment_of(name): what an instance has in its environment."""
        self.world = world
        self.counts = counts
        self.environment_of = environment_of
        self.instances = {}

    def __enter__(self):
        try:
            self.start_all()
        except BaseException:
            self.end()
            raise
        self.world.supervise = self.supervise
        return self

    def __exit__(self, *_):
        self.world.supervise = lambda: None
        self.end()

    def start_all(self):
        for group, count in self.counts.items():
            for ordinal in range(count):
                name = f"{group}-{ordinal}"
                self.instances[name] = Instance(self.world, group, ordinal, self.environment_of(name))
        self.await_ready()

    def await_ready(self, seconds=READY_S):
        waiting = list(self.instances.values())

        def all_ready():
            waiting[:] = [one for one in waiting if not one.ready()]
            return not waiting

        if not self.world.wait_until(all_ready, seconds, every_s=0.1):
            told = "\n".join(f"{one.name}: {one.units()}\n{one.log_tail()}" for one in waiting)
            raise ChaosError(f"not ready after {seconds} s: {told}")

    def supervise(self):
        for instance in self.instances.values():
            instance.supervise()

    def names(self):
        return {name: instance.group for name, instance in self.instances.items()}

    def of_group(self, group):
        return [one for one in self.instances.values() if one.group == group]

    def ended_unasked(self):
        return {name: one.ended for name, one in self.instances.items() if one.ended}

    def end(self):
        """SIGTERM to all, then SIGKILL to those that do not end; returns {name: exit code}."""
        for instance in self.instances.values():
            instance.wanted = False
            if instance.stopped:
                instance.resume()
            instance.ask_to_end()
        deadline = time.monotonic() + STOP_S
        codes = {}
        for name, instance in self.instances.items():
            try:
                codes[name] = instance.child.wait(max(0.1, deadline - time.monotonic()))
            except Exception:  # whatever it was, nothing that we started may stay
                instance.child.kill()
                codes[name] = instance.child.wait()
        return codes
