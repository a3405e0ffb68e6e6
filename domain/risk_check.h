/*
 * risk_check.h -- the checks of an order against its user, in their fixed order.
 *
 * Why: the stage that decides and the dry run that explains must not be able to disagree, so the
 *      rules are functions of plain numbers and nothing else.
 * How: whoever asks gathers `struct risk_facts`; each check reads the facts and says passed or not,
 *      with the numbers it compared. The first failure is the recorded code. A dry run takes all.
 * Not: no state: taking tokens, adding to sums and latching are the stage's, when it has decided.
 */
#ifndef DOMAIN_RISK_CHECK_H
#define DOMAIN_RISK_CHECK_H

#include "domain/codes.h"
#include "domain/order.h"
#include "domain/token_bucket.h"

/* The order is part of the contract. */
enum risk_check_id {
    RISK_CHECK_SWITCH,
    RISK_CHECK_VELOCITY,
    RISK_CHECK_VELOCITY_SYMBOL,
    RISK_CHECK_NOTIONAL_WINDOW,
    RISK_CHECK_LOOP_GUARD,
    RISK_CHECK_OPEN_ORDERS,
    RISK_CHECK_OPEN_ORDERS_SYMBOL,
    RISK_CHECK_CLIENT_ORDER_ID,
    RISK_CHECK_COLLAR,
    RISK_CHECK_SIZE,
    RISK_CHECK_POSITION,
    RISK_CHECK_CONCENTRATION,
    RISK_CHECK_DAILY_LOSS,
    RISK_CHECK_MARGIN,
    RISK_CHECK_FUNDS,
    RISK_CHECK_COUNT
};

/* Ordinals of TradingState. */
enum risk_switch { RISK_ACTIVE, RISK_REDUCING, RISK_HALTED };

/* A limit that may be absent. */
struct risk_limit {
    bool has;
    dec_t value;
};

/* Position and open orders in one symbol, in base asset. */
struct risk_exposed {
    dec_t position;
    dec_t open_buy;
    dec_t open_sell;
};

struct risk_facts {
    int64_t now_us;
    /* what is asked */
    enum ord_side side;
    bool amend; /* of an open order: adds no order, and qty may be 0 */
    bool reduce_only;
    bool qty_is_guess; /* a buy by amount: cheaper trades give more */
    dec_t qty;         /* added to what is open on the side */
    bool has_price;    /* false: none can be known, for want of a reference */
    dec_t price;
    dec_t price_low; /* collar: 0 and DEC_MAX where there is none */
    dec_t price_high;
    struct risk_limit reference;
    bool computed; /* notional, added and need fit */
    dec_t notional;
    dec_t added; /* to the sum of a minute */
    dec_t need;  /* to be reserved */
    /* what the user may do, has open and has */
    enum risk_switch state; /* the strictest that applies */
    struct bucket bucket;
    struct bucket_rule rule;
    bool has_symbol_rule;
    struct bucket symbol_bucket;
    struct bucket_rule symbol_rule;
    struct risk_limit window_max;
    dec_t window_sum;
    int64_t loop_max; /* 0: no guard */
    int64_t loop_count;
    int64_t open_orders;
    int64_t open_orders_max;
    int64_t symbol_orders;
    int64_t symbol_orders_max; /* below 0: no bound */
    bool client_id_taken;
    struct risk_limit notional_max;
    struct risk_exposed exposed;
    struct risk_limit position_max;
    struct risk_limit concentration_max;
    struct risk_limit loss_max;
    dec_t loss; /* of the day, >= 0 */
    bool loss_breached;
    /* valued at marks; only looked at by concentration and margin */
    bool has_margin;  /* the symbol takes initial margin */
    bool marks_known; /* of everything that counts, and nothing overflowed */
    dec_t mark;
    dec_t margin_rate;
    dec_t other_margin; /* of the user's other symbols */
    dec_t equity;       /* cash + positions at marks: the net asset value too */
    dec_t available;
};

/* What a check found. Numbers are those it compared; absent where there are none. */
struct risk_result {
    const char *name; /* static */
    bool passed;
    enum dom_code code; /* CODE_OK when passed */
    struct risk_limit limit;
    struct risk_limit current;
    struct risk_limit projected;
};

const char *risk_check_name(enum risk_check_id id);

/* One check. */
struct risk_result risk_check_one(const struct risk_facts *facts, enum risk_check_id id);

/* The first that fails, with its result; RISK_CHECK_COUNT when all pass. */
enum risk_check_id risk_check_first(const struct risk_facts *facts, struct risk_result *failed);

/* Does it only bring the position closer to zero, with all open orders filled? */
bool risk_reduces(const struct risk_facts *facts);

/* Largest absolute position that open orders could make: max(|pos + OB|, |pos - OS|). */
bool risk_worst_position(const struct risk_exposed *exposed, dec_t *worst);

#endif
