"""The settle stage: one balanced journal for each report that moves money; balances, positions, SETTLED.

Source: domain reference, 1.5: double entry per asset over user, clearing, fees and external accounts; hold as a
balance of the order; fees in quote for both sides. SETTLED when an order is filled and holds nothing.
docs/DOMAIN.md, "Rules: settle": amendments, prevented trades, orders by amount, transfers in two steps and their
reversal, SETTLED of a cancelled order that traded, totals.
"""

from amounts import OutOfRange, atoms, in_range, micros, product, text_of
from accounts import replaced
from instruments import amount
from positions import EMPTY, Closing, Lots, average_cost, moved
from records import key_text, text_bytes
from stage import Poison, Stage

NAME_BYTES_MAX = 512
NOT_IN_SETTLED = ("lastQty", "lastPx", "tradeId", "liquidity", "feeAmount", "counterOrderId", "bookSeq")
CLASSES = {"avail": "available", "hold": "hold"}
NO_TOTAL = dict.fromkeys(("available", "hold", "clearing", "fees", "external"), "0")
# action -> state before (None: it is not there yet) -> (state after, debit, credit, type of the entry)
STEPS = {
    "DEPOSIT": {None: ("DEPOSITED", "external", "avail", "DEPOSIT")},
    "WITHDRAW": {None: ("WITHDRAWN", "avail", "external", "WITHDRAW")},
    "WITHDRAW_BEGIN": {None: ("HELD", "avail", "hold", "HOLD")},
    "WITHDRAW_COMMIT": {"HELD": ("WITHDRAWN", "hold", "external", "WITHDRAW")},
    "WITHDRAW_CANCEL": {"HELD": ("RELEASED", "hold", "avail", "RELEASE")},
    "REVERSE": {"DEPOSITED": ("REVERSED", "avail", "external", "REVERSAL"),
                "WITHDRAWN": ("REVERSED", "external", "avail", "REVERSAL")},
}


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
        self.row = dict(row) if row is not None else {"journalSeq": 0, "balances": [], "positions": [], "lots": []}
        self.balances = {}  # asset -> [available, hold, version]
        self.postings = []
        self.changed = False  # the row, whether there are postings or not

    def position(self, symbol):
        known = [entry for entry in self.row["positions"] if entry["symbol"] == symbol]
        return known[0] if known else EMPTY

    def set_position(self, symbol, position, lots=None):
        entry = {"symbol": symbol} | position
        self.row["positions"] = replaced(self.row["positions"], "symbol", (symbol, entry))
        if lots is not None:
            others = [row for row in self.row["lots"] if row["symbol"] != symbol]
            self.row["lots"] = sorted(others + lots, key=lambda row: text_bytes(row["symbol"]))

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
        """Numbers the journal and writes totals and row; one without postings writes what else changed."""
        if not self.postings:
            if self.changed:
                self.stage.stores["accounts"].put(key_text(self.user), self.row)
            return
        balances = self.row["balances"]
        for asset, (available, hold, version) in self.balances.items():
            entry = {"asset": asset, "available": text_of(available), "hold": text_of(hold),
                     "version": version + 1}
            balances = replaced(balances, "asset", (asset, entry))
        self.row["balances"] = balances
        self.row["journalSeq"] += 1
        self.add_totals()
        self.stage.stores["accounts"].put(key_text(self.user), self.row)

    def add_totals(self):
        totals = self.stage.stores["totals"]
        for posting in self.postings:
            account = posting["account"]
            name = CLASSES[account.rsplit(":", 1)[1]] if account.startswith("user:") else account.split(":", 1)[0]
            key = key_text(posting["asset"])
            total = dict(totals.get(key) or NO_TOTAL)
            value = atoms(posting["amount"])
            try:
                total[name] = text_of(in_range(
                    atoms(total[name]) + (value if posting["direction"] == "CREDIT" else -value)))
            except OutOfRange:
                raise Poison("OUT_OF_RANGE", "total of an asset out of range") from None
            totals.put(key, total)

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
        """Buyer: Dr hold n + f, Cr clearing n, Cr fees f; Dr clearing q, Cr avail q. Seller: the mirror.

        What is held too much comes back with the fill.
        """
        if self.buy:
            journal.post_user("hold", quote, "DEBIT", self.spent)
            journal.post("clearing:" + quote, quote, "CREDIT", self.notional)
            journal.post_fee(quote, self.fee)
            journal.post("clearing:" + base, base, "DEBIT", self.qty)
            journal.post_user("avail", base, "CREDIT", self.qty)
            journal.post_user("hold", quote, "DEBIT", self.release)
            journal.post_user("avail", quote, "CREDIT", self.release)
            return
        journal.post_user("hold", base, "DEBIT", self.qty)
        journal.post("clearing:" + base, base, "CREDIT", self.qty)
        journal.post("clearing:" + quote, quote, "DEBIT", self.notional)
        journal.post_user("avail", quote, "CREDIT", in_range(self.notional - self.fee))
        journal.post_fee(quote, self.fee)
        journal.post_user("hold", base, "DEBIT", self.release)
        journal.post_user("avail", base, "CREDIT", self.release)


