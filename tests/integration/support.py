"""What the integration tests share: the program, the servers, a topology of one's own, processes.

Why:  a test says what it does to the pipeline; where servers are, how a process is started, watched
      and ended within bounds, is the same for all.
How:  the graph under test is the repository's topology.yaml with another application name, fewer
      partitions and a database of its own, so that groups, changelogs, transactions and documents
      of two tests never meet. Declared topics keep their names, because `load` and `verify` know
      them by name: each test class begins by deleting what an earlier one left (fresh_stack).
Not:  running two test files against one stack at the same time.

Environment: MILLRACE (the program), and from stack.env KAFKA_BOOTSTRAP, SCHEMA_REGISTRY_URL,
DOCUMENTDB_URI, REDIS_URL, REPLICATION; STACK_DIR alone is enough, its stack.env is read then.
"""

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SAMPLE = ROOT / "tools/sample/trades.csv.gz"
INSTRUMENTS = ROOT / "tools/millrace/instruments/binance.jsonl"
WORK = pathlib.Path(os.environ.get("MILLRACE_TEST_DIR", ROOT / "build/test/integration"))

READY_S = 60
STOP_S = 30
COMMAND_S = 120
PR_SET_PDEATHSIG = 1

try:
    import confluent_kafka
    from confluent_kafka.admin import AdminClient
except ImportError:
    sys.exit("the packages of tests/integration/requirements.txt are missing: `make "
             "test-integration` makes an environment that has them")


def load_stack_env():
    """STACK_DIR's addresses, where the caller did not give them."""
    if "KAFKA_BOOTSTRAP" not in os.environ and "STACK_DIR" in os.environ:
        for line in (pathlib.Path(os.environ["STACK_DIR"]) / "stack.env").read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)
    for name in ("KAFKA_BOOTSTRAP", "SCHEMA_REGISTRY_URL", "DOCUMENTDB_URI", "REDIS_URL"):
        if name not in os.environ:
            sys.exit(f"{name} is not set: `make test-integration` starts servers and sets it")
    os.environ.setdefault("REPLICATION", "1")


load_stack_env()
BOOTSTRAP = os.environ["KAFKA_BOOTSTRAP"]
REGISTRY = os.environ["SCHEMA_REGISTRY_URL"]
LIBC = ctypes.CDLL(None)


def program():
    path = os.environ.get("MILLRACE", str(ROOT / "build/debug/tools/millrace/millrace"))
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not built")
    return path


def die_with_parent():
    """Runs in the child: a test that is killed leaves no process behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, timeout_s=30.0, every_s=0.05):
    """The first true value of condition(); AssertionError naming `what` after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s:.0f} s still not: {what}")
        time.sleep(every_s)


def free_port():
    """A port nobody listens on now: for servers that are meant to be missing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# ---- commands


class Outcome:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.out[-4000:]}{self.err[-4000:]}"


def millrace(*args, timeout_s=COMMAND_S, stdin=None):
    """Runs a command to its end; binary input goes in, text comes out."""
    began = time.monotonic()
    done = subprocess.run([program(), *map(str, args)], input=stdin, capture_output=True,
                          timeout=timeout_s, cwd=ROOT, preexec_fn=die_with_parent, check=False)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode(),
                   time.monotonic() - began)


def millrace_ok(*args, **options):
    outcome = millrace(*args, **options)
    if outcome.code != 0:
        raise AssertionError(f"millrace {' '.join(map(str, args))}: {outcome}")
    return outcome


# ---- servers


def admin():
    return AdminClient({"bootstrap.servers": BOOTSTRAP, "log_level": 4})


def topic_names():
    metadata = admin().list_topics(timeout=20)
    return {name for name in metadata.topics if not name.startswith("_")}


def fresh_stack():
    """Deletes the topics that earlier tests left, and only on a stack that is the tests' own."""
    names = topic_names()
    foreign = [n for n in names if "-changelog" in n and not n.startswith("it-")]
    if foreign:
        raise AssertionError(f"this stack holds another application's topics ({foreign[0]}): give "
                             "the tests a stack of their own, as `make test-integration` does")
    if not names:
        return
    client = admin()
    for future in client.delete_topics(list(names), operation_timeout=20).values():
        future.result(timeout=30)
    wait_until(lambda: not topic_names() & names, "the old topics are gone", every_s=0.1)


