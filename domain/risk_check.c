/* risk_check.c -- see risk_check.h. */
#include "domain/risk_check.h"

/* A token in micro-tokens as an amount: 10^6 of them are 1. */
#define MICRO (DEC_ONE / 1000000)

static void say(struct risk_limit *where, dec_t value)
{
    *where = (struct risk_limit){.has = true, .value = value};
}

static void fail_if(struct risk_result *result, bool broken, enum dom_code code)
{
    if (broken && result->passed) {
        result->passed = false;
        result->code = code;
    }
}

static dec_t open_of(const struct risk_facts *f)
{
    return f->side == ORD_BUY ? f->exposed.open_buy : f->exposed.open_sell;
}

/* The position as the order's side sees it: what it adds to is positive. */
static dec_t held_of(const struct risk_facts *f)
{
    return f->side == ORD_BUY ? f->exposed.position : -f->exposed.position;
}

bool risk_reduces(const struct risk_facts *f)
{
    return f->qty == 0 || (!f->qty_is_guess && open_of(f) + f->qty <= -held_of(f));
}

bool risk_worst_position(const struct risk_exposed *exposed, dec_t *worst)
{
    dec_t bought = 0;
    dec_t sold = 0;

    if (!dec_add(exposed->position, exposed->open_buy, &bought) ||
        !dec_sub(exposed->position, exposed->open_sell, &sold)) {
        return false;
    }
    *worst = dec_max(dec_abs(bought), dec_abs(sold));
    return true;
}

static void check_switch(const struct risk_facts *f, struct risk_result *r)
{
    say(&r->current, f->exposed.position);
    if (f->state == RISK_HALTED) {
        fail_if(r, true, CODE_HALTED);
    } else if (f->state == RISK_REDUCING || f->reduce_only) {
        say(&r->limit, dec_max(-held_of(f) - open_of(f), 0));
        say(&r->projected, f->qty);
        fail_if(r, !risk_reduces(f), CODE_REDUCING);
    }
}

static void check_bucket(struct bucket bucket, struct bucket_rule rule, int64_t now_us,
                         struct risk_result *r)
{
    const bool taken = bucket_take(&bucket, rule, now_us);

    say(&r->limit, dec_of_int(rule.burst));
    say(&r->projected, (dec_t)bucket.micro_tokens * MICRO);
    say(&r->current, r->projected.value + (taken ? DEC_ONE : 0));
    fail_if(r, !taken, CODE_VELOCITY);
}

static void check_velocity(const struct risk_facts *f, struct risk_result *r)
{
    check_bucket(f->bucket, f->rule, f->now_us, r);
}

static void check_velocity_symbol(const struct risk_facts *f, struct risk_result *r)
{
    if (f->has_symbol_rule) {
        check_bucket(f->symbol_bucket, f->symbol_rule, f->now_us, r);
    }
}

/* An order whose notional cannot be known fails later, for that reason. */
static void check_notional_window(const struct risk_facts *f, struct risk_result *r)
{
    dec_t sum = 0;

    if (!f->window_max.has || !f->has_price || !f->computed) {
        return;
    }
    r->limit = f->window_max;
    say(&r->current, f->window_sum);
    if (!dec_add(f->window_sum, f->added, &sum)) {
        fail_if(r, true, CODE_OVERFLOW);
        return;
    }
    say(&r->projected, sum);
    fail_if(r, f->added > 0 && sum > f->window_max.value, CODE_NOTIONAL_WINDOW);
}

static void check_count(int64_t count, int64_t max, enum dom_code code, struct risk_result *r)
{
    say(&r->limit, (dec_t)max * DEC_ONE);
    say(&r->current, (dec_t)count * DEC_ONE);
    say(&r->projected, (dec_t)(count + 1) * DEC_ONE);
    fail_if(r, count >= max, code);
}

static void check_loop_guard(const struct risk_facts *f, struct risk_result *r)
{
    if (f->loop_max > 0 && !f->amend) {
        check_count(f->loop_count, f->loop_max, CODE_LOOP_GUARD, r);
    }
}

