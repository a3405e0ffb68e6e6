"""The validate stage: every check of a command that needs no more than the command and its instrument.

Source: domain reference, 1.1, and docs/DOMAIN.md (orders, commands, symbols). displayQty is refused on purpose.
"""

import re

import codes
import reports
from amounts import BUSINESS_LIMIT, ONE, OutOfRange, micros, product_floor
from instruments import Instruments, amends, amount, takes
from stage import Poison, Stage, key_is

IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
AHEAD_MAX_US = 10 ** 6
CODES_MAX = 16
INT64 = range(-2 ** 63, 2 ** 63)
# What an order of each type must have, what it may not have, and the times in force it takes.
TYPES = {
    "LIMIT": (("price", "qty"), ("quoteQty", "stopPrice"), ("GTC", "GTD", "IOC", "FOK")),
    "MARKET": ((), ("price", "stopPrice", "postOnly"), ("IOC",)),
    "STOP": (("stopPrice", "qty"), ("quoteQty", "price", "postOnly"), ("GTC", "GTD")),
    "STOP_LIMIT": (("stopPrice", "price", "qty"), ("quoteQty", "postOnly"), ("GTC", "GTD", "IOC", "FOK")),
}
NOT_AMENDED = ("quoteQty", "stopPrice", "displayQty", "expireTs", "postOnly", "reduceOnly")