def http_json(url, method="GET", body=None):
    """(status, decoded body)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={
        "Content-Type": "application/vnd.schemaregistry.v1+json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


# ---- a topology of one's own


class Topology:
    """topology.yaml under another application name, in a directory that is made empty."""

    def __init__(self, name, partitions=3, edits=()):
        """edits: (old, new) pieces of the file's text; each old must be there exactly once."""
        stamp = f"{int(time.time()) & 0xffffff:x}{os.getpid() & 0xfff:x}"
        self.stamp = stamp
        self.application = f"it-{name}-{stamp}"
        self.database = self.application.replace("-", "_")
        self.partitions = partitions
        self.directory = WORK / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        text = (ROOT / "topology.yaml").read_text()
        text = replace_once(text, "application: crypto-oms", f"application: {self.application}")
        text = replace_once(text, '"${PARTITIONS:-6}"', f"{partitions}")
        text = text.replace("database: oms", f"database: {self.database}")
        for old, new in edits:
            text = replace_once(text, old, new)
        self.text = text
        self.file = self.directory / "topology.yaml"
        self.file.write_text(text)

    def variant(self, name, edits):
        """Another file of the same application, with other text."""
        text = self.text
        for old, new in edits:
            text = replace_once(text, old, new)
        path = self.directory / name
        path.write_text(text)
        return path

    def use_timeout(self, duration):
        """How long the connectors wait for one answer of their store."""
        self.text = self.text.replace(f"database: {self.database}",
                                      f"database: {self.database}, timeout: {duration}")
        self.text = self.text.replace("redis://127.0.0.1:6379}\"",
                                      f"redis://127.0.0.1:6379}}\", timeout: {duration}")
        self.file.write_text(self.text)

    def apply(self):
        return millrace_ok("topology", "apply", self.file)

    def describe(self):
        """The checked graph as `millrace topology describe --json` tells it."""
        return json.loads(millrace_ok("topology", "describe", "--json", self.file).out)

    def path(self, name):
        return self.directory / name


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise AssertionError(f"{old!r} is {text.count(old)} times in topology.yaml, not once")
    return text.replace(old, new)


# ---- processes


class Process:
    """One `millrace run`: started, asked over HTTP, ended by its pid."""

    def __init__(self, topology, name, *args, state="state", wait="30s"):
        self.name = name
        self.state = topology.path(state)
        self.port_file = topology.path(f"{name}.port")
        self.log = topology.path(f"{name}.log")
        self.args = [program(), "run", str(topology.file), *args, "--instance", name,
                     "--state-dir", str(self.state), "--http-port-file", str(self.port_file),
                     "--wait", wait]
        self.child = None

    def start(self):
        self.port_file.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.args, stdout=log, stderr=log, cwd=ROOT,
                                          preexec_fn=die_with_parent)
        return self

    def tail(self, lines=25):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"log of {self.name}:\n" + "\n".join(text.splitlines()[-lines:])

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def get(self, path):
        """(status, text) of the process's HTTP server; (0, "") while there is none."""
        try:
            port = int(self.port_file.read_text())
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, ValueError):
            return 0, ""

    def ready(self):
        """True or False; AssertionError when the process has ended."""
        if not self.alive():
            raise AssertionError(f"{self.name} ended with {self.child.returncode}: {self.tail()}")
        return self.get("/ready")[0] == 200

    def wait_ready(self, timeout_s=READY_S):
        try:
            wait_until(self.ready, f"{self.name} is ready", timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n/ready: {self.get('/ready')}\n{self.tail()}") from None
        return self

    def metrics(self):
        """{name: {((label, value), ...): number}} from /metrics."""
        return parse_metrics(self.get("/metrics")[1])

    def total(self, name, **labels):
        """Sum of a metric's series that have these labels."""
        return sum(value for have, value in self.metrics().get(name, {}).items()
                   if labels.items() <= dict(have).items())

    def kill(self):
        """kill -9."""
        self.child.kill()
        self.child.wait(timeout=STOP_S)

    def terminate(self, timeout_s=STOP_S):
        """SIGTERM; (exit code, seconds). AssertionError when it does not end in time."""
        began = time.monotonic()
        self.child.terminate()
        try:
            code = self.child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout_s} s of SIGTERM: "
                                 f"{self.tail()}") from None
        return code, time.monotonic() - began

    def empty_state(self):
        shutil.rmtree(self.state, ignore_errors=True)

    def close(self, timeout_s=10):
        """Ends it, asked or not; for clean-up. A second SIGTERM would not let it finish."""
        if self.alive():
            self.child.terminate()
        self.await_end(timeout_s)

    def await_end(self, timeout_s):
        if self.child is None:
            return
        try:
            self.child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()


METRIC = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text):
    metrics = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = METRIC.match(line)
        if not match:
            raise AssertionError(f"not a line of Prometheus text: {line!r}")
        labels = tuple(LABEL.findall(match.group(2) or ""))
        metrics.setdefault(match.group(1), {})[labels] = float(match.group(3))
    return metrics


class Pipeline:
    """The three processes of the demo, each with a state directory and a log of its own."""

    def __init__(self, topology):
        self.topology = topology
        self.account = Process(topology, "account", "--group", "account", state="state-account")
        self.market = Process(topology, "market", "--group", "market", state="state-market")
        self.connectors = Process(topology, "connectors", "--connectors", "all")
        self.parts = [self.account, self.market, self.connectors]

    def start(self):
        for part in self.parts:
            if not part.alive():
                part.start()
        for part in self.parts:
            part.wait_ready()
        return self

    def close(self):
        for part in self.parts:
            if part.alive():
                part.child.terminate()
        for part in self.parts:
            part.await_end(10)


