"""The risk stage: money, limits and rate are held against each order before it reaches a book.

Source: domain reference, 1.3, and docs/DOMAIN.md: fixed order of checks, the first failure is the recorded code; hold =
P x Q + ceil(P x Q x taker rate) for a buy, Q for a sell; an amendment reserves the most that it may need; what an
order no longer needs is released by the engine's reports, once. All times are the record's.
"""

import checks
import codes
import reports
from accounts import RiskAccount
from amounts import BUSINESS_LIMIT, atoms, micros, text_of, time_of
from checks import Case
from instruments import Instruments, amount
from records import text_bytes
from reports import RISK_EVENT
from risk_keys import ALL_USERS, KEY_BYTES_MAX, order_key, pair_key
from risk_reports import RiskReports
from risk_transfers import RiskTransfers
from stage import Poison, Stage

LOOPS_MAX = 4
SIDES = ("BUY", "SELL")
TYPES = ("LIMIT", "MARKET", "STOP", "STOP_LIMIT")
NEEDED = {"LIMIT": ("qty", "price"), "STOP": ("qty", "stopPrice"), "STOP_LIMIT": ("qty", "stopPrice", "price")}


def print_of(order):
    """FNV-1a of what makes two orders the same to the loop guard."""
    data = text_bytes(order["symbol"]) + bytes([0, SIDES.index(order["side"]), TYPES.index(order["ordType"])])
    for name in ("qty", "quoteQty", "price", "stopPrice"):
        data += (amount(order, name) or 0).to_bytes(16, "big", signed=True)
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2 ** 64
    return value - 2 ** 64 if value >= 2 ** 63 else value


