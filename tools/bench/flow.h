/*
 * flow.h -- the orders of the benchmark: the n-th one is always the same.
 *
 * Why:  a comparison needs one flow. This is that of the peer's generator: a thousand users, eight
 *       symbols, buys and sells in turn, two orders in a row crossing each other at one of 40
 *       prices, quantities of 1 to 10 lots. Nearly every order is filled, in one or two trades.
 * How:  everything follows from the order's number; ids carry the run and the number, so that an
 *       answer is found by arithmetic.
 */
#ifndef MILLRACE_BENCH_FLOW_H
#define MILLRACE_BENCH_FLOW_H

#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"

#define FLOW_USERS 1000
#define FLOW_SYMBOLS 8
#define FLOW_NAME_BYTES_MAX 24
#define FLOW_ID_BYTES ((size_t)36) /* as long as a UUID */

/* What an order's slices point into. */
struct flow_text {
    char order_id[FLOW_ID_BYTES + 1];
    char user[FLOW_NAME_BYTES_MAX];
    char symbol[FLOW_NAME_BYTES_MAX];
};

/* Order `number` of `run`; borrows from text. ts_us: event time. */
void flow_order(uint32_t run, int64_t number, int64_t ts_us, struct flow_text *text,
                struct oms_order_command *command);
/* Buys one lot below every price of the flow, at once or not at all: never trades. */
void flow_probe(uint32_t run, int64_t number, int symbol, int64_t ts_us, struct flow_text *text,
                struct oms_order_command *command);
/* The order's number, or -1 when it is not of this run, -2 for a probe of this run. */
int64_t flow_number(uint32_t run, struct mr_slice order_id);

void flow_user_name(int user, char name[FLOW_NAME_BYTES_MAX]);
void flow_symbol_name(int symbol, char name[FLOW_NAME_BYTES_MAX]);
/* Base asset of a symbol. */
void flow_base_name(int symbol, char name[FLOW_NAME_BYTES_MAX]);
#define FLOW_QUOTE "USD"

/* Borrow from symbol and base. */
void flow_instrument(const char *symbol, const char *base, int64_t ts_us,
                     struct oms_instrument *instrument);
void flow_price(const char *symbol, int64_t ts_us, struct oms_price_tick *tick);

#endif
