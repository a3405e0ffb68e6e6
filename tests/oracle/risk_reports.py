"""What the engine reports, as risk takes it: a fill spends and releases, an end releases the rest.

Source: see risk.py, whose stage this is a part of.
"""

from amounts import BUSINESS_LIMIT, DAY_US, OutOfRange, atoms, in_range, micros, product, share, text_of
from instruments import amount
from reports import RISK_EVENT
from risk_keys import ALL_USERS, order_key
from stage import Poison

AFTER_TRADE = ("TRADE", "CANCELED", "REJECTED", "REPLACED", "TRADE_PREVENTION")


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


class RiskReports:
    """Of class Risk: the port `executions`."""

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
