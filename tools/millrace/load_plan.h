/*
 * load_plan.h -- which commands a tape becomes, in order, and what each must come to.
 *
 * A recorded trade becomes a maker (LIMIT GTC) and a taker (LIMIT IOC, or MARKET by option) of
 * exactly its price and quantity, back to back. The book is empty before and after, so the trade
 * that comes out must be the recorded one. All users of a symbol hash to one partition of `orders`,
 * so the order of sending is the order of arrival. Mixed in behind a trade, each by its share of
 * the order commands: duplicates, conflicts, invalid orders, orders without funds, cancelled
 * orders, malformed bytes. None of them touches the book's top.
 *
 * eventId = <run>-<number>-<expected>, expected being
 *   a accepted    d duplicate    c conflict    x cancelled (a CANCEL)    r<code> rejected
 * so that the proof can tell from a command alone what it must come to.
 * Thread: one owner. Deterministic: the same tape, options and seed give the same commands.
 */
#ifndef MILLRACE_LOAD_PLAN_H
#define MILLRACE_LOAD_PLAN_H

#include "avro/instrument.h"
#include "avro/order_command.h"
#include "load_tape.h"

#define LOAD_USER_BYTES_MAX ((size_t)48)
#define LOAD_ID_BYTES_MAX ((size_t)64)
#define LOAD_RUN_BYTES_MAX ((size_t)24)
#define LOAD_USERS_EACH_MAX ((size_t)16)
#define LOAD_MALFORMED_BYTES_MAX ((size_t)128)
#define LOAD_PPM INT64_C(1000000)

/* Shares in parts per million of the order commands. */
struct load_shares {
    int64_t duplicates, conflicts, invalid, unfunded, cancels, malformed;
    int64_t market_takers; /* of the takers */
};

/* Who trades one symbol, and at what bounds. */
struct load_desk {
    char symbol[LOAD_SYMBOL_BYTES_MAX];
    int32_t partition; /* of `orders`, of all its users */
    char makers[LOAD_USERS_EACH_MAX][LOAD_USER_BYTES_MAX];
    char takers[LOAD_USERS_EACH_MAX][LOAD_USER_BYTES_MAX];
    size_t users_each;
    char poor[LOAD_USER_BYTES_MAX]; /* without deposits */
    char probe[LOAD_USER_BYTES_MAX];
    mr_i128 reference; /* price published; every trade of the tape lies inside the collar */
    mr_i128 waiting;   /* inside the collar too, and above every trade of the tape */
    mr_i128 tick, lot, max_price, max_qty;
    char base[LOAD_SYMBOL_BYTES_MAX], quote[LOAD_SYMBOL_BYTES_MAX];
};

/* Names are `<run>.<symbol index><role><n>.<salt>`, the first salt that hashes to the partition. */
void load_desk_users(struct load_desk *desk, const char *run, size_t symbol, size_t users_each,
                     int32_t partitions);
/*
 * The published price of a symbol: the middle of the tape's range, when all of it lies inside the
 * collar and leaves a tick above for orders that wait, else MR_CONFIG. collar_ppm: of
 * topology.yaml.
 */
MR_NODISCARD enum mr_status load_desk_reference(struct load_desk *desk,
                                                const struct load_tape_symbol *symbol,
                                                int64_t collar_ppm, struct mr_err *err);

enum load_expect {
    LOAD_ACCEPTED,
    LOAD_DUPLICATE,
    LOAD_CONFLICT,
    LOAD_CANCELLED,
    LOAD_REJECTED,
    LOAD_DEAD_LETTER,
};

/* One record to send to `orders`. */
struct load_item {
    enum load_expect expect;
    int code; /* LOAD_REJECTED */
    int64_t number;
    uint32_t symbol;                  /* desk */
    const char *user;                 /* key of the record */
    int64_t tape_us;                  /* pacing */
    struct oms_order_command command; /* strings live in this item */
    uint8_t malformed[LOAD_MALFORMED_BYTES_MAX];
    size_t malformed_bytes; /* above 0: these bytes instead of the command */
    char event_id[LOAD_ID_BYTES_MAX];
    char order_id[LOAD_ID_BYTES_MAX];
    char key_id[LOAD_ID_BYTES_MAX];
    char target_id[LOAD_ID_BYTES_MAX];
};

struct load_plan;

/* Everything is borrowed. desks: one for each symbol of the tape. schema_id: of OrderCommand. */
struct load_plan *load_plan_create(const struct load_tape *tape, const struct load_desk *desks,
                                   const struct load_shares *shares, const char *run,
                                   int32_t schema_id, uint64_t seed);
void load_plan_destroy(struct load_plan **plan);
/* False: no more. *item is valid until the next call. */
bool load_plan_next(struct load_plan *plan, const struct load_item **item);
/* No further trade: what belongs to the one begun is still given out. */
void load_plan_stop(struct load_plan *plan);
/* Trades of the tape that were begun so far. */
size_t load_plan_trades(const struct load_plan *plan);

/* The number and the expectation in an eventId of the run; false: of somebody else. */
bool load_event_parse(struct mr_slice event_id, const char *run, int64_t *number,
                      enum load_expect *expect, int *code);

#endif
