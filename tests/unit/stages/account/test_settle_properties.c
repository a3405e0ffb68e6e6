/*
 * Goal:   whatever happens to orders and transfers, the books are those of a model that only adds:
 *         1 per asset users, fees, clearing and the outside are 0 together, after every journal;
 *         2 clearing is 0 when both legs of a trade are posted, and every journal balances;
 *         3 nothing is negative, an account's hold is the sum of its orders' and transfers' holds;
 *         4 fees credited are fees debited;
 *         18 profit realised less cost is the cash that moved, and that, over all symbols, is the
 *            change of the user's equity less net deposits; a flat position costs nothing.
 *         And in any order of reports, doubled at will: an order that is over posts nothing more,
 * no journal comes twice, journals balance, versions only rise. Method: an engine that obeys no
 * rule but the ledger's: random holds, fills, rebates, amendments, prevented trades, orders by
 * amount; copies of any report so far in between; both ways of cost. A failing seed prints the
 * command that repeats it, on the fewest steps that fail.
 */
#include "account_fixture.h"
#include "avro/ledger_entry.h"
#include "avro/position.h"
#include "avro/settle_order.h"
#include "settle/settle.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS 4
#define ASSETS 3 /* USDT, and the bases of the symbols */
#define SYMBOLS 2
#define ORDERS 24
#define TRANSFERS 16
#define HISTORY 8192
#define STEPS 600
#define SHUFFLED_STEPS 200
#define SEED_NAME "SETTLE_SEED"
#define STEPS_NAME "SETTLE_STEPS"

static const char *const users[USERS] = {"ann", "bob", "eve", "joe"};
static const char *const assets[ASSETS] = {"USDT", "BTC", "ETH"};
static const char *const symbols[SYMBOLS] = {"BTCUSDT", "ETHUSDT"};

struct model_order {
    bool open;
    size_t user, symbol;
    dec_t hold;
    struct oms_execution_report last;
};

struct model_transfer {
    int state; /* 0 none, 1 deposited, 2 withdrawn, 3 held */
    size_t user, asset;
    dec_t amount;
    char id[24];
};

struct world {
    struct mr_driver *driver;
    uint64_t random;
    char ids[HISTORY][24];
    size_t id_count;
    struct oms_execution_report history[HISTORY];
    size_t history_count;
    struct model_order orders[ORDERS];
    struct model_transfer transfers[TRANSFERS];
    dec_t available[USERS][ASSETS], hold[USERS][ASSETS];
    dec_t fees, external[ASSETS], net_deposits[USERS][ASSETS];
    dec_t cash[USERS][SYMBOLS], qty[USERS][SYMBOLS];
    dec_t posted[5][ASSETS]; /* of the ledger: avail, hold, clearing, fees, external */
    int64_t seq[USERS];
    size_t read;
    size_t fills, amended, reversed; /* a run without them proves nothing */
};

static struct world *w;
static uint64_t seed_now, step_now;

/* Says how to repeat it: up to the step that failed, which is the shortest run that does. */
#define HOLDS(condition)                                                                           \
    ck_assert_msg(condition,                                                                       \
                  "%s; repeat: " SEED_NAME "=%llu " STEPS_NAME "=%llu test_settle_properties",     \
                  #condition, (unsigned long long)seed_now, (unsigned long long)step_now)

static uint64_t roll(uint64_t sides)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % sides;
}

static dec_t amount_up_to(dec_t most)
{
    return most <= 0 ? 0 : (dec_t)roll((uint64_t)dec_min(most, 1000000) + 1);
}

static const char *new_id(const char *prefix)
{
    char *id = w->ids[w->id_count];

    ck_assert_uint_lt(w->id_count, HISTORY);
    (void)snprintf(id, sizeof(w->ids[0]), "%s%zu", prefix, w->id_count);
    w->id_count++;
    return id;
}

/* --- what the ledger says ----------------------------------------------------------------- */

static size_t index_of(struct mr_slice text, const char *const *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mr_slice_equal(text, s(all[i]))) {
            return i;
        }
    }
    ck_abort_msg("unknown name");
    return 0;
}

