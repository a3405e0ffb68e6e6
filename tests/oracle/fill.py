"""The fill stage: approved orders against the book of their symbol.

Source: domain reference, 1.4 (matching, IOC, FOK, post-only, MARKET as IOC with a collar, STP, cancel, halt), 1.3
(hold and fee of a fill: one unrounded sum F of rate x notional, rounded up as a whole; release never
negative), 1.6 (delta and snapshot per symbol and transaction). ACCEPTED comes from here.
"""

import codes
import reports
from amounts import ONE, OutOfRange, in_range, text_of
from book import Book
from instruments import takes
from orders import ID_BYTES_MAX, Order, short
from records import key_bytes, text_bytes
from stage import Poison, Stage, key_is

SYMBOL_BYTES_MAX = 64
ASSET_BYTES_MAX = 32
SNAPSHOT_LEVELS = 20
ORDERS_MAX = 4000000
EMPTY_STATE = {"engineSeq": 0, "tradeId": 0, "bookSeq": 0, "arrivalSeq": 0, "lastPrice": None,
               "lastTradeTs": None}


def is_name(text, bytes_max):
    return 0 < len(text_bytes(text)) <= bytes_max and "\0" not in text


class Market:
    """A symbol: its book, its counters, its instrument."""

    def __init__(self, symbol):
        self.symbol = symbol
        self.book = Book()
        self.state = dict(EMPTY_STATE)
        self.published_seq = 0
        self.changed_ts = None
        self.touched = False
        self.instrument = None

    def store_key(self, order_id=None):
        key = text_bytes(self.symbol) + b"\0"
        return (key if order_id is None else key + text_bytes(order_id) + b"\0").decode("latin-1")


