"""The journal: what each task took, in which order, transaction by transaction.

Records of one task may stand in any partition of its group's journal topic; their sequence orders them.
Everything that the journal says about itself is checked here: sequences without gaps and doubles, each
input taken once and whole, from the log's beginning to what the group has committed.
"""

import array
import collections
import sys

from records import DumpError


class Transaction:
    """One task's part of one committed transaction."""

    __slots__ = ("sequence", "sources", "step_sources", "step_values", "where")

    def __init__(self, value, where):
        self.sequence = value["sequence"]
        self.sources = [(source["kind"], sys.intern(source["name"]), source["partition"], source["offset"])
                        for source in value["sources"]]
        self.step_sources = array.array("H", (step["source"] for step in value["steps"]))
        self.step_values = array.array("q", (step["value"] for step in value["steps"]))
        self.where = where  # partition and offset of the journal's record

    def steps(self):
        """(source, value) of each step; a source is (kind, name, partition, offset)."""
        for number, value in zip(self.step_sources, self.step_values):
            yield self.sources[number], value

    def inputs(self):
        """(topic, partition, offset of the first record, number of records) of each input."""
        counts = collections.Counter()
        for number, value in zip(self.step_sources, self.step_values):
            counts[number] += value
        for number, (kind, name, partition, offset) in enumerate(self.sources):
            if kind == "INPUT":
                yield name, partition, offset, counts[number]


class Journal:
    """All transactions of a group, by task."""

    def __init__(self, group, topic_name):
        self.group = group
        self.topic_name = topic_name
        self.tasks = collections.defaultdict(list)

    @classmethod
    def load(cls, dump, group, topic_name):
        journal = cls(group["name"], topic_name)
        topic = dump.topic(topic_name)
        for number, partition in enumerate(topic.partitions):
            for index in range(len(partition)):
                journal.add(topic.record(number, index))
        journal.sort()
        return journal

    def add(self, record):
        value = record["value"]
        where = (record["partition"], record["offset"])
        try:
            if record["key"] != f"{self.group}:{value['partition']}" or value["group"] != self.group:
                raise ValueError("its key is not its group and task")
            transaction = Transaction(value, where)
            if any(number >= len(transaction.sources) for number in transaction.step_sources):
                raise ValueError("a step names no source")
        except (LookupError, TypeError, ValueError, OverflowError) as problem:
            raise DumpError(f"{self.topic_name}[{where[0]}] offset {where[1]} is no journal: {problem}") from None
        self.tasks[value["partition"]].append(transaction)

    def sort(self):
        for transactions in self.tasks.values():
            transactions.sort(key=lambda transaction: transaction.sequence)

    def problems(self):
        """Gaps and doubles in the sequences, as (partition, offset, text)."""
        for task, transactions in sorted(self.tasks.items()):
            expected = 1
            for transaction in transactions:
                if transaction.sequence != expected:
                    kind = "is there twice" if transaction.sequence < expected else "is a gap"
                    text = f"{self.group}:{task} sequence {transaction.sequence}, expected {expected}: {kind}"
                    yield (*transaction.where, text)
                expected = transaction.sequence + 1


def group_journal(dump, group):
    """Name of the journal topic of a group, None when the topology keeps none."""
    name = f"{dump.application}-{group['name']}-journal"
    return name if name in dump.specs else None
