"""What risk holds of a user, in one row: limits, switches, bucket, exposures and balances.

Source: domain reference, 1.3 (state per user; velocity: integer micro-tokens on event time). An exposure or
balance that says no more than its absence is left out of the row.
"""

from amounts import atoms, micros, text_of, time_of
from records import key_text, text_bytes
from stage import Poison

TOKEN = 10 ** 6
INT64_MAX = 2 ** 63 - 1
NAME_BYTES_MAX = 512

EMPTY_EXPOSURE = {"symbol": None, "position": "0", "openBuy": "0", "openSell": "0", "openOrders": 0,
                  "positionLimit": None, "tradingState": "ACTIVE"}
EMPTY_ACCOUNT = {
    "tradingState": "ACTIVE", "openOrders": 0, "openOrdersMax": None, "velocityPerSecond": None,
    "velocityBurst": None, "notionalMax": None, "positionLimit": None, "dailyLossLimit": None,
    "bucketMicroTokens": 0, "bucketTs": None, "realisedDay": "0", "day": 0, "lossBreached": False,
    "exposures": [], "balances": [],
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

    def rule(self):
        """(refill per second, depth) in tokens."""
        per_second, burst = self.row["velocityPerSecond"], self.row["velocityBurst"]
        return (self.options["velocity"] // TOKEN if per_second is None else per_second,
                self.options["velocity-burst"] if burst is None else burst)

    def begin_bucket(self, now_us):
        """A bucket that was never used is full."""
        if self.row["bucketTs"] is None:
            self.row["bucketMicroTokens"] = max(self.rule()[1], 0) * TOKEN
            self.row["bucketTs"] = time_of(now_us)

    def take_token(self, now_us):
        """tok = min(cap, tok + rate x dt); an earlier clock refills nothing."""
        per_second, burst = self.rule()
        depth = max(burst, 0) * TOKEN
        tokens = self.row["bucketMicroTokens"]
        last_us = micros(self.row["bucketTs"])
        if now_us > last_us:
            gained = (now_us - last_us) * max(per_second, 0)
            tokens += gained if gained <= INT64_MAX else depth
        tokens = min(tokens, depth)
        if tokens < TOKEN:
            return False
        self.row["bucketMicroTokens"] = tokens - TOKEN
        self.row["bucketTs"] = time_of(max(now_us, last_us))
        return True

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
        entry = {"asset": asset, "available": text_of(available), "hold": text_of(hold)}
        entry = entry if available != 0 or hold != 0 else None
        self.row["balances"] = replaced(self.row["balances"], "asset", (asset, entry))
