/*
 * Goal:   the benchmark's flow is what it says: every order is on its instrument's grid, pairs
 * cross, nobody trades with himself within a pair, ids find their way back. Method: the first ten
 * thousand orders, each rule by itself; a table of ids that are nobody's.
 */
#include "flow.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN 0x0badcafeu
#define ORDERS 10000

static void make(int64_t number, struct flow_text *text, struct oms_order_command *command)
{
    flow_order(RUN, number, 1000 + number, text, command);
}

START_TEST(every_order_lies_on_the_grid_of_its_instrument)
{
    for (int64_t i = 0; i < ORDERS; i++) {
        struct flow_text text;
        struct oms_order_command command;
        struct oms_instrument instrument;

        make(i, &text, &command);
        flow_instrument(text.symbol, "BASE", 1, &instrument);
        ck_assert(mr_slice_equal(instrument.symbol, command.symbol));
        ck_assert(command.price > 0 && command.price % instrument.tick_size == 0);
        ck_assert(command.qty >= instrument.min_qty && command.qty % instrument.lot_size == 0);
        ck_assert_int_eq(command.ts_us, 1000 + i);
    }
}
END_TEST

START_TEST(two_in_a_row_cross_and_belong_to_two_users)
{
    for (int64_t i = 0; i < ORDERS; i += 2) {
        struct flow_text texts[2];
        struct oms_order_command buy;
        struct oms_order_command sell;

        make(i, &texts[0], &buy);
        make(i + 1, &texts[1], &sell);
        ck_assert_int_eq(buy.side, OMS_SIDE_BUY);
        ck_assert_int_eq(sell.side, OMS_SIDE_SELL);
        ck_assert(buy.price == sell.price && buy.qty == sell.qty);
        ck_assert(mr_slice_equal(buy.symbol, sell.symbol));
        ck_assert(!mr_slice_equal(buy.user_id, sell.user_id));
    }
}
END_TEST

START_TEST(all_users_and_symbols_take_part)
{
    bool users[FLOW_USERS] = {false};
    bool symbols[FLOW_SYMBOLS] = {false};

    for (int64_t i = 0; i < ORDERS; i++) {
        struct flow_text text;
        struct oms_order_command command;

        make(i, &text, &command);
        users[strtol(text.user + strlen("user-"), NULL, 10)] = true;
        symbols[strtol(text.symbol + strlen("SYM"), NULL, 10)] = true;
    }
    for (size_t i = 0; i < FLOW_USERS; i++) {
        ck_assert_msg(users[i], "user %zu", i);
    }
    for (size_t i = 0; i < FLOW_SYMBOLS; i++) {
        ck_assert_msg(symbols[i], "symbol %zu", i);
    }
}
END_TEST

START_TEST(a_probe_is_below_every_price_and_never_rests)
{
    struct flow_text text;
    struct oms_order_command probe;

    flow_probe(RUN, 7, 3, 1, &text, &probe);
    ck_assert_int_eq(probe.side, OMS_SIDE_BUY);
    ck_assert_int_eq(probe.tif, OMS_TIME_IN_FORCE_IOC);
    ck_assert_int_eq(flow_number(RUN, probe.order_id), -2);
    for (int64_t i = 0; i < ORDERS; i++) {
        struct flow_text other;
        struct oms_order_command command;

        make(i, &other, &command);
        ck_assert(probe.price < command.price);
    }
}
END_TEST

static const int64_t numbers[] = {0, 1, 255, 4096, INT64_C(1) << 40, (INT64_C(1) << 48) - 1};

START_TEST(an_id_gives_its_number_back)
{
    struct flow_text text;
    struct oms_order_command command;

    make(numbers[_i], &text, &command);
    ck_assert_uint_eq(command.order_id.len, FLOW_ID_BYTES);
    ck_assert_int_eq(flow_number(RUN, command.order_id), numbers[_i]);
    ck_assert_int_eq(flow_number(RUN + 1, command.order_id), -1);
}
END_TEST

static const struct {
    const char *id;
    const char *why;
} strangers[] = {
    {"", "empty"},
    {"0badcafe-0000-7000-8000-00000000001", "one short"},
    {"0badcafe-0000-7000-8000-0000000000011", "one long"},
    {"0badcafe-0000-7000-8000-00000000000g", "no hexadecimal digit"},
    {"0badcafe-0001-7000-8000-000000000001", "neither an order nor a probe"},
    {"0BADCAFE-0000-7000-8000-000000000001", "we write small letters"},
};

START_TEST(other_ids_are_nobodys)
{
    ck_assert_msg(flow_number(RUN, mr_slice_str(strangers[_i].id)) == -1, "%s", strangers[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *tests = tcase_create("orders");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, every_order_lies_on_the_grid_of_its_instrument);
    tcase_add_test(tests, two_in_a_row_cross_and_belong_to_two_users);
    tcase_add_test(tests, all_users_and_symbols_take_part);
    tcase_add_test(tests, a_probe_is_below_every_price_and_never_rests);
    tcase_add_loop_test(tests, an_id_gives_its_number_back, 0,
                        (int)(sizeof(numbers) / sizeof(numbers[0])));
    tcase_add_loop_test(tests, other_ids_are_nobodys, 0,
                        (int)(sizeof(strangers) / sizeof(strangers[0])));
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
