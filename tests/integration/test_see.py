"""Looking inside: store, tap, top, the live graph and the page, on running and stopped processes.

Goal:   what the commands show is what was committed, wherever it is, and they say what is not there.
Method: the pipeline on the real servers with one edge in memory alone (orders.validated), recorded
        trades through it, and the commands asked while it runs and after it has stopped. What they
        tell is held against the topics, read by a stock client.
"""

import decimal
import json
import subprocess
import threading
import unittest
import urllib.request
import xml.etree.ElementTree

import support

MEMORY = ("orders.validated: {key: userId, value: OrderCommand}",
          "orders.validated: {key: userId, value: OrderCommand, boundary: memory}")
SVG = "{http://www.w3.org/2000/svg}"


def text_of(command):
    return json.dumps({**command, "fingerprint": None}, sort_keys=True)


class Inside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("see", partitions=3, edits=[MEMORY])
        cls.topology.apply()
        cls.account = support.Process(cls.topology, "account", "--group", "account")
        cls.market = support.Process(cls.topology, "market", "--group", "market")
        for part in (cls.account, cls.market):
            cls.addClassCleanup(part.close)
            part.start()
        for part in (cls.account, cls.market):
            part.wait_ready()
        cls.load = support.Load(cls.topology, "see", 300, "--rate", "400/s")
        cls.addClassCleanup(cls.load.close)
        cls.tapped, cls.tap_err, cls.tap_code = cls.tap_while_loading()

    @classmethod
    def common(cls):
        return ["--topology", cls.topology.file, "--state-dir", cls.account.state]

    @classmethod
    def tap_while_loading(cls):
        """What an edge in memory hands over while orders flow, with conditions."""
        args = [support.program(), "tap", "validate.valid", *map(str, cls.common()), "--count", "20",
                "--where", "ordType=LIMIT", "--where", "qty>0", "--where", "side!=SELL"]
        child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 cwd=support.ROOT, preexec_fn=support.die_with_parent, text=True)
        killer = threading.Timer(90, child.kill)
        killer.start()
        try:
            cls.load.play()
            out, err = child.communicate(timeout=60)
        finally:
            killer.cancel()
            child.kill()
        return [json.loads(line) for line in out.splitlines()], err, child.returncode

    # ---- tap

    def test_an_edge_in_memory_is_tapped_with_conditions(self):
        self.assertEqual(self.tap_code, 0, self.tap_err)
        self.assertEqual(len(self.tapped), 20)
        # dedupe lets every first sight through and adds its fingerprint.
        commands = {text_of(r["value"]) for r in support.tap(self.topology, "orders.unique")}
        for record in self.tapped:
            self.assertEqual(record["topic"], "orders.validated")
            self.assertNotIn("offset", record)
            self.assertEqual(record["value"]["ordType"], "LIMIT")
            self.assertEqual(record["value"]["side"], "BUY")
            self.assertEqual(record["key"], record["value"]["userId"])
            self.assertIn(text_of(record["value"]), commands)

    def test_conditions_choose_records_of_a_topic(self):
        every = support.tap(self.topology, "trades")
        prices = sorted(decimal.Decimal(r["value"]["price"]) for r in every)
        limit, symbol = prices[len(prices) // 2], every[0]["value"]["symbol"]
        out = support.millrace_ok("tap", "fill.trades", "--topology", self.topology.file, "--where",
                                  f"price<={limit}", "--where", f"symbol={symbol}").out
        found = [json.loads(line) for line in out.splitlines()]
        wanted = [r for r in every if decimal.Decimal(r["value"]["price"]) <= limit
                  and r["value"]["symbol"] == symbol]
        self.assertTrue(0 < len(wanted) < len(every))
        self.assertEqual(sorted(found, key=lambda r: (r["partition"], r["offset"])), wanted)

    def test_an_unknown_field_is_named_with_the_nearest(self):
        outcome = support.millrace("tap", "trades", "--topology", self.topology.file, "--where",
                                   "symbl=BTCUSDT")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn('Trade has no field "symbl", did you mean "symbol"?', outcome.err)

    def test_a_port_that_is_not_there_is_named(self):
        outcome = support.millrace("tap", "--stage", "risk", "--port", "aproved", "--topology",
                                   self.topology.file)
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn('did you mean "approved"?', outcome.err)

    # ---- stores

    def state(self, stage, store):
        """{key: (partition, value)} that the changelog says."""
        latest = {}
        for record in support.tap(self.topology, f"{self.topology.application}-{stage}-changelog"):
            if record.get("store") == store:
                latest[record["key"]] = (record["partition"], record["value"])
        return {k: v for k, v in latest.items() if v[1] is not None}

    def check_stores(self, source):
        accounts = self.state("risk", "accounts")
        user, (partition, value) = sorted(accounts.items())[0]
        row = json.loads(support.millrace_ok("store", "get", "risk", "accounts", user,
                                             *self.common()).out)
        self.assertEqual(row, {"stage": "risk", "store": "accounts", "partition": partition,
                               "key": user, "value": value})
        out = support.millrace_ok("store", "scan", "risk", "accounts", "--limit", "0",
                                  *self.common()).out
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({r["key"]: (r["partition"], r["value"]) for r in rows}, accounts)
        self.assertEqual(len(rows), len(accounts))
        out = support.millrace_ok("store", "stats", "risk", "--json", *self.common()).out
        told = json.loads(out)
        self.assertEqual(told["source"], source)
        of_accounts = [r for r in told["rows"] if r["store"] == "accounts"]
        self.assertEqual({r["partition"] for r in of_accounts}, {0, 1, 2})
        self.assertTrue(all(r["changelogOffset"] is None or r["changelogOffset"] > 0
                            for r in of_accounts))
        return told

    def test_a_running_store_is_read(self):
        self.check_stores("running")

    def test_a_key_of_several_parts_is_found(self):
        seen = self.scan("dedupe", "seen", "--limit", "1")[0]
        self.assertIn("keyHex", seen)
        found = json.loads(support.millrace_ok("store", "get", "dedupe", "seen", seen["key"],
                                               *self.common()).out)
        self.assertEqual(found, seen)

    def scan(self, stage, store, *options):
        out = support.millrace_ok("store", "scan", stage, store, *options, *self.common()).out
        return [json.loads(line) for line in out.splitlines()]

    def test_pages_join_without_a_gap(self):
        whole = self.scan("dedupe", "seen", "--limit", "0")
        pages, begin = [], []
        for _ in range(len(whole)):
            outcome = support.millrace_ok("store", "scan", "dedupe", "seen", "--limit", "70", *begin,
                                          *self.common())
            pages += [json.loads(line) for line in outcome.out.splitlines()]
            if "there is more" not in outcome.err:
                break
            begin = ["--from", outcome.err.split("--from ")[1].split()[0]]
        self.assertGreater(len(whole), 70)
        self.assertEqual(pages, whole)

    def test_what_is_not_there_is_said(self):
        outcome = support.millrace("store", "get", "risk", "accounts", "nobody", *self.common())
        self.assertEqual((outcome.code, outcome.out), (1, ""), outcome)
        self.assertIn("has no key nobody", outcome.err)
        outcome = support.millrace("store", "get", "risk", "acounts", "x", *self.common())
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn('did you mean "accounts"?', outcome.err)
        port = int(self.market.port_file.read_text())
        outcome = support.millrace("store", "scan", "risk", "accounts", "--topology",
                                   self.topology.file, "--address", f"127.0.0.1:{port}")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(f"partition 0 is not here (127.0.0.1:{port})", outcome.err)

    # ---- top, graph, page

    def test_top_tells_of_every_worker_and_task(self):
        told = json.loads(support.millrace_ok("top", "--once", "--json", "--interval", "1s",
                                              *self.common()).out)
        units = {u["unit"]: u for u in told["units"]}
        self.assertEqual(set(units), {"account.0", "market.0"})
        for unit in units.values():
            self.assertEqual([t["partition"] for t in unit["tasks"]], [0, 1, 2])
            self.assertEqual({t["state"] for t in unit["tasks"]}, {"ready"})
            self.assertEqual(unit["state"], "running")
            self.assertGreater(unit["commitP99Us"], 0)
            self.assertIsNotNone(unit["inPerSecond"])
        self.assertEqual(told["totals"]["tasksReady"], 6)
        self.assertEqual(told["unreachable"], [])

        def drained():
            out = support.millrace_ok("top", "--json", "--interval", "200ms", *self.common()).out
            return json.loads(out)["totals"]["lag"] == 0
        support.wait_until(drained, "lag is 0 once everything is processed", 30)

    def test_top_prints_a_table_where_there_is_no_terminal(self):
        out = support.millrace_ok("top", *self.common()).out
        self.assertIn("account.0", out)
        self.assertIn("partition 2", out)
        self.assertNotIn("\033", out.replace("\033[K", ""))

    def test_a_process_that_is_away_is_said(self):
        outcome = support.millrace("top", "--once", "--address", f"127.0.0.1:{support.free_port()}")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("does not answer", outcome.err)

    def test_the_live_graph_is_svg_with_figures(self):
        out = support.millrace_ok("topology", "graph", self.topology.file, "--live", "--format",
                                  "svg", "--state-dir", self.account.state).out
        root = xml.etree.ElementTree.fromstring(out)
        topics = {g.get("data-topic"): "".join(g.itertext()) for g in root.iter(f"{SVG}g")
                  if g.get("data-topic")}
        self.assertIn("orders.validated", topics)
        self.assertIn("/s", topics["orders.unique"])
        self.assertIn("lag", topics["executions"])

    def test_the_page_and_the_status(self):
        port = int(self.account.port_file.read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            self.assertIn("text/html", answer.headers["Content-Type"])
            page = answer.read().decode()
        self.assertIn('data-topic="orders.approved"', page)
        self.assertIn("/metrics", page)
        self.assertNotIn("src=", page)
        status = json.loads(self.account.get("/status")[1])
        flows = {t["topic"]: t for t in status["topics"]}
        told = sum(1 for _ in support.tap(self.topology, "orders.unique"))
        self.assertEqual(flows["orders.unique"]["recordsOut"], told)
        self.assertGreaterEqual(flows["orders.validated"]["recordsOut"], told)

    def test_zz_a_stopped_process_leaves_its_state_to_be_read(self):
        """The last one: it ends the pipeline."""
        def unlock_is_said():
            port_file = next(self.account.state.glob("*.account.account.http"))
            text = port_file.read_text()
            port_file.unlink()
            outcome = support.millrace("store", "stats", "risk", *self.common())
            port_file.write_text(text)
            return outcome
        (self.account.state / f"{self.topology.application}.market.market.http").unlink()
        locked = unlock_is_said()
        self.assertEqual(locked.code, 1, locked)
        self.assertIn(f"in use by process {self.account.child.pid}", locked.err)
        self.assertEqual(self.account.terminate()[0], 0)
        self.assertEqual(self.market.terminate()[0], 0)
        self.check_stores("stopped")


if __name__ == "__main__":
    support.main()
