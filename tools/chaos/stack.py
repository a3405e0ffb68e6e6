"""The servers under the pipeline: started and ended by tools/dev, hurt here.

Why:  the broker, the document store and Redis fail too. A server is the stack's process and is found by
      its pid file, which says who it is beyond doubt.
How:  the broker is ended and started again as itself, with its data. Document store and Redis keep
      theirs in memory: they are taken away by proxies in front of them, not ended.
"""

import json
import os
import signal
import threading
import urllib.parse

import common
import process as stack_process
import proxy

from .world import ChaosError


class Stack:
    def __init__(self, world, environment):
        """environment: for stack.sh (BROKERS, PROXIED)."""
        self.world = world
        self.environment = environment
        self.started = False

    def command(self, *words):
        return common.stack_command(self.world, *words, **self.environment)

    def up(self):
        ran = self.command("status")[0] == 0
        code, out = self.command("up")
        if code != 0:
            raise ChaosError(f"the stack does not start:\n{out.strip()}")
        self.started = not ran
        self.world.stack = common.read_pairs(self.world.stack_dir / "stack.env")

    def reset(self):
        self.command("reset")

    def down(self):
        self.command("down")

    def ports(self):
        return json.loads((self.world.stack_dir / "ports.json").read_text())

    def address(self, name):
        """(host, port) of a server of stack.env."""
        text = self.world.stack[name]
        parsed = urllib.parse.urlsplit(text if "://" in text else f"kafka://{text.split(',')[0]}")
        return parsed.hostname, parsed.port

    def proxies(self):
        """{name: proxy} in front of each broker, of the document store and of Redis."""
        made = {}
        known = self.ports()
        for name in sorted(known):
            if name.endswith("-front") and f"{name.removesuffix('-front')}-behind" in known:
                broker = name.removesuffix("-front")
                made[broker] = proxy.Proxy("127.0.0.1", known[f"{broker}-behind"], known[name])
        made["documentdb"] = proxy.Proxy(*self.address("DOCUMENTDB_URI"))
        made["redis"] = proxy.Proxy(*self.address("REDIS_URL"))
        return made

    def addresses_behind(self, proxies):
        """What stands in the environment of a process whose stores are behind the proxies."""
        found = {}
        for variable, name in (("DOCUMENTDB_URI", "documentdb"), ("REDIS_URL", "redis")):
            url = urllib.parse.urlsplit(self.world.stack[variable])
            found[variable] = url._replace(netloc=f"127.0.0.1:{proxies[name].port}").geturl()
        return found

    # ---- brokers

    def broker_file(self, number):
        name = "kafka" if number == 1 else f"kafka-{number}"
        return self.world.stack_dir / "run" / f"{name}.pid"

    def broker_pid(self, number):
        return stack_process.alive(self.broker_file(number))

    def end_broker(self, number, hard):
        """SIGKILL or SIGTERM; returns when it is gone."""
        pid = self.broker_pid(number)
        if pid is None:
            raise ChaosError(f"broker {number} does not run")
        os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
        if not self.world.wait_until(lambda: self.broker_pid(number) is None, 60):
            raise ChaosError(f"broker {number} (pid {pid}) does not end")

    def begin_again(self):
        """Starts what is missing and returns when all of it answers; processes are looked after meanwhile."""
        done = []
        thread = threading.Thread(target=lambda: done.append(self.command("up")), daemon=True)
        thread.start()
        self.world.wait_until(lambda: not thread.is_alive(), 300)
        code, out = done[0] if done else (None, "stack.sh up does not end")
        if code != 0:
            raise ChaosError(f"the stack does not come back:\n{out.strip()}")
