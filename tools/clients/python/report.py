"""What an execution report says: one line of text, and whether it is the order's last."""

import datetime
import decimal

# An amount has up to 38 digits; Python's own context would round to 28.
EXACT = decimal.Context(prec=60)
FIELDS = ("execType", "status", "orderId", "symbol", "side", "lastQty", "lastPx", "tradeId", "liquidity",
          "feeAmount", "feeAsset", "cumQty", "leavesQty", "cancelledQty", "cancelReason", "rejectCode",
          "rejectText", "version", "execId")


def text(value):
    if isinstance(value, decimal.Decimal):
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return str(value)


def line(report):
    """The report's time in UTC and its fields that have a value."""
    stamp = report["ts"].astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = [f"{name}={text(report[name])}" for name in FIELDS if report[name] is not None]
    return " ".join([stamp, *parts])


def outcome(report):
    """SETTLED, CANCELLED or REJECTED when this was the last report of its order, else None.

    An order that traded is over when its fills are settled, also one that was cancelled after them.
    """
    status = report["status"]
    if status == "CANCELLED" and report["cumQty"] > 0 and report["execType"] != "SETTLED":
        return None
    return status if status in ("SETTLED", "CANCELLED", "REJECTED") else None
