/* risk_terms.c -- what a command asks for, in numbers. See risk_facts.h. */
#include "domain/hold.h"
#include "domain/reserve.h"
#include "risk_facts.h"

#define PPM INT64_C(1000000)

static dec_t collar_of(const struct risk_view *view)
{
    return (dec_t)view->settings->collar_ppm * (DEC_ONE / PPM);
}

static void find_reference(const struct risk_view *view, struct risk_terms *terms)
{
    const struct oms_price_tick *tick = view->price_of(view->arg, view->symbol);
    const int64_t age_us = view->settings->price_age_us;

    if (tick != NULL && tick->price > 0 && (age_us == 0 || tick->ts_us >= view->now_us - age_us)) {
        terms->has_ref = true;
        terms->ref = tick->price;
        terms->ref_us = tick->ts_us;
    }
}

/* The instrument's own factors decide where it has them, the option on the harmful side else. */
static void find_collar(const struct risk_view *view, struct risk_terms *terms)
{
    const struct instr *instr = view->instr;
    const bool own = terms->side == ORD_BUY ? instr->has_bid_up : instr->has_ask_down;
    dec_t worst = 0;

    if (!instr_collar(instr, terms->side, terms->ref, &terms->price_low, &terms->price_high)) {
        terms->price_low = DEC_MAX; /* no price is inside of a collar that overflows */
        return;
    }
    if (!own && instr_market_price(instr, terms->side, terms->ref, collar_of(view), &worst)) {
        *(terms->side == ORD_BUY ? &terms->price_high : &terms->price_low) = worst;
    }
}

/* Price of the hold. Only a limit order's own price is held against the collar. */
static void find_price(const struct risk_view *view, const struct oms_order_command *order,
                       struct risk_terms *terms)
{
    switch (order->ord_type) {
    case OMS_ORDER_TYPE_MARKET:
        terms->has_price =
            terms->has_ref && instr_market_price(view->instr, terms->side, terms->ref,
                                                 collar_of(view), &terms->price);
        return;
    case OMS_ORDER_TYPE_STOP:
        terms->has_price = instr_market_price(view->instr, terms->side, order->stop_price,
                                              collar_of(view), &terms->price);
        return;
    case OMS_ORDER_TYPE_LIMIT:
        if (terms->has_ref) {
            find_collar(view, terms);
        }
        break;
    case OMS_ORDER_TYPE_STOP_LIMIT:
        break;
    }
    terms->has_price = true;
    terms->price = order->price;
}

/*
 * A sell takes at most the amount at its collar. What a buy brings in has no bound but the prices
 * it meets; it counts with what the amount buys at the lower end of the collar.
 */
static bool qty_of_amount(const struct risk_view *view, dec_t amount, struct risk_terms *terms)
{
    dec_t price = terms->price;
    dec_t low = 0;

    if (terms->side == ORD_BUY &&
        instr_market_price(view->instr, ORD_SELL, terms->ref, collar_of(view), &low)) {
        price = dec_min(price, low);
    }
    return reserve_sell_amount(amount, price, view->instr->lot_size, &terms->qty);
}

static bool compute(const struct risk_view *view, const struct oms_order_command *order,
                    struct risk_terms *terms)
{
    if (!terms->has_price) {
        return false;
    }
    if (!terms->by_amount) {
        return dec_mul_exact(terms->price, terms->qty, &terms->notional) &&
               hold_initial(terms->side, terms->price, terms->qty, view->instr->taker_fee,
                            &terms->need);
    }
    terms->notional = order->quote_qty;
    if (!qty_of_amount(view, order->quote_qty, terms)) {
        return false;
    }
    terms->need = terms->qty;
    return terms->side == ORD_SELL ||
           reserve_buy_amount(order->quote_qty, view->instr->taker_fee, &terms->need);
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *at = data;

    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static uint64_t hash_amount(uint64_t hash, mr_i128 value)
{
    uint8_t bytes[sizeof(value)];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)((mr_u128)value >> (8 * (sizeof(bytes) - 1 - i)));
    }
    return hash_bytes(hash, bytes, sizeof(bytes));
}

/* Symbol, a zero, side, type, and the amounts in a fixed order, an absent one as 0. */
static int64_t print_of(const struct oms_order_command *order)
{
    const uint8_t kind[] = {0, (uint8_t)order->side, (uint8_t)order->ord_type};
    uint64_t hash = UINT64_C(14695981039346656037);

    hash = hash_bytes(hash, order->symbol.data, order->symbol.len);
    hash = hash_bytes(hash, kind, sizeof(kind));
    hash = hash_amount(hash, order->qty);
    hash = hash_amount(hash, order->quote_qty);
    hash = hash_amount(hash, order->price);
    hash = hash_amount(hash, order->stop_price);
    return (int64_t)hash;
}

void risk_terms_new(const struct risk_view *view, const struct oms_order_command *order,
                    struct risk_terms *terms)
{
    *terms = (struct risk_terms){
        .side = (enum ord_side)order->side,
        .reduce_only = order->reduce_only,
        .by_amount = order->has_quote_qty,
        .qty = order->qty,
        .price_high = DEC_MAX,
        .print = print_of(order),
    };
    find_reference(view, terms);
    find_price(view, order, terms);
    terms->computed = compute(view, order, terms);
    terms->added = terms->notional;
}

/* What the amendment is worth as a whole, and what it adds. */
static bool compute_amend(const struct oms_order_command *command,
                          const struct oms_risk_order *open, dec_t new_leaves,
                          struct risk_terms *terms)
{
    const struct reserve_amend amend = {
        .side = terms->side,
        .price = open->price,
        .leaves = open->leaves_qty,
        .new_price = terms->price,
        .new_leaves = new_leaves,
        .taker_rate = open->fee_taker,
    };
    const dec_t total = command->has_qty ? command->qty : open->order_qty;
    dec_t before = 0;
    dec_t after = 0;

    if (!dec_mul_exact(terms->price, total, &terms->notional) ||
        !dec_mul_exact(open->price, open->leaves_qty, &before) ||
        !dec_mul_exact(terms->price, dec_max(new_leaves, 0), &after)) {
        return false;
    }
    terms->added = dec_max(after - before, 0);
    return reserve_amend(&amend, &terms->need);
}

void risk_terms_amend(const struct risk_view *view, const struct oms_order_command *command,
                      const struct oms_risk_order *open, dec_t new_leaves, struct risk_terms *terms)
{
    *terms = (struct risk_terms){
        .side = (enum ord_side)open->side,
        .amend = true,
        .reduce_only = open->reduce_only,
        .has_price = true,
        .price = command->has_price ? command->price : open->price,
        .price_high = DEC_MAX,
        .qty = dec_max(new_leaves - open->leaves_qty, 0),
    };
    find_reference(view, terms);
    if (command->has_price && open->ord_type == OMS_ORDER_TYPE_LIMIT && terms->has_ref) {
        find_collar(view, terms);
    }
    terms->computed = compute_amend(command, open, new_leaves, terms);
}
