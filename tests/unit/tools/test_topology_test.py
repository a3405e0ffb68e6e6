"""Goal:   `millrace topology test` says case by case what came out, and its exit code tells apart that
        all is well (0), that a case failed (1), and that a file or an argument is wrong (2).
Method: the program on a suite of the production topology, as it is and with one word changed.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUITES = ROOT / "tests/topology"
LIFE = SUITES / "01_life_of_an_order.yaml"
HOWTO = ROOT / "docs/howto/test-a-topology.md"
SPLIT = "an order that is filled in parts settles once"


class TopologyTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def run_program(self, *arguments):
        done = subprocess.run([os.environ["MILLRACE"], "topology", "test", *map(str, arguments)],
                              cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        return done.returncode, done.stdout, done.stderr

    def changed(self, old, new):
        """The life of an order with a word changed; what it shares is where it was."""
        text = LIFE.read_text()
        self.assertIn(old, text)
        text = text.replace(old, new, 1).replace("shared/", f"{SUITES}/shared/")
        path = pathlib.Path(self.directory.name) / "changed.yaml"
        path.write_text(text)
        return path, text.count("\n", 0, text.index(new)) + 1

    def test_suites_pass(self):
        files = sorted(SUITES.glob("*.yaml"))
        code, out, err = self.run_program(*files)
        self.assertEqual(code, 0, out + err)
        self.assertGreater(len(files), 10)
        cases = out.count("\n  ok ")
        self.assertGreater(cases, 100)
        self.assertIn(f"{cases} cases: {cases} ok, 0 failed", out)

    def test_a_failing_case_shows_what_is_different_and_where(self):
        path, line = self.changed("leavesQty: 1, holdAfter: 1, tradeId: 1",
                                  "leavesQty: 1.5, holdAfter: 1, tradeId: 1")
        code, out, _ = self.run_program(path)
        self.assertEqual(code, 1, out)
        self.assertEqual(out.count("FAILED"), 1, out)
        self.assertIn(f"{path}:{line}:15: a record of executions is not as expected\n", out)
        self.assertRegex(out, r"\n        ! leavesQty +1.5 +1\n")
        self.assertRegex(out, r"\n          holdAfter +1 +1\n")
        self.assertIn("7 cases: 6 ok, 1 failed", out)

    def test_the_same_as_json(self):
        path, line = self.changed("leavesQty: 1, holdAfter: 1, tradeId: 1",
                                  "leavesQty: 1.5, holdAfter: 1, tradeId: 1")
        code, out, _ = self.run_program("--json", path)
        self.assertEqual(code, 1)
        result = json.loads(out)
        self.assertEqual((result["ok"], result["failed"]), (6, 1))
        failed = [case for case in result["files"][0]["cases"] if not case["ok"]]
        self.assertEqual(failed[0]["failure"]["line"], line)
        self.assertIn("leavesQty", failed[0]["failure"]["text"])

    def test_a_wrong_file_is_told_before_anything_is_played(self):
        path, line = self.changed("side: SELL", "side: SALE")
        code, out, err = self.run_program(LIFE, path)
        self.assertEqual(code, 2, err)
        self.assertEqual(out, "")
        self.assertRegex(err, rf'(?m)^{path}:{line}:\d+: side: "SALE" is none of its symbols')

    def test_one_case_can_be_chosen(self):
        for pattern in ("filled in parts", "an * in parts*once"):
            with self.subTest(pattern=pattern):
                code, out, _ = self.run_program("--case", pattern, LIFE)
                self.assertEqual(code, 0)
                self.assertIn(SPLIT, out)
                self.assertIn("1 case: 1 ok, 0 failed", out)
        code, out, err = self.run_program("--case", "nothing like it", LIFE)
        self.assertEqual(code, 2)
        self.assertIn('no case has "nothing like it" in its name', err)

    def test_cases_can_be_listed(self):
        code, out, _ = self.run_program("--list", LIFE)
        self.assertEqual(code, 0)
        self.assertEqual(out.count("\n  "), LIFE.read_text().count("- name:") + out.count("\n      "))
        self.assertIn(f"\n  {SPLIT}\n", out)
        code, out, _ = self.run_program("--list", "--json", LIFE)
        self.assertEqual(code, 0)
        self.assertNotIn("ok", json.loads(out)["files"][0]["cases"][0])

    def test_crashes_everywhere(self):
        code, out, _ = self.run_program("--crash-everywhere", "--json", "--case", SPLIT, LIFE)
        self.assertEqual(code, 0, out)
        # Instrument, price, two deposits and three orders, each with a crash of either group.
        self.assertEqual(json.loads(out)["files"][0]["cases"][0]["plays"], 1 + 7 * 2)

    def test_a_crash_that_changes_something_is_told(self):
        # Two users at once: who comes first in the book is open, and a crash decides it otherwise.
        path = pathlib.Path(self.directory.name) / "race.yaml"
        path.write_text(f"""
share: {SUITES}/shared/market.yaml
cases:
  - name: two users at once
    steps:
      - given:
          accounts: [{{userId: a, amount: 1000}}, {{userId: d, amount: 1000}}]
      - together: true
        send:
          orders:
            - {{userId: a, orderId: a1, qty: 1, price: 99}}
            - {{userId: d, orderId: d1, qty: 1, price: 99}}
            - {{userId: a, orderId: a2, qty: 1, price: 98}}
            - {{userId: d, orderId: d2, qty: 1, price: 98}}
""")
        self.assertEqual(self.run_program(path)[0], 0)
        code, out, _ = self.run_program("--crash-everywhere", path)
        self.assertEqual(code, 1, out)
        self.assertRegex(out, r"with a crash of group account.*, \d+ rounds after record \d+:")
        self.assertIn("topic executions: 4 records, undisturbed 4; the first that differs has key",
                      out)
        self.assertRegex(out, r"! engineSeq +\d+ +\d+\n")

    def test_what_the_page_for_beginners_shows(self):
        page = HOWTO.read_text()
        files = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
        self.assertEqual(len(files), 2)
        path = pathlib.Path(self.directory.name) / "first.yaml"
        for text in files:
            path.write_text(text.replace("topology: topology", f"topology: {ROOT}/topology"))
            code, out, err = self.run_program("--crash-everywhere", path)
            self.assertEqual(code, 0, out + err)
        wrong = files[0].replace("topology: topology", f"topology: {ROOT}/topology")
        path.write_text(wrong.replace("INSUFFICIENT_FUNDS", "PRICE_COLLAR"))
        code, out, _ = self.run_program(path)
        shown = re.search(r"```\n(first.yaml:13:15.*?)```", page, re.DOTALL).group(1)
        self.assertEqual(code, 1)
        for line in shown.splitlines():
            self.assertIn(line + "\n", out)

    def test_help_and_misuse(self):
        self.assertEqual(self.run_program("--help")[0], 0)
        self.assertEqual(self.run_program()[0], 2)
        self.assertEqual(self.run_program("--crash", LIFE)[0], 2)


if __name__ == "__main__":
    unittest.main()
