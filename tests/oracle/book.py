"""One symbol's order book: price-time priority, self-trade prevention, touched levels, checksum.

Source: domain reference, 1.4 (price-time priority, trade at the maker's price, STP by the taker's mode, FOK
pre-scan), 1.6 (checksum over the ten best levels). Written for plainness: a sorted list of prices on each
side, at each price the orders in the order of their arrival.
"""

import bisect
import zlib

from amounts import MAX, OutOfRange, text_of

CHECKSUM_LEVELS = 10


def opposite(side):
    return "SELL" if side == "BUY" else "BUY"


class Level:
    """The orders at one price, oldest first, and the sum of what they leave."""

    __slots__ = ("orders", "qty")

    def __init__(self):
        self.orders = {}
        self.qty = 0


class Side:
    """The resting orders of one side."""

    def __init__(self, name):
        self.name = name
        self.prices = []  # ascending
        self.levels = {}  # price -> Level
        self.touched = set()  # prices whose level changed since the last delta

    def best_first(self):
        return reversed(self.prices) if self.name == "BUY" else iter(self.prices)

    def best(self):
        if not self.prices:
            return None
        return self.prices[-1] if self.name == "BUY" else self.prices[0]

    def within(self, price, limit):
        """Would a taker of the other side with this limit take the price?"""
        return price >= limit if self.name == "BUY" else price <= limit

    def insert(self, order):
        level = self.levels.get(order.price)
        if level is not None and level.qty > MAX - order.leaves:
            raise OutOfRange()
        if level is None:
            level = self.levels[order.price] = Level()
            bisect.insort(self.prices, order.price)
        level.orders[order.id] = order
        level.qty += order.leaves
        self.touched.add(order.price)

    def remove(self, order):
        level = self.levels[order.price]
        del level.orders[order.id]
        level.qty -= order.leaves
        self.touched.add(order.price)
        if not level.orders:
            del self.levels[order.price]
            del self.prices[bisect.bisect_left(self.prices, order.price)]

    def reduce(self, order, qty):
        """The order loses some of what it leaves and keeps its place."""
        order.leaves -= qty
        self.levels[order.price].qty -= qty
        self.touched.add(order.price)

    def level(self, price):
        """The level as deltas and snapshots show it: absolute, 0 when it is gone."""
        level = self.levels.get(price)
        if level is None:
            return {"price": text_of(price), "qty": "0", "orders": 0}
        return {"price": text_of(price), "qty": text_of(level.qty), "orders": len(level.orders)}

    def top(self, count):
        return [self.level(price) for _, price in zip(range(count), self.best_first())]

    def changes(self):
        """The touched levels, best price first."""
        return [self.level(price) for price in sorted(self.touched, reverse=self.name == "BUY")]


class Book:
    """Both sides, and the orders by id."""

    def __init__(self):
        self.sides = {"BUY": Side("BUY"), "SELL": Side("SELL")}
        self.orders = {}

    def insert(self, order):
        self.sides[order.side].insert(order)
        self.orders[order.id] = order

    def remove(self, order):
        self.sides[order.side].remove(order)
        del self.orders[order.id]

    def fill(self, maker, qty):
        """A maker that is filled leaves the book."""
        self.sides[maker.side].reduce(maker, qty)
        if maker.leaves == 0:
            self.remove(maker)

    def crosses(self, side, limit):
        other = self.sides[opposite(side)]
        return bool(other.prices) and other.within(other.best(), limit)

    def first(self, side, limit):
        """(oldest order of the best level that the taker reaches, None), or (None, why there is none)."""
        other = self.sides[opposite(side)]
        best = other.best()
        if best is None:
            return None, "EMPTY"
        if not other.within(best, limit):
            return None, "LIMIT"
        return next(iter(other.levels[best].orders.values())), None

    def orders_of(self, user):
        return [order for order in self.orders.values() if order.user == user]

    def can_fill(self, taker, limit=None):
        """FOK: all of it, at its limit (or this one) or better, without meeting what its STP mode forbids."""
        limit = taker.price if limit is None else limit
        wanted = taker.leaves
        other = self.sides[opposite(taker.side)]
        for price in other.best_first():
            if wanted <= 0:
                break
            if not other.within(price, limit):
                return False
            for maker in other.levels[price].orders.values():
                if wanted <= 0:
                    break
                if taker.stp != "NONE" and maker.user == taker.user:
                    if taker.stp != "EXPIRE_MAKER":
                        return False
                    continue
                wanted -= min(wanted, maker.leaves)
        return wanted <= 0

    def checksum(self):
        """CRC32 over "price:qty;" of the ten best asks, then of the ten best bids."""
        text = "".join(f"{level['price']}:{level['qty']};" for name in ("SELL", "BUY")
                       for level in self.sides[name].top(CHECKSUM_LEVELS))
        return zlib.crc32(text.encode())

    def forget_changes(self):
        for side in self.sides.values():
            side.touched.clear()
