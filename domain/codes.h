/*
 * codes.h -- the one registry of reject codes: number, name, stage, text, what to do; and the same
 * for the reasons of a cancel, which have a name and no number.
 *
 * Why: a client programs against the number, a person reads the text, an audit compares both; they
 *      must never drift apart. Numbers are stable for ever: a meaning may retire, its number is
 *      not used again.
 * How: 11xx validate, 20xx dedupe, 3xxx risk, 4xxx matching. `stage` is where a code is found
 * first; fill asks some of validate's again, because the instrument may have changed in between.
 *      `millrace codes` prints it, docs/CODES.md is generated from it.
 */
#ifndef DOMAIN_CODES_H
#define DOMAIN_CODES_H

#include "domain/text.h"

#include <stdint.h>

/* X(name, number, stage that finds it, what is wrong, what to do). */
/* clang-format off */
#define DOM_CODES(X) \
    X(PRICE_TOO_LOW, 1101, validate, "price is below the lowest allowed", \
      "raise the price to minPrice of the instrument or above") \
    X(PRICE_TOO_HIGH, 1102, validate, "price is above the highest allowed", \
      "lower the price to maxPrice of the instrument or below") \
    X(PRICE_TICK, 1103, validate, "price is not a multiple of the tick size", \
      "round the price to tickSize") \
    X(QTY_TOO_LOW, 1111, validate, "quantity is below the smallest allowed", \
      "raise the quantity to minQty, of a MARKET order to marketMinQty") \
    X(QTY_TOO_HIGH, 1112, validate, "quantity is above the largest allowed", \
      "split the order: maxQty, of a MARKET order marketMaxQty, bounds each") \
    X(QTY_STEP, 1113, validate, "quantity is not a multiple of the lot size", \
      "round the quantity down to lotSize, of a MARKET order to marketLotSize") \
    X(NOTIONAL_TOO_LOW, 1121, validate, "price x quantity is below the smallest notional", \
      "send a larger order") \
    X(NOTIONAL_TOO_HIGH, 1122, validate, "price x quantity is above the largest notional", \
      "split the order") \
    X(BAD_PRECISION, 1131, gateway, "more decimals than can be kept exactly", \
      "send at most 18 decimals; nothing is rounded for you") \
    X(BAD_NUMBER, 1132, validate, "not a positive number", \
      "send digits with an optional fraction, greater than zero") \
    X(OVERFLOW, 1133, validate, "number too large", \
      "amounts end below 10^16") \
    X(MISSING, 1141, validate, "a required field is missing", \
      "add the field that the order type or action needs") \
    X(NOT_ALLOWED, 1142, validate, "a field is not allowed in this combination", \
      "leave out the field that the order type or action does not take") \
    X(BAD_TIF, 1143, validate, "time in force not possible for this order", \
      "MARKET takes IOC, a post-only order GTC or GTD, STOP GTC or GTD") \
    X(BAD_TYPE, 1144, validate, "order type or action not supported", \
      "use a type and an action of the schema") \
    X(EXPIRE_PAST, 1145, validate, "expiry is not in the future", \
      "send an expireTs after the time of the command") \
    X(UNKNOWN_SYMBOL, 1151, validate, "symbol unknown", \
      "ask for the list of instruments") \
    X(NOT_TRADING, 1152, validate, "symbol does not take this order in its present state", \
      "wait until the state of the instrument changes; cancels are taken always") \
    X(BAD_ID, 1161, validate, "identifier has wrong characters or length", \
      "1 to 64 of A-Z a-z 0-9 . _ : -") \
    X(STALE, 1171, validate, "request is outside its time window", \
      "set the client's clock right, or raise recv-window") \
    X(KEY_MISSING, 2001, gateway, "idempotency key missing", \
      "send an Idempotency-Key with each new order") \
    X(KEY_REUSED, 2002, dedupe, "idempotency key used before with other content", \
      "mint a new key for each new request; the first order is untouched") \
    X(DUPLICATE_CLIENT_ID, 2003, risk, "client order id is in use by an open order", \
      "wait until that order ends, or use another id") \
    X(INSUFFICIENT_FUNDS, 3001, risk, "not enough available", \
      "deposit, cancel open orders, or send a smaller order") \
    X(PRICE_UNAVAILABLE, 3002, risk, "no reference price", \
      "send a limit order, or wait for a price") \
    X(AMEND_UNFUNDED, 3003, risk, "amendment needs more than is reserved", \
      "make it smaller, or cancel and place a new order") \
    X(AMEND_PENDING, 3004, risk, "an amendment of this order is still on its way", \
      "wait for REPLACED or CANCEL_REJECTED of the first") \
    X(POSITION_LIMIT, 3101, risk, "position limit exceeded", \
      "reduce the position or open orders first") \
    X(MARGIN, 3201, risk, "initial margin exceeded", \
      "deposit, or reduce exposures") \
    X(MARGIN_CALL, 3202, risk, "maintenance margin not met", \
      "deposit, or reduce positions: only reducing orders are taken") \
    X(DAILY_LOSS, 3301, risk, "daily loss limit reached", \
      "only orders that reduce the position are taken until 00:00 UTC") \
    X(CONCENTRATION, 3401, risk, "too large a share in one symbol", \
      "buy less of this symbol") \
    X(VELOCITY, 3501, risk, "too many orders in too short a time", \
      "send more slowly") \
    X(LOOP_GUARD, 3502, risk, "the same order repeated too often", \
      "stop the loop in the client; an operator sets the user ACTIVE again") \
    X(NOTIONAL_WINDOW, 3503, risk, "too large a sum of orders in a minute", \
      "wait, or send smaller orders") \
    X(PRICE_COLLAR, 3601, risk, "price too far from the reference", \
      "send a price nearer to the market") \
    X(ORDER_TOO_LARGE, 3602, risk, "order larger than allowed for this user", \
      "split the order, or have notionalMax raised") \
    X(OPEN_ORDERS, 3701, risk, "too many open orders", \
      "cancel some") \
    X(HALTED, 3801, risk, "trading is halted", \
      "wait for the operator; cancels are taken") \
    X(REDUCING, 3802, risk, "only orders that reduce the position are taken", \
      "send an order that brings the position closer to zero") \
    X(BAD_ACCOUNT_COMMAND, 3901, risk, "account command incomplete or out of range", \
      "send the fields that the action needs") \
    X(UNKNOWN_TRANSFER, 3902, risk, "no such transfer, or it is over", \
      "look the transfer up in the ledger") \
    X(POST_ONLY_CROSSES, 4101, fill, "post-only order would trade at once", \
      "send a price behind the best of the other side") \
    X(DUPLICATE_ORDER, 4102, fill, "an order with this id is live", \
      "mint a new order id") \
    X(BOOK_FULL, 4103, fill, "the book takes no more orders", \
      "try again later") \
    X(STOP_TRIGGERS, 4105, fill, "stop order would trigger at once", \
      "a buy stop lies above the last price, a sell stop below") \
    X(UNKNOWN_ORDER, 4201, fill, "no such open order of this user", \
      "it has ended, or never was: ask for its state")
