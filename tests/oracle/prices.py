"""The price-aggregate stage: candles of every interval and a rolling 24 hour ticker from trades.

Source: domain reference, 1.6: windows by event time in UTC, closed `grace` after their end, late trades revise
the candle (revision + 1), after `retention` its state goes; ids that are not above the last one are copies;
VWAP from two exact sums, divided half-even; 24 hours in whole minutes, the current one included. docs/DOMAIN.md,
"Rules: price-aggregate": best bid and ask of the book, VWAP of five minutes.
"""

import bisect

from amounts import (DAY_US, MINUTE_US, ONE, OutOfRange, atoms, half_even, in_range, micros, text_of, time_of)
from records import text_bytes
from stage import Poison, Stage, key_is

SYMBOL_BYTES_MAX = 64
EVENT_US_MAX = 253402300799999999  # the last microsecond of the year 9999
MINUTES_OF_DAY = DAY_US // MINUTE_US
NEVER_US = 2 ** 63 - 1
SIGN = 1 << 63
UNITS = (("d", DAY_US), ("h", 60 * MINUTE_US), ("m", MINUTE_US), ("s", 10 ** 6),
         ("ms", 1000), ("us", 1))
VOLUMES = ("baseVolume", "quoteVolume", "takerBuyBase", "takerBuyQuote")


def interval_name(us):
    """The shortest text of a duration: 90000000 us is 1m30s."""
    name = ""
    for unit, size in UNITS:
        if us >= size:
            name += f"{us // size}{unit}"
            us %= size
    return name


def number_key(value):
    return (value + SIGN).to_bytes(8, "big")


def text_key(*parts):
    """A composite key of a store as text."""
    return b"".join(part if isinstance(part, bytes) else text_bytes(part) + b"\0" for part in parts).decode("latin-1")


def vwap_of(quote, base):
    return ratio(quote * ONE, base) if base > 0 else None


def ratio(numerator, denominator):
    """Half-even; None when it is out of range."""
    try:
        return text_of(half_even(numerator, denominator))
    except OutOfRange:
        return None


class Candle:
    """One window of one interval. Open is the trade with the lowest id, close the one with the highest."""

    def __init__(self, open_us):
        self.open_us = open_us
        self.trades = 0
        self.closed = False
        self.revision = 0
        self.volumes = [0, 0, 0, 0]
        self.ts_us = self.open = self.high = self.low = self.close = self.first_id = self.last_id = 0

    @classmethod
    def of_row(cls, row):
        candle = cls(micros(row["openTs"]))
        candle.ts_us = micros(row["ts"])
        for name in ("open", "high", "low", "close"):
            setattr(candle, name, atoms(row[name]))
        candle.volumes = [atoms(row[name]) for name in VOLUMES]
        candle.trades, candle.closed, candle.revision = row["trades"], row["closed"], row["revision"]
        candle.first_id, candle.last_id = row["firstTradeId"], row["lastTradeId"]
        return candle

    def row(self):
        return {
            "openTs": time_of(self.open_us), "ts": time_of(self.ts_us), "open": text_of(self.open),
            "high": text_of(self.high), "low": text_of(self.low), "close": text_of(self.close),
            **{name: text_of(value) for name, value in zip(VOLUMES, self.volumes)}, "trades": self.trades,
            "firstTradeId": self.first_id, "lastTradeId": self.last_id, "closed": self.closed,
            "revision": self.revision}

    def add(self, trade):
        added = [trade.qty, trade.quote, trade.qty if trade.buy else 0, trade.quote if trade.buy else 0]
        try:
            self.volumes = [in_range(a + b) for a, b in zip(self.volumes, added)]
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "volume of a candle is out of range") from None
        first = self.trades == 0
        if first or trade.id < self.first_id:
            self.open, self.first_id = trade.price, trade.id
        if first or trade.id > self.last_id:
            self.close, self.last_id = trade.price, trade.id
        self.high = trade.price if first else max(self.high, trade.price)
        self.low = trade.price if first else min(self.low, trade.price)
        self.ts_us = trade.ts_us if first else max(self.ts_us, trade.ts_us)
        self.trades += 1
        self.revision += self.closed


class Trade:
    """A trade's record in numbers."""

    def __init__(self, value):
        self.symbol = value["symbol"]
        self.id = value["tradeId"]
        self.price, self.qty, self.quote = (atoms(value[name]) for name in ("price", "qty", "quoteQty"))
        self.ts_us = micros(value["ts"])
        self.buy = value["takerSide"] == "BUY"


