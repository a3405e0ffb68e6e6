/* order_map.c -- see order_map.h. */
#include "order_map.h"

void order_map_command(const struct oms_order_command *record, struct ord_command *command)
{
    *command = (struct ord_command){
        .ts_us = record->ts_us,
        .action = (enum ord_action)record->action,
        .order_id = text_of(record->order_id),
        .user_id = text_of(record->user_id),
        .client_order_id = text_of(record->client_order_id),
        .idempotency_key = text_of(record->idempotency_key),
        .symbol = text_of(record->symbol),
        .target_order_id = text_of(record->target_order_id),
        .side = (enum ord_side)record->side,
        .type = (enum ord_type)record->ord_type,
        .tif = (enum ord_tif)record->tif,
        .stp = (enum ord_stp)record->stp_mode,
        .post_only = record->post_only,
        .reduce_only = record->reduce_only,
        .has_qty = record->has_qty,
        .has_quote_qty = record->has_quote_qty,
        .has_price = record->has_price,
        .has_stop_price = record->has_stop_price,
        .has_display_qty = record->has_display_qty,
        .has_expire = record->has_expire_ts_us,
        .has_client_ts = record->has_client_ts_us,
        .qty = record->qty,
        .quote_qty = record->quote_qty,
        .price = record->price,
        .stop_price = record->stop_price,
        .display_qty = record->display_qty,
        .expire_us = record->expire_ts_us,
        .client_us = record->client_ts_us,
    };
}

/* Keeps the text in the slot; false when it is empty or does not fit. */
static bool keep_text(char *buffer, struct mr_slice text, struct dom_text *kept)
{
    if (text.len == 0 || text.len > INSTRUMENT_TEXT_MAX) {
        *kept = (struct dom_text){0};
        return false;
    }
    memcpy(buffer, text.data, text.len);
    *kept = dom_text_of(buffer, text.len);
    return true;
}

static void convert(struct instrument_facts *facts, const struct oms_instrument *record)
{
    struct instr *instr = &facts->instr;
    bool fits = true;

    *instr = (struct instr){
        .state = (enum instr_state)record->state,
        .tick_size = record->tick_size,
        .lot_size = record->lot_size,
        .min_price = record->min_price,
        .max_price = record->max_price,
        .min_qty = record->min_qty,
        .max_qty = record->max_qty,
        .has_market_lot_size = record->has_market_lot_size,
        .has_market_min_qty = record->has_market_min_qty,
        .has_market_max_qty = record->has_market_max_qty,
        .market_lot_size = record->market_lot_size,
        .market_min_qty = record->market_min_qty,
        .market_max_qty = record->market_max_qty,
        .min_notional = record->min_notional,
        .max_notional = record->max_notional,
        .maker_fee = record->maker_fee,
        .taker_fee = record->taker_fee,
        .has_bid_up = record->has_bid_up,
        .has_bid_down = record->has_bid_down,
        .has_ask_up = record->has_ask_up,
        .has_ask_down = record->has_ask_down,
        .bid_up = record->bid_up,
        .bid_down = record->bid_down,
        .ask_up = record->ask_up,
        .ask_down = record->ask_down,
        .has_max_orders = record->has_max_orders,
        .max_orders = record->max_orders,
        .has_max_position = record->has_max_position,
        .max_position = record->max_position,
        .has_initial_margin = record->has_initial_margin,
        .has_maintenance_margin = record->has_maintenance_margin,
        .initial_margin = record->initial_margin,
        .maintenance_margin = record->maintenance_margin,
    };
    fits = keep_text(facts->symbol, record->symbol, &instr->symbol) && fits;
    fits = keep_text(facts->base, record->base_asset, &instr->base_asset) && fits;
    fits = keep_text(facts->quote, record->quote_asset, &instr->quote_asset) && fits;
    facts->defect = fits ? instr_defect(instr) : "symbol or asset is empty or too long";
}

const struct instrument_facts *instrument_cache_get(struct instrument_cache *cache,
                                                    const struct oms_instrument *record,
                                                    int64_t version)
{
    uint32_t hash = UINT32_C(2166136261);
    struct instrument_facts *facts = NULL;

    for (size_t i = 0; i < record->symbol.len && i < INSTRUMENT_TEXT_MAX; i++) {
        hash = (hash ^ record->symbol.data[i]) * UINT32_C(16777619);
    }
    facts = &cache->slots[(hash ^ (hash >> 16)) % INSTRUMENT_SLOTS];
    if (!facts->used || facts->version != version ||
        !mr_slice_equal(slice_of(facts->instr.symbol), record->symbol)) {
        convert(facts, record);
        facts->version = version;
        facts->used = true;
    }
    return facts;
}
