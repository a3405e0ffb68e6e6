/*
 * validate.c -- see validate.h.
 */
#include "domain/validate.h"

/* One command under test: what the checks share. */
struct check {
    const struct ord_command *cmd;
    const struct instr *instr;
    const struct validate_env *env;
    struct code_list *codes;
};

static void add_if(const struct check *check, bool broken, enum dom_code code)
{
    if (broken) {
        code_list_add(check->codes, code);
    }
}

static void check_ids(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, !ord_id_valid(cmd->order_id) || !ord_id_valid(cmd->user_id), CODE_BAD_ID);
    add_if(check, cmd->client_order_id.len > 0 && !ord_id_valid(cmd->client_order_id), CODE_BAD_ID);
    add_if(check, cmd->idempotency_key.len > 0 && !ord_id_valid(cmd->idempotency_key), CODE_BAD_ID);
    add_if(check, cmd->target_order_id.len > 0 && !ord_id_valid(cmd->target_order_id), CODE_BAD_ID);
}

static void check_symbol(const struct check *check)
{
    add_if(check, check->cmd->symbol.len == 0, CODE_MISSING);
    add_if(check, check->cmd->symbol.len > 0 && check->instr == NULL, CODE_UNKNOWN_SYMBOL);
}

static bool rests(enum ord_tif tif)
{
    return tif == ORD_GTC || tif == ORD_GTD;
}

static bool is_tif(enum ord_tif tif)
{
    return rests(tif) || tif == ORD_IOC || tif == ORD_FOK;
}

static void check_limit(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, !cmd->has_price || !cmd->has_qty, CODE_MISSING);
    add_if(check, cmd->has_quote_qty || cmd->has_stop_price, CODE_NOT_ALLOWED);
    add_if(check, !is_tif(cmd->tif) || (cmd->post_only && !rests(cmd->tif)), CODE_BAD_TIF);
}

static void check_market(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, !cmd->has_qty && !cmd->has_quote_qty, CODE_MISSING);
    add_if(check,
           (cmd->has_qty && cmd->has_quote_qty) || cmd->has_price || cmd->has_stop_price ||
               cmd->post_only,
           CODE_NOT_ALLOWED);
    add_if(check, cmd->tif != ORD_IOC, CODE_BAD_TIF);
}

/* Triggered it trades at once and never rests, so a time in force says how long it waits. */
static void check_stop(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, !cmd->has_stop_price || !cmd->has_qty, CODE_MISSING);
    add_if(check, cmd->has_quote_qty || cmd->has_price || cmd->post_only, CODE_NOT_ALLOWED);
    add_if(check, !rests(cmd->tif), CODE_BAD_TIF);
}

static void check_stop_limit(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, !cmd->has_stop_price || !cmd->has_price || !cmd->has_qty, CODE_MISSING);
    add_if(check, cmd->has_quote_qty || cmd->post_only, CODE_NOT_ALLOWED);
    add_if(check, !is_tif(cmd->tif), CODE_BAD_TIF);
}

static void check_expiry(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;
    const bool gtd = cmd->tif == ORD_GTD;

    add_if(check, gtd && !cmd->has_expire, CODE_MISSING);
    add_if(check, !gtd && cmd->has_expire, CODE_NOT_ALLOWED);
    add_if(check, gtd && cmd->has_expire && cmd->expire_us <= check->env->now_us, CODE_EXPIRE_PAST);
}

/* Type, time in force and which fields may stand together. */
static void check_shape(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    switch (cmd->type) {
    case ORD_LIMIT:
        check_limit(check);
        break;
    case ORD_MARKET:
        check_market(check);
        break;
    case ORD_STOP:
        check_stop(check);
        break;
    case ORD_STOP_LIMIT:
        check_stop_limit(check);
        break;
    default:
        code_list_add(check->codes, CODE_BAD_TYPE);
        return;
    }
    add_if(check, cmd->side != ORD_BUY && cmd->side != ORD_SELL, CODE_NOT_ALLOWED);
    add_if(check, (int)cmd->stp < 0 || (int)cmd->stp > (int)ORD_STP_NONE, CODE_NOT_ALLOWED);
    add_if(check, cmd->has_display_qty || cmd->target_order_id.len > 0, CODE_NOT_ALLOWED);
    check_expiry(check);
}

