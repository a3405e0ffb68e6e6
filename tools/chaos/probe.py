"""When committed output arrives, partition by partition: how long a fault was felt.

Why:  a process that says it is ready has not recovered; a committed record that a reader of the log
      receives says so. And not any record: what was committed before the fault may arrive after it.
How:  a read_committed consumer reads one output of each group whose partition is that of the task. A
      record's log time is that of the command which led to it, so a record that is younger than the
      fault can only have been committed after it. That is what a Watch waits for, for each
      partition of the processes concerned; the slowest partition is the fault's recovery.
Thread: the reading has one of its own; watches are added and asked from the run's thread.
"""

import json
import subprocess
import sys
import threading
import time

import confluent_kafka

# Of a group: topics it alone writes, in the partition of the task, for nearly every order.
OUTPUT = {"account": "orders.unique", "market": "trades"}
ADMIN_S = 5


class Watch:
    """Waits for output of some partitions that is younger than `since`."""

    def __init__(self, places):
        self.places = set(places)  # (topic, partition)
        self.began = time.monotonic()
        self.since_ms = time.time() * 1000
        self.arrived = {}  # place -> seconds since the beginning

    def note(self, place, timestamp_ms, now):
        if place in self.places and place not in self.arrived and timestamp_ms > self.since_ms:
            self.arrived[place] = now - self.began

    def done(self):
        return len(self.arrived) == len(self.places)

    def missing(self):
        return sorted(self.places - set(self.arrived))

    def recovery_ms(self):
        """Of the slowest partition so far; None when none has arrived."""
        return round(max(self.arrived.values()) * 1000, 1) if self.arrived else None


class Probe:
    def __init__(self, bootstrap, application, groups):
        self.bootstrap = bootstrap
        self.application = application
        self.groups = [group for group in groups if group in OUTPUT]
        self.lock = threading.Lock()
        self.watches = []
        self.records = dict.fromkeys(self.groups, 0)
        self.reached = set()
        self.last = {}   # place -> monotonic time of the last arrival
        self.longest = {}  # place -> longest silence in seconds
        self.counting = False
        self.errors = []
        self.known = {group: {} for group in self.groups}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.read, name="probe", daemon=True)

    def __enter__(self):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": f"{self.application}-probe",
            "isolation.level": "read_committed", "enable.auto.commit": False, "log_level": 0,
            "auto.offset.reset": "latest", "fetch.wait.max.ms": 10, "reconnect.backoff.max.ms": 100,
            "socket.nagle.disable": True, "topic.metadata.refresh.interval.ms": 5000})
        places = []
        for group in self.groups:
            topic = OUTPUT[group]
            found = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
            places += [confluent_kafka.TopicPartition(topic, p, confluent_kafka.OFFSET_END) for p in found]
        self.consumer.assign(places)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(10)
        self.consumer.close()

    def read(self):
        topics = {OUTPUT[group]: group for group in self.groups}
        while not self.stopping.is_set():
            # consume() waits for a whole batch: the first one alone, then what is there already.
            messages = self.consumer.consume(1, timeout=0.1)
            now = time.monotonic()
            if messages:
                messages += self.consumer.consume(500, timeout=0)
            with self.lock:
                for message in messages:
                    if message.error() is not None:
                        self.errors.append(str(message.error()))
                        continue
                    self.note(topics, message, now)

    def note(self, topics, message, now):
        place = (message.topic(), message.partition())
        self.records[topics[place[0]]] += 1
        self.reached.add(place)
        before = self.last.get(place)
        if before is not None and self.counting and now - before > self.longest.get(place, 0.0):
            self.longest[place] = now - before
        self.last[place] = now
        if self.watches:
            timestamp_ms = message.timestamp()[1]
            for watch in self.watches:
                watch.note(place, timestamp_ms, now)

    def count_silence(self, on):
        """Silences between the beginning and the end of the faults count."""
        with self.lock:
            self.counting = on
            if on:
                self.last.clear()

    def watch(self, places):
        """Begins now: call it immediately before the fault."""
        with self.lock:
            watch = Watch(places)
            self.watches.append(watch)
        return watch

    def forget(self, watch):
        with self.lock:
            self.watches = [one for one in self.watches if one is not watch]

    # ---- who has what

    def refresh(self):
        """Asks the group coordinator who has which partitions; what it does not answer stays as known.

        In a process of its own: the client library ends its process, by an assertion, when a broker dies
        between this question and its answer (librdkafka's rd_kafka_enq_once_del_source_return).
        """
        words = [sys.executable, "-m", "chaos.members", self.bootstrap, self.application, *self.groups]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=4 * ADMIN_S)
            found = json.loads(done.stdout) if done.returncode == 0 else {}
        except (subprocess.TimeoutExpired, ValueError):
            return False
        for group, members in found.items():
            if members:
                self.known[group] = {name: set(partitions) for name, partitions in members.items()}
        return bool(found)

    def places_of(self, group, ordinal):
        """The output partitions of one instance, as last known, that the load has reached: a load with few
        symbols leaves some partitions empty for ever."""
        partitions = self.known.get(group, {}).get(str(ordinal), set())
        return {(OUTPUT[group], partition) for partition in partitions} & self.reached

    def places_of_all(self):
        return {place for group in self.groups for ordinal in self.known[group]
                for place in self.places_of(group, ordinal)}
