"""A live order: what the book, the store and every report need of it, and what a fill makes of it.

Source: domain reference, 1.3 (fill release): F = the unrounded sum of rate x notional, paid = ceil(F), hold =
P x leaves + ceil(F + rT x P x leaves) - paid; a release is never negative. docs/DOMAIN.md: an order by amount
holds what is left of it and its fee, or the base that it takes at the collar.
"""

import dataclasses

from amounts import ONE, OutOfRange, atoms, ceil_div, in_range, micros, optional, product, text_of
from records import text_bytes

ID_BYTES_MAX = 64
LIMB = 1 << 64
STOPS = ("STOP", "STOP_LIMIT")
COLLARED = ("MARKET", "STOP")  # their limit is the collar that risk computed


def short(text):
    """A text that a resting order keeps; one too long is not kept."""
    return text if text is not None and len(text_bytes(text)) <= ID_BYTES_MAX else None


def signed(limb):
    return limb - LIMB if limb >= LIMB // 2 else limb


@dataclasses.dataclass(slots=True)
class Order:
    """A live order. Amounts are in atoms; `fee_sum` is the unrounded sum, at scale 36."""

    id: str
    user: str
    side: str
    price: int  # the limit, of a MARKET or STOP order the collar
    leaves: int
    stp: str
    type: str = "LIMIT"
    tif: str = "GTC"
    post_only: bool = False
    hold: int = 0
    maker_rate: int = 0
    taker_rate: int = 0
    fee_sum: int = 0
    fee_paid: int = 0
    order_qty: int = 0
    cum_qty: int = 0
    cum_quote: int = 0
    version: int = 0
    sequence: int = 0
    command: str = ""
    client: str | None = None
    trace: str | None = None
    prevented: int = 0
    stop_price: int | None = None
    expires: object = None  # as the record has it
    triggered: bool = False
    by_quote: int | None = None  # the amount of an order by amount
    amount: int = 0  # what is left of it
    done: bool = False  # an amount of which less than a lot is left

    @classmethod
    def of_command(cls, command):
        collared = command["ordType"] in COLLARED
        return cls(
            id=command["orderId"], user=command["userId"], side=command["side"],
            price=atoms(command["collarPx"] if collared else command["price"]),
            leaves=atoms(command["qty"] or "0"), hold=atoms(command["reserved"]),
            maker_rate=atoms(command["feeMaker"]), taker_rate=atoms(command["feeTaker"]),
            order_qty=atoms(command["qty"] or "0"), by_quote=optional(command["quoteQty"]),
            amount=atoms(command["quoteQty"] or "0"),
            stop_price=optional(command["stopPrice"]) if command["ordType"] in STOPS else None,
            expires=command["expireTs"] if command["tif"] == "GTD" else None, type=command["ordType"], tif=command["tif"],
            stp=command["stpMode"], post_only=command["postOnly"], command=command["eventId"],
            client=command["clientOrderId"], trace=command["traceId"])

    @classmethod
    def of_row(cls, row):
        fee_sum = (row["feeHigh"] << 128) + (row["feeMid"] % LIMB << 64) + row["feeLow"] % LIMB
        return cls(
            id=row["orderId"], user=row["userId"], side=row["side"], price=atoms(row["price"]),
            leaves=atoms(row["leavesQty"]), hold=atoms(row["hold"]), maker_rate=atoms(row["feeMaker"]),
            taker_rate=atoms(row["feeTaker"]), fee_sum=fee_sum, fee_paid=atoms(row["feePaid"]),
            order_qty=atoms(row["orderQty"]), cum_qty=atoms(row["cumQty"]), cum_quote=atoms(row["cumQuote"]),
            version=row["version"], type=row["ordType"], tif=row["tif"], stp=row["stpMode"],
            post_only=row["postOnly"], command=short(row["commandId"]), client=short(row["clientOrderId"]),
            trace=short(row["traceId"]), sequence=row["sequence"], prevented=atoms(row["preventedQty"]),
            stop_price=optional(row["stopPrice"]), expires=row["expireTs"], triggered=row["triggered"])

    def row(self, symbol):
        """As store "orders" keeps it."""
        limbs = [signed(self.fee_sum >> shift & LIMB - 1) for shift in (128, 64, 0)]
        return {
            "symbol": symbol, "orderId": self.id, "commandId": self.command, "userId": self.user,
            "clientOrderId": self.client, "traceId": self.trace, "side": self.side, "ordType": self.type,
            "tif": self.tif, "stpMode": self.stp, "postOnly": self.post_only, "price": text_of(self.price),
            "stopPrice": None if self.stop_price is None else text_of(self.stop_price), "orderQty": text_of(self.order_qty), "leavesQty": text_of(self.leaves),
            "cumQty": text_of(self.cum_qty), "cumQuote": text_of(self.cum_quote),
            "preventedQty": text_of(self.prevented), "expireTs": self.expires, "feeMaker": text_of(self.maker_rate), "feeTaker": text_of(self.taker_rate),
            "feeHigh": limbs[0], "feeMid": limbs[1], "feeLow": limbs[2], "feePaid": text_of(self.fee_paid),
            "hold": text_of(self.hold), "sequence": self.sequence, "version": self.version,
            "triggered": self.triggered,
        }

    # ---- what it is ------------------------------------------------------------------------------

    def waits(self):
        """A stop that has not been triggered."""
        return self.stop_price is not None and not self.triggered

    def over(self):
        return self.leaves == 0 if self.by_quote is None else self.done

    def is_limit(self):
        return self.type in ("LIMIT", "STOP_LIMIT")

    def expires_us(self):
        return micros(self.expires)

    # ---- money -----------------------------------------------------------------------------------

    def held_for(self, leaves, fee_sum, fee_paid):
        """hold = P x leaves + ceil(F + rT x P x leaves) - feePaid; of a sell its leaves."""
        if self.side == "SELL":
            return leaves
        return self.held_for_notional(product(self.price, leaves), fee_sum, fee_paid)

    def held_for_notional(self, notional, fee_sum, fee_paid):
        fees = in_range(ceil_div(fee_sum + self.taker_rate * notional, ONE))
        return in_range(in_range(notional + fees) - fee_paid)

    def least_hold(self):
        """What must be held when it begins; a sell by amount is asked for to the atom, not to the lot."""
        if self.side == "BUY" and not -ONE <= self.taker_rate <= ONE:
            raise OutOfRange()
        if self.by_quote is None:
            return self.held_for(in_range(self.leaves), 0, 0)
        if self.side == "BUY":
            return self.held_for_notional(self.amount, 0, 0)
        return in_range(ceil_div(self.amount * ONE, self.price))

    def without(self, qty, notional, fee_sum, fee_paid):
        """What is open and what is held when qty is no longer open."""
        if self.by_quote is None:
            leaves = self.leaves - qty
            return {"leaves": leaves, "hold": self.held_for(leaves, fee_sum, fee_paid)}
        amount = self.amount - notional
        hold = self.hold - qty if self.side == "SELL" else self.held_for_notional(amount, fee_sum, fee_paid)
        if amount < 0 or hold < 0:
            raise OutOfRange()
        return {"amount": amount, "hold": hold}

    def leg(self, price, qty, maker):
        """What a fill makes of the order: (changed fields, fee, notional). Nothing is changed yet."""
        if qty <= 0 or (self.by_quote is None and qty > self.leaves) or price <= 0:
            raise OutOfRange()
        if self.side == "BUY" and price > self.price:
            raise OutOfRange()
        notional = product(price, qty)
        rate = self.maker_rate if maker else self.taker_rate
        if not -ONE <= rate <= ONE:
            raise OutOfRange()
        fee_sum = self.fee_sum + rate * notional
        fee_paid = in_range(ceil_div(fee_sum, ONE))
        fee = in_range(fee_paid - self.fee_paid)
        after = self.without(qty, notional, fee_sum, fee_paid)
        if self.side == "SELL":
            in_range(notional - fee)
        elif in_range(in_range(self.hold - after["hold"]) - in_range(notional + fee)) < 0:
            raise OutOfRange()
        after |= {"fee_sum": fee_sum, "fee_paid": fee_paid, "cum_qty": in_range(self.cum_qty + qty),
                  "cum_quote": in_range(self.cum_quote + notional)}
        return after, fee, notional

    def prevention(self, price, qty):
        """What a trade that self-trade prevention stops makes of the order."""
        notional = 0 if self.by_quote is None else product(price, qty)
        after = self.without(qty, notional, self.fee_sum, self.fee_paid)
        if self.by_quote is None:
            after["prevented"] = in_range(self.prevented + qty)
        return after

    def change(self, fields):
        for name, value in fields.items():
            setattr(self, name, value)

    def end(self):
        self.leaves = 0
        self.amount = 0
        self.hold = 0
