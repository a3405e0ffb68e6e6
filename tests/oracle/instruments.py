"""Instruments: increments, bounds, states and collars, for validate and risk.

Source: domain reference, 1.1 (PRICE_FILTER, LOT_SIZE, symbol states), 1.3 (collar), section 3 (tick x lot
must be exact, so that every notional is).
"""

from amounts import (BUSINESS_LIMIT, MAX, ONE, OutOfRange, atoms, ceil_to, floor_to, optional, product,
                     product_ceil, product_floor)
from records import text_bytes

TEXT_BYTES_MAX = 32
AMOUNTS = ("tickSize", "lotSize", "minPrice", "maxPrice", "minQty", "maxQty", "marketLotSize",
           "marketMinQty", "marketMaxQty", "minNotional", "maxNotional", "makerFee", "takerFee", "bidUp",
           "bidDown", "askUp", "askDown", "maxPosition", "initialMargin", "maintenanceMargin")


class Instrument:
    """An instrument's record with its amounts as numbers; absent ones are None."""

    def __init__(self, value):
        self.state = value["state"]
        self.base = value["baseAsset"]
        self.quote = value["quoteAsset"]
        self.max_orders = value["maxOrders"]
        self.amounts = {name: optional(value[name]) for name in AMOUNTS}
        names = (value["symbol"], self.base, self.quote)
        self.usable = all(0 < len(text_bytes(name)) <= TEXT_BYTES_MAX for name in names) and self.sound()

    def __getitem__(self, name):
        return self.amounts[name]

    def sound(self):
        """May orders use it at all?"""
        a = self.amounts
        bounds = (("minPrice", "maxPrice"), ("minQty", "maxQty"), ("minNotional", "maxNotional"),
                  ("marketMinQty", "marketMaxQty"))
        factors = [a[name] for name in ("bidUp", "bidDown", "askUp", "askDown") if a[name] is not None]
        return (self.increments_exact() and all(bounds_fit(a[low] or 0, a[high] or 0) for low, high in bounds)
                and 0 <= a["takerFee"] <= ONE and -ONE <= a["makerFee"] <= a["takerFee"]
                and all(0 < factor <= BUSINESS_LIMIT for factor in factors)
                and all(0 <= (a[name] or 0) <= ONE for name in ("initialMargin", "maintenanceMargin")))

    def increments_exact(self):
        tick, lot, market_lot = (self.amounts[n] for n in ("tickSize", "lotSize", "marketLotSize"))
        if tick <= 0 or lot <= 0 or (market_lot is not None and market_lot <= 0):
            return False
        try:
            product(tick, lot)
            if market_lot is not None:
                product(tick, market_lot)
        except OutOfRange:
            return False
        return True

    def collar(self, side, reference):
        """(low, high) that the instrument's own factors allow around a reference; None: out of range."""
        down, up = (self["bidDown"], self["bidUp"]) if side == "BUY" else (self["askDown"], self["askUp"])
        tick = self["tickSize"]
        try:
            low = 0 if down is None else ceil_to(product_ceil(reference, down), tick)
            high = MAX if up is None else floor_to(product_floor(reference, up), tick)
        except OutOfRange:
            return None
        return low, high

    def market_price(self, side, reference, collar):
        """The worst price a MARKET order may reach, on the tick; None when none is positive."""
        own = self.collar(side, reference)
        if own is None:
            return None
        try:
            if side == "SELL":
                worst = max(product_ceil(reference, ONE - collar), own[0], self["minPrice"])
                worst = ceil_to(worst, self["tickSize"])
            else:
                worst = min(product_floor(reference, ONE + collar), own[1])
                worst = min(worst, self["maxPrice"]) if self["maxPrice"] > 0 else worst
                worst = floor_to(worst, self["tickSize"])
        except OutOfRange:
            return None
        return worst if worst > 0 else None


def bounds_fit(low, high):
    """An upper bound of 0 is none."""
    return low >= 0 and high >= 0 and (high == 0 or low <= high)


def takes(state, order_type, post_only):
    """May a new order of this kind enter?"""
    if state == "POST_ONLY":
        return post_only
    if state == "LIMIT_ONLY":
        return order_type in ("LIMIT", "STOP_LIMIT")
    return state == "TRADING"


def amends(state):
    return state in ("TRADING", "LIMIT_ONLY")


class Instruments:
    """The instruments of a table, each worked out once."""

    def __init__(self, stage, port):
        self.stage = stage
        self.port = port
        self.known = {}

    def get(self, symbol):
        """None when the symbol is unknown."""
        identity, value = self.stage.table(self.port, symbol)
        if value is None:
            return None
        if identity not in self.known:
            self.known[identity] = Instrument(value)
        return self.known[identity]


def amount(value, name):
    """An optional amount of a command."""
    return None if value[name] is None else atoms(value[name])
