/*
 * settle_account.h -- the row of a user in store "accounts": number of the last journal, balances,
 * positions and their lots.
 *
 * Why: one transaction moves two balances and a position of a user; one row is one record of the
 *      changelog for all of them.
 * How: get, change in memory, put once, before anything is emitted: an emitted report may come back
 *      to this stage in the same call. Entries: row_entries.h.
 * Not: house accounts (clearing, fees, external): they stand in the ledger only.
 *      Entries are never dropped: one of zero still has its version, a flat position its realised
 *      totals too. A user who meets very many assets costs more per record, and a row is at most a
 *      record of the changelog (1 MB): some thousands of assets and symbols, at lots some hundred
 *      symbols of 32 lots.
 */
#ifndef MILLRACE_STAGES_SETTLE_ACCOUNT_H
#define MILLRACE_STAGES_SETTLE_ACCOUNT_H

#include "avro/settle_account.h"
#include "domain/position.h"
#include "millrace/stage.h"

struct settle_account {
    struct mr_store *store;
    struct mr_arena *arena;
    struct mr_slice user_id; /* borrowed from the record */
    struct oms_settle_account value;
};

/*
 * The user's row; one that was never seen is zero.
 * Returns MR_OK | MR_MALFORMED (see settle_name_fits) | store errors
 */
MR_NODISCARD enum mr_status settle_account_get(struct settle_account *account, struct mr_ctx *ctx,
                                               struct mr_store *store, struct mr_slice user_id,
                                               struct mr_err *err);
MR_NODISCARD enum mr_status settle_account_put(const struct settle_account *account,
                                               struct mr_err *err);

/* The entry of that name, or NULL. Borrowed until the callback returns; a set does not change it.
 */
const struct oms_settle_balance *settle_account_balance(const struct settle_account *account,
                                                        struct mr_slice asset);
const struct oms_settle_position *settle_account_position(const struct settle_account *account,
                                                          struct mr_slice symbol);

/* The lots of a symbol, oldest first; how many. */
size_t settle_account_lots(const struct settle_account *account, struct mr_slice symbol,
                           const struct oms_settle_lot **lots);
/* In place of those it has. The symbol is borrowed until put. */
void settle_account_set_lots(struct settle_account *account, struct mr_slice symbol,
                             const struct pos_lot *lots, size_t count);

/* Adds the entry, or replaces the one of its name. The name is borrowed until put. */
void settle_account_set_balance(struct settle_account *account,
                                const struct oms_settle_balance *balance);
void settle_account_set_position(struct settle_account *account,
                                 const struct oms_settle_position *position);

/*
 * Do user and name together fit into a composite key? What is longer is a mistake of somebody else
 * and must not fill the row.
 */
bool settle_name_fits(struct mr_slice user_id, struct mr_slice name);

#endif
