"""Free ports, remembered from one start to the next.

Why:  two stacks on one machine must not collide, and a server that was killed must come back where
      its clients look for it.
How:  drawn at random below the kernel's ephemeral range (an outgoing connection never takes one) and
      away from the well-known ports, so that a developer's own Kafka or Redis is never met by mistake.
"""

import json
import random
import socket

import config

FIRST, LAST = 20000, 29999
HOST = "127.0.0.1"


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections in TIME_WAIT do not make a port taken, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def load(path):
    try:
        return {name: int(port) for name, port in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def assign(path, names, in_use):
    """A port for each name: the remembered one when it is free or held by our own running server
    (its name is in in_use), else a new one. Saves and returns {name: port}."""
    remembered = load(path)
    chosen = {}
    for name in names:
        port = remembered.get(name)
        if port is not None and (name in in_use or is_free(port)):
            chosen[name] = port
    taken = set(chosen.values())
    for name in names:
        if name in chosen:
            continue
        for _ in range(1000):
            port = random.randint(FIRST, LAST)
            if port not in taken and is_free(port):
                break
        else:
            raise config.StackError(f"no free port between {FIRST} and {LAST}")
        chosen[name] = port
        taken.add(port)
    if chosen != remembered:
        config.write_text(path, json.dumps(chosen, indent=1) + "\n")
    return chosen