static bool ends_with(struct mr_slice text, const char *word)
{
    const size_t len = strlen(word);

    return text.len >= len && memcmp(text.data + text.len - len, word, len) == 0;
}

static size_t class_of(struct mr_slice account)
{
    static const char *const words[] = {"clearing:", "fees:", "external:"};

    for (size_t i = 0; i < MR_COUNT(words); i++) {
        if (account.len > strlen(words[i]) &&
            memcmp(account.data, words[i], strlen(words[i])) == 0) {
            return i + 2;
        }
    }
    return ends_with(account, ":hold") ? 1 : 0;
}

static void read_ledger(void)
{
    for (; w->read < mr_driver_emit_count(w->driver, "ledger"); w->read++) {
        const struct oms_ledger_entry *entry = mr_driver_emit(w->driver, "ledger", w->read);
        dec_t sums[ASSETS] = {0};

        ck_assert_int_eq(entry->seq, ++w->seq[index_of(entry->user_id, users, USERS)]);
        for (size_t i = 0; i < entry->postings.count; i++) {
            const struct oms_posting *p = &entry->postings.items[i];
            const size_t asset = index_of(p->asset, assets, ASSETS);
            const dec_t value = p->direction == OMS_DIRECTION_CREDIT ? p->amount : -p->amount;

            HOLDS(p->amount > 0);
            sums[asset] += value;
            w->posted[class_of(p->account)][asset] += value;
        }
        for (size_t a = 0; a < ASSETS; a++) {
            HOLDS(sums[a] == 0);
        }
    }
}

/* --- the properties ----------------------------------------------------------------------- */

static void check_user(size_t u)
{
    dec_t held[ASSETS] = {0};
    dec_t gained = 0;

    for (size_t i = 0; i < ORDERS; i++) {
        const struct model_order *order = &w->orders[i];

        if (order->open && order->user == u) {
            held[order->last.side == OMS_SIDE_BUY ? 0 : 1 + order->symbol] += order->hold;
        }
    }
    for (size_t i = 0; i < TRANSFERS; i++) {
        const struct model_transfer *transfer = &w->transfers[i];

        held[transfer->asset] += transfer->state == 3 && transfer->user == u ? transfer->amount : 0;
    }
    for (size_t a = 0; a < ASSETS; a++) {
        struct oms_settle_balance books;

        (void)fixture_settle_balance(w->driver, users[u], assets[a], &books);
        HOLDS(books.available == w->available[u][a] && books.hold == w->hold[u][a]);
        HOLDS(books.available >= 0 && books.hold >= 0);
        HOLDS(books.hold == held[a]);
    }
    for (size_t i = 0; i < SYMBOLS; i++) {
        gained += w->cash[u][i];
        HOLDS(w->available[u][1 + i] + w->hold[u][1 + i] ==
              w->net_deposits[u][1 + i] + w->qty[u][i]);
    }
    HOLDS(w->available[u][0] + w->hold[u][0] == w->net_deposits[u][0] + gained);
}

static void check_positions(void)
{
    for (size_t u = 0; u < USERS; u++) {
        struct oms_settle_account row;

        if (!mr_driver_store_get(w->driver, "accounts", s(users[u]), &row)) {
            continue;
        }
        for (size_t i = 0; i < row.positions.count; i++) {
            const struct oms_settle_position *p = &row.positions.items[i];
            const size_t symbol = index_of(p->symbol, symbols, SYMBOLS);
            dec_t lots_qty = 0;
            dec_t lots_cost = 0;

            HOLDS(p->qty == w->qty[u][symbol]);
            HOLDS(p->realised_total - p->cost_basis == w->cash[u][symbol]);
            HOLDS(p->qty != 0 || p->cost_basis == 0);
            for (size_t k = 0; k < row.lots.count; k++) {
                if (mr_slice_equal(row.lots.items[k].symbol, p->symbol)) {
                    lots_qty += row.lots.items[k].qty;
                    lots_cost += row.lots.items[k].cost;
                }
            }
            HOLDS(row.lots.count == 0 || lots_qty == p->qty || lots_qty == 0);
            HOLDS(lots_qty == 0 || lots_cost == p->cost_basis);
        }
    }
}

