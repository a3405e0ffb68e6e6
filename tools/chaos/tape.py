"""The trades that are played: the recorded ones, again and again, and made-up ones beside them.

Why:  the recording has two symbols, which are two partitions of six, lasts eight seconds at the rate of
      a run, and has one symbol silent for four of them. A fault in a partition without traffic shows
      nothing, and a silence of the tape would be taken for one of the pipeline.
How:  the recorded trades are repeated with later times and higher ids. Beside them trade further
      symbols without a pause, named so that every partition of the topics by symbol has one; their prices
      walk at random within what risk's collar allows. All of it is a tape like any other, so `millrace
      verify` compares every single trade.
Thread: any. Deterministic: the same arguments write the same files.
"""

import csv
import gzip
import json
import random

HEADER = "market,symbol,trade_id,price,qty,trade_time_ms,is_buyer_maker\n"
WALK_PERCENT = 8  # the collar is 10 % around the middle of the range
TICK = 100        # prices in hundredths


def murmur2(data):
    """Kafka's default partitioner, as the program has it."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at:at + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def partition_of(key, partitions):
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def made_up_symbols(partitions):
    """Names, one for each partition."""
    empty = set(range(partitions))
    names, number = [], 0
    while empty:
        name = f"FIRE{number}USDT"
        number += 1
        if partition_of(name, partitions) in empty:
            empty.remove(partition_of(name, partitions))
            names.append(name)
    return names


def read_recording(path):
    """[(symbol, price, qty, ms, buyer is maker)] of the spot market, in the file's order."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        return [(row["symbol"], row["price"], row["qty"], int(row["trade_time_ms"]), row["is_buyer_maker"])
                for row in csv.DictReader(file) if row["market"] == "spot"]


class Walk:
    """Trades of a made-up symbol."""

    def __init__(self, name, random_of):
        self.name = name
        self.random = random_of
        self.middle = self.random.randrange(20 * TICK, 5000 * TICK)
        self.reach = self.middle * WALK_PERCENT // 100
        self.price = self.middle

    def next(self):
        step = max(1, self.reach // 200)
        self.price += self.random.randint(-step, step)
        self.price = min(max(self.price, self.middle - self.reach), self.middle + self.reach)
        return (f"{self.price // TICK}.{self.price % TICK:02}", f"{self.random.randint(1, 999) / 1000:.3f}",
                self.random.choice(("true", "false")))


def instrument_lines(known, names):
    """Of the recorded symbols as they are, of the made-up ones after the pattern of the first."""
    by_name = {json.loads(line)["symbol"]: line for line in known.splitlines() if line.strip()}
    pattern = json.loads(next(iter(by_name.values())))
    lines = []
    for name in names:
        if name in by_name:
            lines.append(by_name[name])
        else:
            lines.append(json.dumps({**pattern, "symbol": name, "baseAsset": name.removesuffix("USDT"),
                                     "tickSize": "0.01", "lotSize": "0.001", "minQty": "0.001"}))
    return "".join(f"{line}\n" for line in lines)


def write(tape_file, instruments_file, recording, instruments, trades, partitions, seed):
    """Writes both files; returns the names of the symbols."""
    recorded = read_recording(recording)
    real = sorted({row[0] for row in recorded})
    walks = [Walk(name, random.Random(f"{seed} {name}")) for name in made_up_symbols(partitions)]
    names = real + [walk.name for walk in walks]
    instruments_file.write_text(instrument_lines(instruments.read_text(), names))
    span = recorded[-1][3] - recorded[0][3] + 1000
    ids = dict.fromkeys(names, 0)
    share = len(real)

    def line(file, name, price, qty, ms, maker):
        ids[name] += 1
        file.write(f"spot,{name},{ids[name]},{price},{qty},{ms},{maker}\n")

    with open(tape_file, "w") as file:
        file.write(HEADER)
        for number in range(trades):
            loop, at = divmod(number, len(recorded))
            name, price, qty, ms, maker = recorded[at]
            ms += loop * span
            line(file, name, price, qty, ms, maker)
            if walks and number % share == 0:
                for walk in walks:
                    price, qty, maker = walk.next()
                    line(file, walk.name, price, qty, ms, maker)
            if sum(ids.values()) >= trades:
                break
    return names