/* An AMEND has its target, and a new total, a new price or both; nothing else can be changed. */
static void check_amend_shape(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, cmd->target_order_id.len == 0 || (!cmd->has_qty && !cmd->has_price),
           CODE_MISSING);
    add_if(check,
           cmd->has_quote_qty || cmd->has_stop_price || cmd->has_display_qty || cmd->has_expire ||
               cmd->post_only || cmd->reduce_only,
           CODE_NOT_ALLOWED);
}

/* Positive and below the business bound; true when further checks of it make sense. */
static bool check_number(const struct check *check, bool has, dec_t value)
{
    add_if(check, has && value <= 0, CODE_BAD_NUMBER);
    add_if(check, has && value >= DEC_BUSINESS_LIMIT, CODE_OVERFLOW);
    return has && value > 0 && value < DEC_BUSINESS_LIMIT;
}

/* For the limit and for the stop price alike. */
static bool check_price(const struct check *check, dec_t price)
{
    const struct instr *instr = check->instr;
    const bool on_tick = dec_is_multiple(price, instr->tick_size);

    add_if(check, instr->min_price > 0 && price < instr->min_price, CODE_PRICE_TOO_LOW);
    add_if(check, instr->max_price > 0 && price > instr->max_price, CODE_PRICE_TOO_HIGH);
    add_if(check, !on_tick, CODE_PRICE_TICK);
    return on_tick;
}

/* A STOP is a MARKET order when its time comes, so the market's lot is its own. */
static bool check_qty(const struct check *check)
{
    const struct instr *instr = check->instr;
    const dec_t qty = check->cmd->qty;
    const bool market = check->cmd->action == ORD_ACTION_NEW &&
                        (check->cmd->type == ORD_MARKET || check->cmd->type == ORD_STOP);
    const dec_t low = market && instr->has_market_min_qty ? instr->market_min_qty : instr->min_qty;
    const dec_t high = market && instr->has_market_max_qty ? instr->market_max_qty : instr->max_qty;
    const dec_t step =
        market && instr->has_market_lot_size ? instr->market_lot_size : instr->lot_size;
    const bool on_step = dec_is_multiple(qty, step);

    add_if(check, low > 0 && qty < low, CODE_QTY_TOO_LOW);
    add_if(check, high > 0 && qty > high, CODE_QTY_TOO_HIGH);
    add_if(check, !on_step, CODE_QTY_STEP);
    return on_step;
}

static void check_notional(const struct check *check, dec_t notional)
{
    const struct instr *instr = check->instr;

    add_if(check, instr->min_notional > 0 && notional < instr->min_notional, CODE_NOTIONAL_TOO_LOW);
    add_if(check, instr->max_notional > 0 && notional > instr->max_notional,
           CODE_NOTIONAL_TOO_HIGH);
}

static void check_product(const struct check *check, dec_t price)
{
    dec_t notional = 0;

    if (!dec_mul(price, check->cmd->qty, DEC_FLOOR, &notional) || notional >= DEC_BUSINESS_LIMIT) {
        code_list_add(check->codes, CODE_OVERFLOW);
        return;
    }
    check_notional(check, notional);
}

static bool takes_price(const struct ord_command *cmd)
{
    return cmd->action == ORD_ACTION_AMEND || cmd->type == ORD_LIMIT || cmd->type == ORD_STOP_LIMIT;
}

static bool takes_stop_price(const struct ord_command *cmd)
{
    return cmd->action == ORD_ACTION_NEW && (cmd->type == ORD_STOP || cmd->type == ORD_STOP_LIMIT);
}

