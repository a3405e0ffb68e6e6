/* verify_books_priv.h -- what verify_books.c finds and verify_books_report.c shows. */
#ifndef MILLRACE_VERIFY_BOOKS_PRIV_H
#define MILLRACE_VERIFY_BOOKS_PRIV_H

#include "verify_books.h"

struct books_asset {
    mr_i128 users; /* available and hold of all */
    mr_i128 clearing, fees, external;
    mr_i128 executed_fees; /* of the fills that are in the ledger */
};

struct told_balance { /* version 0: none */
    mr_i128 available, hold;
    int64_t version;
};

struct told { /* user:asset */
    mr_i128 available, hold;
    int64_t version;            /* entries that moved it */
    struct told_balance before; /* what the topic said before the ledger was read */
    struct told_balance after;
};

struct posted { /* the entry of a fill, by execId */
    mr_i128 fee;
    bool found;
};

struct leg { /* of a trade */
    int64_t count;
};

struct verify_books {
    const struct load_env *env;
    struct verify_books_options options;
    struct verify_report *report;
    struct verify verify; /* without a manifest: every user counts */
    struct verify_ledger *ledger;
    struct verify_map *told, *assets, *journals, *reversed, *posted, *legs;
    struct verify_check *strange, *reversals, *equal, *sums, *clearing, *fills, *fees;
    int64_t entries, trades;
    int64_t waiting; /* fills without an entry */
    int64_t half;    /* trades with one leg in the ledger */
    bool executions_trimmed;
};

#endif
