"""Account commands, as risk takes them: money in and out, limits, switches and mass cancels.

Source: see risk.py, whose stage this is a part of.
"""

import hashlib

import codes
from amounts import BUSINESS_LIMIT, OutOfRange, atoms, in_range, micros, text_of
from instruments import amount
from records import text_bytes
from reports import RISK_EVENT
from risk_keys import ALL_USERS, pair_key
from stage import Poison, key_is
from validate import IDENTIFIER

# A mass cancel of an operator.
CANCEL_ALL = dict.fromkeys((
    "clientOrderId", "idempotencyKey", "fingerprint", "qty", "quoteQty", "price", "stopPrice", "displayQty",
    "expireTs", "targetOrderId", "clientTs", "ingestTs", "feeMaker", "feeTaker", "reserved", "reserveAsset",
    "collarPx", "refPx", "refTs")) | {
        "action": "CANCEL_ALL", "side": "BUY", "ordType": "LIMIT", "tif": "GTC", "postOnly": False,
        "reduceOnly": False, "stpMode": "EXPIRE_TAKER", "source": "risk", "cancelReason": "RISK"}


class RiskTransfers:
    """Of class Risk: the port `accounts`."""

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
