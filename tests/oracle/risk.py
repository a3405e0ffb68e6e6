"""The risk stage: money, limits and rate are held against each order before it reaches a book.

Source: domain reference, 1.3, and docs/DOMAIN.md: fixed order of checks, the first failure is the recorded code; hold =
P x Q + ceil(P x Q x taker rate) for a buy, Q for a sell; an amendment reserves the most that it may need; what an
order no longer needs is released by the engine's reports, once. All times are the record's.
"""

import hashlib

import checks
import codes
import reports
from accounts import RiskAccount
from amounts import BUSINESS_LIMIT, DAY_US, OutOfRange, atoms, in_range, micros, product, share, text_of, time_of
from checks import Case
from instruments import Instruments, amount
from records import key_text, text_bytes
from reports import RISK_EVENT
from stage import Poison, Stage, key_is
from validate import IDENTIFIER

ALL_USERS = "*"
LOOPS_MAX = 4
AFTER_TRADE = ("TRADE", "CANCELED", "REJECTED", "REPLACED", "TRADE_PREVENTION")
SIDES = ("BUY", "SELL")
TYPES = ("LIMIT", "MARKET", "STOP", "STOP_LIMIT")
NEEDED = {"LIMIT": ("qty", "price"), "STOP": ("qty", "stopPrice"), "STOP_LIMIT": ("qty", "stopPrice", "price")}
KEY_BYTES_MAX = 1024


def order_key(order_id):
    if not 0 < len(text_bytes(order_id)) <= KEY_BYTES_MAX:
        raise Poison("MALFORMED", "orderId is empty or too long")
    return key_text(order_id)


def pair_key(user, name, what):
    """(userId, another name) as the key of a store."""
    key = text_bytes(user) + b"\0" + text_bytes(name) + b"\0"
    if len(key) > 512:
        raise Poison("MALFORMED", f"userId and {what} are too long")
    return key.decode("latin-1")


def print_of(order):
    """FNV-1a of what makes two orders the same to the loop guard."""
    data = text_bytes(order["symbol"]) + bytes([0, SIDES.index(order["side"]), TYPES.index(order["ordType"])])
    for name in ("qty", "quoteQty", "price", "stopPrice"):
        data += (amount(order, name) or 0).to_bytes(16, "big", signed=True)
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2 ** 64
    return value - 2 ** 64 if value >= 2 ** 63 else value


def moved(qty, cost, fill_qty, fill_cost):
    """Average cost: (quantity, cost, profit before the fee) after a fill; a sell has both negative."""
    closed = min(abs(qty), abs(fill_qty)) if qty * fill_qty < 0 else 0
    cost_closed = cost_out = 0
    if closed != 0:
        cost_closed = fill_cost if closed == abs(fill_qty) else share(fill_cost, closed, abs(fill_qty))
        cost_out = cost if closed == abs(qty) else share(cost, closed, abs(qty))
    profit = in_range(-cost_closed - cost_out)
    opened = in_range(fill_cost - cost_closed)
    return in_range(qty + fill_qty), in_range(in_range(cost - cost_out) + opened), profit


