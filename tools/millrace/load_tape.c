/*
 * load_tape.c -- reads recorded trades.
 *
 * How: zlib reads both plain and compressed files; one line at a time, split in place.
 */
#include "load_tape.h"

#include "load_decimal.h"
#include "millrace/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LINE_BYTES_MAX 1024
#define FIELDS_MAX 64
#define MS_US 1000

enum column { MARKET, SYMBOL, TRADE_ID, PRICE, QTY, TIME_MS, BUYER_MAKER, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = {
    "market", "symbol", "trade_id", "price", "qty", "trade_time_ms", "is_buyer_maker",
};

struct reading {
    const char *path;
    long line;
    size_t columns[COLUMN_COUNT];
    size_t capacity;
    const struct load_tape_filter *filter;
    struct load_tape *tape;
};

bool load_list_has(const char *list, struct mr_slice name)
{
    const char *at = list;

    while (*at != '\0') {
        const size_t len = strcspn(at, ",");

        if (mr_slice_equal(mr_slice_of(at, len), name)) {
            return true;
        }
        at += len;
        at += *at == ',';
    }
    return false;
}

static size_t split(char *line, struct mr_slice *fields)
{
    size_t count = 0;
    char *at = line;

    line[strcspn(line, "\r\n")] = '\0';
    while (count < FIELDS_MAX) {
        const size_t len = strcspn(at, ",");

        fields[count] = mr_slice_of(at, len);
        count++;
        if (at[len] == '\0') {
            break;
        }
        at += len + 1;
    }
    return count;
}

static enum mr_status find_columns(struct reading *reading, const struct mr_slice *fields,
                                   size_t count, struct mr_err *err)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t i = 0;

        while (i < count && !mr_slice_equal(fields[i], mr_slice_str(column_names[c]))) {
            i++;
        }
        if (i == count) {
            return mr_fail(err, MR_CONFIG, "%s: the first line names no column %s", reading->path,
                           column_names[c]);
        }
        reading->columns[c] = i;
    }
    return MR_OK;
}

static bool parse_int(struct mr_slice text, int64_t *value)
{
    int64_t result = 0;

    if (text.len == 0 || text.len > 18) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        result = result * 10 + (text.data[i] - '0');
    }
    *value = result;
    return true;
}

static bool parse_flag(struct mr_slice text, bool *value)
{
    *value = mr_slice_equal(text, mr_slice_str("true"));
    return *value || mr_slice_equal(text, mr_slice_str("false"));
}

/* The instrument a recorded market and symbol is played as; false when it does not fit. */
static bool instrument_name(struct mr_slice market, struct mr_slice symbol, char *name)
{
    const char *suffix = mr_slice_equal(market, mr_slice_str("usdm")) ? "-PERP" : "";

    if (symbol.len == 0 || symbol.len + strlen(suffix) >= LOAD_SYMBOL_BYTES_MAX) {
        return false;
    }
    memcpy(name, symbol.data, symbol.len);
    memcpy(name + symbol.len, suffix, strlen(suffix) + 1);
    return true;
}

static bool find_symbol(struct load_tape *tape, const char *name, uint32_t *index)
{
    size_t i = 0;

    while (i < tape->symbol_count && strcmp(tape->symbols[i].name, name) != 0) {
        i++;
    }
    if (i == LOAD_SYMBOLS_MAX) {
        return false;
    }
    if (i == tape->symbol_count) {
        tape->symbols[i] = (struct load_tape_symbol){0};
        memcpy(tape->symbols[i].name, name, strlen(name) + 1);
        tape->symbol_count++;
    }
    *index = (uint32_t)i;
    return true;
}

static enum mr_status bad_line(const struct reading *reading, const char *what, struct mr_err *err)
{
    return mr_fail(err, MR_CONFIG, "%s:%ld: %s", reading->path, reading->line, what);
}

