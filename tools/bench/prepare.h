/*
 * prepare.h -- what must be in place before the first order: instruments, prices, limits, deposits.
 */
#ifndef MILLRACE_BENCH_PREPARE_H
#define MILLRACE_BENCH_PREPARE_H

#include "tools/millrace/load_out.h"

struct prepare {
    const struct load_env *env;
    struct load_out *out;
    uint32_t run;
    int64_t wait_us; /* without progress, before giving up */
};

/*
 * Publishes instruments and prices, gives every user limits and money, waits until `balances` show
 * the money, then sends one order a symbol until it is no longer rejected: tables and topics are
 * read beside each other, so that nothing but an answer says that all has arrived.
 */
MR_NODISCARD enum mr_status prepare_market(const struct prepare *prepare, struct mr_err *err);

#endif
