/*
 * test_plan.c
 *
 * Goal:   each recorded trade becomes exactly the two orders that make it again, and what is mixed
 * in breaks what it says. Method: a made-up tape; the plan read to its end.
 */
#include "load_decimal.h"
#include "load_malformed.h"
#include "load_plan.h"
#include "millrace/partition.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS 6
#define TRADES 200
#define ONE LOAD_DECIMAL_ONE

static struct load_trade trades[TRADES];
static struct load_tape tape;
static struct load_desk desks[2];

static void setup(void)
{
    struct mr_err err;

    tape = (struct load_tape){.trades = trades, .count = TRADES, .symbol_count = 2};
    for (size_t i = 0; i < TRADES; i++) {
        trades[i] = (struct load_trade){.price = (100 + (mr_i128)(i % 5)) * ONE,
                                        .qty = (1 + (mr_i128)(i % 3)) * ONE,
                                        .trade_id = (int64_t)i,
                                        .ts_us = (int64_t)i * 1000,
                                        .symbol = (uint32_t)(i % 2),
                                        .buyer_maker = i % 3 == 0};
    }
    for (size_t s = 0; s < 2; s++) {
        (void)snprintf(tape.symbols[s].name, sizeof tape.symbols[s].name, "SYM%zu", s);
        tape.symbols[s].price_low = 100 * ONE;
        tape.symbols[s].price_high = 104 * ONE;
        desks[s] = (struct load_desk){.tick = ONE / 100,
                                      .lot = ONE / 1000,
                                      .max_price = 1000000 * ONE,
                                      .max_qty = 9000 * ONE};
        (void)snprintf(desks[s].symbol, sizeof desks[s].symbol, "SYM%zu", s);
        load_desk_users(&desks[s], "run1", s, 3, PARTITIONS);
        ck_assert_int_eq(load_desk_reference(&desks[s], &tape.symbols[s], 100000, &err), MR_OK);
    }
}

START_TEST(all_users_of_a_symbol_share_a_partition_and_differ)
{
    for (size_t s = 0; s < 2; s++) {
        const struct load_desk *desk = &desks[s];

        for (size_t i = 0; i < desk->users_each; i++) {
            ck_assert_int_eq(mr_partition_of(mr_slice_str(desk->makers[i]), PARTITIONS),
                             desk->partition);
            ck_assert_int_eq(mr_partition_of(mr_slice_str(desk->takers[i]), PARTITIONS),
                             desk->partition);
            ck_assert_str_ne(desk->makers[i], desk->takers[i]);
        }
        ck_assert_int_eq(mr_partition_of(mr_slice_str(desk->poor), PARTITIONS), desk->partition);
        ck_assert_int_eq(mr_partition_of(mr_slice_str(desk->probe), PARTITIONS), desk->partition);
    }
    ck_assert_int_ne(desks[0].partition, desks[1].partition);
}
END_TEST

START_TEST(a_trade_becomes_its_maker_and_its_taker_and_nothing_else)
{
    const struct load_shares none = {0};
    struct load_plan *plan = load_plan_create(&tape, desks, &none, "run1", 1, 1);
    const struct load_item *item = NULL;

    for (size_t i = 0; i < TRADES; i++) {
        const struct load_trade *trade = &trades[i];
        char maker_user[LOAD_USER_BYTES_MAX];

        ck_assert(load_plan_next(plan, &item));
        ck_assert_int_eq(item->command.action, OMS_ACTION_NEW);
        ck_assert_int_eq(item->command.tif, OMS_TIME_IN_FORCE_GTC);
        ck_assert_int_eq(item->command.side, trade->buyer_maker ? OMS_SIDE_BUY : OMS_SIDE_SELL);
        ck_assert(item->command.price == trade->price && item->command.qty == trade->qty);
        ck_assert_int_eq(item->command.ts_us, trade->ts_us);
        (void)snprintf(maker_user, sizeof maker_user, "%s", item->user);

        ck_assert(load_plan_next(plan, &item));
        ck_assert_int_eq(item->command.tif, OMS_TIME_IN_FORCE_IOC);
        ck_assert_int_eq(item->command.side, trade->buyer_maker ? OMS_SIDE_SELL : OMS_SIDE_BUY);
        ck_assert(item->command.price == trade->price && item->command.qty == trade->qty);
        ck_assert_str_ne(item->user, maker_user);
        ck_assert_int_eq(item->number, (int64_t)i * 2 + 1);
    }
    ck_assert(!load_plan_next(plan, &item));
    load_plan_destroy(&plan);
}
END_TEST

