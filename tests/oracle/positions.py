"""A position after a fill, at average cost or first in, first out.

Source: docs/DOMAIN.md, "Rules: settle", and the domain reference, 1.5: no dust when a position closes, a fill
through zero closes and opens, the fee of every fill is realised at once, a UTC day that has passed is not
reopened. Lots: a fill at the price of the newest joins it; at the bound a fill joins the newest whatever its
price; a lot that is closed in part gives its share of the cost, truncated towards zero.
"""

from fractions import Fraction

from amounts import DAY_US, atoms, in_range, share, text_of

EMPTY = {"qty": "0", "costBasis": "0", "realisedTotal": "0", "realisedDay": "0", "day": 0, "feesTotal": "0",
         "version": 0, "endedSeq": 0}


def part_of(notional, part, whole):
    """The last part takes what is left."""
    return notional if part == whole else share(notional, part, whole)


def sign(value):
    return (value > 0) - (value < 0)


class Closing:
    """What of a fill closes the position; quantity and cost are signed, a sell has both negative."""

    def __init__(self, qty, fill):
        self.qty, self.cost = (fill.qty, fill.notional) if fill.buy else (-fill.qty, -fill.notional)
        self.closed = min(abs(qty), abs(self.qty)) if sign(qty) == -sign(self.qty) else 0
        self.cost_closed = part_of(self.cost, self.closed, abs(self.qty)) if self.closed else 0

    def opened(self):
        return self.qty - sign(self.qty) * self.closed, self.cost - self.cost_closed


def average_cost(position, closing):
    """The share of the basis that goes."""
    qty, basis = atoms(position["qty"]), atoms(position["costBasis"])
    return part_of(basis, closing.closed, abs(qty)) if closing.closed else 0


class Lots:
    """The lots of one position, oldest first: [quantity, cost], signed as the position."""

    def __init__(self, position, rows, bound):
        self.items = [[atoms(row["qty"]), atoms(row["cost"])] for row in rows]
        if not self.items and position["qty"] != "0":
            self.items = [[atoms(position["qty"]), atoms(position["costBasis"])]]
        self.bound = bound

    def close(self, closed):
        """Takes the oldest; what they had cost."""
        cost = 0
        while closed > 0:
            lot = self.items[0]
            part = min(closed, abs(lot[0]))
            taken = part_of(lot[1], part, abs(lot[0]))
            cost = in_range(cost + taken)
            lot[0] -= sign(lot[0]) * part
            lot[1] -= taken
            closed -= part
            if lot[0] == 0:
                self.items.pop(0)
        return cost

    def open(self, qty, cost):
        if qty == 0:
            return
        newest = self.items[-1] if self.items else None
        if newest is not None and (len(self.items) >= self.bound or self.same_price(newest, qty, cost)):
            newest[0] = in_range(newest[0] + qty)
            newest[1] = in_range(newest[1] + cost)
        else:
            self.items.append([qty, cost])

    @staticmethod
    def same_price(lot, qty, cost):
        """The same exact price, and one that an amount can say."""
        price = Fraction(cost, qty)
        return price == Fraction(lot[1], lot[0]) and (price * 10 ** 18).denominator == 1

    def rows(self, symbol):
        return [{"symbol": symbol, "qty": text_of(qty), "cost": text_of(cost)} for qty, cost in self.items]


def moved(position, closing, cost_out, fill, ts_us):
    """The position after a fill that took cost_out out of it."""
    qty, basis = atoms(position["qty"]), atoms(position["costBasis"])
    profit = in_range(in_range(-closing.cost_closed - cost_out) - fill.fee)
    basis = in_range(in_range(basis - cost_out) + in_range(closing.cost - closing.cost_closed))
    day = ts_us // DAY_US
    of_day = atoms(position["realisedDay"]) if day <= position["day"] else 0
    newest = max(day, position["day"])
    return {
        "qty": text_of(in_range(qty + closing.qty)),
        "costBasis": text_of(basis),
        "realisedTotal": text_of(in_range(atoms(position["realisedTotal"]) + profit)),
        "realisedDay": text_of(in_range(of_day + profit) if day == newest else of_day),
        "day": newest,
        "feesTotal": text_of(in_range(atoms(position["feesTotal"]) + fill.fee)),
        "version": position["version"] + 1,
        "endedSeq": position["endedSeq"],
    }