static enum mr_status take_line(struct reading *reading, const struct mr_slice *fields,
                                size_t count, struct mr_err *err)
{
    struct load_tape *tape = reading->tape;
    const char *markets = reading->filter->markets == NULL ? "spot" : reading->filter->markets;
    struct load_trade trade = {0};
    char name[LOAD_SYMBOL_BYTES_MAX] = "";

    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        if (reading->columns[c] >= count) {
            return bad_line(reading, "too few columns", err);
        }
    }
    if (!load_list_has(markets, fields[reading->columns[MARKET]])) {
        return MR_OK;
    }
    if (!instrument_name(fields[reading->columns[MARKET]], fields[reading->columns[SYMBOL]],
                         name)) {
        return bad_line(reading, "symbol is empty or too long", err);
    }
    if (reading->filter->symbols != NULL &&
        !load_list_has(reading->filter->symbols, mr_slice_str(name))) {
        return MR_OK;
    }
    if (!parse_int(fields[reading->columns[TRADE_ID]], &trade.trade_id) ||
        !parse_int(fields[reading->columns[TIME_MS]], &trade.ts_us)) {
        return bad_line(reading, "trade_id and trade_time_ms must be whole numbers", err);
    }
    if (!load_decimal_parse(fields[reading->columns[PRICE]], &trade.price) || trade.price <= 0 ||
        !load_decimal_parse(fields[reading->columns[QTY]], &trade.qty) || trade.qty <= 0) {
        return bad_line(reading, "price and qty must be decimals above 0", err);
    }
    if (!parse_flag(fields[reading->columns[BUYER_MAKER]], &trade.buyer_maker)) {
        return bad_line(reading, "is_buyer_maker must be true or false", err);
    }
    if (!find_symbol(tape, name, &trade.symbol)) {
        return bad_line(reading, "too many symbols; choose with --symbols", err);
    }
    trade.ts_us *= MS_US;
    if (tape->count == reading->capacity) {
        reading->capacity = reading->capacity == 0 ? 4096 : 2 * reading->capacity;
        tape->trades = mr_xrealloc(tape->trades, reading->capacity * sizeof *tape->trades);
    }
    tape->trades[tape->count] = trade;
    tape->count++;
    return MR_OK;
}

/* Within a symbol ids decide; a clock that steps back there must not reorder the symbols' merge. */
static void lift_times(struct load_tape *tape, int64_t *sort_us)
{
    int64_t latest[LOAD_SYMBOLS_MAX] = {0};

    for (size_t i = 0; i < tape->count; i++) {
        const uint32_t symbol = tape->trades[i].symbol;

        if (tape->trades[i].ts_us > latest[symbol]) {
            latest[symbol] = tape->trades[i].ts_us;
        }
        sort_us[i] = latest[symbol];
    }
}

struct merging {
    size_t at, end; /* of one symbol's run in the array sorted by symbol and id */
};

static int by_symbol(const void *left, const void *right)
{
    const struct load_trade *a = left;
    const struct load_trade *b = right;

    if (a->symbol != b->symbol) {
        return a->symbol < b->symbol ? -1 : 1;
    }
    return a->trade_id < b->trade_id ? -1 : a->trade_id > b->trade_id;
}

/* Per symbol by id first, then the symbols' runs merged by time: a total order for any clock. */
static void merge(struct load_tape *tape)
{
    struct merging runs[LOAD_SYMBOLS_MAX] = {{0}};
    struct load_trade *merged = mr_xcalloc(tape->count, sizeof *merged);
    int64_t *sort_us = mr_xcalloc(tape->count, sizeof *sort_us);

    qsort(tape->trades, tape->count, sizeof *tape->trades, by_symbol);
    lift_times(tape, sort_us);
    for (size_t i = 0; i < tape->count; i++) {
        struct merging *run = &runs[tape->trades[i].symbol];

        if (run->end == 0) {
            run->at = i;
        }
        run->end = i + 1;
    }
    for (size_t i = 0; i < tape->count; i++) {
        size_t best = SIZE_MAX;

        for (size_t s = 0; s < tape->symbol_count; s++) {
            if (runs[s].at < runs[s].end &&
                (best == SIZE_MAX || sort_us[runs[s].at] < sort_us[runs[best].at])) {
                best = s;
            }
        }
        merged[i] = tape->trades[runs[best].at];
        runs[best].at++;
    }
    free(sort_us);
    free(tape->trades);
    tape->trades = merged;
}

