"""A dump (tools/millrace/dump.h): topics as lines of JSON, found by partition and place, read one by one.

A file is mapped, not loaded: of each record only where its line begins and its offset are kept.
"""

import array
import json
import mmap
import pathlib
import re

HEAD = re.compile(rb'\{"topic":"[^"]*","partition":(\d+),"offset":(\d+),')


class DumpError(Exception):
    """The directory is not a dump that can be checked; said in one line."""


def key_text(text):
    """A text as a record's key shows it: its bytes, one character each."""
    return text if text.isascii() else text.encode().decode("latin-1")


def key_bytes(key):
    return key.encode("latin-1")


def text_bytes(text):
    return text.encode("utf-8", "surrogatepass")


class Partition:
    """The committed records of one partition, in the order of their offsets."""

    def __init__(self):
        self.offsets = array.array("q")
        self.places = array.array("Q")

    def __len__(self):
        return len(self.offsets)


class Topic:
    """One file of the dump."""

    def __init__(self, path, partitions):
        self.path = path
        self.partitions = [Partition() for _ in range(partitions)]
        self.file = open(path, "rb")
        size = self.file.seek(0, 2)
        self.map = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) if size > 0 else b""
        self.index()

    def index(self):
        place = 0
        number = 1
        while place < len(self.map):
            end = self.map.find(b"\n", place)
            if end < 0:
                raise DumpError(f"{self.path}: line {number} does not end: the dump is not complete")
            self.note(place, end, number)
            place = end + 1
            number += 1

    def note(self, place, end, number):
        match = HEAD.match(self.map, place, end)
        if match is None or int(match[1]) >= len(self.partitions):
            raise DumpError(f"{self.path}: line {number} is no record of this topic")
        partition = self.partitions[int(match[1])]
        offset = int(match[2])
        if len(partition) > 0 and offset <= partition.offsets[-1]:
            raise DumpError(f"{self.path}: line {number}: offsets of a partition do not rise")
        partition.offsets.append(offset)
        partition.places.append(place)

    def line(self, partition, index):
        place = self.partitions[partition].places[index]
        return self.map[place:self.map.find(b"\n", place)]

    def record(self, partition, index):
        try:
            return json.loads(self.line(partition, index))
        except ValueError as problem:
            offset = self.partitions[partition].offsets[index]
            raise DumpError(f"{self.path}: offset {offset} is no JSON: {problem}") from None

    def close(self):
        if self.map:
            self.map.close()
        self.file.close()


class Dump:
    """A directory with topics.json and a file for each topic."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.opened = {}
        description = self.read_description()
        self.in_memory = description["log"] == "memory"
        self.topology = description["topology"]
        self.ends = description["topics"]
        self.committed = description["committed"]
        self.schemas = description["schemas"]
        self.specs = {topic["name"]: topic for topic in self.topology["topics"]}
        self.application = self.topology["application"]

    def read_description(self):
        path = self.directory / "topics.json"
        try:
            description = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise DumpError(f"{path} is not there: {self.directory} is no complete dump") from None
        except (OSError, ValueError) as problem:
            raise DumpError(f"{path} cannot be read: {problem}") from None
        missing = [name for name in ("log", "topology", "topics", "committed", "schemas") if name not in description]
        if missing or "stages" not in description["topology"]:
            raise DumpError(f"{path} has no {missing[0] if missing else 'stages in its topology'}")
        return description

    def topic(self, name):
        if name not in self.opened:
            path = self.directory / f"{name}.jsonl"
            if name not in self.ends:
                raise DumpError(f"topics.json says nothing of topic {name}")
            try:
                self.opened[name] = Topic(path, len(self.ends[name]))
            except OSError as problem:
                raise DumpError(f"{path} cannot be read: {problem.strerror}") from None
        return self.opened[name]

    def names(self):
        """Topics that are in the log."""
        return list(self.ends)

    def is_compacted(self, name):
        return "compact" in self.specs[name]["configs"].get("cleanup.policy", "delete")

    def partitions(self, name):
        return self.specs[name]["partitions"]

    def close(self):
        for topic in self.opened.values():
            topic.close()
        self.opened = {}
