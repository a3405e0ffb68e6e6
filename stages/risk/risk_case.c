/*
 * risk_case.c -- what a new order and an amendment share: reading, judging, refusing.
 *
 * How: everything a command is judged by is read first; then the checks run in one fixed order and
 *      the first failure is the recorded code. An order that passed the velocity checks has used
 *      its tokens, whatever a later check says, and one that reached the loop guard has been
 *      counted by it: a loop of refused orders is a loop too.
 */
#include "order_report.h"
#include "risk_commands.h"

/* Orders that are told apart by the loop guard. */
#define LOOPS_MAX 4

enum mr_status risk_case_open(struct risk *risk, struct mr_ctx *ctx, struct risk_case *c,
                              struct mr_slice symbol, bool *known, struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_order(c->order);
    struct oms_risk_exposure exposure;

    MR_TRY(risk_account_get(risk, ctx, c->order->user_id, &c->account, err));
    MR_TRY(risk_all_get(risk, &c->all, err));
    risk_bucket_begin(&risk->settings, &c->all, &c->account.value, c->now_us);
    risk_day_roll(&c->account, c->now_us);
    c->place = (struct risk_place){.risk = risk, .ctx = ctx};
    *known = risk_view_open(&c->view, &c->place, &c->account, &c->all, symbol, c->now_us);
    if (*known) {
        MR_TRY(risk_exposure_get(&c->account, symbol, &exposure, err)); /* names fit */
        risk_watch_margin(&c->view, &c->account, &cause, &c->notices);
        risk_watch_loss(&c->account, &c->all, slice_of(c->place.instr.quote_asset), &cause,
                        &c->notices);
    }
    return MR_OK;
}

/* --- what judging costs ------------------------------------------------------------------- */

static void take_tokens(struct risk_case *c)
{
    struct risk_facts *facts = &c->facts;
    const struct oms_risk_exposure *mine = NULL;
    struct oms_risk_exposure exposure;

    (void)bucket_take(&facts->bucket, facts->rule, c->now_us);
    c->account.value.bucket_micro_tokens = facts->bucket.micro_tokens;
    c->account.value.bucket_ts_us = facts->bucket.ts_us;
    if (!facts->has_symbol_rule) {
        return;
    }
    (void)bucket_take(&facts->symbol_bucket, facts->symbol_rule, c->now_us);
    mine = risk_row_exposure(&c->account.value, c->view.symbol);
    exposure = mine != NULL ? *mine
                            : (struct oms_risk_exposure){.symbol = c->view.symbol,
                                                         .trading_state = OMS_TRADING_STATE_ACTIVE};
    exposure.bucket_micro_tokens = facts->symbol_bucket.micro_tokens;
    exposure.has_bucket_micro_tokens = true;
    exposure.bucket_ts_us = facts->symbol_bucket.ts_us;
    exposure.has_bucket_ts_us = true;
    risk_exposure_set(&c->account, &exposure);
}

/* Which entry a print goes into: its own, a free one, or that of the oldest. */
static size_t loop_slot(const struct oms_risk_loop *items, size_t count, int64_t print)
{
    size_t oldest = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].print == print) {
            return i;
        }
        oldest = items[i].since_us < items[oldest].since_us ? i : oldest;
    }
    return count < LOOPS_MAX ? count : oldest;
}

static void count_loop(struct risk_case *c, bool tripped)
{
    const struct oms_risk_loop_items *before = &c->account.value.loops;
    struct oms_risk_loop *items =
        mr_arena_alloc(c->account.arena, (LOOPS_MAX + 1) * sizeof(*items));
    size_t count = before->count;
    size_t at = 0;

    if (count > 0) {
        memcpy(items, before->items, count * sizeof(*items));
    }
    at = loop_slot(items, count, c->terms.print);
    if (tripped) { /* whoever sets the user free again begins anew */
        memmove(items + at, items + at + 1, (count - at - 1) * sizeof(*items));
        count--;
    } else if (c->facts.loop_count > 0) {
        items[at].count++;
    } else {
        items[at] =
            (struct oms_risk_loop){.print = c->terms.print, .count = 1, .since_us = c->now_us};
        count = at == count ? count + 1 : count;
    }
    c->account.value.loops.items = items;
    c->account.value.loops.count = count;
}

