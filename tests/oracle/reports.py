"""Execution reports: the fields of a rejection, and the whole record with nothing in it.

Source: domain reference, 1.4 (fields of an execution report), section 4.
"""

FIELDS = (
    "execId", "ts", "traceId", "execType", "status", "orderId", "commandId", "clientOrderId", "userId",
    "symbol", "side", "ordType", "tif", "price", "stopPrice", "orderQty", "lastQty", "lastPx", "tradeId",
    "liquidity", "cumQty", "leavesQty", "cumQuote", "preventedQty", "cancelledQty", "feeAmount", "feeTotal",
    "feeAsset", "baseAsset", "quoteAsset", "holdAfter", "rejectCode", "rejectText", "cancelReason",
    "counterOrderId", "engineSeq", "bookSeq", "settled", "version", "orderQuoteQty", "expireTs", "targetOrderId",
)
EMPTY = dict.fromkeys(FIELDS) | {
    "cumQty": "0", "leavesQty": "0", "cumQuote": "0", "preventedQty": "0", "cancelledQty": "0",
    "engineSeq": 0, "settled": False,
}


def of_command(command, **fields):
    """A report about a command that did not enter the book: nothing filled, all of it cancelled."""
    is_new = command["action"] == "NEW"
    return EMPTY | {
        "ts": command["ts"],
        "traceId": command["traceId"],
        "execType": "REJECTED" if is_new else "CANCEL_REJECTED",
        "status": "REJECTED",
        "orderId": command["orderId"],
        "commandId": command["eventId"],
        "clientOrderId": command["clientOrderId"],
        "userId": command["userId"],
        "symbol": command["symbol"],
        "side": command["side"],
        "ordType": command["ordType"],
        "tif": command["tif"],
        "price": command["price"],
        "stopPrice": command["stopPrice"],
        "orderQty": command["qty"],
        "cancelledQty": command["qty"] or "0",
        "version": 1,
        "orderQuoteQty": command["quoteQty"],
        "expireTs": command["expireTs"],
        "targetOrderId": command["targetOrderId"],
    } | fields


def rejection(command, prefix, code, text):
    """validate ("V-") or risk ("R-") refuses."""
    return of_command(command, execId=prefix + command["eventId"], rejectCode=code, rejectText=text or None)


RISK_EVENT = dict.fromkeys((
    "eventId", "ts", "traceId", "userId", "orderId", "commandId", "symbol", "type", "check", "code", "limit",
    "current", "projected", "stateFrom", "stateTo", "day", "text"))
