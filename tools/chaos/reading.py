"""Reads the topics of a round, read_committed, with stock clients, and hands them to the verdict.

How:  the records' schemas are those of schemas/avro without their logical types: nothing here computes,
      and decoding is most of the time. Partitions are independent, so they are shared out to
      processes of this program's own interpreter.
Not:  the pipeline's own reader or codec is not involved.
"""

import concurrent.futures
import io
import json
import multiprocessing
import os
import pathlib
import time

import confluent_kafka
import fastavro
from confluent_kafka.admin import AdminClient, OffsetSpec

from . import verdict
from .world import ChaosError

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "avro"
BATCH = 1000
# consume() waits for a whole batch: the end of a partition costs this much.
CONSUME_S = 0.01
SILENCE_S = 30
MARKERS_MAX = 64
USER_TOPICS = (("orders", "OrderCommand", "on_order"), ("orders.validated", "(eventId)", "on_validated"),
               ("orders.unique", "(eventId)", "on_unique"), ("executions", "ExecutionReport", "on_execution"),
               ("risk-events", "RiskEvent", "on_risk_event"), ("ledger", "LedgerEntry", "on_ledger"))
SYMBOL_TOPICS = (("orders.approved", "(eventId)", "on_approved"), ("trades", "Trade", "on_trade"),
                 ("book", "BookDelta", "on_book"))


def plain(schema):
    """Without logical types: decimals stay bytes, times stay numbers."""
    if isinstance(schema, dict):
        return {k: plain(v) for k, v in schema.items() if k not in ("logicalType", "precision", "scale", "doc")}
    return [plain(one) for one in schema] if isinstance(schema, list) else schema


def load_schema(name):
    return fastavro.parse_schema(plain(json.loads((SCHEMAS / f"{name}.avsc").read_text())))


def decode(schema, value):
    """The record, or None when the bytes are none."""
    if value is None or len(value) < 5 or value[0] != 0:
        return None
    body = io.BytesIO(value[5:])
    try:
        record = fastavro.schemaless_reader(body, schema)
    except Exception:  # fastavro raises what it stumbles over
        return None
    return record if body.read(1) == b"" else None


def first_text(value):
    """The first field of a record that begins with a string, without decoding the rest."""
    size, shift, at = 0, 0, 5
    while True:
        byte = value[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    size >>= 1  # zigzag of a length
    return value[at:at + size].decode()


class Reader:
    """One read_committed consumer for many readings: connecting costs more than a small topic."""

    def __init__(self, bootstrap):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": bootstrap, "group.id": "chaos-read", "isolation.level": "read_committed",
            "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20, "log_level": 3})

    def read(self, starts):
        """Every committed message from {(topic, partition): offset} up to the present end, in lists."""
        for topic in {topic for topic, _ in starts}:
            self.consumer.list_topics(topic, timeout=20)  # who leads it: the client asks itself only once a second
        self.consumer.assign([confluent_kafka.TopicPartition(t, p, at) for (t, p), at in starts.items()])
        left = set(starts)
        heard = time.monotonic()
        while left:
            messages = self.consumer.consume(BATCH, timeout=CONSUME_S)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_S:
                raise ChaosError(f"no end of {sorted(left)[:3]} after {SILENCE_S} s")
            good = []
            for message in messages:
                error = message.error()
                if error is None:
                    good.append(message)
                elif error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.discard((message.topic(), message.partition()))
                else:
                    raise ChaosError(f"{message.topic()}: {error}")
            yield good
        self.consumer.unassign()

    def messages(self, places):
        """All messages of some partitions from their beginning."""
        if not places:
            return
        for messages in self.read(dict.fromkeys(places, confluent_kafka.OFFSET_BEGINNING)):
            yield from messages

    def records(self, topic, partition, decoder):
        """(offset, what the decoder makes of the value) of one partition."""
        for message in self.messages([(topic, partition)]):
            yield message.offset(), decoder(message.value())

    def close(self):
        self.consumer.close()


def decoder(name):
    """Of a schema; a name in brackets only takes the identity that a record begins with."""
    if name.startswith("("):
        return lambda value: {"eventId": first_text(value)}
    schema = load_schema(name)
    return lambda value: decode(schema, value)


def header(message, name):
    return dict(message.headers() or []).get(name, b"").decode()


def read_letters(reader, places):
    """({source place of a dead letter: how often}, {topic: letters})."""
    sources, counts = {}, {}
    for message in reader.messages(places):
        counts[message.topic()] = counts.get(message.topic(), 0) + 1
        if "-documentdb." in message.topic() or "-redis." in message.topic():
            continue  # of a connector: another reader of the same record
        place = (header(message, "millrace.source.topic"), int(header(message, "millrace.source.partition")),
                 int(header(message, "millrace.source.offset")))
        sources[place] = sources.get(place, 0) + 1
    return sources, counts


def read_journals(reader, places):
    """{(group, task): journal records}; the records of a task stand wherever its worker wrote."""
    decode_entry = decoder("runtime/Journal")
    entries = {}
    for message in reader.messages(places):
        entry = decode_entry(message.value())
        entries.setdefault((entry["group"], entry["partition"]), []).append(entry)
    return entries


_reader = None  # of a process of the pool


def own_reader(bootstrap):
    global _reader
    if _reader is None:
        _reader = Reader(bootstrap)
    return _reader


def judge_users(bootstrap, partition, letters, entries):
    """Runs in a process of its own: findings, legs, counts of one partition of the topics by user."""
    reader = own_reader(bootstrap)
    side = verdict.UserSide(partition, letters)
    offsets = {"orders": [], "executions": [], "accounts": []}
    counts = {}
    for topic, name, method in USER_TOPICS:
        see = getattr(side, method)
        kept = offsets.get(topic)
        counts[topic] = 0
        for offset, record in reader.records(topic, partition, decoder(name)):
            counts[topic] += 1
            if kept is not None:
                kept.append(offset)
            see(offset, record)
    offsets["accounts"] = [offset for offset, _ in reader.records("accounts", partition, lambda value: None)]
    findings = side.end()
    taken = verdict.Taken("account", partition, offsets)
    taken.on_entries(entries)
    findings.merge(taken.end())
    return findings, side.legs, counts, taken.transactions


def judge_symbols(bootstrap, partitions, entries):
    """The same for all topics by symbol; legs are given to it afterwards."""
    reader = own_reader(bootstrap)
    side = verdict.SymbolSide()
    counts = {}
    transactions = 0
    for topic, name, method in SYMBOL_TOPICS:
        see = getattr(side, method)
        counts[topic] = 0
        for partition in range(partitions):
            offsets = []
            for offset, record in reader.records(topic, partition, decoder(name)):
                counts[topic] += 1
                offsets.append(offset)
                see(partition, offset, record)
            if topic == "orders.approved":
                taken = verdict.Taken("market", partition, {topic: offsets})
                taken.on_entries(entries.get(partition, []))
                side.findings.merge(taken.end())
                transactions += taken.transactions
    return side, counts, transactions


def judge(bootstrap, application, topics, processes=None):
    """topics: {name: partitions} of the stack. Returns (findings, counts, transactions)."""
    reader = Reader(bootstrap)
    letters, counts = read_letters(reader, [(t, p) for t, n in topics.items() if t.endswith(".dlq")
                                            for p in range(n)])
    journals = read_journals(reader, [(t, p) for t, n in topics.items() for p in range(n)
                                      if t.startswith(application) and t.endswith("-journal")])
    reader.close()
    findings = verdict.Findings()
    legs = []
    transactions = 0
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes or min(4, os.cpu_count() or 1), spawn) as pool:
        jobs = [pool.submit(judge_users, bootstrap, p,
                            {place: n for place, n in letters.items() if place[1] == p},
                            journals.get(("account", p), []))
                for p in range(topics["orders"])]
        symbols = pool.submit(judge_symbols, bootstrap, topics["orders.approved"],
                              {task: entries for (group, task), entries in journals.items() if group == "market"})
        for job in jobs:
            found, some, seen, committed = job.result()
            findings.merge(found)
            legs += some
            transactions += committed
            for topic, count in seen.items():
                counts[topic] = counts.get(topic, 0) + count
        side, seen, committed = symbols.result()
    counts.update(seen)
    side.on_legs(legs)
    findings.merge(side.end())
    return findings, counts, transactions + committed


