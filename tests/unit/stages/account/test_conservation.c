/*
 * Goal:   nobody's money is lost, doubled or invented: whatever users do, risk and settle agree on
 *         every balance, nothing is negative, clearing returns to zero, and users, fees and the
 *         outside add up to zero per asset. When every order is over, nothing is held.
 * Method: risk and settle as they are, between them a small engine that matches at random, with
 *         prices and quantities of few atoms so that every rounding shows. Reports come twice now
 *         and then, and both stages are restarted. The seed is the loop index.
 */
#include "account_fixture.h"
#include "avro/ledger_entry.h"
#include "domain/hold.h"
#include "risk/risk.h"
#include "risk_fixture.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS 6
#define ASSETS 3
#define SYMBOLS 2
#define OPEN_MAX 48
#define STEPS 1500

static const char *const users[USERS] = {"u0", "u1", "u2", "u3", "u4", "u5"};
static const char *const assets[ASSETS] = {"USDT", "BTC", "ETH"};
static const char *const symbols[SYMBOLS] = {"BTCUSDT", "ETHUSDT"};

/* One order in the test's engine. */
struct sim_order {
    bool open;
    char id[16];
    size_t user, symbol;
    struct hold_order hold;
    struct oms_execution_report report; /* the last one */
};

struct world {
    struct mr_driver *risk;
    struct mr_driver *settle;
    struct sim_order orders[OPEN_MAX];
    uint64_t random;
    int ids;
    size_t ledger_read;
    dec_t house[3][ASSETS]; /* clearing, fees, external: credits minus debits */
    dec_t user[ASSETS];     /* all users, both purses */
    size_t trades, rejected;
};

static uint64_t roll(struct world *w, uint64_t sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % sides;
}

static struct oms_instrument instrument(size_t symbol)
{
    struct oms_instrument i = fixture_instrument();

    i.symbol = s(symbols[symbol]);
    i.base_asset = s(assets[1 + symbol]);
    i.tick_size = amount("0.000000001");
    i.lot_size = amount("0.000000001");
    i.min_price = i.max_price = i.min_qty = i.max_qty = 0;
    i.min_notional = i.max_notional = 0;
    i.maker_fee = amount("0.00123");
    i.taker_fee = amount("0.0037");
    return i;
}

/* --- the ledger, added up independently --------------------------------------------------- */

static size_t asset_index(struct mr_slice asset)
{
    for (size_t i = 0; i < ASSETS; i++) {
        if (mr_slice_equal(asset, s(assets[i]))) {
            return i;
        }
    }
    ck_abort_msg("unknown asset");
    return 0;
}

static bool starts_with(struct mr_slice text, const char *word)
{
    return text.len >= strlen(word) && memcmp(text.data, word, strlen(word)) == 0;
}

static void add_postings(struct world *w)
{
    for (; w->ledger_read < mr_driver_emit_count(w->settle, "ledger"); w->ledger_read++) {
        const struct oms_ledger_entry *entry = mr_driver_emit(w->settle, "ledger", w->ledger_read);
        dec_t sum[ASSETS] = {0};

        for (size_t i = 0; i < entry->postings.count; i++) {
            const struct oms_posting *p = &entry->postings.items[i];
            const size_t asset = asset_index(p->asset);
            const dec_t credit = p->direction == OMS_DIRECTION_CREDIT ? p->amount : -p->amount;

            ck_assert(p->amount > 0);
            sum[asset] += credit;
            if (starts_with(p->account, "user:")) {
                w->user[asset] += credit;
            } else if (starts_with(p->account, "clearing:")) {
                w->house[0][asset] += credit;
            } else if (starts_with(p->account, "fees:")) {
                w->house[1][asset] += credit;
            } else {
                ck_assert(starts_with(p->account, "external:"));
                w->house[2][asset] += credit;
            }
        }
        for (size_t asset = 0; asset < ASSETS; asset++) {
            ck_assert_msg(sum[asset] == 0, "a journal does not balance");
        }
    }
}

static void check_books(struct world *w)
{
    dec_t total[ASSETS] = {0};

    add_postings(w);
    for (size_t u = 0; u < USERS; u++) {
        for (size_t a = 0; a < ASSETS; a++) {
            const struct oms_risk_balance cash = risk_balance_of(w->risk, users[u], assets[a]);
            struct oms_settle_balance books;

            (void)fixture_settle_balance(w->settle, users[u], assets[a], &books);
            ck_assert_msg(cash.available == books.available && cash.hold == books.hold,
                          "risk and settle differ on %s of %s", assets[a], users[u]);
            ck_assert(books.available >= 0 && books.hold >= 0);
            total[a] += books.available + books.hold;
        }
    }
    for (size_t a = 0; a < ASSETS; a++) {
        ck_assert_msg(w->house[0][a] == 0, "clearing of %s is not zero", assets[a]);
        ck_assert(w->house[1][a] >= 0);
        ck_assert(total[a] == w->user[a]);
        ck_assert(w->user[a] + w->house[1][a] + w->house[2][a] == 0);
    }
}

