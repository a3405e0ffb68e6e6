"""The settle stage: one balanced journal for each report that moves money; balances, positions, SETTLED.

Source: domain reference, 1.5: double entry per asset over user, clearing, fees and external accounts; hold as a
balance of the order; fees in quote for both sides; average cost, no dust when a position closes, a fill
through zero closes and opens; the fee of every fill is realised at once; a UTC day that has passed is not
reopened. SETTLED when an order is filled and holds nothing.
"""

from amounts import DAY_US, OutOfRange, atoms, in_range, micros, product, share, text_of
from accounts import replaced
from instruments import amount
from records import key_text, text_bytes
from stage import Poison, Stage

NAME_BYTES_MAX = 512
NOT_IN_SETTLED = ("lastQty", "lastPx", "tradeId", "liquidity", "feeAmount", "counterOrderId", "bookSeq")
EMPTY_POSITION = {"qty": "0", "costBasis": "0", "realisedTotal": "0", "realisedDay": "0", "day": 0,
                  "feesTotal": "0", "version": 0}


def name_fits(user, name):
    return user != "" and len(text_bytes(user)) + 1 + len(text_bytes(name)) + 1 <= NAME_BYTES_MAX


def key_fits(text):
    return 0 < len(text_bytes(text)) < NAME_BYTES_MAX


class Journal:
    """One ledger entry in the making. Moving a balance and writing its posting are one step."""

    def __init__(self, stage, user, ts):
        if not name_fits(user, ""):
            raise Poison("MALFORMED", "userId or asset is empty or too long")
        self.stage = stage
        self.user = user
        self.ts = ts
        row = stage.stores["accounts"].get(key_text(user))
        self.row = dict(row) if row is not None else {"journalSeq": 0, "balances": [], "positions": []}
        self.balances = {}  # asset -> [available, hold, version]
        self.postings = []

    def party(self, asset):
        """The user's account in an asset."""
        if asset == "" or not name_fits(self.user, asset):
            raise Poison("MALFORMED", "userId or asset is empty or too long")
        known = [entry for entry in self.row["balances"] if entry["asset"] == asset]
        entry = known[0] if known else {"available": "0", "hold": "0", "version": 0}
        self.balances[asset] = [atoms(entry["available"]), atoms(entry["hold"]), entry["version"]]

    def post(self, account, asset, direction, value, after=None):
        """Postings of nothing are left out."""
        if value < 0:
            raise OutOfRange()
        if value > 0:
            self.postings.append({"account": account, "asset": asset, "direction": direction,
                                  "amount": text_of(value), "balanceAfter": after})

    def post_user(self, part, asset, direction, value):
        """A credit increases what the user has."""
        place = 1 if part == "hold" else 0
        balance = self.balances[asset]
        balance[place] = in_range(balance[place] + (value if direction == "CREDIT" else -value))
        self.post(f"user:{self.user}:{asset}:{part}", asset, direction, value, text_of(balance[place]))

    def post_fee(self, asset, fee):
        self.post("fees:" + asset, asset, "DEBIT" if fee < 0 else "CREDIT", abs(fee))

    def store(self):
        """Numbers the journal and writes the row; a journal without postings writes nothing."""
        if not self.postings:
            return
        balances = self.row["balances"]
        for asset, (available, hold, version) in self.balances.items():
            entry = {"asset": asset, "available": text_of(available), "hold": text_of(hold),
                     "version": version + 1}
            balances = replaced(balances, "asset", (asset, entry))
        self.row["balances"] = balances
        self.row["journalSeq"] += 1
        self.stage.stores["accounts"].put(key_text(self.user), self.row)

    def emit(self, entry_type, ids):
        if not self.postings:
            return
        for asset, (available, hold, version) in self.balances.items():
            self.stage.emit("balances", f"{self.user}:{asset}", {
                "userId": self.user, "asset": asset, "ts": self.ts, "available": text_of(available),
                "hold": text_of(hold), "version": version + 1}, self.user)
        self.stage.emit("ledger", self.user, {
            "ts": self.ts, "userId": self.user, "entryType": entry_type, "postings": self.postings,
            "seq": self.row["journalSeq"], "reverses": None} | ids)


