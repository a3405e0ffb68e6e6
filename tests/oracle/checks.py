"""The checks of an order, in their fixed order; the first one that fails is the recorded code.

Source: domain reference, 1.3: kill switch, velocity, counts, collar and size, position, funds. All that an order
is judged by is read before; only the velocity check changes anything.
"""

from amounts import ONE, OutOfRange, atoms, ceil_div, in_range, product

PPM = 10 ** 6


class Case:
    """One order under examination."""

    def __init__(self, order, now_us, account, instrument):
        self.order = order
        self.now_us = now_us
        self.account = account
        self.instrument = instrument
        self.buy = order["side"] == "BUY"
        self.qty = atoms(order["qty"])
        self.asset = instrument.quote if self.buy else instrument.base
        self.exposure = account.exposure(order["symbol"])
        self.available = account.balance(self.asset)[0]
        self.tick = None  # the reference price's record, when there is a price that counts
        self.price = None
        self.hold = None

    def open_qty(self):
        return atoms(self.exposure["openBuy" if self.buy else "openSell"])

    def held(self):
        """The position as the order's side sees it."""
        position = atoms(self.exposure["position"])
        return position if self.buy else -position


class Checks:
    """A check returns the code that holds against the order, or None."""

    def __init__(self, options):
        self.options = options
        self.collar = options["price-collar"] * (ONE // PPM)
        self.all = (self.switch, self.velocity, self.open_orders, self.price, self.position, self.funds)

    def run(self, case):
        return next((code for code in (check(case) for check in self.all) if code is not None), None)

    def switch(self, case):
        """Kill switch: ACTIVE, REDUCING, HALTED, of the user and of the symbol."""
        states = (case.account.row["tradingState"], case.exposure["tradingState"])
        if "HALTED" in states:
            return "HALTED"
        reducing = "REDUCING" in states or case.order["reduceOnly"]
        if reducing and case.open_qty() + case.qty > -case.held():
            return "REDUCING"
        return None

    def velocity(self, case):
        """Token bucket on event time. An order that passed has used its token, whatever follows."""
        return None if case.account.take_token(case.now_us) else "VELOCITY"

    def open_orders(self, case):
        own = case.account.row["openOrdersMax"]
        most = self.options["open-orders"] if own is None else own
        of_symbol = case.instrument.max_orders
        full = of_symbol is not None and case.exposure["openOrders"] >= of_symbol
        return "OPEN_ORDERS" if case.account.row["openOrders"] >= most or full else None

    def price(self, case):
        """Collar; a MARKET order becomes one with its collar price as limit. Largest notional."""
        reference = None if case.tick is None else atoms(case.tick["price"])
        if case.order["ordType"] == "MARKET":
            if reference is not None:
                case.price = case.instrument.market_price(case.order["side"], reference, self.collar)
            if case.price is None:
                return "PRICE_UNAVAILABLE"
        else:
            case.price = atoms(case.order["price"])
            if reference is not None and self.outside_collar(case, reference):
                return "PRICE_COLLAR"
        try:
            notional = product(case.price, case.qty)
        except OutOfRange:
            return "OVERFLOW"
        most = case.account.row["notionalMax"]
        return "ORDER_TOO_LARGE" if most is not None and notional > atoms(most) else None

    def outside_collar(self, case, reference):
        """The instrument's own factors where it has them; on the harmful side the option else."""
        side = case.order["side"]
        bounds = case.instrument.collar(side, reference)
        if bounds is None:
            return True
        low, high = bounds
        own = case.instrument["bidUp" if case.buy else "askDown"]
        if own is None:
            worst = case.instrument.market_price(side, reference, self.collar)
            if worst is not None:
                low, high = (low, worst) if case.buy else (worst, high)
        return 0 < high < case.price or case.price < low

    def position(self, case):
        """Open orders count in full: max(pos + OB + q, OS - pos + q) against the limit."""
        try:
            worst = in_range(case.held() + in_range(case.open_qty() + case.qty))
        except OutOfRange:
            return "OVERFLOW"
        limit = case.exposure["positionLimit"]
        if limit is None:
            limit = case.account.row["positionLimit"]
        limit = case.instrument["maxPosition"] if limit is None else atoms(limit)
        return "POSITION_LIMIT" if limit is not None and worst > limit else None

    def funds(self, case):
        """Buying power: hold P x Q + ceil(P x Q x taker rate) in quote, or Q in base."""
        case.hold = case.qty
        if case.buy:
            try:
                notional = product(case.price, case.qty)
                fees = in_range(ceil_div(notional * case.instrument["takerFee"], ONE))
                case.hold = in_range(notional + fees)
            except OutOfRange:
                return "OVERFLOW"
        return "INSUFFICIENT_FUNDS" if case.available < case.hold else None