class Symbol:
    """What is known of a symbol: windows by interval, minutes of the last 24 hours, the newest trade."""

    def __init__(self, name, intervals):
        self.name = name
        self.last_id = 0
        self.last_us = 0
        self.last = 0
        self.best = (None, None)  # bid and ask of the book, as texts
        self.book_seq = 0
        self.windows = [{} for _ in intervals]  # start -> Candle
        self.starts = [[] for _ in intervals]  # ascending
        self.minutes = {}  # minute -> row of the store, with amounts as numbers
        self.order = []  # minutes ascending
        self.totals = {"baseVolume": 0, "quoteVolume": 0, "trades": 0}
        self.high = self.low = 0  # of the minutes, while there are any

    def count_minutes(self):
        """Totals and extremes of the minutes there are."""
        rows = self.minutes.values()
        self.totals = {name: sum(row[name] for row in rows) for name in self.totals}
        self.high = max((row["high"] for row in rows), default=0)
        self.low = min((row["low"] for row in rows), default=0)

    def add_to_totals(self, trade):
        first = not self.order
        self.high = trade.price if first else max(self.high, trade.price)
        self.low = trade.price if first else min(self.low, trade.price)
        self.totals["baseVolume"] += trade.qty
        self.totals["quoteVolume"] += trade.quote
        self.totals["trades"] += 1

    def ticker_due_us(self):
        return (self.order[0] + MINUTES_OF_DAY) * MINUTE_US if self.order else NEVER_US


