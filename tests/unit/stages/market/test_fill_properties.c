/*
 * Goal: what must hold for any input: sums of every order, gapless numbers, deltas that give the
 *       book, the tape of a naive matcher, and no byte changed by aborts, poison or restarts.
 * Method: random orders of five users around one price, by seed. The naive matcher keeps a plain
 *         list and looks through all of it for each trade.
 */
#include "fill_memory.h"
#include "fill_mirror.h"

#define USERS 5
#define BLOCKS 40
#define BLOCK_ORDERS 20
#define ORDERS_MAX (BLOCKS * BLOCK_ORDERS)

/* --- random commands ------------------------------------------------------------------------ */

struct command {
    char id[16];
    char target[16];
    char user[4];
    struct oms_order_command order;
};

struct source {
    uint64_t seed;
    int issued;
};

static uint64_t next_random(struct source *source)
{
    source->seed = source->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return source->seed >> 33;
}

static void kind_of(struct source *source, struct oms_order_command *order)
{
    switch (next_random(source) % 8) {
    case 0:
        order->tif = OMS_TIME_IN_FORCE_IOC;
        break;
    case 1:
        order->ord_type = OMS_ORDER_TYPE_MARKET;
        order->tif = OMS_TIME_IN_FORCE_IOC;
        order->has_collar_px = true;
        order->collar_px = order->price;
        order->has_price = false;
        break;
    case 2:
        order->post_only = true;
        break;
    case 3:
        order->tif = OMS_TIME_IN_FORCE_FOK;
        break;
    default:
        break;
    }
}

/* Also ids used before, cancels of anything, and self-trades under every mode. */
static void draw(struct source *source, struct command *command)
{
    const int known =
        source->issued == 0 ? 0 : (int)(next_random(source) % (uint64_t)source->issued);
    const bool again = next_random(source) % 30 == 0;

    (void)snprintf(command->user, sizeof(command->user), "u%d", (int)(next_random(source) % USERS));
    (void)snprintf(command->id, sizeof(command->id), "o%d", again ? known : source->issued);
    (void)snprintf(command->target, sizeof(command->target), "o%d", known);
    source->issued++;
    if (next_random(source) % 4 == 0) {
        command->order = cancel_of(command->id, command->user, command->target);
    } else {
        static const enum oms_stp_mode modes[] = {OMS_STP_MODE_EXPIRE_TAKER,
                                                  OMS_STP_MODE_EXPIRE_MAKER,
                                                  OMS_STP_MODE_EXPIRE_BOTH, OMS_STP_MODE_NONE};

        command->order = limit_of(command->id, command->user,
                                  next_random(source) % 2 == 0 ? 'B' : 'S', "1", "1");
        command->order.price = dec("95") + (mr_i128)(next_random(source) % 1000) * dec("0.01");
        command->order.qty = (mr_i128)(next_random(source) % 50 + 1) * dec("0.00001");
        command->order.stp_mode = modes[next_random(source) % MR_COUNT(modes)];
        kind_of(source, &command->order);
        approve(&command->order);
        if (next_random(source) % 3 == 0) {
            command->order.fee_maker = dec("-0.0005"); /* a rebate */
        }
        command->order.has_client_order_id = next_random(source) % 2 == 0;
        command->order.client_order_id = mr_slice_str(command->id);
    }
    command->order.ts_us = START_US + source->issued;
}

START_TEST(reports_of_every_order_add_up)
{
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    struct source source = {.seed = (uint64_t)_i + 1};
    struct command command;

    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    for (int i = 0; i < ORDERS_MAX; i++) {
        draw(&source, &command);
        ck_assert_int_eq(push(driver, command.order), MR_OK);
    }
    ck_assert_uint_gt(trades(driver), 50);
    check_all_reports(driver);
    mr_driver_destroy(&driver);
}
END_TEST

/* --- fates ---------------------------------------------------------------------------------- */

static void compare(struct mr_driver *a, struct mr_driver *b, const char *port)
{
    const size_t count = mr_driver_emit_count(a, port);

    ck_assert_uint_eq(count, mr_driver_emit_count(b, port));
    for (size_t i = 0; i < count; i++) {
        ck_assert(
            mr_slice_equal(mr_driver_emit_bytes(a, port, i), mr_driver_emit_bytes(b, port, i)));
        ck_assert(mr_slice_equal(mr_driver_emit_key(a, port, i), mr_driver_emit_key(b, port, i)));
    }
}

enum fate { FATE_NONE, FATE_ABORT, FATE_POISON, FATE_FAULT, FATE_RESTART, FATE_COUNT };

/* A store or emit fails in the middle of the command; the command comes again. */
static void strike(struct mr_driver *driver, const struct command *commands, size_t at,
                   enum mr_driver_fault fault, unsigned nth)
{
    mr_driver_fail(driver, fault, nth);
    if (push(driver, commands[at].order) == MR_OK) {
        /* It made fewer calls than that. */
        mr_driver_fail(driver, MR_DRIVER_FAULT_NONE, 1);
        return;
    }
    /* A poison undoes one record, any other failure the transaction so far. */
    for (size_t i = fault == MR_DRIVER_FAULT_EMIT_POISON ? at : 0; i <= at; i++) {
        ck_assert_int_eq(push(driver, commands[i].order), MR_OK);
    }
}

