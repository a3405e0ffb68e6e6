/*
 * order.h -- the words of an order, and a command in domain terms.
 *
 * Why: checks, fingerprint and book speak of the same things the records speak of. Ordinals equal
 *      the position of the symbol in schemas/avro, so a stage casts between the two; a test
 *      compares these lists with the .avsc files.
 * Not: the command owns nothing; its texts live as long as the record they come from.
 */
#ifndef DOMAIN_ORDER_H
#define DOMAIN_ORDER_H

#include "domain/decimal.h"

#define ORD_ACTIONS(X) X(NEW) X(CANCEL) X(AMEND) X(CANCEL_ALL)
#define ORD_SIDES(X) X(BUY) X(SELL)
#define ORD_TYPES(X) X(LIMIT) X(MARKET) X(STOP) X(STOP_LIMIT)
#define ORD_TIFS(X) X(GTC) X(IOC) X(FOK) X(GTD)
#define ORD_STPS(X) X(EXPIRE_TAKER) X(EXPIRE_MAKER) X(EXPIRE_BOTH) X(DECREMENT) X(NONE)
#define ORD_STATUSES(X) X(NEW) X(ACCEPTED) X(FILLED) X(SETTLED) X(REJECTED) X(CANCELLED)
/* clang-format off */
#define ORD_EXECS(X)                                                                               \
    X(NEW) X(TRADE) X(CANCELED) X(REPLACED) X(REJECTED) X(CANCEL_REJECTED) X(TRIGGERED)            \
    X(TRADE_PREVENTION) X(SETTLED)
/* clang-format on */
#define ORD_LIQUIDITIES(X) X(MAKER) X(TAKER)
#define ORD_CANCEL_REASONS(X)                                                                      \
    X(USER) X(IOC) X(FOK) X(GTD) X(STP) X(INSUFFICIENT_LIQUIDITY) X(PRICE_RANGE) X(RISK) X(HALT)

#define ORD_ENUM_ACTION(name) ORD_ACTION_##name,
#define ORD_ENUM_PLAIN(name) ORD_##name,
#define ORD_ENUM_STP(name) ORD_STP_##name,
#define ORD_ENUM_STATUS(name) ORD_STATUS_##name,
#define ORD_ENUM_EXEC(name) ORD_EXEC_##name,
#define ORD_ENUM_CANCEL(name) ORD_CANCEL_##name,

/* clang-format off */
enum ord_action { ORD_ACTIONS(ORD_ENUM_ACTION) };         /* ORD_ACTION_NEW ... */
enum ord_side { ORD_SIDES(ORD_ENUM_PLAIN) };              /* ORD_BUY, ORD_SELL */
enum ord_type { ORD_TYPES(ORD_ENUM_PLAIN) };              /* ORD_LIMIT ... */
enum ord_tif { ORD_TIFS(ORD_ENUM_PLAIN) };                /* ORD_GTC ... */
enum ord_stp { ORD_STPS(ORD_ENUM_STP) };                  /* ORD_STP_EXPIRE_TAKER ... */
enum ord_status { ORD_STATUSES(ORD_ENUM_STATUS) };        /* ORD_STATUS_NEW ... */
enum ord_exec { ORD_EXECS(ORD_ENUM_EXEC) };               /* ORD_EXEC_NEW ... */
enum ord_liquidity { ORD_LIQUIDITIES(ORD_ENUM_PLAIN) };   /* ORD_MAKER, ORD_TAKER */
enum ord_cancel { ORD_CANCEL_REASONS(ORD_ENUM_CANCEL) };  /* ORD_CANCEL_USER ... */
/* clang-format on */

/* Longest identifier taken: order, client order, user and idempotency ids. */
#define ORD_ID_MAX 64

static inline enum ord_side ord_opposite(enum ord_side side)
{
    return side == ORD_BUY ? ORD_SELL : ORD_BUY;
}

/* An order command: the fields of OrderCommand that decide anything before risk. */
struct ord_command {
    int64_t ts_us; /* event time */
    enum ord_action action;
    struct dom_text order_id;
    struct dom_text user_id;
    struct dom_text client_order_id; /* empty: absent */
    struct dom_text idempotency_key; /* empty: absent */
    struct dom_text symbol;
    struct dom_text target_order_id; /* empty: absent */
    enum ord_side side;
    enum ord_type type;
    enum ord_tif tif;
    enum ord_stp stp;
    bool post_only;
    bool reduce_only;
    bool has_qty;
    bool has_quote_qty;
    bool has_price;
    bool has_stop_price;
    bool has_display_qty;
    bool has_expire;
    bool has_client_ts;
    dec_t qty;
    dec_t quote_qty;
    dec_t price;
    dec_t stop_price;
    dec_t display_qty;
    int64_t expire_us;
    int64_t client_us;
};

/* 1..ORD_ID_MAX of A-Z a-z 0-9 . _ : - */
bool ord_id_valid(struct dom_text id);

/* Status automaton of an order: may `to` follow `from`? ACCEPTED may repeat (partial fills). */
bool ord_status_follows(enum ord_status from, enum ord_status to);

/* SETTLED, REJECTED, CANCELLED: nothing follows. */
bool ord_status_terminal(enum ord_status status);

#endif
