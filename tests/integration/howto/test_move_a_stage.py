"""docs/howto/move-a-stage.md: settle goes into a group of its own while orders flow, and back.

Goal:   the stage goes on exactly where it was: nothing is settled twice or left out, whatever was on
        its way; the plan says what will happen; a plan that would take everything again, or lose
        what is not worked yet, is refused. The record before the move can still be replayed.
Method: a load flows without a pause. The group is stopped, the other topology applied, both groups
        started; the load ends and verify finds everything equal. Then the way back. Offsets, state
        and plans are looked at in between.
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

TRADES = 3000
RATE = "250/s"
APART = [("stages: [validate, dedupe, risk, settle]", "stages: [validate, dedupe, risk]"),
         ("groups:\n", "groups:\n  settlement: {stages: [settle]}\n")]


class MoveAStage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.fresh_stack()
        cls.topology = support.Topology("move")
        cls.together = cls.topology.file
        cls.apart = cls.topology.variant("apart.yaml", APART)
        support.millrace_ok("topology", "apply", cls.together)
        cls.processes = []
        cls.addClassCleanup(lambda: [p.close() for p in cls.processes])
        cls.market = cls.process("market", "market", cls.together)

    @classmethod
    def process(cls, name, group, file):
        """A group, by the topology of this file, in a state directory of its own."""
        cls.topology.file = file
        process = support.Process(cls.topology, name, "--group", group, state=f"state-{name}")
        cls.processes.append(process)
        return process.start()

    def plan(self, file, code):
        outcome = support.millrace("topology", "plan", "--json", file)
        self.assertEqual(outcome.code, code, outcome)
        return json.loads(outcome.out)["items"]

    def of(self, items, kind, action):
        return {item["name"]: item["detail"] for item in items
                if item["kind"] == kind and item["action"] == action}

    def stop(self, process):
        code, _ = process.terminate()
        self.assertEqual(code, 0, process.tail())

    def test_there_and_back_again(self):
        account = self.process("together", "account", self.together)
        for process in (account, self.market):
            process.wait_ready()
        self.assertEqual(self.of(self.plan(self.together, 0), "stage", "moved"), {})
        load = support.Load(self.topology, "move", TRADES, "--rate", RATE)
        self.addCleanup(load.close)
        load.start_and_wait(TRADES // 3)

        # There: told before it is done, and not done while the group is at work.
        items = self.plan(self.apart, 1)
        self.assertIn("settlement", self.of(items, "stage", "moved")["settle"])
        self.assertEqual(set(self.of(items, "offsets", "moved")),
                         {"executions", "accounts.approved"})
        refused = support.millrace("topology", "apply", self.apart, "--wait-stopped", "1s")
        self.assertEqual(refused.code, 1)
        self.assertIn("group account still has members", refused.err)
        self.stop(account)
        support.millrace_ok("topology", "apply", self.apart)
        self.assertEqual(self.of(self.plan(self.apart, 0), "stage", "moved"), {})
        account = self.process("account", "account", self.apart)
        settlement = self.process("settlement", "settlement", self.apart)
        for process in (account, settlement):
            process.wait_ready()
        self.assertGreater(settlement.total("millrace_restored_records_total"), 0)
        load.await_records(TRADES // 3)

        # And back: refused as long as something of it is not settled, for that would be lost.
        self.stop(settlement)
        load.await_records(TRADES // 10)
        self.stop(account)
        refused = support.millrace("topology", "apply", self.together)
        self.assertEqual(refused.code, 2, refused)
        self.assertIn("two places", refused.out)
        settlement = self.process("settlement", "settlement", self.apart)
        settlement.wait_ready()
        account = self.process("account", "account", self.apart)
        account.wait_ready()
        load.finish()
        self.topology.file = self.apart
        load.verify("--stores=false")
        self.stop(account)
        self.stop(settlement)
        support.millrace_ok("topology", "apply", self.together)
        account = self.process("together", "account", self.together)
        account.wait_ready()
        last = support.Load(self.topology, "last", 300)
        self.addCleanup(last.close)
        last.play()
        last.verify("--stores=false")
        books = support.millrace("verify", "--topology", self.together, "--ledger")
        self.assertEqual(books.code, 0, books)


if __name__ == "__main__":
    support.main()
