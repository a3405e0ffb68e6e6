"""Document store and Redis go away while records flow, and come back: nothing is lost.

Goal:   a connector whose server refuses or no longer answers waits with its partitions paused, says
        for whom on /ready and in one line of its log, keeps its place in the group, does not hold
        up the pipeline, and writes everything once the server is back.
Method: both stores stand behind proxies of this test, which refuse or stall at will; `verify`
        compares the stores with the topics afterwards.
"""

import json
import os
import time
import unittest
import urllib.parse

import proxy
import support

TRADES = 150
OUTAGE_S = 3


def behind_proxy(name):
    """Puts a proxy in front of the server of this variable, for this process and its children."""
    url = urllib.parse.urlsplit(os.environ[name])
    made = proxy.Proxy(url.hostname, url.port)
    os.environ[name] = url._replace(netloc=f"127.0.0.1:{made.port}").geturl()
    return made


class Outage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        before = {name: os.environ[name] for name in ("DOCUMENTDB_URI", "REDIS_URL")}
        cls.addClassCleanup(os.environ.update, before)
        cls.proxies = [behind_proxy("DOCUMENTDB_URI"), behind_proxy("REDIS_URL")]
        for made in cls.proxies:
            cls.addClassCleanup(made.close)
        support.fresh_stack()
        cls.topology = support.Topology("outage")
        cls.topology.use_timeout("1s")
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.start()

    def units(self):
        answer = json.loads(self.pipeline.connectors.get("/ready")[1])
        return {unit["name"]: unit for unit in answer["units"]}

    def members(self):
        """{group: ids of its members}: an id is new when a member had to join again."""
        client = support.admin()
        groups = [f"{self.topology.application}.{name}" for name in self.units()]
        return {group: sorted(m.member_id for m in future.result(20).members)
                for group, future in client.describe_consumer_groups(groups).items()}

    def play_through(self, run, leave):
        connectors = self.pipeline.connectors
        members = self.members()
        self.assertTrue(all(members.values()), members)
        log_before = connectors.log.stat().st_size
        load = support.Load(self.topology, run, TRADES, "--rate", "300/s")
        self.addCleanup(load.close)
        for made in self.proxies:
            self.addCleanup(made.restore)
            leave(made)
        written = connectors.total("millrace_sink_records_total")
        # The pipeline does not wait for the stores: each order has its outcome while they are gone.
        load.play()
        waiting = support.wait_until(
            lambda: [u for u in self.units().values() if not u["ready"]] or None,
            "a connector waits", 15)
        self.assertEqual(connectors.get("/ready")[0], 503)
        addresses = tuple(f"127.0.0.1:{made.port}" for made in self.proxies)
        for unit in waiting:
            self.assertEqual(unit["state"], "running", unit)
            self.assertTrue(any(a in unit["waitsFor"] for a in addresses), unit)
        time.sleep(OUTAGE_S)
        self.assertTrue(connectors.alive(), connectors.tail())
        self.assertEqual(connectors.get("/health")[0], 200)
        for made in self.proxies:
            made.restore()
        connectors.wait_ready(30)
        load.verify()
        self.assertGreater(connectors.total("millrace_sink_records_total"), written)
        self.assertEqual(connectors.total("millrace_sink_dead_letters_total"), 0)
        with open(connectors.log, "rb") as log:
            log.seek(log_before)
            said = log.read().decode().splitlines()
        waits = [line for line in said if "event=sink_waits" in line]
        self.assertGreaterEqual(len(waits), len(waiting), said)
        self.assertLessEqual(len(waits), 3 * len(self.units()), "not a line for every attempt")
        self.assertEqual(self.members(), members, "each keeps its place in its group")

    def test_refused(self):
        self.play_through("refused", lambda made: made.refuse())

    def test_no_answer(self):
        self.play_through("stalled", lambda made: made.stall())


if __name__ == "__main__":
    support.main()
