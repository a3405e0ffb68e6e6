"""Goal:   with docs/howto/add-a-stage.md alone a stage gets into the production graph, and records
        come through it.
Method: its blocks in a copy of the tree (walk.py); then what the dumped topics hold.
"""
import tempfile
import unittest

from walk import ROOT, Walk


@unittest.skipIf((ROOT / "stages/cool-down").exists(), "the tree has a stage cool-down already")
class AddAStage(unittest.TestCase):
    def test_the_text_works_and_records_come_through(self):
        with tempfile.TemporaryDirectory() as holder:
            walk = Walk(holder)
            walk.follow("docs/howto/add-a-stage.md")
            topics = walk.root / "build/try/topics"
            passed = (topics / "orders.cool-down.jsonl").read_text().splitlines()
            # The dump is of the run in which all passed.
            self.assertEqual(len(passed), len((topics / "orders.unique.jsonl").read_text().splitlines()))
            self.assertGreater(len(passed), 300)
            self.assertGreater(len((topics / "crypto-oms-cool-down-changelog.jsonl").read_text().splitlines()), 0)


if __name__ == "__main__":
    unittest.main()
