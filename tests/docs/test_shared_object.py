"""Goal:   docs/howto/stage-in-a-shared-object.md works as it stands.
Method: its blocks in a copy of the tree (walk.py), with the conformance programs of the build at hand.
"""
import tempfile
import unittest

from walk import BUILD, Walk


class SharedObject(unittest.TestCase):
    def test_the_text_works_from_end_to_end(self):
        with tempfile.TemporaryDirectory() as holder:
            walk = Walk(holder)
            (walk.root / "build/debug").symlink_to(BUILD)
            walk.follow("docs/howto/stage-in-a-shared-object.md")


if __name__ == "__main__":
    unittest.main()