static void run_block(struct mr_driver *driver, const struct command *commands, enum fate fate,
                      struct source *dice)
{
    const size_t at = next_random(dice) % BLOCK_ORDERS;
    const unsigned nth = (unsigned)(next_random(dice) % 4) + 1;

    for (size_t i = 0; i < BLOCK_ORDERS; i++) {
        if (i == at && fate == FATE_POISON) {
            strike(driver, commands, i, MR_DRIVER_FAULT_EMIT_POISON, nth);
        } else if (i == at && fate == FATE_FAULT) {
            strike(driver, commands, i, nth % 2 == 0 ? MR_DRIVER_FAULT_PUT : MR_DRIVER_FAULT_EMIT,
                   nth);
        } else {
            ck_assert_int_eq(push(driver, commands[i].order), MR_OK);
        }
    }
}

static void run_fates(uint64_t seed, bool poison)
{
    static struct command commands[BLOCK_ORDERS];
    struct mr_driver *plain = mr_driver_create(&fill_stage, NULL, 0);
    struct mr_driver *shaken = mr_driver_create(&fill_stage, NULL, 0);
    struct source source = {.seed = seed};
    struct source dice = {.seed = seed + 99};

    list(plain, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    list(shaken, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    ck_assert_int_eq(mr_driver_commit(plain), MR_OK);
    ck_assert_int_eq(mr_driver_commit(shaken), MR_OK);
    for (int block = 0; block < BLOCKS; block++) {
        enum fate fate = (enum fate)(next_random(&dice) % FATE_COUNT);

        fate = fate == FATE_POISON && !poison ? FATE_NONE : fate;
        for (size_t i = 0; i < BLOCK_ORDERS; i++) {
            draw(&source, &commands[i]);
        }
        run_block(plain, commands, FATE_NONE, &dice);
        run_block(shaken, commands, fate, &dice);
        if (fate == FATE_ABORT) {
            mr_driver_abort(shaken);
            run_block(shaken, commands, FATE_NONE, &dice);
        }
        ck_assert_int_eq(mr_driver_commit(plain), MR_OK);
        if (block % 7 == 3) {
            /* The flush itself fails, and the whole transaction comes again. */
            mr_driver_fail(shaken, MR_DRIVER_FAULT_EMIT, 2);
            if (mr_driver_commit(shaken) != MR_OK) {
                run_block(shaken, commands, FATE_NONE, &dice);
            }
            mr_driver_fail(shaken, MR_DRIVER_FAULT_NONE, 1);
        }
        ck_assert_int_eq(mr_driver_commit(shaken), MR_OK);
        if (fate == FATE_RESTART) {
            mr_driver_restart(shaken);
        }
    }
    compare(plain, shaken, "executions");
    compare(plain, shaken, "trades");
    compare(plain, shaken, "snapshots");
    if (!poison) {
        compare(plain, shaken, "book");
    }
    ck_assert(mr_driver_state_digest(plain) == mr_driver_state_digest(shaken));
    check_books(plain);
    check_books(shaken);
    check_all_reports(shaken);
    mr_driver_destroy(&plain);
    mr_driver_destroy(&shaken);
}

START_TEST(aborts_faults_and_restarts_change_no_byte)
{
    run_fates((uint64_t)_i + 500, false);
}
END_TEST

START_TEST(a_poisoned_record_may_only_name_more_levels_in_a_delta)
{
    run_fates((uint64_t)_i + 900, true);
}
END_TEST

START_TEST(a_flush_that_fails_half_way_leaves_no_gap)
{
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    struct oms_order_command other = limit_of("b", "u1", 'B', "100", "1");
    const struct oms_book_delta *delta = NULL;

    other.symbol = mr_slice_str("ETHUSDT");
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    list(driver, "ETHUSDT", OMS_SYMBOL_STATE_TRADING);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    add(driver, "a", "u1", 'B', "100", "1");
    ck_assert_int_eq(push(driver, other), MR_OK);
    mr_driver_fail(driver, MR_DRIVER_FAULT_EMIT, 3); /* the second symbol's delta */
    ck_assert_int_eq(mr_driver_commit(driver), MR_TXN_ABORT);
    add(driver, "a", "u1", 'B', "100", "1");
    ck_assert_int_eq(push(driver, other), MR_OK);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "book"), 2);
    delta = mr_driver_emit(driver, "book", 0);
    ck_assert_int_eq(delta->first_seq, 1);
    ck_assert_int_eq(delta->last_seq, 1);
    ck_assert_uint_eq(delta->bids.count, 1);
    mr_driver_destroy(&driver);
}
END_TEST

START_TEST(an_undo_rebuilds_only_what_the_transaction_touched)
{
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    size_t scans = 0;

    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    list(driver, "ETHUSDT", OMS_SYMBOL_STATE_TRADING);
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    add(driver, "a", "u1", 'B', "100", "1");
    scans = mr_driver_scan_calls(driver);
    mr_driver_abort(driver);
    ck_assert_uint_eq(mr_driver_scan_calls(driver) - scans, 1);
    mr_driver_destroy(&driver);
}
END_TEST

