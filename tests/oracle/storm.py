"""Scripts for oracle_play: random traffic that goes into every corner of the order rules.

Why:  the trades of a tape are well-behaved; rules show their differences at halts, at bounds, on late and
      doubled records, on garbage, and when a process dies.
How:  seeded. Few users, few prices, small bounds, so that orders meet; now and then everything that a client,
      an operator or a feed can do wrong. `disturb` adds crashes and faults of the log.
"""

import json
import random

from amounts import ONE, text_of

FIRST_US = 1723075200000000
USERS = [f"user{n}" for n in range(6)]
SYMBOLS = {"BTCUSDT": "BTC", "ETHUSDT": "ETH", "LTCBTC": "LTC", "DUSTUSDT": "DUST"}
QUOTES = {"BTCUSDT": "USDT", "ETHUSDT": "USDT", "LTCBTC": "BTC", "DUSTUSDT": "USDT"}
# Increments whose product is one atom, and prices that leave every rounding something to do.
DUST = {"tickSize": "0.000000001", "lotSize": "0.000000001", "minPrice": "0", "maxPrice": "0", "minQty": "0",
        "maxQty": "0", "minNotional": "0", "maxNotional": "0", "makerFee": "0.000170000000000007",
        "takerFee": "0.000930000000000011", "marketLotSize": None, "marketMinQty": None, "marketMaxQty": None}
ACCOUNT = dict.fromkeys((
    "traceId", "asset", "amount", "symbol", "positionLimit", "openOrdersMax", "velocityPerSecond",
    "velocityBurst", "notionalMax", "dailyLossLimit", "tradingState", "reason", "transferId", "notionalWindowMax",
    "concentrationLimit"))
COMMAND = dict.fromkeys((
    "traceId", "clientOrderId", "idempotencyKey", "qty", "quoteQty", "price", "stopPrice", "displayQty",
    "expireTs", "targetOrderId", "clientTs"))
GROUPS = ("account", "market")
FAULTS = (("commit", "TXN_ABORT", False), ("commit", "INDETERMINATE", False), ("commit", "INDETERMINATE", True),
          ("commit", "FENCED", True), ("commit", "TIMEOUT", False), ("begin", "LOG_FATAL", True),
          ("abort", "LOG_FATAL", False), ("poll", "LOG_FATAL", False))
# A day of minutes passes in a storm, so windows and keys expire.
EDITS = {
    "window: 24h": "window: 10m",
    "velocity: 50/s, velocity-burst: 100":
        "velocity: 5/s, velocity-burst: 60, price-age: 15m, loop-guard: 4, loop-window: 20s",
    "intervals: [1m, 5m], grace: 2s": "intervals: [1m, 5m, 1h], grace: 2s, retention: 30m",
    "in:  {orders: orders, instruments: {table: instruments}}":
        "options: {recv-window: 20s}\n    in:  {orders: orders, instruments: {table: instruments}}",
}


def edited(topology, commit_records):
    """The production topology with small windows and small transactions."""
    for before, after in (EDITS | {"defaults:\n": f"defaults:\n  commit-records: {commit_records}\n"}).items():
        if before not in topology:
            raise ValueError(f"the topology has no \"{before}\"")
        topology = topology.replace(before, after, 1)
    return topology


