"""The prediction: every task of every group driven through its journal, and what must be in the log then.

Predicted records are kept as fingerprints, with what is needed to find them again; their contents go to a
temporary file, so that memory does not grow with them. Fields that no input determines are listed here.
"""

import array
import hashlib
import json
import tempfile

from amounts import micros
from journal import Journal, group_journal
from records import DumpError, key_bytes
from tables import TableHistory
from tasks import Input, Task

# What the inputs and the journal do not determine, and is therefore not compared:
#   offset                     the log gives it out; transactions of several tasks meet in a partition
#   timestamp of a record that no input record caused (a flush, a timer, a changelog, a journal)
#                              it is the wall clock at the commit
#   writer, committedTs of a journal's record
#                              who ran the task and when; the order in which it took its inputs is given
#   millrace.error, millrace.error.text of a dead letter that could not be decoded
#                              the codec's own words about bytes that have no meaning
UNDETERMINED = ("offset", "timestamp", "writer", "committedTs", "millrace.error", "millrace.error.text")
NO_STAMP = -1

def murmur2(data):
    """As Java's default partitioner."""
    mask = 0xffffffff
    multiplier = 0x5bd1e995
    value = 0x9747b28c ^ len(data)
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at:at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return value ^ value >> 15


def content(key, store, value, headers):
    """What is compared of a record, as one text."""
    return json.dumps([key, store, value, headers], sort_keys=True, separators=(",", ":"))


def fingerprint(text, gone=False):
    """64 bits; the last one says that the record is a tombstone."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return number | 1 if gone else number & ~1


def is_gone(print_):
    return print_ & 1 == 1


def key_print(store, key):
    return fingerprint(key if store is None else f"{store}\0{key}")


def stamp_ms(text):
    """A timestamp as a number; NO_STAMP: it is not determined."""
    return NO_STAMP if text is None else micros(text) // 1000


class Predicted:
    """What one topic partition must hold, in the order of prediction."""

    __slots__ = ("prints", "keys", "stamps", "tasks", "sequences", "places")

    def __init__(self):
        self.prints = array.array("Q")
        self.keys = array.array("Q")
        self.stamps = array.array("q")
        self.tasks = array.array("H")
        self.sequences = array.array("Q")
        self.places = array.array("Q")  # in the file of contents

    def __len__(self):
        return len(self.prints)


class Prediction:
    """Everything predicted, by (topic, partition). A task's number is its place in `tasks`."""

    def __init__(self):
        self.records = {}
        self.tasks = []
        self.problems = []  # (topic, partition, offset, text): the journal against the inputs
        self.transactions = 0
        self.inputs = 0
        self.file = tempfile.TemporaryFile()
        self.place = 0

    def add(self, task, topic, partition, item):
        """item: (key, store, value, headers, timestamp)"""
        predicted = self.records.get((topic, partition))
        if predicted is None:
            predicted = self.records[topic, partition] = Predicted()
        key, store, value, headers, stamp = item
        text = content(key, store, value, headers)
        line = text.encode() + b"\n"
        predicted.prints.append(fingerprint(text, value is None))
        predicted.tasks.append(len(self.tasks) - 1)
        predicted.sequences.append(task.sequence)
        predicted.places.append(self.place)
        predicted.stamps.append(stamp_ms(stamp))
        predicted.keys.append(key_print(store, key))
        self.file.write(line)
        self.place += len(line)

    def item(self, topic, partition, index):
        """(key, store, value, headers) of a predicted record."""
        self.file.seek(self.records[topic, partition].places[index])
        return json.loads(self.file.readline())

    # ---- what a task writes (tasks.py) -----------------------------------------------------------

    def output(self, task, topic, partition, key, value, stamp):
        self.add(task, topic, partition, (key, None, value, None, stamp))

    def change(self, task, topic, store, key, value):
        self.add(task, topic, task.partition, (key, store, value, None, None))

    def letter(self, task, topic, partition, line, poison, stage):
        """A dead letter: the record as it came, where it came from, and why."""
        headers = dict(line.get("headers", {}))
        headers |= {
            "millrace.source.topic": line["topic"], "millrace.source.partition": str(line["partition"]),
            "millrace.source.offset": str(line["offset"]),
            "millrace.source.timestamp-ms": str(micros(line["timestamp"]) // 1000), "millrace.stage": stage,
            "millrace.error.class": "poison"}
        if poison.status is not None:
            headers |= {"millrace.error": poison.status, "millrace.error.text": poison.text}
        # The bytes of a record that could be decoded are not in the dump, its value is.
        value = {"bytes": line["bytes"]} if "bytes" in line else {"value": line["value"]}
        self.add(task, topic, partition, (line["key"], None, value, headers, line["timestamp"]))


class Model:
    """The topology as the tasks need it, and the dump's topics as their inputs."""

    def __init__(self, dump):
        self.dump = dump
        self.nodes = {stage["name"]: stage for stage in dump.topology["stages"]}
        self.groups = dump.topology["groups"]
        names = {name for group in self.groups for name in group["tables"]}
        self.tables = {name: TableHistory(dump.topic(name)) for name in sorted(names)}
        self.partition_cache = {}

    def input(self, topic, partition):
        return Input(self.dump.topic(topic), partition)

    def readers(self, group, topic):
        """(stage, port, whether it takes tombstones) of the stages that consume a topic from the log."""
        for name in group["stages"]:
            for port in self.nodes[name]["in"]:
                if port["topic"] == topic and not port["table"] and not port["inMemory"]:
                    yield name, port["port"], port["tombstones"]

    def partition_of(self, topic, key):
        found = self.partition_cache.get((topic, key))
        if found is None:
            if len(self.partition_cache) > 1 << 17:
                self.partition_cache.clear()
            found = (murmur2(key_bytes(key)) & 0x7fffffff) % self.dump.partitions(topic)
            self.partition_cache[topic, key] = found
        return found

    @staticmethod
    def event_us(line):
        value = line["value"]
        return micros(line["timestamp"]) if value is None else micros(value["ts"])

    @staticmethod
    def event_of_value(value):
        return micros(value["ts"])


def load_journals(dump):
    """The journal of each group."""
    journals = {}
    for group in dump.topology["groups"]:
        name = group_journal(dump, group)
        if name is None:
            raise DumpError(f"group {group['name']} keeps no journal: its order cannot be known")
        journals[group["name"]] = Journal.load(dump, group, name)
    return journals


def predict(dump, journals, progress=lambda text: None):
    """Runs every task of every group."""
    prediction = Prediction()
    model = Model(dump)
    for group in model.groups:
        for partition in range(group["tasks"]):
            run_task(model, group, partition, journals[group["name"]], prediction, progress)
    return prediction


def run_task(model, group, partition, journal, prediction, progress):
    transactions = journal.tasks.get(partition, [])
    prediction.tasks.append((group["name"], partition))
    task = Task(model, group, partition, prediction)
    for number, transaction in enumerate(transactions):
        task.run(transaction)
        if number % 500 == 0:
            progress(f"{group['name']}:{partition} transaction {number + 1} of {len(transactions)}")
    prediction.transactions += len(transactions)
    prediction.inputs += sum(source.next for source in task.inputs.values())
