"""Matching: an order walks the other side of a book, takes its place there or among the stops, and is reported.

Source: docs/DOMAIN.md (orders, self-trade prevention, amounts, execution range); domain reference, 1.3 (hold and
fee of a fill), 1.4 (price-time priority, IOC, FOK, reports). What a command means is in fill.py.
"""

from amounts import MAX, ONE, OutOfRange, atoms, optional, text_of
from book import Book
from orders import short
from records import text_bytes
from stage import Poison, Stage
import reports

EMPTY_STATE = {"engineSeq": 0, "tradeId": 0, "bookSeq": 0, "arrivalSeq": 0, "lastPrice": None,
               "lastTradeTs": None}
LASTING = ("GTC", "GTD")


class Market:
    """A symbol: its book, its stops, its counters, its instrument."""

    def __init__(self, symbol):
        self.symbol = symbol
        self.book = Book()
        self.stops = {}  # id -> a stop that waits
        self.state = dict(EMPTY_STATE)
        self.published_seq = 0
        self.noted_seq = 0  # changed_ts is of this bookSeq
        self.changed_ts = None
        self.touched = False
        self.instrument = None

    def store_key(self, order_id=None):
        key = text_bytes(self.symbol) + b"\0"
        return (key if order_id is None else key + text_bytes(order_id) + b"\0").decode("latin-1")

    def find(self, order_id):
        return self.book.orders.get(order_id) or self.stops.get(order_id)

    def orders_of(self, user):
        """Open orders of a user, stops included, in the order of their arrival."""
        orders = self.book.orders_of(user) + [order for order in self.stops.values() if order.user == user]
        return sorted(orders, key=lambda order: order.sequence)

    def expiring(self):
        for orders in (self.book.orders, self.stops):
            for order in orders.values():
                if order.expires is not None:
                    yield order

    def last_price(self):
        return optional(self.state["lastPrice"])

    def market_lot(self):
        """What quantities of MARKET orders are multiples of."""
        return atoms(self.instrument["marketLotSize"] or self.instrument["lotSize"])

    def execution_range(self):
        """(lowest, highest) price at which an order that is worked now may trade."""
        last = self.last_price()
        down, up = (optional(self.instrument.get(name)) for name in ("rangeDown", "rangeUp"))
        low = 0 if last is None or down is None else -(-last * down // ONE)
        high = MAX if last is None or up is None else last * up // ONE
        return low, high


def whole_lots(taker, price, lot):
    """How much the rest of an amount buys at a price."""
    quantity = taker.amount * ONE // price
    return quantity - quantity % lot


class Matching(Stage):
    """What fill does with an order that is to trade."""

    # ---- the walk --------------------------------------------------------------------------------

    def work(self, market, order, by, ts):
        """Trades, then what is left rests or is cancelled by the reason that stopped the walk."""
        bounds = market.execution_range()
        if order.is_limit() and order.tif == "FOK":
            reason = self.why_not_whole(market, order, bounds)
            if reason is not None:
                self.canceled(market, order, reason, ts, by)
                return
        stopped = self.walk(market, order, by, ts, bounds)
        if order.over():
            return
        if order.is_limit() and order.tif in LASTING and stopped in ("EMPTY", "LIMIT"):
            self.rest(market, order)
        else:
            self.canceled(market, order, self.reason(order, stopped), ts, by)

    @staticmethod
    def why_not_whole(market, order, bounds):
        """FOK: None when it can be filled whole within its limit and the execution range."""
        low, high = bounds
        if not market.book.can_fill(order):
            return "FOK"
        maker, _ = market.book.first(order.side, order.price)
        limit = min(order.price, high) if order.side == "BUY" else max(order.price, low)
        if low <= maker.price <= high and market.book.can_fill(order, limit):
            return None
        return "PRICE_RANGE"

    @staticmethod
    def reason(order, stopped):
        if stopped == "SELF":
            return "STP"
        if stopped == "RANGE":
            return "PRICE_RANGE"
        if not order.is_limit():
            return "PRICE_RANGE" if stopped == "LIMIT" else "INSUFFICIENT_LIQUIDITY"
        return "FOK" if order.tif == "FOK" else "IOC"

    def walk(self, market, order, by, ts, bounds):
        """Until nothing more is possible; why it ended."""
        while not order.over():
            maker, why_not = market.book.first(order.side, order.price)
            if maker is None:
                return why_not
            if not bounds[0] <= maker.price <= bounds[1]:
                return "RANGE"
            qty = min(maker.leaves, order.leaves if order.by_quote is None
                      else whole_lots(order, maker.price, market.market_lot()))
            if qty == 0:
                return "SHORT"
            if order.stp == "NONE" or maker.user != order.user:
                self.execute(market, order, maker, qty, by, ts)
            elif order.stp == "DECREMENT":
                self.prevent(market, order, maker, qty, by, ts)
            else:
                if order.stp != "EXPIRE_TAKER":
                    self.take_out(market, maker, "STP", ts, by)
                if order.stp != "EXPIRE_MAKER":
                    return "SELF"
        return "OVER"

    @staticmethod
    def both(taker, change):
        try:
            return change()
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", f"amounts of a trade of order {taker.id} are out of range") from None

    @staticmethod
    def used_up(market, order, price):
        """Does what is left of an amount buy less than a lot at this price?"""
        return order.by_quote is not None and order.amount * ONE < price * market.market_lot()

    def execute(self, market, taker, maker, qty, by, ts):
        """One trade at the maker's price: maker's leg, taker's leg, trade."""
        price = maker.price
        (maker_after, maker_fee, _), (taker_after, taker_fee, notional) = self.both(
            taker, lambda: (maker.leg(price, qty, True), taker.leg(price, qty, False)))
        market.book.fill(maker, qty)
        maker.change(maker_after)
        taker.change(taker_after)
        if self.used_up(market, taker, price):
            taker.end()
            taker.done = True
        state = market.state
        state["bookSeq"] += 1
        state["engineSeq"] += 1
        state["tradeId"] += 1
        state |= {"lastPrice": text_of(price), "lastTradeTs": ts}
        trade = {"lastQty": text_of(qty), "lastPx": text_of(price), "tradeId": state["tradeId"],
                 "execType": "TRADE"}
        self.report(market, maker, "M", ts, liquidity="MAKER", feeAmount=text_of(maker_fee),
                    counterOrderId=taker.id, **trade)
        self.report(market, taker, "T", ts, liquidity="TAKER", feeAmount=text_of(taker_fee),
                    counterOrderId=maker.id, **trade, **by)
        self.emit("trades", market.symbol, {
            "symbol": market.symbol, "tradeId": state["tradeId"], "ts": ts,
            "price": text_of(price), "qty": text_of(qty), "quoteQty": text_of(notional),
            "takerSide": taker.side, "makerOrderId": maker.id, "takerOrderId": taker.id,
            "makerUserId": maker.user, "takerUserId": taker.user, "makerFee": text_of(maker_fee),
            "takerFee": text_of(taker_fee), "feeAsset": market.instrument["quoteAsset"],
            "engineSeq": state["engineSeq"]})
        self.keep_maker(market, maker)

    def prevent(self, market, taker, maker, qty, by, ts):
        """DECREMENT: both lose the quantity, nobody trades; what has nothing left ends."""
        price = maker.price
        maker_after, taker_after = self.both(
            taker, lambda: (maker.prevention(price, qty), taker.prevention(price, qty)))
        market.book.fill(maker, qty)
        maker.change(maker_after)
        taker.change(taker_after)
        taker.done = self.used_up(market, taker, price)
        market.state["bookSeq"] += 1
        market.state["engineSeq"] += 1
        common = {"execType": "TRADE_PREVENTION", "status": "ACCEPTED"}
        self.report(market, maker, "N", ts, counterOrderId=taker.id, **common)
        self.report(market, taker, "P", ts, counterOrderId=maker.id, **common, **by)
        if maker.leaves == 0:
            self.canceled(market, maker, "STP", ts, by)
        self.keep_maker(market, maker)
        if taker.over():
            self.canceled(market, taker, "STP", ts, by)

    def keep_maker(self, market, maker):
        if maker.leaves > 0:
            self.stores["orders"].put(market.store_key(maker.id), maker.row(market.symbol))
        else:
            self.stores["orders"].delete(market.store_key(maker.id))

    # ---- places ----------------------------------------------------------------------------------

    def arrive(self, market, order):
        market.state["arrivalSeq"] += 1
        order.sequence = market.state["arrivalSeq"]
        order.change({"client": short(order.client), "trace": short(order.trace)})

    def rest(self, market, order):
        self.arrive(market, order)
        try:
            market.book.insert(order)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", f"order {order.id} cannot rest in the book") from None
        market.state["bookSeq"] += 1
        self.stores["orders"].put(market.store_key(order.id), order.row(market.symbol))

    def wait(self, market, order):
        self.arrive(market, order)
        market.stops[order.id] = order
        self.stores["orders"].put(market.store_key(order.id), order.row(market.symbol))

    def remove(self, market, order):
        """Out of its place and out of the store."""
        if order.waits():
            del market.stops[order.id]
        else:
            market.book.remove(order)
            market.state["bookSeq"] += 1
        self.stores["orders"].delete(market.store_key(order.id))

    def take_out(self, market, order, reason, ts, by):
        """by: the command that ends the order, when it is not its own."""
        self.remove(market, order)
        self.canceled(market, order, reason, ts, by)

    # ---- reports ---------------------------------------------------------------------------------

    @staticmethod
    def exec_id(market, leg):
        return f"{market.symbol}-{market.state['engineSeq']}-{leg}"

    def event(self, market, order, leg, ts, **fields):
        """A report that is an event of its own."""
        market.state["engineSeq"] += 1
        self.report(market, order, leg, ts, **fields)

    def report(self, market, order, leg, ts, **fields):
        """The order as it stands; takes its next version."""
        order.version += 1
        quote = market.instrument["quoteAsset"]
        by_quote = order.by_quote is not None
        left = order.order_qty - order.cum_qty - order.leaves - order.prevented
        self.emit("executions", order.user, reports.EMPTY | {
            "execId": self.exec_id(market, leg), "ts": ts, "traceId": order.trace,
            "status": "FILLED" if order.over() else "ACCEPTED", "orderId": order.id,
            "commandId": order.command, "clientOrderId": order.client, "userId": order.user,
            "symbol": market.symbol, "side": order.side, "ordType": order.type, "tif": order.tif,
            "price": text_of(order.price) if order.is_limit() else None,
            "stopPrice": None if order.stop_price is None else text_of(order.stop_price),
            "orderQty": None if by_quote else text_of(order.order_qty), "cumQty": text_of(order.cum_qty),
            "leavesQty": text_of(order.leaves), "cumQuote": text_of(order.cum_quote),
            "preventedQty": text_of(order.prevented), "cancelledQty": "0" if by_quote else text_of(left),
            "feeTotal": text_of(order.fee_paid), "feeAsset": quote, "quoteAsset": quote,
            "baseAsset": market.instrument["baseAsset"], "holdAfter": text_of(order.hold),
            "engineSeq": market.state["engineSeq"], "bookSeq": market.state["bookSeq"],
            "version": order.version, "orderQuoteQty": text_of(order.by_quote) if by_quote else None,
            "expireTs": order.expires} | fields)

    def canceled(self, market, order, reason, ts, by):
        order.end()
        self.event(market, order, "C", ts, execType="CANCELED", status="CANCELLED", cancelReason=reason, **by)
