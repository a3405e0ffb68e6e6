"""What a process does when it cannot start: one clear line, a code that is not 0, nothing begun.

Goal:   a missing server is named with its address and given up after --wait; a topology that is
        wrong is named with file, line and column before anything is connected; a state directory
        that is another's, newer or in use is refused.
Method: ports where nobody listens; one edit of topology.yaml a row; a state directory made by a
        real run and then changed by hand.
"""

import os
import re
import shutil
import unittest

import support

# (name, old text, new text, line that must be named, words of the message)
WRONG = [
    ("unknown stage type", "type: dedupe\n", "type: dedup\n", "dedup", "dedupe"),
    ("unknown in port", "in:  {trades: trades,", "in:  {trade: trades,", "trade", "trades"),
    ("unknown out port", "out: {candles: candles, tickers: tickers}",
     "out: {candle: candles, tickers: tickers}", "candle", "candles"),
    ("unknown option", "options: {window: 24h}", "options: {windows: 24h}", "windows", "window"),
    ("option out of its type", "options: {window: 24h}", "options: {window: soon}",
     "window", "soon"),
    ("unknown topic", "in:  {trades: trades,", "in:  {trades: tradez,", "tradez", "trades"),
    ("a topic of another schema", "in:  {trades: trades,", "in:  {trades: executions,",
     "Trade", "ExecutionReport"),
    ("unknown schema", "value: OrderCommand}\n  accounts:", "value: OrderComand}\n  accounts:",
     "OrderComand", "OrderCommand"),
    ("unknown stage in a group", "stages: [fill, price-aggregate]",
     "stages: [fil, price-aggregate]", "fil", "fill"),
    ("unknown connector type", "executions-redis:      {type: redis,",
     "executions-redis:      {type: rediz,", "rediz", "redis"),
    ("unknown connector option",
     "book-redis:            {type: redis, in: book.snapshots, options: {url:",
     "book-redis:            {type: redis, in: book.snapshots, options: {adress:", "adress", ""),
    ("no YAML", "topics:\n", "topics: [\n", "", ""),
]


class WrongTopology(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.topology = support.Topology("wrong")
        # Nobody listens here: a command that connects would wait and fail with another code.
        cls.nowhere = f"127.0.0.1:{support.free_port()}"

    def place_of(self, old, new):
        """Line of the edit, from 1."""
        at = self.topology.text.index(old)
        common = len(os.path.commonprefix([old, new]))
        return self.topology.text.count("\n", 0, at + common) + 1

    def test_named_with_its_place_and_nothing_started(self):
        for name, old, new, word, other in WRONG:
            path = self.topology.variant("wrong.yaml", [
                (old, new), ("${KAFKA_BOOTSTRAP:-127.0.0.1:9092}", self.nowhere)])
            for command in (["run", path, "--group", "all", "--state-dir",
                             self.topology.path("never"), "--wait", "20s"],
                            ["topology", "apply", path, "--wait", "20s"],
                            ["topology", "check", path]):
                with self.subTest(name, command=command[:2]):
                    outcome = support.millrace(*command, timeout_s=40)
                    text = outcome.out + outcome.err
                    self.assertEqual(outcome.code, 2, outcome)
                    found = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): (.+)$", text, re.M)
                    self.assertTrue(found, outcome)
                    if word:
                        line = self.place_of(old, new)
                        right = [m for at, _, m in found
                                 if int(at) == line and word in m and other in m]
                        self.assertTrue(right, f"line {line}, {word}, {other}: {outcome}")
                    self.assertLess(outcome.seconds, 10, "it waited for a server")
        self.assertFalse(self.topology.path("never").exists())

    def test_misuse_of_the_command_line(self):
        for args, word in (([], "--group"), (["--group", "account", "--grup", "x"], "--grup"),
                           (["--group", "account", "--wait", "soon"], "wait")):
            with self.subTest(args):
                outcome = support.millrace("run", self.topology.file, *args, timeout_s=20)
                self.assertEqual(outcome.code, 2, outcome)
                self.assertIn(word, outcome.err)

    def test_file_that_is_not_there(self):
        outcome = support.millrace("run", self.topology.path("none.yaml"), "--group", "all")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("none.yaml", outcome.err)


