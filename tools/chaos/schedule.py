"""What will be done to the pipeline, in which order: everything follows from the seed.

Why:  a run that found something is worth as much as the possibility to run it again. So the whole
      schedule is made before the first fault, printed and stored; only when a fault happens depends on
      the machine, because the next one waits until the last has healed.
How:  kills are what a run is asked for; other faults are drawn in proportion, about two for every three
      kills. A run is dealt out to rounds; each has a stack, a load and a verdict of its own. Pauses are drawn between almost nothing and some seconds: the phase of
      the commit cycle in which a kill lands is uniform by that.
"""

import dataclasses
import json
import random

# name: (how many per kill, what it does)
KINDS = {
    "kill": (None, "kill -9, started again at once in place"),
    "kill-late": (None, "kill -9, started again after the others have taken over"),
    "kill-wiped": (None, "kill -9, its state directory deleted, started again"),
    "kill-many": (None, "kill -9 of several processes in the same moment, started again at once"),
    "stop": (0.15, "SIGSTOP, SIGCONT after a while"),
    "term": (0.15, "SIGTERM, started again after exit 0"),
    "scale": (0.05, "SIGTERM of all instances but one, which then do the work of three; started again one by one"),
    "broker-stop": (0.05, "SIGTERM of the broker, started again"),
    "broker-kill": (0.05, "kill -9 of the broker, started again"),
    "cut": (0.05, "connections to Kafka cut and refused for a while"),
    "freeze": (0.05, "connections to Kafka stay open and nothing passes for a while"),
    "slow": (0.05, "connections to Kafka slowed down for a while"),
    "stores": (0.05, "document store and Redis away for a while"),
}
KILL_KINDS = [name for name in KINDS if name.startswith("kill")]
# Of the kills: restart in place is what is measured most.
KILL_SHARES = {"kill": 0.72, "kill-late": 0.08, "kill-wiped": 0.08, "kill-many": 0.12}
WAY_KINDS = ("cut", "freeze", "slow")
MANY_MAX = 3


@dataclasses.dataclass
class Fault:
    """pause_s: from the healing of the fault before. targets: names of processes; of the broker its number."""

    number: int
    kind: str
    targets: list
    pause_s: float
    duration_s: float = 0.0
    delay_ms: int = 0

    def kills(self):
        return len(self.targets) if self.kind in KILL_KINDS else 0

    def text(self):
        parts = [f"{self.number:4} after {self.pause_s:5.2f} s  {self.kind:<12} {' '.join(self.targets)}"]
        if self.duration_s:
            parts.append(f"for {self.duration_s:.2f} s")
        if self.delay_ms:
            parts.append(f"by {self.delay_ms} ms")
        return " ".join(parts)


class Maker:
    def __init__(self, seed, processes, options):
        """processes: {name: group}; options: brokers, proxied (names), stop_max_s, pause_max_s."""
        self.random = random.Random(seed)
        self.processes = processes
        self.options = options
        self.pipeline = [name for name, group in processes.items() if group != "connectors"]

    def between(self, low, high):
        """Small values are as likely as large ones, each order of magnitude alike."""
        return round(low * (high / low) ** self.random.random(), 2)

    def anybody(self):
        # A connector process now and then: its writes are idempotent, not transactional.
        if self.random.random() < 0.1 and len(self.processes) > len(self.pipeline):
            return self.random.choice([name for name in self.processes if name not in self.pipeline])
        return self.random.choice(self.pipeline)

    def fault(self, number, kind, kills_left=1):
        fault = Fault(number, kind, [], self.between(0.05, self.options["pause_max_s"]))
        if kind == "kill-many":
            count = min(self.random.randint(2, MANY_MAX), kills_left)
            fault.targets = self.random.sample(self.pipeline, min(count, len(self.pipeline)))
        elif kind in ("kill-late", "kill-wiped"):
            fault.targets = [self.random.choice(self.pipeline)]
            if kind == "kill-late":
                fault.duration_s = self.between(6, 12)
        elif kind == "kill":
            fault.targets = [self.anybody()]
        elif kind == "stop":
            fault.targets = [self.random.choice(self.pipeline)]
            fault.duration_s = self.between(1, self.options["stop_max_s"])
        elif kind == "term":
            fault.targets = [self.anybody()]
        elif kind == "scale":
            fault.targets = [self.random.choice(sorted(set(self.processes.values()) - {"connectors"}))]
            fault.duration_s = self.between(2, 8)
        elif kind.startswith("broker"):
            fault.targets = [f"broker-{self.random.randint(1, self.options['brokers'])}"]
            fault.duration_s = self.between(0.1, 6)
        elif kind in WAY_KINDS:
            fault.targets = list(self.options["proxied"])
            fault.duration_s = self.between(0.5, 20)
            fault.delay_ms = self.random.choice((20, 100, 300)) if kind == "slow" else 0
        elif kind == "stores":
            fault.targets = [self.random.choice(("documentdb", "redis", "both"))]
            fault.duration_s = self.between(1, 15)
        return fault


