/*
 * Goal:   whatever users do, and in whatever order the engine answers: the hold of a user is that
 * of his open orders, computed from scratch; a position never passes its limit, however the open
 * orders fill; no bucket lets more through than its rule; nothing is open or held when all is
 * canceled; after a breach nothing makes a position longer until the next day. Method: the stage
 * between random users and an engine of this test, which fills, amends, refuses and cancels at
 * random and answers late: reports wait in a queue, so an amendment meets fills on its way. Prices
 * and quantities of few atoms show every rounding. The seed is the loop index.
 */
#include "avro/risk_order.h"
#include "domain/hold.h"
#include "domain/position.h"
#include "risk/risk.h"
#include "risk_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS 3
#define OPEN_MAX 24
#define QUEUE_MAX 256
#define STEPS 3000
#define UNIT "0.000000001"
#define LIMIT "0.00000015" /* position */
#define BURST 40
#define PER_SECOND 2

static const char *const users[USERS] = {"u0", "u1", "u2"};

/* An order as the engine has it. */
struct sim_order {
    bool open;
    const char *id;
    size_t user;
    struct hold_order hold;
    dec_t qty; /* total */
    struct oms_execution_report report;
};

/* An amendment that the engine has not worked yet. */
struct sim_amend {
    bool used;
    const char *id;
    size_t order;
    bool has_qty, has_price;
    dec_t qty, price, reserved;
};

struct world {
    struct mr_driver *risk;
    struct sim_order orders[OPEN_MAX];
    struct sim_amend amends[OPEN_MAX];
    struct oms_execution_report queue[QUEUE_MAX];
    size_t queued;
    char ids[2 * STEPS][16]; /* of all commands: reports in the queue name them */
    uint64_t random;
    int64_t now_us;
    int next_id;
    size_t fills, amended, refused, breaches;
    int64_t approved_at[USERS][STEPS];
    size_t approved[USERS];
};

static uint64_t roll(struct world *w, uint64_t sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % sides;
}

static dec_t few(struct world *w, uint64_t bound)
{
    return amount(UNIT) * (dec_t)(1 + roll(w, bound));
}

static const char *next_id(struct world *w)
{
    char *id = w->ids[w->next_id];

    (void)snprintf(id, sizeof(w->ids[0]), "c%d", w->next_id++);
    return id;
}

/* --- the engine --------------------------------------------------------------------------- */

static void queue_report(struct world *w, struct oms_execution_report report)
{
    ck_assert_uint_lt(w->queued, QUEUE_MAX);
    report.ts_us = w->now_us;
    w->queue[w->queued++] = report;
}

/* Delivers the oldest; the order of reports of one order stays as it was. */
static void deliver(struct world *w)
{
    struct oms_execution_report report;

    if (w->queued == 0) {
        return;
    }
    report = w->queue[0];
    w->queued--;
    memmove(w->queue, w->queue + 1, w->queued * sizeof(w->queue[0]));
    ck_assert_msg(mr_driver_push(w->risk, "executions", report.user_id, &report) == MR_OK, "%s",
                  mr_driver_error(w->risk));
}

static void next_version(struct sim_order *order)
{
    order->report.version++;
    order->report.engine_seq = order->report.version;
    order->report.hold_after = order->hold.hold;
    order->report.leaves_qty = order->hold.leaves;
}

static void fill(struct world *w, struct sim_order *order)
{
    const dec_t qty = dec_min(few(w, 20), order->hold.leaves);
    const bool buy = order->hold.side == ORD_BUY;
    const dec_t price =
        buy ? dec_min(few(w, 40), order->hold.price) : order->hold.price + few(w, 9);
    struct hold_fill done;

    ck_assert(hold_apply(&order->hold, roll(w, 2) == 0 ? ORD_MAKER : ORD_TAKER, price, qty, &done));
    ck_assert(done.release >= 0);
    order->report.exec_type = OMS_EXEC_TYPE_TRADE;
    order->report.last_qty = qty;
    order->report.has_last_qty = true;
    order->report.last_px = price;
    order->report.has_last_px = true;
    order->report.fee_amount = done.fee;
    order->report.has_fee_amount = true;
    order->report.cum_qty += qty;
    order->open = order->hold.leaves > 0;
    order->report.status = order->open ? OMS_ORDER_STATUS_ACCEPTED : OMS_ORDER_STATUS_FILLED;
    next_version(order);
    queue_report(w, order->report);
    w->fills++;
}

