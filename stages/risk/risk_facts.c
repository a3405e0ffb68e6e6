/* risk_facts.c -- what the user may do, has open and has. See risk_facts.h. */
#include "risk_facts.h"

#include "domain/position.h"
#include "order_map.h"
#include "row_entries.h"

static const struct oms_risk_exposure no_exposure = {.trading_state = OMS_TRADING_STATE_ACTIVE};

const struct oms_risk_exposure *risk_row_exposure(const struct oms_risk_account *row,
                                                  struct mr_slice symbol)
{
    const struct entries entries = {.items = row->exposures.items,
                                    .count = row->exposures.count,
                                    .item_bytes = sizeof(struct oms_risk_exposure),
                                    .name_offset = offsetof(struct oms_risk_exposure, symbol)};

    return entries_find(&entries, symbol);
}

const struct oms_risk_balance *risk_row_balance(const struct oms_risk_account *row,
                                                struct mr_slice asset)
{
    const struct entries entries = {.items = row->balances.items,
                                    .count = row->balances.count,
                                    .item_bytes = sizeof(struct oms_risk_balance),
                                    .name_offset = offsetof(struct oms_risk_balance, asset)};

    return entries_find(&entries, asset);
}

static const struct oms_risk_exposure *exposure_or_none(const struct oms_risk_account *row,
                                                        struct mr_slice symbol)
{
    const struct oms_risk_exposure *found = risk_row_exposure(row, symbol);

    return found != NULL ? found : &no_exposure;
}

/* --- limits ------------------------------------------------------------------------------- */

/* The first of the given that is there. */
static struct risk_limit first_of(const struct risk_limit *limits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (limits[i].has) {
            return limits[i];
        }
    }
    return (struct risk_limit){0};
}

#define LIMIT(row, name)                                                                           \
    {                                                                                              \
        .has = (row)->has_##name, .value = (row)->name                                             \
    }
#define FIRST_OF(...)                                                                              \
    first_of((const struct risk_limit[]){__VA_ARGS__},                                             \
             MR_COUNT(((const struct risk_limit[]){__VA_ARGS__})))

static struct bucket_rule rule_or_settings(const struct risk_limit *rate,
                                           const struct risk_limit *burst,
                                           const struct risk_settings *settings)
{
    return (struct bucket_rule){
        .per_second = (int32_t)(rate->has ? rate->value : settings->velocity_micro / BUCKET_TOKEN),
        .burst = (int32_t)(burst->has ? burst->value : settings->burst),
    };
}

struct bucket_rule risk_bucket_rule(const struct risk_settings *settings,
                                    const struct oms_risk_account *user,
                                    const struct oms_risk_account *all)
{
    const struct risk_limit rate =
        FIRST_OF(LIMIT(user, velocity_per_second), LIMIT(all, velocity_per_second));
    const struct risk_limit burst =
        FIRST_OF(LIMIT(user, velocity_burst), LIMIT(all, velocity_burst));

    return rule_or_settings(&rate, &burst, settings);
}

bool risk_symbol_rule(const struct risk_view *view, struct bucket_rule *rule)
{
    const struct oms_risk_exposure *user = exposure_or_none(view->user, view->symbol);
    const struct oms_risk_exposure *all = exposure_or_none(view->all, view->symbol);
    const struct risk_limit rate =
        FIRST_OF(LIMIT(user, velocity_per_second), LIMIT(all, velocity_per_second));
    const struct risk_limit burst =
        FIRST_OF(LIMIT(user, velocity_burst), LIMIT(all, velocity_burst));

    *rule = rule_or_settings(&rate, &burst, view->settings);
    return rate.has || burst.has;
}

struct risk_limit risk_loss_max(const struct oms_risk_account *user,
                                const struct oms_risk_account *all)
{
    return FIRST_OF(LIMIT(user, daily_loss_limit), LIMIT(all, daily_loss_limit));
}

struct risk_limit risk_window_max(const struct oms_risk_account *user,
                                  const struct oms_risk_account *all)
{
    return FIRST_OF(LIMIT(user, notional_window_max), LIMIT(all, notional_window_max));
}

static enum risk_switch strictest(const struct risk_view *view)
{
    const enum oms_trading_state states[] = {
        view->user->trading_state,
        view->all->trading_state,
        exposure_or_none(view->user, view->symbol)->trading_state,
        exposure_or_none(view->all, view->symbol)->trading_state,
    };
    enum oms_trading_state state = OMS_TRADING_STATE_ACTIVE;

    for (size_t i = 0; i < MR_COUNT(states); i++) {
        state = states[i] > state ? states[i] : state;
    }
    return (enum risk_switch)state;
}