START_TEST(a_seed_decides_everything)
{
    const struct load_shares mixed = {.duplicates = 300000, .invalid = 300000, .malformed = 200000};
    struct load_plan *a = load_plan_create(&tape, desks, &mixed, "run1", 1, 42);
    struct load_plan *b = load_plan_create(&tape, desks, &mixed, "run1", 1, 42);
    struct load_plan *c = load_plan_create(&tape, desks, &mixed, "run1", 1, 43);
    const struct load_item *of_a = NULL, *of_b = NULL, *of_c = NULL;
    bool differs = false;

    while (load_plan_next(a, &of_a)) {
        ck_assert(load_plan_next(b, &of_b));
        ck_assert_str_eq(of_a->event_id, of_b->event_id);
        ck_assert_str_eq(of_a->user, of_b->user);
        differs = differs || !load_plan_next(c, &of_c) || of_a->expect != of_c->expect;
    }
    ck_assert(!load_plan_next(b, &of_b));
    ck_assert(differs);
    load_plan_destroy(&a);
    load_plan_destroy(&b);
    load_plan_destroy(&c);
}
END_TEST

/* Everything mixed in at once; each kind by what it must be. */
static void check_mixed(const struct load_item *item, const struct load_item *last_cancelled,
                        bool *code_seen)
{
    enum load_expect expect;
    int64_t number = 0;
    int code = 0;

    if (item->expect == LOAD_DEAD_LETTER) {
        ck_assert_uint_gt(item->malformed_bytes, 0);
        return;
    }
    ck_assert(load_event_parse(item->command.event_id, "run1", &number, &expect, &code));
    ck_assert_int_eq(number, item->number);
    ck_assert_int_eq(expect, item->expect);
    ck_assert_int_eq(code, item->code);
    if (item->expect == LOAD_REJECTED) {
        code_seen[item->code] = true;
    }
    if (item->expect == LOAD_CANCELLED) {
        ck_assert_int_eq(item->command.action, OMS_ACTION_CANCEL);
        ck_assert(
            mr_slice_equal(item->command.target_order_id, mr_slice_str(last_cancelled->order_id)));
    }
}

START_TEST(what_is_mixed_in_says_what_it_must_come_to)
{
    const struct load_shares mixed = {.duplicates = 200000,
                                      .conflicts = 200000,
                                      .invalid = 500000,
                                      .unfunded = 200000,
                                      .cancels = 200000,
                                      .malformed = 200000,
                                      .market_takers = 200000};
    struct load_plan *plan = load_plan_create(&tape, desks, &mixed, "run1", 1, 7);
    const struct load_item *item = NULL;
    struct load_item before = {0};
    int64_t counts[LOAD_DEAD_LETTER + 1] = {0};
    static const int codes[] = {1102, 1103, 1112, 1113, 1141, 1151, 3001, 3601};
    bool *code_seen = calloc(5000, sizeof *code_seen);
    int64_t next = 0;

    while (load_plan_next(plan, &item)) {
        ck_assert_int_eq(item->number, next);
        next++;
        check_mixed(item, &before, code_seen);
        counts[item->expect]++;
        before = *item;
    }
    for (size_t i = 0; i < MR_COUNT(counts); i++) {
        ck_assert_msg(counts[i] > 20, "kind %zu", i);
    }
    for (size_t i = 0; i < MR_COUNT(codes); i++) {
        ck_assert_msg(code_seen[codes[i]], "code %d", codes[i]);
    }
    free(code_seen);
    load_plan_destroy(&plan);
}
END_TEST

START_TEST(a_duplicate_repeats_its_original_and_a_conflict_does_not)
{
    const struct load_shares all = {.duplicates = LOAD_PPM, .conflicts = LOAD_PPM};
    struct load_plan *plan = load_plan_create(&tape, desks, &all, "run1", 1, 7);
    const struct load_item *item = NULL;
    struct load_item maker;

    ck_assert(load_plan_next(plan, &item));
    maker = *item;
    ck_assert(load_plan_next(plan, &item)); /* taker */
    ck_assert(load_plan_next(plan, &item));
    ck_assert_int_eq(item->expect, LOAD_DUPLICATE);
    ck_assert_str_eq(item->key_id, maker.key_id);
    ck_assert_str_eq(item->order_id, maker.order_id);
    ck_assert_str_ne(item->event_id, maker.event_id);
    ck_assert(item->command.qty == maker.command.qty && item->command.price == maker.command.price);
    ck_assert(load_plan_next(plan, &item));
    ck_assert_int_eq(item->expect, LOAD_CONFLICT);
    ck_assert_str_eq(item->key_id, maker.key_id);
    ck_assert_str_ne(item->order_id, maker.order_id);
    ck_assert(item->command.qty != maker.command.qty);
    load_plan_destroy(&plan);
}
END_TEST

static const struct {
    int64_t low, high;
    bool good;
    const char *why;
} collar_rows[] = {
    {100, 100, true, "one price"},
    {100, 104, true, "a narrow tape"},
    {90, 109, true, "room above for orders that wait"},
    {90, 110, false, "exactly the collar on both sides: no such room"},
    {89, 111, false, "one beyond"},
    {10, 100, false, "far beyond"},
};

