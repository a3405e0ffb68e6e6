/*
 * test_risk_check.c
 *
 * Goal:   each check of risk passes at its bound and fails one beyond, says which numbers it
 *         compared, and the first failure in the fixed order is the one that counts.
 * Method: facts of an order that passes everything; one change per row, and the check and code that
 *         must come of it. MOST is a limit so far away that it never matters.
 */
#include "domain/risk_check.h"
#include "domain_test.h"

static struct risk_facts f;

static struct risk_limit at_most(const char *text)
{
    return (struct risk_limit){.has = true, .value = amount(text)};
}

static void setup(void)
{
    f = (struct risk_facts){
        .now_us = 1000000,
        .side = ORD_BUY,
        .qty = amount("2"),
        .has_price = true,
        .price = amount("100"),
        .price_high = DEC_MAX,
        .computed = true,
        .notional = amount("200"),
        .added = amount("200"),
        .need = amount("200.2"),
        .bucket = {.micro_tokens = BUCKET_TOKEN, .ts_us = 1000000},
        .rule = {.per_second = 1, .burst = 5},
        .symbol_bucket = {.micro_tokens = BUCKET_TOKEN, .ts_us = 1000000},
        .symbol_rule = {.per_second = 1, .burst = 5},
        .open_orders_max = 10,
        .symbol_orders_max = -1,
        .marks_known = true,
        .mark = amount("100"),
        .margin_rate = amount("0.1"),
        .equity = amount("1000"),
        .available = amount("200.2"),
    };
}

/* A sell of 2 out of a long of `position`: it reduces when 2 fit. */
static void sell_of(const char *position)
{
    f.side = ORD_SELL;
    f.exposed.position = amount(position);
}

static void spent(struct bucket *bucket)
{
    bucket->micro_tokens = BUCKET_TOKEN - 1;
}

static void loss(const char *text)
{
    f.loss = amount(text);
    f.loss_max = at_most("10");
}

static void share_of(const char *limit, const char *equity)
{
    f.concentration_max = at_most(limit);
    f.equity = amount(equity);
}

static void margin(const char *equity)
{
    f.has_margin = true;
    f.equity = amount(equity);
    f.other_margin = amount("5");
}