/* Which price the notional is taken at: the limit, else the stop price, else a reference. */
static void check_notional_of(const struct check *check, bool price_good, bool stop_good)
{
    const struct ord_command *cmd = check->cmd;

    if (price_good) {
        check_product(check, cmd->price);
    } else if (stop_good && cmd->type == ORD_STOP) {
        check_product(check, cmd->stop_price);
    } else if (cmd->type == ORD_MARKET && cmd->action == ORD_ACTION_NEW &&
               check->env->has_reference) {
        check_product(check, check->env->reference);
    }
}

static void check_amounts(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;
    const bool by_quote = cmd->action == ORD_ACTION_NEW && cmd->type == ORD_MARKET;
    bool price_good = check_number(check, takes_price(cmd) && cmd->has_price, cmd->price);
    bool stop_good =
        check_number(check, takes_stop_price(cmd) && cmd->has_stop_price, cmd->stop_price);
    bool qty_good = check_number(check, cmd->has_qty, cmd->qty);
    const bool amount_good = check_number(check, by_quote && cmd->has_quote_qty, cmd->quote_qty);

    if (check->instr == NULL) {
        return;
    }
    price_good = price_good && check_price(check, cmd->price);
    stop_good = stop_good && check_price(check, cmd->stop_price);
    qty_good = qty_good && check_qty(check);
    if (qty_good) {
        check_notional_of(check, price_good, stop_good);
    }
    if (amount_good) {
        check_notional(check, cmd->quote_qty);
    }
}

static void check_freshness(const struct check *check)
{
    const struct validate_env *env = check->env;
    int64_t age_us = 0;

    if (env->recv_window_us <= 0 || !check->cmd->has_client_ts) {
        return;
    }
    const bool absurd = __builtin_sub_overflow(env->now_us, check->cmd->client_us, &age_us);
    add_if(check, absurd || age_us > env->recv_window_us || age_us < -VALIDATE_AHEAD_MAX_US,
           CODE_STALE);
}

static void check_new(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    check_shape(check);
    check_symbol(check);
    if (check->instr != NULL) {
        add_if(check, instr_takes(check->instr, cmd->type, cmd->post_only) != CODE_OK,
               CODE_NOT_TRADING);
    }
    check_amounts(check);
    check_freshness(check);
}

static void check_amend(const struct check *check)
{
    check_amend_shape(check);
    check_symbol(check);
    if (check->instr != NULL) {
        add_if(check, instr_amends(check->instr) != CODE_OK, CODE_NOT_TRADING);
    }
    check_amounts(check);
    check_freshness(check);
}

/* One that names an order means CANCEL, and must not end all the others. */
static void check_cancel_all(const struct check *check)
{
    const struct ord_command *cmd = check->cmd;

    add_if(check, cmd->target_order_id.len > 0, CODE_NOT_ALLOWED);
    add_if(check, cmd->symbol.len > 0 && check->instr == NULL, CODE_UNKNOWN_SYMBOL);
    check_freshness(check);
}

enum dom_code validate_order(const struct ord_command *cmd, const struct instr *instr,
                             const struct validate_env *env, struct code_list *codes)
{
    const struct check check = {.cmd = cmd, .instr = instr, .env = env, .codes = codes};

    codes->count = 0;
    check_ids(&check);
    switch (cmd->action) {
    case ORD_ACTION_NEW:
        check_new(&check);
        break;
    case ORD_ACTION_CANCEL:
        add_if(&check, cmd->target_order_id.len == 0, CODE_MISSING);
        check_symbol(&check);
        check_freshness(&check);
        break;
    case ORD_ACTION_AMEND:
        check_amend(&check);
        break;
    case ORD_ACTION_CANCEL_ALL:
        check_cancel_all(&check);
        break;
    default:
        code_list_add(codes, CODE_BAD_TYPE);
        break;
    }
    return code_list_first(codes);
}
