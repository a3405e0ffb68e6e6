"""One thing wrong with a recorded run, at random, in memory: what the self-test shows the oracle.

A mutation changes copies of single topic partitions or of the facts around them. One that changes nothing (a
swap of equal records, a transaction without outputs) is none, and is drawn again by the caller.
"""

import copy

import structure
from predict import NO_STAMP, Predicted
from recorded import Reader

UNSURE_HEADERS = ("millrace.error", "millrace.error.text")


class Mutated:
    """What differs from the recorded run."""

    def __init__(self, text):
        self.text = text
        self.partitions = {}  # (topic, partition) -> Recorded
        self.predicted = {}  # (topic, partition) -> Predicted
        self.facts = None


class Subject:
    """A dump that the oracle found equal, and where each recorded record was predicted."""

    def __init__(self, check, rng):
        self.check = check
        self.rng = rng
        self.reader = Reader(check.dump)
        self.keys = sorted(key for key, recorded in check.recorded.items() if len(recorded) > 0)
        self.places = {}
        self.tasks = [(name, task) for name, journal in check.journals.items()
                      for task, transactions in journal.tasks.items() if transactions]

    def partition(self):
        """A topic first, so that large ones do not take all."""
        topic = self.rng.choice(sorted({key[0] for key in self.keys}))
        return self.rng.choice([key for key in self.keys if key[0] == topic])

    def places_of(self, key):
        """Place in the prediction of each recorded record."""
        if key not in self.places:
            free = {}
            for place, print_ in reversed(list(enumerate(self.check.prediction.records[key].prints))):
                free.setdefault(print_, []).append(place)
            self.places[key] = [free[print_].pop() for print_ in self.check.recorded[key].prints]
        return self.places[key]

    def facts(self):
        """The structure's facts, to be changed: journals are copied as deep as they are changed."""
        facts = self.check.facts()
        facts.ends = copy.deepcopy(facts.ends)
        facts.committed = copy.deepcopy(facts.committed)
        facts.journals = dict(facts.journals)
        return facts

    def line(self, key, index):
        return self.reader.line_at(*key, self.check.recorded[key].offsets[index])

    def is_input(self, topic):
        return any(topic in group["consumes"] for group in self.check.groups)


def describe(key, recorded, index):
    return f"{key[0]}[{key[1]}] offset {recorded.offsets[index]}"


# ---- records of outputs --------------------------------------------------------------------------


def drop(subject):
    key = subject.partition()
    recorded = subject.check.recorded[key]
    return drop_at(subject, key, subject.rng.randrange(len(recorded)), "dropped")


def drop_tail(subject):
    key = subject.partition()
    return drop_at(subject, key, len(subject.check.recorded[key]) - 1, "tail dropped")


def drop_at(subject, key, index, word):
    recorded = subject.check.recorded[key].copy()
    mutated = Mutated(f"{word}: {describe(key, recorded, index)}")
    recorded.remove(index)
    mutated.partitions[key] = recorded
    return mutated


def double(subject):
    key = subject.partition()
    recorded = subject.check.recorded[key].copy()
    index = subject.rng.randrange(len(recorded))
    entry = recorded.remove(index)
    recorded.insert(index, entry)
    recorded.insert(subject.rng.choice((index + 1, len(recorded))), entry)
    mutated = Mutated(f"doubled: {describe(key, recorded, index)}")
    mutated.partitions[key] = recorded
    return mutated


def swap(subject):
    """Two neighbours of one key that one task wrote."""
    key = subject.partition()
    recorded = subject.check.recorded[key].copy()
    first = subject.rng.randrange(len(recorded))
    places, tasks = subject.places_of(key), subject.check.prediction.records[key].tasks
    for second in range(first + 1, len(recorded)):
        if recorded.keys[second] == recorded.keys[first]:
            same_task = tasks[places[first]] == tasks[places[second]]
            if not same_task or recorded.prints[first] == recorded.prints[second]:
                return None
            for column in (recorded.prints, recorded.stamps):
                column[first], column[second] = column[second], column[first]
            mutated = Mutated(f"swapped: {describe(key, recorded, first)} with offset {recorded.offsets[second]}")
            mutated.partitions[key] = recorded
            return mutated
    return None


def move(subject):
    """To the end of another partition of the topic."""
    key = subject.partition()
    others = [other for other in subject.check.recorded if other[0] == key[0] and other != key]
    if not others:
        return None
    other = subject.rng.choice(others)
    source, target = subject.check.recorded[key].copy(), subject.check.recorded[other].copy()
    index = subject.rng.randrange(len(source))
    mutated = Mutated(f"moved: {describe(key, source, index)} to partition {other[1]}")
    target.append(source.remove(index))
    mutated.partitions = {key: source, other: target}
    return mutated


