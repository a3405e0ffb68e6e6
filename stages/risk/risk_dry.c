/* risk_dry.c -- see risk_dry.h. */
#include "risk_dry.h"

#include "domain/validate.h"
#include "risk.h"
#include "risk_state.h"

bool risk_dry_settings(const struct mr_stage *stage, const void *options,
                       struct risk_settings *settings)
{
    if (stage != &risk_stage || options == NULL) {
        return false;
    }
    *settings = ((const struct risk *)options)->settings;
    return true;
}

/* The order as it would come from outside: what is wrong in itself never reaches risk. */
static void validate(const struct risk_dry *dry, const struct oms_instrument *record,
                     const struct instrument_facts *facts, struct code_list *codes)
{
    const struct validate_env env = {.now_us = dry->now_us};
    struct ord_command command;

    order_map_command(dry->order, &command);
    (void)validate_order(&command, record == NULL ? NULL : &facts->instr, &env, codes);
    if (record != NULL && facts->defect != NULL) {
        code_list_add(codes, CODE_NOT_TRADING);
    }
}

static bool margin_called(const struct risk_view *view)
{
    const struct risk_portfolio portfolio = risk_portfolio_of(view, 0);

    return view->instr->has_maintenance_margin && portfolio.known &&
           portfolio.equity < portfolio.maintenance;
}

void risk_dry_run(const struct risk_dry *dry, struct risk_dry_result *result)
{
    static const struct oms_risk_account nothing = {.trading_state = OMS_TRADING_STATE_ACTIVE};
    const struct oms_instrument *record = dry->instrument_of(dry->arg, dry->order->symbol);
    const struct instrument_facts *facts = NULL;
    struct risk_view view = {
        .settings = dry->settings,
        .user = dry->user != NULL ? dry->user : &nothing,
        .all = dry->all != NULL ? dry->all : &nothing,
        .instrument_of = dry->instrument_of,
        .price_of = dry->price_of,
        .arg = dry->arg,
        .now_us = dry->now_us,
        .symbol = dry->order->symbol,
    };
    struct risk_terms terms;
    struct risk_facts numbers;

    *result = (struct risk_dry_result){0};
    facts = record == NULL ? NULL : instrument_cache_get(dry->instruments, record, 0);
    validate(dry, record, facts, &result->invalid);
    if (result->invalid.count > 0) {
        return;
    }
    view.instr = &facts->instr;
    risk_terms_new(&view, dry->order, &terms);
    risk_facts_of(&view, &terms, &numbers);
    numbers.client_id_taken = dry->client_id_taken;
    if (numbers.state == RISK_ACTIVE && margin_called(&view)) {
        numbers.state = RISK_REDUCING;
    }
    result->allowed = true;
    for (int id = 0; id < (int)RISK_CHECK_COUNT; id++) {
        result->checks[id] = risk_check_one(&numbers, (enum risk_check_id)id);
        result->allowed = result->allowed && result->checks[id].passed;
    }
}