/* --- the engine --------------------------------------------------------------------------- */

static void deliver(struct world *w, const struct oms_execution_report *report)
{
    const uint64_t times = roll(w, 10) == 0 ? 2 : 1;

    for (uint64_t i = 0; i < times; i++) {
        ck_assert_msg(mr_driver_push(w->risk, "executions", report->user_id, report) == MR_OK,
                      "risk: %s", mr_driver_error(w->risk));
        ck_assert_msg(mr_driver_push(w->settle, "executions", report->user_id, report) == MR_OK,
                      "settle: %s", mr_driver_error(w->settle));
    }
}

static void accept(struct world *w, struct sim_order *order)
{
    const struct oms_order_command *command = mr_driver_emit_last(w->risk, "approved");
    dec_t hold = 0;

    order->open = true;
    order->hold = (struct hold_order){.side = (enum ord_side)command->side,
                                      .price = command->price,
                                      .maker_rate = command->fee_maker,
                                      .taker_rate = command->fee_taker,
                                      .leaves = command->qty,
                                      .hold = command->reserved};
    ck_assert(hold_now(&order->hold, &hold) && hold == command->reserved);
    order->report = fixture_accepted(order->id, users[order->user], command->side, "0", "0");
    order->report.symbol = s(symbols[order->symbol]);
    order->report.base_asset = s(assets[1 + order->symbol]);
    order->report.order_qty = command->qty;
    order->report.leaves_qty = command->qty;
    order->report.hold_after = command->reserved;
    deliver(w, &order->report);
}

static void fill_leg(struct world *w, struct sim_order *order, enum ord_liquidity liquidity,
                     dec_t price, dec_t qty)
{
    struct hold_fill fill;
    struct oms_execution_report report =
        fixture_fill(&order->report, order->id, "0", "0", "0", "0");

    ck_assert(hold_apply(&order->hold, liquidity, price, qty, &fill));
    report.last_qty = qty;
    report.last_px = price;
    report.cum_qty += qty;
    report.leaves_qty = order->hold.leaves;
    report.fee_amount = fill.fee;
    report.hold_after = order->hold.hold;
    report.status = order->hold.leaves == 0 ? OMS_ORDER_STATUS_FILLED : OMS_ORDER_STATUS_ACCEPTED;
    order->open = order->hold.leaves > 0;
    order->report = report;
    deliver(w, &report);
}

static bool crosses(const struct sim_order *a, const struct sim_order *b)
{
    const bool a_buys = a->hold.side == ORD_BUY;
    const struct sim_order *buy = a_buys ? a : b;
    const struct sim_order *sell = a_buys ? b : a;

    return a->open && b->open && a->symbol == b->symbol && a->hold.side != b->hold.side &&
           buy->hold.price >= sell->hold.price;
}

static void match(struct world *w, struct sim_order *taker)
{
    for (size_t i = 0; i < OPEN_MAX && taker->open; i++) {
        struct sim_order *maker = &w->orders[i];
        dec_t qty = 0;

        if (maker == taker || !crosses(maker, taker)) {
            continue;
        }
        qty = dec_min(maker->hold.leaves, taker->hold.leaves);
        if (roll(w, 3) == 0 && qty > amount("0.000000001")) {
            qty = amount("0.000000001") * (dec_t)(1 + roll(w, 3));
            qty = dec_min(qty, dec_min(maker->hold.leaves, taker->hold.leaves));
        }
        fill_leg(w, maker, ORD_MAKER, maker->hold.price, qty);
        fill_leg(w, taker, ORD_TAKER, maker->hold.price, qty);
        w->trades++;
    }
}

static void cancel(struct world *w, struct sim_order *order)
{
    order->report = fixture_canceled(&order->report, order->id);
    order->open = false;
    deliver(w, &order->report);
}

static void place(struct world *w, struct sim_order *order)
{
    const size_t before = mr_driver_emit_count(w->risk, "approved");
    struct oms_order_command command;

    (void)snprintf(order->id, sizeof(order->id), "o%d", w->ids++);
    order->user = roll(w, USERS);
    order->symbol = roll(w, SYMBOLS);
    command = fixture_limit(order->id, users[order->user],
                            roll(w, 2) == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL, "0", "0");
    command.symbol = s(symbols[order->symbol]);
    command.price = amount("0.000000001") * (dec_t)(1 + roll(w, 40));
    command.qty = amount("0.000000001") * (dec_t)(1 + roll(w, 60));
    command.ts_us += (int64_t)w->ids * MR_SECOND_US;
    ck_assert_int_eq(mr_driver_push(w->risk, "orders", command.user_id, &command), MR_OK);
    if (mr_driver_emit_count(w->risk, "approved") == before) {
        w->rejected++;
        return;
    }
    accept(w, order);
    match(w, order);
}

