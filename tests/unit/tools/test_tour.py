"""Goal:   every order type comes out of the pipeline as tools/sample/tour.jsonl says, and a tour that
        comes out otherwise is noticed.
Method: `millrace try --tour`, on the log in memory; the file as it is, then with one line changed.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOUR = ROOT / "tools/sample/tour.jsonl"

# (what is there, what is put in its place, what must be said)
CHANGES = {
    "a quantity": ('"cumQuote": "30.401"', '"cumQuote": "30.4"', "MARKET by quoteQty"),
    "an end": ('"cancelReason": "GTD"', '"cancelReason": "USER"', "LIMIT GTD"),
    "a balance": ('"available": "872.705799"', '"available": "872.7058"', "balances"),
    "a field that is not null": ('"price": null', '"symbol": null', "MARKET by qty"),
    "a report that is not expected": (
        ', {"orderId": "c2", "execType": "SETTLED"}', "", "expected nothing, got"),
    "a record that does not come": (
        '{"orderId": "a8", "execType": "NEW"', '{"orderId": "a99", "execType": "NEW"',
        "got nothing"),
    "a command that is none": ('"action": "AMEND"', '"action": "MEND"', "action"),
}


class Tour(unittest.TestCase):
    def play(self, text):
        with tempfile.TemporaryDirectory() as directory:
            tour = pathlib.Path(directory) / "tour.jsonl"
            tour.write_text(text)
            done = subprocess.run(
                [os.environ["MILLRACE"], "try", "--limit", "10", "--plain", "--quiet",
                 "--report", f"{directory}/report.json", "--manifest", f"{directory}/manifest.json",
                 "--tour", str(tour), "--patience", "1s"],
                cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_every_order_type_comes_out_as_written(self):
        code, said = self.play(TOUR.read_text())
        self.assertEqual(code, 0, said)
        self.assertNotIn("DIFFERS", said)
        steps = TOUR.read_text().count('{"step"')
        self.assertGreater(steps, 20)
        self.assertEqual(said.count("| ok\n"), steps, said)

    def test_what_comes_out_otherwise_is_noticed(self):
        for what, (old, new, must_say) in CHANGES.items():
            with self.subTest(what=what):
                text = TOUR.read_text()
                self.assertIn(old, text)
                code, said = self.play(text.replace(old, new, 1))
                self.assertEqual(code, 1, said)
                self.assertIn(must_say, said)


if __name__ == "__main__":
    unittest.main()
