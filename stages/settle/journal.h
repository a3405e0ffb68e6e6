/*
 * journal.h -- one ledger entry in the making: the user's balances it moves, and its way out.
 *
 * Why: domain/ledger.h builds postings and moves balances in one step; here they meet the stores
 *      and the records, so that every journal takes the same way.
 * How: begin, party (reads a balance) for each asset, a ledger builder on `ledger`, post. Post
 *      numbers the journal, writes the balances and emits entry and balances.
 * Not: a check that the user can afford it: risk did that before, the ledger writes what happened.
 *      A balance that goes below zero is counted.
 */
#ifndef MILLRACE_STAGES_SETTLE_JOURNAL_H
#define MILLRACE_STAGES_SETTLE_JOURNAL_H

#include "avro/ledger_entry.h"
#include "avro/settle_balance.h"
#include "domain/ledger.h"
#include "millrace/stage.h"

#define JOURNAL_ASSETS_MAX 2

struct journal_balance {
    struct mr_key key;
    struct oms_settle_balance value;
    struct ledger_balance amounts;
    struct mr_slice asset;
};

/* What journals work with; the same for all of a task. */
struct journal_stores {
    struct mr_store *balances; /* (userId, asset) -> SettleBalance */
    struct mr_store *users;    /* userId -> SettleUser */
    struct mr_counter *journals;
    struct mr_counter *overdrawn;
    size_t ledger_port;
    size_t balances_port;
};

struct journal {
    struct mr_ctx *ctx;
    const struct journal_stores *stores;
    struct oms_ledger_entry entry; /* the caller sets ids */
    struct ledger_journal ledger;
    struct journal_balance balances[JOURNAL_ASSETS_MAX];
    size_t balance_count;
};

/* Sets user and time of the entry; its other fields are zero and the caller's. */
void journal_begin(struct journal *journal, struct mr_ctx *ctx, const struct journal_stores *stores,
                   struct mr_slice user_id, int64_t ts_us);

/*
 * The user's account in an asset, for the builders of domain/ledger.h. At most one call per asset.
 * Returns MR_OK | MR_MALFORMED (empty or too long names) | store errors
 */
MR_NODISCARD enum mr_status journal_party(struct journal *journal, struct mr_slice asset,
                                          struct ledger_party *party, struct mr_err *err);

/* A journal without postings writes nothing. One that does not balance is a bug: assertion. */
MR_NODISCARD enum mr_status journal_post(struct journal *journal, struct mr_err *err);

/* "a:b" in the task's scratch memory. */
struct mr_slice journal_pair(struct mr_ctx *ctx, struct mr_slice a, struct mr_slice b);

#endif