static void check_all(void)
{
    read_ledger();
    for (size_t u = 0; u < USERS; u++) {
        check_user(u);
    }
    check_positions();
    for (size_t a = 0; a < ASSETS; a++) {
        dec_t user_sum = 0;

        for (size_t u = 0; u < USERS; u++) {
            user_sum += w->available[u][a] + w->hold[u][a];
        }
        HOLDS(w->posted[0][a] + w->posted[1][a] == user_sum);
        HOLDS(w->posted[2][a] == 0);
        HOLDS(w->posted[3][a] == (a == 0 ? w->fees : 0));
        HOLDS(w->posted[4][a] == w->external[a]);
        HOLDS(user_sum + w->posted[3][a] + w->posted[4][a] == 0);
    }
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
    if (roll(4) == 0) {
        push(report);
    }
    if (roll(3) == 0) {
        push(&w->history[roll(w->history_count)]);
    }
}

static void place(struct model_order *order)
{
    const enum oms_side side = roll(2) == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL;

    order->user = roll(USERS);
    order->symbol = roll(SYMBOLS);
    const size_t asset = side == OMS_SIDE_BUY ? 0 : 1 + order->symbol;

    order->hold = amount_up_to(w->available[order->user][asset] / (roll(8) == 0 ? 1 : 6));
    order->open = true;
    order->last = fixture_accepted(new_id("o"), users[order->user], side, "0", "0");
    order->last.symbol = s(symbols[order->symbol]);
    order->last.base_asset = s(assets[1 + order->symbol]);
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
    report.hold_after = leg->last ? 0 : left - amount_up_to(left) * (dec_t)roll(2);
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
    struct leg leg = {.price = DEC_ONE * (dec_t)(1 + roll(5)),
                      .qty = 1 + amount_up_to(dec_min(sell->hold, 50) - 1)};
    dec_t room = 0;

    leg.notional = leg.qty * (leg.price / DEC_ONE);
    room = buy->hold - leg.notional;
    if (sell->hold < leg.qty || room < 0) {
        return;
    }
    /* From a rebate of two atoms to what is there. */
    leg.fee = amount_up_to(dec_min(room, 4)) - dec_min(2, leg.notional) * (dec_t)roll(2);
    leg.last = roll(4) == 0;
    fill(buy, &leg);
    leg.fee = amount_up_to(dec_min(leg.notional, 3)) - (dec_t)roll(3);
    leg.last = roll(4) == 0;
    fill(sell, &leg);
}

static struct model_order *counterpart(const struct model_order *order)
{
    const size_t first = roll(ORDERS);

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

