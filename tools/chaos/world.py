"""One run: where its files and programs are, what it may do, how long it waits.

Why:  everything that waits must look after the processes meanwhile: one that ended by itself is
      started again by whatever runs it in production, and here by us.
How:  one thread does all; World.wait calls the pipeline's supervision while it waits. Only the probe
      and the proxies have threads of their own.
"""

import pathlib
import time

import common


class ChaosError(Exception):
    """The run cannot go on, or nothing is proven by it; one line for people."""


class World(common.Bench):
    """A Bench (directories, programs, addresses) with a clock and somebody to look after while waiting."""

    def __init__(self, directory, build, topology):
        super().__init__(pathlib.Path(directory), pathlib.Path(build), pathlib.Path(topology))
        self.began = time.monotonic()
        self.supervise = lambda: None
        self.quiet = False

    def seconds(self):
        return time.monotonic() - self.began

    def say(self, text):
        common.say(f"[{self.seconds():7.1f} s] {text}")

    def wait(self, seconds):
        self.wait_until(lambda: False, seconds)

    def wait_until(self, condition, seconds, every_s=0.02):
        """True as soon as the condition holds, False when the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            self.supervise()
            if condition():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(every_s, left))
