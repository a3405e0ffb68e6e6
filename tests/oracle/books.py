"""Scripts for oracle_play on settle and price-aggregate alone: reports, transfers, trades and books as no engine
would make them.

Why:  in the whole pipeline risk and fill stand before the ledger and let little through that is odd. Here its
      inputs are topics from outside, so that amendments, prevented trades, orders by amount, rebates, lots,
      transfers in every order and plain contradictions all arrive.
How:  seeded. Orders whose reports mostly follow each other, with copies, reports out of their order and fields
      that are wrong in between; trades that come late, doubled and at the turn of windows; books with them.
"""

import json
import random

from amounts import ONE, atoms, text_of
from storm import FAULTS, GROUPS

FIRST_US = 1723075200000000 - 90 * 10 ** 6  # a minute and a half before a day turns
DAY_US = 86400 * 10 ** 6
USERS = ["ann", "bob", "eve"]
SYMBOLS = {"BTCUSDT": ("BTC", "USDT"), "ETHBTC": ("ETH", "BTC"), "\u00e9USDT": ("\u00e9", "USDT")}

TOPOLOGY = """
application: books
kafka: {bootstrap.servers: none}
registry: {url: "http://none"}
defaults: {partitions: 2, replication: 1, commit-records: 20}
topics:
  executions:        {key: userId, value: ExecutionReport}
  accounts.approved: {key: userId, value: AccountCommand}
  settled:           {key: userId, value: ExecutionReport}
  ledger:            {key: userId, value: LedgerEntry}
  positions:         {key: "userId, symbol", value: Position, cleanup: compact}
  balances:          {key: "userId, asset", value: Balance, cleanup: compact}
  trades:            {key: symbol, value: Trade}
  book.snapshots:    {key: symbol, value: BookSnapshot, cleanup: compact}
  candles:           {key: symbol, value: Candle}
  tickers:           {key: symbol, value: Ticker, cleanup: compact}
stages:
  settle:
    type: settle
    in:  {executions: executions, accounts: accounts.approved}
    out: {settled: settled, ledger: ledger, positions: positions, balances: balances}
    options: {cost-basis: @BASIS@, lots-max: @LOTS@}
  price-aggregate:
    type: price-aggregate
    in:  {trades: trades, book: book.snapshots}
    out: {candles: candles, tickers: tickers}
    options: {intervals: [1s, 1m, 5m, 15m, 1h, 4h, 1d], grace: 2s, retention: 1h}
groups:
  account: {stages: [settle], workers: @WORKERS@}
  market:  {stages: [price-aggregate], workers: @WORKERS@}
"""


def topology(seed, workers):
    basis, lots = ("average", 32) if seed % 3 == 0 else ("fifo", 2 if seed % 3 == 1 else 32)
    return TOPOLOGY.replace("@BASIS@", basis).replace("@LOTS@", str(lots)).replace("@WORKERS@", str(workers))


