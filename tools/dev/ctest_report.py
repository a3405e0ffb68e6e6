"""The last lines of `make test`: what every lane did, and the sum.

usage: ctest_report.py LANES.tsv REPORT.json
       LANES.tsv: one lane a line: name, seconds or -, ctest's JUnit file or -, error or -
Why:  ctest counts one build only, and the front door's last line must be a sum over all.
How:  prints a table, the names of what failed or was skipped, and `N passed, N failed`; the same in
      REPORT.json. Exit 0 when nothing failed and something passed. A lane with an error, and a file
      of results that is missing or broken, count as one failure each.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as tree


def is_skip(case):
    """A test that chose to skip, or is disabled. One whose program does not exist, or whose set-up
    failed, also counts as "not run" for ctest, but is a failure here."""
    mark = case.find("skipped")
    message = "" if mark is None else mark.get("message", "")
    return case.get("status") == "disabled" or message.startswith("SKIP_")


def count(path):
    """(passed, [failed names], [skipped names]) of one JUnit file."""
    try:
        cases = list(tree.parse(path).getroot().iter("testcase"))
    except (OSError, tree.ParseError):
        return 0, [f"(no results in {path})"], []
    passed, failed, skipped = 0, [], []
    for case in cases:
        name = case.get("name")
        if case.get("status") == "run" and case.find("failure") is None:
            passed += 1
        elif is_skip(case):
            skipped.append(name)
        else:
            failed.append(name)
    return passed, failed, skipped


def read_lanes(text):
    lanes = []
    for line in text.splitlines():
        name, seconds, results, error = line.split("\t")
        passed, failed, skipped = count(results) if results != "-" else (0, [], [])
        if error != "-":
            failed.append(f"({error})")
        lanes.append({
            "lane": name, "seconds": None if seconds == "-" else float(seconds),
            "passed": passed, "failed": failed, "skipped": skipped,
        })
    return lanes


def main(lanes_file, report_file):
    lanes = read_lanes(pathlib.Path(lanes_file).read_text())
    passed = sum(lane["passed"] for lane in lanes)
    failed = sum(len(lane["failed"]) for lane in lanes)
    print(f"\n{'lane':<14} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for lane in lanes:
        seconds = "-" if lane["seconds"] is None else f"{lane['seconds']:.1f}"
        print(f"{lane['lane']:<14} {lane['passed']:>7} {len(lane['failed']):>7} "
              f"{len(lane['skipped']):>8} {seconds:>8}")
    for what in ("skipped", "failed"):
        for lane in lanes:
            for name in lane[what]:
                print(f"{what}: {lane['lane']}: {name}")
    pathlib.Path(report_file).write_text(
        json.dumps({"passed": passed, "failed": failed, "lanes": lanes}, indent=1) + "\n")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