static void end(struct world *w, struct sim_order *order)
{
    order->hold.leaves = order->hold.hold = 0;
    order->open = false;
    order->report.exec_type = OMS_EXEC_TYPE_CANCELED;
    order->report.status = OMS_ORDER_STATUS_CANCELLED;
    next_version(order);
    queue_report(w, order->report);
}

static void refuse_amend(struct world *w, const struct sim_amend *amend)
{
    struct sim_order *order = &w->orders[amend->order];
    struct oms_execution_report report =
        fixture_accepted(amend->id, users[order->user], OMS_SIDE_BUY, "0", "0");

    report.exec_type = OMS_EXEC_TYPE_CANCEL_REJECTED;
    report.target_order_id = s(order->id);
    report.has_target_order_id = true;
    queue_report(w, report);
    w->refused++;
}

/* REPLACED, when the order is there; a total that has traded already ends it. */
static void work_amend(struct world *w, struct sim_amend *amend)
{
    struct sim_order *order = &w->orders[amend->order];
    const dec_t held = order->hold.hold + amend->reserved;
    const dec_t cum = order->qty - order->hold.leaves;

    amend->used = false;
    if (!order->open || roll(w, 6) == 0) {
        refuse_amend(w, amend);
        return;
    }
    if (amend->has_qty && amend->qty <= cum) {
        end(w, order);
        return;
    }
    if (amend->has_qty) {
        order->qty = amend->qty;
        order->hold.leaves = amend->qty - cum;
    }
    if (amend->has_price) {
        order->hold.price = amend->price;
    }
    ck_assert(hold_now(&order->hold, &order->hold.hold));
    ck_assert_msg(order->hold.hold <= held, "the reserve was too small");
    order->report.exec_type = OMS_EXEC_TYPE_REPLACED;
    order->report.command_id = s(amend->id);
    order->report.price = order->hold.price;
    order->report.has_price = true;
    order->report.order_qty = order->qty;
    next_version(order);
    queue_report(w, order->report);
    w->amended++;
}

/* --- users -------------------------------------------------------------------------------- */

static void note_approved(struct world *w, size_t user)
{
    w->approved_at[user][w->approved[user]++] = w->now_us;
}

static void place(struct world *w, struct sim_order *order)
{
    const size_t before = mr_driver_emit_count(w->risk, "approved");
    const struct oms_order_command *out = NULL;
    struct oms_order_command command;

    order->id = next_id(w);
    order->user = roll(w, USERS);
    command = fixture_limit(order->id, users[order->user],
                            roll(w, 2) == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL, "0", "0");
    command.price = few(w, 40);
    command.qty = few(w, 60);
    command.ts_us = w->now_us;
    ck_assert_int_eq(mr_driver_push(w->risk, "orders", command.user_id, &command), MR_OK);
    if (mr_driver_emit_count(w->risk, "approved") == before) {
        return;
    }
    note_approved(w, order->user);
    out = mr_driver_emit_last(w->risk, "approved");
    order->open = true;
    order->qty = out->qty;
    order->hold = (struct hold_order){.side = (enum ord_side)out->side,
                                      .price = out->price,
                                      .maker_rate = out->fee_maker,
                                      .taker_rate = out->fee_taker,
                                      .leaves = out->qty,
                                      .hold = out->reserved};
    order->report = fixture_accepted(order->id, users[order->user], out->side, "0", "0");
    order->report.order_qty = out->qty;
    next_version(order);
}

static void amend(struct world *w, size_t at)
{
    struct sim_order *order = &w->orders[at];
    struct sim_amend *amend = &w->amends[at];
    const size_t before = mr_driver_emit_count(w->risk, "approved");
    struct oms_order_command command;

    if (amend->used) {
        return;
    }
    amend->id = next_id(w);
    amend->order = at;
    amend->has_qty = roll(w, 3) != 0;
    amend->has_price = !amend->has_qty || roll(w, 2) == 0;
    amend->qty = few(w, 60);
    amend->price = few(w, 40);
    command = fixture_cancel(amend->id, users[order->user], order->id);
    command.action = OMS_ACTION_AMEND;
    command.ts_us = w->now_us;
    command.has_qty = amend->has_qty;
    command.qty = amend->has_qty ? amend->qty : 0;
    command.has_price = amend->has_price;
    command.price = amend->has_price ? amend->price : 0;
    ck_assert_int_eq(mr_driver_push(w->risk, "orders", command.user_id, &command), MR_OK);
    if (mr_driver_emit_count(w->risk, "approved") > before) {
        const struct oms_order_command *out = mr_driver_emit_last(w->risk, "approved");

        note_approved(w, order->user);
        amend->used = true;
        amend->reserved = out->reserved;
    }
}

