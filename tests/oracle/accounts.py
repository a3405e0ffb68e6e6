"""What risk holds of a user, in one row: limits, switches, bucket, exposures and balances.

Source: domain reference, 1.3 (state per user; velocity: integer micro-tokens on event time). An exposure or
balance that says no more than its absence is left out of the row.
"""

from amounts import DAY_US, atoms, text_of, time_of
from records import key_text, text_bytes
from stage import Poison

TOKEN = 10 ** 6
NAME_BYTES_MAX = 512

EMPTY_EXPOSURE = {
    "symbol": None, "position": "0", "openBuy": "0", "openSell": "0", "openOrders": 0, "positionLimit": None,
    "tradingState": "ACTIVE", "costBasis": None, "openOrdersMax": None, "notionalMax": None,
    "concentrationLimit": None, "velocityPerSecond": None, "velocityBurst": None, "bucketMicroTokens": None,
    "bucketTs": None,
}
EMPTY_ACCOUNT = {
    "tradingState": "ACTIVE", "openOrders": 0, "openOrdersMax": None, "velocityPerSecond": None,
    "velocityBurst": None, "notionalMax": None, "positionLimit": None, "dailyLossLimit": None,
    "bucketMicroTokens": 0, "bucketTs": None, "realisedDay": "0", "day": 0, "lossBreached": False,
    "exposures": [], "balances": [], "notionalWindowMax": None, "concentrationLimit": None, "window": [],
    "loops": [],
}


def replaced(entries, name, entry):
    """The entries, sorted by name, with the one of entry's name replaced; None: without it."""
    by_name = {item[name]: item for item in entries}
    if entry[1] is None:
        by_name.pop(entry[0], None)
    else:
        by_name[entry[0]] = entry[1]
    return sorted(by_name.values(), key=lambda item: text_bytes(item[name]))


class RiskAccount:
    """A copy of a user's row that can be changed and put back."""

    def __init__(self, store, user, options):
        if not 0 < len(text_bytes(user)) <= 1024:
            raise Poison("MALFORMED", "userId is empty or too long")
        self.store = store
        self.user = user
        self.options = options
        row = store.get(key_text(user))
        self.row = dict(EMPTY_ACCOUNT if row is None else row)

    def put(self):
        self.store.put(key_text(self.user), self.row)

    # ---- velocity --------------------------------------------------------------------------------

    def rule(self, everybody):
        """(refill per second, depth) in tokens."""
        given = [next((row[name] for row in (self.row, everybody.row) if row[name] is not None), None)
                 for name in ("velocityPerSecond", "velocityBurst")]
        return (self.options["velocity"] // TOKEN if given[0] is None else given[0],
                self.options["velocity-burst"] if given[1] is None else given[1])

    def begin_bucket(self, everybody, now_us):
        """A bucket that was never used is full."""
        if self.row["bucketTs"] is None:
            self.row["bucketMicroTokens"] = max(self.rule(everybody)[1], 0) * TOKEN
            self.row["bucketTs"] = time_of(now_us)

    # ---- the day ---------------------------------------------------------------------------------

    def roll(self, ts_us):
        """A newer UTC day begins with no profit, no loss and no breach."""
        if ts_us // DAY_US > self.row["day"]:
            self.row["day"] = ts_us // DAY_US
            self.row["lossBreached"] = False
            for asset in [entry["asset"] for entry in self.row["balances"]]:
                self.set_profit(asset, 0)

    def is_today(self, ts_us):
        return self.row["day"] >= ts_us // DAY_US

    def profit(self, asset):
        for entry in self.row["balances"]:
            if entry["asset"] == asset:
                return atoms(entry["realisedDay"] or "0")
        return 0

    def loss(self, asset):
        return max(0, -self.profit(asset))

    # ---- exposures and balances ------------------------------------------------------------------

    def check_name(self, name):
        if len(text_bytes(self.user)) + len(text_bytes(name)) + 2 > NAME_BYTES_MAX:
            raise Poison("MALFORMED", "userId, symbol or asset is empty or too long")

    def exposure(self, symbol):
        self.check_name(symbol)
        found = [entry for entry in self.row["exposures"] if entry["symbol"] == symbol]
        return found[0] if found else EMPTY_EXPOSURE | {"symbol": symbol}

    def set_exposure(self, exposure):
        symbol = exposure["symbol"]
        says_something = exposure != EMPTY_EXPOSURE | {"symbol": symbol}
        entry = exposure if says_something else None
        self.row["exposures"] = replaced(self.row["exposures"], "symbol", (symbol, entry))

    def limit_all_positions(self, limit):
        """A limit for all symbols: those of single symbols go."""
        exposures = [entry | {"positionLimit": None} for entry in self.row["exposures"]]
        self.row["exposures"] = [entry for entry in exposures
                                 if entry != EMPTY_EXPOSURE | {"symbol": entry["symbol"]}]
        self.row["positionLimit"] = limit

    def balance(self, asset):
        """(available, hold)"""
        if asset == "":
            raise Poison("MALFORMED", "asset is empty")
        self.check_name(asset)
        for entry in self.row["balances"]:
            if entry["asset"] == asset:
                return atoms(entry["available"]), atoms(entry["hold"])
        return 0, 0

    def set_balance(self, asset, available, hold):
        self.set_entry(asset, available, hold, self.profit(asset))

    def set_profit(self, asset, profit):
        self.set_entry(asset, *self.balance(asset), profit)

    def set_entry(self, asset, available, hold, profit):
        entry = {"asset": asset, "available": text_of(available), "hold": text_of(hold),
                 "realisedDay": text_of(profit) if profit != 0 else None}
        entry = entry if (available, hold, profit) != (0, 0, 0) else None
        self.row["balances"] = replaced(self.row["balances"], "asset", (asset, entry))
