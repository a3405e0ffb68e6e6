/*
 * load_plan.c -- derives commands from recorded trades. See load_plan.h.
 *
 * How: each trade fills a small queue: maker, taker, then what the shares add. Draws come from one
 *      generator in a fixed order, so a seed decides everything.
 */
#include "load_plan.h"

#include "load_decimal.h"
#include "load_malformed.h"
#include "millrace/arena.h"
#include "millrace/option.h"
#include "millrace/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 16
#define WAITING_PPM 1050000 /* 5 % above the reference, unless the tape goes as far */
#define COLLAR_FACTOR 6     /* beyond any collar, still below an instrument's largest price */

struct load_plan {
    const struct load_tape *tape;
    const struct load_desk *desks;
    const struct load_shares *shares;
    const char *run;
    int32_t schema_id;
    uint64_t random;
    size_t trade, trade_end;
    int64_t number;
    int64_t invalid_kind, malformed_kind, waiting_kind;
    struct load_item queue[QUEUE_MAX];
    size_t head, tail;
};

/* SplitMix64: small, seeded, the same everywhere. */
static uint64_t draw(struct load_plan *plan)
{
    uint64_t z = plan->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool chance(struct load_plan *plan, int64_t ppm)
{
    return (int64_t)(draw(plan) % (uint64_t)LOAD_PPM) < ppm;
}

/* base: what the name begins with. */
static void choose_user(char *user, const char *base, char role, size_t n, int32_t partition,
                        int32_t partitions)
{
    for (unsigned salt = 0;; salt++) {
        (void)snprintf(user, LOAD_USER_BYTES_MAX, "%s%c%zu.%u", base, role, n, salt);
        if (mr_partition_of(mr_slice_str(user), partitions) == partition) {
            return;
        }
    }
}

void load_desk_users(struct load_desk *desk, const char *run, size_t symbol, size_t users_each,
                     int32_t partitions)
{
    char base[LOAD_USER_BYTES_MAX];

    MR_ASSERT(users_each >= 1 && users_each <= LOAD_USERS_EACH_MAX && partitions >= 1);
    desk->partition = (int32_t)(symbol % (size_t)partitions);
    desk->users_each = users_each;
    (void)snprintf(base, sizeof base, "%.*s.%zu", (int)LOAD_RUN_BYTES_MAX - 1, run, symbol);
    for (size_t i = 0; i < users_each; i++) {
        choose_user(desk->makers[i], base, 'm', i, desk->partition, partitions);
        choose_user(desk->takers[i], base, 't', i, desk->partition, partitions);
    }
    choose_user(desk->poor, base, 'p', 0, desk->partition, partitions);
    choose_user(desk->probe, base, 'q', 0, desk->partition, partitions);
}

enum mr_status load_desk_reference(struct load_desk *desk, const struct load_tape_symbol *symbol,
                                   int64_t collar_ppm, struct mr_err *err)
{
    const mr_i128 middle = (symbol->price_low + symbol->price_high) / 2;
    const mr_i128 reference = middle - middle % desk->tick;
    const mr_i128 above = symbol->price_high - symbol->price_high % desk->tick + desk->tick;
    const mr_i128 usual = load_decimal_scaled(reference, WAITING_PPM, desk->tick);
    const mr_i128 waiting = usual < above ? above : usual;

    if (reference <= 0 || waiting > load_decimal_scaled(reference, LOAD_PPM + collar_ppm, 1) ||
        symbol->price_low < load_decimal_scaled(reference, LOAD_PPM - collar_ppm, 1)) {
        return mr_fail(err, MR_CONFIG,
                       "%s: the tape's prices span more than the collar of risk allows around one "
                       "reference; play a shorter tape or widen price-collar",
                       desk->symbol);
    }
    desk->reference = reference;
    desk->waiting = waiting;
    return MR_OK;
}

static void name_item(struct load_plan *plan, struct load_item *item)
{
    char suffix[16] = "a";

    if (item->expect == LOAD_REJECTED) {
        (void)snprintf(suffix, sizeof suffix, "r%d", item->code);
    } else if (item->expect != LOAD_ACCEPTED) {
        suffix[0] = item->expect == LOAD_DUPLICATE     ? 'd'
                    : item->expect == LOAD_CONFLICT    ? 'c'
                    : item->expect == LOAD_DEAD_LETTER ? 'm'
                                                       : 'x';
    }
    (void)snprintf(item->event_id, LOAD_ID_BYTES_MAX, "%s-%lld-%s", plan->run,
                   (long long)item->number, suffix);
}

/* Points the command's strings at the item that holds them: after every copy of an item. */
static void bind(const struct load_plan *plan, struct load_item *item)
{
    struct oms_order_command *command = &item->command;

    command->event_id = mr_slice_str(item->event_id);
    command->order_id = mr_slice_str(item->order_id);
    command->client_order_id = mr_slice_str(item->key_id);
    command->has_client_order_id = true;
    command->idempotency_key = mr_slice_str(item->key_id);
    command->has_idempotency_key = true;
    command->trace_id = command->event_id;
    command->has_trace_id = true;
    command->user_id = mr_slice_str(item->user);
    command->source = mr_slice_str("load");
    if (command->symbol.len == 0) {
        command->symbol = mr_slice_str(plan->desks[item->symbol].symbol);
    }
    if (command->has_target_order_id) {
        command->target_order_id = mr_slice_str(item->target_id);
    }
}

static struct load_item *add(struct load_plan *plan, const struct load_trade *trade,
                             const char *user, enum load_expect expect, int code)
{
    struct load_item *item = &plan->queue[plan->tail];

    MR_ASSERT(plan->tail < QUEUE_MAX);
    plan->tail++;
    *item = (struct load_item){.expect = expect,
                               .code = code,
                               .number = plan->number,
                               .symbol = trade->symbol,
                               .user = user,
                               .tape_us = trade->ts_us};
    plan->number++;
    item->command.action = OMS_ACTION_NEW;
    item->command.ts_us = trade->ts_us;
    item->command.ord_type = OMS_ORDER_TYPE_LIMIT;
    item->command.side = trade->buyer_maker ? OMS_SIDE_BUY : OMS_SIDE_SELL;
    item->command.tif = OMS_TIME_IN_FORCE_GTC;
    item->command.stp_mode = OMS_STP_MODE_EXPIRE_TAKER;
    item->command.qty = trade->qty;
    item->command.has_qty = true;
    item->command.price = trade->price;
    item->command.has_price = true;
    (void)snprintf(item->order_id, LOAD_ID_BYTES_MAX, "%s-o%lld", plan->run,
                   (long long)item->number);
    (void)snprintf(item->key_id, LOAD_ID_BYTES_MAX, "%s-k%lld", plan->run, (long long)item->number);
    name_item(plan, item);
    bind(plan, item);
    return item;
}

static struct load_item *add_copy(struct load_plan *plan, const struct load_item *original,
                                  enum load_expect expect)
{
    struct load_item *item = &plan->queue[plan->tail];

    MR_ASSERT(plan->tail < QUEUE_MAX);
    plan->tail++;
    *item = *original;
    item->expect = expect;
    item->number = plan->number;
    plan->number++;
    name_item(plan, item);
    bind(plan, item);
    return item;
}

/* Each kind breaks exactly one rule, so that the code is the same whatever is checked first. */
static void add_invalid(struct load_plan *plan, const struct load_trade *trade, const char *user)
{
    static const int codes[] = {1103, 1113, 1112, 1151, 1141, 1102, 3601};
    const struct load_desk *desk = &plan->desks[trade->symbol];
    const int code = codes[(size_t)(plan->invalid_kind++) % MR_COUNT(codes)];
    struct load_item *item = add(plan, trade, user, LOAD_REJECTED, code);

    switch (code) {
    case 1103:
        item->command.price += desk->tick / 10;
        break;
    case 1113:
        item->command.qty += desk->lot / 10;
        break;
    case 1112:
        item->command.qty = desk->max_qty + desk->lot;
        break;
    case 1151:
        item->command.symbol = mr_slice_str("NOSUCH");
        break;
    case 1141:
        item->command.has_price = false;
        item->command.price = 0;
        break;
    case 1102:
        item->command.price = desk->max_price + desk->tick;
        break;
    default: /* 3601 */
        item->command.side = OMS_SIDE_BUY;
        item->command.price = desk->reference * COLLAR_FACTOR;
        break;
    }
}

/* An order that waits far from the market, of each kind that can. */
static void make_waiting(struct load_plan *plan, struct load_item *item)
{
    struct oms_order_command *order = &item->command;
    const struct load_desk *desk = &plan->desks[item->symbol];
    const int64_t kind = plan->waiting_kind++ % 4;

    order->side = OMS_SIDE_SELL;
    order->price = desk->waiting;
    if (kind == 1) {
        order->tif = OMS_TIME_IN_FORCE_GTD;
        order->expire_ts_us = order->ts_us + MR_DAY_US;
        order->has_expire_ts_us = true;
    } else if (kind > 1) { /* to buy where nothing is ever traded */
        order->ord_type = kind == 2 ? OMS_ORDER_TYPE_STOP : OMS_ORDER_TYPE_STOP_LIMIT;
        order->side = OMS_SIDE_BUY;
        order->stop_price = order->price;
        order->has_stop_price = true;
        order->has_price = kind == 3;
        order->price = kind == 3 ? order->price : 0;
    }
}

static void add_cancelled(struct load_plan *plan, const struct load_trade *trade, const char *user)
{
    struct load_item *order = add(plan, trade, user, LOAD_ACCEPTED, 0);
    struct load_item *cancel;

    make_waiting(plan, order);
    cancel = add(plan, trade, user, LOAD_CANCELLED, 0);
    cancel->command.action = OMS_ACTION_CANCEL;
    cancel->command.has_qty = false;
    cancel->command.qty = 0;
    cancel->command.has_price = false;
    cancel->command.price = 0;
    memcpy(cancel->target_id, order->order_id, sizeof cancel->target_id);
    cancel->command.has_target_order_id = true;
    bind(plan, cancel);
}

static void add_malformed(struct load_plan *plan, const struct load_trade *trade, const char *user)
{
    struct load_item *item = add(plan, trade, user, LOAD_DEAD_LETTER, 0);

    item->malformed_bytes =
        load_malformed_write(plan->malformed_kind, plan->schema_id, item->event_id, item->malformed,
                             LOAD_MALFORMED_BYTES_MAX);
    plan->malformed_kind++;
}

static void add_extras(struct load_plan *plan, const struct load_trade *trade,
                       const struct load_item *maker, const struct load_item *taker)
{
    const struct load_desk *desk = &plan->desks[trade->symbol];
    const struct load_shares *shares = plan->shares;

    for (int i = 0; i < 2; i++) { /* once for each order command */
        const struct load_item *original = i == 0 ? maker : taker;

        if (chance(plan, shares->duplicates)) {
            (void)add_copy(plan, original, LOAD_DUPLICATE);
        }
        if (chance(plan, shares->conflicts)) {
            struct load_item *item = add_copy(plan, original, LOAD_CONFLICT);

            item->command.qty += desk->lot;
            (void)snprintf(item->order_id, LOAD_ID_BYTES_MAX, "%s-o%lld", plan->run,
                           (long long)item->number);
            bind(plan, item);
        }
        if (chance(plan, shares->invalid)) {
            add_invalid(plan, trade, original->user);
        }
        if (chance(plan, shares->unfunded)) {
            (void)add(plan, trade, desk->poor, LOAD_REJECTED, 3001);
        }
        if (chance(plan, shares->cancels)) {
            add_cancelled(plan, trade, original->user);
        }
        if (chance(plan, shares->malformed)) {
            add_malformed(plan, trade, original->user);
        }
    }
}

static void fill_queue(struct load_plan *plan)
{
    const struct load_trade *trade = &plan->tape->trades[plan->trade];
    const struct load_desk *desk = &plan->desks[trade->symbol];
    struct load_item *maker;
    struct load_item *taker;

    plan->head = 0;
    plan->tail = 0;
    plan->trade++;
    maker = add(plan, trade, desk->makers[draw(plan) % desk->users_each], LOAD_ACCEPTED, 0);
    taker = add(plan, trade, desk->takers[draw(plan) % desk->users_each], LOAD_ACCEPTED, 0);
    taker->command.side = trade->buyer_maker ? OMS_SIDE_SELL : OMS_SIDE_BUY;
    taker->command.tif = OMS_TIME_IN_FORCE_IOC;
    if (chance(plan, plan->shares->market_takers)) {
        taker->command.ord_type = OMS_ORDER_TYPE_MARKET;
        taker->command.has_price = false;
        taker->command.price = 0;
    }
    add_extras(plan, trade, maker, taker);
}

struct load_plan *load_plan_create(const struct load_tape *tape, const struct load_desk *desks,
                                   const struct load_shares *shares, const char *run,
                                   int32_t schema_id, uint64_t seed)
{
    struct load_plan *plan = mr_xcalloc(1, sizeof *plan);

    plan->tape = tape;
    plan->trade_end = tape->count;
    plan->desks = desks;
    plan->shares = shares;
    plan->run = run;
    plan->schema_id = schema_id;
    plan->random = seed;
    return plan;
}

void load_plan_destroy(struct load_plan **plan)
{
    free(*plan);
    *plan = NULL;
}

bool load_plan_next(struct load_plan *plan, const struct load_item **item)
{
    if (plan->head == plan->tail) {
        if (plan->trade == plan->trade_end) {
            return false;
        }
        fill_queue(plan);
    }
    *item = &plan->queue[plan->head];
    plan->head++;
    return true;
}

void load_plan_stop(struct load_plan *plan)
{
    plan->trade_end = plan->trade;
}

size_t load_plan_trades(const struct load_plan *plan)
{
    return plan->trade;
}

static bool parse_digits(struct mr_slice *text, int64_t *value)
{
    size_t used = 0;

    *value = 0;
    while (used < text->len && used < 18 && text->data[used] >= '0' && text->data[used] <= '9') {
        *value = *value * 10 + (text->data[used] - '0');
        used++;
    }
    *text = mr_slice_of(text->data + used, text->len - used);
    return used > 0;
}

bool load_event_parse(struct mr_slice event_id, const char *run, int64_t *number,
                      enum load_expect *expect, int *code)
{
    const size_t prefix = strlen(run);
    struct mr_slice rest;
    int64_t value = 0;

    if (event_id.len < prefix + 4 || memcmp(event_id.data, run, prefix) != 0 ||
        event_id.data[prefix] != '-') {
        return false;
    }
    rest = mr_slice_of(event_id.data + prefix + 1, event_id.len - prefix - 1);
    if (!parse_digits(&rest, number) || rest.len < 2 || rest.data[0] != '-') {
        return false;
    }
    *code = 0;
    switch (rest.data[1]) {
    case 'a':
        *expect = LOAD_ACCEPTED;
        break;
    case 'd':
        *expect = LOAD_DUPLICATE;
        break;
    case 'c':
        *expect = LOAD_CONFLICT;
        break;
    case 'x':
        *expect = LOAD_CANCELLED;
        break;
    case 'r':
        rest = mr_slice_of(rest.data + 2, rest.len - 2);
        *expect = LOAD_REJECTED;
        if (!parse_digits(&rest, &value)) {
            return false;
        }
        *code = (int)value;
        break;
    default:
        return false;
    }
    return true;
}
