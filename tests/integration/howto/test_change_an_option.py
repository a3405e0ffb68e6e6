"""docs/howto/change-an-option.md: one option of a stage, and everything that follows.

Goal:   the plan names the option with its old and new value; a replay of the record says what it would
        have changed; applied and restarted, it is what the stage goes by, and nothing else moved.
Method: one load before, one after, with a limit of open orders that the second one meets.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

TRADES = 300
TOO_MANY_OPEN = 3701


class ChangeAnOption(unittest.TestCase):
    def setUp(self):
        support.fresh_stack()
        self.topology = support.Topology("option")
        self.topology.apply()
        self.changed = self.topology.variant("changed.yaml", [("open-orders: 200", "open-orders: 1")])
        self.pipeline = support.Pipeline(self.topology)
        self.pipeline.parts.remove(self.pipeline.connectors)
        self.addCleanup(self.pipeline.close)
        self.pipeline.start()

    def rejected(self):
        return sum(record["value"]["rejectCode"] == TOO_MANY_OPEN
                   for record in support.tap(self.topology, "executions"))

    def play(self, run):
        load = support.Load(self.topology, run, TRADES)
        self.addCleanup(load.close)
        load.play()
        return load

    def test_from_the_plan_to_the_first_reject(self):
        self.play("before").verify("--stores=false")
        self.assertEqual(self.rejected(), 0)

        plan = support.millrace("topology", "plan", self.changed)
        self.assertEqual(plan.code, 1, plan)
        self.assertIn("open-orders: 200 -> 1, with a restart of group account", plan.out)
        self.assertIn(" 1 changed, 0 moved, 0 rebuilt, 0 orphaned, 0 refused", plan.out)

        replay = support.millrace("replay", "--verify", "--quiet", "--topology", self.changed,
                                  "--stage", "risk")
        self.assertEqual(replay.code, 1, replay)
        self.assertIn(f'"rejectCode":{TOO_MANY_OPEN}', replay.out)

        support.millrace_ok("topology", "apply", self.changed)
        self.assertEqual(support.millrace("topology", "plan", self.changed).code, 0)
        self.topology.file = self.changed
        account = self.pipeline.account
        self.assertEqual(account.terminate()[0], 0)
        account.args[account.args.index("run") + 1] = str(self.changed)
        account.start()
        account.wait_ready()
        self.assertEqual(account.total("millrace_restored_records_total"), 0, "its state was there")
        self.play("after")
        support.wait_until(lambda: self.rejected() > 0, "orders are rejected by the new limit")


if __name__ == "__main__":
    support.main()