START_TEST(the_reference_keeps_every_trade_inside_the_collar_or_says_no)
{
    struct load_tape_symbol symbol = {.price_low = collar_rows[_i].low * ONE,
                                      .price_high = collar_rows[_i].high * ONE};
    struct mr_err err;
    const enum mr_status status = load_desk_reference(&desks[0], &symbol, 100000, &err);

    ck_assert_msg((status == MR_OK) == collar_rows[_i].good, "%s", collar_rows[_i].why);
    if (status == MR_OK) {
        ck_assert(desks[0].reference % desks[0].tick == 0);
        ck_assert(desks[0].waiting % desks[0].tick == 0);
        ck_assert(desks[0].waiting > symbol.price_high);
        ck_assert(desks[0].waiting * 10 <= desks[0].reference * 11);
    }
}
END_TEST

static const struct {
    const char *event_id;
    bool good;
    const char *why;
} event_rows[] = {
    {"run1-5-a", true, "accepted"},     {"run1-5-r1103", true, "rejected with a code"},
    {"run1-5-d", true, "duplicate"},    {"run1-5-q", false, "unknown expectation"},
    {"run1-5-r", false, "no code"},     {"run1-5-", false, "no expectation"},
    {"run1-5", false, "cut short"},     {"run1--a", false, "no number"},
    {"run2-5-a", false, "another run"}, {"run11-5-a", false, "a longer run"},
    {"run1.probe0", false, "a probe"},  {"", false, "empty"},
};

START_TEST(a_plan_that_is_stopped_ends_at_a_whole_trade)
{
    const struct load_shares shares = {.duplicates = 500000, .cancels = 500000};
    struct load_plan *plan = load_plan_create(&tape, desks, &shares, "run1", 7, 1);
    struct load_plan *whole = load_plan_create(&tape, desks, &shares, "run1", 7, 1);
    const struct load_item *item = NULL;
    const struct load_item *same = NULL;
    size_t items = 0;

    while (load_plan_next(plan, &item)) {
        ck_assert(load_plan_next(whole, &same));
        ck_assert_str_eq(item->event_id, same->event_id);
        items++;
        if (items == 100) {
            load_plan_stop(plan);
        }
    }
    ck_assert_uint_ge(items, 100);
    ck_assert_uint_lt(load_plan_trades(plan), TRADES);
    /* What the whole plan gives next belongs to the next trade. */
    ck_assert_uint_eq(load_plan_trades(whole), load_plan_trades(plan));
    ck_assert(load_plan_next(whole, &same));
    ck_assert_uint_eq(load_plan_trades(whole), load_plan_trades(plan) + 1);
    ck_assert(!load_plan_next(plan, &item));
    load_plan_destroy(&plan);
    load_plan_destroy(&whole);
}
END_TEST

START_TEST(an_event_id_of_the_run_is_told_from_others)
{
    enum load_expect expect;
    int64_t number = 0;
    int code = 0;

    ck_assert_msg(load_event_parse(mr_slice_str(event_rows[_i].event_id), "run1", &number, &expect,
                                   &code) == event_rows[_i].good,
                  "%s", event_rows[_i].why);
}
END_TEST

START_TEST(malformed_records_cannot_be_decoded)
{
    uint8_t bytes[LOAD_MALFORMED_BYTES_MAX];
    const size_t len = load_malformed_write(_i, 7, "run1-3-m", bytes, sizeof bytes);
    const bool framed = len >= 5 && bytes[0] == 0 && bytes[4] == 7 && bytes[1] == 0;
    struct oms_order_command command;
    struct mr_err err;

    ck_assert_uint_gt(len, 0);
    ck_assert_uint_le(len, sizeof bytes);
    if (framed) { /* the others fail before the body */
        ck_assert_int_ne(
            oms_order_command_schema.decode(mr_slice_of(bytes + 5, len - 5), NULL, &command, &err),
            MR_OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("plan");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, all_users_of_a_symbol_share_a_partition_and_differ);
    tcase_add_test(tcase, a_trade_becomes_its_maker_and_its_taker_and_nothing_else);
    tcase_add_test(tcase, a_seed_decides_everything);
    tcase_add_test(tcase, what_is_mixed_in_says_what_it_must_come_to);
    tcase_add_test(tcase, a_duplicate_repeats_its_original_and_a_conflict_does_not);
    tcase_add_test(tcase, a_plan_that_is_stopped_ends_at_a_whole_trade);
    tcase_add_loop_test(tcase, the_reference_keeps_every_trade_inside_the_collar_or_says_no, 0,
                        (int)MR_COUNT(collar_rows));
    tcase_add_loop_test(tcase, an_event_id_of_the_run_is_told_from_others, 0,
                        (int)MR_COUNT(event_rows));
    tcase_add_loop_test(tcase, malformed_records_cannot_be_decoded, 0, 6);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