static void limits_of(const struct risk_view *view, struct risk_facts *facts)
{
    const struct oms_risk_account *user = view->user;
    const struct oms_risk_account *all = view->all;
    const struct oms_risk_exposure *mine = exposure_or_none(user, view->symbol);
    const struct oms_risk_exposure *ours = exposure_or_none(all, view->symbol);
    const struct instr *instr = view->instr;
    const struct risk_limit orders =
        FIRST_OF(LIMIT(user, open_orders_max), LIMIT(all, open_orders_max));
    const struct risk_limit of_symbol = FIRST_OF(
        LIMIT(mine, open_orders_max), LIMIT(ours, open_orders_max), LIMIT(instr, max_orders));

    facts->state = strictest(view);
    facts->open_orders_max = orders.has ? (int64_t)orders.value : view->settings->open_orders;
    facts->symbol_orders_max = of_symbol.has ? (int64_t)of_symbol.value : -1;
    facts->position_max = FIRST_OF(LIMIT(mine, position_limit), LIMIT(user, position_limit),
                                   LIMIT(ours, position_limit), LIMIT(all, position_limit),
                                   LIMIT(instr, max_position));
    facts->notional_max = FIRST_OF(LIMIT(mine, notional_max), LIMIT(user, notional_max),
                                   LIMIT(ours, notional_max), LIMIT(all, notional_max));
    facts->concentration_max =
        FIRST_OF(LIMIT(mine, concentration_limit), LIMIT(user, concentration_limit),
                 LIMIT(ours, concentration_limit), LIMIT(all, concentration_limit));
    facts->window_max = risk_window_max(user, all);
    facts->loss_max = risk_loss_max(user, all);
}

/* --- what has gone before ----------------------------------------------------------------- */

int64_t risk_window_step(const struct oms_risk_account *row, int64_t now_us)
{
    const int64_t step = now_us / RISK_WINDOW_STEP_US;
    const size_t count = row->window.count;

    return count > 0 && row->window.items[count - 1].step > step ? row->window.items[count - 1].step
                                                                 : step;
}

static dec_t window_sum(const struct oms_risk_account *row, int64_t now_us)
{
    const int64_t step = risk_window_step(row, now_us);
    dec_t sum = 0;

    for (size_t i = 0; i < row->window.count; i++) {
        const bool counts = row->window.items[i].step > step - RISK_WINDOW_STEPS;

        if (counts && !dec_add(sum, row->window.items[i].sum, &sum)) {
            return DEC_MAX;
        }
    }
    return sum;
}

static int64_t loop_count(const struct risk_view *view, int64_t print)
{
    const struct oms_risk_loop_items *loops = &view->user->loops;

    for (size_t i = 0; i < loops->count; i++) {
        if (loops->items[i].print == print &&
            view->now_us - loops->items[i].since_us < view->settings->loop_window_us) {
            return loops->items[i].count;
        }
    }
    return 0;
}

dec_t risk_loss_of(const struct oms_risk_account *row, struct mr_slice asset)
{
    const struct oms_risk_balance *balance = risk_row_balance(row, asset);

    return balance != NULL && balance->realised_day < 0 ? -balance->realised_day : 0;
}

static void buckets_of(const struct risk_view *view, struct risk_facts *facts)
{
    const struct oms_risk_account *user = view->user;
    const struct oms_risk_exposure *mine = exposure_or_none(user, view->symbol);

    facts->rule = risk_bucket_rule(view->settings, user, view->all);
    facts->bucket =
        (struct bucket){.micro_tokens = user->bucket_micro_tokens, .ts_us = user->bucket_ts_us};
    if (!user->has_bucket_ts_us) {
        bucket_fill(&facts->bucket, facts->rule, view->now_us);
    }
    facts->has_symbol_rule = risk_symbol_rule(view, &facts->symbol_rule);
    facts->symbol_bucket =
        (struct bucket){.micro_tokens = mine->bucket_micro_tokens, .ts_us = mine->bucket_ts_us};
    if (!mine->has_bucket_ts_us) {
        bucket_fill(&facts->symbol_bucket, facts->symbol_rule, view->now_us);
    }
}

/* --- marks -------------------------------------------------------------------------------- */

/* The view's own symbol is valued at the order's price when nobody else has said one. */
static dec_t mark_of(const struct risk_view *view, struct mr_slice symbol, dec_t own_price)
{
    const struct oms_price_tick *tick = view->price_of(view->arg, symbol);

    if (tick != NULL && tick->price > 0) {
        return tick->price;
    }
    return mr_slice_equal(symbol, view->symbol) ? own_price : 0;
}

/* Adds one symbol. False: no mark, or an overflow. */
static bool add_symbol(const struct risk_view *view, const struct oms_risk_exposure *exposure,
                       const struct oms_instrument *record, dec_t own_price,
                       struct risk_portfolio *sum)
{
    const struct risk_exposed exposed = {.position = exposure->position,
                                         .open_buy = exposure->open_buy,
                                         .open_sell = exposure->open_sell};
    const dec_t mark = mark_of(view, exposure->symbol, own_price);
    dec_t value = 0;
    dec_t kept = 0;
    dec_t worst = 0;

