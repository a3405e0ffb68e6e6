/* top_rows.h -- what `millrace top` shows, as rows: from what processes say, once or twice. */
#ifndef MILLRACE_TOOLS_TOP_ROWS_H
#define MILLRACE_TOOLS_TOP_ROWS_H

#include "see_status.h"

#define TOP_UNKNOWN INT64_C(-1)

/* A worker or connector, or one task of it. Unknown figures are TOP_UNKNOWN. */
struct top_row {
    char unit[96]; /* account.0, executions-redis */
    char group[64];
    char instance[64];
    char address[SEE_ADDRESS_BYTES];
    bool is_worker;    /* false: a connector */
    int64_t partition; /* of a task; -1: the unit */
    char state[16];
    char waits_for[160];
    int64_t lag;
    int64_t in_milli, out_milli, commits_milli; /* a second, in thousandths */
    int64_t p50_us, p99_us;
    int64_t aborts, dead_letters;
    int64_t restore_left, restore_seconds;
    bool ready;
};

struct top_totals {
    int64_t asked, answered; /* processes */
    int64_t tasks, tasks_ready;
    int64_t lag;
    int64_t in_milli, out_milli, commits_milli;
    int64_t p99_us; /* the worst */
    int64_t aborts, dead_letters, restore_left;
};

enum top_sort { TOP_BY_NAME, TOP_BY_LAG, TOP_BY_IN, TOP_BY_P99, TOP_BY_RESTORE };

struct top_table {
    struct top_row *rows; /* a unit, then its tasks, then the next unit */
    size_t count, capacity;
    struct top_totals totals;
};

/* before NULL: no rates. */
void top_rows_make(const struct see_status *before, const struct see_status *now,
                   enum top_sort sort, struct top_table *table);
void top_rows_fini(struct top_table *table);

#endif