class Check:
    """One command under test: the codes that hold against it, in the order of the checks."""

    def __init__(self, command, instrument):
        self.command = command
        self.instrument = instrument
        self.found = []

    def add(self, broken, name):
        if broken and name not in self.found and len(self.found) < CODES_MAX:
            self.found.append(name)

    def run(self, now_us, recv_window_us):
        self.identifiers()
        action, given = self.command["action"], self.instrument is not None
        if action == "NEW":
            self.shape(now_us)
            self.symbol()
            command = self.command
            self.add(given and not takes(self.instrument.state, command["ordType"], command["postOnly"]), "NOT_TRADING")
            self.amounts()
        elif action == "CANCEL":
            self.add(not self.command["targetOrderId"], "MISSING")
            self.symbol()
        elif action == "AMEND":
            self.amendment()
            self.symbol()
            self.add(given and not amends(self.instrument.state), "NOT_TRADING")
            self.amounts()
        else:
            self.add(bool(self.command["targetOrderId"]), "NOT_ALLOWED")
            self.add(self.command["symbol"] != "" and not given, "UNKNOWN_SYMBOL")
        self.freshness(now_us, recv_window_us)

    def identifiers(self):
        """clientOrderId / idempotency key: charset and length."""
        for name in ("orderId", "userId"):
            self.add(not IDENTIFIER.match(self.command[name]), "BAD_ID")
        for name in ("clientOrderId", "idempotencyKey", "targetOrderId"):
            text = self.command[name]
            self.add(bool(text) and not IDENTIFIER.match(text), "BAD_ID")

    def symbol(self):
        """Symbol known."""
        self.add(self.command["symbol"] == "", "MISSING")
        self.add(self.command["symbol"] != "" and self.instrument is None, "UNKNOWN_SYMBOL")

    def has(self, name):
        return self.command[name] not in (None, False)

    def shape(self, now_us):
        """Field combinations."""
        c = self.command
        needed, forbidden, tifs = TYPES[c["ordType"]]
        self.add(not all(self.has(name) for name in needed), "MISSING")
        by_amount = self.has("quoteQty")
        if c["ordType"] == "MARKET":
            self.add(not by_amount and not self.has("qty"), "MISSING")
        self.add(any(self.has(name) for name in forbidden), "NOT_ALLOWED")
        if c["ordType"] == "MARKET":
            self.add(by_amount and self.has("qty"), "NOT_ALLOWED")
        self.add(c["tif"] not in tifs, "BAD_TIF")
        self.add(c["ordType"] == "LIMIT" and c["postOnly"] and c["tif"] not in ("GTC", "GTD"), "BAD_TIF")
        self.add(self.has("displayQty") or bool(c["targetOrderId"]), "NOT_ALLOWED")
        self.add(c["tif"] == "GTD" and c["expireTs"] is None, "MISSING")
        self.add(c["tif"] != "GTD" and c["expireTs"] is not None, "NOT_ALLOWED")
        self.add(c["tif"] == "GTD" and c["expireTs"] is not None and micros(c["expireTs"]) <= now_us, "EXPIRE_PAST")

    def amendment(self):
        """Of an order that is named: a new total, a new price, or both, and nothing else."""
        named = bool(self.command["targetOrderId"])
        self.add(not named or not (self.has("qty") or self.has("price")), "MISSING")
        self.add(any(self.has(name) for name in NOT_AMENDED), "NOT_ALLOWED")

    def number(self, value):
        """Positive and below the business bound; True when further checks of it make sense."""
        self.add(value is not None and value <= 0, "BAD_NUMBER")
        self.add(value is not None and value >= BUSINESS_LIMIT, "OVERFLOW")
        return value is not None and 0 < value < BUSINESS_LIMIT

    def amounts(self):
        """PRICE_FILTER of both prices, LOT_SIZE and MARKET_LOT_SIZE, NOTIONAL."""
        new, kind = self.command["action"] == "NEW", self.command["ordType"]
        price = amount(self.command, "price") if not new or "LIMIT" in kind else None
        stop = amount(self.command, "stopPrice") if new and "STOP" in kind else None
        quote = amount(self.command, "quoteQty") if new and kind == "MARKET" else None
        qty = amount(self.command, "qty")
        good = {name: self.number(value) for name, value in
                (("price", price), ("stop", stop), ("qty", qty), ("quote", quote))}
        if self.instrument is None:
            return
        good["price"] = good["price"] and self.price(price)
        good["stop"] = good["stop"] and self.price(stop)
        good["qty"] = good["qty"] and self.quantity(qty)
        if good["qty"] and good["price"]:
            self.notional(price, qty)
        elif good["qty"] and good["stop"] and kind == "STOP":
            self.notional(stop, qty)
        if good["quote"]:
            self.notional(quote, ONE)

    def price(self, price):
        i = self.instrument
        on_tick = i["tickSize"] <= 0 or price % i["tickSize"] == 0
        self.add(0 < i["minPrice"] and price < i["minPrice"], "PRICE_TOO_LOW")
        self.add(0 < i["maxPrice"] < price, "PRICE_TOO_HIGH")
        self.add(not on_tick, "PRICE_TICK")
        return on_tick

    def quantity(self, qty):
        low, high, step = (self.market_or_plain(name) for name in ("minQty", "maxQty", "lotSize"))
        on_step = step <= 0 or qty % step == 0
        self.add(0 < low and qty < low, "QTY_TOO_LOW")
        self.add(0 < high < qty, "QTY_TOO_HIGH")
        self.add(not on_step, "QTY_STEP")
        return on_step

    def market_or_plain(self, name):
        own = self.instrument["market" + name[0].upper() + name[1:]]
        trades_at_once = self.command["action"] == "NEW" and self.command["ordType"] in ("MARKET", "STOP")
        return own if trades_at_once and own is not None else self.instrument[name]

    def notional(self, price, qty):
        i = self.instrument
        try:
            notional = product_floor(price, qty)
        except OutOfRange:
            notional = BUSINESS_LIMIT
        if notional >= BUSINESS_LIMIT:
            self.add(True, "OVERFLOW")
            return
        self.add(0 < i["minNotional"] and notional < i["minNotional"], "NOTIONAL_TOO_LOW")
        self.add(0 < i["maxNotional"] < notional, "NOTIONAL_TOO_HIGH")

    def freshness(self, now_us, recv_window_us):
        """Request freshness: clientTs within recvWindow, at most 1 s ahead. 0 switches it off."""
        client = self.command["clientTs"]
        if recv_window_us <= 0 or client is None:
            return
        age_us = now_us - micros(client)
        self.add(age_us not in INT64 or age_us > recv_window_us or age_us < -AHEAD_MAX_US, "STALE")


class Validate(Stage):
    """Passes a command on unchanged, or rejects it with all its codes."""

    def __init__(self, task, node):
        super().__init__(task, node)
        self.instruments = Instruments(self, "instruments")

    def process(self, port, record):
        command = record.value
        if "" in (command["userId"], command["orderId"], command["eventId"]):
            raise Poison("MALFORMED", "command without userId, orderId or eventId")
        if not key_is(record.key, command["userId"]):
            raise Poison("MALFORMED", "key of the record is not its userId")
        if record.event_us < 0:
            raise Poison("OUT_OF_RANGE", "event time before 1970")
        instrument = self.instruments.get(command["symbol"])
        check = Check(command, instrument)
        check.run(record.event_us, self.options["recv-window"])
        # A cancel needs nothing of an instrument that cannot be used but its name.
        unusable = instrument is not None and not instrument.usable
        check.add(unusable and command["action"] in ("NEW", "AMEND"), "NOT_TRADING")
        if check.found:
            code = codes.number(check.found[0])
            report = reports.rejection(command, "V-", code, codes.sentence(check.found))
            self.emit("rejected", command["userId"], report)
        else:
            self.emit("valid", command["userId"], command)


STAGE = Validate
