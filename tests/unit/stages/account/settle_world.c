/* settle_world.c -- see settle_world.h. */
#include "settle_world.h"

#include <stdio.h>
#include <stdlib.h>

const char *const world_users[USERS] = {"ann", "bob", "eve", "joe"};
const char *const world_assets[ASSETS] = {"USDT", "BTC", "ETH"};
const char *const world_symbols[SYMBOLS] = {"BTCUSDT", "ETHUSDT"};

struct world *w;
uint64_t seed_now, step_now;

uint64_t world_roll(uint64_t sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % sides;
}

static dec_t amount_up_to(dec_t most)
{
    return most <= 0 ? 0 : (dec_t)world_roll((uint64_t)dec_min(most, 1000000) + 1);
}

static const char *new_id(const char *prefix)
{
    char *id = w->ids[w->id_count];

    ck_assert_uint_lt(w->id_count, HISTORY);
    (void)snprintf(id, sizeof(w->ids[0]), "%s%zu", prefix, w->id_count);
    w->id_count++;
    return id;
}

/* --- the engine --------------------------------------------------------------------------- */

static void push(const struct oms_execution_report *report)
{
    ck_assert_msg(mr_driver_push(w->driver, "executions", report->user_id, report) == MR_OK, "%s",
                  mr_driver_error(w->driver));
}

/* Delivers it, perhaps twice, perhaps with a copy of an older one of any order. */
static void deliver(const struct oms_execution_report *report)
{
    ck_assert_uint_lt(w->history_count, HISTORY);
    w->history[w->history_count++] = *report;
    push(report);
    if (world_roll(4) == 0) {
        push(report);
    }
    if (world_roll(3) == 0) {
        push(&w->history[world_roll(w->history_count)]);
    }
}

static void place(struct model_order *order)
{
    const enum oms_side side = world_roll(2) == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL;

    order->user = world_roll(USERS);
    order->symbol = world_roll(SYMBOLS);
    const size_t asset = side == OMS_SIDE_BUY ? 0 : 1 + order->symbol;

    order->hold = amount_up_to(w->available[order->user][asset] / (world_roll(8) == 0 ? 1 : 6));
    order->open = true;
    order->last = fixture_accepted(new_id("o"), world_users[order->user], side, "0", "0");
    order->last.symbol = s(world_symbols[order->symbol]);
    order->last.base_asset = s(world_assets[1 + order->symbol]);
    order->last.hold_after = order->hold;
    w->available[order->user][asset] -= order->hold;
    w->hold[order->user][asset] += order->hold;
    deliver(&order->last);
}

/* The order's hold becomes `after`, by a report that moves no other money. */
static void rehold(struct model_order *order, enum oms_exec_type type, dec_t after)
{
    const size_t asset = order->last.side == OMS_SIDE_BUY ? 0 : 1 + order->symbol;
    struct oms_execution_report report =
        fixture_fill(&order->last, new_id("x"), "0", "0", "0", "0");

    w->amended += type == OMS_EXEC_TYPE_REPLACED;
    report.exec_type = type;
    report.status =
        type == OMS_EXEC_TYPE_CANCELED ? OMS_ORDER_STATUS_CANCELLED : OMS_ORDER_STATUS_ACCEPTED;
    report.has_last_qty = report.has_last_px = report.has_fee_amount = false;
    report.hold_after = after;
    w->available[order->user][asset] += order->hold - after;
    w->hold[order->user][asset] -= order->hold - after;
    order->hold = after;
    order->open = type != OMS_EXEC_TYPE_CANCELED;
    order->last = report;
    deliver(&report);
}

struct leg {
    dec_t qty, price, notional, fee;
    bool last;
};

