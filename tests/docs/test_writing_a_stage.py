"""Goal:   docs/WRITING_A_STAGE.md works as it stands, from the first command to the last.
Method: its blocks in a copy of the tree (walk.py).
"""
import tempfile
import unittest

from walk import ROOT, Walk


@unittest.skipIf((ROOT / "stages/throttle").exists(), "the tree has a stage throttle already")
class WritingAStage(unittest.TestCase):
    def test_the_text_works_from_end_to_end(self):
        with tempfile.TemporaryDirectory() as holder:
            walk = Walk(holder)
            walk.follow("docs/WRITING_A_STAGE.md")
            # What is said last came of the stage: rejections of its own.
            rejected = (walk.root / "build/try/topics/executions.jsonl").read_text().count('"T-')
            self.assertGreater(rejected, 0)


if __name__ == "__main__":
    unittest.main()
