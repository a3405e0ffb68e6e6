"""Goal:   the conformance suite finds each mistake that it is there for, and nothing in a stage without.
Method: its programs over toys (toys.c), each with one mistake; the failed tests of each toy must be
        those of the table.
"""
import os
import re
import subprocess
import sys

TOYS = ["good", "allocates", "remembers", "wavers", "swallows", "relabels", "asserts", "dies", "batches",
        "sleeps", "divides", "crossed", "mute"]  # in the order of toys.c
# toy -> tests of which each must fail; others may, when one mistake has several consequences.
FOUND_BY = {
    "good": set(),
    "allocates": {"a_record_costs_no_allocation"},
    "remembers": {"a_crash_after_any_round_changes_nothing", "a_failed_call_leaves_nothing_behind"},
    "wavers": {"the_same_input_gives_the_same_bytes"},
    "swallows": {"a_failed_call_leaves_nothing_behind"},
    "relabels": {"a_failed_call_leaves_nothing_behind"},
    "asserts": {"fields_that_nobody_would_send_never_stop_a_stage"},
    "dies": {"fields_that_nobody_would_send_never_stop_a_stage"},
    "batches": {"the_size_of_transactions_changes_nothing"},
    "sleeps": {"the_same_input_gives_the_same_bytes"},
    "divides": {"a_stage_runs_at_the_edges_of_its_options"},
    "crossed": {"an_option_has_help_a_fallback_and_bounds_that_hold"},
    "mute": {"a_table_is_well_formed"},
}
FAILED = re.compile(r":[FE]:every stage:(\w+):(\d+): (.*)")


def failures(program):
    """{(toy, test): what was said}."""
    done = subprocess.run([program], capture_output=True, text=True, check=False,
                          env={**os.environ, "CK_VERBOSITY": "normal", "MILLRACE_LOG_LEVEL": "error"})
    found = {(TOYS[int(match.group(2))], match.group(1)): match.group(3) for match in FAILED.finditer(done.stdout)}
    if done.returncode == 0 or not found:
        print(f"{program} has found nothing:\n{done.stdout}{done.stderr}")
        sys.exit(1)
    return found


def main():
    found = {}
    for program in sys.argv[1:]:
        found.update(failures(program))
    wrong = 0
    for toy, tests in FOUND_BY.items():
        got = {test for name, test in found if name == toy}
        for test in sorted(got):
            print(f"{toy}: {test}: {found[toy, test]}")
        for test in sorted(tests - got):
            print(f"WRONG: {toy} passes {test}")
            wrong += 1
        if not tests and got:
            print(f"WRONG: {toy} has no mistake")
            wrong += 1
    print(f"{len(FOUND_BY)} toys, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
