"""The whole check of a dump: prediction, comparison of every topic, structure; and what it found, as rows."""

import collections

import compare
import structure
from amounts import time_of
from predict import Predicted, load_journals, predict
from recorded import Reader, read_outputs
from records import DumpError

KINDS_COMPARED = ("declared", "dead-letter", "changelog")
NOTHING = Predicted()


class Check:
    """A dump that was predicted once; `results` compares, as often as needed, with what is given to it."""

    def __init__(self, dump, skip=(), progress=lambda text: None):
        self.dump = dump
        self.groups = dump.topology["groups"]
        self.progress = progress
        self.refuse_trimmed()
        self.journals = load_journals(dump)
        self.topics = [topic for topic in self.written() if topic not in skip]
        self.skipped = [topic for topic in self.written() if topic in skip]
        self.prediction = self.predict()
        progress("reading what was recorded")
        self.recorded = read_outputs(dump, self.topics)
        self.rules = {topic: self.rule(topic) for topic in self.topics}

    def refuse_trimmed(self):
        """Without the first inputs there is no first state."""
        inputs = {topic for group in self.groups for topic in group["consumes"] + group["tables"]}
        journals = {f"{self.dump.application}-{group['name']}-journal" for group in self.groups}
        for topic in sorted(inputs | journals & self.dump.ends.keys()):
            for number, end in enumerate(self.dump.ends[topic]):
                if end["low"] > 0 and not self.dump.is_compacted(topic):
                    raise DumpError(f"{topic}[{number}] begins at offset {end['low']}: what was before is gone, "
                                    "and nothing can be predicted without it")

    def written(self):
        """Topics that stages write, their changelogs and dead letters."""
        nodes = self.dump.topology["stages"]
        names = {port["topic"] for node in nodes for port in node["out"] if port["written"]}
        names |= {node["deadLetters"] for node in nodes} | {node["changelog"] for node in nodes if node["changelog"]}
        return [name for name in self.dump.names() if name in names]

    def rule(self, topic):
        """On servers a compacted topic may have lost records, and a changelog tells more than its last values."""
        compacted = self.dump.is_compacted(topic)
        changelog = self.dump.specs[topic]["kind"] == "changelog"
        strict = self.dump.in_memory
        return compare.Rule(compacted, history=strict or not changelog, compaction=compacted and not strict)

    def notes(self):
        """What may make a prediction wrong without anybody's fault: compacted inputs have lost records."""
        inputs = {topic for group in self.groups for topic in group["consumes"] + group["tables"]}
        for topic in sorted(topic for topic in inputs if self.dump.is_compacted(topic) and not self.dump.in_memory):
            for number, end in enumerate(self.dump.ends[topic]):
                gone = end["lastStable"] - end["low"] - len(self.dump.topic(topic).partitions[number])
                if gone > 0:
                    yield (f"{topic}[{number}]: {gone} offsets hold no record; if compaction took them, what was "
                           "decided by them cannot be predicted")

    def predict(self):
        """An input that the journal takes and the log does not have ends a task's prediction, not the check."""
        return predict(self.dump, self.journals, self.progress)

    def facts(self):
        inputs = {topic for group in self.groups for topic in group["consumes"]}
        offsets = {(topic, number): list(partition.offsets) for topic in inputs
                   for number, partition in enumerate(self.dump.topic(topic).partitions)}
        return structure.Facts(self.journals, offsets, self.dump.ends, self.dump.committed)

    def outcome(self, key, recorded, predicted=None):
        if predicted is None:
            predicted = self.prediction.records.get(key, NOTHING)
        return compare.compare(predicted, recorded, self.rules[key[0]])

    def results(self):
        self.progress("comparing")
        outcomes = {key: self.outcome(key, recorded) for key, recorded in self.recorded.items()}
        return Results(self, outcomes, structure.check(self.facts(), self.groups))


