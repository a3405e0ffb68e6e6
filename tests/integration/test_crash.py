"""kill -9 of every part in mid-load: after a restart nothing is lost, doubled or invented.

Goal:   `verify` is equal after a process was killed while orders flowed and started again, with its
        state, and with an emptied state directory that is restored from the changelogs; /ready says
        so only when the restore is complete. Damaged state counts as none.
Method: one pipeline for the class; each test plays a run of its own at a rate that leaves time,
        kills when a share of it has gone through, and lets `verify` judge the run.
"""

import json
import unittest

import support

TRADES = 350
FAULTS = ("--rate", "300/s", "--duplicates", "1%", "--cancels", "1%", "--malformed", "1%")


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("crash")
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)

    def setUp(self):
        self.pipeline.start()

    def begin(self, run, part, records=200):
        """A load that is under way: so many of its records are sent, and `part` is alive."""
        load = support.Load(self.topology, run, TRADES, *FAULTS)
        self.addCleanup(load.close)
        load.start_and_wait(records)
        self.assertTrue(part.alive())
        return load

    def test_market_killed(self):
        market = self.pipeline.market
        load = self.begin("market", market)
        market.kill()
        market.start().wait_ready()
        load.finish()
        load.verify("--stores=false")

    def test_account_killed_twice_with_its_state_gone(self):
        account = self.pipeline.account
        load = self.begin("account", account)
        account.kill()
        account.empty_state()
        account.start().wait_ready()
        self.assertGreater(account.total("millrace_restored_records_total"), 0)
        account.kill()
        account.start().wait_ready()
        load.finish()
        load.verify("--stores=false")

    def test_market_restores_all_before_it_is_ready(self):
        market = self.pipeline.market
        load = self.begin("restore", market)
        market.kill()
        market.empty_state()
        market.start()
        answers = []

        def ready():
            self.assertTrue(market.alive(), market.tail())
            answers.append(market.get("/ready"))
            return answers[-1][0] == 200

        support.wait_until(ready, "market is ready", support.READY_S, every_s=0.005)
        refused = [json.loads(text) for status, text in answers if status == 503]
        self.assertTrue(refused, "a process that has to restore is first not ready")
        self.assertTrue(all(not answer["ready"] for answer in refused))
        unit, = json.loads(answers[-1][1])["units"]
        self.assertEqual((unit["tasks"], unit["tasksReady"], unit["restoreLeft"]),
                         (self.topology.partitions, self.topology.partitions, 0))
        self.assertGreater(market.total("millrace_restored_records_total"), 0)
        load.finish()
        load.verify("--stores=false")

    def test_damaged_state_is_given_up_and_restored(self):
        account = self.pipeline.account
        load = self.begin("damage", account)
        account.terminate()
        account.start().wait_ready()  # what its log held is in tables now
        account.kill()
        tables = list(account.state.glob("*/db/*.sst"))
        self.assertTrue(tables)
        for table in tables:
            data = bytearray(table.read_bytes())
            data[len(data) // 3] ^= 1
            table.write_bytes(data)
        account.start().wait_ready()
        self.assertIn("state_given_up", account.tail(400))
        self.assertGreater(account.total("millrace_restored_records_total"), 0)
        load.finish()
        load.verify("--stores=false")

    def test_everything_killed_at_once(self):
        load = self.begin("all", self.pipeline.market)
        for part in self.pipeline.parts:
            part.child.kill()
        for part in self.pipeline.parts:
            part.await_end(support.STOP_S)
        self.pipeline.start()
        load.finish()
        load.verify()


if __name__ == "__main__":
    support.main()
