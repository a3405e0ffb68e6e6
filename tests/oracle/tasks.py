"""The runtime as a stage sees it: tasks, hand-over in memory, stores, conflation, flush, dead letters.

A task is one partition number of a group's inputs. It is driven by its journal: so many records of this
input, a global table moved on to there, a timer fired then. Everything a transaction wrote is handed to
the recorder in the order in which the log must show it.
Source: docs/ARCHITECTURE.md (a transaction, errors) and the contract of stages.
"""

import importlib

from records import DumpError, key_text
from stage import Poison, Record
from tables import TableView

NO_TIME_US = -(1 << 63)

STAGES = {
    "validate": "validate", "dedupe": "dedupe", "risk": "risk", "settle": "settle", "fill": "fill",
    "price-aggregate": "prices",
}


class Task:
    """One task, from its first transaction to its last."""

    def __init__(self, model, group, partition, recorder):
        self.model = model
        self.group = group
        self.partition = partition
        self.recorder = recorder
        self.stages = {}
        for name in group["stages"]:
            node = model.nodes[name]
            module = importlib.import_module(STAGES[node["type"]])
            self.stages[name] = module.STAGE(self, node)
        self.tables = {topic: TableView(model.tables[topic]) for topic in group["tables"]}
        self.inputs = {topic: model.input(topic, partition) for topic in group["consumes"]}
        self.readers = {topic: list(model.readers(group, topic)) for topic in group["consumes"]}
        self.outbox = []
        self.source = None
        self.stream_time_us = NO_TIME_US  # of records that are done
        self.event_us = NO_TIME_US
        self.sequence = 0

    # ---- one transaction -------------------------------------------------------------------------

    def run(self, transaction):
        self.sequence = transaction.sequence
        for (kind, name, partition, offset), value in transaction.steps():
            if kind == "INPUT":
                self.take(name, value)
            elif kind == "TABLE":
                self.tables[name].move(partition, value)
            else:
                self.fire(self.stages[name], offset, value)
        self.source = None
        for stage in self.stages.values():
            stage.flush()
        self.commit()

    def take(self, topic, count):
        for line in self.inputs[topic].take(count):
            mark = len(self.outbox)
            self.source = line
            try:
                self.process(topic, line)
                self.stream_time_us = max(self.stream_time_us, self.event_us)
            except Poison as poison:
                self.undo(mark)
                self.bury(line, poison)
            except (LookupError, TypeError, ValueError) as problem:
                where = f"{topic}[{line['partition']}] offset {line['offset']}"
                raise DumpError(f"{where} is not what its schema says: {problem!r}") from problem
            self.settle_stores()

    def process(self, topic, line):
        readers = self.readers[topic]
        value = line["value"]
        if value is None and "bytes" in line:
            raise Poison(None, None, readers[0][0])
        self.event_us = self.model.event_us(line)
        record = Record(line["key"], value, self.event_us)
        for name, port, tombstones in readers:
            if value is None and not tombstones:
                raise Poison("MALFORMED", "record without a value", name)
            self.deliver(name, port, record)

    def deliver(self, name, port, record):
        try:
            self.stages[name].process(port, record)
        except Poison as poison:
            poison.stage = poison.stage or name
            raise

    def fire(self, stage, timer, now_us):
        mark = len(self.outbox)
        self.source = None
        try:
            stage.punctuate(timer, now_us)
        except Poison:
            self.undo(mark)
        self.settle_stores()

    def settle_stores(self):
        for stage in self.stages.values():
            for store in stage.stores.values():
                store.release()

    def undo(self, mark):
        del self.outbox[mark:]
        for stage in self.stages.values():
            undone = [store.rollback() for store in stage.stores.values()]
            stage.undone(any(undone))

    def bury(self, line, poison):
        stage = self.stages[poison.stage]
        partition = line["partition"] % self.model.dump.partitions(stage.dead_letters)
        self.outbox.append(("letter", stage.dead_letters, partition, line, poison, stage.name))

    # ---- outputs ---------------------------------------------------------------------------------

    def emit(self, stage, port, key, value, partition_key):
        out = stage.out.get(port)
        if out is None:
            return  # an optional port that nobody bound
        key = key_text(key)
        if out["written"]:
            by = key if partition_key is None else key_text(partition_key)
            partition = self.model.partition_of(out["topic"], by)
            stamp = None if self.source is None else self.source["timestamp"]
            kind = "latest" if out["latest"] else "record"
            self.outbox.append((kind, out["topic"], partition, key, value, stamp))
        if out["readers"]:
            record = Record(key, value, self.model.event_of_value(value))
            for reader in out["readers"]:
                self.deliver(reader["stage"], reader["port"], record)

    def commit(self):
        """Outputs as they arose, then the last of each key of LATEST ports, then the changelogs."""
        latest = {}
        for place, item in enumerate(self.outbox):
            if item[0] == "latest":
                latest[item[1:4]] = place
            else:
                self.send(item)
        for place in sorted(latest.values()):
            self.send(self.outbox[place])
        self.outbox.clear()
        for stage in self.stages.values():
            for store in stage.stores.values():
                for key, value in store.commit():
                    self.recorder.change(self, stage.changelog, store.name, key, value)
            stage.committed()

    def send(self, item):
        if item[0] == "letter":
            self.recorder.letter(self, *item[1:])
        else:
            self.recorder.output(self, *item[1:])


class Input:
    """The records of one input partition, taken one after another."""

    def __init__(self, topic, partition):
        self.topic = topic
        self.partition = partition
        self.next = 0

    def take(self, count):
        held = len(self.topic.partitions[self.partition])
        for _ in range(min(count, held - self.next)):
            line = self.topic.record(self.partition, self.next)
            self.next += 1
            yield line