class Settle(Stage):
    """The ledger."""

    STORES = ("accounts", "orders", "transfers", "totals")

    def process(self, port, record):
        if port == "accounts":
            self.transfer(record.value)
        else:
            self.execution(record.value)

    # ---- orders ----------------------------------------------------------------------------------

    def execution(self, report):
        """A report acts when its version is above that of the last; an order begins once."""
        act = {"NEW": self.accept, "TRADE": self.fill, "CANCELED": self.cancel, "REPLACED": self.rehold,
               "TRADE_PREVENTION": self.rehold}.get(report["execType"])
        if act is None:
            return
        if not key_fits(report["orderId"]) or not key_fits(report["userId"]):
            raise Poison("MALFORMED", "orderId or userId is empty or too long")
        base, quote = report["baseAsset"], report["quoteAsset"]
        if None in (base, quote, report["holdAfter"]) or base == quote:
            raise Poison("MALFORMED", "report of the engine without assets or holdAfter")
        key = key_text(report["orderId"])
        order = self.stores["orders"].get(key)
        if report["execType"] == "NEW":
            if order is None:
                act(report, None, key)
        elif order is None:
            self.orphan(report)
        elif report["version"] > order["lastVersion"]:
            act(report, order, key)

    def orphan(self, report):
        """The end of an order that is not there keeps it from beginning later."""
        ends = report["execType"] == "CANCELED" or (report["execType"] == "TRADE" and report["status"] == "FILLED")
        if not ends or report["engineSeq"] <= 0:
            return
        journal = Journal(self, report["userId"], report["ts"])
        if report["engineSeq"] > journal.position(report["symbol"])["endedSeq"]:
            self.note_end(journal, report)
            journal.store()

    def move_hold(self, report, change, text):
        """Available to hold, or (negative) back; the journal, not yet stored."""
        journal = Journal(self, report["userId"], report["ts"])
        asset = hold_asset(report)
        journal.party(asset)
        source, target = ("avail", "hold") if change > 0 else ("hold", "avail")
        try:
            journal.post_user(source, asset, "DEBIT", abs(change))
            journal.post_user(target, asset, "CREDIT", abs(change))
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", text) from None
        return journal

    def accept(self, report, order, key):
        """Dr avail, Cr hold; unless an order that came later in this symbol is over already."""
        hold = atoms(report["holdAfter"])
        ended = Journal(self, report["userId"], report["ts"]).position(report["symbol"])["endedSeq"]
        if 0 < report["engineSeq"] <= ended:
            return
        text = "hold is negative or balance out of range"
        if hold < 0:
            Journal(self, report["userId"], report["ts"]).party(hold_asset(report))
            raise Poison("OUT_OF_RANGE", text)
        journal = self.move_hold(report, hold, text)
        self.stores["orders"].put(key, {"hold": report["holdAfter"], "lastVersion": report["version"]})
        journal.store()
        journal.emit("HOLD", report_ids(report))

    def rehold(self, report, order, key):
        """The order goes on with another hold; only an amendment can ask for more."""
        change = atoms(report["holdAfter"]) - atoms(order["hold"])
        if atoms(report["holdAfter"]) < 0 or (change > 0 and report["execType"] != "REPLACED"):
            raise Poison("OUT_OF_RANGE", "hold is negative, or grows without an amendment")
        journal = self.move_hold(report, change, "balance out of range")
        self.stores["orders"].put(key, {"hold": report["holdAfter"], "lastVersion": report["version"]})
        journal.store()
        journal.emit("HOLD" if change > 0 else "RELEASE", report_ids(report))

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
        position = self.move_position(journal, report, fill)
        done = report["status"] == "FILLED" and atoms(report["holdAfter"]) == 0
        if done:
            self.end(journal, report, key)
        else:
            self.stores["orders"].put(key, {"hold": report["holdAfter"], "lastVersion": report["version"]})
        journal.store()
        user = report["userId"]
        self.emit("positions", f"{user}:{report['symbol']}", {
            "userId": user, "symbol": report["symbol"], "ts": report["ts"], "openBuy": None, "openSell": None,
            "mark": None, "unrealised": None} | position, user)
        journal.emit("TRADE", report_ids(report))
        if done:
            self.settled(report, "SETTLED")

    def move_position(self, journal, report, fill):
        """The position as its topic tells it."""
        symbol = report["symbol"]
        if not name_fits(report["userId"], symbol):
            raise Poison("MALFORMED", "userId and symbol are too long")
        before = journal.position(symbol)
        lots = []
        try:
            closing = Closing(atoms(before["qty"]), fill)
            if self.options["cost-basis"] == "fifo":
                known = Lots(before, [row for row in journal.row["lots"] if row["symbol"] == symbol],
                             self.options["lots-max"])
                cost_out = known.close(closing.closed)
                after = moved(before, closing, cost_out, fill, micros(report["ts"]))
                known.open(*closing.opened())
                lots = known.rows(symbol)
            else:
                after = moved(before, closing, average_cost(before, closing), fill, micros(report["ts"]))
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "position out of range") from None
        journal.set_position(symbol, after, lots)
        return {name: value for name, value in after.items() if name != "endedSeq"}

    def cancel(self, report, order, key):
        """Dr hold, Cr avail: the rest of what is held comes back. What had traded is settled with it."""
        journal = self.move_hold(report, -atoms(order["hold"]), "balance out of range")
        self.end(journal, report, key)
        journal.store()
        journal.emit("RELEASE", report_ids(report))
        if atoms(report["cumQty"]) > 0:
            self.settled(report, "CANCELLED")

    def end(self, journal, report, key):
        """The order is over: its row goes, and the position remembers that it has been."""
        self.note_end(journal, report)
        self.stores["orders"].delete(key)

    @staticmethod
    def note_end(journal, report):
        symbol = report["symbol"]
        if not name_fits(report["userId"], symbol):
            raise Poison("MALFORMED", "userId and symbol are too long")
        position = journal.position(symbol)
        if report["engineSeq"] > position["endedSeq"]:
            journal.set_position(symbol, position | {"endedSeq": report["engineSeq"]})
        journal.changed = True

    def settled(self, report, status):
        self.emit("settled", report["userId"], report | dict.fromkeys(NOT_IN_SETTLED) | {
            "execId": "S-" + report["orderId"], "execType": "SETTLED", "status": status, "settled": True,
            "version": report["version"] + 1})

    # ---- transfers -------------------------------------------------------------------------------

    def transfer(self, command):
        """Risk let it through; a step that does not follow from how far the transfer is was taken before."""
        action = command["action"]
        if action not in STEPS:
            return
        first = None in STEPS[action]
        name = command["eventId"] if first else command["transferId"] or ""
        if name == "" or not name_fits(command["userId"], name):
            raise Poison("MALFORMED", "transfer without a user or an id, or they are too long")
        key = key_text(command["userId"] + "\0" + name + "\0")
        row = self.stores["transfers"].get(key)
        if row is None and not first:
            raise Poison("OUT_OF_RANGE", "no such transfer in the ledger")
        step = STEPS[action].get(None if row is None else row["state"])
        if step is None:
            return
        state, debit, credit, entry_type = step
        journal_id = "A-" + command["eventId"]
        if row is None:
            row = {"asset": command["asset"] or "", "amount": text_of(amount(command, "amount") or 0)}
        undone = row.get("journalId") if action == "REVERSE" else None
        journal = Journal(self, command["userId"], command["ts"])
        journal.party(row["asset"])
        try:
            for part, direction in ((debit, "DEBIT"), (credit, "CREDIT")):
                if part == "external":
                    journal.post("external:" + row["asset"], row["asset"], direction, atoms(row["amount"]))
                else:
                    journal.post_user(part, row["asset"], direction, atoms(row["amount"]))
        except OutOfRange:
            raise Poison("OUT_OF_RANGE", "amount is negative or balance out of range") from None
        self.stores["transfers"].put(key, row | {"state": state, "journalId": undone or journal_id})
        journal.store()
        journal.emit(entry_type, {"journalId": journal_id, "execId": None, "orderId": None, "symbol": None,
                                  "traceId": command["traceId"], "reverses": undone})


STAGE = Settle
