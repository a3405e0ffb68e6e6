"""The checks of an order or amendment, in their fixed order; the first one that fails is the recorded code.

Source: domain reference, 1.3, and docs/DOMAIN.md (limits and switches): switches, velocity, sum of a minute, loop
guard, open orders, client order id, collar and size, position, concentration, daily loss, margin, funds. All that an
order is judged by is read before. A check returns None, or what holds against the order and the numbers it compared.
"""

from amounts import MAX, ONE, OutOfRange, atoms, ceil_div, ceil_to, in_range, micros, optional, product, product_ceil, product_floor

PPM = 10 ** 6
STEP_US = 5 * 10 ** 6
STEPS = 13
TOKEN = 10 ** 6
STATES = ("ACTIVE", "REDUCING", "HALTED")


class Failure:
    """What holds against an order: the check, the code, and the numbers compared."""

    def __init__(self, code, limit=None, current=None, projected=None):
        self.check = None
        self.code = code
        self.limit = limit
        self.current = current
        self.projected = projected


def with_fee(notional, rate):
    return in_range(notional + in_range(ceil_div(notional * rate, ONE)))


def first(*values):
    return next((value for value in values if value is not None), None)


class Case:
    """One command under examination: what it asks for, and the rows it is held against."""

    def __init__(self, settings, now_us, account, everybody, instrument, symbol):
        self.settings = settings
        self.now_us = now_us
        self.account = account
        self.all = everybody
        self.instrument = instrument
        self.symbol = symbol
        self.collar = settings["price-collar"] * (ONE // PPM)
        self.exposure = account.exposure(symbol)
        self.all_exposure = everybody.exposure(symbol)
        self.prices = None   # symbol -> price as atoms, None: not known
        self.records = None  # symbol -> Instrument
        self.tick = None     # the reference price's record, when it counts
        self.client_id_taken = False
        self.amend = self.reduce_only = self.guess = False
        self.price = self.notional = self.need = None
        self.added = 0
        self.low, self.high = 0, MAX
        self.print = None

    # ---- what is asked ---------------------------------------------------------------------------

    def new(self, order):
        """A new order: price of its hold, quantity, worth and hold."""
        self.buy = order["side"] == "BUY"
        self.reduce_only = order["reduceOnly"]
        kind, quote = order["ordType"], optional(order["quoteQty"])
        reference = self.reference()
        if kind == "MARKET":
            if reference is not None:
                self.price = self.instrument.market_price(order["side"], reference, self.collar)
        elif kind == "STOP":
            self.price = self.instrument.market_price(order["side"], atoms(order["stopPrice"]), self.collar)
        else:
            self.price = atoms(order["price"])
            if kind == "LIMIT" and reference is not None:
                self.find_collar(reference)
        self.qty = optional(order["qty"]) or 0
        self.guess = quote is not None and self.buy
        try:
            if self.price is not None and quote is not None:
                self.by_amount(quote, reference)
            elif self.price is not None:
                notional = product(self.price, self.qty)
                self.need = with_fee(notional, self.instrument["takerFee"]) if self.buy else self.qty
                self.notional = notional
        except OutOfRange:
            self.notional = self.need = None
        self.added = self.notional or 0

    def by_amount(self, quote, reference):
        """A sell takes at most the amount at its collar; a buy counts with the lower end of the collar."""
        price = self.price
        if self.buy:
            low = self.instrument.market_price("SELL", reference, self.collar)
            price = price if low is None else min(price, low)
        self.qty = ceil_to(in_range(ceil_div(quote * ONE, price)), self.instrument["lotSize"])
        self.need = with_fee(quote, self.instrument["takerFee"]) if self.buy else self.qty
        self.notional = quote

    def amendment(self, order, open_order, new_leaves):
        """A new total or price: what it may need in addition, whatever trades on the way."""
        self.amend = True
        self.reduce_only = open_order["reduceOnly"]
        self.buy = open_order["side"] == "BUY"
        before, leaves = atoms(open_order["price"]), atoms(open_order["leavesQty"])
        self.price = first(optional(order["price"]), before)
        reference = self.reference()
        if order["price"] is not None and open_order["ordType"] == "LIMIT" and reference is not None:
            self.find_collar(reference)
        self.qty = max(new_leaves - leaves, 0)
        then = max(new_leaves, 0)
        try:
            notional = product(self.price, first(optional(order["qty"]), atoms(open_order["orderQty"])))
            old, new = product(before, leaves), product(self.price, then)
            self.need = self.qty
            if self.buy:
                more = max(new - old, product(self.price, then - leaves), 0)
                self.need = with_fee(more, atoms(open_order["feeTaker"]))
            self.notional, self.added = notional, max(new - old, 0)
        except OutOfRange:
            self.need = None

    def reference(self):
        return None if self.tick is None else atoms(self.tick["price"])

    def find_collar(self, reference):
        """The instrument's own factors where it has them; on the harmful side the option else."""
        side = "BUY" if self.buy else "SELL"
        bounds = self.instrument.collar(side, reference)
        if bounds is None:
            self.low = MAX
            return
        self.low, self.high = bounds
        if self.instrument["bidUp" if self.buy else "askDown"] is None:
            worst = self.instrument.market_price(side, reference, self.collar)
            if worst is not None and self.buy:
                self.high = worst
            elif worst is not None:
                self.low = worst

    # ---- how it stands ---------------------------------------------------------------------------

    def open_qty(self):
        return atoms(self.exposure["openBuy" if self.buy else "openSell"])

    def held(self):
        """The position as the order's side sees it."""
        position = atoms(self.exposure["position"])
        return position if self.buy else -position

    def reduces(self):
        """Closer to zero, with all open orders filled."""
        return self.qty == 0 or (not self.guess and self.open_qty() + self.qty <= -self.held())

    def limit(self, name, last=None):
        """The user's in the symbol, the user's, that of all in the symbol, that of all, the last."""
        rows = (self.exposure, self.account.row, self.all_exposure, self.all.row)
        return first(*(row[name] for row in rows), last)

    def limit_atoms(self, name, last=None):
        found = self.limit(name)
        return last if found is None else atoms(found)

    def state(self):
        rows = (self.exposure, self.account.row, self.all_exposure, self.all.row)
        return STATES[max(STATES.index(row["tradingState"]) for row in rows)]

    def available(self):
        return self.account.balance(self.instrument.quote if self.buy else self.instrument.base)[0]

    def mark(self, symbol, own_price):
        known = self.prices(symbol)
        return first(known, own_price if symbol == self.symbol else None)

    def portfolio(self, own_price):
        """(equity, initial margin of other symbols, maintenance margin), None when a mark is missing."""
        quote = self.instrument.quote
        try:
            equity, other, kept = in_range(sum(self.account.balance(quote))), 0, 0
            for entry in self.account.row["exposures"]:
                position, bought, sold = (atoms(entry[name]) for name in ("position", "openBuy", "openSell"))
                if (position, bought, sold) == (0, 0, 0):
                    continue
                instrument = self.records(entry["symbol"])
                if instrument is None:
                    return None
                if instrument.quote != quote:
                    continue
                mark = self.mark(entry["symbol"], own_price)
                if mark is None:
                    return None
                value = product_floor(position, mark)
                equity = in_range(equity + value)
                kept = in_range(kept + product_ceil(abs(value), instrument["maintenanceMargin"] or 0))
                if entry["symbol"] != self.symbol:
                    worst = worst_position(position, bought, sold)
                    exposed = product_ceil(product_ceil(worst, mark), instrument["initialMargin"] or 0)
                    other = in_range(other + exposed)
        except OutOfRange:
            return None
        return equity, other, kept

    def exposed(self, mark):
        """What the symbol exposes at its mark, before and after."""
        position, bought, sold = (atoms(self.exposure[name]) for name in ("position", "openBuy", "openSell"))
        before = worst_position(position, bought, sold)
        after = worst_position(position, in_range(bought + self.qty) if self.buy else bought,
                               sold if self.buy else in_range(sold + self.qty))
        return product_ceil(before, mark), product_ceil(after, mark)


def worst_position(position, bought, sold):
    return max(abs(in_range(position + bought)), abs(in_range(position - sold)))


# ---- the checks ----------------------------------------------------------------------------------


def switch(case):
    """Kill switch: the strictest of all users, the symbol, the user, the user in the symbol."""
    position = atoms(case.exposure["position"])
    state = case.state()
    if state == "HALTED":
        return Failure("HALTED", current=position)
    if (state == "REDUCING" or case.reduce_only) and not case.reduces():
        return Failure("REDUCING", max(-case.held() - case.open_qty(), 0), position, case.qty)
    return None


def bucket(row, rule, now_us):
    """Token bucket on event time: the row after a token is taken, or the failure."""
    tokens, last_us = refilled(row, rule, now_us)
    if tokens >= TOKEN:
        return None
    left = tokens * (ONE // TOKEN)
    return Failure("VELOCITY", rule[1] * ONE, left, left)


def refilled(row, rule, now_us):
    """tok = min(cap, tok + rate x dt); an earlier clock refills nothing. A new one is full."""
    per_second, burst = rule
    depth = max(burst, 0) * TOKEN
    if row["bucketTs"] is None:
        return depth, now_us
    tokens, last_us = row["bucketMicroTokens"], micros(row["bucketTs"])
    if now_us > last_us:
        gained = (now_us - last_us) * max(per_second, 0)
        tokens += gained if gained < 2 ** 63 else depth
    return min(tokens, depth), max(now_us, last_us)


def velocity(case):
    return bucket(case.account.row, case.account.rule(case.all), case.now_us)


def velocity_symbol(case):
    rule = symbol_rule(case)
    return None if rule is None else bucket(case.exposure, rule, case.now_us)


def symbol_rule(case):
    """Velocity of one symbol, where one was set."""
    names = ("velocityPerSecond", "velocityBurst")
    given = [first(case.exposure[name], case.all_exposure[name]) for name in names]
    if given == [None, None]:
        return None
    return first(given[0], case.settings["velocity"] // TOKEN), first(given[1], case.settings["velocity-burst"])


def window_max(case):
    found = first(case.account.row["notionalWindowMax"], case.all.row["notionalWindowMax"])
    return optional(found)


def window_step(case):
    steps = case.account.row["window"]
    now = case.now_us // STEP_US
    return max(now, steps[-1]["step"]) if steps else now


def notional_window(case):
    """Notional of the last minute, in steps of five seconds."""
    most = window_max(case)
    if most is None or case.notional is None:
        return None
    newest = window_step(case)
    total = sum(atoms(step["sum"]) for step in case.account.row["window"] if step["step"] > newest - STEPS)
    try:
        after = in_range(total + case.added)
    except OutOfRange:
        return Failure("OVERFLOW", most, total)
    return Failure("NOTIONAL_WINDOW", most, total, after) if case.added > 0 and after > most else None


def count(number, most, code):
    return Failure(code, most * ONE, number * ONE, (number + 1) * ONE) if number >= most else None


def loop_count(case):
    for entry in case.account.row["loops"]:
        if entry["print"] == case.print and case.now_us - micros(entry["since"]) < case.settings["loop-window"]:
            return entry["count"]
    return 0


def loop_guard(case):
    most = case.settings["loop-guard"]
    return None if case.amend or most == 0 else count(loop_count(case), most, "LOOP_GUARD")


def open_orders(case):
    if case.amend:
        return None
    rows = (case.account.row, case.all.row)
    most = first(*(row["openOrdersMax"] for row in rows), case.settings["open-orders"])
    return count(case.account.row["openOrders"], most, "OPEN_ORDERS")


def open_orders_symbol(case):
    rows = (case.exposure, case.all_exposure)
    most = first(*(row["openOrdersMax"] for row in rows), case.instrument.max_orders)
    return None if case.amend or most is None else count(case.exposure["openOrders"], most, "OPEN_ORDERS")


def client_order_id(case):
    return Failure("DUPLICATE_CLIENT_ID") if case.client_id_taken else None


def collar(case):
    """A MARKET order needs a reference; a limit price lies within the collar."""
    reference = case.reference()
    if case.price is None:
        return Failure("PRICE_UNAVAILABLE", current=reference)
    below = case.price < case.low
    if below or case.price > case.high:
        limit = case.low if below else case.high
        return Failure("PRICE_COLLAR", limit if below or case.high < MAX else None, reference, case.price)
    return None


def size(case):
    most = case.limit_atoms("notionalMax")
    if case.price is not None and case.need is None:
        return Failure("OVERFLOW", most)
    if case.price is not None and most is not None and case.notional > most:
        return Failure("ORDER_TOO_LARGE", most, None, case.notional)
    return None


def position(case):
    """Open orders count in full: max(pos + OB + q, OS - pos + q) against the limit."""
    most = case.limit_atoms("positionLimit", case.instrument["maxPosition"])
    try:
        before = in_range(case.held() + case.open_qty())
        after = in_range(before + case.qty)
    except OutOfRange:
        return Failure("OVERFLOW", most)
    return Failure("POSITION_LIMIT", most, before, after) if case.qty > 0 and most is not None and after > most else None


def own_price(case):
    return case.price


def concentration(case):
    """Share of one symbol in the net asset value."""
    most = case.limit_atoms("concentrationLimit")
    if most is None or case.reduces():
        return None
    worth, mark = case.portfolio(own_price(case)), case.mark(case.symbol, own_price(case))
    try:
        if worth is None or mark is None:
            raise OutOfRange()
        before, after = case.exposed(mark)
        bound = product_floor(most, max(worth[0], 0))
    except OutOfRange:
        return Failure("CONCENTRATION", most)
    if after <= before or (worth[0] > 0 and after <= bound):
        return None
    shares = [None, None]
    if worth[0] > 0:
        shares = [ceil_div(value * ONE, worth[0]) for value in (before, after)]
        shares = shares if max(shares) <= MAX else [None, None]
    return Failure("CONCENTRATION", most, *shares)


def loss_max(case):
    return optional(first(case.account.row["dailyLossLimit"], case.all.row["dailyLossLimit"]))


def daily_loss(case):
    """Latched for the UTC day; reducing orders go on."""
    most, breached = loss_max(case), case.account.is_today(case.now_us) and case.account.row["lossBreached"]
    loss = case.account.loss(case.instrument.quote) if case.account.is_today(case.now_us) else 0
    if (breached or (most is not None and loss >= most)) and not case.reduces():
        return Failure("DAILY_LOSS", most, loss)
    return None


def margin(case):
    """Equity covers the initial margin of all symbols; an order that exposes no more is always allowed."""
    rate = case.instrument["initialMargin"]
    if rate is None or case.reduces():
        return None
    worth, mark = case.portfolio(own_price(case)), case.mark(case.symbol, own_price(case))
    try:
        if worth is None or mark is None:
            raise OutOfRange()
        before, after = (in_range(product_ceil(value, rate) + worth[1]) for value in case.exposed(mark))
    except OutOfRange:
        return Failure("MARGIN")
    return Failure("MARGIN", worth[0], before, after) if after > before and worth[0] < after else None


def funds(case):
    available = case.available()
    if case.price is None or case.need is None:
        return None if case.price is None else Failure("OVERFLOW", available)
    if available >= case.need:
        return None
    return Failure("AMEND_UNFUNDED" if case.amend else "INSUFFICIENT_FUNDS", available, None, case.need)


CHECKS = (switch, velocity, velocity_symbol, notional_window, loop_guard, open_orders, open_orders_symbol,
          client_order_id, collar, size, position, concentration, daily_loss, margin, funds)
NAMES = tuple(check.__name__.replace("_", "-") for check in CHECKS)


def run(case):
    """The first check that fails, with its name; None when all pass."""
    for name, check in zip(NAMES, CHECKS):
        failure = check(case)
        if failure is not None:
            failure.check = name
            return failure
    return None


def reached(failure, name):
    """Did the order come as far as this check?"""
    return failure is None or NAMES.index(failure.check) >= NAMES.index(name)