# ---- load and proof


class Load:
    """`millrace load trades`, to its end or in the background."""

    def __init__(self, topology, run, limit, *options):
        run += topology.stamp  # Redis outlives the test, and has one name space
        self.manifest = topology.path(f"{run}.manifest.json")
        self.report = topology.path(f"{run}.report.json")
        self.topology = topology
        self.args = [program(), "load", "trades", str(SAMPLE), "--topology", str(topology.file),
                     "--manifest", str(self.manifest), "--instruments", str(INSTRUMENTS),
                     "--limit", str(limit), "--run", run, "--quiet", "--patience", "60s",
                     *map(str, options)]
        self.log = topology.path(f"{run}.load.log")
        self.child = None

    def start(self):
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(self.args, stdout=log, stderr=log, cwd=ROOT,
                                          preexec_fn=die_with_parent)
        return self

    def start_and_wait(self, records):
        """Starts; returns when so many more records stand on `orders`, with more to come."""
        return self.await_records(records, self.start)

    def await_records(self, records, begin=lambda: None):
        """Returns when so many more records stand on `orders`, with more to come."""
        with Ends("orders") as orders:
            before = orders.total()
            begin()
            wait_until(lambda: self.child.poll() is not None or orders.total() - before >= records,
                       f"{records} records of the load have been sent", 60, every_s=0.02)
        if self.child.poll() is not None:
            raise AssertionError(f"the load is over too soon: {self.log.read_text()}")
        return self

    def finish(self, timeout_s=COMMAND_S):
        try:
            code = self.child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"load did not end: {self.log.read_text()}") from None
        if code != 0:
            raise AssertionError(f"load: exit {code}: {self.log.read_text()[-2000:]}")
        return json.loads(self.manifest.read_text())

    def play(self):
        return self.start().finish()

    def verify(self, *options):
        """The report; AssertionError with verify's own words when anything differs."""
        outcome = millrace("verify", "--topology", self.topology.file, "--manifest", self.manifest,
                           "--report", self.report, "--quiet", *options)
        if outcome.code != 0:
            raise AssertionError(f"verify: {outcome}")
        report = json.loads(self.report.read_text())
        unequal = [c["name"] for c in report["checks"] if not c["equal"]]
        if unequal or not report["checks"]:
            raise AssertionError(f"verify exits 0 with unequal checks: {unequal}")
        return report

    def close(self):
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait(timeout=STOP_S)


# ---- records, as a stock client sees them


class Ends:
    """Asks for the ends of a topic, often: one client for all questions."""

    def __init__(self, topic):
        self.consumer = confluent_kafka.Consumer({"bootstrap.servers": BOOTSTRAP,
                                                  "group.id": "it-ends"})
        found = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
        self.places = [confluent_kafka.TopicPartition(topic, p) for p in found]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def total(self):
        """Records ever written, transaction markers included."""
        return sum(self.consumer.get_watermark_offsets(place, timeout=20)[1]
                   for place in self.places)


def read_topics(topics, timeout_s=30.0):
    """{topic: every committed message up to its present end, by partition and offset}."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": BOOTSTRAP, "group.id": "it-read", "isolation.level": "read_committed",
        "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50})
    messages = {topic: [] for topic in topics}
    try:
        known = consumer.list_topics(timeout=20).topics
        places = [(topic, p) for topic in topics for p in known[topic].partitions]
        consumer.assign([confluent_kafka.TopicPartition(topic, p, confluent_kafka.OFFSET_BEGINNING)
                         for topic, p in places])
        ended = set()
        deadline = time.monotonic() + timeout_s
        while len(ended) < len(places):
            if time.monotonic() > deadline:
                raise AssertionError(f"no end after {timeout_s:.0f} s: {set(places) - ended}")
            for message in consumer.consume(1000, timeout=0.2):
                error = message.error()
                if error is None:
                    messages[message.topic()].append(message)
                elif error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add((message.topic(), message.partition()))
                else:
                    raise AssertionError(f"{message.topic()}: {error}")
    finally:
        consumer.close()
    for found in messages.values():
        found.sort(key=lambda m: (m.partition(), m.offset()))
    return messages


def read_topic(topic, timeout_s=30.0):
    return read_topics([topic], timeout_s)[topic]


def tap(topology, topic):
    """The records that `millrace tap` prints, by partition and offset."""
    out = millrace_ok("tap", topic, "--topology", topology.file).out
    return sorted((json.loads(line) for line in out.splitlines()),
                  key=lambda r: (r["partition"], r["offset"]))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(WORK)
    unittest.main(verbosity=2)
