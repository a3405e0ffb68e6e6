"""The risk stage: money, limits and rate are held against each order before it reaches a book.

Source: domain reference, 1.3: fixed order of checks (kill switch, velocity, counts, collar, position, funds),
the first failure is the recorded code; hold = P x Q + ceil(P x Q x taker rate) for a buy, Q for a sell; what
an order no longer needs is released by the engine's reports, once. All times are the record's.
"""

import codes
import reports
from accounts import RiskAccount
from amounts import BUSINESS_LIMIT, OutOfRange, atoms, in_range, micros, product, text_of
from checks import Case, Checks
from instruments import Instruments, amount
from records import key_text, text_bytes
from reports import RISK_EVENT
from stage import Poison, Stage, key_is
from validate import IDENTIFIER

KEY_BYTES_MAX = 1024


def order_key(order_id):
    if not 0 < len(text_bytes(order_id)) <= KEY_BYTES_MAX:
        raise Poison("MALFORMED", "orderId is empty or too long")
    return key_text(order_id)


class Risk(Stage):
    """Checks of orders, holds, transfers, limits and switches."""

    STORES = ("accounts", "orders", "transfers")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.instruments = Instruments(self, "instruments")
        self.checks = Checks(self.options)

    def process(self, port, record):
        if port == "orders":
            self.order(record)
        elif port == "accounts":
            self.account_command(record)
        else:
            self.report(record.value)

    def account(self, user):
        return RiskAccount(self.stores["accounts"], user, self.options)

    # ---- orders ----------------------------------------------------------------------------------

    def order(self, record):
        order = record.value
        key = order_key(order["orderId"])
        if order["action"] == "CANCEL":
            self.emit("approved", order["symbol"], order)
            return
        amounts = [order["qty"]] if order["ordType"] == "MARKET" else [order["qty"], order["price"]]
        if order["action"] != "NEW" or not all(self.valid_amount(text) for text in amounts):
            raise Poison("MALFORMED", "not a command that validate lets through")
        if self.stores["orders"].get(key) is not None:
            self.refuse_duplicate(order)
        else:
            self.judge(order, key, record.event_us)

    @staticmethod
    def valid_amount(text):
        return text is not None and 0 < atoms(text) < BUSINESS_LIMIT

    def refuse_duplicate(self, order):
        """An order of this id is open: an event, so that no report names that order."""
        self.emit("events", order["userId"], RISK_EVENT | {
            "eventId": "R-" + order["eventId"], "ts": order["ts"], "traceId": order["traceId"],
            "userId": order["userId"], "orderId": order["orderId"], "commandId": order["eventId"],
            "symbol": order["symbol"], "type": "DUPLICATE_CONFLICT", "check": "orderId",
            "code": codes.number("DUPLICATE_ORDER")})

    def judge(self, order, key, now_us):
        account = self.account(order["userId"])
        account.begin_bucket(now_us)
        instrument = self.instruments.get(order["symbol"])
        if instrument is None or not instrument.usable:
            self.reject(order, "UNKNOWN_SYMBOL")
            return
        case = Case(order, now_us, account, instrument)
        case.tick = self.reference(order["symbol"], now_us)
        code = self.checks.run(case)
        if code is None:
            self.approve(case, key)
            return
        if code not in ("HALTED", "REDUCING", "VELOCITY"):
            account.put()  # the token is gone
        self.reject(order, code)

    def reject(self, order, code):
        report = reports.rejection(order, "R-", codes.number(code), codes.text(code))
        self.emit("rejected", order["userId"], report)

    def reference(self, symbol, now_us):
        _, tick = self.table("prices", symbol)
        age_us = self.options["price-age"]
        if tick is None or atoms(tick["price"]) <= 0:
            return None
        return tick if age_us == 0 or micros(tick["ts"]) >= now_us - age_us else None

    def approve(self, case, key):
        order, account = case.order, case.account
        available, hold = account.balance(case.asset)
        account.set_balance(case.asset, available - case.hold, hold + case.hold)
        side = "openBuy" if case.buy else "openSell"
        account.set_exposure(case.exposure | {
            side: text_of(atoms(case.exposure[side]) + case.qty),
            "openOrders": case.exposure["openOrders"] + 1})
        account.row["openOrders"] += 1
        account.put()
        self.stores["orders"].put(key, {
            "userId": order["userId"], "symbol": order["symbol"], "asset": case.asset, "side": order["side"],
            "hold": text_of(case.hold), "leavesQty": order["qty"], "price": text_of(case.price),
            "clientOrderId": order["clientOrderId"], "lastVersion": 0, "createdTs": order["ts"]})
        tick = case.tick
        self.emit("approved", order["symbol"], order | {
            "feeMaker": text_of(case.instrument["makerFee"]), "feeTaker": text_of(case.instrument["takerFee"]),
            "reserved": text_of(case.hold), "reserveAsset": case.asset,
            "collarPx": text_of(case.price) if order["ordType"] == "MARKET" else None,
            "refPx": None if tick is None else tick["price"], "refTs": None if tick is None else tick["ts"]})

    # ---- reports of the engine -------------------------------------------------------------------

    def report(self, report):
        """A fill spends and releases, an end releases the rest; each version acts once."""
        from_engine = report["engineSeq"] > 0 or (report["execId"][:2] == "F-" and len(report["execId"]) > 2)
        if not from_engine or report["execType"] not in ("TRADE", "CANCELED", "REJECTED"):
            return
        key = order_key(report["orderId"])
        order = self.stores["orders"].get(key)
        if order is None or report["version"] <= order["lastVersion"] or order["userId"] != report["userId"]:
            return
        account = self.account(report["userId"])
        if report["execType"] != "TRADE":
            self.ended(account, order, key)
            return
        if (None in (report["baseAsset"], report["quoteAsset"], report["holdAfter"])
                or (report["side"], report["symbol"]) != (order["side"], order["symbol"])):
            raise Poison("MALFORMED", "fill without assets or holdAfter, or of another order")
        try:
            self.filled(account, report, order, key)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "report takes more than the order holds, or overflows") from None

    def ended(self, account, order, key):
        hold = atoms(order["hold"])
        available, held = account.balance(order["asset"])
        try:
            account.set_balance(order["asset"], in_range(available + hold), in_range(held - hold))
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "report takes more than the order holds, or overflows") from None
        side = "openBuy" if order["side"] == "BUY" else "openSell"
        exposure = account.exposure(order["symbol"])
        exposure = exposure | {side: text_of(atoms(exposure[side]) - atoms(order["leavesQty"]))}
        self.close(account, exposure, key)

    def filled(self, account, report, order, key):
        buy = order["side"] == "BUY"
        qty, px = amount(report, "lastQty") or 0, amount(report, "lastPx") or 0
        if qty <= 0 or px <= 0 or qty > atoms(order["leavesQty"]):
            raise OutOfRange()
        self.fill_balances(account, report, atoms(order["hold"]))
        exposure = account.exposure(report["symbol"])
        side = "openBuy" if buy else "openSell"
        exposure = exposure | {
            "position": text_of(in_range(atoms(exposure["position"]) + (qty if buy else -qty))),
            side: text_of(atoms(exposure[side]) - qty)}
        if report["status"] == "FILLED":
            self.close(account, exposure, key)
            return
        account.set_exposure(exposure)
        account.put()
        self.stores["orders"].put(key, order | {
            "hold": report["holdAfter"], "leavesQty": text_of(atoms(order["leavesQty"]) - qty),
            "lastVersion": report["version"]})

    @staticmethod
    def fill_balances(account, report, hold_before):
        """release = hold before - hold after - spent, never negative."""
        buy = report["side"] == "BUY"
        spends, gains = ("quoteAsset", "baseAsset") if buy else ("baseAsset", "quoteAsset")
        qty, fee = atoms(report["lastQty"]), amount(report, "feeAmount") or 0
        account.balance(report[spends])
        gained = account.balance(report[gains])
        notional = product(qty, atoms(report["lastPx"]))
        spent = in_range(notional + fee) if buy else qty
        proceeds = qty if buy else in_range(notional - fee)
        hold_after = atoms(report["holdAfter"])
        release = in_range(in_range(hold_before - hold_after) - spent)
        if hold_after < 0 or release < 0:
            raise OutOfRange()
        available, held = account.balance(report[spends])
        after = (in_range(available + release), in_range(held - (hold_before - hold_after)))
        gained = (in_range(gained[0] + proceeds), gained[1])
        account.set_balance(report[spends], *after)
        account.set_balance(report[gains], *gained)

    def close(self, account, exposure, key):
        account.row["openOrders"] -= account.row["openOrders"] > 0
        account.set_exposure(exposure | {"openOrders": exposure["openOrders"] - (exposure["openOrders"] > 0)})
        account.put()
        self.stores["orders"].delete(key)

    # ---- account commands ------------------------------------------------------------------------

    def account_command(self, record):
        command = record.value
        if "" in (command["userId"], command["eventId"]) or not key_is(record.key, command["userId"]):
            raise Poison("MALFORMED", "account command without ids or under another key")
        if command["action"] in ("DEPOSIT", "WITHDRAW"):
            self.transfer(command)
        elif command["action"] == "SET_LIMITS":
            self.set_limits(command)
        else:
            self.set_state(command)

    def event(self, command, kind, check, code=None, **fields):
        self.emit("events", command["userId"], RISK_EVENT | {
            "eventId": "R-" + command["eventId"], "ts": command["ts"], "traceId": command["traceId"],
            "userId": command["userId"], "commandId": command["eventId"], "symbol": command["symbol"],
            "type": kind, "check": check, "code": 0 if code is None else codes.number(code),
            "text": None if code is None else codes.text(code)} | fields)

    def transfer(self, command):
        """Money in and out counts once by its eventId, for ever, and never below zero."""
        deposit = command["action"] == "DEPOSIT"
        check = "deposit" if deposit else "withdraw"
        sum_ = amount(command, "amount")
        if (not IDENTIFIER.match(command["asset"] or "") or sum_ is None
                or not 0 < sum_ < BUSINESS_LIMIT):
            self.event(command, "REJECT", check, "BAD_ACCOUNT_COMMAND")
            return
        key = text_bytes(command["userId"]) + b"\0" + text_bytes(command["eventId"]) + b"\0"
        if len(key) > 512:
            raise Poison("MALFORMED", "userId and eventId are too long")
        key = key.decode("latin-1")
        if self.stores["transfers"].get(key) is not None:
            self.event(command, "DUPLICATE", check)
            return
        account = self.account(command["userId"])
        available, hold = account.balance(command["asset"])
        if not deposit and available < sum_:
            self.event(command, "REJECT", check, "INSUFFICIENT_FUNDS", current=text_of(available),
                       projected=text_of(available - sum_))
            return
        try:
            available = in_range(available + (sum_ if deposit else -sum_))
        except OutOfRange:
            self.event(command, "REJECT", check, "OVERFLOW")
            return
        self.stores["transfers"].put(key, {"firstTs": command["ts"]})
        account.set_balance(command["asset"], available, hold)
        account.put()
        self.emit("transfers", command["userId"], command)

    def set_limits(self, command):
        """Absent limits stay; one for all symbols replaces those of single symbols."""
        given = [amount(command, n) for n in ("positionLimit", "notionalMax", "dailyLossLimit")]
        given += [command[n] for n in ("openOrdersMax", "velocityPerSecond", "velocityBurst")]
        if command["symbol"] == "" or any(limit is not None and limit < 0 for limit in given):
            self.event(command, "REJECT", "limits", "BAD_ACCOUNT_COMMAND")
            return
        account = self.account(command["userId"])
        account.begin_bucket(micros(command["ts"]))
        for name in ("openOrdersMax", "velocityPerSecond", "velocityBurst", "notionalMax", "dailyLossLimit"):
            if command[name] is not None:
                account.row[name] = command[name]
        limit = command["positionLimit"]
        if limit is not None and command["symbol"] is not None:
            exposure = account.exposure(command["symbol"])
            account.set_exposure(exposure | {"positionLimit": limit})
        elif limit is not None:
            account.limit_all_positions(limit)
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
            account.begin_bucket(micros(command["ts"]))
            before = account.row["tradingState"]
            account.row["tradingState"] = state
        account.put()
        self.event(command, "STATE_CHANGE", "state", stateFrom=before, stateTo=state, text=command["reason"])


STAGE = Risk
