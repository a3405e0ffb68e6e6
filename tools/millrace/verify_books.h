/*
 * verify_books.h -- `millrace verify --ledger`: the books of a whole topology, without a run.
 *
 * Why: `verify` proves a run of `millrace load`. An operator has none, and wants to know of
 * everything that was ever posted whether it adds up. How: balances, then the ledger from its
 * beginning, then balances once more, then executions: each is read to its end, committed records
 * only. A balance has the number of entries that moved it as its version, so it is compared with
 * the sum of just those, whatever was posted in between. Not: a ledger whose first entries
 * retention took: sums need a beginning, and the gap is a difference.
 */
#ifndef MILLRACE_VERIFY_BOOKS_H
#define MILLRACE_VERIFY_BOOKS_H

#include "millrace/buffer.h"
#include "verify.h"

struct verify_books;

struct verify_books_options {
    int64_t wait_us; /* a read without any record, before giving up */
    /* The pipeline is at work: what is on its way (a trade with one leg, a fill without its entry)
     * is counted, and no difference. */
    bool live;
};

/* Reads and checks; the checks are in the report, MR_OK also when they differ. */
MR_NODISCARD enum mr_status verify_books_run(const struct load_env *env,
                                             const struct verify_books_options *options,
                                             struct verify_report *report,
                                             struct verify_books **books, struct mr_err *err);
void verify_books_destroy(struct verify_books **books);

/* A line for each asset, then what differs. */
void verify_books_table(const struct verify_books *books, struct mr_buffer *out);
void verify_books_json(const struct verify_books *books, struct mr_buffer *out);

#endif