static void check_open_orders(const struct risk_facts *f, struct risk_result *r)
{
    if (!f->amend) {
        check_count(f->open_orders, f->open_orders_max, CODE_OPEN_ORDERS, r);
    }
}

static void check_open_orders_symbol(const struct risk_facts *f, struct risk_result *r)
{
    if (!f->amend && f->symbol_orders_max >= 0) {
        check_count(f->symbol_orders, f->symbol_orders_max, CODE_OPEN_ORDERS, r);
    }
}

static void check_client_order_id(const struct risk_facts *f, struct risk_result *r)
{
    fail_if(r, f->client_id_taken, CODE_DUPLICATE_CLIENT_ID);
}

static void check_collar(const struct risk_facts *f, struct risk_result *r)
{
    const bool low = f->price < f->price_low;

    r->current = f->reference;
    if (!f->has_price) {
        fail_if(r, true, CODE_PRICE_UNAVAILABLE);
        return;
    }
    if (low || f->price_high < DEC_MAX) {
        say(&r->limit, low ? f->price_low : f->price_high);
    }
    say(&r->projected, f->price);
    fail_if(r, low || f->price > f->price_high, CODE_PRICE_COLLAR);
}

static void check_size(const struct risk_facts *f, struct risk_result *r)
{
    r->limit = f->notional_max;
    if (!f->has_price) {
        return;
    }
    fail_if(r, !f->computed, CODE_OVERFLOW);
    if (f->computed) {
        say(&r->projected, f->notional);
        fail_if(r, f->notional_max.has && f->notional > f->notional_max.value,
                CODE_ORDER_TOO_LARGE);
    }
}

/* Open orders count in full. Only the side that the order makes longer is looked at. */
static void check_position(const struct risk_facts *f, struct risk_result *r)
{
    dec_t before = 0;
    dec_t worst = 0;

    r->limit = f->position_max;
    if (!dec_add(held_of(f), open_of(f), &before) || !dec_add(before, f->qty, &worst)) {
        fail_if(r, true, CODE_OVERFLOW);
        return;
    }
    say(&r->current, before);
    say(&r->projected, worst);
    fail_if(r, f->qty > 0 && f->position_max.has && worst > f->position_max.value,
            CODE_POSITION_LIMIT);
}

/* What the symbol exposes at its mark, before and after. */
static bool exposures(const struct risk_facts *f, dec_t *before, dec_t *after)
{
    struct risk_exposed next = f->exposed;
    dec_t *open = f->side == ORD_BUY ? &next.open_buy : &next.open_sell;

    return dec_add(*open, f->qty, open) && risk_worst_position(&f->exposed, before) &&
           risk_worst_position(&next, after) && dec_mul(*before, f->mark, DEC_CEIL, before) &&
           dec_mul(*after, f->mark, DEC_CEIL, after);
}

static void check_concentration(const struct risk_facts *f, struct risk_result *r)
{
    dec_t before = 0;
    dec_t after = 0;
    dec_t bound = 0;

    if (!f->concentration_max.has) {
        return;
    }
    r->limit = f->concentration_max;
    if (risk_reduces(f)) {
        return;
    }
    if (!f->marks_known || !exposures(f, &before, &after) ||
        !dec_mul(f->concentration_max.value, dec_max(f->equity, 0), DEC_FLOOR, &bound)) {
        fail_if(r, true, CODE_CONCENTRATION);
        return;
    }
    if (f->equity > 0 && dec_div(before, f->equity, DEC_CEIL, &r->current.value) &&
        dec_div(after, f->equity, DEC_CEIL, &r->projected.value)) {
        r->current.has = r->projected.has = true;
    }
    fail_if(r, after > before && (f->equity <= 0 || after > bound), CODE_CONCENTRATION);
}

