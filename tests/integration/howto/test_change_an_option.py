"""docs/howto/change-an-option.md: one option of a stage, and everything that follows.

Goal:   the plan names the option with its old and new value; a replay of the record says what it would
        have changed; applied and restarted, it is what the stage goes by, and nothing else moved.
Method: the tour of order types (tools/sample/tour.jsonl), in which a user has several orders open, before
        the change and after it.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

TOUR = support.ROOT / "tools/sample/tour.jsonl"
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

    def tour(self, run, *patience):
        return support.millrace("load", "tour", TOUR, "--topology", self.topology.file, "--run",
                                run + self.topology.stamp, "--quiet", *patience)

    def test_from_the_plan_to_the_first_reject(self):
        played = self.tour("before")
        self.assertEqual(played.code, 0, played)
        self.assertEqual(self.rejected(), 0)

        plan = support.millrace("topology", "plan", self.changed)
        self.assertEqual(plan.code, 1, plan)
        self.assertIn("open-orders: 200 -> 1, with a restart of group account", plan.out)
        self.assertIn(" 1 changed, 0 moved, 0 rebuilt, 0 orphaned, 0 refused", plan.out)

        replay = support.millrace("replay", "--verify", "--quiet", "--topology", self.changed,
                                  "--stage", "risk", "--differences", 1000)
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
        self.assertEqual(self.tour("after", "--patience", "3s").code, 1, "it comes out otherwise")
        self.assertGreater(self.rejected(), 0)


if __name__ == "__main__":
    support.main()