/* clang-format on */

enum dom_code {
    CODE_OK = 0,
#define DOM_CODE_ENUM(name, number, stage, text, advice) CODE_##name = (number),
    DOM_CODES(DOM_CODE_ENUM)
#undef DOM_CODE_ENUM
};

/* "PRICE_TICK"; "OK" for 0; NULL for a number that is not a code. Static text. */
const char *code_name(int32_t number);

/* The sentence; "" for 0; NULL for a number that is not a code. Static text. */
const char *code_text(int32_t number);

/* One row of the registry; static. */
struct code_row {
    int32_t number;
    const char *name;
    const char *stage; /* where it is found first; "gateway" for what never reaches a stage */
    const char *text;
    const char *advice; /* what whoever gets it can do */
};

/* All rows, ascending by number. */
const struct code_row *code_rows(size_t *count);

/* Why an order was cancelled: the row of an enum ord_cancel (domain/order.h); static. */
struct reason_row {
    const char *name;
    const char *text;
    const char *advice;
};

/* All rows; the index of one is its ordinal. */
const struct reason_row *code_reasons(size_t *count);

/* All codes of one command, in the order of the checks: the first decides. */
#define CODE_LIST_MAX 16
/* Room for code_list_text of any list. */
#define CODE_LIST_TEXT_MAX 1536

struct code_list {
    enum dom_code items[CODE_LIST_MAX];
    size_t count;
};

/* Appends unless it is there already; a full list drops what comes after. */
void code_list_add(struct code_list *list, enum dom_code code);

/* The deciding code, CODE_OK when the list is empty. */
enum dom_code code_list_first(const struct code_list *list);

/*
 * "1103 PRICE_TICK: price is not ...; 1113 QTY_STEP: ..." into buffer, cut at buffer_bytes - 1 and
 * zero-terminated. Returns the length without the zero.
 */
size_t code_list_text(const struct code_list *list, char *buffer, size_t buffer_bytes);

#endif