def report_ids(report):
    return {"journalId": report["execId"], "execId": report["execId"], "orderId": report["orderId"],
            "symbol": report["symbol"], "traceId": report["traceId"]}


def hold_asset(report):
    return report["quoteAsset"] if report["side"] == "BUY" else report["baseAsset"]


class Fill:
    """The amounts of a fill; OutOfRange when the report contradicts itself or the hold."""

    def __init__(self, report, hold_before):
        self.buy = report["side"] == "BUY"
        self.qty = amount(report, "lastQty") or 0
        self.fee = amount(report, "feeAmount") or 0
        px = amount(report, "lastPx") or 0
        hold_after = atoms(report["holdAfter"])
        if self.qty <= 0 or px <= 0 or hold_after < 0:
            raise OutOfRange()
        self.notional = product(self.qty, px)
        self.spent = in_range(self.notional + self.fee) if self.buy else self.qty
        self.release = in_range(hold_before - hold_after - self.spent)
        if self.release < 0:
            raise OutOfRange()

    def post(self, journal, base, quote):
        """Buyer: Dr hold n + f, Cr clearing n, Cr fees f; Dr clearing q, Cr avail q. Seller: the mirror."""
        if self.buy:
            journal.post_user("hold", quote, "DEBIT", self.spent)
            journal.post("clearing:" + quote, quote, "CREDIT", self.notional)
            journal.post_fee(quote, self.fee)
            journal.post("clearing:" + base, base, "DEBIT", self.qty)
            journal.post_user("avail", base, "CREDIT", self.qty)
            journal.post_user("hold", quote, "DEBIT", self.release)
            journal.post_user("avail", quote, "CREDIT", self.release)
            return
        if self.release != 0:
            raise OutOfRange()
        journal.post_user("hold", base, "DEBIT", self.qty)
        journal.post("clearing:" + base, base, "CREDIT", self.qty)
        journal.post("clearing:" + quote, quote, "DEBIT", self.notional)
        journal.post_user("avail", quote, "CREDIT", in_range(self.notional - self.fee))
        journal.post_fee(quote, self.fee)


def part_of(notional, part, whole):
    """The last part takes what is left."""
    return notional if part == whole else share(notional, part, whole)


def moved_position(position, fill, ts_us):
    """A position after a fill, at average cost; costBasis is signed as qty is."""
    qty, basis = atoms(position["qty"]), atoms(position["costBasis"])
    signed, cost = (fill.qty, fill.notional) if fill.buy else (-fill.qty, -fill.notional)
    closed = min(abs(qty), abs(signed)) if (qty > 0) != (signed > 0) and qty != 0 else 0
    cost_closed = part_of(cost, closed, abs(signed)) if closed else 0
    cost_out = part_of(basis, closed, abs(qty)) if closed else 0
    profit = in_range(in_range(-cost_closed - cost_out) - fill.fee)
    basis = in_range(in_range(basis - cost_out) + in_range(cost - cost_closed))
    day = ts_us // DAY_US
    of_day = atoms(position["realisedDay"]) if day <= position["day"] else 0
    newest = max(day, position["day"])
    return {
        "qty": text_of(in_range(qty + signed)),
        "costBasis": text_of(basis),
        "realisedTotal": text_of(in_range(atoms(position["realisedTotal"]) + profit)),
        "realisedDay": text_of(in_range(of_day + profit) if day == newest else of_day),
        "day": newest,
        "feesTotal": text_of(in_range(atoms(position["feesTotal"]) + fill.fee)),
        "version": position["version"] + 1,
    }


