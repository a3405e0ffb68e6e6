/*
 * codes.h -- the one registry of reject codes: number, name, text.
 *
 * Why: a client programs against the number, a person reads the text, an audit compares both; they
 *      must never drift apart. Numbers are stable for ever: a meaning may retire, its number is
 *      not used again.
 * How: 11xx validate, 20xx dedupe, 3xxx risk, 4xxx matching.
 */
#ifndef DOMAIN_CODES_H
#define DOMAIN_CODES_H

#include "domain/text.h"

#include <stdint.h>

#define DOM_CODES(X)                                                                               \
    X(PRICE_TOO_LOW, 1101, "price is below the lowest allowed")                                    \
    X(PRICE_TOO_HIGH, 1102, "price is above the highest allowed")                                  \
    X(PRICE_TICK, 1103, "price is not a multiple of the tick size")                                \
    X(QTY_TOO_LOW, 1111, "quantity is below the smallest allowed")                                 \
    X(QTY_TOO_HIGH, 1112, "quantity is above the largest allowed")                                 \
    X(QTY_STEP, 1113, "quantity is not a multiple of the lot size")                                \
    X(NOTIONAL_TOO_LOW, 1121, "price x quantity is below the smallest notional")                   \
    X(NOTIONAL_TOO_HIGH, 1122, "price x quantity is above the largest notional")                   \
    X(BAD_PRECISION, 1131, "more decimals than can be kept exactly")                               \
    X(BAD_NUMBER, 1132, "not a positive number")                                                   \
    X(OVERFLOW, 1133, "number too large")                                                          \
    X(MISSING, 1141, "a required field is missing")                                                \
    X(NOT_ALLOWED, 1142, "a field is not allowed in this combination")                             \
    X(BAD_TIF, 1143, "time in force not possible for this order")                                  \
    X(BAD_TYPE, 1144, "order type or action not supported")                                        \
    X(EXPIRE_PAST, 1145, "expiry is not in the future")                                            \
    X(UNKNOWN_SYMBOL, 1151, "symbol unknown")                                                      \
    X(NOT_TRADING, 1152, "symbol does not take this order in its present state")                   \
    X(BAD_ID, 1161, "identifier has wrong characters or length")                                   \
    X(STALE, 1171, "request is outside its time window")                                           \
    X(KEY_MISSING, 2001, "idempotency key missing")                                                \
    X(KEY_REUSED, 2002, "idempotency key used before with other content")                          \
    X(DUPLICATE_CLIENT_ID, 2003, "client order id is in use by an open order")                     \
    X(INSUFFICIENT_FUNDS, 3001, "not enough available")                                            \
    X(PRICE_UNAVAILABLE, 3002, "no reference price")                                               \
    X(AMEND_UNFUNDED, 3003, "amendment needs more than is reserved")                               \
    X(POSITION_LIMIT, 3101, "position limit exceeded")                                             \
    X(MARGIN, 3201, "initial margin exceeded")                                                     \
    X(MARGIN_CALL, 3202, "maintenance margin not met")                                             \
    X(DAILY_LOSS, 3301, "daily loss limit reached")                                                \
    X(CONCENTRATION, 3401, "too large a share in one symbol")                                      \
    X(VELOCITY, 3501, "too many orders in too short a time")                                       \
    X(LOOP_GUARD, 3502, "the same order repeated too often")                                       \
    X(PRICE_COLLAR, 3601, "price too far from the reference")                                      \
    X(ORDER_TOO_LARGE, 3602, "order larger than allowed for this user")                            \
    X(OPEN_ORDERS, 3701, "too many open orders")                                                   \
    X(HALTED, 3801, "trading is halted")                                                           \
    X(REDUCING, 3802, "only orders that reduce the position are taken")                            \
    X(BAD_ACCOUNT_COMMAND, 3901, "account command incomplete or out of range")                     \
    X(POST_ONLY_CROSSES, 4101, "post-only order would trade at once")                              \
    X(DUPLICATE_ORDER, 4102, "an order with this id is live")                                      \
    X(BOOK_FULL, 4103, "the book takes no more orders")                                            \
    X(STOP_TRIGGERS, 4105, "stop order would trigger at once")                                     \
    X(UNKNOWN_ORDER, 4201, "no such open order of this user")

enum dom_code {
    CODE_OK = 0,
#define DOM_CODE_ENUM(name, number, text) CODE_##name = (number),
    DOM_CODES(DOM_CODE_ENUM)
#undef DOM_CODE_ENUM
};

/* "PRICE_TICK"; "OK" for 0; NULL for a number that is not a code. Static text. */
const char *code_name(int32_t number);

/* The sentence; "" for 0; NULL for a number that is not a code. Static text. */
const char *code_text(int32_t number);

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
