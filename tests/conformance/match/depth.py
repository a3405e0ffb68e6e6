"""The recorded depth of a real market as orders and cancels through the book: the same levels after each update.

usage: depth.py MATCH_CONFORMANCE [--updates N]
How: the recording begins with a snapshot, then each update tells the new quantity of the levels that changed in
     100 ms. A level that has grown gets one more order, one that has shrunk loses its newest ones, the last of
     them perhaps in part. An update is the sum of what happened, not a history: its lines have no order, and
     taken one by one they may cross for a moment. So what goes is taken first, on both sides, then what comes;
     as no recorded book is crossed, nothing may trade then. After each update the number of levels, the best
     prices and a sum over all levels must be those of the recording, and the book checks itself.
Exit code 77: the data folder is not there.
"""

import argparse
import gzip
import itertools
import json
import subprocess
import sys

import data

MASK = (1 << 64) - 1


def digits(text, places):
    """A decimal text as an integer of the last of so many places."""
    whole, _, part = text.partition(".")
    if part[places:].strip("0"):
        raise SystemExit(f"{text} has more than {places} places")
    return int(whole + part[:places].ljust(places, "0"))


def mix(side, price, qty):
    """The part of a level in the sum: as match_conformance.c has it."""
    value = (price * 0x9E3779B97F4A7C15 ^ qty + side) * 0xD6E8FEB86659FD93 & MASK
    return value ^ value >> 32


class Recording:
    """What the feed says the levels are, and the orders that make them so."""

    def __init__(self):
        self.levels = ({}, {})  # price -> [(id, qty), ...], bids and asks
        self.sum = 0
        self.seq = 0
        self.lines = []

    def say(self, msg, side, qty, id_, price):
        self.lines.append(f"{self.seq},{msg},{'BS'[side]},0,{qty},{id_},{price}")
        self.seq += 1

    def change(self, side, price, qty):
        orders = self.levels[side].setdefault(price, [])
        has = sum(order[1] for order in orders)
        if orders:
            self.sum -= mix(side, price, has)
        if qty > has:
            orders.append((self.seq, qty - has))
            self.say("N", side, qty - has, self.seq, price)
        while qty < has:
            id_, newest = orders.pop()
            if has - newest >= qty:
                self.say("C", side, 0, id_, price)
                has -= newest
                continue
            orders.append((id_, newest - (has - qty)))
            self.say("A", side, newest - (has - qty), id_, price)
            has = qty
        if orders:
            self.sum += mix(side, price, qty)
        else:
            del self.levels[side][price]

    def update(self, bids, asks):
        """All changes of an update, what goes first; then what the levels must be."""
        told = [(side, digits(price, 2), digits(qty, 8))
                for side, rows in ((0, bids), (1, asks)) for price, qty in rows]
        has = {(side, price): sum(order[1] for order in self.levels[side].get(price, ())) for side, price, _ in told}
        for side, price, qty in sorted(told, key=lambda row: row[2] >= has[row[:2]]):
            self.change(side, price, qty)
        self.lines.append("levels")
        bid, ask = max(self.levels[0], default=0), min(self.levels[1], default=0)
        if bid and ask and bid >= ask:
            raise SystemExit(f"the recording itself is crossed: {bid} and {ask}")
        return f"levels,{len(self.levels[0])},{len(self.levels[1])},{bid},{ask},{self.sum & MASK}"


def updates(paths):
    """(bids, asks) of the snapshot, then of each update that follows it without a gap."""
    last = None
    waiting = []
    for line in itertools.chain.from_iterable(gzip.open(path, "rt") for path in paths):
        message = json.loads(line[line.index(" ") + 1:])
        if "lastUpdateId" in message:
            last = message["lastUpdateId"]
            yield message["bids"], message["asks"]
            news, waiting = waiting, []
        elif "@depth" in message["stream"]:
            news = [message["data"]]
        else:
            continue
        if last is None:
            waiting += news
            continue
        for update in news:
            if update["u"] <= last:
                continue
            if update["U"] > last + 1:
                raise SystemExit(f"the recording has a gap before update {update['U']}")
            last = update["u"]
            yield update["b"], update["a"]


def replay(program, name, paths, limit):
    recording = Recording()
    expected = [recording.update(bids, asks) for bids, asks in itertools.islice(updates(paths), limit)]
    done = subprocess.run([program, "-"], input="\n".join(recording.lines) + "\n", capture_output=True, text=True,
                          check=False)
    said = done.stdout.splitlines()
    given = [line for line in said if line.startswith("levels,")]
    trades = sum(line.startswith("1,") for line in said)
    refused = sum(line[0] in "456" for line in said)
    wrong = next((number for number, pair in enumerate(itertools.zip_longest(given, expected)) if pair[0] != pair[1]),
                 None)
    if wrong is not None:
        print(f"{name}: after update {wrong} the book says {given[wrong:wrong + 1]}, the recording "
              f"{expected[wrong:wrong + 1]}")
    print(f"{name}: {len(expected)} updates, {recording.seq} commands, {trades} trades, {refused} refused, "
          f"{len(recording.levels[0])} and {len(recording.levels[1])} levels at the end"
          + (f": {done.stderr.strip()}" if done.stderr else ""))
    return wrong is not None or trades > 0 or refused > 0 or done.returncode != 0 or len(expected) < 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--updates", type=int, default=None, help="of each symbol; all")
    options = parser.parse_args()
    root = data.folder("binance-2024-08-08")
    wrong = 0
    for symbol in ("btcusdt", "ethusdt"):
        wrong += replay(options.program, symbol, sorted(root.glob(f"spot_{symbol}_*.jsonl.gz")), options.updates)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
