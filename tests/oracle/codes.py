"""The registry of reject codes: number, name, text.

Source: domain reference, 1.1 to 1.4 (numbers), docs/DOMAIN.md (what each refuses). A client programs
against the number and a person reads the text, so both are predicted.
"""

TEXTS = {
    "PRICE_TOO_LOW": (1101, "price is below the lowest allowed"),
    "PRICE_TOO_HIGH": (1102, "price is above the highest allowed"),
    "PRICE_TICK": (1103, "price is not a multiple of the tick size"),
    "QTY_TOO_LOW": (1111, "quantity is below the smallest allowed"),
    "QTY_TOO_HIGH": (1112, "quantity is above the largest allowed"),
    "QTY_STEP": (1113, "quantity is not a multiple of the lot size"),
    "NOTIONAL_TOO_LOW": (1121, "price x quantity is below the smallest notional"),
    "NOTIONAL_TOO_HIGH": (1122, "price x quantity is above the largest notional"),
    "BAD_PRECISION": (1131, "more decimals than can be kept exactly"),
    "BAD_NUMBER": (1132, "not a positive number"),
    "OVERFLOW": (1133, "number too large"),
    "MISSING": (1141, "a required field is missing"),
    "NOT_ALLOWED": (1142, "a field is not allowed in this combination"),
    "BAD_TIF": (1143, "time in force not possible for this order"),
    "BAD_TYPE": (1144, "order type or action not supported"),
    "EXPIRE_PAST": (1145, "expiry is not in the future"),
    "UNKNOWN_SYMBOL": (1151, "symbol unknown"),
    "NOT_TRADING": (1152, "symbol does not take this order in its present state"),
    "BAD_ID": (1161, "identifier has wrong characters or length"),
    "STALE": (1171, "request is outside its time window"),
    "KEY_MISSING": (2001, "idempotency key missing"),
    "KEY_REUSED": (2002, "idempotency key used before with other content"),
    "DUPLICATE_CLIENT_ID": (2003, "client order id is in use by an open order"),
    "INSUFFICIENT_FUNDS": (3001, "not enough available"),
    "PRICE_UNAVAILABLE": (3002, "no reference price"),
    "AMEND_UNFUNDED": (3003, "amendment needs more than is reserved"),
    "AMEND_PENDING": (3004, "an amendment of this order is still on its way"),
    "POSITION_LIMIT": (3101, "position limit exceeded"),
    "MARGIN": (3201, "initial margin exceeded"),
    "MARGIN_CALL": (3202, "maintenance margin not met"),
    "DAILY_LOSS": (3301, "daily loss limit reached"),
    "CONCENTRATION": (3401, "too large a share in one symbol"),
    "VELOCITY": (3501, "too many orders in too short a time"),
    "LOOP_GUARD": (3502, "the same order repeated too often"),
    "NOTIONAL_WINDOW": (3503, "too large a sum of orders in a minute"),
    "PRICE_COLLAR": (3601, "price too far from the reference"),
    "ORDER_TOO_LARGE": (3602, "order larger than allowed for this user"),
    "OPEN_ORDERS": (3701, "too many open orders"),
    "HALTED": (3801, "trading is halted"),
    "REDUCING": (3802, "only orders that reduce the position are taken"),
    "BAD_ACCOUNT_COMMAND": (3901, "account command incomplete or out of range"),
    "UNKNOWN_TRANSFER": (3902, "no such transfer, or it is over"),
    "POST_ONLY_CROSSES": (4101, "post-only order would trade at once"),
    "DUPLICATE_ORDER": (4102, "an order with this id is live"),
    "BOOK_FULL": (4103, "the book takes no more orders"),
    "STOP_TRIGGERS": (4105, "stop order would trigger at once"),
    "UNKNOWN_ORDER": (4201, "no such open order of this user"),
}


def number(name):
    return TEXTS[name][0]


def text(name):
    return TEXTS[name][1]


def sentence(names):
    """All codes of one command, in the order of the checks."""
    return "; ".join(f"{number(name)} {name}: {text(name)}" for name in names)