class MissingServer(unittest.TestCase):
    def setUp(self):
        self.topology = support.Topology("missing")
        self.address = f"127.0.0.1:{support.free_port()}"

    def refused(self, *command):
        # Longer than one question takes (2 s): the word about it comes after the first.
        outcome = support.millrace(*command, "--wait", "3s", timeout_s=30)
        self.assertEqual(outcome.code, 1, outcome)
        said = outcome.err.splitlines()
        waits = [line for line in said if line.startswith("waiting for")]
        self.assertEqual(len(waits), 1, f"says once what it waits for: {outcome}")
        self.assertIn(self.address, waits[0])
        self.assertIn(self.address, said[-1])
        self.assertIn("did not answer within 3s", said[-1])
        self.assertGreaterEqual(outcome.seconds, 3)
        self.assertLess(outcome.seconds, 20)

    def test_kafka(self):
        path = self.topology.variant("kafka.yaml", [
            ("${KAFKA_BOOTSTRAP:-127.0.0.1:9092}", self.address)])
        self.refused("run", path, "--group", "all", "--state-dir", self.topology.path("state"))

    def test_registry(self):
        path = self.topology.variant("registry.yaml", [
            ("${SCHEMA_REGISTRY_URL:-http://127.0.0.1:8081/apis/ccompat/v7}",
             f"http://someone:secret@{self.address}/apis/ccompat/v7")])
        self.refused("run", path, "--group", "all", "--state-dir", self.topology.path("state"))
        outcome = support.millrace("tap", "orders", "--topology", path, "--wait", "0s")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertNotIn("secret", outcome.err, "credentials are not printed")


class StateDirectory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("owner", partitions=1)
        cls.topology.apply()
        cls.process = support.Process(cls.topology, "0", "--group", "market")
        cls.addClassCleanup(cls.process.close)
        cls.process.start().wait_ready()
        # Beside it a file says where the process listens.
        cls.home, = (path for path in cls.process.state.iterdir() if path.is_dir())

    def refused(self, state, *words):
        outcome = support.millrace("run", self.topology.file, "--group", "market",
                                   "--instance", "0", "--state-dir", state, timeout_s=30)
        self.assertEqual(outcome.code, 1, outcome)
        said = [line for line in outcome.err.splitlines() if line.startswith("millrace run:")]
        self.assertEqual(len(said), 1, f"one clear line: {outcome}")
        for word in words:
            self.assertIn(word, said[0])

    def copy(self, name, old, new):
        """A state directory with another identity, alone: it is read before anything else."""
        home = self.topology.path(name) / self.home.name
        shutil.rmtree(home.parent, ignore_errors=True)
        home.mkdir(parents=True)
        text = (self.home / "identity").read_text()
        self.assertIn(old, text)
        (home / "identity").write_text(text.replace(old, new))
        return home.parent

    def test_in_use(self):
        self.refused(self.process.state, "in use", str(self.process.child.pid))
        self.assertTrue(self.process.ready(), "the first one is not disturbed")

    def test_of_another_application(self):
        state = self.copy("other", self.topology.application, "somebody-else")
        self.refused(state, "somebody-else.market", f"{self.topology.application}.market")

    def test_of_a_newer_version(self):
        state = self.copy("newer", "millrace-state 1\n", "millrace-state 99\n")
        self.refused(state, "format 99", "knows 1")

    def test_not_readable(self):
        state = self.copy("broken", "millrace-state 1", "something")
        self.refused(state, "identity", "not readable")


if __name__ == "__main__":
    support.main()
