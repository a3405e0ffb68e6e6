/*
 * test_tape.c
 *
 * Goal:   recorded trades are read as they stand, in the order they happened, and a wrong file is
 * named with its line. Method: small files written to a temporary directory, plain and gzip.
 */
#include "load_decimal.h"
#include "load_tape.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define HEADER "market,symbol,trade_id,price,qty,trade_time_ms,is_buyer_maker\n"

static char path[64];

static void setup(void)
{
    int file;

    (void)snprintf(path, sizeof path, "/tmp/millrace-tape-XXXXXX");
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    (void)close(file);
}

static void teardown(void)
{
    (void)unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static enum mr_status read_with(const struct load_tape_filter *filter, struct load_tape *tape,
                                struct mr_err *err)
{
    return load_tape_read(path, filter, tape, err);
}

#define TWO_SYMBOLS                                                                                \
    HEADER "spot,BTCUSDT,11,61837.63000000,0.02000000,1723161255342,true\n"                        \
           "spot,BTCUSDT,12,61838.00000000,0.00009000,1723161255700,false\n"                       \
           "spot,ETHUSDT,7,2684.50,1.5,1723161255600,false\n"                                      \
           "usdm,BTCUSDT,3,61800.30,0.006,1723161255000,false\n"                                   \
           "cm,BTCUSD_PERP,1,61800,4,1723161255001,true\n"

START_TEST(trades_come_in_order_of_time_over_all_symbols)
{
    const struct load_tape_filter filter = {.markets = "spot"};
    struct load_tape tape;
    struct mr_err err;
    char text[LOAD_DECIMAL_TEXT_MAX];

    write_file(TWO_SYMBOLS);
    ck_assert_int_eq(read_with(&filter, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 3);
    ck_assert_uint_eq(tape.symbol_count, 2);
    ck_assert_int_eq(tape.trades[0].trade_id, 11);
    ck_assert_int_eq(tape.trades[1].trade_id, 7);
    ck_assert_int_eq(tape.trades[2].trade_id, 12);
    ck_assert_int_eq(tape.trades[0].ts_us, INT64_C(1723161255342000));
    ck_assert(tape.trades[0].buyer_maker);
    ck_assert(!tape.trades[1].buyer_maker);
    ck_assert_str_eq(load_decimal_format(tape.trades[0].price, text), "61837.63");
    ck_assert_str_eq(load_decimal_format(tape.trades[2].qty, text), "0.00009");
    load_tape_fini(&tape);
}
END_TEST

START_TEST(perpetuals_are_instruments_of_their_own)
{
    const struct load_tape_filter filter = {.markets = "spot,usdm"};
    struct load_tape tape;
    struct mr_err err;

    write_file(TWO_SYMBOLS);
    ck_assert_int_eq(read_with(&filter, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 4);
    ck_assert_int_eq(tape.trades[0].trade_id, 3);
    ck_assert_str_eq(tape.symbols[tape.trades[0].symbol].name, "BTCUSDT-PERP");
    load_tape_fini(&tape);
}
END_TEST

START_TEST(symbols_and_limit_choose_among_the_trades)
{
    const struct load_tape_filter one = {.markets = "spot,usdm", .symbols = "ETHUSDT,NONE"};
    const struct load_tape_filter first = {.markets = "spot,usdm", .limit = 1};
    struct load_tape tape;
    struct mr_err err;

    write_file(TWO_SYMBOLS);
    ck_assert_int_eq(read_with(&one, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 1);
    ck_assert_int_eq(tape.trades[0].trade_id, 7);
    load_tape_fini(&tape);

    ck_assert_int_eq(read_with(&first, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 1);
    ck_assert_uint_eq(tape.symbol_count, 1);
    ck_assert_str_eq(tape.symbols[0].name, "BTCUSDT-PERP");
    ck_assert_uint_eq(tape.symbols[tape.trades[0].symbol].trades, 1);
    load_tape_fini(&tape);
}
END_TEST

START_TEST(within_a_symbol_the_trade_id_decides_even_when_the_clock_steps_back)
{
    const struct load_tape_filter filter = {.markets = "spot"};
    struct load_tape tape;
    struct mr_err err;

    write_file(HEADER "spot,A,2,10,1,1000,true\n"
                      "spot,A,1,10,1,2000,true\n"
                      "spot,B,1,10,1,1500,true\n");
    ck_assert_int_eq(read_with(&filter, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 3);
    ck_assert_str_eq(tape.symbols[tape.trades[0].symbol].name, "B");
    ck_assert_int_eq(tape.trades[1].trade_id, 1);
    ck_assert_int_eq(tape.trades[2].trade_id, 2);
    load_tape_fini(&tape);
}
END_TEST

START_TEST(columns_may_stand_in_any_order_and_the_file_may_be_gzip)
{
    const struct load_tape_filter filter = {.markets = NULL};
    struct load_tape tape;
    struct mr_err err;
    gzFile file = gzopen(path, "wb");

    ck_assert_int_gt(gzputs(file, "extra,is_buyer_maker,qty,price,symbol,market,trade_id,"
                                  "trade_time_ms\r\nx,true,2,10,A,spot,5,1000\r\n"),
                     0);
    ck_assert_int_eq(gzclose(file), Z_OK);
    ck_assert_int_eq(read_with(&filter, &tape, &err), MR_OK);
    ck_assert_uint_eq(tape.count, 1);
    ck_assert_int_eq(tape.trades[0].trade_id, 5);
    ck_assert(tape.trades[0].buyer_maker);
    load_tape_fini(&tape);
}
END_TEST

static const struct {
    const char *text;
    const char *says; /* part of the message */
    const char *why;
} bad_rows[] = {
    {"", "empty", "an empty file"},
    {"market,symbol\n", "no column trade_id", "a missing column"},
    {HEADER, "no trade", "no trade at all"},
    {HEADER "spot,A,1,10,1,1000\n", ":2: too few columns", "a short line"},
    {HEADER "spot,A,x,10,1,1000,true\n", ":2: trade_id", "an id that is no number"},
    {HEADER "spot,A,1,10,1,1000,true\nspot,A,2,ten,1,1000,true\n", ":3: price",
     "a price that is no number"},
    {HEADER "spot,A,1,0,1,1000,true\n", ":2: price", "a price of zero"},
    {HEADER "spot,A,1,10,-1,1000,true\n", ":2: price", "a negative quantity"},
    {HEADER "spot,A,1,10,1,1000,maybe\n", ":2: is_buyer_maker", "a flag that is none"},
    {HEADER "spot,,1,10,1,1000,true\n", ":2: symbol", "no symbol"},
};

START_TEST(a_wrong_file_is_refused_with_its_line)
{
    const struct load_tape_filter filter = {.markets = "spot"};
    struct load_tape tape;
    struct mr_err err = {0};

    write_file(bad_rows[_i].text);
    ck_assert_msg(read_with(&filter, &tape, &err) == MR_CONFIG, "%s", bad_rows[_i].why);
    ck_assert_msg(strstr(err.text, bad_rows[_i].says) != NULL, "%s: %s", bad_rows[_i].why,
                  err.text);
    ck_assert_ptr_null(tape.trades);
}
END_TEST

START_TEST(a_gzip_file_that_was_cut_off_is_refused)
{
    const struct load_tape_filter filter = {.markets = "spot"};
    struct load_tape tape;
    struct mr_err err = {0};
    gzFile file = gzopen(path, "wb");

    ck_assert_int_gt(gzputs(file, HEADER), 0);
    for (int i = 1; i < 2000; i++) {
        ck_assert_int_gt(gzprintf(file, "spot,A,%d,%d.5,1,%d,true\n", i, 10 + i * 7 % 13, i), 0);
    }
    ck_assert_int_eq(gzclose(file), Z_OK);
    ck_assert_int_eq(truncate(path, 1500), 0);
    ck_assert_int_eq(read_with(&filter, &tape, &err), MR_CONFIG);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
    const struct load_tape_filter filter = {.markets = "spot"};
    struct load_tape tape;
    struct mr_err err = {0};

    ck_assert_int_eq(load_tape_read("/nowhere/trades.csv", &filter, &tape, &err), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/trades.csv"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tape");
    TCase *tcase = tcase_create("tape");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, trades_come_in_order_of_time_over_all_symbols);
    tcase_add_test(tcase, perpetuals_are_instruments_of_their_own);
    tcase_add_test(tcase, symbols_and_limit_choose_among_the_trades);
    tcase_add_test(tcase, within_a_symbol_the_trade_id_decides_even_when_the_clock_steps_back);
    tcase_add_test(tcase, columns_may_stand_in_any_order_and_the_file_may_be_gzip);
    tcase_add_loop_test(tcase, a_wrong_file_is_refused_with_its_line, 0, (int)MR_COUNT(bad_rows));
    tcase_add_test(tcase, a_gzip_file_that_was_cut_off_is_refused);
    tcase_add_test(tcase, a_file_that_is_not_there_is_named);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