/* --- naive matcher -------------------------------------------------------------------------- */

struct naive_order {
    char id[16];
    char user[4];
    enum oms_side side;
    mr_i128 price;
    mr_i128 leaves;
};

struct naive {
    struct naive_order orders[ORDERS_MAX]; /* by arrival; leaves 0: gone */
    size_t count;
    size_t trades;
};

static struct naive_order *naive_find(struct naive *naive, const char *id)
{
    for (size_t i = 0; i < naive->count; i++) {
        if (naive->orders[i].leaves > 0 && strcmp(naive->orders[i].id, id) == 0) {
            return &naive->orders[i];
        }
    }
    return NULL;
}

/* The maker that price and time choose, NULL when none is within the limit. */
static struct naive_order *naive_best(struct naive *naive, enum oms_side taker, mr_i128 limit)
{
    struct naive_order *best = NULL;

    for (size_t i = 0; i < naive->count; i++) {
        struct naive_order *order = &naive->orders[i];
        const bool buy = taker == OMS_SIDE_BUY;

        if (order->leaves > 0 && order->side != taker &&
            (buy ? order->price <= limit : order->price >= limit) &&
            (best == NULL || (buy ? order->price < best->price : order->price > best->price))) {
            best = order;
        }
    }
    return best;
}

static void naive_trade(struct naive *naive, struct mr_driver *driver, struct naive_order *maker,
                        const struct command *command, mr_i128 qty)
{
    const struct oms_trade *one = trade(driver, naive->trades++);

    ck_assert(is_text(one->maker_order_id, maker->id));
    ck_assert(is_text(one->taker_order_id, command->id));
    ck_assert(one->qty == qty && one->price == maker->price);
    maker->leaves -= qty;
}

/* LIMIT GTC, IOC and MARKET without self-trade prevention, and CANCEL. */
static void naive_play(struct naive *naive, struct mr_driver *driver, const struct command *command)
{
    const struct oms_order_command *order = &command->order;
    const mr_i128 limit = order->has_collar_px ? order->collar_px : order->price;
    mr_i128 leaves = order->qty;
    struct naive_order *maker = NULL;

    if (order->action == OMS_ACTION_CANCEL) {
        maker = naive_find(naive, command->target);
        if (maker != NULL && strcmp(maker->user, command->user) == 0) {
            maker->leaves = 0;
        }
        return;
    }
    if (naive_find(naive, command->id) != NULL) {
        return;
    }
    while (leaves > 0 && (maker = naive_best(naive, order->side, limit)) != NULL) {
        const mr_i128 qty = dec_min(leaves, maker->leaves);

        naive_trade(naive, driver, maker, command, qty);
        leaves -= qty;
    }
    if (leaves > 0 && order->tif == OMS_TIME_IN_FORCE_GTC) {
        struct naive_order *rest = &naive->orders[naive->count++];

        *rest = (struct naive_order){.side = order->side, .price = limit, .leaves = leaves};
        memcpy(rest->id, command->id, sizeof(rest->id));
        memcpy(rest->user, command->user, sizeof(rest->user));
    }
}

START_TEST(the_tape_is_that_of_a_naive_matcher)
{
    static struct naive naive;
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    struct source source = {.seed = (uint64_t)_i + 300};
    size_t resting = 0;

    memset(&naive, 0, sizeof(naive));
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    for (int i = 0; i < ORDERS_MAX; i++) {
        struct command command;

        draw(&source, &command);
        command.order.stp_mode = OMS_STP_MODE_NONE;
        command.order.post_only = false;
        if (command.order.tif == OMS_TIME_IN_FORCE_FOK) {
            command.order.tif = OMS_TIME_IN_FORCE_GTC;
        }
        ck_assert_int_eq(push(driver, command.order), MR_OK);
        naive_play(&naive, driver, &command);
        ck_assert_uint_eq(trades(driver), naive.trades);
    }
    for (size_t i = 0; i < naive.count; i++) {
        resting += naive.orders[i].leaves > 0;
    }
    ck_assert_uint_gt(naive.trades, 100);
    ck_assert_uint_eq(mr_driver_store_count(driver, "orders"), resting);
    mr_driver_destroy(&driver);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill properties");
    TCase *random = tcase_create("random");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_set_timeout(random, 60);
    tcase_add_loop_test(random, reports_of_every_order_add_up, 0, 4);
    tcase_add_loop_test(random, the_tape_is_that_of_a_naive_matcher, 0, 4);
    tcase_add_loop_test(random, aborts_faults_and_restarts_change_no_byte, 0, 6);
    tcase_add_loop_test(random, a_poisoned_record_may_only_name_more_levels_in_a_delta, 0, 6);
    tcase_add_test(random, a_flush_that_fails_half_way_leaves_no_gap);
    tcase_add_test(random, an_undo_rebuilds_only_what_the_transaction_touched);
    suite_add_tcase(suite, random);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
