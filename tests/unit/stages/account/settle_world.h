/*
 * settle_world.h -- orders and transfers at random for settle, and a model of the books that only
 * adds.
 *
 * Why: conservation is a property of all flows, so the flows obey no rule but the ledger's: random
 *      holds, fills, rebates, amendments, prevented trades, orders by amount, and copies of any
 * report so far in between. How: one world at a time, of a seed. A step does one thing to the stage
 * and to the model; the test compares the two, and lets transactions end now and then.
 */
#ifndef MILLRACE_TESTS_SETTLE_WORLD_H
#define MILLRACE_TESTS_SETTLE_WORLD_H

#include "account_fixture.h"
#include "settle/settle.h"

#include <check.h>

#define USERS 4
#define ASSETS 3 /* USDT, and the bases of the symbols */
#define SYMBOLS 2
#define ORDERS 24
#define TRANSFERS 16
#define HISTORY 8192
#define SEED_NAME "SETTLE_SEED"
#define STEPS_NAME "SETTLE_STEPS"

extern const char *const world_users[USERS];
extern const char *const world_assets[ASSETS];
extern const char *const world_symbols[SYMBOLS];

struct model_order {
    bool open;
    size_t user, symbol;
    dec_t hold;
    struct oms_execution_report last;
};

struct model_transfer {
    int state; /* 0 none, 1 deposited, 2 withdrawn, 3 held */
    size_t user, asset;
    dec_t amount;
    char id[24];
};

struct world {
    struct mr_driver *driver;
    uint64_t random;
    char ids[HISTORY][24];
    size_t id_count;
    struct oms_execution_report history[HISTORY];
    size_t history_count;
    struct model_order orders[ORDERS];
    struct model_transfer transfers[TRANSFERS];
    dec_t available[USERS][ASSETS], hold[USERS][ASSETS];
    dec_t fees, external[ASSETS], net_deposits[USERS][ASSETS];
    dec_t cash[USERS][SYMBOLS], qty[USERS][SYMBOLS];
    dec_t posted[5][ASSETS]; /* of the ledger: avail, hold, clearing, fees, external */
    int64_t seq[USERS];
    size_t read;
    size_t fills, amended, reversed; /* a run without them proves nothing */
};

extern struct world *w;
extern uint64_t seed_now, step_now;

/* Says how to repeat it: up to the step that failed, which is the shortest run that does. */
#define HOLDS(condition)                                                                           \
    ck_assert_msg(condition,                                                                       \
                  "%s; repeat: " SEED_NAME "=%llu " STEPS_NAME "=%llu test_settle_properties",     \
                  #condition, (unsigned long long)seed_now, (unsigned long long)step_now)

void world_open(uint64_t seed);
void world_close(void);
/* One thing happens. */
void world_step(void);
/* A transaction ends, and perhaps the instance too, now and then. */
void world_commit(void);
uint64_t world_roll(uint64_t sides);

#endif
