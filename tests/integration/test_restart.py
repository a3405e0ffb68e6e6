"""SIGTERM under load, and a start after it: the process ends in time, with 0, and nothing is
doubled.

Goal:   every process finishes what is open, commits and exits 0 within seconds while records flow;
        the next start goes on where it stopped; a clean stop restores nothing; several instances
        share the work and hand it over.
Method: one pipeline for the class; each test plays a run, stops and starts in the middle, and lets
        `verify` judge.
"""

import signal
import unittest

import support

TRADES = 350
RATE = ("--rate", "300/s", "--duplicates", "1%", "--cancels", "1%", "--malformed", "1%")
STOP_S = 8


class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("restart")
        cls.topology.apply()
        cls.pipeline = support.Pipeline(cls.topology)
        cls.addClassCleanup(cls.pipeline.close)

    def setUp(self):
        self.pipeline.start()

    def begin(self, run, records=200):
        load = support.Load(self.topology, run, TRADES, *RATE)
        self.addCleanup(load.close)
        load.start_and_wait(records)
        return load

    def stop(self, process):
        code, seconds = process.terminate()
        self.assertEqual(code, 0, process.tail())
        self.assertLess(seconds, STOP_S, process.tail())

    def test_every_process_stops_and_goes_on(self):
        load = self.begin("stop")
        for part in self.pipeline.parts:
            self.stop(part)
        self.pipeline.start()
        for part in (self.pipeline.account, self.pipeline.market):
            self.assertEqual(part.total("millrace_restored_records_total"), 0,
                             f"{part.name} was stopped well: there is nothing to restore")
        load.finish()
        load.verify()

    def test_a_second_instance_takes_its_share_and_gives_it_back(self):
        first = self.pipeline.market
        second = support.Process(self.topology, "market2", "--group", "market",
                                 state="state-market2")
        self.addCleanup(second.close)
        load = self.begin("share")
        second.start().wait_ready()
        support.wait_until(lambda: second.total("millrace_tasks_ready") > 0 and first.ready() and
                           first.total("millrace_tasks") + second.total("millrace_tasks") ==
                           self.topology.partitions, "the tasks are shared", 30)
        self.stop(second)
        support.wait_until(lambda: first.total("millrace_tasks_ready") == self.topology.partitions,
                           "the first has all tasks again", 30)
        load.finish()
        load.verify("--stores=false")

    def test_interrupt_is_a_stop_too(self):
        part = self.pipeline.connectors
        part.child.send_signal(signal.SIGINT)
        self.assertEqual(part.child.wait(timeout=STOP_S), 0, part.tail())


if __name__ == "__main__":
    support.main()
