/*
 * validate.h -- every check of an order command that needs no state but the instrument.
 *
 * Why: gateway and validate stage must say the same; the gateway shows all errors, the stage
 *      records them all and the first decides.
 * How: checks run in one fixed order: identifiers, action and type, field combinations, symbol and
 *      state, numbers, price, quantity, notional, time. A check whose input is already condemned
 *      (a missing price has no tick) is skipped.
 *      An AMEND is checked on the fields it has: its order is not known here. The notional of a
 *      MARKET order is its quoteQty, or its quantity at a reference where there is one; a STOP's is
 *      taken at its stop price.
 * Not: duplicates (fingerprint.h and the dedupe stage), funds and limits (risk), crossing and
 *      stops that would trigger at once (fill). displayQty is refused (NOT_ALLOWED): there are no
 *      icebergs. A CANCEL is judged by its identifiers, symbol and clock only.
 */
#ifndef DOMAIN_VALIDATE_H
#define DOMAIN_VALIDATE_H

#include "domain/codes.h"
#include "domain/instrument.h"
#include "domain/order.h"

struct validate_env {
    int64_t now_us;         /* event time of the command */
    int64_t recv_window_us; /* oldest client clock taken; 0 switches the freshness check off */
    bool has_reference;     /* a price for the notional of MARKET orders */
    dec_t reference;
};

/* A client clock may be this far ahead of ours. */
#define VALIDATE_AHEAD_MAX_US INT64_C(1000000)

/*
 * instr    NULL when the symbol is unknown (CODE_UNKNOWN_SYMBOL)
 * codes    emptied, then filled
 * Returns  the deciding code, CODE_OK when all checks passed
 */
enum dom_code validate_order(const struct ord_command *cmd, const struct instr *instr,
                             const struct validate_env *env, struct code_list *codes);

#endif
