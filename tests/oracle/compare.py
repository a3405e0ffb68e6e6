"""Predicted against recorded, one topic partition at a time, in both directions.

Equal contents find each other by their fingerprints; a record of one producing task must also stand where the
prediction has it, behind the one predicted before it. What is left over is paired by what identifies a record,
to say which field differs, or is missing or extra.
"""

import collections

from predict import NO_STAMP, is_gone

# What identifies a record beyond its key, by the schema of the topic.
IDENTITY = {
    "OrderCommand": ("eventId",), "AccountCommand": ("eventId",), "ExecutionReport": ("execId",),
    "Trade": ("tradeId",), "LedgerEntry": ("seq",), "RiskEvent": ("eventId",), "Position": ("version",),
    "Balance": ("version",), "BookDelta": ("lastSeq",), "BookSnapshot": ("lastSeq",),
    "Candle": ("openTs", "trades", "closed"), "Ticker": ("lastTradeId", "closeTs"),
}
PAIRS_MAX = 1000  # leftovers that are looked at closely


class Outcome:
    """How one topic partition compares. Numbers of records are places in Predicted and Recorded."""

    __slots__ = ("predicted", "recorded", "missing", "extra", "unordered", "stamps", "compacted", "latest",
                 "keys")

    def __init__(self, predicted, recorded):
        self.predicted = predicted
        self.recorded = recorded
        self.missing = []
        self.extra = []
        self.unordered = []  # (predicted, recorded)
        self.stamps = []  # (predicted, recorded): equal but for the timestamp
        self.compacted = 0
        self.latest = []  # fingerprints of keys whose last value differs
        self.keys = 0  # with a value at the end

    def equal(self):
        return not (self.missing or self.extra or self.unordered or self.stamps or self.latest)


class Rule:
    """How a topic is compared."""

    __slots__ = ("compacted", "history", "compaction")

    def __init__(self, compacted, history, compaction):
        self.compacted = compacted  # the last value of each key is the topic's meaning
        self.history = history  # every record counts, not only the last of each key
        self.compaction = compaction  # records with a later one of their key may be gone


def compare(predicted, recorded, rule):
    outcome = Outcome(len(predicted.prints), len(recorded.prints))
    match(predicted, recorded, outcome)
    if rule.compaction:
        forgive_compaction(predicted, outcome)
    if not rule.history:
        outcome.missing, outcome.extra, outcome.unordered = [], [], []
    if rule.compacted:
        outcome.latest = differing_keys(predicted, recorded)
        outcome.keys = len(last_of_keys(predicted.prints, predicted.keys))
    return outcome


def match(predicted, recorded, outcome):
    free = Places(predicted.prints)
    last = {}
    for number, print_ in enumerate(recorded.prints):
        place = free.take(print_)
        if place is None:
            outcome.extra.append(number)
            continue
        task = predicted.tasks[place]
        if place < last.get(task, -1):
            outcome.unordered.append((place, number))
        else:
            last[task] = place
        if predicted.stamps[place] not in (NO_STAMP, recorded.stamps[number]):
            outcome.stamps.append((place, number))
    outcome.missing = free.left()


class Places:
    """Where each fingerprint stands, to be taken from the first on. Nearly all stand once."""

    def __init__(self, prints):
        self.single = {}
        self.several = {}
        for place in range(len(prints) - 1, -1, -1):
            print_ = prints[place]
            if print_ in self.single:
                self.several.setdefault(print_, []).append(self.single[print_])
            self.single[print_] = place

    def take(self, print_):
        place = self.single.pop(print_, None)
        more = self.several.get(print_)
        if more:
            self.single[print_] = more.pop()
        return place

    def left(self):
        return sorted([*self.single.values(), *(place for places in self.several.values() for place in places)])


def forgive_compaction(predicted, outcome):
    """A record may be gone when there is to be a later one of its key."""
    last = {key: place for place, key in enumerate(predicted.keys)}
    kept = [place for place in outcome.missing if last[predicted.keys[place]] == place]
    outcome.compacted = len(outcome.missing) - len(kept)
    outcome.missing = kept


def last_of_keys(prints, keys):
    return {key: print_ for key, print_ in dict(zip(keys, prints)).items() if not is_gone(print_)}


def differing_keys(predicted, recorded):
    """Keys whose last value is another one. A deleted key may be there as a tombstone or not at all."""
    want = last_of_keys(predicted.prints, predicted.keys)
    have = last_of_keys(recorded.prints, recorded.keys)
    return sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))


# ---- leftovers -----------------------------------------------------------------------------------


class Difference:
    """One thing to show: where it is, and the first field that differs."""

    __slots__ = ("kind", "topic", "partition", "offset", "key", "field", "predicted", "recorded", "task")

    def __init__(self, kind, topic, partition, **fields):
        self.kind = kind
        self.topic = topic
        self.partition = partition
        for name in self.__slots__[3:]:
            setattr(self, name, fields.get(name))

    def facts(self):
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}


def identity(schema, key, value):
    if not isinstance(value, dict):
        return (key,)
    return (key, *(str(value.get(name)) for name in IDENTITY.get(schema, ())))


def first_difference(predicted, recorded, path=""):
    """(field, predicted, recorded) of the first field that differs, in the order of the recorded one."""
    if isinstance(predicted, dict) and isinstance(recorded, dict):
        for name in [*recorded, *(name for name in predicted if name not in recorded)]:
            if name not in predicted or name not in recorded or predicted[name] != recorded[name]:
                return first_difference(predicted.get(name, "(no such field)"),
                                        recorded.get(name, "(no such field)"), f"{path}.{name}" if path else name)
    if isinstance(predicted, list) and isinstance(recorded, list):
        for index, (left, right) in enumerate(zip(predicted, recorded)):
            if left != right:
                return first_difference(left, right, f"{path}[{index}]")
        return f"{path} (items)", len(predicted), len(recorded)
    return path or "value", predicted, recorded


def pair(outcome, schema, item_of, line_item):
    """Leftovers of both sides that are the same record: [(predicted, recorded)], and what stays alone."""
    extra, missing = outcome.extra[:PAIRS_MAX], outcome.missing[:PAIRS_MAX]
    pairs = []
    for name_of in (lambda item: identity(schema, item[0], item[2]), lambda item: (item[0], item[1])):
        waiting = collections.defaultdict(collections.deque)
        for place in missing:
            waiting[name_of(item_of(place))].append(place)
        taken = []
        for number in extra:
            found = waiting.get(name_of(line_item(number)))
            if found:
                taken.append((found.popleft(), number))
        pairs += taken
        missing = [place for place in missing if place not in {pair_[0] for pair_ in taken}]
        extra = [number for number in extra if number not in {pair_[1] for pair_ in taken}]
    return pairs, missing + outcome.missing[PAIRS_MAX:], extra + outcome.extra[PAIRS_MAX:]
