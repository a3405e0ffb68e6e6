/* flow.c -- see flow.h. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_CHARS 8
#define NUMBER_AT 24
#define NUMBER_CHARS 12
#define ORDER_PART "-0000-7000-8000-"
#define PROBE_PART "-ffff-7000-8000-"

#define ATOM_DIGITS_CENT ((mr_i128)10000000000000000) /* 0.01 */
#define ATOM_DIGITS_LOT ((mr_i128)1000000000000000)   /* 0.001 */
#define ATOM_FEE ATOM_DIGITS_LOT                      /* 0.1 % */

#define TICK_CENTS 5
#define PRICE_CENTS 1000000
#define PRICES 40
#define USER_STEP 7919 /* a prime: spreads neighbours over the users */

static void write_id(uint32_t run, const char *part, int64_t number, char id[FLOW_ID_BYTES + 1])
{
    (void)snprintf(id, FLOW_ID_BYTES + 1, "%08x%s%012llx", (unsigned)run, part,
                   (unsigned long long)number & 0xffffffffffffULL);
}

void flow_user_name(int user, char name[FLOW_NAME_BYTES_MAX])
{
    (void)snprintf(name, FLOW_NAME_BYTES_MAX, "user-%05d", user);
}

void flow_symbol_name(int symbol, char name[FLOW_NAME_BYTES_MAX])
{
    (void)snprintf(name, FLOW_NAME_BYTES_MAX, "SYM%d-" FLOW_QUOTE, symbol);
}

void flow_base_name(int symbol, char name[FLOW_NAME_BYTES_MAX])
{
    (void)snprintf(name, FLOW_NAME_BYTES_MAX, "SYM%d", symbol);
}

static void fill_common(int64_t ts_us, const struct flow_text *text,
                        struct oms_order_command *command)
{
    *command = (struct oms_order_command){0};
    command->event_id = mr_slice_str(text->order_id);
    command->order_id = command->event_id;
    /* Distinct from the id and unique, as a client's own name is. */
    command->client_order_id = mr_slice_str(text->order_id + 4);
    command->has_client_order_id = true;
    command->idempotency_key = command->client_order_id;
    command->has_idempotency_key = true;
    command->ts_us = ts_us;
    command->action = OMS_ACTION_NEW;
    command->user_id = mr_slice_str(text->user);
    command->symbol = mr_slice_str(text->symbol);
    command->ord_type = OMS_ORDER_TYPE_LIMIT;
    command->stp_mode = OMS_STP_MODE_EXPIRE_TAKER;
    command->has_price = true;
    command->has_qty = true;
    command->source = mr_slice_str("bench");
}

void flow_order(uint32_t run, int64_t number, int64_t ts_us, struct flow_text *text,
                struct oms_order_command *command)
{
    const int64_t pair = number / 2;

    write_id(run, ORDER_PART, number, text->order_id);
    flow_user_name((int)(number * USER_STEP % FLOW_USERS), text->user);
    flow_symbol_name((int)(pair % FLOW_SYMBOLS), text->symbol);
    fill_common(ts_us, text, command);
    command->side = number % 2 == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL;
    command->tif = OMS_TIME_IN_FORCE_GTC;
    command->price = (PRICE_CENTS + pair % PRICES * TICK_CENTS) * ATOM_DIGITS_CENT;
    command->qty = (1 + pair % 10) * ATOM_DIGITS_LOT;
}

void flow_probe(uint32_t run, int64_t number, int symbol, int64_t ts_us, struct flow_text *text,
                struct oms_order_command *command)
{
    write_id(run, PROBE_PART, number, text->order_id);
    flow_user_name((int)(number % FLOW_USERS), text->user);
    flow_symbol_name(symbol, text->symbol);
    fill_common(ts_us, text, command);
    command->side = OMS_SIDE_BUY;
    command->tif = OMS_TIME_IN_FORCE_IOC;
    command->price = (PRICE_CENTS - 200 * TICK_CENTS) * ATOM_DIGITS_CENT;
    command->qty = ATOM_DIGITS_LOT;
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const uint8_t *text, size_t chars, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < chars; i++) {
        const int digit = hex_value(text[i]);

        if (digit < 0) {
            return false;
        }
        *value = *value << 4 | (uint64_t)digit;
    }
    return true;
}

int64_t flow_number(uint32_t run, struct mr_slice order_id)
{
    const uint8_t *id = (const uint8_t *)order_id.data;
    uint64_t value;

    if (order_id.len != FLOW_ID_BYTES || !read_hex(id, RUN_CHARS, &value) || value != run ||
        !read_hex(id + NUMBER_AT, NUMBER_CHARS, &value)) {
        return -1;
    }
    if (memcmp(id + RUN_CHARS, PROBE_PART, strlen(PROBE_PART)) == 0) {
        return -2;
    }
    return memcmp(id + RUN_CHARS, ORDER_PART, strlen(ORDER_PART)) == 0 ? (int64_t)value : -1;
}

void flow_instrument(const char *symbol, const char *base, int64_t ts_us,
                     struct oms_instrument *instrument)
{
    *instrument = (struct oms_instrument){0};
    instrument->symbol = mr_slice_str(symbol);
    instrument->base_asset = mr_slice_str(base);
    instrument->quote_asset = mr_slice_str(FLOW_QUOTE);
    instrument->ts_us = ts_us;
    instrument->state = OMS_SYMBOL_STATE_TRADING;
    instrument->tick_size = TICK_CENTS * ATOM_DIGITS_CENT;
    instrument->lot_size = ATOM_DIGITS_LOT;
    instrument->min_price = instrument->tick_size;
    instrument->min_qty = instrument->lot_size;
    instrument->maker_fee = ATOM_FEE;
    instrument->taker_fee = ATOM_FEE;
    instrument->version = 1;
}

void flow_price(const char *symbol, int64_t ts_us, struct oms_price_tick *tick)
{
    *tick = (struct oms_price_tick){0};
    tick->symbol = mr_slice_str(symbol);
    tick->ts_us = ts_us;
    tick->kind = OMS_PRICE_KIND_LAST;
    tick->price = PRICE_CENTS * ATOM_DIGITS_CENT;
    tick->source = mr_slice_str("bench");
}