class Books:
    """One script in the making."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.now_us = FIRST_US
        self.orders = {}  # id -> the last report
        self.sent = []
        self.serial = self.engine_seq = self.book_seq = self.trade_id = 0
        self.transfers = []

    def often(self, share):
        return self.random.random() < share

    def one_of(self, *choices):
        return self.random.choice(choices)

    def name(self, prefix):
        self.serial += 1
        return f"{prefix}{self.serial}"

    def units(self, most, step=ONE // 100):
        return text_of(self.random.randint(0, int(most * ONE // step)) * step)

    def send(self, topic, key, value):
        line = {"send": topic, "key": key, "value": value}
        self.lines.append(line)
        self.sent.append(line)

    # ---- orders ----------------------------------------------------------------------------------

    def report(self, before=None, **fields):
        self.engine_seq += self.random.randrange(1, 3)
        base = before or self.begin()
        report = base | {
            "execId": self.name("x"), "ts": self.now_us, "engineSeq": self.engine_seq, "lastQty": None, "lastPx": None,
            "feeAmount": None, "tradeId": None, "version": base["version"] + 1} | fields
        self.orders[report["orderId"]] = report
        if self.often(0.08):
            report = report | self.flaw()
        self.send("executions", report["userId"], report)

    def begin(self):
        symbol = self.one_of(*SYMBOLS)
        order_id = self.name("o") if self.often(0.95) or not self.orders else self.one_of(*self.orders)
        return {
            "commandId": "c", "traceId": self.one_of(None, "trace"), "orderId": order_id,
            "userId": self.one_of(*USERS), "symbol": symbol, "side": self.one_of("BUY", "SELL"), "ordType": "LIMIT",
            "tif": "GTC", "cumQty": "0", "leavesQty": "0", "cumQuote": "0", "preventedQty": "0", "cancelledQty": "0",
            "baseAsset": SYMBOLS[symbol][0], "quoteAsset": SYMBOLS[symbol][1], "feeAsset": SYMBOLS[symbol][1],
            "status": "ACCEPTED", "execType": "NEW", "version": 0, "holdAfter": self.units(50)}

    def flaw(self):
        return self.one_of(
            {"version": 1}, {"version": self.random.randrange(0, 9)}, {"holdAfter": None}, {"holdAfter": "-1"},
            {"holdAfter": self.units(500)}, {"baseAsset": None}, {"quoteAsset": "BTC"}, {"quoteAsset": ""},
            {"orderId": ""}, {"userId": ""}, {"symbol": "S" * 600}, {"lastQty": "0"}, {"feeAmount": "-3"},
            {"lastPx": "0.000000000000000001"}, {"engineSeq": 0}, {"engineSeq": 1}, {"status": "FILLED"},
            {"execType": self.one_of("NEW", "TRADE", "CANCELED", "REPLACED", "TRIGGERED", "SETTLED", "REJECTED")},
            {"ts": self.now_us - 3 * DAY_US}, {"feeAmount": "99999999999999999999.999999999999999999"})

    def order(self):
        if not self.orders or self.often(0.3):
            self.report()
            return
        last = self.orders[self.one_of(*list(self.orders)[-12:])]
        hold = atoms(last["holdAfter"] or "0") // ONE
        kind = self.random.random()
        if kind < 0.6:
            filled = self.often(0.25)
            # Prices that repeat, so that lots join, and some that do not divide.
            self.report(last, execType="TRADE", lastQty=self.units(2, ONE // 7), lastPx=self.one_of("1", "2", "3"),
                        feeAmount=self.one_of("0", "0.01", "-0.02", "0.000000000000000007"), cumQty="1",
                        status="FILLED" if filled else "ACCEPTED",
                        holdAfter="0" if filled else self.units(max(hold, 1)))
        elif kind < 0.75:
            self.report(last, execType="REPLACED", holdAfter=self.units(60))
        elif kind < 0.82:
            self.report(last, execType="TRADE_PREVENTION", holdAfter=self.units(max(hold, 1)))
        elif kind < 0.86:
            self.report(last, execType="TRIGGERED")
        else:
            self.report(last, execType="CANCELED", status="CANCELLED", holdAfter="0", cancelReason="USER")

    # ---- transfers -------------------------------------------------------------------------------

    def transfer(self):
        first = self.often(0.55) or not self.transfers
        user, target = (self.one_of(*USERS), None) if first else self.one_of(*self.transfers[-15:])
        action = (self.one_of("DEPOSIT", "DEPOSIT", "WITHDRAW", "WITHDRAW_BEGIN") if first
                  else self.one_of("WITHDRAW_COMMIT", "WITHDRAW_CANCEL", "REVERSE", "REVERSE"))
        event = self.name("t") if self.often(0.95) else "t1"
        if first:
            self.transfers.append((user, event))
        command = {"eventId": event, "ts": self.now_us, "userId": user, "action": action,
                   "asset": self.one_of("USDT", "BTC", "ETH", "\u00e9"), "amount": self.units(200),
                   "transferId": target, "traceId": self.one_of(None, "trace")}
        if self.often(0.08):
            command |= self.one_of({"asset": None}, {"asset": ""}, {"amount": None}, {"amount": "-5"},
                                   {"transferId": "none"}, {"transferId": ""}, {"userId": ""}, {"eventId": ""},
                                   {"asset": "A" * 600}, {"action": "SET_STATE"},
                                   {"amount": "99999999999999999999"})
        self.send("accounts.approved", command["userId"], command)

    # ---- the market ------------------------------------------------------------------------------

    def trade(self):
        self.trade_id += self.random.randrange(1, 3)
        symbol = self.one_of(*SYMBOLS)
        late = self.one_of(0, 0, 0, 10 ** 6, 30 * 10 ** 6, 400 * 10 ** 6, 5000 * 10 ** 6)
        qty, price = self.random.randint(1, 700) * ONE // 100, self.random.randint(90, 110)
        trade = {"symbol": symbol, "tradeId": self.trade_id, "ts": self.now_us - late, "price": str(price),
                 "qty": text_of(qty), "quoteQty": text_of(qty * price), "takerSide": self.one_of("BUY", "SELL"),
                 "makerOrderId": "m", "takerOrderId": "t", "makerUserId": "u", "takerUserId": "v", "makerFee": "0",
                 "takerFee": "0", "feeAsset": "USDT", "engineSeq": 1}
        if self.often(0.05):
            trade |= self.one_of({"tradeId": 0}, {"tradeId": self.trade_id // 2}, {"price": "0"}, {"qty": "-1"},
                                 {"ts": -1}, {"ts": 0}, {"symbol": ""}, {"symbol": "OTHER"},
                                 {"quoteQty": "99999999999999999999"}, {"ts": FIRST_US + 90 * 10 ** 6})
        self.send("trades", symbol, trade)

    def book(self):
        self.book_seq += 1
        symbol = self.one_of(*SYMBOLS)
        levels = [[{"price": str(price), "qty": "1", "orders": 1}] if self.often(0.85) else []
                  for price in (self.random.randint(95, 99), self.random.randint(100, 104))]
        snapshot = {"symbol": symbol, "ts": self.now_us, "lastSeq": self.book_seq, "depth": 20, "bids": levels[0],
                    "asks": levels[1], "checksum": 0}
        if self.often(0.08):
            snapshot |= self.one_of({"lastSeq": self.book_seq // 2}, {"symbol": "OTHER"}, {"ts": -1},
                                    {"bids": [{"price": "0", "qty": "1", "orders": 1}]})
        self.send("book.snapshots", symbol, snapshot)

    # ---- the storm -------------------------------------------------------------------------------

    def something(self):
        self.now_us += self.random.randrange(0, self.one_of(10 ** 4, 10 ** 6, 20 * 10 ** 6))
        if self.often(0.002):
            self.now_us += self.one_of(3600 * 10 ** 6, DAY_US)
        if self.often(0.1) and self.sent:
            self.lines.append(self.one_of(*self.sent[-80:]))  # a copy
            return
        self.random.choices([self.order, self.transfer, self.trade, self.book], [50, 14, 26, 10])[0]()

    def blow(self, records, disturb):
        for sent in range(records):
            self.something()
            if self.often(0.1):
                self.lines.append({"rounds": self.random.randrange(0, 20)})
            if disturb and sent % 16 == 0 and self.often(0.25):
                self.trouble()
        return "\n".join(json.dumps(line) for line in self.lines) + "\n"

    def trouble(self):
        if self.often(0.5):
            self.lines.append({"crash": self.one_of(*GROUPS), "lose": self.often(0.4)})
        else:
            call, status, done = self.one_of(*FAULTS)
            self.lines.append({"fail": call, "status": status, "nth": self.random.randrange(1, 4), "done": done})


def script(seed, records, disturb):
    return Books(seed).blow(records, disturb)