class Fill(Stage):
    """Books and what becomes of each order."""

    STORES = ("orders", "books", "instruments")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.markets = {}
        self.half_way = False  # a record is in work: if it fails, books are to be made anew

    def process(self, port, record):
        if port == "instruments":
            self.instrument(record)
            return
        command = record.value
        self.check_identity(command, record.key)
        market = self.markets.get(command["symbol"])
        self.half_way = True
        before = None
        if market is not None:
            market.touched = True
            before = market.state["bookSeq"]
        if command["action"] == "NEW":
            self.new(market, command)
        else:
            self.cancel(market, command)
        self.half_way = False
        if market is not None and market.state["bookSeq"] != before:
            market.changed_ts = command["ts"]

    @staticmethod
    def check_identity(command, key):
        if not is_name(command["symbol"], SYMBOL_BYTES_MAX) or not key_is(key, command["symbol"]):
            raise Poison("MALFORMED", "symbol of an order is not its key")
        if not all(is_name(command[name], ID_BYTES_MAX) for name in ("orderId", "userId", "eventId")):
            raise Poison("MALFORMED", f"orderId, userId and eventId take 1 to {ID_BYTES_MAX} bytes")

    def instrument(self, record):
        """A halt takes effect between two orders; a deleted instrument halts its symbol."""
        raw = key_bytes(record.key)
        if not 0 < len(raw) <= SYMBOL_BYTES_MAX or b"\0" in raw:
            raise Poison("MALFORMED", "key of an instrument is not a symbol")
        key = record.key + "\0"
        value = record.value
        if value is None:
            known = self.stores["instruments"].get(key)
            if known is None:
                return
            value = known | {"state": "HALT"}
        if (not key_is(record.key, value["symbol"]) or not is_name(value["baseAsset"], ASSET_BYTES_MAX)
                or not is_name(value["quoteAsset"], ASSET_BYTES_MAX)):
            raise Poison("MALFORMED", "instrument without symbol or assets")
        self.stores["instruments"].put(key, value)
        market = self.markets.setdefault(value["symbol"], Market(value["symbol"]))
        market.touched = True
        market.instrument = value

    # ---- NEW -------------------------------------------------------------------------------------

    def new(self, market, command):
        """Everything that can refuse an order is asked before it is accepted."""
        order, code = self.check(market, command)
        if code is not None:
            self.rejected(market, command, code)
        else:
            market.state["engineSeq"] += 1
            self.report(market, order, "A", command["ts"], execType="NEW")
            self.work(market, order, command)
        self.put_state(market)

    def check(self, market, command):
        """(the order, None) or (None, code)."""
        if market is None:
            return None, "UNKNOWN_SYMBOL"
        if not takes(market.instrument["state"], command["ordType"], command["postOnly"]):
            return None, "NOT_TRADING"
        code = self.check_kind(command)
        if code is not None:
            return None, code
        order = Order.of_command(command)
        return order, self.check_amounts(order) or self.check_book(market.book, order)

    @staticmethod
    def check_kind(command):
        """What this engine works: LIMIT and MARKET, without GTD, quoteQty, displayQty, reduceOnly, DECREMENT."""
        market = command["ordType"] == "MARKET"
        if not market and command["ordType"] != "LIMIT":
            return "BAD_TYPE"
        if command["tif"] == "GTD":
            return "BAD_TIF"
        refused = (command["stpMode"] == "DECREMENT" or command["quoteQty"] is not None
                   or command["displayQty"] is not None or command["reduceOnly"])
        if refused or (command["postOnly"] and (market or command["tif"] != "GTC")):
            return "NOT_ALLOWED"
        needed = ("qty", "collarPx" if market else "price", "feeMaker", "feeTaker", "reserved")
        return "MISSING" if any(command[name] is None for name in needed) else None

    @staticmethod
    def check_amounts(order):
        """What is held must cover every fill."""
        if order.leaves <= 0 or order.price <= 0:
            return "BAD_NUMBER"
        if order.taker_rate < 0 or order.maker_rate > order.taker_rate:
            return "NOT_ALLOWED"
        try:
            if order.side == "BUY" and not -ONE <= order.taker_rate <= ONE:
                raise OutOfRange()
            needed = order.held_for(in_range(order.leaves), 0, 0)
        except OutOfRange:
            return "OVERFLOW"
        reserved = order.hold
        if order.side == "SELL":
            order.hold = needed
        return "INSUFFICIENT_FUNDS" if reserved < needed else None

    @staticmethod
    def check_book(book, order):
        if order.id in book.orders:
            return "DUPLICATE_ORDER"
        if order.post_only and book.crosses(order.side, order.price):
            return "POST_ONLY_CROSSES"
        return "BOOK_FULL" if len(book.orders) >= ORDERS_MAX else None

    def work(self, market, order, command):
        """Trades, then what is left rests or is cancelled by the reason that stopped the walk."""
        if order.tif == "FOK" and not market.book.can_fill(order):
            self.canceled(market, order, "FOK", command["ts"])
            return
        step = self.match(market, order, command)
        if order.leaves == 0:
            return
        if order.type == "LIMIT" and order.tif == "GTC" and step != "SELF":
            self.rest(market, order)
        else:
            self.canceled(market, order, self.reason(order, step), command["ts"])

    @staticmethod
    def reason(order, step):
        if step == "SELF":
            return "STP"
        if order.tif == "FOK":
            return "FOK"
        if order.type == "MARKET":
            return "PRICE_RANGE" if step == "LIMIT" else "INSUFFICIENT_LIQUIDITY"
        return "IOC"

    def match(self, market, order, command):
        """Until nothing more is possible; why it ended."""
        while order.leaves > 0:
            maker, why_not = market.book.first(order.side, order.price)
            if maker is None:
                return why_not
            if order.stp == "NONE" or maker.user != order.user:
                self.execute(market, order, maker, command)
                continue
            if order.stp == "EXPIRE_TAKER":
                return "SELF"
            self.take_out(market, maker, command, "STP")
            if order.stp == "EXPIRE_BOTH":
                return "SELF"
        return "FILLED"

    def execute(self, market, taker, maker, command):
        """One trade at the maker's price: maker's leg, taker's leg, trade."""
        price, qty = maker.price, min(taker.leaves, maker.leaves)
        try:
            maker_after, maker_fee, _ = maker.leg(price, qty, True)
            taker_after, taker_fee, notional = taker.leg(price, qty, False)
        except OutOfRange:
            text = f"amounts of a trade of order {taker.id} are out of range"
            raise Poison("OUT_OF_RANGE", text) from None
        market.book.fill(maker, qty)
        maker.change(maker_after)
        taker.change(taker_after)
        state = market.state
        state["bookSeq"] += 1
        state["engineSeq"] += 1
        state["tradeId"] += 1
        state |= {"lastPrice": text_of(price), "lastTradeTs": command["ts"]}
        trade = {"lastQty": text_of(qty), "lastPx": text_of(price), "tradeId": state["tradeId"],
                 "execType": "TRADE"}
        self.report(market, maker, "M", command["ts"], liquidity="MAKER", feeAmount=text_of(maker_fee),
                    counterOrderId=taker.id, **trade)
        self.report(market, taker, "T", command["ts"], liquidity="TAKER", feeAmount=text_of(taker_fee),
                    counterOrderId=maker.id, **trade)
        self.emit("trades", market.symbol, {
            "symbol": market.symbol, "tradeId": state["tradeId"], "ts": command["ts"],
            "price": text_of(price), "qty": text_of(qty), "quoteQty": text_of(notional),
            "takerSide": taker.side, "makerOrderId": maker.id, "takerOrderId": taker.id,
            "makerUserId": maker.user, "takerUserId": taker.user, "makerFee": text_of(maker_fee),
            "takerFee": text_of(taker_fee), "feeAsset": market.instrument["quoteAsset"],
            "engineSeq": state["engineSeq"]})
        if maker.leaves > 0:
            self.stores["orders"].put(market.store_key(maker.id), maker.row(market.symbol))
        else:
            self.stores["orders"].delete(market.store_key(maker.id))

    def rest(self, market, order):
        market.state["arrivalSeq"] += 1
        order.sequence = market.state["arrivalSeq"]
        try:
            market.book.insert(order)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", f"order {order.id} cannot rest in the book") from None
        market.state["bookSeq"] += 1
        self.stores["orders"].put(market.store_key(order.id), order.row(market.symbol))
        order.change({"client": short(order.client), "trace": short(order.trace)})

    # ---- CANCEL ----------------------------------------------------------------------------------

    def cancel(self, market, command):
        """Somebody else's order is as unknown as none."""
        order = None if market is None else market.book.orders.get(command["targetOrderId"])
        if order is None or order.user != command["userId"]:
            self.rejected(market, command, "UNKNOWN_ORDER")
        else:
            self.take_out(market, order, command, "USER")
        self.put_state(market)

    def take_out(self, market, order, command, reason):
        """The report belongs to the command that ends the order."""
        market.book.remove(order)
        market.state["bookSeq"] += 1
        order.change({"command": command["eventId"], "trace": command["traceId"]})
        self.canceled(market, order, reason, command["ts"])
        self.stores["orders"].delete(market.store_key(order.id))

    # ---- reports ---------------------------------------------------------------------------------

    def exec_id(self, market, leg):
        return f"{market.symbol}-{market.state['engineSeq']}-{leg}"

    def report(self, market, order, leg, ts, **fields):
        """The order as it stands; takes its next version."""
        order.version += 1
        quote = market.instrument["quoteAsset"]
        self.emit("executions", order.user, reports.EMPTY | {
            "execId": self.exec_id(market, leg), "ts": ts, "traceId": order.trace,
            "status": "ACCEPTED" if order.leaves > 0 else "FILLED", "orderId": order.id,
            "commandId": order.command, "clientOrderId": order.client, "userId": order.user,
            "symbol": market.symbol, "side": order.side, "ordType": order.type, "tif": order.tif,
            "price": text_of(order.price) if order.type == "LIMIT" else None,
            "orderQty": text_of(order.order_qty), "cumQty": text_of(order.cum_qty),
            "leavesQty": text_of(order.leaves), "cumQuote": text_of(order.cum_quote),
            "cancelledQty": text_of(order.order_qty - order.cum_qty - order.leaves),
            "feeTotal": text_of(order.fee_paid), "feeAsset": quote, "quoteAsset": quote,
            "baseAsset": market.instrument["baseAsset"], "holdAfter": text_of(order.hold),
            "engineSeq": market.state["engineSeq"], "bookSeq": market.state["bookSeq"],
            "version": order.version} | fields)

    def canceled(self, market, order, reason, ts):
        market.state["engineSeq"] += 1
        order.end()
        self.report(market, order, "C", ts, execType="CANCELED", status="CANCELLED", cancelReason=reason)

    def rejected(self, market, command, code):
        """About the command itself: nothing of it entered the book."""
        where = {"execId": "F-" + command["eventId"]}
        if market is not None:
            market.state["engineSeq"] += 1
            where = {"execId": self.exec_id(market, "J"), "engineSeq": market.state["engineSeq"]}
        self.emit("executions", command["userId"], reports.of_command(
            command, rejectCode=codes.number(code), rejectText=codes.text(code), **where))

    # ---- state -----------------------------------------------------------------------------------

    def put_state(self, market):
        if market is not None:
            self.stores["books"].put(market.store_key(), dict(market.state))

    def flush(self):
        """One delta and one snapshot of each book that changed."""
        for market in sorted(self.markets.values(), key=lambda market: text_bytes(market.symbol)):
            if market.touched and market.state["bookSeq"] != market.published_seq:
                self.publish(market)

    def publish(self, market):
        bids, asks = market.book.sides["BUY"], market.book.sides["SELL"]
        common = {"symbol": market.symbol, "ts": market.changed_ts, "lastSeq": market.state["bookSeq"],
                  "checksum": market.book.checksum()}
        self.emit("book", market.symbol, common | {
            "firstSeq": market.published_seq + 1, "bids": bids.changes(), "asks": asks.changes()})
        self.emit("snapshots", market.symbol, common | {
            "depth": SNAPSHOT_LEVELS, "bids": bids.top(SNAPSHOT_LEVELS), "asks": asks.top(SNAPSHOT_LEVELS)})
        market.book.forget_changes()
        market.published_seq = market.state["bookSeq"]

    def committed(self):
        for market in self.markets.values():
            market.touched = False

    def undone(self, any_store):
        """Books from the stores, as the stage does it: touched levels stay noted as touched."""
        if not any_store and not self.half_way:
            return
        self.half_way = False
        for market in [market for market in self.markets.values() if market.touched]:
            self.rebuild(market)

    def rebuild(self, market):
        market.instrument = self.stores["instruments"].get(market.store_key())
        if market.instrument is None:
            del self.markets[market.symbol]
            return
        market.state = dict(self.stores["books"].get(market.store_key()) or EMPTY_STATE)
        carried = {name: set(side.touched) for name, side in market.book.sides.items()}
        if market.state["bookSeq"] <= market.published_seq:
            market.published_seq = market.state["bookSeq"]
            carried = {name: set() for name in carried}
        market.book = Book()
        prefix = market.store_key()
        rows = [row for key, row in self.stores["orders"].items() if key.startswith(prefix)]
        for row in sorted(rows, key=lambda row: row["sequence"]):
            market.book.insert(Order.of_row(row))
        for name, side in market.book.sides.items():
            side.touched = carried[name]


STAGE = Fill
