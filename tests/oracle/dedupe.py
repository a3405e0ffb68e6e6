"""The dedupe stage: each request of a user passes once within the window.

Source: domain reference, 1.2: scope (userId, operation, key), fingerprint over the business fields, the first
sight decides, a reused key with other content is an event that leaves the first order alone. The deletion
of old entries follows the stage's own description: a sweep in the order of keys, 64 entries with every 16th
request while anything may be due.
"""

import bisect
import hashlib

import codes
from amounts import micros, time_of
from instruments import amount
from records import text_bytes
from reports import RISK_EVENT
from stage import Poison, Stage

ACTIONS = ("NEW", "CANCEL", "AMEND", "CANCEL_ALL")
SIDES = ("BUY", "SELL")
TYPES = ("LIMIT", "MARKET", "STOP", "STOP_LIMIT")
TIFS = ("GTC", "IOC", "FOK", "GTD")
STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "NONE")
AMOUNTS = ("qty", "quoteQty", "price", "stopPrice", "displayQty")
KEY_BYTES_MAX = 512 - 8
BATCH = 64
BATCH_RECORDS = BATCH // 4
NEVER_US = 2 ** 63 - 1
SIGN = 1 << 63


def fingerprint(command):
    """SHA-256 over the canonical business fields: times, ids and headers are not content."""
    out = bytearray([1, ACTIONS.index(command["action"])])
    for name in ("symbol", "clientOrderId", "targetOrderId"):
        text = text_bytes(command[name] or "")
        out += len(text).to_bytes(4, "big") + text
    if command["action"] not in ("CANCEL", "CANCEL_ALL"):
        out += bytes([SIDES.index(command["side"]), TYPES.index(command["ordType"]),
                      TIFS.index(command["tif"]), STP_MODES.index(command["stpMode"]),
                      command["postOnly"], command["reduceOnly"]])
        numbers = [amount(command, name) for name in AMOUNTS]
        numbers.append(None if command["expireTs"] is None else micros(command["expireTs"]))
        for number in numbers:
            out += b"\0" if number is None else b"\1" + number.to_bytes(16, "big", signed=True)
    return hashlib.sha256(out).hexdigest()


def request_key(command):
    name = command["idempotencyKey"] or command["clientOrderId"] or command["orderId"]
    action = ACTIONS.index(command["action"]) | SIGN
    return text_bytes(command["userId"]) + b"\0" + action.to_bytes(8, "big") + text_bytes(name) + b"\0"


class Dedupe(Stage):
    """First sights by request, and how far the deletion of old ones is."""

    STORES = ("seen", "sweep")

    def __init__(self, task, node):
        super().__init__(task, node)
        self.window_us = self.options["window"]
        self.sorted_keys = None  # of all that may be in "seen", once a sweep has begun

    def is_due(self, first_us, now_us):
        limit_us = now_us - self.window_us
        return limit_us >= -SIGN and first_us <= limit_us

    def process(self, port, record):
        command = record.value
        key = request_key(command)
        if command["userId"] == "" or len(key) > KEY_BYTES_MAX:
            raise Poison("MALFORMED", "userId or idempotency key is empty or too long")
        key = key.decode("latin-1")
        command = command | {"fingerprint": fingerprint(command)}
        now_us = record.event_us
        first = self.stores["seen"].get(key)
        if first is not None and not self.is_due(micros(first["firstTs"]), now_us):
            self.suppress(command, first)
            return
        self.stores["seen"].put(key, {
            "firstTs": time_of(now_us), "fingerprint": command["fingerprint"],
            "orderId": command["orderId"], "commandId": command["eventId"]})
        if self.sorted_keys is not None and first is None:
            self.remember(key)
        self.sweep(now_us)
        self.emit("unique", command["userId"], command)

    def suppress(self, command, first):
        """A copy costs nothing; a reused key must not touch the original order."""
        same = first["fingerprint"] == command["fingerprint"]
        self.emit("events", command["userId"], RISK_EVENT | {
            "eventId": "D-" + command["eventId"],
            "ts": command["ts"],
            "traceId": command["traceId"],
            "userId": command["userId"],
            "orderId": first["orderId"],
            "commandId": command["eventId"],
            "symbol": command["symbol"] or None,
            "type": "DUPLICATE" if same else "DUPLICATE_CONFLICT",
            "check": "idempotency",
            "code": 0 if same else codes.number("KEY_REUSED"),
        })

    # ---- expiry ----------------------------------------------------------------------------------

    def sweep(self, now_us):
        row = self.stores["sweep"].get("sweep")
        state = dict(row) if row is not None else {"cursor": "", "recordsLeft": 0}
        bound_us = micros(row["boundTs"]) if row is not None else NEVER_US
        oldest_us = micros(row["oldestTs"]) if row is not None else NEVER_US
        if row is None or now_us < oldest_us:
            oldest_us = now_us
            bound_us = min(bound_us, now_us)
        if self.is_due(bound_us, now_us):
            if state["recordsLeft"] > 0:
                state["recordsLeft"] -= 1
            else:
                state["recordsLeft"] = BATCH_RECORDS - 1
                oldest_us, bound_us = self.batch(state, now_us, oldest_us, bound_us)
        state |= {"boundTs": time_of(bound_us), "oldestTs": time_of(oldest_us)}
        if state != row:
            self.stores["sweep"].put("sweep", state)

    def batch(self, state, now_us, oldest_us, bound_us):
        """Goes over the next entries: what is due goes, the oldest of what stays is the next bound."""
        if state["cursor"] == "":
            oldest_us = now_us
        cursor = bytes.fromhex(state["cursor"]).decode("latin-1")
        visited, following = self.scan(cursor)
        for key in visited:
            first_us = micros(self.stores["seen"].get(key)["firstTs"])
            if self.is_due(first_us, now_us):
                self.stores["seen"].delete(key)
            else:
                oldest_us = min(oldest_us, first_us)
        state["cursor"] = following.encode("latin-1").hex()
        return oldest_us, (oldest_us if following == "" else bound_us)

    def scan(self, cursor):
        """The next entries in the order of keys, and the key behind them ("": there is none)."""
        seen = self.stores["seen"]
        if self.sorted_keys is None:
            self.sorted_keys = sorted(key for key, _ in seen.items())
        at = bisect.bisect_left(self.sorted_keys, cursor)
        live = []
        while at < len(self.sorted_keys) and len(live) <= BATCH:
            if seen.get(self.sorted_keys[at]) is not None:
                live.append(self.sorted_keys[at])
                at += 1
            else:
                del self.sorted_keys[at]
        return live[:BATCH], live[BATCH] if len(live) > BATCH else ""

    def remember(self, key):
        at = bisect.bisect_left(self.sorted_keys, key)
        if at == len(self.sorted_keys) or self.sorted_keys[at] != key:
            self.sorted_keys.insert(at, key)

    def undone(self, any_store):
        """What was deleted is back: the keys are sorted anew when they are needed."""
        if any_store:
            self.sorted_keys = None


STAGE = Dedupe
