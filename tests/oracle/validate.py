"""The validate stage: every check of a command that needs no more than the command and its instrument.

Source: domain reference, 1.1. What this pipeline understands and refuses on purpose: STOP, STOP_LIMIT, AMEND,
CANCEL_ALL (BAD_TYPE), GTD (BAD_TIF), quoteQty, displayQty, reduceOnly, DECREMENT (NOT_ALLOWED).
"""

import re

import codes
import reports
from amounts import BUSINESS_LIMIT, OutOfRange, micros, product_floor
from instruments import Instruments, amount, takes
from stage import Poison, Stage, key_is

IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
AHEAD_MAX_US = 10 ** 6
CODES_MAX = 16
INT64 = range(-2 ** 63, 2 ** 63)


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
        action = self.command["action"]
        if action == "NEW":
            self.shape()
            self.symbol()
            if self.instrument is not None:
                command = self.command
                self.add(not takes(self.instrument.state, command["ordType"], command["postOnly"]), "NOT_TRADING")
            self.amounts()
            self.freshness(now_us, recv_window_us)
        elif action == "CANCEL":
            self.add(not self.command["targetOrderId"], "MISSING")
            self.symbol()
            self.freshness(now_us, recv_window_us)
        else:
            self.add(True, "BAD_TYPE")

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

    def shape(self):
        """Field combinations."""
        c = self.command
        if c["ordType"] == "LIMIT":
            self.add(c["price"] is None or c["qty"] is None, "MISSING")
            self.add(c["quoteQty"] is not None, "NOT_ALLOWED")
            self.add(c["tif"] == "GTD", "BAD_TIF")
            self.add(c["postOnly"] and c["tif"] != "GTC", "BAD_TIF")
        elif c["ordType"] == "MARKET":
            self.add(c["qty"] is None and c["quoteQty"] is None, "MISSING")
            self.add(c["price"] is not None or c["quoteQty"] is not None or c["postOnly"], "NOT_ALLOWED")
            self.add(c["tif"] != "IOC", "BAD_TIF")
        else:
            self.add(True, "BAD_TYPE")
            return
        self.add(c["stpMode"] == "DECREMENT", "NOT_ALLOWED")
        self.add(c["stopPrice"] is not None or c["displayQty"] is not None or c["reduceOnly"]
                 or bool(c["targetOrderId"]) or (c["expireTs"] is not None and c["tif"] != "GTD"), "NOT_ALLOWED")

    def number(self, value):
        """Positive and below the business bound; True when further checks of it make sense."""
        self.add(value is not None and value <= 0, "BAD_NUMBER")
        self.add(value is not None and value >= BUSINESS_LIMIT, "OVERFLOW")
        return value is not None and 0 < value < BUSINESS_LIMIT

    def amounts(self):
        """PRICE_FILTER, LOT_SIZE and MARKET_LOT_SIZE, NOTIONAL. A MARKET order has no notional here."""
        price = amount(self.command, "price") if self.command["ordType"] == "LIMIT" else None
        qty = amount(self.command, "qty")
        price_good = self.number(price)
        qty_good = self.number(qty)
        if self.instrument is None:
            return
        price_good = price_good and self.price(price)
        qty_good = qty_good and self.quantity(qty)
        if price_good and qty_good:
            self.notional(price, qty)

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
        return own if self.command["ordType"] == "MARKET" and own is not None else self.instrument[name]

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
        check.add(instrument is not None and not instrument.usable and command["action"] == "NEW", "NOT_TRADING")
        if check.found:
            code = codes.number(check.found[0])
            report = reports.rejection(command, "V-", code, codes.sentence(check.found))
            self.emit("rejected", command["userId"], report)
        else:
            self.emit("valid", command["userId"], command)


STAGE = Validate