/* name, change, failing check, code, why */
#define ROWS(X)                                                                                    \
    X(good, (void)0, COUNT, OK, "the order itself passes")                                         \
    X(halted, f.state = RISK_HALTED, SWITCH, HALTED, "no new order")                               \
    X(halted_less, (sell_of("2"), f.state = RISK_HALTED), SWITCH, HALTED, "not a reducing one")    \
    X(reducing, f.state = RISK_REDUCING, SWITCH, REDUCING, "makes the position longer")            \
    X(reducing_all, (sell_of("2"), f.state = RISK_REDUCING), COUNT, OK, "down to zero")            \
    X(reducing_flip, (sell_of("1.9"), f.state = RISK_REDUCING), SWITCH, REDUCING, "through zero")  \
    X(reducing_open, (sell_of("2"), f.exposed.open_sell = 1, f.state = RISK_REDUCING), SWITCH,     \
      REDUCING, "an open order counts in full")                                                    \
    X(only_reduce, f.reduce_only = true, SWITCH, REDUCING, "the order's own wish")                 \
    X(only_reduce_ok, (sell_of("3"), f.reduce_only = true), COUNT, OK, "and it does")              \
    X(only_guess, (f.exposed.position = amount("-9"), f.reduce_only = f.qty_is_guess = true),      \
      SWITCH, REDUCING, "a buy by amount may bring more than it counts with")                      \
    X(tokens, spent(&f.bucket), VELOCITY, VELOCITY, "a micro-token short")                         \
    X(tokens_symbol, (spent(&f.symbol_bucket), f.has_symbol_rule = true), VELOCITY_SYMBOL,         \
      VELOCITY, "of the symbol")                                                                   \
    X(tokens_no_rule, spent(&f.symbol_bucket), COUNT, OK, "the symbol has no rule of its own")     \
    X(window, (f.window_max = at_most("300"), f.window_sum = amount("100")), COUNT, OK, "all")     \
    X(window_over, (f.window_max = at_most("300"), f.window_sum = amount("100") + 1),              \
      NOTIONAL_WINDOW, NOTIONAL_WINDOW, "an atom more")                                            \
    X(loop, (f.loop_max = 3, f.loop_count = 2), COUNT, OK, "the third of three")                   \
    X(loop_over, (f.loop_max = 3, f.loop_count = 3), LOOP_GUARD, LOOP_GUARD, "the fourth")         \
    X(loop_off, f.loop_count = 99, COUNT, OK, "no guard")                                          \
    X(orders, f.open_orders = 9, COUNT, OK, "the tenth")                                           \
    X(orders_over, f.open_orders = 10, OPEN_ORDERS, OPEN_ORDERS, "the eleventh")                   \
    X(orders_amend, (f.open_orders = 10, f.amend = true), COUNT, OK, "adds no order")              \
    X(symbol, (f.symbol_orders = 1, f.symbol_orders_max = 2), COUNT, OK, "the second")             \
    X(symbol_over, (f.symbol_orders = 2, f.symbol_orders_max = 2), OPEN_ORDERS_SYMBOL,             \
      OPEN_ORDERS, "the third")                                                                    \
    X(client, f.client_id_taken = true, CLIENT_ORDER_ID, DUPLICATE_CLIENT_ID, "in use")            \
    X(no_price, f.has_price = false, COLLAR, PRICE_UNAVAILABLE, "no reference")                    \
    X(high, f.price_high = amount("100"), COUNT, OK, "at the collar")                              \
    X(high_over, f.price_high = amount("99.99"), COLLAR, PRICE_COLLAR, "a tick beyond")            \
    X(low, f.price_low = amount("100"), COUNT, OK, "at the lower end")                             \
    X(low_over, f.price_low = amount("100.01"), COLLAR, PRICE_COLLAR, "a tick below it")           \
    X(large, f.notional_max = at_most("200"), COUNT, OK, "the largest")                            \
    X(large_over, f.notional_max = at_most("199.99"), SIZE, ORDER_TOO_LARGE, "more")               \
    X(overflow, f.computed = false, SIZE, OVERFLOW, "an amount that does not fit")                 \
    X(position,                                                                                    \
      (f.position_max = at_most("5"), f.exposed.position = amount("2"),                            \
       f.exposed.open_buy = amount("1")),                                                          \
      COUNT, OK, "with all that is open")                                                          \
    X(position_over,                                                                               \
      (f.position_max = at_most("5"), f.exposed.position = amount("2"),                            \
       f.exposed.open_buy = amount("1") + 1),                                                      \
      POSITION, POSITION_LIMIT, "an atom more")                                                    \
    X(position_less, (sell_of("9"), f.position_max = at_most("5")), COUNT, OK, "on the way back")  \
    X(position_price,                                                                              \
      (f.position_max = at_most("1"), f.exposed.position = amount("3"), f.amend = true,            \
       f.qty = 0),                                                                                 \
      COUNT, OK, "an amendment that adds nothing")                                                 \
    X(share, share_of("0.2", "1000"), COUNT, OK, "200 of 1000")                                    \
    X(share_over, share_of("0.2", "999.99"), CONCENTRATION, CONCENTRATION, "200 of less")          \
    X(share_less, (sell_of("2"), share_of("0.001", "1")), COUNT, OK, "smaller than before")        \
    X(share_broke, share_of("5", "0"), CONCENTRATION, CONCENTRATION, "nothing to be a share of")   \
    X(share_blind, (share_of("5", "1000"), f.marks_known = false), CONCENTRATION, CONCENTRATION,   \
      "no mark")                                                                                   \
    X(loss_none, loss("9.99"), COUNT, OK, "below the limit")                                       \
    X(loss_at, loss("10"), DAILY_LOSS, DAILY_LOSS, "at the limit")                                 \
    X(loss_less, (sell_of("2"), loss("99")), COUNT, OK, "reducing goes on")                        \
    X(loss_latch, (loss("0"), f.loss_breached = true), DAILY_LOSS, DAILY_LOSS,                     \
      "profit came later")                                                                         \
    X(margin_at, margin("25"), COUNT, OK, "20 for this, 5 for the others")                         \
    X(margin_over, margin("24.99"), MARGIN, MARGIN, "less equity")                                 \
    X(margin_less, (sell_of("2"), margin("-7")), COUNT, OK, "a reducing order always passes")      \
    X(margin_blind, (margin("99"), f.marks_known = false), MARGIN, MARGIN, "no mark")              \
    X(margin_none, f.equity = amount("-5"), COUNT, OK, "the symbol takes no margin")               \
    X(funds_short, f.available = f.need - 1, FUNDS, INSUFFICIENT_FUNDS, "an atom short")           \
    X(funds_amend, (f.available = f.need - 1, f.amend = true), FUNDS, AMEND_UNFUNDED, "amending")

