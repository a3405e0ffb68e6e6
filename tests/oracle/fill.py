"""The fill stage: commands against the book and the stops of their symbol, and the time that ends orders.

Source: docs/DOMAIN.md (orders, commands about orders, symbols); domain reference, 1.4, 1.6 (delta and snapshot per
symbol and transaction). ACCEPTED comes from here. The walk itself is in matching.py.
"""

import collections
import dataclasses

import codes
import reports
from amounts import OutOfRange, atoms, in_range, micros, text_of, time_of
from book import Book
from instruments import takes
from matching import EMPTY_STATE, LASTING, Market, Matching
from orders import COLLARED, ID_BYTES_MAX, STOPS, Order
from records import key_bytes, text_bytes
from stage import Poison, key_is

SYMBOL_BYTES_MAX = 64
ASSET_BYTES_MAX = 32
SNAPSHOT_LEVELS = 20
ORDERS_MAX = 4000000  # in the book, with the stops that may come into it
STOPS_MAX = 1000000
STOPS_RUN = ("TRADING", "POST_ONLY", "LIMIT_ONLY")
AMENDS = ("TRADING", "LIMIT_ONLY")


def is_name(text, bytes_max):
    return 0 < len(text_bytes(text)) <= bytes_max and "\0" not in text


def reached(order, last):
    """Does the last price trigger the stop?"""
    return last >= order.stop_price if order.side == "BUY" else last <= order.stop_price


