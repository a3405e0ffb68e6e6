"""What a stage's model is made of: its base, the record it is given, and the refusal to go on with one."""

from records import key_bytes, key_text
from store import Store


class Poison(Exception):
    """A record that can never be processed: all it did is forgotten, it becomes a dead letter."""

    def __init__(self, status, text, stage=None):
        super().__init__(text)
        self.status = status  # None, with the text: why is the codec's to say
        self.text = text
        self.stage = stage  # name of the first stage in the chain that failed


class Record:
    """What a stage is given. value is the decoded record, None for a tombstone."""

    __slots__ = ("key", "value", "event_us")

    def __init__(self, key, value, event_us):
        self.key = key
        self.value = value
        self.event_us = event_us


class Stage:
    """Base of the stages' models. STORES: names of its stores, in the order of the changelog."""

    STORES = ()

    def __init__(self, task, node):
        self.task = task
        self.name = node["name"]
        self.options = node["options"]
        self.changelog = node["changelog"]
        self.dead_letters = node["deadLetters"]
        self.tables = {port["port"]: port["topic"] for port in node["in"] if port["table"]}
        self.out = {port["port"]: port for port in node["out"]}
        self.stores = {name: Store(name) for name in self.STORES}

    def process(self, port, record):
        """One record of a stream port."""
        raise NotImplementedError

    def punctuate(self, timer, now_us):
        """A timer is due. Only a stage that schedules one is asked."""
        raise ValueError(f"stage {self.name} has no timer {timer} (at {now_us})")

    def flush(self):
        """The transaction is about to commit."""

    def committed(self):
        """It is committed."""

    def undone(self, any_store):
        """A record failed in this or another stage; any_store: something of this one was taken back."""

    def emit(self, port, key, value, partition_key=None):
        self.task.emit(self, port, key, value, partition_key)

    def table(self, port, key):
        """The value of a global table for a key: (identity, value), (None, None) when there is none."""
        return self.task.tables[self.tables[port]].get(key_text(key))


def key_is(key, text):
    """Is a record's key this text?"""
    return key == text if text.isascii() else key_bytes(key) == text.encode()
