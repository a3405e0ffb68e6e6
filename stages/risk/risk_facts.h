/*
 * risk_facts.h -- from rows, tables and a command to the plain numbers that the checks compare.
 *
 * Why: the stage decides with these numbers and `millrace risk check` explains with them; one
 *      function gathers them for both.
 * How: a view names where everything is read. Terms are what the command asks for: price, quantity,
 *      notional and what must be reserved. Facts add what the user may do, has open and has.
 *      Of a limit, what is said of the user in the symbol goes before what is said of the user,
 *      that before what is said of all in the symbol, that before what is said of all, and the
 *      instrument's and the options come last. Of switches the strictest counts.
 * Not: changes nothing, and reads no store: whether a client's name is taken is filled in by
 * others.
 */
#ifndef MILLRACE_STAGES_RISK_FACTS_H
#define MILLRACE_STAGES_RISK_FACTS_H

#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "avro/risk_account.h"
#include "avro/risk_order.h"
#include "domain/instrument.h"
#include "domain/risk_check.h"
#include "risk_settings.h"

/* The newest record of a symbol; NULL: there is none. */
typedef const struct oms_instrument *risk_instrument_of(void *arg, struct mr_slice symbol);
typedef const struct oms_price_tick *risk_price_of(void *arg, struct mr_slice symbol);

struct risk_view {
    const struct risk_settings *settings;
    const struct oms_risk_account *user;
    const struct oms_risk_account *all; /* the row of RISK_ALL_USERS */
    risk_instrument_of *instrument_of;
    risk_price_of *price_of;
    void *arg;
    int64_t now_us;
    struct mr_slice symbol;
    const struct instr *instr;
};

/* What a command asks for. */
struct risk_terms {
    enum ord_side side;
    bool amend;
    bool reduce_only;
    bool by_amount;
    bool has_price; /* false: it cannot be known */
    bool computed;  /* notional, added and need fit */
    bool has_ref;
    dec_t ref;
    int64_t ref_us;
    dec_t price;     /* of the hold: limit, or collar of MARKET and STOP */
    dec_t price_low; /* collar of a limit: 0 and DEC_MAX where there is none */
    dec_t price_high;
    dec_t qty; /* added to what is open; of a buy by amount a guess */
    dec_t notional;
    dec_t added;   /* to the sum of a minute */
    dec_t need;    /* to be reserved */
    int64_t print; /* equal orders, equal prints */
};

void risk_terms_new(const struct risk_view *view, const struct oms_order_command *order,
                    struct risk_terms *terms);
/* new_leaves: what is open once it is through, before any fill on the way; may be below 0. */
void risk_terms_amend(const struct risk_view *view, const struct oms_order_command *command,
                      const struct oms_risk_order *open, dec_t new_leaves,
                      struct risk_terms *terms);

void risk_facts_of(const struct risk_view *view, const struct risk_terms *terms,
                   struct risk_facts *facts);

/* --- parts that the stage needs on their own ---------------------------------------------- */

/* NULL when the row has no such entry. */
const struct oms_risk_exposure *risk_row_exposure(const struct oms_risk_account *row,
                                                  struct mr_slice symbol);
const struct oms_risk_balance *risk_row_balance(const struct oms_risk_account *row,
                                                struct mr_slice asset);

struct bucket_rule risk_bucket_rule(const struct risk_settings *settings,
                                    const struct oms_risk_account *user,
                                    const struct oms_risk_account *all);
/* False: the symbol has no velocity of its own for this user. */
bool risk_symbol_rule(const struct risk_view *view, struct bucket_rule *rule);
struct risk_limit risk_loss_max(const struct oms_risk_account *user,
                                const struct oms_risk_account *all);
struct risk_limit risk_window_max(const struct oms_risk_account *user,
                                  const struct oms_risk_account *all);
/* Loss of the row's day in an asset, >= 0. */
dec_t risk_loss_of(const struct oms_risk_account *row, struct mr_slice asset);

/* The sum of a minute is kept in steps: what is older than 60 s may count for up to a step more. */
#define RISK_WINDOW_STEP_US INT64_C(5000000)
#define RISK_WINDOW_STEPS 13

/* The step that an order of now_us falls into: never before the newest one. */
int64_t risk_window_step(const struct oms_risk_account *row, int64_t now_us);

/* What a user has at marks, in one quote asset. */
struct risk_portfolio {
    bool known; /* all marks were there, and nothing overflowed */
    dec_t equity;
    dec_t other_margin; /* initial, of all symbols but the view's */
    dec_t maintenance;  /* of all symbols */
};

/* own_price: mark of the view's symbol when it has none; 0: it has none then. */
struct risk_portfolio risk_portfolio_of(const struct risk_view *view, dec_t own_price);

#endif