def change(subject):
    """One field of a value, the key, or the timestamp."""
    key = subject.partition()
    recorded = subject.check.recorded[key].copy()
    index = subject.rng.randrange(len(recorded))
    line = subject.line(key, index)
    place = subject.places_of(key)[index]
    what = subject.rng.random()
    if what < 0.05 and subject.check.prediction.records[key].stamps[place] != NO_STAMP:
        line["timestamp"] = changed_text(subject.rng, line["timestamp"])
    elif what < 0.1 and line["key"]:
        line["key"] = changed_text(subject.rng, line["key"])
    elif not change_value(subject.rng, line):
        return None
    entry = subject.reader.entry(line)
    if entry[:3] == (recorded.prints[index], recorded.stamps[index], recorded.keys[index]):
        return None
    mutated = Mutated(f"changed: {describe(key, recorded, index)}")
    recorded.remove(index)
    recorded.insert(index, entry)
    mutated.partitions[key] = recorded
    return mutated


def change_value(rng, line):
    """False: there is nothing in it that could be another."""
    headers = [name for name in line.get("headers", {}) if name not in UNSURE_HEADERS]
    if headers and rng.random() < 0.5:
        name = rng.choice(headers)
        line["headers"][name] = changed_text(rng, line["headers"][name])
    elif line.get("bytes"):
        at = rng.randrange(len(line["bytes"]))
        digit = rng.choice([digit for digit in "0123456789abcdef" if digit != line["bytes"][at]])
        line["bytes"] = line["bytes"][:at] + digit + line["bytes"][at + 1:]
    elif isinstance(line["value"], dict):
        line["value"] = changed(rng, line["value"])
    else:
        return False
    return True


def changed(rng, value):
    """Another value in one place."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice((-1, 1, 10))
    if isinstance(value, str):
        return changed_text(rng, value)
    if isinstance(value, dict):
        name = rng.choice(sorted(value))
        return value | {name: changed(rng, value[name])}
    if isinstance(value, list):
        if not value:
            return [None]
        at = rng.randrange(len(value))
        middle = rng.choice(([], [value[at]] * 2, [changed(rng, value[at])]))
        return value[:at] + middle + value[at + 1:]
    return "x"


def changed_text(rng, text):
    if text == "":
        return "x"
    at = rng.randrange(len(text))
    other = rng.choice([char for char in "0123456789ABCx-" if char != text[at]])
    return text[:at] + other + text[at + 1:]


# ---- transactions --------------------------------------------------------------------------------


def of_transaction(subject, task, sequence):
    """(key, [recorded records]) of what a task's transaction wrote."""
    number = subject.check.prediction.tasks.index(task)
    for key in subject.keys:
        predicted, places = subject.check.prediction.records[key], subject.places_of(key)
        found = [index for index, place in enumerate(places)
                 if predicted.tasks[place] == number and predicted.sequences[place] == sequence]
        if found:
            yield key, found


def without(recorded, indexes):
    rest = recorded.copy()
    for index in sorted(indexes, reverse=True):
        rest.remove(index)
    return rest


def leave_open(subject):
    """The last transaction of a task was never ended: nobody sees it, and its offsets are not moved."""
    name, task = subject.rng.choice(subject.tasks)
    transactions = subject.check.journals[name].tasks[task]
    mutated = Mutated(f"left open: {name}:{task} sequence {transactions[-1].sequence}")
    for key, indexes in of_transaction(subject, (name, task), transactions[-1].sequence):
        recorded = subject.check.recorded[key]
        mutated.partitions[key] = without(recorded, indexes)
    facts = mutated.facts = subject.facts()
    journal = cut_journal(facts, name, task)
    journal.tasks[task] = transactions[:-1]
    partition, offset = transactions[-1].where
    facts.ends[journal.topic_name][partition]["lastStable"] = offset
    for topic, number, first, _ in transactions[-1].inputs():
        facts.committed[name][topic][number] = first or None
    return mutated


def tear(subject):
    """Of one transaction the records of one topic are not there, the others are."""
    name, task = subject.rng.choice(subject.tasks)
    transaction = subject.rng.choice(subject.check.journals[name].tasks[task])
    parts = list(of_transaction(subject, (name, task), transaction.sequence))
    if not parts:
        return None
    topic = subject.rng.choice(sorted({key[0] for key, _ in parts}))
    mutated = Mutated(f"torn: {name}:{task} sequence {transaction.sequence} without {topic}")
    for key, indexes in parts:
        if key[0] == topic:
            mutated.partitions[key] = without(subject.check.recorded[key], indexes)
    return mutated


