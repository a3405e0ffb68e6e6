"""The rules of flow.h a third time, on an unsorted list: for each question the whole list is looked through."""

import dataclasses

PRICE_MAX = 10**18 - 1


@dataclasses.dataclass
class Command:
    """One line of a flow."""

    seq: int
    msg: str
    side: str
    ioc: bool
    qty: int
    id: int
    price: int
    user: int = 0
    stp: str = "N"

    @classmethod
    def of(cls, line):
        seq, msg, side, ioc, qty, id_, price, *rest = line.split(",")
        user = int(rest[0]) if rest else 0
        return cls(int(seq), msg, side, ioc == "1", int(qty), int(id_), int(price), user, rest[1] if rest[1:] else "N")


@dataclasses.dataclass
class Order:
    """An order that rests, or one on its way through."""

    id: int
    user: int
    side: str
    price: int
    leaves: int
    arrival: int = 0


class NaiveBook:
    """Answers commands with the lines of their reports."""

    def __init__(self):
        self.orders = []
        self.arrivals = 0

    def find(self, id_):
        return next((order for order in self.orders if order.id == id_), None)

    def makers(self, side, limit):
        """What a taker of this side and limit meets, in the order in which it meets it."""
        if side == "B":
            reached = [order for order in self.orders if order.side == "S" and order.price <= limit]
            return sorted(reached, key=lambda order: (order.price, order.arrival))
        reached = [order for order in self.orders if order.side == "B" and order.price >= limit]
        return sorted(reached, key=lambda order: (-order.price, order.arrival))

    def apply(self, command):
        if command.msg in "NFP":
            return self.take(command)
        if command.msg in "MA":
            return self.modify(command)
        if command.msg == "X":
            theirs = sorted((order for order in self.orders if order.user == command.user),
                            key=lambda order: order.arrival)
            return [self.cancel(command, order) for order in theirs] or [f"4,{command.seq},{command.id}"]
        order = self.find(command.id)
        return [self.cancel(command, order)] if order else [f"4,{command.seq},{command.id}"]

    def cancel(self, command, order):
        self.orders = [other for other in self.orders if other is not order]
        return cancelled(command, order)

    def take(self, command):
        order = Order(command.id, command.user, command.side, command.price, command.qty)
        makers = self.makers(order.side, order.price)
        if not possible(command) or self.find(order.id) or (command.msg == "P" and makers):
            return [f"6,{command.seq},{order.id}"]
        out = [told(0, command, order)]
        if command.msg == "F" and not fills(command, order, makers):
            return out + [cancelled(command, order)]
        return out + self.work(command, order)

    def modify(self, command):
        old = self.find(command.id)
        if old is None or not possible(command):
            return [f"5,{command.seq},{command.id}"]
        if command.msg == "A" and command.price == old.price and command.qty < old.leaves:
            old.leaves = command.qty
            return [told(3, command, old)]
        self.orders = [order for order in self.orders if order is not old]
        return self.work(command, Order(old.id, old.user, old.side, command.price, command.qty))

    def work(self, command, taker):
        out, alive = [], True
        done = told(3, command, taker)
        for maker in self.makers(taker.side, taker.price):
            if not alive or taker.leaves == 0:
                break
            alive = self.meet(command, taker, maker, out)
        if command.msg in "MA":
            out.append(done)
        if alive and taker.leaves and not command.ioc and command.msg != "F":
            taker.arrival = self.arrivals
            self.arrivals += 1
            self.orders.append(taker)
        elif taker.leaves or not alive:
            out.append(cancelled(command, taker))
        return out

    def meet(self, command, taker, maker, out):
        """One step; False when self-trade prevention ends the taker."""
        own = command.stp != "N" and maker.user == taker.user
        if own and command.stp == "T":
            return False
        if own and command.stp != "D":
            out.append(self.cancel(command, maker))
            return command.stp == "M"
        qty = min(taker.leaves, maker.leaves)
        out.append(f"{7 if own else 1},{command.seq},{maker.price},{qty},{maker.id},{taker.id}")
        taker.leaves -= qty
        maker.leaves -= qty
        if maker.leaves == 0:
            line = self.cancel(command, maker)
            if own:
                out.append(line)
        return not own or taker.leaves > 0


def possible(command):
    return command.qty > 0 and 0 < command.price <= PRICE_MAX


def fills(command, taker, makers):
    """Fill or kill: is there enough, before an own order ends it?"""
    found = 0
    for maker in makers:
        if found >= taker.leaves:
            break
        if command.stp == "N" or maker.user != taker.user:
            found += maker.leaves
        elif command.stp != "M":
            return False
    return found >= taker.leaves


def side_number(order):
    return 0 if order.side == "B" else 1


def told(kind, command, order):
    return f"{kind},{command.seq},{side_number(order)},{order.id},{order.price},{order.leaves}"


def cancelled(command, order):
    return f"2,{command.seq},{side_number(order)},{order.id},{order.price}"