class Settle(Stage):
    """The ledger."""

    STORES = ("accounts", "orders")

    def process(self, port, record):
        if port == "accounts":
            self.transfer(record.value)
        else:
            self.execution(record.value)

    def execution(self, report):
        kind = report["execType"]
        if kind not in ("NEW", "TRADE", "CANCELED"):
            return
        if not key_fits(report["orderId"]) or not key_fits(report["userId"]):
            raise Poison("MALFORMED", "orderId or userId is empty or too long")
        base, quote = report["baseAsset"], report["quoteAsset"]
        if None in (base, quote, report["holdAfter"]) or base == quote:
            raise Poison("MALFORMED", "report of the engine without assets or holdAfter")
        key = key_text(report["orderId"])
        order = self.stores["orders"].get(key)
        if kind == "NEW":
            if order is None:
                self.accept(report, key)
        elif order is not None and report["version"] > order["lastVersion"]:
            if kind == "TRADE":
                self.fill(report, order, key)
            else:
                self.cancel(report, order, key)

    def accept(self, report, key):
        """Dr avail, Cr hold."""
        journal = Journal(self, report["userId"], report["ts"])
        asset = hold_asset(report)
        journal.party(asset)
        hold = atoms(report["holdAfter"])
        try:
            journal.post_user("avail", asset, "DEBIT", hold)
            journal.post_user("hold", asset, "CREDIT", hold)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "hold is negative or balance out of range") from None
        self.stores["orders"].put(key, {"hold": report["holdAfter"], "lastVersion": report["version"]})
        journal.store()
        journal.emit("HOLD", report_ids(report))

    def fill(self, report, order, key):
        try:
            fill = Fill(report, atoms(order["hold"]))
        except OutOfRange:
            text = "fill without amounts, or more than the order holds"
            raise Poison("OUT_OF_RANGE", text) from None
        journal = Journal(self, report["userId"], report["ts"])
        base, quote = report["baseAsset"], report["quoteAsset"]
        journal.party(base)
        journal.party(quote)
        try:
            fill.post(journal, base, quote)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "balance out of range") from None
        position = self.position(journal, report, fill)
        done = report["status"] == "FILLED" and atoms(report["holdAfter"]) == 0
        if done:
            self.stores["orders"].delete(key)
        else:
            self.stores["orders"].put(key, {"hold": report["holdAfter"], "lastVersion": report["version"]})
        journal.store()
        user = report["userId"]
        self.emit("positions", f"{user}:{report['symbol']}", {
            "userId": user, "symbol": report["symbol"], "ts": report["ts"], "openBuy": None, "openSell": None,
            "mark": None, "unrealised": None} | position, user)
        journal.emit("TRADE", report_ids(report))
        if done:
            self.settled(report)

    def position(self, journal, report, fill):
        symbol = report["symbol"]
        if not name_fits(report["userId"], symbol):
            raise Poison("MALFORMED", "userId and symbol are too long")
        known = [entry for entry in journal.row["positions"] if entry["symbol"] == symbol]
        try:
            position = moved_position(known[0] if known else EMPTY_POSITION, fill, micros(report["ts"]))
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "position out of range") from None
        entry = {"symbol": symbol} | position
        journal.row["positions"] = replaced(journal.row["positions"], "symbol", (symbol, entry))
        return position

    def cancel(self, report, order, key):
        """Dr hold, Cr avail: the rest of what is held comes back."""
        journal = Journal(self, report["userId"], report["ts"])
        asset = hold_asset(report)
        journal.party(asset)
        hold = atoms(order["hold"])
        try:
            journal.post_user("hold", asset, "DEBIT", hold)
            journal.post_user("avail", asset, "CREDIT", hold)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "balance out of range") from None
        self.stores["orders"].delete(key)
        journal.store()
        journal.emit("RELEASE", report_ids(report))

    def settled(self, report):
        self.emit("settled", report["userId"], report | dict.fromkeys(NOT_IN_SETTLED) | {
            "execId": "S-" + report["orderId"], "execType": "SETTLED", "status": "SETTLED", "settled": True,
            "version": report["version"] + 1})

    def transfer(self, command):
        """Risk let it through; money comes from or goes to `external`."""
        if command["action"] not in ("DEPOSIT", "WITHDRAW"):
            return
        journal = Journal(self, command["userId"], command["ts"])
        asset, value = command["asset"] or "", amount(command, "amount") or 0
        journal.party(asset)
        try:
            if command["action"] == "DEPOSIT":
                journal.post("external:" + asset, asset, "DEBIT", value)
                journal.post_user("avail", asset, "CREDIT", value)
            else:
                journal.post_user("avail", asset, "DEBIT", value)
                journal.post("external:" + asset, asset, "CREDIT", value)
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "amount is negative or balance out of range") from None
        journal.store()
        journal.emit(command["action"], {
            "journalId": "A-" + command["eventId"], "execId": None, "orderId": None, "symbol": None,
            "traceId": command["traceId"]})


STAGE = Settle