static void check_daily_loss(const struct risk_facts *f, struct risk_result *r)
{
    if (!f->loss_max.has && !f->loss_breached) {
        return;
    }
    r->limit = f->loss_max;
    say(&r->current, f->loss);
    fail_if(r,
            (f->loss_breached || (f->loss_max.has && f->loss >= f->loss_max.value)) &&
                !risk_reduces(f),
            CODE_DAILY_LOSS);
}

static bool margin_of(const struct risk_facts *f, dec_t exposed, dec_t *margin)
{
    return dec_mul(exposed, f->margin_rate, DEC_CEIL, margin) &&
           dec_add(*margin, f->other_margin, margin);
}

static void check_margin(const struct risk_facts *f, struct risk_result *r)
{
    dec_t before = 0;
    dec_t after = 0;

    if (!f->has_margin || risk_reduces(f)) {
        return;
    }
    if (!f->marks_known || !exposures(f, &before, &after) || !margin_of(f, before, &before) ||
        !margin_of(f, after, &after)) {
        fail_if(r, true, CODE_MARGIN);
        return;
    }
    say(&r->limit, f->equity);
    say(&r->current, before);
    say(&r->projected, after);
    fail_if(r, after > before && f->equity < after, CODE_MARGIN);
}

static void check_funds(const struct risk_facts *f, struct risk_result *r)
{
    say(&r->limit, f->available);
    if (!f->has_price) {
        return;
    }
    fail_if(r, !f->computed, CODE_OVERFLOW);
    if (f->computed) {
        say(&r->projected, f->need);
        fail_if(r, f->available < f->need,
                f->amend ? CODE_AMEND_UNFUNDED : CODE_INSUFFICIENT_FUNDS);
    }
}

typedef void risk_check(const struct risk_facts *facts, struct risk_result *result);

static const struct {
    const char *name;
    risk_check *check;
} checks[RISK_CHECK_COUNT] = {
    [RISK_CHECK_SWITCH] = {"switch", check_switch},
    [RISK_CHECK_VELOCITY] = {"velocity", check_velocity},
    [RISK_CHECK_VELOCITY_SYMBOL] = {"velocity-symbol", check_velocity_symbol},
    [RISK_CHECK_NOTIONAL_WINDOW] = {"notional-window", check_notional_window},
    [RISK_CHECK_LOOP_GUARD] = {"loop-guard", check_loop_guard},
    [RISK_CHECK_OPEN_ORDERS] = {"open-orders", check_open_orders},
    [RISK_CHECK_OPEN_ORDERS_SYMBOL] = {"open-orders-symbol", check_open_orders_symbol},
    [RISK_CHECK_CLIENT_ORDER_ID] = {"client-order-id", check_client_order_id},
    [RISK_CHECK_COLLAR] = {"collar", check_collar},
    [RISK_CHECK_SIZE] = {"size", check_size},
    [RISK_CHECK_POSITION] = {"position", check_position},
    [RISK_CHECK_CONCENTRATION] = {"concentration", check_concentration},
    [RISK_CHECK_DAILY_LOSS] = {"daily-loss", check_daily_loss},
    [RISK_CHECK_MARGIN] = {"margin", check_margin},
    [RISK_CHECK_FUNDS] = {"funds", check_funds},
};

const char *risk_check_name(enum risk_check_id id)
{
    return id < RISK_CHECK_COUNT ? checks[id].name : "";
}

struct risk_result risk_check_one(const struct risk_facts *facts, enum risk_check_id id)
{
    struct risk_result result = {.name = checks[id].name, .passed = true, .code = CODE_OK};

    checks[id].check(facts, &result);
    return result;
}

enum risk_check_id risk_check_first(const struct risk_facts *facts, struct risk_result *failed)
{
    enum risk_check_id id = RISK_CHECK_SWITCH;

    while (id < RISK_CHECK_COUNT) {
        *failed = risk_check_one(facts, id);
        if (!failed->passed) {
            break;
        }
        id++;
    }
    return id;
}
