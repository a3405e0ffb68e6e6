"""The hand-made cases of CoinTossX, those that are plain price-time, through the order book.

usage: cointossx.py MATCH_CONFORMANCE
A case has the book before (Init), one order, replacement or cancel (Input), the trades and the book after
(Trades, Output). Type 1 is market, 2 limit, 3 stop, 4 stop-limit, 5 hidden. Trades are compared in order, by
price and quantity; books as sets of (side, id, quantity, price). What is not run is listed with its reason:
hidden orders, minimum execution sizes and call auctions are JSE rules that Millrace does not have.
Exit code 77: the data folder is not there.
"""

import collections
import csv
import subprocess
import sys

import data

MARKET, LIMIT, STOP, STOP_LIMIT, HIDDEN = "12345"
CEILING = 10**18 - 1

Case = collections.namedtuple("Case", "group number about init order trades output")

# Groups whose every case is of a kind that is skipped.
NO_GROUP = {
    "auction": "call auctions: Millrace has continuous trading only",
    "filterAndUncross": "call auctions with hidden orders: Millrace has continuous trading only",
    "uncross/hiddenOrder": "hidden orders and minimum execution sizes",
}
ACTION = {"replaceOrder": "A", "cancelOrder": "C"}


def rows(path):
    if path is None:
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if any((value or "").strip() for value in row.values()
                                                           if isinstance(value, str))]


def cases(root, group):
    folder = root / group
    files = {path.name.lower(): path for path in folder.iterdir()}
    master = next(path for name, path in files.items() if name.endswith("master.csv"))
    for row in rows(master):
        number = row["TestNumber"]
        part = {name: rows(files.get(f"test{number}_{name}.csv")) for name in ("init", "input", "output", "trades")}
        if row["Description"]:
            yield Case(group, number, row["Description"].strip(), part["init"], part["input"], part["trades"],
                       part["output"])


def reason_to_skip(case):
    if case.group in NO_GROUP:
        return NO_GROUP[case.group]
    types = {row["Type"] for row in case.init + case.order + case.output}
    if HIDDEN in types:
        return "hidden orders and minimum execution sizes"
    if types & {STOP, STOP_LIMIT}:
        return "stops wait outside the book: the engine's tests and the oracle's show them"
    if any(row.get("TimeInForce", "0") not in ("", "0", None) for row in case.order):
        return "replaces only the expiry time, which the book does not know and AMEND does not take"
    return None


def command(seq, row, msg):
    price = row["Price"] if row["Type"] == LIMIT else str(CEILING if row["Side"] == "B" else 1)
    ioc = 1 if row["Type"] == MARKET else 0
    return f"{seq},{msg},{'B' if row['Side'] == 'B' else 'S'},{ioc},{row['Size'] or 0},{row['OrderID']},{price}"


def run(program, case, *flags):
    action = ACTION.get(case.group, "N")
    lines = [command(seq, row, "N") for seq, row in enumerate(sorted(case.init, key=lambda row: row["Time"]))]
    lines += [command(len(lines) + seq, row, action) for seq, row in enumerate(case.order)]
    done = subprocess.run([program, "--audit", *flags, "-"], input="\n".join(lines) + "\n", capture_output=True,
                          text=True, check=True)
    return done.stdout.splitlines()


def check(program, case):
    """What is wrong, or None."""
    trades = [tuple(line.split(",")[2:4]) for line in run(program, case) if line.startswith("1,")]
    expected = [(row["Price"], row["Quantity"]) for row in case.trades if row["Price"]]
    if trades != expected:
        return f"trades {trades}, should be {expected}"
    rests = {tuple(line.split(",")) for line in run(program, case, "--book")}
    should = {("B" if row["Side"] == "B" else "S", row["OrderID"], row["Price"], row["Size"]) for row in case.output}
    return None if rests == should else f"book {sorted(rests)}, should be {sorted(should)}"


def main(program):
    root = data.folder("matching-conformance", "cointossx", "crossing")
    groups = ["uncross/limitOrder", "uncross/marketOrder", "cancelOrder", "replaceOrder", "uncross/stopOrder",
              "uncross/stopLimitOrder", "uncross/hiddenOrder", "filterAndUncross", "auction"]
    skipped, passed, wrong = collections.defaultdict(list), collections.Counter(), 0
    for case in (case for group in groups for case in cases(root, group)):
        reason = reason_to_skip(case)
        if reason:
            skipped[reason].append(f"{case.group} {case.number}")
            continue
        problem = check(program, case)
        passed[case.group] += problem is None
        if problem:
            wrong += 1
            print(f"{case.group} {case.number} ({case.about}): {problem}")
    for reason, names in skipped.items():
        print(f"not run, {reason}: {', '.join(names)}")
    print(f"passed: {', '.join(f'{group} {count}' for group, count in passed.items())}; {wrong} wrong, "
          f"{sum(map(len, skipped.values()))} not run")
    return 1 if wrong or sum(passed.values()) < 20 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