static void halt_loop(struct risk_case *c, const struct risk_result *failed)
{
    const struct risk_cause cause = risk_cause_of_order(c->order);
    struct oms_risk_event *event =
        risk_notice_add(&c->notices, risk_event_of(c->account.arena, &cause, "L-",
                                                   OMS_RISK_EVENT_TYPE_STATE_CHANGE, "loop-guard"));

    risk_event_result(event, failed);
    event->state_from = c->account.value.trading_state;
    event->has_state_from = true;
    event->state_to = OMS_TRADING_STATE_HALTED;
    event->has_state_to = true;
    c->account.value.trading_state = OMS_TRADING_STATE_HALTED;
}

enum risk_check_id risk_case_judge(struct risk_case *c, struct risk_result *failed)
{
    const enum risk_check_id id = risk_check_first(&c->facts, failed);

    if (id > RISK_CHECK_VELOCITY_SYMBOL) {
        take_tokens(c);
    }
    if (id >= RISK_CHECK_LOOP_GUARD && c->facts.loop_max > 0 && !c->facts.amend) {
        count_loop(c, id == RISK_CHECK_LOOP_GUARD && c->facts.loop_count > 0);
    }
    if (id == RISK_CHECK_LOOP_GUARD) {
        halt_loop(c, failed);
    }
    return id;
}

void risk_case_count(struct risk_case *c)
{
    struct oms_risk_account *row = &c->account.value;
    const int64_t step = risk_window_step(row, c->now_us);
    struct oms_risk_window_step *items = NULL;
    size_t count = 0;

    if (!c->facts.window_max.has || c->facts.added == 0) {
        return;
    }
    items = mr_arena_alloc(c->account.arena, (row->window.count + 1) * sizeof(*items));
    for (size_t i = 0; i < row->window.count; i++) {
        if (row->window.items[i].step > step - RISK_WINDOW_STEPS) {
            items[count++] = row->window.items[i];
        }
    }
    if (count > 0 && items[count - 1].step == step) {
        items[count - 1].sum += c->facts.added; /* the check has added it to more than this */
    } else {
        items[count++] = (struct oms_risk_window_step){.step = step, .sum = c->facts.added};
    }
    row->window.items = items;
    row->window.count = count;
}

/* --- no ----------------------------------------------------------------------------------- */

enum mr_status risk_reject(struct risk *risk, struct mr_ctx *ctx,
                           const struct oms_order_command *order, enum dom_code code,
                           struct mr_err *err)
{
    struct oms_execution_report report;

    order_report_reject(&report, mr_ctx_arena(ctx), order, "R-", (int32_t)code,
                        mr_slice_str(code_text((int32_t)code)));
    mr_counter_add(risk->rejected, 1);
    return mr_emit(ctx, RISK_OUT_REJECTED, order->user_id, &report, err);
}

enum mr_status risk_case_refuse(struct risk *risk, struct mr_ctx *ctx, const struct risk_case *c,
                                enum risk_check_id id, const struct risk_result *failed,
                                struct mr_err *err)
{
    const struct risk_cause cause = risk_cause_of_order(c->order);
    struct oms_risk_event event =
        risk_event_of(mr_ctx_arena(ctx), &cause, "R-", OMS_RISK_EVENT_TYPE_REJECT, failed->name);

    if (id > RISK_CHECK_VELOCITY_SYMBOL || c->notices.count > 0) {
        MR_TRY(risk_account_put(risk, &c->account, err));
    }
    MR_TRY(risk_notices_emit(ctx, &c->notices, err));
    MR_TRY(risk_reject(risk, ctx, c->order, failed->code, err));
    risk_event_result(&event, failed);
    return mr_emit(ctx, RISK_OUT_EVENTS, c->order->user_id, &event, err);
}