def possible(kinds, processes, options):
    """The kinds that this set of processes and servers can be given."""
    groups = list(processes.values())
    usable = []
    for kind in kinds:
        if kind in WAY_KINDS and not options["proxied"]:
            continue
        if kind == "stores" and "connectors" not in groups:
            continue
        if kind == "scale" and max(map(groups.count, set(groups))) < 2:
            continue
        usable.append(kind)
    return usable


def kills_of(maker, kills, usable):
    """Faults that kill so many processes between them."""
    shares = {kind: KILL_SHARES[kind] for kind in usable if kind in KILL_SHARES}
    found, left = [], kills
    while left > 0 and shares:
        possible_now = {kind: share for kind, share in shares.items() if kind != "kill-many" or left > 1}
        if not possible_now:
            break
        kind = maker.random.choices(list(possible_now), list(possible_now.values()))[0]
        found.append(maker.fault(0, kind, left))
        left -= found[-1].kills()
    return found


def others_of(maker, kills, usable, asked):
    """So many of each other kind as go with the kills; of a kind that was asked for one at least."""
    found = []
    for kind in usable:
        if kind in KILL_KINDS:
            continue
        exact = kills * KINDS[kind][0]
        count = int(exact) + (maker.random.random() < exact - int(exact))
        found += [maker.fault(0, kind) for _ in range(max(count, 1) if asked else count)]
    return found


def make(seed, kills, processes, options, kinds=None):
    """All faults of a run, in a random order."""
    maker = Maker(seed, processes, options)
    usable = possible(kinds or KINDS, processes, options)
    wanted = kills_of(maker, kills, usable) + others_of(maker, kills, usable, kinds is not None)
    maker.random.shuffle(wanted)
    return wanted


def deal(seed, faults, rounds):
    """Gives the faults to rounds (`kills`: how many; `stores`: whether it has them), and numbers them.

    A round may get a kill or two more than its share, when the last of its kills takes several at once.
    """
    chance = random.Random(f"{seed} deal")
    dealt = [[] for _ in rounds]
    left = [one["kills"] for one in rounds]
    for fault in faults:
        able = [i for i, one in enumerate(rounds) if one["stores"]
                or (fault.kind != "stores" and not any(name.startswith("connectors") for name in fault.targets))]
        able = able or list(range(len(rounds)))
        if fault.kills():
            chosen = max(able, key=lambda i: left[i])
            left[chosen] -= fault.kills()
        else:
            chosen = chance.choices(able, [rounds[i]["kills"] + 0.01 for i in able])[0]
        dealt[chosen].append(fault)
    for some in dealt:
        for number, fault in enumerate(some, 1):
            fault.number = number
    return dealt


def seconds(faults):
    """A rough upper bound of how long the faults take, for the length of the tape."""
    healing = {"scale": 40, "kill-late": 15, "broker-stop": 20, "broker-kill": 20, "kill-wiped": 10}
    return sum(fault.pause_s + fault.duration_s + healing.get(fault.kind, 6) for fault in faults)


def to_json(faults):
    return [dataclasses.asdict(fault) for fault in faults]


def from_json(text):
    """The faults of a stored schedule, to be run again as they were."""
    return [Fault(**entry) for entry in json.loads(text)]
