/*
 * totals.h -- what all entries of a task add up to, by asset and class of account.
 *
 * Why: over all partitions the five classes of an asset are 0 together, and clearing is 0 alone
 * when no trade is half posted. Kept beside the entries, that is seen while it runs, and not only
 *      when somebody reads the whole ledger.
 * How: one small row per asset in store "totals", written with each entry, so restarts keep it.
 * Gauges show the rows at the end of each transaction and after each reload: ledger_micro    the
 * sum in millionths of a unit, cut, for eyes ledger_residue  the sum in atoms modulo 2^31 - 1, for
 * alerts: residues add up as the sums do, and a monitoring system's floating point holds them
 * exactly Not: a proof. `millrace verify --ledger` reads the entries themselves.
 */
#ifndef MILLRACE_STAGES_SETTLE_TOTALS_H
#define MILLRACE_STAGES_SETTLE_TOTALS_H

#include "domain/ledger.h"
#include "millrace/stage.h"

#define TOTALS_CLASSES 5
#define TOTALS_RESIDUE_MODULUS INT64_C(2147483647)
/* Assets that have gauges; the rows of more are kept, but not shown. */
#define TOTALS_ASSETS_MAX ((size_t)512)

struct totals_asset;

struct totals {
    struct mr_ctx *ctx;
    struct mr_store *store; /* asset -> SettleTotal */
    struct totals_asset **assets;
    size_t count;
};

void totals_init(struct totals *totals, struct mr_ctx *ctx, struct mr_store *store);
void totals_fini(struct totals *totals);
/* Gauges equal to the store. Store errors. */
MR_NODISCARD enum mr_status totals_reload(struct totals *totals, struct mr_err *err);
/* Adds a journal to the rows. MR_OK | MR_OUT_OF_RANGE | store errors */
MR_NODISCARD enum mr_status totals_add(struct totals *totals, const struct ledger_journal *journal,
                                       struct mr_err *err);
/* Shows what changed since the last time. Store errors. */
MR_NODISCARD enum mr_status totals_show(struct totals *totals, struct mr_err *err);

#endif
