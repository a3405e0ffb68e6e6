"""Recorded flows and hand-made edge cases of the public matching-engine benchmark, report for report.

usage: recorded.py MATCH_CONFORMANCE
The rules and the format stand in flow.h. Exit code 77: the data folder is not there.
"""

import itertools
import json
import subprocess
import sys

import data


def answers(program, flow):
    done = subprocess.run([program, "--audit", "-"], input=flow, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"match-conformance ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def differs(name, given, expected):
    """Tells the first difference; False when there is none."""
    for number, (is_, should) in enumerate(itertools.zip_longest(given, expected), 1):
        if is_ != should:
            print(f"{name}: report {number} is {is_}, should be {should}")
            return True
    return False


def main(program):
    root = data.folder("matching-conformance")
    wrong = reports = 0
    flows = sorted((root / "small_dev").glob("*.commands.csv"))
    for flow in flows:
        expected = flow.with_name(flow.name.replace(".commands.csv", ".reports.txt")).read_text().splitlines()
        reports += len(expected)
        wrong += differs(flow.name, answers(program, flow.read_text()), expected)
    cases = json.loads((root / "edge_cases" / "edge_cases.json").read_text())
    for name, case in cases.items():
        commands, expected = case["commands"], case["expected_reports"]
        if case.get("commands_count", len(commands)) != len(commands):
            print(f"{name}: the file does not have all commands")
            wrong += 1
        reports += len(expected)
        wrong += differs(name, answers(program, "\n".join(commands) + "\n"), expected)
    if len(flows) < 2 or len(cases) < 34:
        print(f"only {len(flows)} flows and {len(cases)} edge cases: the data are not what they were")
        wrong += 1
    print(f"{len(flows)} flows and {len(cases)} edge cases, {reports} reports: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
