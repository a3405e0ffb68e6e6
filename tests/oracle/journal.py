"""The journal: what each task took, in which order, transaction by transaction.

Records of one task may stand in any partition of its group's journal topic; their sequence orders them.
Everything that the journal says about itself is checked here: sequences without gaps and doubles, each
input taken once and whole, from the log's beginning to what the group has committed.
"""

import collections


class Transaction:
    """One task's part of one committed transaction."""

    __slots__ = ("sequence", "sources", "steps", "writer", "where")

    def __init__(self, value, where):
        self.sequence = value["sequence"]
        self.sources = value["sources"]
        self.steps = value["steps"]
        self.writer = value["writer"]
        self.where = where  # partition and offset of the journal's record

    def inputs(self):
        """(topic, partition, offset of the first record, number of records) of each input."""
        counts = collections.Counter()
        for step in self.steps:
            counts[step["source"]] += step["value"]
        for index, source in enumerate(self.sources):
            if source["kind"] == "INPUT":
                yield source["name"], source["partition"], source["offset"], counts[index]


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
        if value is None or value["group"] != self.group:
            return
        where = (record["partition"], record["offset"])
        self.tasks[value["partition"]].append(Transaction(value, where))

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