static void transfer(struct world *w, enum oms_account_action action, size_t user, size_t asset,
                     const char *value)
{
    char id[16];
    struct oms_account_command command;
    const size_t before = mr_driver_emit_count(w->risk, "transfers");

    (void)snprintf(id, sizeof(id), "t%d", w->ids++);
    command = fixture_transfer(id, users[user], action, assets[asset], value);
    ck_assert_int_eq(mr_driver_push(w->risk, "accounts", command.user_id, &command), MR_OK);
    if (mr_driver_emit_count(w->risk, "transfers") > before) {
        ck_assert_int_eq(mr_driver_push(w->settle, "accounts", command.user_id, &command), MR_OK);
    }
}

static void commit(struct world *w)
{
    check_books(w);
    ck_assert_int_eq(mr_driver_commit(w->risk), MR_OK);
    ck_assert_int_eq(mr_driver_commit(w->settle), MR_OK);
    mr_driver_emits_clear(w->risk);
    mr_driver_emits_clear(w->settle);
    w->ledger_read = 0;
    if (roll(w, 4) == 0) {
        mr_driver_restart(w->risk);
        mr_driver_restart(w->settle);
    }
}

static void step(struct world *w)
{
    struct sim_order *order = &w->orders[roll(w, OPEN_MAX)];

    if (order->open) {
        if (roll(w, 3) == 0) {
            cancel(w, order);
        }
    } else if (roll(w, 20) == 0) {
        transfer(w, OMS_ACCOUNT_ACTION_WITHDRAW, roll(w, USERS), roll(w, ASSETS),
                 "0.00000000000000001");
    } else {
        place(w, order);
    }
    if (roll(w, 25) == 0) {
        commit(w);
    }
}

static void check_nothing_is_held(struct world *w)
{
    for (size_t u = 0; u < USERS; u++) {
        ck_assert_int_eq(risk_account_of(w->risk, users[u]).open_orders, 0);
        for (size_t a = 0; a < ASSETS; a++) {
            struct oms_settle_balance books;

            (void)fixture_settle_balance(w->settle, users[u], assets[a], &books);
            ck_assert(books.hold == 0);
        }
        for (size_t i = 0; i < SYMBOLS; i++) {
            const struct oms_risk_exposure exposure =
                risk_exposure_of(w->risk, users[u], symbols[i]);

            ck_assert(exposure.open_buy == 0 && exposure.open_sell == 0);
            ck_assert_int_eq(exposure.open_orders, 0);
        }
    }
    ck_assert_uint_eq(mr_driver_store_count(w->risk, "orders"), 0);
    ck_assert_uint_eq(mr_driver_store_count(w->settle, "orders"), 0);
}

START_TEST(money_is_conserved_in_any_sequence)
{
    static struct world world;
    struct world *w = &world;

    memset(w, 0, sizeof(*w));
    w->random = UINT64_C(88172645463325252) * (uint64_t)(_i + 1);
    w->risk = mr_driver_create(&risk_stage, NULL, 0);
    w->settle = mr_driver_create(&settle_stage, NULL, 0);
    for (size_t i = 0; i < SYMBOLS; i++) {
        const struct oms_instrument record = instrument(i);

        mr_driver_table_set(w->risk, "instruments", record.symbol, &record);
    }
    for (size_t u = 0; u < USERS; u++) {
        transfer(w, OMS_ACCOUNT_ACTION_DEPOSIT, u, 0, "0.000000000000004");
        transfer(w, OMS_ACCOUNT_ACTION_DEPOSIT, u, 1, "0.0000002");
        transfer(w, OMS_ACCOUNT_ACTION_DEPOSIT, u, 2, "0.0000002");
    }
    for (int i = 0; i < STEPS; i++) {
        step(w);
    }
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (w->orders[i].open) {
            cancel(w, &w->orders[i]);
        }
    }
    commit(w);
    check_nothing_is_held(w);
    /* A run that never trades or never lacks funds proves nothing. */
    ck_assert_uint_gt(w->trades, 200);
    ck_assert_uint_gt(w->rejected, 20);
    ck_assert_uint_eq(mr_driver_counter(w->settle, "overdrawn_total"), 0);
    ck_assert_uint_eq(mr_driver_scan_calls(w->risk), 0);
    mr_driver_destroy(&w->risk);
    mr_driver_destroy(&w->settle);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conservation");
    TCase *tcase = tcase_create("conservation");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, money_is_conserved_in_any_sequence, 0, 10);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
