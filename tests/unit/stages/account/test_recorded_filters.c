/*
 * Goal:   the instruments of a real exchange are instruments here, and what traded there passes
 *         their filters: the rules are not only ours.
 * Method: the 1,695 symbols of a recorded exchangeInfo, converted as a feed would; each of the
 *         34,419 recorded spot trades as a LIMIT order through domain/validate. A trade may be a
 *         part of an order, so the smallest notional is left out. The data lies outside the
 *         repository (MILLRACE_DATA, else ../shared/data); without it the test says so and skips.
 */
#include "avro/instrument.h"
#include "domain/validate.h"
#include "millrace/slice.h"
#include "order_map.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define SKIPPED 77
#define SYMBOLS 1695
#define TRADES 34419
#define INFO "exchange-reference/BINANCE_api_binance_com_api_v3_exchangeInfo.json"
#define TAPE "binance-2024-08-08/trades_all.csv.gz"

static int failures;

static void fail(const char *what, const char *where)
{
    if (failures++ < 20) {
        (void)fprintf(stderr, "%s: %s\n", where, what);
    }
}

static const char *path_of(const char *file, char *path, size_t bytes)
{
    const char *root = getenv("MILLRACE_DATA");

    (void)snprintf(path, bytes, "%s/%s", root != NULL ? root : MILLRACE_DATA_DEFAULT, file);
    return path;
}

static dec_t amount_of(const json_t *filter, const char *name, const char *symbol)
{
    const char *text = json_string_value(json_object_get(filter, name));
    dec_t value = 0;

    if (text == NULL || dec_parse(dom_text_str(text), &value) != DEC_PARSED) {
        fail(name, symbol);
    }
    return value;
}

static void read_filter(const json_t *filter, const char *symbol, struct oms_instrument *i)
{
    const char *type = json_string_value(json_object_get(filter, "filterType"));

    if (type == NULL) {
        fail("filter without type", symbol);
    } else if (strcmp(type, "PRICE_FILTER") == 0) {
        i->min_price = amount_of(filter, "minPrice", symbol);
        i->max_price = amount_of(filter, "maxPrice", symbol);
        i->tick_size = amount_of(filter, "tickSize", symbol);
    } else if (strcmp(type, "LOT_SIZE") == 0) {
        i->min_qty = amount_of(filter, "minQty", symbol);
        i->max_qty = amount_of(filter, "maxQty", symbol);
        i->lot_size = amount_of(filter, "stepSize", symbol);
    } else if (strcmp(type, "MARKET_LOT_SIZE") == 0) {
        i->market_min_qty = amount_of(filter, "minQty", symbol);
        i->has_market_min_qty = i->market_min_qty > 0;
        i->market_max_qty = amount_of(filter, "maxQty", symbol);
        i->has_market_max_qty = i->market_max_qty > 0;
        i->market_lot_size = amount_of(filter, "stepSize", symbol);
        i->has_market_lot_size = i->market_lot_size > 0;
    } else if (strcmp(type, "MIN_NOTIONAL") == 0) {
        i->min_notional = amount_of(filter, "minNotional", symbol);
    } else if (strcmp(type, "MAX_NUM_ORDERS") == 0) {
        i->max_orders = (int32_t)json_integer_value(json_object_get(filter, "maxNumOrders"));
        i->has_max_orders = true;
    } else if (strcmp(type, "MAX_POSITION") == 0) {
        i->max_position = amount_of(filter, "maxPosition", symbol);
        i->has_max_position = true;
    }
}

static enum oms_symbol_state state_of(const char *status)
{
    if (strcmp(status, "TRADING") == 0) {
        return OMS_SYMBOL_STATE_TRADING;
    }
    return strcmp(status, "BREAK") == 0 ? OMS_SYMBOL_STATE_BREAK : OMS_SYMBOL_STATE_HALT;
}

static struct oms_instrument instrument_of(const json_t *entry)
{
    const char *symbol = json_string_value(json_object_get(entry, "symbol"));
    const json_t *filters = json_object_get(entry, "filters");
    struct oms_instrument i = {
        .symbol = mr_slice_str(symbol),
        .base_asset = mr_slice_str(json_string_value(json_object_get(entry, "baseAsset"))),
        .quote_asset = mr_slice_str(json_string_value(json_object_get(entry, "quoteAsset"))),
        .state = state_of(json_string_value(json_object_get(entry, "status"))),
    };