    switch (roll(14)) {
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
        fixture_transfer(id, users[t->user], action, assets[t->asset], "0");
    const uint64_t times = 1 + roll(2);

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
        .state = (int)roll(3) + 1, .user = roll(USERS), .asset = roll(ASSETS)};
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
    const bool commit = roll(2) == 0;
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

static void step(void)
{
    struct model_order *order = &w->orders[roll(ORDERS)];
    struct model_transfer *transfer = &w->transfers[roll(TRANSFERS)];

    if (roll(6) == 0) {
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
    check_all();
    if (roll(25) == 0) {
        ck_assert_int_eq(mr_driver_commit(w->driver), MR_OK);
        mr_driver_emits_clear(w->driver);
        w->read = 0;
        if (roll(3) == 0) {
            mr_driver_restart(w->driver);
        }
    }
}

/* --- the tests ---------------------------------------------------------------------------- */

static void open_world(uint64_t seed)
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

static void close_world(void)
{
    mr_driver_destroy(&w->driver);
    free(w);
    w = NULL;
}

static uint64_t number_from(const char *name, uint64_t fallback)
{
    const char *given = getenv(name);

    return given != NULL ? strtoull(given, NULL, 10) : fallback;
}

START_TEST(the_books_are_what_a_model_adds_up_to)
{
    const uint64_t seed = number_from(SEED_NAME, (uint64_t)_i + 1);
    const uint64_t steps = number_from(STEPS_NAME, STEPS);

    open_world(seed);
    for (step_now = 1; step_now <= steps; step_now++) {
        step();
    }
    ck_assert_uint_eq(mr_driver_counter(w->driver, "overdrawn_total"), 0);
    HOLDS(steps < STEPS || (w->fills > 40 && w->amended > 10 && w->reversed > 3));
    close_world();
}
END_TEST

static void shuffle(struct oms_execution_report *reports, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t other = roll(i);
        const struct oms_execution_report kept = reports[i - 1];

        reports[i - 1] = reports[other];
        reports[other] = kept;
    }
}

static bool is_end(const struct oms_execution_report *report)
{
    return report->exec_type == OMS_EXEC_TYPE_CANCELED ||
           (report->exec_type == OMS_EXEC_TYPE_TRADE && report->status == OMS_ORDER_STATUS_FILLED);
}

static bool seen_in(const struct oms_execution_report *const *list, size_t count,
                    struct mr_slice order_id)
{
    for (size_t i = 0; i < count; i++) {
        if (mr_slice_equal(list[i]->order_id, order_id)) {
            return true;
        }
    }
    return false;
}

START_TEST(in_any_order_an_order_that_is_over_stays_over)
{
    static const struct oms_execution_report *ended[HISTORY];
    const uint64_t seed = number_from(SEED_NAME, (uint64_t)_i + 1000);
    struct oms_execution_report *reports = NULL;
    struct mr_driver *shuffled = mr_driver_create(&settle_stage, NULL, 0);
    size_t ended_count = 0;
    size_t count = 0;

    open_world(seed);
    for (step_now = 1; step_now <= SHUFFLED_STEPS; step_now++) {
        step();
    }
    count = 2 * w->history_count;
    reports = mr_xcalloc(count, sizeof(*reports));
    memcpy(reports, w->history, w->history_count * sizeof(*reports));
    memcpy(reports + w->history_count, w->history, w->history_count * sizeof(*reports));
    shuffle(reports, count);
    for (size_t i = 0; i < count; i++) {
        const size_t entries = mr_driver_emit_count(shuffled, "ledger");
        const bool over = seen_in(ended, ended_count, reports[i].order_id);
        struct oms_settle_order before = {0};
        struct oms_settle_order after = {0};
        const bool known = mr_driver_store_get(shuffled, "orders", reports[i].order_id, &before);
        /* A fill may ask for more than the hold that it finds: a dead letter. */
        const enum mr_status status =
            mr_driver_push(shuffled, "executions", reports[i].user_id, &reports[i]);
        const bool there = mr_driver_store_get(shuffled, "orders", reports[i].order_id, &after);

        HOLDS(status == MR_OK || status == MR_OUT_OF_RANGE);
        HOLDS(!over || (!there && mr_driver_emit_count(shuffled, "ledger") == entries));
        HOLDS(!known || !there || after.last_version >= before.last_version);
        if (is_end(&reports[i]) && status == MR_OK) {
            ended[ended_count++] = &reports[i];
        }
    }
    for (size_t i = 0; i < mr_driver_emit_count(shuffled, "ledger"); i++) {
        const struct oms_ledger_entry *a = mr_driver_emit(shuffled, "ledger", i);

        for (size_t k = 0; k < i; k++) {
            const struct oms_ledger_entry *b = mr_driver_emit(shuffled, "ledger", k);

            HOLDS(!mr_slice_equal(a->journal_id, b->journal_id));
        }
    }
    for (size_t i = 0; i < mr_driver_emit_count(shuffled, "settled"); i++) {
        const struct oms_execution_report *a = mr_driver_emit(shuffled, "settled", i);

        for (size_t k = 0; k < i; k++) {
            const struct oms_execution_report *b = mr_driver_emit(shuffled, "settled", k);

            HOLDS(!mr_slice_equal(a->order_id, b->order_id));
        }
    }
    free(reports);
    mr_driver_destroy(&shuffled);
    close_world();
}
END_TEST

int main(void)
{
    const bool one = getenv(SEED_NAME) != NULL;
    Suite *suite = suite_create("settle: properties");
    TCase *tcase = tcase_create("properties");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 100);
    tcase_add_loop_test(tcase, the_books_are_what_a_model_adds_up_to, 0, one ? 1 : 16);
    tcase_add_loop_test(tcase, in_any_order_an_order_that_is_over_stays_over, 0, one ? 1 : 8);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
