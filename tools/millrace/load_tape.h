/*
 * load_tape.h -- recorded trades from a CSV file, plain or gzip.
 *
 * Columns are found by name in the first line: market, symbol, trade_id, price, qty, trade_time_ms,
 * is_buyer_maker. Others are ignored.
 * Order: by trade time over all symbols, and by trade id within a symbol, however the file is
 * sorted.
 */
#ifndef MILLRACE_LOAD_TAPE_H
#define MILLRACE_LOAD_TAPE_H

#include "millrace/slice.h"
#include "millrace/status.h"

#define LOAD_SYMBOLS_MAX ((size_t)32)
#define LOAD_SYMBOL_BYTES_MAX ((size_t)32)

struct load_trade {
    mr_i128 price;
    mr_i128 qty;
    int64_t trade_id; /* the exchange's */
    int64_t ts_us;
    uint32_t symbol;  /* index into the tape's symbols */
    bool buyer_maker; /* the seller took */
};

struct load_tape_symbol {
    char name[LOAD_SYMBOL_BYTES_MAX]; /* of the instrument: BTCUSDT, BTCUSDT-PERP */
    size_t trades;
    mr_i128 price_low, price_high;
    mr_i128 qty_total;
    mr_i128 notional_total; /* rounded up to whole units */
};

struct load_tape {
    struct load_trade *trades;
    size_t count;
    struct load_tape_symbol symbols[LOAD_SYMBOLS_MAX];
    size_t symbol_count;
};

/* Lists are comma-separated. */
struct load_tape_filter {
    const char *markets; /* NULL: spot. usdm becomes <symbol>-PERP; others keep their name */
    const char *symbols; /* names of instruments; NULL: all */
    int64_t limit;       /* keep the first trades in the tape's order; 0: all */
};

/*
 * Returns MR_OK | MR_CONFIG (no such file, a missing column, a line that cannot be read: named with
 *         its number, no trade left by the filter). tape is to be freed with load_tape_fini.
 */
MR_NODISCARD enum mr_status load_tape_read(const char *path, const struct load_tape_filter *filter,
                                           struct load_tape *tape, struct mr_err *err);
void load_tape_fini(struct load_tape *tape);
/* Is name one of a comma-separated list? */
bool load_list_has(const char *list, struct mr_slice name);

#endif
