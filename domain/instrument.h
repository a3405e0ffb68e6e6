/*
 * instrument.h -- a tradable symbol: increments, bounds, fees and trading state.
 *
 * Why: instruments are events like any other; a stage copies the record's facts into this plain
 *      struct and every check reads only it.
 * Not: texts are borrowed from the record; whoever keeps the struct longer keeps the bytes too.
 */
#ifndef DOMAIN_INSTRUMENT_H
#define DOMAIN_INSTRUMENT_H

#include "domain/codes.h"
#include "domain/order.h"

#define INSTR_STATES(X) X(TRADING) X(HALT) X(CANCEL_ONLY) X(POST_ONLY) X(LIMIT_ONLY) X(BREAK)

#define INSTR_ENUM(name) INSTR_##name,
/* clang-format off */
enum instr_state { INSTR_STATES(INSTR_ENUM) }; /* INSTR_TRADING ... ordinals of SymbolState */
/* clang-format on */

/* Bounds of 0 mean "no bound", as in the record; the has_ flags are the record's. */
struct instr {
    struct dom_text symbol;
    struct dom_text base_asset;
    struct dom_text quote_asset;
    enum instr_state state;
    dec_t tick_size;
    dec_t lot_size;
    dec_t min_price;
    dec_t max_price;
    dec_t min_qty;
    dec_t max_qty;
    bool has_market_lot_size;
    bool has_market_min_qty;
    bool has_market_max_qty;
    dec_t market_lot_size;
    dec_t market_min_qty;
    dec_t market_max_qty;
    dec_t min_notional;
    dec_t max_notional;
    dec_t maker_fee; /* fraction; negative is a rebate */
    dec_t taker_fee; /* fraction */
    bool has_bid_up;
    bool has_bid_down;
    bool has_ask_up;
    bool has_ask_down;
    dec_t bid_up; /* buy price <= reference x bid_up, for example 1.05 */
    dec_t bid_down;
    dec_t ask_up;
    dec_t ask_down;
    bool has_max_orders;
    int32_t max_orders;
    bool has_max_position;
    dec_t max_position;
    bool has_initial_margin;
    bool has_maintenance_margin;
    dec_t initial_margin; /* shares of an exposure that equity must cover */
    dec_t maintenance_margin;
};

/*
 * Is the record usable at all? tick, lot > 0; tick x lot a whole number of atoms (so that every
 * notional is exact); bounds not negative and in order; maker fee <= taker fee (the hold formula
 * rests on it), both within [-1, 1], taker fee >= 0; margins within [0, 1]. NULL, or a static text
 * that says what is wrong.
 */
const char *instr_defect(const struct instr *instr);

/* May a new order of this kind enter in the present state? CODE_OK or CODE_NOT_TRADING. Cancels
 * always may and are not asked about. */
enum dom_code instr_takes(const struct instr *instr, enum ord_type type, bool post_only);

/* May an order be amended in the present state? CODE_OK or CODE_NOT_TRADING. */
enum dom_code instr_amends(const struct instr *instr);

/*
 * The range of prices the collar allows for this side around a reference; *low is 0 and *high
 * DEC_MAX where the instrument sets no bound. low is rounded up and high down to the tick, so a
 * price on the tick is in the collar exactly when low <= price <= high. False on overflow or a
 * reference <= 0.
 */
bool instr_collar(const struct instr *instr, enum ord_side side, dec_t reference, dec_t *low,
                  dec_t *high);

/*
 * Worst price a MARKET order may reach: buy floor(ref x (1 + collar)), sell ceil(ref x (1 -
 * collar)), both to the tick, inside the instrument's own side factor (bid_up, ask_down) when it
 * sets one and inside its price bounds. collar is a fraction, for example 0.05. False when no
 * positive price results.
 */
bool instr_market_price(const struct instr *instr, enum ord_side side, dec_t reference,
                        dec_t collar, dec_t *price);

#endif
