/*
 * settle_state.h -- what the files of settle share.
 *
 *   settle.c            ports, stores, options
 *   settle_order.c      the journal of each report of an order; SETTLED
 *   settle_position.c   the position that a fill moves
 *   settle_transfer.c   money in and out
 *   settle_account.c    the row of a user
 *   journal.c           one ledger entry in the making
 *   totals.c            sums over all entries of the task, and their gauges
 */
#ifndef MILLRACE_STAGES_SETTLE_STATE_H
#define MILLRACE_STAGES_SETTLE_STATE_H

#include "avro/account_command.h"
#include "avro/execution_report.h"
#include "avro/position.h"
#include "domain/position.h"
#include "journal.h"

#define SETTLE_MAGIC UINT32_C(0x7365746c)

enum settle_out {
    SETTLE_OUT_SETTLED,
    SETTLE_OUT_LEDGER,
    SETTLE_OUT_POSITIONS,
    SETTLE_OUT_BALANCES,
};

enum settle_cost_basis { SETTLE_AVERAGE, SETTLE_FIFO };

struct settle {
    uint32_t magic;
    struct mr_store *orders;
    struct mr_store *transfers;
    struct journal_stores journal;
    struct totals totals;
    struct mr_counter *skipped;
    struct mr_counter *orphans;
    int cost_basis; /* option, enum settle_cost_basis */
    int64_t lots_max;
};

/* A report of an order; see settle_order.c. */
MR_NODISCARD enum mr_status settle_execution(struct settle *s, struct mr_ctx *ctx,
                                             const struct oms_execution_report *report,
                                             struct mr_err *err);

/* A command on accounts that risk let through; see settle_transfer.c. */
MR_NODISCARD enum mr_status settle_transfer(struct settle *s, struct mr_ctx *ctx,
                                            const struct oms_account_command *command,
                                            struct mr_err *err);

/*
 * Moves the position (and its lots) in the row by a fill; *out says what it became.
 * Returns MR_OK | MR_MALFORMED (symbol too long) | MR_OUT_OF_RANGE
 */
MR_NODISCARD enum mr_status settle_position(const struct settle *s, struct settle_account *account,
                                            const struct oms_execution_report *report,
                                            dec_t notional, struct oms_position *out,
                                            struct mr_err *err);

/* Notes in the row that an order of this symbol has ended. MR_OK | MR_MALFORMED. */
MR_NODISCARD enum mr_status settle_position_ended(struct settle_account *account,
                                                  const struct oms_execution_report *report,
                                                  struct mr_err *err);

/* Did an order of this symbol end with this report or a later one? */
bool settle_position_is_past(const struct settle_account *account,
                             const struct oms_execution_report *report);

/* prefix + id in the task's scratch memory. */
struct mr_slice settle_id(struct mr_ctx *ctx, const char *prefix, struct mr_slice id);

#endif