class Risk(RiskReports, RiskTransfers, Stage):
    """Checks of orders, holds, transfers, limits and switches."""

    STORES = ("accounts", "orders", "transfers", "client-ids")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.instruments = Instruments(self, "instruments")

    def process(self, port, record):
        if port == "orders":
            self.order(record)
        elif port == "accounts":
            self.account_command(record)
        else:
            self.report(record.value)

    def account(self, user):
        return RiskAccount(self.stores["accounts"], user, self.options)

    # ---- commands about orders -------------------------------------------------------------------

    def order(self, record):
        order = record.value
        key = order_key(order["orderId"])
        action = order["action"]
        if action == "CANCEL":
            self.emit("approved", order["symbol"], order)
        elif action == "CANCEL_ALL":
            if self.fan_out(order, self.account(order["userId"])) == 0:
                self.reject(order, "UNKNOWN_ORDER")
        elif not (self.new_sound(order) if action == "NEW" else self.amendment_sound(order)):
            raise Poison("MALFORMED", "not a command that validate lets through")
        elif action == "AMEND":
            self.amend(order, record.event_us)
        elif self.stores["orders"].get(key) is not None:
            self.refuse_duplicate(order)
        else:
            self.new(order, key, record.event_us)

    @staticmethod
    def valid_amount(text):
        return text is not None and 0 < atoms(text) < BUSINESS_LIMIT

    def new_sound(self, order):
        by_amount = order["quoteQty"] is not None
        if order["ordType"] == "MARKET":
            return self.valid_amount(order["quoteQty"]) and order["qty"] is None if by_amount else self.valid_amount(
                order["qty"])
        return not by_amount and all(self.valid_amount(order[name]) for name in NEEDED[order["ordType"]])

    def amendment_sound(self, order):
        given = [order[name] for name in ("qty", "price") if order[name] is not None]
        target = text_bytes(order["targetOrderId"] or "")
        return 0 < len(target) <= KEY_BYTES_MAX and bool(given) and all(self.valid_amount(text) for text in given)

    def fan_out(self, order, account):
        """The command once for each symbol with open orders; how often."""
        symbols = [entry["symbol"] for entry in account.row["exposures"]
                   if entry["openOrders"] > 0 and order["symbol"] in ("", entry["symbol"])]
        for symbol in symbols:
            self.emit("approved", symbol, order | {"symbol": symbol})
        return len(symbols)

    def refuse_duplicate(self, order):
        """An order of this id is open: an event, so that no report names that order."""
        self.emit("events", order["userId"], self.order_event(order, "R-", "DUPLICATE_CONFLICT", "orderId") | {
            "code": codes.number("DUPLICATE_ORDER")})

    @staticmethod
    def order_event(order, prefix, kind, check, failure=None):
        event = RISK_EVENT | {
            "eventId": prefix + order["eventId"], "ts": order["ts"], "traceId": order["traceId"] or None,
            "userId": order["userId"], "orderId": order["orderId"], "commandId": order["eventId"],
            "symbol": order["symbol"] or None, "type": kind, "check": check, "code": 0}
        return event if failure is None else event | numbers_of(failure)

    def open_case(self, order, now_us):
        """Rows, day and watches; the case is None when the symbol cannot be traded."""
        account, everybody = self.account(order["userId"]), self.account(ALL_USERS)
        account.begin_bucket(everybody, now_us)
        account.roll(now_us)
        instrument = self.instruments.get(order["symbol"])
        if instrument is None or not instrument.usable:
            return None, []
        case = self.case(account, everybody, instrument, order["symbol"], now_us)
        case.tick = self.reference(order["symbol"], now_us)
        event = self.order_event(order, "", None, None)
        notices = self.watch_margin(case, event) + self.watch_loss(account, everybody, instrument.quote, event)
        return case, notices

    def case(self, account, everybody, instrument, symbol, now_us):
        case = Case(self.options, now_us, account, everybody, instrument, symbol)
        case.prices, case.records = self.mark, self.instruments.get
        return case

    def mark(self, symbol):
        _, tick = self.table("prices", symbol)
        return None if tick is None or atoms(tick["price"]) <= 0 else atoms(tick["price"])

    def reference(self, symbol, now_us):
        _, tick = self.table("prices", symbol)
        age_us = self.options["price-age"]
        if tick is None or atoms(tick["price"]) <= 0:
            return None
        return tick if age_us == 0 or micros(tick["ts"]) >= now_us - age_us else None

    def watch_margin(self, case, event):
        """Equity below maintenance margin: the user may only reduce from now on."""
        row = case.account.row
        worth = None
        if case.instrument["maintenanceMargin"] is not None and row["tradingState"] == "ACTIVE":
            worth = case.portfolio(None)
        if worth is None or worth[0] >= worth[2]:
            return []
        row["tradingState"] = "REDUCING"
        failure = checks.Failure("MARGIN_CALL", worth[2], worth[0])
        return [event | numbers_of(failure) | {
            "eventId": "M-" + event["eventId"], "type": "MARGIN_CALL", "check": "maintenance", "stateFrom": "ACTIVE",
            "stateTo": "REDUCING"}]

    @staticmethod
    def watch_loss(account, everybody, asset, event):
        """The day's loss at its limit: latched, and said once."""
        limit = account.row["dailyLossLimit"]
        limit = everybody.row["dailyLossLimit"] if limit is None else limit
        loss = account.loss(asset)
        if account.row["lossBreached"] or limit is None or loss < atoms(limit):
            return []
        account.row["lossBreached"] = True
        failure = checks.Failure("DAILY_LOSS", atoms(limit), loss)
        return [event | numbers_of(failure) | {
            "eventId": "B-" + event["eventId"], "type": "BREACH", "check": "daily-loss", "day": account.row["day"]}]

    def judge(self, case, order, notices):
        """The failure, after what the checks cost: tokens, and a place in the loop guard."""
        failure = checks.run(case)
        if checks.reached(failure, "notional-window"):
            self.take_tokens(case)
        if checks.reached(failure, "loop-guard") and self.options["loop-guard"] > 0 and not case.amend:
            self.count_loop(case, failure is not None and failure.check == "loop-guard")
        if failure is not None and failure.check == "loop-guard":
            row = case.account.row
            notices.append(self.order_event(order, "L-", "STATE_CHANGE", "loop-guard", failure) | {
                "stateFrom": row["tradingState"], "stateTo": "HALTED"})
            row["tradingState"] = "HALTED"
        return failure

    @staticmethod
    def take_tokens(case):
        rule = case.account.rule(case.all)
        tokens, ts_us = checks.refilled(case.account.row, rule, case.now_us)
        case.account.row |= {"bucketMicroTokens": tokens - checks.TOKEN, "bucketTs": time_of(ts_us)}
        rule = checks.symbol_rule(case)
        if rule is not None:
            exposure = case.account.exposure(case.symbol)
            tokens, ts_us = checks.refilled(exposure, rule, case.now_us)
            case.account.set_exposure(exposure | {
                "bucketMicroTokens": tokens - checks.TOKEN, "bucketTs": time_of(ts_us)})

    @staticmethod
    def count_loop(case, tripped):
        """The last few orders that differ, each with its count since the first of them."""
        row, before = case.account.row, checks.loop_count(case)
        entries = [dict(entry) for entry in row["loops"]]
        at = next((n for n, entry in enumerate(entries) if entry["print"] == case.print), None)
        if at is None and len(entries) == LOOPS_MAX:
            at = min(range(LOOPS_MAX), key=lambda n: micros(entries[n]["since"]))
        if tripped:
            del entries[at]
        elif before > 0:
            entries[at]["count"] += 1
        else:
            entry = {"print": case.print, "count": 1, "since": time_of(case.now_us)}
            entries[len(entries) if at is None else at:len(entries) if at is None else at + 1] = [entry]
        row["loops"] = entries

    @staticmethod
    def count_notional(case):
        """Adds to the sum of the minute, where one is kept."""
        if checks.window_max(case) is None or case.added == 0:
            return
        step = checks.window_step(case)
        steps = [dict(entry) for entry in case.account.row["window"] if entry["step"] > step - checks.STEPS]
        if steps and steps[-1]["step"] == step:
            steps[-1]["sum"] = text_of(atoms(steps[-1]["sum"]) + case.added)
        else:
            steps.append({"step": step, "sum": text_of(case.added)})
        case.account.row["window"] = steps

    def refuse(self, case, order, failure, notices):
        if checks.reached(failure, "notional-window") or notices:
            case.account.put()
        self.say(notices)
        self.reject(order, failure.code)
        self.emit("events", order["userId"], self.order_event(order, "R-", "REJECT", failure.check, failure))

    def say(self, notices):
        for event in notices:
            self.emit("events", event["userId"], event)

    def reject(self, order, code):
        report = reports.rejection(order, "R-", codes.number(code), codes.text(code))
        self.emit("rejected", order["userId"], report)

    def new(self, order, key, now_us):
        case, notices = self.open_case(order, now_us)
        if case is None:
            self.reject(order, "UNKNOWN_SYMBOL")
            return
        case.print = print_of(order)
        case.new(order)
        client_key = self.client_key(order)
        case.client_id_taken = client_key is not None and self.stores["client-ids"].get(client_key) is not None
        failure = self.judge(case, order, notices)
        if failure is not None:
            self.refuse(case, order, failure, notices)
            return
        asset = self.reserve(case, case.instrument.quote if case.buy else case.instrument.base)
        exposure = case.account.exposure(order["symbol"])
        case.account.set_exposure(exposure | {"openOrders": exposure["openOrders"] + 1})
        case.account.row["openOrders"] += 1
        case.account.put()
        self.stores["orders"].put(key, {
            "userId": order["userId"], "symbol": order["symbol"], "asset": asset, "side": order["side"],
            "hold": text_of(case.need), "leavesQty": text_of(case.qty), "price": text_of(case.price),
            "clientOrderId": order["clientOrderId"], "lastVersion": 0, "createdTs": order["ts"],
            "ordType": order["ordType"], "byAmount": order["quoteQty"] is not None,
            "reduceOnly": order["reduceOnly"], "orderQty": order["qty"],
            "feeTaker": text_of(case.instrument["takerFee"]), "amendCommandId": None, "amendReserved": None,
            "amendQty": None})
        if client_key is not None:
            self.stores["client-ids"].put(client_key, {"orderId": order["orderId"]})
        self.say(notices)
        self.emit("approved", order["symbol"], order | self.held_for(case, asset) | {
            "feeMaker": text_of(case.instrument["makerFee"]), "feeTaker": text_of(case.instrument["takerFee"]),
            "collarPx": text_of(case.price) if order["ordType"] in ("MARKET", "STOP") else None})

    @staticmethod
    def client_key(order):
        name = order["clientOrderId"]
        return pair_key(order["userId"], name, "clientOrderId") if name else None

    def reserve(self, case, asset):
        """Moves what the command needs into the hold, and counts what it adds as open."""
        available, hold = case.account.balance(asset)
        case.account.set_balance(asset, available - case.need, hold + case.need)
        side = "openBuy" if case.buy else "openSell"
        exposure = case.account.exposure(case.symbol)
        case.account.set_exposure(exposure | {side: text_of(atoms(exposure[side]) + case.qty)})
        self.count_notional(case)
        return asset

    @staticmethod
    def held_for(case, asset):
        tick = case.tick
        return {"reserved": text_of(case.need), "reserveAsset": asset,
                "refPx": None if tick is None else tick["price"], "refTs": None if tick is None else tick["ts"]}

    def amend(self, order, now_us):
        key = order_key(order["targetOrderId"])
        open_order = self.stores["orders"].get(key)
        if (open_order is None or (open_order["userId"], open_order["symbol"]) != (order["userId"], order["symbol"])
                or open_order["ordType"] == "MARKET"):
            self.reject(order, "UNKNOWN_ORDER")
        elif open_order["amendCommandId"] is not None:
            self.reject(order, "AMEND_PENDING")
        elif open_order["ordType"] == "STOP" and order["price"] is not None:
            self.reject(order, "NOT_ALLOWED")
        else:
            self.judge_amendment(order, open_order, key, now_us)

    def judge_amendment(self, order, open_order, key, now_us):
        case, notices = self.open_case(order, now_us)
        if case is None:
            self.reject(order, "UNKNOWN_SYMBOL")
            return
        leaves = atoms(open_order["leavesQty"])
        new_leaves = leaves
        if order["qty"] is not None:
            new_leaves = atoms(order["qty"]) - (atoms(open_order["orderQty"]) - leaves)
        case.amendment(order, open_order, new_leaves)
        failure = self.judge(case, order, notices)
        if failure is not None:
            self.refuse(case, order, failure, notices)
            return
        asset = self.reserve(case, open_order["asset"])
        case.account.put()
        self.stores["orders"].put(key, open_order | {
            "amendCommandId": order["eventId"], "amendReserved": text_of(case.need), "amendQty": text_of(case.qty)})
        self.say(notices)
        self.emit("approved", order["symbol"], order | self.held_for(case, asset))


def numbers_of(failure):
    """The fields of an event that come from a check."""
    numbers = {name: getattr(failure, name) for name in ("limit", "current", "projected")}
    return {"code": codes.number(failure.code), "text": codes.text(failure.code)} | {
        name: None if value is None else text_of(value) for name, value in numbers.items()}


STAGE = Risk
