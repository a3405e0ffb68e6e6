/* risk_notice.c -- see risk_notice.h. */
#include "risk_notice.h"

#include "order_report.h"

struct risk_cause risk_cause_of_order(const struct oms_order_command *order)
{
    return (struct risk_cause){.id = order->event_id,
                               .ts_us = order->ts_us,
                               .trace_id = order->trace_id,
                               .user_id = order->user_id,
                               .order_id = order->order_id,
                               .command_id = order->event_id,
                               .symbol = order->symbol};
}

struct risk_cause risk_cause_of_report(const struct oms_execution_report *report)
{
    return (struct risk_cause){.id = report->exec_id,
                               .ts_us = report->ts_us,
                               .trace_id = report->trace_id,
                               .user_id = report->user_id,
                               .order_id = report->order_id,
                               .symbol = report->symbol};
}

struct risk_cause risk_cause_of_account(const struct oms_account_command *command)
{
    return (struct risk_cause){.id = command->event_id,
                               .ts_us = command->ts_us,
                               .trace_id = command->trace_id,
                               .user_id = command->user_id,
                               .command_id = command->event_id,
                               .symbol = command->symbol};
}

struct oms_risk_event risk_event_of(struct mr_arena *arena, const struct risk_cause *cause,
                                    const char *prefix, enum oms_risk_event_type type,
                                    const char *check)
{
    return (struct oms_risk_event){
        .event_id = order_report_join(arena, mr_slice_str(prefix), cause->id),
        .ts_us = cause->ts_us,
        .trace_id = cause->trace_id,
        .has_trace_id = cause->trace_id.len > 0,
        .user_id = cause->user_id,
        .order_id = cause->order_id,
        .has_order_id = cause->order_id.len > 0,
        .command_id = cause->command_id,
        .has_command_id = cause->command_id.len > 0,
        .symbol = cause->symbol,
        .has_symbol = cause->symbol.len > 0,
        .type = type,
        .check = mr_slice_str(check),
    };
}

void risk_event_result(struct oms_risk_event *event, const struct risk_result *result)
{
    event->code = (int32_t)result->code;
    event->text = mr_slice_str(code_text(event->code));
    event->has_text = result->code != CODE_OK;
    event->limit = result->limit.value;
    event->has_limit = result->limit.has;
    event->current = result->current.value;
    event->has_current = result->current.has;
    event->projected = result->projected.value;
    event->has_projected = result->projected.has;
}

enum mr_status risk_notices_emit(struct mr_ctx *ctx, const struct risk_notices *notices,
                                 struct mr_err *err)
{
    for (size_t i = 0; i < notices->count; i++) {
        const struct oms_risk_event *event = &notices->items[i];

        MR_TRY(mr_emit(ctx, RISK_OUT_EVENTS, event->user_id, event, err));
    }
    return MR_OK;
}

struct oms_risk_event *risk_notice_add(struct risk_notices *notices, struct oms_risk_event event)
{
    MR_ASSERT(notices->count < RISK_NOTICES_MAX);
    notices->items[notices->count] = event;
    return &notices->items[notices->count++];
}

void risk_watch_loss(struct risk_account *account, const struct oms_risk_account *all,
                     struct mr_slice asset, const struct risk_cause *cause,
                     struct risk_notices *notices)
{
    const dec_t loss = risk_loss_of(&account->value, asset);
    const struct risk_result result = {.code = CODE_DAILY_LOSS,
                                       .limit = risk_loss_max(&account->value, all),
                                       .current = {.has = true, .value = loss}};
    struct oms_risk_event *event = NULL;

    if (account->value.loss_breached || !result.limit.has || loss < result.limit.value) {
        return;
    }
    account->value.loss_breached = true;
    event = risk_notice_add(notices, risk_event_of(account->arena, cause, "B-",
                                                   OMS_RISK_EVENT_TYPE_BREACH, "daily-loss"));
    risk_event_result(event, &result);
    event->day = account->value.day;
    event->has_day = true;
}

void risk_watch_margin(const struct risk_view *view, struct risk_account *account,
                       const struct risk_cause *cause, struct risk_notices *notices)
{
    struct risk_portfolio portfolio;
    struct oms_risk_event *event = NULL;

    if (!view->instr->has_maintenance_margin ||
        account->value.trading_state != OMS_TRADING_STATE_ACTIVE) {
        return;
    }
    portfolio = risk_portfolio_of(view, 0);
    if (!portfolio.known || portfolio.equity >= portfolio.maintenance) {
        return;
    }
    const struct risk_result result = {.code = CODE_MARGIN_CALL,
                                       .limit = {.has = true, .value = portfolio.maintenance},
                                       .current = {.has = true, .value = portfolio.equity}};

    account->value.trading_state = OMS_TRADING_STATE_REDUCING;
    event = risk_notice_add(notices, risk_event_of(account->arena, cause, "M-",
                                                   OMS_RISK_EVENT_TYPE_MARGIN_CALL, "maintenance"));
    risk_event_result(event, &result);
    event->state_from = OMS_TRADING_STATE_ACTIVE;
    event->has_state_from = true;
    event->state_to = OMS_TRADING_STATE_REDUCING;
    event->has_state_to = true;
}

static const struct oms_instrument *instrument_of(void *arg, struct mr_slice symbol)
{
    const struct risk_place *place = arg;

    return mr_table_get(place->ctx, RISK_IN_INSTRUMENTS, symbol, NULL);
}

static const struct oms_price_tick *price_of(void *arg, struct mr_slice symbol)
{
    const struct risk_place *place = arg;

    return mr_table_get(place->ctx, RISK_IN_PRICES, symbol, NULL);
}

bool risk_view_open(struct risk_view *view, struct risk_place *place,
                    const struct risk_account *account, const struct oms_risk_account *all,
                    struct mr_slice symbol, int64_t now_us)
{
    int64_t version = 0;
    const struct oms_instrument *record =
        mr_table_get(place->ctx, RISK_IN_INSTRUMENTS, symbol, &version);
    const struct instrument_facts *facts =
        record == NULL ? NULL : instrument_cache_get(&place->risk->instruments, record, version);

    if (facts == NULL || facts->defect != NULL) {
        return false;
    }
    place->instr = facts->instr;
    place->instr.symbol = text_of(record->symbol);
    place->instr.base_asset = text_of(record->base_asset);
    place->instr.quote_asset = text_of(record->quote_asset);
    *view = (struct risk_view){
        .settings = &place->risk->settings,
        .user = &account->value,
        .all = all,
        .instrument_of = instrument_of,
        .price_of = price_of,
        .arg = place,
        .now_us = now_us,
        .symbol = symbol,
        .instr = &place->instr,
    };
    return true;
}