static void summarise(struct load_tape *tape)
{
    for (size_t i = 0; i < tape->count; i++) {
        const struct load_trade *trade = &tape->trades[i];
        struct load_tape_symbol *symbol = &tape->symbols[trade->symbol];
        const mr_i128 whole = trade->price / LOAD_DECIMAL_ONE + 1;

        if (symbol->trades == 0 || trade->price < symbol->price_low) {
            symbol->price_low = trade->price;
        }
        if (trade->price > symbol->price_high) {
            symbol->price_high = trade->price;
        }
        symbol->trades++;
        symbol->qty_total += trade->qty;
        symbol->notional_total += whole * trade->qty;
    }
}

static enum mr_status read_lines(struct reading *reading, gzFile file, struct mr_err *err)
{
    char line[LINE_BYTES_MAX];
    struct mr_slice fields[FIELDS_MAX];

    while (gzgets(file, line, sizeof line) != NULL) {
        const size_t len = strlen(line);
        size_t count;

        reading->line++;
        if (len + 1 == sizeof line && line[len - 1] != '\n') {
            return bad_line(reading, "line is too long", err);
        }
        count = split(line, fields);
        if (reading->line == 1) {
            MR_TRY(find_columns(reading, fields, count, err));
        } else if (count > 1) {
            MR_TRY(take_line(reading, fields, count, err));
        }
    }
    if (gzeof(file) == 0 || reading->line == 0) {
        return bad_line(reading, "the file is empty, cut off or not gzip", err);
    }
    return MR_OK;
}

/* A limit may leave symbols without trades. */
static void drop_empty_symbols(struct load_tape *tape)
{
    uint32_t moved[LOAD_SYMBOLS_MAX] = {0};
    size_t kept = 0;

    for (size_t s = 0; s < tape->symbol_count; s++) {
        if (tape->symbols[s].trades > 0) {
            moved[s] = (uint32_t)kept;
            tape->symbols[kept] = tape->symbols[s];
            kept++;
        }
    }
    tape->symbol_count = kept;
    for (size_t i = 0; i < tape->count; i++) {
        tape->trades[i].symbol = moved[tape->trades[i].symbol];
    }
}

enum mr_status load_tape_read(const char *path, const struct load_tape_filter *filter,
                              struct load_tape *tape, struct mr_err *err)
{
    struct reading reading = {.path = path, .filter = filter, .tape = tape};
    gzFile file = gzopen(path, "rb");
    enum mr_status status;

    *tape = (struct load_tape){0};
    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", path, strerror(errno));
    }
    status = read_lines(&reading, file, err);
    if (gzclose(file) != Z_OK && status == MR_OK) {
        status = mr_fail(err, MR_CONFIG, "%s: the file is cut off or damaged", path);
    }
    if (status == MR_OK && tape->count == 0) {
        status = mr_fail(err, MR_CONFIG, "%s: no trade of the markets and symbols asked for", path);
    }
    if (status != MR_OK) {
        load_tape_fini(tape);
        return status;
    }
    merge(tape);
    if (filter->limit > 0 && (size_t)filter->limit < tape->count) {
        tape->count = (size_t)filter->limit;
    }
    summarise(tape);
    drop_empty_symbols(tape);
    return MR_OK;
}

void load_tape_fini(struct load_tape *tape)
{
    free(tape->trades);
    *tape = (struct load_tape){0};
}