#define DEFINE(name, change, check, code, why)                                                     \
    static void row_##name(void)                                                                   \
    {                                                                                              \
        change;                                                                                    \
    }
ROWS(DEFINE)

static const struct {
    void (*change)(void);
    enum risk_check_id check;
    enum dom_code code;
    const char *why;
} rows[] = {
#define LIST(name, change, check, code, why) {row_##name, RISK_CHECK_##check, CODE_##code, (why)},
    ROWS(LIST)};

START_TEST(each_check_binds_at_its_bound)
{
    struct risk_result failed;
    enum risk_check_id id;

    rows[_i].change();
    id = risk_check_first(&f, &failed);
    ck_assert_msg(id == rows[_i].check, "%s: %s", rows[_i].why,
                  id == RISK_CHECK_COUNT ? "passed" : risk_check_name(id));
    ck_assert_msg(failed.code == rows[_i].code, "%s: %d", rows[_i].why, (int)failed.code);
}
END_TEST

/* Everything is wrong at once; taken away one after another, the next one shows. */
START_TEST(the_first_failure_in_the_fixed_order_counts)
{
    struct risk_result failed;

    f.state = RISK_HALTED;
    f.bucket.micro_tokens = 0;
    f.window_max = at_most("1");
    f.loop_max = f.loop_count = 1;
    f.open_orders = 10;
    f.client_id_taken = true;
    f.price_high = amount("1");
    f.notional_max = f.position_max = at_most("1");
    share_of("0.001", "1");
    loss("99");
    margin("1");
    f.available = 0;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_SWITCH);
    f.state = RISK_ACTIVE;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_VELOCITY);
    f.bucket.micro_tokens = BUCKET_TOKEN;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_NOTIONAL_WINDOW);
    f.window_max.has = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_LOOP_GUARD);
    f.loop_max = 0;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_OPEN_ORDERS);
    f.open_orders = 0;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_CLIENT_ORDER_ID);
    f.client_id_taken = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_COLLAR);
    f.price_high = DEC_MAX;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_SIZE);
    f.notional_max.has = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_POSITION);
    f.position_max.has = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_CONCENTRATION);
    f.concentration_max.has = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_DAILY_LOSS);
    f.loss_max.has = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_MARGIN);
    f.has_margin = false;
    ck_assert_int_eq(risk_check_first(&f, &failed), RISK_CHECK_FUNDS);
}
END_TEST

START_TEST(a_failure_says_what_was_compared)
{
    struct risk_result r;

    f.position_max = at_most("5");
    f.exposed.position = amount("4");
    r = risk_check_one(&f, RISK_CHECK_POSITION);
    assert_amount(r.limit.value, amount("5"), "limit");
    assert_amount(r.current.value, amount("4"), "current");
    assert_amount(r.projected.value, amount("6"), "projected");
    ck_assert_str_eq(r.name, "position");
    f.bucket.micro_tokens = 0;
    f.bucket.ts_us -= 500000;
    r = risk_check_one(&f, RISK_CHECK_VELOCITY);
    assert_amount(r.limit.value, amount("5"), "depth");
    assert_amount(r.current.value, amount("0.5"), "half a second refills half a token");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk checks");
    TCase *tcase = tcase_create("risk checks");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, each_check_binds_at_its_bound, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, the_first_failure_in_the_fixed_order_counts);
    tcase_add_test(tcase, a_failure_says_what_was_compared);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
