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
#include "avro/ledger_entry.h"
#include "avro/settle_order.h"
#include "settle_world.h"

#include <stdlib.h>

#define STEPS 600
#define SHUFFLED_STEPS 200

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

        ck_assert_int_eq(entry->seq, ++w->seq[index_of(entry->user_id, world_users, USERS)]);
        for (size_t i = 0; i < entry->postings.count; i++) {
            const struct oms_posting *p = &entry->postings.items[i];
            const size_t asset = index_of(p->asset, world_assets, ASSETS);
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

        (void)fixture_settle_balance(w->driver, world_users[u], world_assets[a], &books);
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

        if (!mr_driver_store_get(w->driver, "accounts", s(world_users[u]), &row)) {
            continue;
        }
        for (size_t i = 0; i < row.positions.count; i++) {
            const struct oms_settle_position *p = &row.positions.items[i];
            const size_t symbol = index_of(p->symbol, world_symbols, SYMBOLS);
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

static uint64_t number_from(const char *name, uint64_t fallback)
{
    const char *given = getenv(name);

    return given != NULL ? strtoull(given, NULL, 10) : fallback;
}

START_TEST(the_books_are_what_a_model_adds_up_to)
{
    const uint64_t seed = number_from(SEED_NAME, (uint64_t)_i + 1);
    const uint64_t steps = number_from(STEPS_NAME, STEPS);

    world_open(seed);
    for (step_now = 1; step_now <= steps; step_now++) {
        world_step();
        check_all();
        world_commit();
    }
    ck_assert_uint_eq(mr_driver_counter(w->driver, "overdrawn_total"), 0);
    HOLDS(steps < STEPS || (w->fills > 40 && w->amended > 10 && w->reversed > 3));
    world_close();
}
END_TEST

static void shuffle(struct oms_execution_report *reports, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t other = world_roll(i);
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

    world_open(seed);
    for (step_now = 1; step_now <= SHUFFLED_STEPS; step_now++) {
        world_step();
        check_all();
        world_commit();
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
    world_close();
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