/* --- what must hold ----------------------------------------------------------------------- */

struct sums {
    dec_t quote, base, open[2];
    int32_t orders;
};

static bool add_order(void *arg, struct mr_slice key, const void *value)
{
    struct sums(*all)[USERS] = arg;
    const struct oms_risk_order *order = value;

    (void)key;
    for (size_t u = 0; u < USERS; u++) {
        struct sums *sums = &(*all)[u];
        const bool buy = order->side == OMS_SIDE_BUY;

        if (mr_slice_equal(order->user_id, s(users[u]))) {
            *(buy ? &sums->quote : &sums->base) += order->hold + order->amend_reserved;
            sums->open[buy ? 0 : 1] += order->leaves_qty + order->amend_qty;
            sums->orders++;
        }
    }
    return true;
}

static void check_rows(struct world *w)
{
    const struct mr_slice all = {0};
    struct sums sums[USERS] = {0};
    struct mr_err err;

    ck_assert_int_eq(
        mr_store_scan(mr_driver_store(w->risk, "orders"), all, all, add_order, &sums, &err), MR_OK);
    for (size_t u = 0; u < USERS; u++) {
        const struct oms_risk_balance quote = risk_balance_of(w->risk, users[u], "USDT");
        const struct oms_risk_balance base = risk_balance_of(w->risk, users[u], "BTC");
        const struct oms_risk_exposure e = risk_exposure_of(w->risk, users[u], "BTCUSDT");

        ck_assert(quote.hold == sums[u].quote && base.hold == sums[u].base);
        ck_assert(quote.available >= 0 && base.available >= 0);
        ck_assert(e.open_buy == sums[u].open[0] && e.open_sell == sums[u].open[1]);
        ck_assert_int_eq(risk_account_of(w->risk, users[u]).open_orders, sums[u].orders);
        ck_assert_msg(e.position + e.open_buy <= amount(LIMIT) &&
                          e.position - e.open_sell >= -amount(LIMIT),
                      "a position may pass its limit");
    }
}

/* In any window of t seconds at most burst + rate x t. */
static void check_velocity(const struct world *w)
{
    for (size_t u = 0; u < USERS; u++) {
        for (size_t i = 0; i < w->approved[u]; i++) {
            for (size_t j = i; j < w->approved[u] && j < i + 2 * (size_t)BURST; j++) {
                const int64_t us = w->approved_at[u][j] - w->approved_at[u][i];

                ck_assert_int_le((int64_t)(j - i + 1), BURST + us * PER_SECOND / MR_SECOND_US);
            }
        }
    }
}

static void step(struct world *w)
{
    const size_t at = roll(w, OPEN_MAX);
    struct sim_order *order = &w->orders[at];

    w->now_us += (int64_t)roll(w, 400000);
    if (w->amends[at].used && roll(w, 2) == 0) {
        work_amend(w, &w->amends[at]);
    } else if (!order->open) {
        if (!w->amends[at].used) {
            place(w, order);
        }
    } else if (roll(w, 3) == 0) {
        amend(w, at);
    } else if (roll(w, 6) == 0) {
        end(w, order);
    } else {
        fill(w, order);
    }
    while (w->queued > 0 && (roll(w, 3) != 0 || w->queued > QUEUE_MAX / 2)) {
        deliver(w);
    }
    if (roll(w, 16) == 0) {
        check_rows(w);
    }
    if (roll(w, 40) == 0) {
        ck_assert_int_eq(mr_driver_commit(w->risk), MR_OK);
        mr_driver_emits_clear(w->risk);
        if (roll(w, 4) == 0) {
            mr_driver_restart(w->risk);
        }
    }
}