static void fill(struct model_order *order, const struct leg *leg)
{
    const bool buy = order->last.side == OMS_SIDE_BUY;
    const size_t own = buy ? 0 : 1 + order->symbol;
    const dec_t spent = buy ? leg->notional + leg->fee : leg->qty;
    const dec_t left = order->hold - spent;
    const size_t u = order->user;
    struct oms_execution_report report =
        fixture_fill(&order->last, new_id("x"), "0", "0", "0", "0");

    w->fills++;
    report.last_qty = leg->qty;
    report.last_px = leg->price;
    report.cum_qty += leg->qty;
    report.fee_amount = leg->fee;
    report.hold_after = leg->last ? 0 : left - amount_up_to(left) * (dec_t)world_roll(2);
    report.status = leg->last ? OMS_ORDER_STATUS_FILLED : OMS_ORDER_STATUS_ACCEPTED;
    w->hold[u][own] -= order->hold - report.hold_after;
    w->available[u][own] += left - report.hold_after;
    w->available[u][buy ? 1 + order->symbol : 0] += buy ? leg->qty : leg->notional - leg->fee;
    w->fees += leg->fee;
    w->cash[u][order->symbol] += (buy ? -leg->notional : leg->notional) - leg->fee;
    w->qty[u][order->symbol] += buy ? leg->qty : -leg->qty;
    order->hold = report.hold_after;
    order->open = !leg->last;
    order->last = report;
    deliver(&report);
}

static void trade(struct model_order *buy, struct model_order *sell)
{
    struct leg leg = {.price = DEC_ONE * (dec_t)(1 + world_roll(5)),
                      .qty = 1 + amount_up_to(dec_min(sell->hold, 50) - 1)};
    dec_t room = 0;

    leg.notional = leg.qty * (leg.price / DEC_ONE);
    room = buy->hold - leg.notional;
    if (sell->hold < leg.qty || room < 0) {
        return;
    }
    /* From a rebate of two atoms to what is there. */
    leg.fee = amount_up_to(dec_min(room, 4)) - dec_min(2, leg.notional) * (dec_t)world_roll(2);
    leg.last = world_roll(4) == 0;
    fill(buy, &leg);
    leg.fee = amount_up_to(dec_min(leg.notional, 3)) - (dec_t)world_roll(3);
    leg.last = world_roll(4) == 0;
    fill(sell, &leg);
}

static struct model_order *counterpart(const struct model_order *order)
{
    const size_t first = world_roll(ORDERS);

    for (size_t i = 0; i < ORDERS; i++) {
        struct model_order *other = &w->orders[(first + i) % ORDERS];

        if (other->open && other->symbol == order->symbol && other->hold > 0 &&
            other->last.side != order->last.side) {
            return other;
        }
    }
    return NULL;
}

static void move_order(struct model_order *order)
{
    const size_t asset = order->last.side == OMS_SIDE_BUY ? 0 : 1 + order->symbol;
    struct model_order *other = NULL;

    switch (world_roll(14)) {
    case 0:
        rehold(order, OMS_EXEC_TYPE_CANCELED, 0);
        return;
    case 1:
        rehold(order, OMS_EXEC_TYPE_TRADE_PREVENTION, order->hold - amount_up_to(order->hold));
        return;
    case 2:
        rehold(order, OMS_EXEC_TYPE_REPLACED,
               amount_up_to(order->hold + w->available[order->user][asset]));
        return;
    case 3:
        rehold(order, OMS_EXEC_TYPE_TRIGGERED, order->hold);
        return;
    default:
        other = counterpart(order);
        if (other != NULL) {
            trade(order->last.side == OMS_SIDE_BUY ? order : other,
                  order->last.side == OMS_SIDE_BUY ? other : order);
        }
        return;
    }
}

/* --- transfers ---------------------------------------------------------------------------- */

static void command(const struct model_transfer *t, const char *id, enum oms_account_action action)
{
    struct oms_account_command c =
        fixture_transfer(id, world_users[t->user], action, world_assets[t->asset], "0");
    const uint64_t times = 1 + world_roll(2);

    c.amount = t->amount;
    c.transfer_id = s(t->id);
    c.has_transfer_id = true;
    for (uint64_t i = 0; i < times; i++) {
        ck_assert_msg(mr_driver_push(w->driver, "accounts", c.user_id, &c) == MR_OK, "%s",
                      mr_driver_error(w->driver));
    }
}