# ---- the journal and the inputs ------------------------------------------------------------------


def cut_journal(facts, name, task):
    """A journal whose list of that task may be replaced."""
    journal = facts.journals[name] = copy.copy(facts.journals[name])
    journal.tasks = dict(journal.tasks)
    journal.tasks[task] = list(journal.tasks[task])
    return journal


def journal_drop(subject):
    """A record of the journal is gone, and with it what it makes the oracle predict."""
    name, task = subject.rng.choice(subject.tasks)
    transactions = subject.check.journals[name].tasks[task]
    at = subject.rng.randrange(len(transactions))
    sequence = transactions[at].sequence
    mutated = Mutated(f"journal dropped: {name}:{task} sequence {sequence}")
    mutated.facts = subject.facts()
    del cut_journal(mutated.facts, name, task).tasks[task][at]
    number = subject.check.prediction.tasks.index((name, task))
    for key, _ in of_transaction(subject, (name, task), sequence):
        mutated.predicted[key] = unpredicted(subject.check.prediction.records[key], number, sequence)
        mutated.partitions[key] = subject.check.recorded[key]
    no_effect = at == len(transactions) - 1 and not mutated.predicted and not list(transactions[at].inputs())
    return None if no_effect else mutated


def unpredicted(predicted, task, sequence):
    rest = Predicted()
    for place in range(len(predicted)):
        if (predicted.tasks[place], predicted.sequences[place]) != (task, sequence):
            for name in Predicted.__slots__:
                getattr(rest, name).append(getattr(predicted, name)[place])
    return rest


def journal_change(subject):
    """The sequence, where an input begins, how many records are taken; or the record twice."""
    name, task = subject.rng.choice(subject.tasks)
    mutated = Mutated(f"journal changed: {name}:{task}")
    mutated.facts = subject.facts()
    transactions = cut_journal(mutated.facts, name, task).tasks[task]
    at = subject.rng.randrange(len(transactions))
    kind = subject.rng.choice(("twice", "sequence", "offset", "count"))
    mutated.text += f" sequence {transactions[at].sequence}, {kind}"
    step = transactions[at] if kind == "twice" else changed_step(subject, transactions[at], kind)
    transactions[at:at + 1] = [step] * (2 if kind == "twice" else 1)
    return None if step is None else mutated


def changed_step(subject, transaction, kind):
    other = copy.copy(transaction)
    other.sources, other.step_values = list(transaction.sources), copy.copy(transaction.step_values)
    inputs = [number for number, source in enumerate(other.sources) if source[0] == "INPUT"]
    if kind == "sequence":
        other.sequence += subject.rng.choice((-1, 1))
    elif not inputs:
        return None
    elif kind == "offset":
        number = subject.rng.choice(inputs)
        *rest, offset = other.sources[number]
        other.sources[number] = (*rest, offset + subject.rng.choice((-1, 1)))
    else:
        steps = [at for at, number in enumerate(other.step_sources) if number in inputs]
        other.step_values[subject.rng.choice(steps)] += 1
    return other


def input_change(subject):
    """An input record is gone, one more is there, or the committed offset is another one."""
    mutated = Mutated("input ")
    facts = mutated.facts = subject.facts()
    (topic, number), offsets = subject.rng.choice(sorted(item for item in facts.offsets.items() if item[1]))
    kind = subject.rng.choice(("dropped", "tail dropped", "added", "offset"))
    mutated.text += f"{kind}: {topic}[{number}]"
    if kind == "dropped":
        del offsets[subject.rng.randrange(len(offsets))]
    elif kind == "tail dropped":
        del offsets[-1]
    elif kind == "added":
        offsets.append(offsets[-1] + 2)
    else:
        name = next(group["name"] for group in subject.check.groups if topic in group["consumes"])
        facts.committed[name][topic][number] += subject.rng.choice((-1, 1))
    return mutated


KINDS = (drop, drop_tail, double, swap, move, change, change, change, leave_open, tear, journal_drop,
         journal_change, input_change)


def draw(subject):
    """A mutation that is one."""
    while True:
        mutated = subject.rng.choice(KINDS)(subject)
        if mutated is not None:
            return mutated


def is_reported(subject, mutated):
    """Does the oracle see it?"""
    check = subject.check
    if mutated.facts is not None and structure.check(mutated.facts, check.groups):
        return True
    for key, recorded in mutated.partitions.items():
        if not check.outcome(key, recorded, mutated.predicted.get(key)).equal():
            return True
    return False

