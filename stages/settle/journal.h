/*
 * journal.h -- one ledger entry in the making: the user's row it changes, and its way out.
 *
 * Why: domain/ledger.h builds postings and moves balances in one step; here they meet the stores
 *      and the records, so that every journal takes the same way.
 * How: begin reads the row, party finds the balance of each asset, a ledger builder works on
 *      `ledger`. store numbers the journal and writes the row, emit writes balances and entry.
 * Not: a check that the user can afford it: risk did that before, the ledger writes what happened.
 *      A balance that goes below zero is counted.
 */
#ifndef MILLRACE_STAGES_SETTLE_JOURNAL_H
#define MILLRACE_STAGES_SETTLE_JOURNAL_H

#include "avro/ledger_entry.h"
#include "domain/ledger.h"
#include "settle_account.h"
#include "totals.h"

#define JOURNAL_ASSETS_MAX 2

struct journal_balance {
    struct oms_settle_balance value; /* of the row; the journal's after journal_store */
    struct ledger_balance amounts;
};

/* What journals work with; the same for all of a task. */
struct journal_stores {
    struct mr_store *accounts; /* userId -> SettleAccount */
    struct totals *totals;
    struct mr_counter *journals;
    struct mr_counter *overdrawn;
    size_t ledger_port;
    size_t balances_port;
};

struct journal {
    struct mr_ctx *ctx;
    const struct journal_stores *stores;
    struct settle_account account; /* the user's row; a position is changed in it by the caller */
    bool account_changed;          /* set by the caller: the row is written without postings too */
    struct oms_ledger_entry entry; /* the caller sets ids */
    struct ledger_journal ledger;
    struct journal_balance balances[JOURNAL_ASSETS_MAX];
    size_t balance_count;
};

/*
 * Reads the user's row; sets user and time of the entry, whose other fields are zero and the
 * caller's.
 * Returns MR_OK | MR_MALFORMED (empty or too long userId) | store errors
 */
MR_NODISCARD enum mr_status journal_begin(struct journal *journal, struct mr_ctx *ctx,
                                          const struct journal_stores *stores,
                                          struct mr_slice user_id, int64_t ts_us,
                                          struct mr_err *err);

/*
 * The user's account in an asset, for the builders of domain/ledger.h. At most one call per asset.
 * Returns MR_OK | MR_MALFORMED (empty or too long asset)
 */
MR_NODISCARD enum mr_status journal_party(struct journal *journal, struct mr_slice asset,
                                          struct ledger_party *party, struct mr_err *err);

/*
 * Writes the row and the totals. A journal without postings writes the row only when
 * account_changed, and emits nothing. One that does not balance is a bug: assertion.
 */
MR_NODISCARD enum mr_status journal_store(struct journal *journal, struct mr_err *err);
/* Emits balances and entry; after journal_store. */
MR_NODISCARD enum mr_status journal_emit(struct journal *journal, struct mr_err *err);

/* "a:b" in the task's scratch memory. */
struct mr_slice journal_pair(struct mr_ctx *ctx, struct mr_slice a, struct mr_slice b);

#endif