static void begin(struct world *w, uint64_t seed)
{
    static const struct mr_driver_setting settings[] = {{.name = "velocity", .text = "2/s"},
                                                        {.name = "velocity-burst", .text = "40"}};
    struct oms_instrument instrument = fixture_instrument();

    memset(w, 0, sizeof(*w));
    w->random = UINT64_C(88172645463325252) * (seed + 1);
    w->now_us = FIXTURE_TS_US;
    w->risk = mr_driver_create(&risk_stage, settings, MR_COUNT(settings));
    instrument.tick_size = instrument.lot_size = amount(UNIT);
    instrument.min_price = instrument.max_price = instrument.min_qty = instrument.max_qty = 0;
    instrument.maker_fee = amount("0.00123");
    instrument.taker_fee = amount("0.0037");
    instrument.max_position = amount(LIMIT);
    instrument.has_max_position = true;
    mr_driver_table_set(w->risk, "instruments", s("BTCUSDT"), &instrument);
    for (size_t u = 0; u < USERS; u++) {
        const struct oms_account_command money[] = {
            fixture_transfer("d1", users[u], OMS_ACCOUNT_ACTION_DEPOSIT, "USDT",
                             "0.00000000000001"),
            fixture_transfer("d2", users[u], OMS_ACCOUNT_ACTION_DEPOSIT, "BTC", "0.0000002"),
        };

        for (size_t i = 0; i < MR_COUNT(money); i++) {
            ck_assert_int_eq(mr_driver_push(w->risk, "accounts", s(users[u]), &money[i]), MR_OK);
        }
    }
}

static void end_everything(struct world *w)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (w->amends[i].used) {
            work_amend(w, &w->amends[i]);
        }
        if (w->orders[i].open) {
            end(w, &w->orders[i]);
        }
        while (w->queued > 0) {
            deliver(w);
        }
    }
    check_rows(w);
    ck_assert_uint_eq(mr_driver_store_count(w->risk, "orders"), 0);
    for (size_t u = 0; u < USERS; u++) {
        ck_assert(risk_balance_of(w->risk, users[u], "USDT").hold == 0);
        ck_assert(risk_balance_of(w->risk, users[u], "BTC").hold == 0);
    }
}

START_TEST(holds_limits_and_buckets_keep_in_any_flow)
{
    static struct world world;
    struct world *w = &world;

    begin(w, (uint64_t)_i);
    for (int i = 0; i < STEPS; i++) {
        step(w);
    }
    end_everything(w);
    check_velocity(w);
    /* A run in which nothing happens proves nothing. */
    ck_assert_uint_gt(w->fills, 200);
    ck_assert_uint_gt(w->amended, 50);
    ck_assert_uint_gt(w->refused, 5);
    mr_driver_destroy(&w->risk);
}
END_TEST

/* Largest absolute position that a user's open orders could make. */
static dec_t worst_of(struct world *w, size_t user)
{
    const struct oms_risk_exposure e = risk_exposure_of(w->risk, users[user], "BTCUSDT");

    return dec_max(dec_abs(e.position + e.open_buy), dec_abs(e.position - e.open_sell));
}

START_TEST(after_a_breach_nothing_makes_a_position_longer_that_day)
{
    static struct world world;
    struct world *w = &world;
    struct oms_account_command limit =
        fixture_transfer("l1", "*", OMS_ACCOUNT_ACTION_SET_LIMITS, "USDT", "1");

    begin(w, (uint64_t)_i + 100);
    limit.daily_loss_limit = 1; /* an atom: users of this market win, but for the first fee */
    limit.has_daily_loss_limit = true;
    ck_assert_int_eq(mr_driver_push(w->risk, "accounts", s("*"), &limit), MR_OK);
    for (int i = 0; i < STEPS; i++) {
        const size_t before = mr_driver_emit_count(w->risk, "approved");
        bool breached[USERS];
        dec_t worst[USERS];
        int32_t day = 0;

        for (size_t u = 0; u < USERS; u++) {
            breached[u] = risk_account_of(w->risk, users[u]).loss_breached;
            worst[u] = worst_of(w, u);
            w->breaches += breached[u] ? 1 : 0;
        }
        day = pos_day(w->now_us);
        step(w);
        if (mr_driver_emit_count(w->risk, "approved") <= before || pos_day(w->now_us) != day) {
            continue;
        }
        for (size_t u = 0; u < USERS; u++) {
            ck_assert_msg(!breached[u] || worst_of(w, u) <= worst[u], "longer after a breach");
        }
    }
    ck_assert_uint_gt(w->breaches, 20);
    mr_driver_destroy(&w->risk);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk flow");
    TCase *tcase = tcase_create("risk flow");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, holds_limits_and_buckets_keep_in_any_flow, 0, 8);
    tcase_add_loop_test(tcase, after_a_breach_nothing_makes_a_position_longer_that_day, 0, 4);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
