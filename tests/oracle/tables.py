"""Global tables: topics that every task sees whole, each as far as its journal says.

A worker that takes a task over may be behind the one before it, so a position may also go back: the
history of each key is kept, and a lookup finds the last value before the position.
"""

import bisect
import collections


class TableHistory:
    """Where the values of each key stand in the topic."""

    def __init__(self, topic):
        self.topic = topic
        self.keys = collections.defaultdict(list)  # key -> [(partition, offsets, places)]
        self.cache = {}
        for number, partition in enumerate(topic.partitions):
            for index in range(len(partition)):
                self.note(number, index, topic.record(number, index))

    def note(self, partition, index, record):
        """A value that cannot be read leaves the one before it in place; one without a key is lost."""
        unreadable = record["value"] is None and "bytes" in record
        if unreadable or record["key"] == "":
            return
        entries = self.keys[record["key"]]
        if not entries or entries[-1][0] != partition:
            entries.append((partition, [], []))
        entries[-1][1].append(record["offset"])
        entries[-1][2].append(index)

    def value(self, partition, index):
        identity = (partition, index)
        if identity not in self.cache:
            if len(self.cache) > 10000:
                self.cache.clear()
            self.cache[identity] = self.topic.record(partition, index)["value"]
        return identity, self.cache[identity]


class TableView:
    """A table as one task sees it."""

    def __init__(self, history):
        self.history = history
        self.positions = collections.Counter()

    def move(self, partition, position):
        self.positions[partition] = position

    def get(self, key):
        """(identity, value); (None, None) when there is none or it was deleted."""
        for partition, offsets, places in self.history.keys.get(key, ()):
            at = bisect.bisect_left(offsets, self.positions[partition])
            if at > 0:
                identity, value = self.history.value(partition, places[at - 1])
                return (identity, value) if value is not None else (None, None)
        return None, None
