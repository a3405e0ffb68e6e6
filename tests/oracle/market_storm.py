"""Scripts for oracle_play that go straight to fill: every order type and command, as risk would approve it, and not.

Why:  validate and risk let through what is sound; matching must be right also for what they would have refused,
      and its corners (cascades, expiry, amendments that cross) are rare in a storm over the whole pipeline.
How:  the topology without the account group; commands go to orders.approved with rates, collar and hold. Holds
      are exact, an atom short, or too much. Prices lie close and quantities are a few lots, so that orders meet.
"""

import re

from amounts import ONE, OutOfRange, atoms, text_of
from orders import Order
from storm import COMMAND, FIRST_US, GROUPS, SYMBOLS, Storm

SECOND_US = 10 ** 6
RISK = dict.fromkeys(("feeMaker", "feeTaker", "reserved", "reserveAsset", "collarPx", "refPx", "refTs", "cancelReason"))
ENTRY = re.compile(r"^  (\w[\w.-]*):")


def topology(text):
    """The production topology, without the stages and the group that come before fill, and the connectors."""
    members = re.search(r"^  account:\s*\{stages:\s*\[([^\]]*)\]", text, re.MULTILINE).group(1)
    left_out = {"stages": re.split(r",\s*", members), "groups": ["account"]}
    kept, section, skipped = [], "", False
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            section, skipped = line.partition(":")[0], False
        entry = ENTRY.match(line)
        if entry:
            name = entry.group(1)
            skipped = name in left_out.get(section, ())
        if not skipped and section != "connectors":
            kept.append(line)
    return "\n".join(kept) + "\n"