class Results:
    """What a comparison found."""

    def __init__(self, check, outcomes, problems):
        self.check = check
        self.outcomes = outcomes
        self.problems = problems
        self.found = None  # differences, once they were asked for

    def equal(self):
        return not self.problems and all(outcome.equal() for outcome in self.outcomes.values())

    def torn(self):
        """Transactions whose journal is there and some of whose outputs are not."""
        found = set()
        for key, outcome in self.outcomes.items():
            predicted = self.check.prediction.records.get(key, NOTHING)
            found |= {(predicted.tasks[place], predicted.sequences[place]) for place in outcome.missing}
        return sorted(found)

    def rows(self):
        """topic -> counts, over its partitions."""
        rows = collections.defaultdict(collections.Counter)
        for (topic, _), outcome in self.outcomes.items():
            rows[topic].update(predicted=outcome.predicted, recorded=outcome.recorded,
                               missing=len(outcome.missing), extra=len(outcome.extra),
                               different=len(outcome.stamps), unordered=len(outcome.unordered),
                               compacted=outcome.compacted, keys=outcome.keys, latest=len(outcome.latest))
        for difference in self.paired():
            rows[difference.topic].update(missing=-1, extra=-1, different=1)
        return {topic: rows[topic] for topic in self.check.topics}

    def paired(self):
        """The leftovers that are the same record with another content."""
        return [d for d in self.differences() if d.kind == "different" and d.field != "timestamp"]

    def differences(self):
        if self.found is None:
            self.found = list(self.find_differences())
        return self.found

    def find_differences(self):
        for key, outcome in sorted(self.outcomes.items()):
            if not outcome.equal():
                yield from Explanation(self.check, key, outcome).differences()


class Explanation:
    """The differences of one topic partition in words."""

    def __init__(self, check, key, outcome):
        self.check = check
        self.topic, self.partition = key
        self.outcome = outcome
        self.predicted = check.prediction.records.get(key, NOTHING)
        self.recorded = check.recorded[key]
        self.reader = Reader(check.dump)

    def item(self, place):
        return self.check.prediction.item(self.topic, self.partition, place)

    def line_item(self, number):
        line = self.reader.line_at(self.topic, self.partition, self.recorded.offsets[number])
        return self.reader.item(line)

    def task(self, place):
        group, partition = self.check.prediction.tasks[self.predicted.tasks[place]]
        return f"{group}:{partition} sequence {self.predicted.sequences[place]}"

    def difference(self, kind, place=None, number=None, **fields):
        key, store, _, _ = self.item(place) if number is None else self.line_item(number)
        return compare.Difference(
            kind, self.topic, self.partition, key=key if store is None else f"{store} {key}",
            offset=None if number is None else self.recorded.offsets[number],
            task=None if place is None else self.task(place), **fields)

    def differences(self):
        schema = self.check.dump.specs[self.topic]["schema"]
        pairs, missing, extra = compare.pair(self.outcome, schema, self.item, self.line_item)
        for place, number in pairs:
            left = dict(zip(("key", "store", "value", "headers"), self.item(place)))
            right = dict(zip(("key", "store", "value", "headers"), self.line_item(number)))
            field, predicted, recorded = compare.first_difference(left, right)
            yield self.difference("different", place, number, field=field.removeprefix("value."),
                                  predicted=predicted, recorded=recorded)
        for place, number in self.outcome.stamps:
            yield self.difference("different", place, number, field="timestamp",
                                  predicted=time_of(self.predicted.stamps[place] * 1000),
                                  recorded=time_of(self.recorded.stamps[number] * 1000))
        for place in missing:
            yield self.difference("missing", place)
        for number in extra:
            yield self.difference("extra", number=number)
        for place, number in self.outcome.unordered:
            yield self.difference("out of order", place, number)
        if not self.check.rules[self.topic].history:
            yield from self.last_values()

    def last_values(self):
        """Of keys whose last value differs, the last one on each side."""
        for key in self.outcome.latest:
            place, number = last_place(self.predicted.keys, key), last_place(self.recorded.keys, key)
            yield self.difference("last value", place, number)


def last_place(keys, key):
    """None when it is not there."""
    return next((place for place in range(len(keys) - 1, -1, -1) if keys[place] == key), None)