# ---- how far everybody is


class Ends:
    """Topics, their ends and stable ends, and the groups' offsets: as an administrator sees them."""

    def __init__(self, bootstrap):
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
        self.bootstrap = bootstrap

    def topics(self):
        found = self.admin.list_topics(timeout=20).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def ends(self, places, committed):
        """{(topic, partition): end}, of all records or of what is committed (the last stable offset)."""
        level = (confluent_kafka.IsolationLevel.READ_COMMITTED if committed
                 else confluent_kafka.IsolationLevel.READ_UNCOMMITTED)
        ask = {confluent_kafka.TopicPartition(t, p): OffsetSpec.latest() for t, p in places}
        return {(place.topic, place.partition): future.result(20).offset for place, future in
                self.admin.list_offsets(ask, isolation_level=level, request_timeout=20).items()}

    def committed(self, group, places):
        """{(topic, partition): offset}; 0 where nothing is committed."""
        ask = confluent_kafka.ConsumerGroupTopicPartitions(
            group, [confluent_kafka.TopicPartition(t, p) for t, p in places])
        future = next(iter(self.admin.list_consumer_group_offsets([ask], request_timeout=20).values()))
        return {(at.topic, at.partition): max(at.offset, 0) for at in future.result(20).topic_partitions}

    def lags(self, consumers):
        """consumers: {group: topics}. One tuple per partition, see verdict.stuck_partitions."""
        topics = self.topics()
        places = [(t, p) for t in sorted({t for ts in consumers.values() for t in ts}) for p in range(topics[t])]
        stable, ends = self.ends(places, True), self.ends(places, False)
        told, small = [], {}
        for group, inputs in consumers.items():
            own = [place for place in places if place[0] in inputs]
            committed = self.committed(group, own)
            for place in own:
                at = committed.get(place, 0)
                left = max(stable[place] - at, 0)
                if 0 < left < MARKERS_MAX:  # perhaps nothing but markers of transactions
                    small.setdefault(place, []).append(len(told))
                told.append((group, *place, at, left, stable[place], ends[place]))
        if small:
            self.count_records(told, small)
        return told

    def count_records(self, told, small):
        """Replaces the distance by the number of records for entries `small` of told."""
        starts = {place: min(told[i][3] for i in entries) for place, entries in small.items()}
        found = {place: [] for place in small}
        reader = Reader(self.bootstrap)
        try:
            for messages in reader.read(starts):
                for message in messages:
                    found[(message.topic(), message.partition())].append(message.offset())
        finally:
            reader.close()
        for place, entries in small.items():
            for i in entries:
                group, topic, partition, at, _, stable, end = told[i]
                told[i] = (group, topic, partition, at, sum(offset >= at for offset in found[place]), stable, end)

    def open_transactions(self, topics):
        """Partitions of any topic whose stable end is before its end."""
        places = [(t, p) for t, n in topics.items() for p in range(n)]
        stable, ends = self.ends(places, True), self.ends(places, False)
        return [("-", *place, 0, 0, stable[place], ends[place]) for place in places if stable[place] < ends[place]]