class MarketStorm(Storm):
    """One script in the making."""

    def begin(self):
        for symbol in SYMBOLS:
            self.instrument(symbol)
        self.lines.append({"settle": True})

    def instrument(self, symbol, state="TRADING"):
        super().instrument(symbol, state)
        value = self.lines[-1]["value"]
        if self.often(0.5):
            value |= {"rangeDown": self.one_of("0.98", "0.99", None), "rangeUp": self.one_of("1.02", "1.01", None)}

    def time(self):
        """Event time: mostly on, sometimes back, seldom a little ahead: an expiry is a minute away at most."""
        if self.often(0.06):
            return self.now_us - self.random.randrange(0, 3000 * SECOND_US)
        return self.now_us + (self.random.randrange(0, 20 * SECOND_US) if self.often(0.004) else 0)

    # ---- orders ----------------------------------------------------------------------------------

    def base(self, user, symbol, action):
        command = COMMAND | RISK | super().base(user, symbol, action)
        return command | {"idempotencyKey": None, "clientTs": None, "feeMaker": self.one_of("0.0002", "-0.0001", "0.001"),
                          "feeTaker": self.one_of("0.001", "0.0013")}

    def approved(self, command):
        self.send("orders.approved", command["symbol"], command)

    def price(self, symbol=None):
        return self.amount(97, 103, ONE // 2)

    def kind(self):
        """Type, time in force, price, stop price and collar that go together."""
        kind = self.one_of("LIMIT", "LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP", "STOP_LIMIT")
        tif = {"MARKET": "IOC", "STOP": self.one_of("GTC", "GTD")}.get(
            kind, self.one_of("GTC", "GTC", "GTC", "GTD", "IOC", "FOK"))
        side = self.one_of("BUY", "SELL")
        price = self.price()
        stop = self.amount(100, 103, ONE // 2) if side == "BUY" else self.amount(97, 100, ONE // 2)
        collar = self.amount(99, 106, ONE // 2) if side == "BUY" else self.amount(94, 101, ONE // 2)
        return {"ordType": kind, "tif": tif, "side": side,
                "price": price if kind in ("LIMIT", "STOP_LIMIT") else None,
                "stopPrice": stop if kind in ("STOP", "STOP_LIMIT") else None,
                "collarPx": collar if kind in ("MARKET", "STOP") else None}

    def order(self, user=None):
        user = user or self.one_of("user0", "user1", "user2", "user3")
        symbol = self.one_of("BTCUSDT", "BTCUSDT", "ETHUSDT", "LTCBTC", "DUSTUSDT")
        order_id = f"o{len(self.orders)}"
        if self.often(0.03) and self.orders:
            order_id = self.one_of(*self.orders)[0]
        command = self.base(user, symbol, "NEW") | {"orderId": order_id} | self.kind() | {
            "qty": self.amount(0, self.one_of(1, 2, 5)),
            "stpMode": self.one_of("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "DECREMENT", "NONE")}
        self.orders.append((order_id, user, symbol))
        if command["ordType"] == "MARKET" and self.often(0.5):
            command |= {"qty": None, "quoteQty": self.amount(1, 400)}
        if command["tif"] == "GTD":
            command["expireTs"] = self.now_us + self.random.randrange(0, 40 * SECOND_US)
        command["postOnly"] = command["ordType"] == "LIMIT" and command["tif"] in ("GTC", "GTD") and self.often(0.15)
        if symbol == "DUSTUSDT":
            command |= self.dusty(command)
        command["reserved"] = self.hold(command)
        if self.often(0.06):
            command |= self.flaw()
        self.approved(command)

    def dusty(self, command):
        """Nine decimals everywhere: each rounding shows."""
        nine = 10 ** 9

        def price(low, high):
            return text_of((ONE // nine + self.random.randrange(low, high)) * nine)
        fields = {"price": price(-20, 20), "stopPrice": price(-12, 12), "collarPx": price(-25, 25)}
        amount = text_of(self.random.randrange(1, 5 * nine) * nine)
        fields |= {"qty": amount, "quoteQty": amount}
        return {name: value for name, value in fields.items() if command[name] is not None}

    def hold(self, command):
        """What risk would reserve; sometimes an atom too little, sometimes too much."""
        try:
            needed = Order.of_command(command | {"reserved": "0"}).least_hold()
        except (OutOfRange, ArithmeticError):
            needed = 0
        if self.often(0.9):
            return text_of(needed)
        return text_of(max(needed + self.one_of(-1, 1, 7 * ONE), 0))

    def flaw(self):
        return self.one_of(
            {"qty": "0"}, {"qty": None}, {"price": None}, {"price": "0"}, {"stopPrice": "0"}, {"stopPrice": None},
            {"collarPx": None}, {"collarPx": "-1"}, {"quoteQty": "5"}, {"quoteQty": "0", "qty": None}, {"reserved": None},
            {"feeTaker": "-0.1"}, {"feeMaker": "0.5"}, {"feeMaker": None}, {"displayQty": "1"}, {"reduceOnly": True},
            {"postOnly": True}, {"tif": "GTD"}, {"tif": "FOK"}, {"tif": "IOC"}, {"expireTs": FIRST_US}, {"orderId": ""},
            {"symbol": "NOPE"}, {"ordType": "STOP"}, {"ordType": "STOP_LIMIT"}, {"ordType": "MARKET"},
            {"qty": "9999999999999999", "reserved": "99999999999999999999"}, {"feeTaker": "1.5"}, {"userId": ""},
            {"price": "9999999999999999", "reserved": "99999999999999999999"}, {"clientOrderId": "x" * 65})

    # ---- about orders ----------------------------------------------------------------------------

    def meant(self):
        """An order of late, and mostly its user."""
        order_id, user, symbol = self.one_of(*self.orders[-self.one_of(6, 15, 60):]) if self.orders else ("o0", "user0", "BTCUSDT")
        return order_id, user if self.often(0.93) else "user9", symbol

    def cancel(self):
        order_id, user, symbol = self.meant()
        target = None if self.often(0.02) else order_id
        self.approved(self.base(user, symbol, "CANCEL") | {"orderId": self.event("x"), "targetOrderId": target})

    def amend(self):
        order_id, user, symbol = self.meant()
        command = self.base(user, symbol, "AMEND") | {
            "orderId": self.event("x"), "targetOrderId": order_id,
            "qty": self.one_of(None, self.amount(0, 1), self.amount(1, 5)),
            "price": self.one_of(None, None, self.price()),
            "reserved": self.one_of("0", "0.5", "60", "700", None)}
        if symbol == "DUSTUSDT":
            command |= self.dusty(command)
        if self.often(0.05):
            command |= self.one_of({"stopPrice": "100"}, {"qty": "0"}, {"price": "0"}, {"price": "-1"}, {"quoteQty": "1"},
                                   {"price": "9999999999999999", "qty": "9999999999999999"}, {"targetOrderId": None})
        self.approved(command)

    def cancel_all(self):
        _, user, symbol = self.meant()
        self.approved(self.base(user, symbol, "CANCEL_ALL") | {
            "orderId": self.event("x"), "cancelReason": self.one_of(None, None, "RISK", "HALT")})

    def garbage(self):
        self.lines.append({"send": self.one_of("orders.approved", "instruments"), "key": self.one_of(*SYMBOLS, ""),
                           "bytes": bytes(self.random.randrange(0, 40) for _ in range(30)).hex()})

    # ---- the storm -------------------------------------------------------------------------------

    def something(self):
        self.now_us += self.random.randrange(0, self.one_of(400, 3000, 9000) * 1000)
        kinds = ((self.order, 60), (self.cancel, 8), (self.amend, 16), (self.cancel_all, 2), (self.operator, 2),
                 (self.copy, 2), (self.garbage, 1))
        self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()
        self.lines.append({"pass": self.random.randrange(0, 3000)})

    def trouble(self):
        super().trouble()
        if self.lines[-1].get("crash") in GROUPS:
            self.lines[-1]["crash"] = "market"


def script(seed, records, disturb):
    return MarketStorm(seed).blow(records, disturb)