class Risk(Stage):
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

    # ---- reports of the engine -------------------------------------------------------------------

    def report(self, report):
        """A fill spends and releases, an end releases the rest; each version acts once."""
        from_engine = report["engineSeq"] > 0 or (report["execId"][:2] == "F-" and len(report["execId"]) > 2)
        refused = report["execType"] == "CANCEL_REJECTED" and bool(report["targetOrderId"])
        if not from_engine or not (refused or report["execType"] in AFTER_TRADE):
            return
        key = order_key(report["targetOrderId"] if refused else report["orderId"])
        order = self.stores["orders"].get(key)
        if order is None or order["userId"] != report["userId"]:
            return
        if order["amendCommandId"] != report["commandId"] if refused else report["version"] <= order["lastVersion"]:
            return
        try:
            self.act(self.account(report["userId"]), report, dict(order), key)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "report takes more than the order holds, or overflows") from None

    def act(self, account, report, order, key):
        kind = report["execType"]
        if kind == "TRADE":
            self.traded(account, report, order, key)
        elif kind in ("CANCELED", "REJECTED"):
            self.hold_down(account, order, 0)
            self.close(account, order, key)
            account.put()
        elif kind == "REPLACED":
            leaves = atoms(report["leavesQty"])
            if report["holdAfter"] is None or not 0 <= leaves < BUSINESS_LIMIT:
                raise Poison("MALFORMED", "REPLACED without holdAfter or leavesQty")
            self.hold_down(account, order, atoms(report["holdAfter"]))
            order |= {"hold": report["holdAfter"], "lastVersion": report["version"],
                      "price": report["price"] or order["price"], "orderQty": report["orderQty"] or order["orderQty"]}
            self.answered(account, order, key, leaves)
        elif kind == "TRADE_PREVENTION":
            self.prevented(account, report, order, key)
        else:
            self.hold_down(account, order, atoms(order["hold"]))
            self.answered(account, order, key, atoms(order["leavesQty"]))

    @staticmethod
    def released(balance, before, after, spent=0):
        """A balance after a hold went down: release = before - after - spent, never negative."""
        release = in_range(in_range(before - after) - spent)
        if after < 0 or release < 0:
            raise OutOfRange()
        return in_range(balance[0] + release), in_range(balance[1] - (before - after))

    def hold_down(self, account, order, after):
        """From all that is held for the order, an amendment's share too, down to this."""
        before = atoms(order["hold"]) + atoms(order["amendReserved"] or "0")
        account.set_balance(order["asset"], *self.released(account.balance(order["asset"]), before, after))

    @staticmethod
    def opened(account, order, change):
        """Changes what counts as open on the order's side."""
        side = "openBuy" if order["side"] == "BUY" else "openSell"
        exposure = account.exposure(order["symbol"])
        account.set_exposure(exposure | {side: text_of(atoms(exposure[side]) + change)})

    def answered(self, account, order, key, leaves):
        """Nothing waits for an answer any more; the order goes on with so much open."""
        self.opened(account, order, leaves - atoms(order["leavesQty"]) - atoms(order["amendQty"] or "0"))
        account.put()
        self.stores["orders"].put(key, order | {"leavesQty": text_of(leaves), "amendCommandId": None,
                                                "amendReserved": None, "amendQty": None})

    def prevented(self, account, report, order, key):
        held, leaves = atoms(order["hold"]), atoms(order["leavesQty"])
        after = leaves if order["byAmount"] else atoms(report["leavesQty"])
        if report["holdAfter"] is None or not 0 <= after <= leaves:
            raise OutOfRange()
        balance = self.released(account.balance(order["asset"]), held, atoms(report["holdAfter"]))
        account.set_balance(order["asset"], *balance)
        self.opened(account, order, after - leaves)
        account.put()
        self.stores["orders"].put(key, order | {
            "leavesQty": text_of(after), "hold": report["holdAfter"], "lastVersion": report["version"]})

    def traded(self, account, report, order, key):
        if (None in (report["baseAsset"], report["quoteAsset"], report["holdAfter"])
                or (report["side"], report["symbol"]) != (order["side"], order["symbol"])):
            raise Poison("MALFORMED", "fill without assets or holdAfter, or of another order")
        qty, px, leaves = amount(report, "lastQty") or 0, amount(report, "lastPx") or 0, atoms(order["leavesQty"])
        if qty <= 0 or px <= 0 or (qty > leaves and not order["byAmount"]):
            raise OutOfRange()
        filled = report["status"] == "FILLED"
        account.roll(micros(report["ts"]))
        order["hold"], before = "0" if filled else report["holdAfter"], atoms(order["hold"])
        notional = self.fill_balances(account, report, before, atoms(order["hold"]))
        self.fill_position(account, report, notional)
        counted = min(qty, leaves)
        self.opened(account, order, -counted)
        order |= {"leavesQty": text_of(leaves - counted), "lastVersion": report["version"]}
        if filled:
            self.hold_down(account, order, 0)
            self.close(account, order, key)
        notices = self.watch_fill(account, report)
        account.put()
        self.say(notices)
        if not filled:
            self.stores["orders"].put(key, order)

    def watch_fill(self, account, report):
        everybody = self.account(ALL_USERS)
        event = RISK_EVENT | {
            "eventId": report["execId"], "ts": report["ts"], "traceId": report["traceId"] or None,
            "userId": report["userId"], "orderId": report["orderId"], "symbol": report["symbol"]}
        notices = self.watch_loss(account, everybody, report["quoteAsset"], event)
        instrument = self.instruments.get(report["symbol"])
        if instrument is not None and instrument.usable:
            now_us = micros(report["ts"])
            notices += self.watch_margin(self.case(account, everybody, instrument, report["symbol"], now_us), event)
        return notices

    def fill_balances(self, account, report, before, after):
        """What is spent leaves the hold, what comes in is available. The notional."""
        buy = report["side"] == "BUY"
        spends, gains = ("quoteAsset", "baseAsset") if buy else ("baseAsset", "quoteAsset")
        qty, fee = atoms(report["lastQty"]), amount(report, "feeAmount") or 0
        account.balance(report[spends])
        gained = account.balance(report[gains])
        notional = product(qty, atoms(report["lastPx"]))
        spent = in_range(notional + fee) if buy else qty
        proceeds = qty if buy else in_range(notional - fee)
        held = self.released(account.balance(report[spends]), before, after, spent)
        gained = (in_range(gained[0] + proceeds), gained[1])
        account.set_balance(report[spends], *held)
        account.set_balance(report[gains], *gained)
        return notional

    @staticmethod
    def fill_position(account, report, notional):
        """Position at average cost; its profit net of the fee counts in its UTC day."""
        sign = 1 if report["side"] == "BUY" else -1
        exposure = account.exposure(report["symbol"])
        qty, cost, profit = moved(atoms(exposure["position"]), atoms(exposure["costBasis"] or "0"),
                                  sign * atoms(report["lastQty"]), sign * notional)
        profit = in_range(profit - (amount(report, "feeAmount") or 0))
        account.set_exposure(exposure | {
            "position": text_of(qty), "costBasis": text_of(cost) if cost != 0 else None})
        if micros(report["ts"]) // DAY_US == account.row["day"]:
            asset = report["quoteAsset"]
            account.set_profit(asset, in_range(account.profit(asset) + profit))

    def close(self, account, order, key):
        """The order is over: it counts no more, and its client's name is free."""
        self.opened(account, order, -atoms(order["leavesQty"]) - atoms(order["amendQty"] or "0"))
        exposure = account.exposure(order["symbol"])
        account.set_exposure(exposure | {"openOrders": exposure["openOrders"] - (exposure["openOrders"] > 0)})
        account.row["openOrders"] -= account.row["openOrders"] > 0
        if order["clientOrderId"]:
            self.stores["client-ids"].delete(self.client_key(order))
        self.stores["orders"].delete(key)

    # ---- account commands ------------------------------------------------------------------------

    def account_command(self, record):
        command = record.value
        if "" in (command["userId"], command["eventId"]) or not key_is(record.key, command["userId"]):
            raise Poison("MALFORMED", "account command without ids or under another key")
        if command["action"] == "SET_LIMITS":
            self.set_limits(command)
        elif command["action"] == "SET_STATE":
            self.set_state(command)
        else:
            self.transfer(command)

    def event(self, command, kind, check, code=None, **fields):
        self.emit("events", command["userId"], RISK_EVENT | {
            "eventId": "R-" + command["eventId"], "ts": command["ts"], "traceId": command["traceId"] or None,
            "userId": command["userId"], "commandId": command["eventId"], "symbol": command["symbol"] or None,
            "type": kind, "check": check, "code": 0 if code is None else codes.number(code),
            "text": None if code is None else codes.text(code)} | fields)

    def transfer(self, command):
        """Money in and out counts once by its eventId, for ever, and never below zero."""
        action, sum_ = command["action"], amount(command, "amount")
        check = action.lower().replace("_", "-")
        follows = action in ("WITHDRAW_COMMIT", "WITHDRAW_CANCEL", "REVERSE")
        amount_given = IDENTIFIER.match(command["asset"] or "") and sum_ is not None and 0 < sum_ < BUSINESS_LIMIT
        if command["userId"] == ALL_USERS or not (follows or amount_given):
            self.event(command, "REJECT", check, "BAD_ACCOUNT_COMMAND")
            return
        key = pair_key(command["userId"], command["eventId"], "eventId")
        if self.stores["transfers"].get(key) is not None:
            self.event(command, "DUPLICATE", check)
        elif follows:
            self.follow_up(command, check, key)
        else:
            self.count_transfer(command, check, key)

    def follow_up(self, command, check, key):
        """One that names an earlier transfer, which says asset and amount, and ends with it."""
        if not command["transferId"]:
            self.event(command, "REJECT", check, "BAD_ACCOUNT_COMMAND")
            return
        meant_key = pair_key(command["userId"], command["transferId"], "eventId")
        meant = self.stores["transfers"].get(meant_key)
        reverse = command["action"] == "REVERSE"
        if meant is None or not (meant["state"] == "DONE" and meant["action"] in ("DEPOSIT", "WITHDRAW")
                                 if reverse else meant["state"] == "BEGUN"):
            self.event(command, "REJECT", check, "UNKNOWN_TRANSFER")
            return
        state = {"REVERSE": "REVERSED", "WITHDRAW_COMMIT": "COMMITTED", "WITHDRAW_CANCEL": "CANCELLED"}
        sum_ = atoms(meant["amount"])
        command = command | {"asset": meant["asset"], "amount": text_of(
            -sum_ if reverse and meant["action"] == "DEPOSIT" else sum_)}
        self.count_transfer(command, check, key, (meant_key, meant | {"state": state[command["action"]]}))

    def count_transfer(self, command, check, key, ended=None):
        sum_ = atoms(command["amount"])
        free, held = {
            "WITHDRAW": (-sum_, 0), "WITHDRAW_BEGIN": (-sum_, sum_), "WITHDRAW_COMMIT": (0, -sum_),
            "WITHDRAW_CANCEL": (sum_, -sum_)}.get(command["action"], (sum_, 0))
        account = self.account(command["userId"])
        available, hold = account.balance(command["asset"])
        if free < 0 and available < -free:
            self.event(command, "REJECT", check, "INSUFFICIENT_FUNDS", current=text_of(available),
                       projected=text_of(available + free))
            return
        try:
            available, hold = in_range(available + free), in_range(hold + held)
        except OutOfRange:
            self.event(command, "REJECT", check, "OVERFLOW")
            return
        self.stores["transfers"].put(key, {
            "firstTs": command["ts"], "action": command["action"], "asset": command["asset"],
            "amount": command["amount"], "state": "BEGUN" if command["action"] == "WITHDRAW_BEGIN" else "DONE"})
        if ended is not None:
            self.stores["transfers"].put(*ended)
        account.set_balance(command["asset"], available, hold)
        account.put()
        self.emit("transfers", command["userId"], command)

    def begin_bucket(self, account, command):
        if command["userId"] != ALL_USERS:
            account.begin_bucket(self.account(ALL_USERS), micros(command["ts"]))

    def set_limits(self, command):
        """Absent limits stay; a position limit for all symbols replaces those of single symbols."""
        of_user = ("dailyLossLimit", "notionalWindowMax")
        of_both = ("openOrdersMax", "velocityPerSecond", "velocityBurst", "notionalMax", "concentrationLimit")
        given = [amount(command, n) for n in ("positionLimit", "notionalMax", "concentrationLimit", *of_user)]
        given += [command[n] for n in ("openOrdersMax", "velocityPerSecond", "velocityBurst")]
        single = command["symbol"] is not None
        if (command["symbol"] == "" or any(limit is not None and limit < 0 for limit in given)
                or (single and any(command[name] is not None for name in of_user))):
            self.event(command, "REJECT", "limits", "BAD_ACCOUNT_COMMAND")
            return
        account = self.account(command["userId"])
        self.begin_bucket(account, command)
        if single:
            names = ("positionLimit", *of_both)
            account.set_exposure(account.exposure(command["symbol"]) | {
                name: command[name] for name in names if command[name] is not None})
        else:
            account.row |= {name: command[name] for name in of_both + of_user if command[name] is not None}
            if command["positionLimit"] is not None:
                account.limit_all_positions(command["positionLimit"])
        account.put()

    def set_state(self, command):
        state, symbol = command["tradingState"], command["symbol"]
        if state is None or symbol == "":
            self.event(command, "REJECT", "state", "BAD_ACCOUNT_COMMAND")
            return
        account = self.account(command["userId"])
        if symbol is not None:
            exposure = account.exposure(symbol)
            before = exposure["tradingState"]
            account.set_exposure(exposure | {"tradingState": state})
        else:
            self.begin_bucket(account, command)
            before = account.row["tradingState"]
            account.row["tradingState"] = state
        account.put()
        self.event(command, "STATE_CHANGE", "state", stateFrom=before, stateTo=state, text=command["reason"])
        if command["cancelOrders"]:
            self.cancel_orders(command)

    def cancel_orders(self, command):
        """The open orders concerned: of one user, or of all in the order of their rows."""
        event, users = "R-" + command["eventId"], [command["userId"]]
        if command["userId"] == ALL_USERS:
            rows = sorted((key.encode("latin-1"), row) for key, row in self.stores["accounts"].items())
            users = [key.decode() for key, row in rows if row["openOrders"] > 0]
        for user in users:
            name = event + ("-" + user if command["userId"] == ALL_USERS else "")
            if len(text_bytes(name)) > 64:  # longer than an identifier may be
                name = "R-" + hashlib.sha256(text_bytes(name)).hexdigest()[:32]
            self.fan_out(CANCEL_ALL | {
                "eventId": name, "ts": command["ts"], "traceId": command["traceId"], "orderId": name, "userId": user,
                "symbol": command["symbol"] or ""}, self.account(user))


def numbers_of(failure):
    """The fields of an event that come from a check."""
    numbers = {name: getattr(failure, name) for name in ("limit", "current", "projected")}
    return {"code": codes.number(failure.code), "text": codes.text(failure.code)} | {
        name: None if value is None else text_of(value) for name, value in numbers.items()}


# A mass cancel of an operator.
CANCEL_ALL = dict.fromkeys((
    "clientOrderId", "idempotencyKey", "fingerprint", "qty", "quoteQty", "price", "stopPrice", "displayQty",
    "expireTs", "targetOrderId", "clientTs", "ingestTs", "feeMaker", "feeTaker", "reserved", "reserveAsset",
    "collarPx", "refPx", "refTs")) | {
        "action": "CANCEL_ALL", "side": "BUY", "ordType": "LIMIT", "tif": "GTC", "postOnly": False,
        "reduceOnly": False, "stpMode": "EXPIRE_TAKER", "source": "risk", "cancelReason": "RISK"}


STAGE = Risk