class Storm:
    """One script in the making."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.now_us = FIRST_US
        self.events = 0
        self.orders = []  # (id, user, symbol)
        self.keys = []
        self.transfers = []  # (eventId, user, action)

    # ---- small choices ---------------------------------------------------------------------------

    def often(self, share):
        return self.random.random() < share

    def one_of(self, *choices):
        return self.random.choice(choices)

    def event(self, prefix):
        self.events += 1
        return f"{prefix}{self.events}"

    def amount(self, low, high, step=ONE // 10):
        """A decimal between the two, a multiple of the step."""
        return text_of(self.random.randint(low * ONE // step, high * ONE // step) * step)

    def time(self):
        """Event time: mostly on, sometimes back, seldom far ahead."""
        if self.often(0.06):
            return self.now_us - self.random.randrange(0, 3000 * 10 ** 6)
        if self.often(0.004):
            return self.now_us + self.random.randrange(0, 5 * 3600 * 10 ** 6)
        return self.now_us

    def send(self, topic, key, value):
        self.lines.append({"send": topic, "key": key, "value": value})

    # ---- operators and feeds ---------------------------------------------------------------------

    def instrument(self, symbol, state="TRADING"):
        odd = self.often(0.3)
        value = {
            "symbol": symbol, "ts": self.now_us, "baseAsset": SYMBOLS[symbol], "quoteAsset": QUOTES[symbol],
            "state": state, "tickSize": "0.5", "lotSize": "0.1", "minPrice": "1", "maxPrice": "1000",
            "minQty": "0.1", "maxQty": "50", "minNotional": "5", "maxNotional": "10000",
            "makerFee": self.one_of("0.00017", "-0.0002", "0"), "takerFee": self.one_of("0.00093", "0.001", "0.0003"),
            "version": self.events,
            "marketLotSize": self.one_of(None, "0.2"), "marketMinQty": self.one_of(None, "0.4"),
            "marketMaxQty": self.one_of(None, "30"), "bidUp": self.one_of(None, None, "1.03"),
            "bidDown": self.one_of(None, None, "0.9"), "askUp": self.one_of(None, None, "1.1"),
            "askDown": self.one_of(None, None, "0.97"), "maxOrders": self.one_of(None, None, 6),
            "maxPosition": self.one_of(None, None, "25"), "initialMargin": self.one_of(None, None, None, "0.02", "0.1"),
            "maintenanceMargin": self.one_of(None, None, None, "0.01", "0.05")}
        if symbol == "DUSTUSDT":
            value |= DUST
        if odd and self.often(0.05):
            value |= self.one_of({"tickSize": "0"}, {"takerFee": "-1"}, {"lotSize": "0.000000000000000001"},
                                 {"minQty": "60"}, {"initialMargin": "1.1"}, {"baseAsset": ""}, {"quoteAsset": "Q" * 33})
        self.send("instruments", symbol, value)

    def operator(self):
        symbol = self.one_of(*SYMBOLS)
        if self.often(0.08):
            self.send("instruments", self.one_of(symbol, "NOPE"), None)
        elif self.often(0.03):
            self.send("instruments", "OTHER", {
                "symbol": symbol, "ts": self.now_us, "baseAsset": "B", "quoteAsset": "Q", "state": "TRADING",
                "tickSize": "1", "lotSize": "1", "minPrice": "0", "maxPrice": "0", "minQty": "0", "maxQty": "0",
                "minNotional": "0", "maxNotional": "0", "makerFee": "0", "takerFee": "0"})
        else:
            self.instrument(symbol, self.one_of("HALT", "CANCEL_ONLY", "POST_ONLY", "LIMIT_ONLY", "BREAK"))
            for _ in range(self.random.randrange(1, 6)):
                self.something()
        self.instrument(symbol)

    def price(self, symbol=None):
        symbol = symbol or self.one_of(*SYMBOLS)
        if self.often(0.01):
            self.send("prices", symbol, None)
            return
        price = "0" if self.often(0.01) else self.amount(97, 103)
        if symbol == "DUSTUSDT":
            price = self.amount(1, 1, 1)[:-1] + "000000001"
        self.send("prices", symbol, {"symbol": symbol, "ts": self.time(), "kind": "LAST", "price": price})

    # ---- money and limits ------------------------------------------------------------------------

    def account(self, user, action, **fields):
        event = self.event("a")
        if action == "SET_STATE" and self.often(0.2):
            event += "-" * 60  # the ids that are made of it are too long
        if action == "DEPOSIT" and self.often(0.1) and self.events > 20:
            event = f"a{self.random.randrange(1, self.events)}"
        self.send("accounts", user, ACCOUNT | {
            "eventId": event, "ts": self.time(), "userId": user, "action": action} | fields)
        self.transfers.append((event, user, action))

    def treasury(self):
        user = self.one_of(*USERS)
        kind = self.random.random()
        if kind < 0.35:
            self.account(user, "DEPOSIT", asset=self.one_of("USDT", "BTC", "ETH", "LTC"), amount=self.amount(1, 200),
                         traceId=self.one_of(None, "t" * 70, "trace"))
        elif kind < 0.5:
            self.account(user, self.one_of("WITHDRAW", "WITHDRAW_BEGIN"), asset=self.one_of("USDT", "BTC", "ETH"),
                         amount=self.amount(1, 400))
        elif kind < 0.62:
            self.follow_up()
        elif kind < 0.75:
            self.account(self.one_of(user, user, user, "*"), "SET_LIMITS", **self.limits())
        elif kind < 0.9:
            self.switch(self.one_of(user, user, user, "*"))
        else:
            self.account(self.one_of(user, "*"), self.one_of("DEPOSIT", "WITHDRAW", "WITHDRAW_BEGIN", "REVERSE"),
                         asset=self.one_of(None, "", "US DT", "USDT"),
                         amount=self.one_of(None, "0", "-1", "10000000000000000", "5"))

    def follow_up(self):
        """Something about an earlier transfer: the right one, one that is over, another user's."""
        begun = [transfer for transfer in self.transfers if transfer[2] == "WITHDRAW_BEGIN"]
        event, user, action = self.one_of(*(begun[-4:] if begun and self.often(0.7) else self.transfers[-12:]))
        actions = ("WITHDRAW_COMMIT", "WITHDRAW_CANCEL") if action == "WITHDRAW_BEGIN" else ("REVERSE",)
        if self.often(0.2):
            actions = ("WITHDRAW_COMMIT", "WITHDRAW_CANCEL", "REVERSE")
        self.account(user, self.one_of(*actions), transferId=self.one_of(event, event, event, event, None, "nothing"))

    def switch(self, user):
        symbol = self.one_of(None, None, *SYMBOLS, "")
        self.account(user, "SET_STATE", symbol=symbol, reason=self.one_of(None, "why"),
                     tradingState=self.one_of("REDUCING", "HALTED", None), cancelOrders=self.often(0.3))
        for _ in range(self.random.randrange(1, 6)):
            self.order(self.one_of(*USERS) if user == "*" else user)
        self.account(user, "SET_STATE", symbol=symbol, tradingState="ACTIVE")
        if self.often(0.5):  # of those that a guard or a margin call stopped
            self.account(self.one_of(*USERS), "SET_STATE", tradingState="ACTIVE")

    def limits(self):
        given = {"positionLimit": self.amount(20, 200), "openOrdersMax": self.random.randrange(3, 60),
                 "velocityPerSecond": self.random.randrange(0, 9), "velocityBurst": self.random.randrange(0, 90),
                 "notionalMax": self.amount(300, 3000), "dailyLossLimit": self.one_of("0.5", "5", "500"),
                 "notionalWindowMax": self.amount(50, 2000), "concentrationLimit": self.one_of("0.05", "0.3", "2")}
        symbol = self.one_of(None, None, *SYMBOLS)
        if symbol is not None and self.often(0.9):
            del given["dailyLossLimit"], given["notionalWindowMax"]
        names = self.random.sample(sorted(given), self.random.randrange(1, 3))
        chosen = {name: given[name] for name in names}
        if self.often(0.05):
            chosen["openOrdersMax"] = -1
        return chosen | {"symbol": symbol}

    # ---- orders ----------------------------------------------------------------------------------

    def base(self, user, symbol, action):
        key = self.one_of(None, None, self.event("k"))
        if self.often(0.08) and self.keys:
            key = self.one_of(*self.keys)
        if key is not None:
            self.keys.append(key)
        return COMMAND | {
            "eventId": self.event("c"), "ts": self.time(), "action": action, "userId": user, "symbol": symbol,
            "idempotencyKey": key, "clientOrderId": self.one_of(None, None, None, self.event("cl"), self.event("cl"), "same"),
            "traceId": self.one_of(None, None, "trace", "t" * 80), "source": "storm",
            "clientTs": self.one_of(None, None, self.now_us - self.random.randrange(0, 25 * 10 ** 6))}

    def order(self, user=None):
        user = user or self.one_of(*USERS)
        symbol = self.one_of(*SYMBOLS, "BTCUSDT")
        order_id = f"o{len(self.orders)}"
        if self.often(0.02) and self.orders:
            order_id = self.one_of(*self.orders)[0]
        self.orders.append((order_id, user, symbol))
        market = self.often(0.2)
        tif = "IOC" if market else self.one_of("GTC", "GTC", "GTC", "GTC", "IOC", "FOK")
        command = self.base(user, symbol, "NEW") | {
            "orderId": order_id, "side": self.one_of("BUY", "SELL"), "ordType": "MARKET" if market else "LIMIT",
            "tif": tif, "qty": self.amount(1, self.one_of(2, 5, 12), ONE // 10 if not market else ONE // 5),
            "price": None if market else self.amount(97, 103, ONE // 2),
            "postOnly": tif == "GTC" and self.often(0.12),
            "stpMode": self.one_of("EXPIRE_TAKER", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE")}
        if symbol == "DUSTUSDT":
            command |= self.dust(market)
        if self.often(0.25):
            command |= self.kind(command)
        if self.often(0.08):
            command |= self.flaw()
        self.send("orders", command["userId"], command)

    def kind(self, command):
        """One of the kinds that are more than a price and a quantity."""
        stop = self.amount(95, 105, ONE // 2)
        return self.one_of(
            {"ordType": "STOP", "stopPrice": stop, "price": None, "tif": self.one_of("GTC", "GTD"), "postOnly": False,
             "expireTs": self.expiry()},
            {"ordType": "STOP_LIMIT", "stopPrice": stop, "price": self.amount(97, 103, ONE // 2), "postOnly": False,
             "tif": self.one_of("GTC", "IOC", "FOK")},
            {"ordType": "MARKET", "tif": "IOC", "price": None, "qty": None, "quoteQty": self.amount(5, 900, 7),
             "postOnly": False},
            {"ordType": "LIMIT", "tif": "GTD", "expireTs": self.expiry()} if command["price"] else {},
            {"reduceOnly": True}, {"stpMode": "DECREMENT"})

    def expiry(self):
        return self.one_of(self.now_us + self.random.randrange(0, 600 * 10 ** 6), None)

    def amend(self):
        """A new total, a new price or both, for an order that may be open."""
        order_id, user, symbol = self.one_of(*self.orders[-40:]) if self.orders else ("o0", USERS[0], "BTCUSDT")
        if self.often(0.05):
            user, symbol = self.one_of(*USERS), self.one_of(*SYMBOLS)
        dust = symbol == "DUSTUSDT"
        fields = {"qty": self.amount(1, 12) if not dust else self.dust(False)["qty"],
                  "price": self.amount(97, 103, ONE // 2) if not dust else self.dust(False)["price"]}
        for name in self.one_of((), (), ("qty",), ("price",)):
            fields[name] = None
        for _ in range(self.one_of(1, 1, 1, 2)):  # the second finds the first on its way
            self.send("orders", user, self.base(user, symbol, "AMEND") | {
                "orderId": self.event("x"), "targetOrderId": order_id} | fields)

    def cancel_all(self):
        user = self.one_of(*USERS)
        self.send("orders", user, self.base(user, self.one_of("", *SYMBOLS, "NOPE"), "CANCEL_ALL") | {
            "orderId": self.event("x")})

    def again(self):
        """The same order once more under new names: what the loop guard looks for."""
        before = [line for line in self.lines[-60:] if line.get("send") == "orders" and line.get("value")
                  and line["value"]["action"] == "NEW"]
        if before:
            value = self.one_of(*before)["value"]
            for _ in range(self.random.randrange(1, 4)):
                order_id = f"o{len(self.orders)}"
                self.orders.append((order_id, value["userId"], value["symbol"]))
                self.send("orders", value["userId"], value | {
                    "eventId": self.event("c"), "orderId": order_id, "idempotencyKey": None, "clientOrderId": None,
                    "ts": self.now_us, "clientTs": None})

    def dust(self, market):
        """Quantities and prices of nine decimals; now and then ones that no notional can hold."""
        if self.often(0.02):
            return {"qty": "9999999999999999", "price": None if market else "9999999999999999"}
        nine = 10 ** 9
        price = text_of((ONE // nine + self.random.randrange(-20, 20)) * nine)
        return {"qty": text_of(self.random.randrange(1, 5 * 10 ** 9) * nine), "price": None if market else price}

    def flaw(self):
        """Something that validate, risk or fill must see."""
        return self.one_of(
            {"price": "99.3"}, {"price": "0"}, {"price": "-1"}, {"price": "10000000000000000"}, {"price": "2000"},
            {"qty": "0.05"}, {"qty": "0"}, {"qty": "1000"}, {"qty": None}, {"qty": "0.15"}, {"price": None},
            {"symbol": "NOPE"}, {"symbol": ""}, {"ordType": "STOP", "stopPrice": "100"}, {"tif": "GTD"},
            {"quoteQty": "10"}, {"displayQty": "1"}, {"reduceOnly": True}, {"stpMode": "DECREMENT"},
            {"postOnly": True}, {"clientOrderId": "a b"}, {"clientOrderId": "x" * 65}, {"idempotencyKey": "é"},
            {"orderId": "o 1"}, {"action": "AMEND"}, {"action": "CANCEL_ALL"}, {"targetOrderId": "o1"},
            {"expireTs": FIRST_US}, {"price": "120"}, {"price": "80"}, {"userId": "unknown"}, {"orderId": ""},
            {"eventId": ""}, {"userId": ""}, {"eventId": "e" * 65}, {"ts": -5}, {"ts": 253402300800000000},
            {"clientTs": self.now_us + 5 * 10 ** 6})

    def cancel(self):
        order_id, user, symbol = self.one_of(*self.orders[-60:]) if self.orders else ("o0", USERS[0], "BTCUSDT")
        if self.often(0.1):
            user = self.one_of(*USERS)
        target = self.one_of(None, "", "o" * 65) if self.often(0.02) else order_id
        self.send("orders", user, self.base(user, "NOPE" if self.often(0.02) else symbol, "CANCEL") | {
            "orderId": self.event("x"), "targetOrderId": target})

    def garbage(self):
        topic = self.one_of("orders", "accounts", "instruments", "prices")
        size = self.random.randrange(0, 60)
        known = self.often(0.5)  # the id of some schema
        data = bytes(0 if known and at < 4 else self.random.randrange(0, 40 if known else 256) for at in range(size))
        self.lines.append({"send": topic, "key": self.one_of(*USERS, ""), "bytes": data.hex()})

    def copy(self):
        """A record that was sent once comes again, perhaps under another key."""
        before = [line for line in self.lines[-200:] if "send" in line and line.get("value")]
        if before:
            line = dict(self.one_of(*before))
            if self.often(0.1):
                line["key"] = self.one_of(*USERS)
            self.lines.append(line)

    # ---- the storm -------------------------------------------------------------------------------

    def something(self):
        self.now_us += self.random.randrange(0, self.one_of(400, 3000, 20000) * 1000)
        kinds = ((self.order, 62), (self.cancel, 12), (self.amend, 10), (self.cancel_all, 1), (self.again, 2), (self.treasury, 6), (self.price, 6), (self.operator, 3),
                 (self.copy, 4), (self.garbage, 2))
        self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()
        self.lines.append({"pass": self.random.randrange(0, 3000)})

    def begin(self):
        for symbol in SYMBOLS:
            self.instrument(symbol)
            self.price(symbol)
        for user in USERS[:-1]:
            for asset, amount in (("USDT", "20000"), ("BTC", "500"), ("ETH", "100"), ("LTC", "100"), ("DUST", "50")):
                self.account(user, "DEPOSIT", asset=asset, amount=amount)
        self.lines.append({"settle": True})

    def trouble(self):
        if self.often(0.5):
            self.lines.append({"crash": self.one_of(*GROUPS), "lose": self.often(0.4)})
        else:
            call, status, done = self.one_of(*FAULTS)
            self.lines.append({"fail": call, "status": status, "nth": self.random.randrange(1, 4), "done": done})

    def blow(self, records, disturb):
        self.begin()
        sent = 0
        while sent < records:
            burst = self.random.randrange(1, 16)
            for _ in range(burst):
                self.something()
            sent += burst
            self.lines.append({"rounds": self.random.randrange(0, 20)})
            if disturb and self.often(0.2):
                self.trouble()
            if self.often(0.02):
                self.lines.append({"settle": True})
        return "\n".join(json.dumps(line) for line in self.lines) + "\n"


def script(seed, records, disturb):
    return Storm(seed).blow(records, disturb)
