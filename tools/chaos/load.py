"""The load: the tape by `millrace load trades`, or the benchmark's flow.

Why:  the tape is what `millrace verify` can prove to the last trade; its books are empty between two
      trades. The flow has a thousand users whose orders meet in the books from every partition, and
      leaves a part of them there. One or the other, because they live in different years: in one
      partition the trades of one would be too late for the candles of the other.
How:  both send at a rate until SIGTERM tells them to end; then they wait for their outcomes.
"""

import json
import os
import signal
import subprocess
import time

from .world import ChaosError

PLAYING_S = 120


class Sender:
    """One process that sends."""

    def __init__(self, world, name, words):
        self.world = world
        self.name = name
        self.log_path = world.dir / "logs" / f"{name}.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.words = [str(word) for word in words]
        self.child = None

    def start(self):
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.words],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.world.root, env={**os.environ, **self.world.stack})
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def ended(self):
        return self.child is not None and self.child.poll() is not None

    def tail(self):
        return "\n".join(f"    {line}" for line in self.log().splitlines()[-8:])

    def await_words(self, words, seconds=PLAYING_S):
        """Until the log has these words."""
        if not self.world.wait_until(lambda: words in self.log() or self.ended(), seconds, every_s=0.05):
            raise ChaosError(f"{self.name} does not get to '{words}':\n{self.tail()}")
        if self.ended() and words not in self.log():
            raise ChaosError(f"{self.name} ended with code {self.child.returncode}:\n{self.tail()}")

    def ask_to_end(self):
        if self.child is not None and not self.ended():
            self.child.send_signal(signal.SIGTERM)

    def await_end(self, seconds):
        """The exit code, or None when it has not ended in time."""
        if not self.world.wait_until(self.ended, seconds, every_s=0.1):
            return None
        return self.child.returncode

    def close(self):
        """Ends it whatever it does."""
        if self.child is not None and not self.ended():
            self.child.kill()
            self.child.wait()


class Tape(Sender):
    """`millrace load trades`; the manifest says what was sent."""

    def __init__(self, world, run, tape, instruments, rate, seed, mix, patience_s=90):
        self.manifest = world.dir / f"{run}.manifest.json"
        self.verify_report = world.dir / f"{run}.verify.json"
        self.manifest.unlink(missing_ok=True)
        super().__init__(world, f"load-{run}", [
            world.program("tools/millrace/millrace"), "load", "trades", tape,
            "--topology", world.topology, "--manifest", self.manifest, "--instruments", instruments,
            "--rate", f"{rate}/s", "--seed", seed, "--run", run, "--patience", f"{patience_s}s",
            "--users", 6, *mix])

    def start_and_await_orders(self):
        self.start()
        self.await_words("playing: ")
        return self

    def told(self):
        """The manifest: what was sent and must come of it."""
        return json.loads(self.manifest.read_text()) if self.manifest.exists() else {}


class Flow(Sender):
    """The benchmark's orders in the open loop."""

    def __init__(self, world, rate, seconds):
        self.seconds = seconds
        super().__init__(world, "flow", [
            world.program("tools/bench/order_load"), "--kafka", world.stack["KAFKA_BOOTSTRAP"],
            "--registry", world.stack["SCHEMA_REGISTRY_URL"], "--rate", rate,
            "--duration", f"{int(seconds)}s", "--prepare", "--wait", "90s"])

    def start_and_await_orders(self):
        self.start()
        self.await_words("open loop: ")
        return self

    def told(self):
        """Its measurements, the last line of its output."""
        try:
            return json.loads(self.log().splitlines()[-1])
        except (ValueError, IndexError):
            return {}


def settle(senders, seconds):
    """Asks all to end and waits; returns texts about those that did not see all outcomes."""
    troubles = []
    for sender in senders:
        sender.ask_to_end()
    deadline = time.monotonic() + seconds
    for sender in senders:
        code = sender.await_end(max(1.0, deadline - time.monotonic()))
        if code != 0:
            troubles.append(f"{sender.name}: {'does not end' if code is None else f'exit code {code}'}: "
                            f"{sender.tail().strip()}")
            sender.close()
    return troubles