class Fill(Matching):
    """Books, stops, and what becomes of each order."""

    STORES = ("orders", "books", "instruments")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.markets = {}
        self.half_way = False  # a record is in work: if it fails, books are to be made anew

    def process(self, port, record):
        now_us = max(record.event_us, self.task.stream_time_us)
        if port == "instruments":
            self.half_way = True
            self.expire(now_us)
            self.instrument(record)
            self.half_way = False
            self.note_changes(now_us)
            return
        command = record.value
        self.check_identity(command, record.key)
        self.half_way = True
        self.expire(now_us)
        market = self.markets.get(command["symbol"])
        before = None
        if market is not None:
            market.touched = True
            before = market.state["bookSeq"]
        self.command(market, command, now_us)
        self.half_way = False
        if market is not None and market.state["bookSeq"] != before:
            market.noted_seq = market.state["bookSeq"]
            market.changed_ts = command["ts"]
        self.note_changes(now_us)

    def punctuate(self, timer, now_us):
        """Stream time has passed, and it ends orders though nobody trades."""
        now_us = max(now_us, self.task.stream_time_us)
        self.half_way = True
        self.expire(now_us)
        self.half_way = False
        self.note_changes(now_us)

    def note_changes(self, now_us):
        for market in self.markets.values():
            if market.state["bookSeq"] != market.noted_seq:
                market.noted_seq = market.state["bookSeq"]
                market.changed_ts = time_of(now_us)

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

    # ---- time and stops --------------------------------------------------------------------------

    def expire(self, now_us):
        """Orders whose end has come: by expiry, then by symbol, then by arrival."""
        due = [(order.expires_us(), text_bytes(market.symbol), order.sequence, market, order)
               for market in self.markets.values() for order in market.expiring() if order.expires_us() <= now_us]
        for _, _, _, market, order in sorted(due, key=lambda entry: entry[:3]):
            market.touched = True
            self.take_out(market, order, "GTD", time_of(now_us), {})
            self.put_state(market)

    def take_due(self, market):
        """Stops that the last price triggers leave their place: buys from below, sells from above."""
        last = market.last_price()
        due = [order for order in market.stops.values() if reached(order, last)]
        due.sort(key=lambda order: (order.side == "SELL", order.stop_price if order.side == "BUY"
                                    else -order.stop_price, order.sequence))
        for order in due:
            self.remove(market, order)
        return due

    def trigger(self, market, ts):
        """Each to its end before the next; those that it triggers go to the end of the queue."""
        if market.instrument["state"] not in STOPS_RUN or market.state["lastPrice"] is None:
            return
        queue = collections.deque(self.take_due(market))
        while queue:
            order = queue.popleft()
            order.triggered = True
            self.event(market, order, "G", ts, execType="TRIGGERED")
            self.work(market, order, {"commandId": order.command, "traceId": order.trace}, ts)
            queue.extend(self.take_due(market))

    # ---- commands --------------------------------------------------------------------------------

    def command(self, market, command, now_us):
        if command["action"] == "NEW":
            self.new(market, command, now_us)
        elif market is None:
            self.rejected(market, command, "UNKNOWN_ORDER")
        else:
            self.about_orders(market, command)
        if market is not None:
            self.trigger(market, command["ts"])
            self.put_state(market)

    @staticmethod
    def cause(command):
        """What the reports name of all that a command changes and ends, makers of its trades excepted."""
        return {"commandId": command["eventId"], "traceId": command["traceId"]}

    def about_orders(self, market, command):
        """CANCEL_ALL, or one order that must be this user's: somebody else's is as unknown as none."""
        by = self.cause(command)
        if command["action"] == "CANCEL_ALL":
            orders = market.orders_of(command["userId"])
            for order in orders:
                self.take_out(market, order, command.get("cancelReason") or "USER", command["ts"], by)
            if not orders:
                self.rejected(market, command, "UNKNOWN_ORDER")
            return
        order = market.find(command["targetOrderId"])
        if order is None or order.user != command["userId"]:
            self.rejected(market, command, "UNKNOWN_ORDER")
        elif command["action"] == "AMEND":
            self.amend(market, order, command, by)
        else:
            self.take_out(market, order, "USER", command["ts"], by)

    # ---- NEW -------------------------------------------------------------------------------------

    def new(self, market, command, now_us):
        """Everything that can refuse an order is asked before it is accepted."""
        order, code = self.check(market, command, now_us)
        if code is not None:
            self.rejected(market, command, code)
            return
        self.event(market, order, "A", command["ts"], execType="NEW")
        if order.waits():
            self.wait(market, order)
        else:
            self.work(market, order, self.cause(command), command["ts"])

    def check(self, market, command, now_us):
        """(the order, None) or (None, code)."""
        if market is None:
            return None, "UNKNOWN_SYMBOL"
        if not takes(market.instrument["state"], command["ordType"], command["postOnly"]):
            return None, "NOT_TRADING"
        code = self.check_tif(command, now_us) or self.check_kind(command)
        if code is not None:
            return None, code
        order = Order.of_command(command)
        return order, self.check_amounts(order) or self.check_book(market, order)

    @staticmethod
    def check_tif(command, now_us):
        kind, tif = command["ordType"], command["tif"]
        if (kind == "MARKET" and tif != "IOC") or (kind == "STOP" and tif not in LASTING):
            return "BAD_TIF"
        if command["postOnly"] and (kind != "LIMIT" or tif not in LASTING):
            return "NOT_ALLOWED"
        if tif != "GTD":
            return None
        if command["expireTs"] is None:
            return "MISSING"
        return "EXPIRE_PAST" if micros(command["expireTs"]) <= now_us else None

    @staticmethod
    def check_kind(command):
        """What this engine works: not displayQty; an amount only for MARKET. reduceOnly is risk's."""
        kind = command["ordType"]
        if command["quoteQty"] is not None and (command["qty"] is not None or kind != "MARKET"):
            return "NOT_ALLOWED"
        if command["displayQty"] is not None:
            return "NOT_ALLOWED"
        if command["qty"] is None and command["quoteQty"] is None:
            return "MISSING"
        needed = ["collarPx" if kind in COLLARED else "price", "feeMaker", "feeTaker", "reserved"]
        needed += ["stopPrice"] if kind in STOPS else []
        return "MISSING" if any(command[name] is None for name in needed) else None

    @staticmethod
    def check_amounts(order):
        """What is held must cover every fill."""
        if (order.leaves if order.by_quote is None else order.amount) <= 0 or order.price <= 0:
            return "BAD_NUMBER"
        if order.stop_price is not None and order.stop_price <= 0:
            return "BAD_NUMBER"
        if order.taker_rate < 0 or order.maker_rate > order.taker_rate:
            return "NOT_ALLOWED"
        try:
            needed = order.least_hold()
        except OutOfRange:
            return "OVERFLOW"
        if order.hold < needed:
            return "INSUFFICIENT_FUNDS"
        if order.side == "SELL" and order.by_quote is None:
            order.hold = needed
        return None

    @staticmethod
    def check_book(market, order):
        last = market.last_price()
        if market.find(order.id) is not None:
            return "DUPLICATE_ORDER"
        if order.post_only and market.book.crosses(order.side, order.price):
            return "POST_ONLY_CROSSES"
        if order.waits() and last is not None and reached(order, last):
            return "STOP_TRIGGERS"
        if order.waits() and len(market.stops) >= STOPS_MAX:
            return "BOOK_FULL"
        return "BOOK_FULL" if len(market.book.orders) + len(market.stops) >= ORDERS_MAX else None

    # ---- AMEND -----------------------------------------------------------------------------------

    def amend(self, market, order, command, by):
        """REPLACED, or refused and nothing has changed; a total that leaves nothing open ends it."""
        price = atoms(command["price"] or text_of(order.price))
        total = atoms(command["qty"] or text_of(order.order_qty))
        leaves = total - order.cum_qty - order.prevented
        code = self.check_fields(market, order, command)
        if code is None and leaves <= 0:
            self.take_out(market, order, "USER", command["ts"], by)
            return
        after = dataclasses.replace(order, price=price, leaves=leaves, order_qty=total)
        code = code or self.check_hold(order, after, atoms(command["reserved"] or "0"))
        if (code is None and order.post_only and command["price"] is not None
                and market.book.crosses(order.side, price)):
            code = "POST_ONLY_CROSSES"
        if code is not None:
            self.rejected(market, command, code)
        elif order.waits() or (price == order.price and leaves < order.leaves):
            self.amend_in_place(market, order, after, command, by)
        else:
            self.remove(market, order)
            self.event(market, after, "R", command["ts"], execType="REPLACED", **by)
            self.work(market, after, by, command["ts"])

    @staticmethod
    def check_fields(market, order, command):
        if market.instrument["state"] not in AMENDS:
            return "NOT_TRADING"
        if command["stopPrice"] is not None or command["quoteQty"] is not None:
            return "NOT_ALLOWED"
        if command["price"] is not None and order.type == "STOP":
            return "NOT_ALLOWED"
        given = [atoms(command[name]) for name in ("qty", "price") if command[name] is not None]
        if not given:
            return "MISSING"
        return "BAD_NUMBER" if min(given) <= 0 else None

    @staticmethod
    def check_hold(order, after, reserved):
        """What is held and what risk reserved must cover the new hold, which after takes."""
        try:
            after.hold = after.held_for(after.leaves, after.fee_sum, after.fee_paid)
            covered = in_range(order.hold + reserved)
        except OutOfRange:
            return "OVERFLOW"
        return "AMEND_UNFUNDED" if after.hold > covered else None

    def amend_in_place(self, market, order, after, command, by):
        """A stop waits on; a quantity lowered at the same price keeps its place."""
        if not order.waits():
            market.book.sides[order.side].reduce(order, order.leaves - after.leaves)
            market.state["bookSeq"] += 1
        order.change({name: getattr(after, name) for name in ("price", "leaves", "order_qty", "hold")})
        self.event(market, order, "R", command["ts"], execType="REPLACED", **by)
        self.stores["orders"].put(market.store_key(order.id), order.row(market.symbol))

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
        market.noted_seq = market.state["bookSeq"]
        carried = {name: set(side.touched) for name, side in market.book.sides.items()}
        if market.state["bookSeq"] <= market.published_seq:
            market.published_seq = market.state["bookSeq"]
            carried = {name: set() for name in carried}
        market.book = Book()
        market.stops = {}
        prefix = market.store_key()
        rows = [row for key, row in self.stores["orders"].items() if key.startswith(prefix)]
        for row in sorted(rows, key=lambda row: row["sequence"]):
            order = Order.of_row(row)
            if order.waits():
                market.stops[order.id] = order
            else:
                market.book.insert(order)
        for name, side in market.book.sides.items():
            side.touched = carried[name]


STAGE = Fill
