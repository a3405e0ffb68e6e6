"""Topics as Avro files and back: what other Avro tools read and write, and nothing lost or twice.

Goal:   fastavro reads from an export every record as a stock client sees it on the topic; an import of
        those files, or of files that fastavro wrote, makes a topic of the same records; an import
        that is killed goes on where it was; a file that is not whole writes nothing.
Method: a stock client sends orders, tombstones and garbage, with and without keys and headers, in
        transactions, some aborted; topics and files are compared record by record.
"""

import datetime
import json
import os
import signal
import subprocess
import unittest

import confluent_kafka
import fastavro

import orders
import support

PARTITIONS = 3
COUNT = 400  # records in each partition
TIME_MS = 1723161255342
UTC = datetime.timezone.utc


def time_ms(moment):
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def seen(message):
    """What of a message must stay, whatever happens to its offset."""
    return (message.partition(), message.timestamp()[1], message.key(), message.value(),
            message.headers())


class Archive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("archive", partitions=PARTITIONS)
        cls.topology.apply()
        cls.orders = orders.Orders()
        cls.fill()
        cls.sent = support.read_topic("orders")
        assert len(cls.sent) == PARTITIONS * COUNT
        cls.out = cls.topology.path("out")
        cls.told = cls.export("orders", "--out", cls.out)

    @classmethod
    def fill(cls):
        producer = confluent_kafka.Producer({
            "bootstrap.servers": support.BOOTSTRAP, "transactional.id": "it-archive-filler"})
        producer.init_transactions(30)
        for begin in range(0, COUNT, 100):
            for commit in (False, True):
                producer.begin_transaction()
                for p in range(PARTITIONS):
                    for i in range(begin, begin + 100):
                        cls.send(producer, p, i)
                if commit:
                    producer.commit_transaction(30)
                else:
                    producer.flush(30)
                    producer.abort_transaction(30)

    @classmethod
    def send(cls, producer, partition, i):
        value = cls.orders.header() + cls.orders.body(f"u{i}")[0]
        headers = [("number", str(i).encode()), ("empty", b""), ("none", None)][:i % 4]
        producer.produce("orders", {1: None, 2: b"garbage", 3: b""}.get(i, value),
                         None if i == 4 else f"u{i}".encode(), partition=partition,
                         timestamp=TIME_MS + i, headers=headers)

    @classmethod
    def export(cls, *args):
        out = support.millrace_ok("archive", "export", *args, "--topology", cls.topology.file,
                                  "--json").out
        return json.loads(out)

    def run_import(self, *args):
        return support.millrace("archive", "import", *args, "--topology", self.topology.file,
                                "--json")

    def import_ok(self, *args):
        outcome = self.run_import(*args)
        self.assertEqual(outcome.code, 0, outcome)
        return json.loads(outcome.out)

    def files(self, directory=None):
        return sorted((directory or self.out).glob("*.avro"))

    def same_as_sent(self, topic):
        # The broker answers a commit before it has written the markers that make it visible.
        found = support.wait_until(
            lambda: [m for m in [support.read_topic(topic)] if len(m) >= len(self.sent)],
            f"{len(self.sent)} records of {topic}", 20, 0.2)[0]
        self.assertEqual(len(found), len(self.sent))
        for want, have in zip(self.sent, found):
            self.assertEqual(seen(have), seen(want))

    # ---- export

    def check_record(self, record, message):
        self.assertEqual((record["partition"], record["offset"], record["key"]),
                         (message.partition(), message.offset(), message.key()))
        self.assertEqual(time_ms(record["timestamp"]), message.timestamp()[1])
        self.assertEqual([(h["name"], h["value"]) for h in record["headers"]],
                         message.headers() or [])
        value = message.value()
        if value is None or not value.startswith(self.orders.header()):
            self.assertEqual(record["value"], value)
        else:
            self.assertEqual(record["value"], self.orders.decode(value[5:]))

    def test_fastavro_reads_every_record(self):
        found = []
        self.assertEqual(len(self.files()), PARTITIONS)
        for path in self.files():
            with open(path, "rb") as file:
                reader = fastavro.reader(file)
                meta = reader.metadata
                records = list(reader)
            self.assertEqual(meta["avro.codec"], "deflate")
            self.assertEqual(meta["millrace.topic"], "orders")
            self.assertEqual(meta["millrace.application"], self.topology.application)
            self.assertEqual(int(meta["millrace.records"]), len(records))
            self.assertEqual(int(meta["millrace.schema-id"]), self.orders.id)
            found += records
        self.assertEqual(len(found), len(self.sent))
        for record, message in zip(found, self.sent):
            self.check_record(record, message)

    def test_the_manifest_counts(self):
        manifest = json.loads((self.out / "manifest.json").read_text())
        self.assertEqual(manifest, self.told)
        self.assertEqual([f["records"] for f in manifest["files"]], [COUNT] * PARTITIONS)
        self.assertEqual([f["unreadable"] for f in manifest["files"]], [2] * PARTITIONS)
        outcome = support.millrace("archive", "export", "orders", "--out", self.out,
                                   "--topology", self.topology.file)
        self.assertEqual(outcome.code, 2, outcome)

    def test_a_part_without_compression(self):
        out = self.topology.path("part")
        told = self.export("orders", "--out", out, "--partitions", "1", "--codec", "null",
                           "--from", "2024-08-08T23:54:15.442Z", "--to",
                           "2024-08-08T23:54:15.452Z")
        self.assertEqual([f["records"] for f in told["files"]], [10])
        with open(self.files(out)[0], "rb") as file:
            keys = [r["key"] for r in fastavro.reader(file)]
        self.assertEqual(keys, [f"u{i}".encode() for i in range(100, 110)])

    # ---- import

    def test_what_was_exported_comes_back(self):
        told = self.import_ok(self.out, "--topic", "orders.unique")
        self.assertEqual(told["written"], len(self.sent))
        self.same_as_sent("orders.unique")
        again = self.import_ok(self.out, "--topic", "orders.unique")
        self.assertEqual((again["before"], again["written"]), (len(self.sent), 0))
        self.same_as_sent("orders.unique")
        other = self.run_import(self.out, "--topic", "orders.unique", "--id", "other")
        self.assertEqual(other.code, 2, other)
        self.assertIn("--append", other.err)

    def test_a_file_that_fastavro_wrote(self):
        out = self.topology.path("rewritten")
        out.mkdir(exist_ok=True)
        for path in self.files():
            with open(path, "rb") as file:
                reader = fastavro.reader(file)
                schema, records = reader.writer_schema, list(reader)
            with open(out / path.name, "wb") as file:
                fastavro.writer(file, schema, records, codec="deflate", sync_interval=4000)
        told = self.import_ok(out, "--topic", "orders.validated")
        self.assertEqual(told["written"], len(self.sent))
        self.same_as_sent("orders.validated")

    def test_an_import_that_is_killed_goes_on(self):
        args = [support.program(), "archive", "import", self.out, "--topology", self.topology.file,
                "--topic", "orders.approved"]
        for rate in ("150/s", "300/s"):
            child = subprocess.Popen([*map(str, args), "--rate", rate], cwd=support.ROOT,
                                     stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     preexec_fn=support.die_with_parent)
            before = len(support.read_topic("orders.approved"))
            support.wait_until(
                lambda: child.poll() is not None or
                len(support.read_topic("orders.approved")) > before, "it has written some", 60, 0.2)
            os.kill(child.pid, signal.SIGKILL)
            child.wait(timeout=30)
            self.assertEqual(child.returncode, -signal.SIGKILL, "it must not be over yet")
        told = self.import_ok(self.out, "--topic", "orders.approved")
        self.assertGreater(told["before"], 0)
        self.assertEqual(told["before"] + told["written"], len(self.sent))
        self.same_as_sent("orders.approved")

    def test_what_is_not_whole_writes_nothing(self):
        broken = self.topology.path("broken")
        broken.mkdir(exist_ok=True)
        data = self.files()[0].read_bytes()
        topics = ["orders.unique", "trades"]
        before = [len(m) for m in support.read_topics(topics).values()]
        for name, content, word in (
                ("cut.avro", data[:-1], "ends too early"), ("half.avro", data[:len(data) // 2], ""),
                ("empty.avro", b"", "ends too early"), ("text.avro", b"not Avro at all", "byte 0")):
            (broken / name).write_bytes(content)
            with self.subTest(name):
                outcome = self.run_import(broken / name, "--topic", "orders.unique")
                self.assertEqual(outcome.code, 2, outcome)
                self.assertIn(name, outcome.err)
                self.assertIn(word, outcome.err)
                self.assertIn("nothing was written", outcome.err)
        outcome = self.run_import(self.out, "--topic", "trades")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("millrace.oms.OrderCommand", outcome.err)
        self.assertEqual([len(m) for m in support.read_topics(topics).values()], before)


if __name__ == "__main__":
    support.main()