static void begin_transfer(struct model_transfer *t)
{
    static const enum oms_account_action actions[] = {
        OMS_ACCOUNT_ACTION_DEPOSIT, OMS_ACCOUNT_ACTION_WITHDRAW, OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN};

    *t = (struct model_transfer){
        .state = (int)world_roll(3) + 1, .user = world_roll(USERS), .asset = world_roll(ASSETS)};
    t->amount = amount_up_to(t->state == 1 ? 5000 : w->available[t->user][t->asset]);
    (void)snprintf(t->id, sizeof(t->id), "%s", new_id("t"));
    const dec_t in = t->state == 1 ? t->amount : -t->amount;

    w->available[t->user][t->asset] += in;
    w->hold[t->user][t->asset] += t->state == 3 ? t->amount : 0;
    w->external[t->asset] -= t->state == 3 ? 0 : in;
    w->net_deposits[t->user][t->asset] += t->state == 3 ? 0 : in;
    command(t, t->id, actions[t->state - 1]);
}

static void move_transfer(struct model_transfer *t)
{
    dec_t *available = &w->available[t->user][t->asset];
    const int before = t->state;
    const bool commit = world_roll(2) == 0;
    dec_t out = t->amount; /* to the outside */

    if (before == 3) {
        w->hold[t->user][t->asset] -= t->amount;
        *available += commit ? 0 : t->amount;
        out = commit ? t->amount : 0;
    } else if (before == 1 && *available < t->amount) {
        return; /* spent: risk would refuse */
    } else {
        out = before == 1 ? t->amount : -t->amount;
        *available -= out;
    }
    w->reversed += before != 3;
    w->external[t->asset] += out;
    w->net_deposits[t->user][t->asset] -= out;
    t->state = 0;
    command(t, new_id("u"),
            before != 3 ? OMS_ACCOUNT_ACTION_REVERSE
            : commit    ? OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT
                        : OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL);
}

void world_step(void)
{
    struct model_order *order = &w->orders[world_roll(ORDERS)];
    struct model_transfer *transfer = &w->transfers[world_roll(TRANSFERS)];

    if (world_roll(6) == 0) {
        if (transfer->state == 0) {
            begin_transfer(transfer);
        } else {
            move_transfer(transfer);
        }
    } else if (order->open) {
        move_order(order);
    } else {
        place(order);
    }
}

void world_commit(void)
{
    if (world_roll(25) == 0) {
        ck_assert_int_eq(mr_driver_commit(w->driver), MR_OK);
        mr_driver_emits_clear(w->driver);
        w->read = 0;
        if (world_roll(3) == 0) {
            mr_driver_restart(w->driver);
        }
    }
}

void world_open(uint64_t seed)
{
    const struct mr_driver_setting settings[] = {{"cost-basis", seed % 2 == 0 ? "average" : "fifo"},
                                                 {"lots-max", seed % 3 == 0 ? "2" : "32"}};

    seed_now = seed;
    w = mr_xcalloc(1, sizeof(*w));
    w->random = seed * UINT64_C(88172645463325252) + 1;
    w->driver = mr_driver_create(&settle_stage, settings, MR_COUNT(settings));
    for (size_t i = 0; i < (size_t)USERS * ASSETS; i++) {
        struct model_transfer start = {.user = i / ASSETS, .asset = i % ASSETS, .amount = 20000};

        (void)snprintf(start.id, sizeof(start.id), "%s", new_id("t"));
        w->available[start.user][start.asset] += start.amount;
        w->external[start.asset] -= start.amount;
        w->net_deposits[start.user][start.asset] += start.amount;
        command(&start, start.id, OMS_ACCOUNT_ACTION_DEPOSIT);
    }
}

void world_close(void)
{
    mr_driver_destroy(&w->driver);
    free(w);
    w = NULL;
}