class Prices(Stage):
    """Time is the largest event time seen, of trades and of the timer; it moves all symbols of the task."""

    STORES = ("candles", "minutes", "prices")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.intervals = self.options["intervals"]
        self.names = [interval_name(us) for us in self.intervals]
        self.grace_us = self.options["grace"]
        self.retention_us = self.options["retention"]
        self.symbols = {}
        self.now_us = -SIGN
        self.loaded_us = -SIGN
        self.due_us = -SIGN
        self.half_way = False

    # ---- time ------------------------------------------------------------------------------------

    def punctuate(self, timer, now_us):
        self.half_way = True
        self.advance(now_us)
        self.half_way = False

    def close_us(self, index, start_us):
        return start_us + self.intervals[index] + self.grace_us

    def first_minute(self):
        return self.now_us // MINUTE_US - (MINUTES_OF_DAY - 1)

    def advance(self, now_us):
        """Closes, forgets, and shows tickers that lost minutes. The earliest next occasion is kept.

        Time is the record's or the timer's, at least the task's stream time before this record, which
        survives a restart, and what the stores told when they were read.
        """
        self.now_us = max(now_us, self.task.stream_time_us, self.loaded_us)
        if self.now_us < self.due_us:
            return
        self.due_us = NEVER_US
        for symbol in sorted(self.symbols.values(), key=lambda symbol: text_bytes(symbol.name)):
            if self.drop_minutes(symbol):
                self.emit_ticker(symbol, self.now_us)
            for index in range(len(self.intervals)):
                self.close_windows(symbol, index)
            self.note_due(symbol)

    def note_due(self, symbol):
        due = [symbol.ticker_due_us(), self.due_us]
        for index, starts in enumerate(symbol.starts):
            windows = symbol.windows[index]
            due += [self.close_us(index, start) for start in starts if not windows[start].closed][:1]
            due += [self.close_us(index, start) + self.retention_us for start in starts[:1] if windows[start].closed]
        self.due_us = min(due)

    def close_windows(self, symbol, index):
        windows, starts = symbol.windows[index], symbol.starts[index]
        for start in starts:
            if not windows[start].closed and self.close_us(index, start) <= self.now_us:
                windows[start].closed = True
                self.put_candle(symbol, index, windows[start])
        while starts and self.close_us(index, starts[0]) + self.retention_us <= self.now_us:
            start = starts.pop(0)
            del windows[start]
            self.stores["candles"].delete(text_key(symbol.name, self.names[index], number_key(start)))

    # ---- trades ----------------------------------------------------------------------------------

    def process(self, port, record):
        if port == "book":
            self.book(record)
        else:
            self.trade(record)

    def book(self, record):
        """The best prices of a newer snapshot, when they differ; what cannot be a book is ignored."""
        value = record.value
        name = value["symbol"]
        levels = [side[0] for side in (value["bids"], value["asks"]) if side]
        if (not self.is_symbol(name, record) or not 0 <= micros(value["ts"]) <= EVENT_US_MAX
                or any(atoms(level["price"]) <= 0 or atoms(level["qty"]) <= 0 for level in levels)):
            return
        best = tuple(side[0]["price"] if side else None for side in (value["bids"], value["asks"]))
        symbol = self.symbols.get(name)
        if value["lastSeq"] <= (symbol.book_seq if symbol else 0) or best == (symbol.best if symbol else (None, None)):
            return
        self.half_way = True
        self.advance(micros(value["ts"]))
        if symbol is None:
            symbol = self.symbols[name] = Symbol(name, self.intervals)
        symbol.best, symbol.book_seq = best, value["lastSeq"]
        self.put_symbol(symbol)
        if symbol.last_id > 0:
            self.emit_ticker(symbol, micros(value["ts"]))
        self.half_way = False

    @staticmethod
    def is_symbol(name, record):
        return 0 < len(text_bytes(name)) <= SYMBOL_BYTES_MAX and "\0" not in name and key_is(record.key, name)

    def put_symbol(self, symbol):
        self.stores["prices"].put(text_key(symbol.name), {
            "lastTradeId": symbol.last_id, "lastTs": time_of(symbol.last_us), "last": text_of(symbol.last),
            "bestBid": symbol.best[0], "bestAsk": symbol.best[1], "bookSeq": symbol.book_seq})

    def trade(self, record):
        value = record.value
        name = value["symbol"]
        if not self.is_symbol(name, record):
            raise Poison("MALFORMED", "symbol of a trade is not its key")
        trade = Trade(value)
        if trade.id <= 0 or trade.price <= 0 or trade.qty <= 0 or trade.quote < 0:
            raise Poison("MALFORMED", "trade without id, price or quantity")
        if not 0 <= trade.ts_us <= EVENT_US_MAX:
            raise Poison("OUT_OF_RANGE", "time of a trade is not between 1970 and 9999")
        symbol = self.symbols.get(name)
        if symbol is not None and trade.id <= symbol.last_id:
            return  # a copy
        self.half_way = True
        self.advance(trade.ts_us)
        if symbol is None:
            symbol = self.symbols[name] = Symbol(name, self.intervals)
            symbol.last_us = trade.ts_us
        for index in range(len(self.intervals)):
            self.add_to_window(symbol, index, trade)
        self.add_to_minute(symbol, trade)
        symbol.last_id, symbol.last = trade.id, trade.price
        symbol.last_us = max(symbol.last_us, trade.ts_us)
        self.put_symbol(symbol)
        self.emit_ticker(symbol, trade.ts_us)
        self.note_due(symbol)
        self.half_way = False

    def add_to_window(self, symbol, index, trade):
        start = trade.ts_us - trade.ts_us % self.intervals[index]
        windows = symbol.windows[index]
        if self.close_us(index, start) + self.retention_us <= self.now_us:
            return  # too late: counted by the stage, not shown
        candle = windows.get(start)
        known = candle is not None
        if not known:
            candle = Candle(start)
        candle.add(trade)
        if not known:
            candle.closed = self.close_us(index, start) <= self.now_us
            windows[start] = candle
            bisect.insort(symbol.starts[index], start)
        self.put_candle(symbol, index, candle)

    def put_candle(self, symbol, index, candle):
        row = candle.row()
        name = self.names[index]
        self.stores["candles"].put(text_key(symbol.name, name, number_key(candle.open_us)), row)
        self.emit("candles", f"{symbol.name}:{name}:{candle.open_us}", row | {
            "symbol": symbol.name, "interval": name,
            "closeTs": time_of(candle.open_us + self.intervals[index] - 1),
            "vwap": vwap_of(candle.volumes[1], candle.volumes[0]), "synthetic": False}, symbol.name)

    # ---- the last 24 hours -----------------------------------------------------------------------

    def add_to_minute(self, symbol, trade):
        minute = trade.ts_us // MINUTE_US
        if minute < self.first_minute():
            return
        try:
            in_range(symbol.totals["baseVolume"] + trade.qty)
            in_range(symbol.totals["quoteVolume"] + trade.quote)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "24 h volume overflows") from None
        symbol.add_to_totals(trade)
        row = symbol.minutes.get(minute)
        if row is None:
            row = {"open": trade.price, "high": trade.price, "low": trade.price, "baseVolume": 0,
                   "quoteVolume": 0, "trades": 0}
            bisect.insort(symbol.order, minute)
        row = row | {
            "baseVolume": row["baseVolume"] + trade.qty, "quoteVolume": row["quoteVolume"] + trade.quote,
            "high": max(row["high"], trade.price), "low": min(row["low"], trade.price), "close": trade.price,
            "trades": row["trades"] + 1}
        symbol.minutes[minute] = row
        self.stores["minutes"].put(text_key(symbol.name, number_key(minute)), {
            name: value if name == "trades" else text_of(value) for name, value in row.items()})

    def drop_minutes(self, symbol):
        """True when minutes left the 24 hours."""
        first = self.first_minute()
        gone = [minute for minute in symbol.order if minute < first]
        for minute in gone:
            del symbol.minutes[minute]
            self.stores["minutes"].delete(text_key(symbol.name, number_key(minute)))
        del symbol.order[:len(gone)]
        if gone:
            symbol.count_minutes()
        return bool(gone)

    def emit_ticker(self, symbol, ts_us):
        """Nothing traded for a day: the last price stands still."""
        quiet = not symbol.order
        first = symbol.last if quiet else symbol.minutes[symbol.order[0]]["open"]
        change = symbol.last - first
        base, quote, trades = symbol.totals.values()
        self.emit("tickers", symbol.name, {
            "symbol": symbol.name, "ts": time_of(ts_us), "openTs": time_of(self.first_minute() * MINUTE_US),
            "closeTs": time_of(self.now_us), "open": text_of(first),
            "high": text_of(symbol.last if quiet else symbol.high),
            "low": text_of(symbol.last if quiet else symbol.low),
            "last": text_of(symbol.last), "change": text_of(change),
            "changePercent": ratio(change * 100 * ONE, first) if first > 0 else None,
            "baseVolume": text_of(base), "quoteVolume": text_of(quote), "vwap": vwap_of(quote, base),
            "trades": trades, "bestBid": symbol.best[0], "bestAsk": symbol.best[1], "lastTradeId": symbol.last_id,
            "vwap5m": self.recent_vwap(symbol)})

    def recent_vwap(self, symbol):
        """Of the current minute and the four before it."""
        first = self.now_us // MINUTE_US - 4
        rows = [row for minute, row in symbol.minutes.items() if minute >= first]
        return vwap_of(sum(row["quoteVolume"] for row in rows), sum(row["baseVolume"] for row in rows))

    # ---- after an undo ---------------------------------------------------------------------------

    def undone(self, any_store):
        """Memory is made equal to the stores; time goes back to what they tell of it."""
        if any_store or self.half_way:
            self.half_way = False
            self.reload()

    def reload(self):
        self.symbols.clear()
        self.due_us = -SIGN
        self.loaded_us = self.stored_time()
        for key, row in self.stores["prices"].items():
            symbol = self.symbols[key] = Symbol(key[:-1].encode("latin-1").decode(), self.intervals)
            symbol.last_id, symbol.last_us, symbol.last = row["lastTradeId"], micros(row["lastTs"]), atoms(row["last"])
            symbol.best, symbol.book_seq = (row["bestBid"], row["bestAsk"]), row["bookSeq"]
        for key, row in self.stores["candles"].items():
            name, interval, _ = key.split("\0", 2)
            if interval in self.names:
                index = self.names.index(interval)
                candle = Candle.of_row(row)
                symbol = self.symbols[name + "\0"]
                symbol.windows[index][candle.open_us] = candle
                bisect.insort(symbol.starts[index], candle.open_us)
        for key, row in self.stores["minutes"].items():
            name, number = key.split("\0", 1)
            minute = int.from_bytes(number.encode("latin-1"), "big") - SIGN
            symbol = self.symbols[name + "\0"]
            symbol.minutes[minute] = {n: v if n == "trades" else atoms(v) for n, v in row.items()}
            bisect.insort(symbol.order, minute)
        for symbol in self.symbols.values():
            symbol.count_minutes()
        self.symbols = {symbol.name: symbol for symbol in self.symbols.values()}

    def stored_time(self):
        """The latest time that the stores tell of: of trades, and of windows that were closed."""
        times = [micros(row["lastTs"]) for _, row in self.stores["prices"].items()]
        for key, row in self.stores["candles"].items():
            interval = key.split("\0", 2)[1]
            if row["closed"] and interval in self.names:
                times.append(self.close_us(self.names.index(interval), micros(row["openTs"])))
        return max(times, default=-SIGN)


STAGE = Prices