    for (size_t at = 0; at < json_array_size(filters); at++) {
        read_filter(json_array_get(filters, at), symbol, &i);
    }
    return i;
}

static struct instrument_facts *read_instruments(const json_t *info, size_t *count)
{
    const json_t *symbols = json_object_get(info, "symbols");
    struct instrument_cache *cache = calloc(1, sizeof(*cache));
    struct instrument_facts *all = calloc(json_array_size(symbols) + 1, sizeof(*all));

    if (cache == NULL || all == NULL) {
        abort();
    }
    *count = json_array_size(symbols);
    for (size_t i = 0; i < *count; i++) {
        const struct oms_instrument record = instrument_of(json_array_get(symbols, i));

        all[i] = *instrument_cache_get(cache, &record, (int64_t)i);
        /* Texts of the copy lie in the copy. */
        all[i].instr.symbol.data = all[i].symbol;
        all[i].instr.base_asset.data = all[i].base;
        all[i].instr.quote_asset.data = all[i].quote;
        if (all[i].defect != NULL) {
            fail(all[i].defect,
                 json_string_value(json_object_get(json_array_get(symbols, i), "symbol")));
        }
    }
    free(cache);
    return all;
}

static const struct instr *find(const struct instrument_facts *all, size_t count,
                                const char *symbol)
{
    for (size_t i = 0; i < count; i++) {
        if (dom_text_equal(all[i].instr.symbol, dom_text_str(symbol))) {
            return &all[i].instr;
        }
    }
    return NULL;
}

/* market,symbol,trade_id,price,qty,... */
static void check_trade(const struct instrument_facts *all, size_t count, char *line, int *trades)
{
    char *rest = line;
    char *fields[5] = {NULL};
    struct ord_command order = {.order_id = dom_text_str("o1"),
                                .user_id = dom_text_str("u1"),
                                .has_price = true,
                                .has_qty = true};
    const struct validate_env env = {0};
    struct instr instr;
    struct code_list codes;
    const struct instr *found = NULL;

    for (size_t i = 0; i < 5 && rest != NULL; i++) {
        fields[i] = rest;
        rest = strchr(rest, ',');
        if (rest != NULL) {
            *rest++ = '\0';
        }
    }
    if (fields[4] == NULL || strcmp(fields[0], "spot") != 0) {
        return;
    }
    *trades += 1;
    found = find(all, count, fields[1]);
    order.symbol = dom_text_str(fields[1]);
    if (found == NULL || dec_parse(dom_text_str(fields[3]), &order.price) != DEC_PARSED ||
        dec_parse(dom_text_str(fields[4]), &order.qty) != DEC_PARSED) {
        fail("unknown symbol or bad number", fields[2]);
        return;
    }
    instr = *found;
    instr.min_notional = 0;
    instr.state = INSTR_TRADING;
    if (validate_order(&order, &instr, &env, &codes) != CODE_OK) {
        char text[CODE_LIST_TEXT_MAX];

        (void)code_list_text(&codes, text, sizeof(text));
        fail(text, fields[2]);
    }
}

static int read_trades(gzFile tape, const struct instrument_facts *all, size_t count)
{
    char line[512];
    int trades = 0;

    while (gzgets(tape, line, (int)sizeof(line)) != NULL) {
        check_trade(all, count, line, &trades);
    }
    return trades;
}

int main(void)
{
    char path[512];
    json_t *info = json_load_file(path_of(INFO, path, sizeof(path)), 0, NULL);
    gzFile tape = gzopen(path_of(TAPE, path, sizeof(path)), "rb");
    struct instrument_facts *all = NULL;
    size_t count = 0;
    int trades = 0;

    if (info == NULL || tape == NULL) {
        (void)printf("SKIPPED: no recorded data of an exchange; set MILLRACE_DATA\n");
        json_decref(info);
        if (tape != NULL) {
            (void)gzclose(tape);
        }
        return SKIPPED;
    }
    all = read_instruments(info, &count);
    trades = read_trades(tape, all, count);
    (void)printf("%zu instruments, %d spot trades, %d failures\n", count, trades, failures);
    free(all);
    json_decref(info);
    (void)gzclose(tape);
    return failures == 0 && count == SYMBOLS && trades == TRADES ? EXIT_SUCCESS : EXIT_FAILURE;
}
