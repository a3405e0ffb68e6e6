"""What was recorded: of each topic partition the fingerprints of its records, in the order of the log."""

import array
import bisect
import copy

import avro
from predict import NO_STAMP, content, fingerprint, key_print, stamp_ms

SOURCE = "millrace.source."


class Recorded:
    """One topic partition."""

    __slots__ = ("prints", "stamps", "keys", "offsets")

    def __init__(self):
        self.prints = array.array("Q")
        self.stamps = array.array("q")
        self.keys = array.array("Q")
        self.offsets = array.array("q")

    def __len__(self):
        return len(self.prints)

    def copy(self):
        other = Recorded()
        for name in self.__slots__:
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def insert(self, index, entry):
        for name, value in zip(self.__slots__, entry):
            getattr(self, name).insert(index, value)

    def remove(self, index):
        """Takes a record out and returns it."""
        return tuple(getattr(self, name).pop(index) for name in self.__slots__)

    def append(self, entry):
        self.insert(len(self), entry)


class Reader:
    """Turns lines of a dump into what is compared."""

    def __init__(self, dump):
        self.dump = dump

    def entry(self, line):
        """What Recorded keeps, in its order."""
        key, store, value, headers = self.item(line)
        text = content(key, store, value, headers)
        return fingerprint(text, value is None), self.stamp(line), key_print(store, key), line["offset"]

    @staticmethod
    def stamp(line):
        try:
            return stamp_ms(line["timestamp"])
        except ValueError:
            return NO_STAMP - 1  # no time at all

    def item(self, line):
        """(key, store, value, headers): what is compared of a record."""
        if self.dump.specs[line["topic"]]["kind"] == "dead-letter":
            return line["key"], None, *self.letter(line)
        value = line["value"]
        if value is None and "bytes" in line:
            value = {"bytes": line["bytes"]}  # cannot be read: no prediction is like it
        return line["key"], line.get("store"), value, None

    def letter(self, line):
        """(value, headers) of a dead letter, in the words of predict.Prediction.letter."""
        headers = dict(line.get("headers", {}))
        source = self.source(headers)
        if source is None or "bytes" in source:
            headers.pop("millrace.error", None)
            headers.pop("millrace.error.text", None)
            return {"bytes": line.get("bytes")}, headers
        if "bytes" not in line:
            return {"value": line["value"]}, headers
        topic = source["topic"]
        try:
            framed = bytes.fromhex(line["bytes"])
            return {"value": avro.decode(self.dump.specs[topic]["schema"], self.dump.schemas[topic], framed)}, headers
        except avro.Malformed:
            return {"bytes": line["bytes"]}, headers

    def source(self, headers):
        """The record that a dead letter says it was."""
        name = headers.get(SOURCE + "topic")
        try:
            partition, offset = int(headers[SOURCE + "partition"]), int(headers[SOURCE + "offset"])
        except (KeyError, ValueError):
            return None
        if name not in self.dump.ends or not 0 <= partition < len(self.dump.ends[name]):
            return None
        topic = self.dump.topic(name)
        offsets = topic.partitions[partition].offsets
        index = bisect.bisect_left(offsets, offset)
        found = index < len(offsets) and offsets[index] == offset
        return topic.record(partition, index) if found else None

    def partition(self, topic, number):
        source = self.dump.topic(topic)
        recorded = Recorded()
        for index in range(len(source.partitions[number])):
            recorded.append(self.entry(source.record(number, index)))
        return recorded

    def line_at(self, topic, partition, offset):
        """The line of a record by its offset."""
        source = self.dump.topic(topic)
        return source.record(partition, source.partitions[partition].offsets.index(offset))


def read_outputs(dump, topics):
    """All partitions of the topics: (topic, partition) -> Recorded."""
    reader = Reader(dump)
    return {(topic, number): reader.partition(topic, number)
            for topic in topics for number in range(len(dump.topic(topic).partitions))}