    if (mark <= 0 || !dec_mul(exposure->position, mark, DEC_FLOOR, &value) ||
        !dec_add(sum->equity, value, &sum->equity) ||
        !dec_mul(dec_abs(value), record->maintenance_margin, DEC_CEIL, &kept) ||
        !dec_add(sum->maintenance, kept, &sum->maintenance)) {
        return false;
    }
    if (mr_slice_equal(exposure->symbol, view->symbol)) {
        return true;
    }
    return risk_worst_position(&exposed, &worst) && dec_mul(worst, mark, DEC_CEIL, &worst) &&
           dec_mul(worst, record->initial_margin, DEC_CEIL, &worst) &&
           dec_add(sum->other_margin, worst, &sum->other_margin);
}

struct risk_portfolio risk_portfolio_of(const struct risk_view *view, dec_t own_price)
{
    const struct mr_slice quote = slice_of(view->instr->quote_asset);
    const struct oms_risk_balance *cash = risk_row_balance(view->user, quote);
    struct risk_portfolio sum = {.known = true};

    if (cash != NULL) {
        sum.known = dec_add(cash->available, cash->hold, &sum.equity);
    }
    for (size_t i = 0; i < view->user->exposures.count && sum.known; i++) {
        const struct oms_risk_exposure *exposure = &view->user->exposures.items[i];
        const struct oms_instrument *record = NULL;

        if (exposure->position == 0 && exposure->open_buy == 0 && exposure->open_sell == 0) {
            continue;
        }
        record = view->instrument_of(view->arg, exposure->symbol);
        if (record == NULL) {
            sum.known = false; /* nobody can say what it is worth, or in what */
        } else if (mr_slice_equal(record->quote_asset, quote)) {
            sum.known = add_symbol(view, exposure, record, own_price, &sum);
        }
    }
    return sum;
}

static void marks_of(const struct risk_view *view, const struct risk_terms *terms,
                     struct risk_facts *facts)
{
    const dec_t own_price = terms->has_price ? terms->price : 0;
    struct risk_portfolio portfolio;

    facts->has_margin = view->instr->has_initial_margin;
    facts->margin_rate = view->instr->initial_margin;
    if (!facts->has_margin && !facts->concentration_max.has) {
        return;
    }
    portfolio = risk_portfolio_of(view, own_price);
    facts->mark = mark_of(view, view->symbol, own_price);
    facts->marks_known = portfolio.known && facts->mark > 0;
    facts->equity = portfolio.equity;
    facts->other_margin = portfolio.other_margin;
}

/* --- all of it ---------------------------------------------------------------------------- */

static void asked_of(const struct risk_terms *terms, struct risk_facts *facts)
{
    facts->side = terms->side;
    facts->amend = terms->amend;
    facts->reduce_only = terms->reduce_only;
    facts->qty_is_guess = terms->by_amount && terms->side == ORD_BUY;
    facts->qty = terms->qty;
    facts->has_price = terms->has_price;
    facts->price = terms->price;
    facts->price_low = terms->price_low;
    facts->price_high = terms->price_high;
    facts->reference = (struct risk_limit){.has = terms->has_ref, .value = terms->ref};
    facts->computed = terms->computed;
    facts->notional = terms->notional;
    facts->added = terms->added;
    facts->need = terms->need;
}

void risk_facts_of(const struct risk_view *view, const struct risk_terms *terms,
                   struct risk_facts *facts)
{
    const struct oms_risk_exposure *mine = exposure_or_none(view->user, view->symbol);
    const struct mr_slice quote = slice_of(view->instr->quote_asset);
    const struct oms_risk_balance *balance = risk_row_balance(
        view->user, terms->side == ORD_BUY ? quote : slice_of(view->instr->base_asset));
    const bool today = view->user->day >= pos_day(view->now_us);

    *facts = (struct risk_facts){
        .now_us = view->now_us,
        .window_sum = window_sum(view->user, view->now_us),
        .loop_max = view->settings->loop_guard,
        .loop_count = loop_count(view, terms->print),
        .open_orders = view->user->open_orders,
        .symbol_orders = mine->open_orders,
        .exposed = {.position = mine->position,
                    .open_buy = mine->open_buy,
                    .open_sell = mine->open_sell},
        .loss = today ? risk_loss_of(view->user, quote) : 0,
        .loss_breached = today && view->user->loss_breached,
        .available = balance == NULL ? 0 : balance->available,
    };
    asked_of(terms, facts);
    limits_of(view, facts);
    buckets_of(view, facts);
    marks_of(view, terms, facts);
}
