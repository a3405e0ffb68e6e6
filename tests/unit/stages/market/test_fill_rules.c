/*
 * Goal: who trades with whom, at which price, and what becomes of the rest.
 * Method: scenarios in a table: orders in short form, the tape of trades they must give, and the
 *         last report. The stage alone on the stage driver.
 */
#include "fill_fixture.h"

static struct mr_driver *driver;

static void open_driver(void)
{
    driver = mr_driver_create(&fill_stage, NULL, 0);
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
}

static void close_driver(void)
{
    mr_driver_destroy(&driver);
}

/* kind: L limit, I IOC, F FOK, P post-only, M market (price is the collar), C cancel of price. */
struct step {
    char kind;
    const char *id;
    const char *user;
    char side;
    const char *price;
    const char *qty;
};

static void play(const struct step *step)
{
    struct oms_order_command order;

    if (step->kind == 'C') {
        ck_assert_int_eq(push(driver, cancel_of(step->id, step->user, step->price)), MR_OK);
        return;
    }
    order = step->kind == 'M' ? market_of(step->id, step->user, step->side, step->price, step->qty)
                              : limit_of(step->id, step->user, step->side, step->price, step->qty);
    if (step->kind == 'I') {
        order.tif = OMS_TIME_IN_FORCE_IOC;
    } else if (step->kind == 'F') {
        order.tif = OMS_TIME_IN_FORCE_FOK;
    } else if (step->kind == 'P') {
        order.post_only = true;
    }
    ck_assert_int_eq(push(driver, order), MR_OK);
}

/* The last report in short: "FILLED", "ACCEPTED", "CANCELLED IOC", "REJECTED 4101". */
static const char *outcome(char *buffer, size_t bytes)
{
    const struct oms_execution_report *last = last_report(driver);

    if (last->has_reject_code) {
        (void)snprintf(buffer, bytes, "%s %d", oms_order_status_symbols[last->status],
                       last->reject_code);
    } else if (last->has_cancel_reason) {
        (void)snprintf(buffer, bytes, "%s %s", oms_order_status_symbols[last->status],
                       oms_cancel_reason_symbols[last->cancel_reason]);
    } else {
        (void)snprintf(buffer, bytes, "%s", oms_order_status_symbols[last->status]);
    }
    return buffer;
}

#define STEPS_MAX 6

static const struct scenario {
    struct step steps[STEPS_MAX];
    const char *tape;
    const char *outcome;
    size_t resting;
    const char *why;
} scenarios[] = {
    {{{'L', "a", "u1", 'B', "100", "1"}}, "", "ACCEPTED", 1, "an order alone rests"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'L', "b", "u2", 'B', "99.99", "1"}},
     "",
     "ACCEPTED",
     2,
     "a tick apart nothing trades"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'L', "b", "u2", 'B', "100", "1"}},
     "a>b 1@100",
     "FILLED",
     0,
     "equal prices trade"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'L', "b", "u2", 'B', "105", "1"}},
     "a>b 1@100",
     "FILLED",
     0,
     "at the maker's price, not the taker's or between"},
    {{{'L', "a", "u1", 'B', "105", "1"}, {'L', "b", "u2", 'S', "100", "1"}},
     "a>b 1@105",
     "FILLED",
     0,
     "for a selling taker too"},
    {{{'L', "a", "u1", 'S', "101", "1"},
      {'L', "b", "u2", 'S', "100", "1"},
      {'L', "c", "u3", 'B', "101", "2"}},
     "b>c 1@100 a>c 1@101",
     "FILLED",
     0,
     "the better price first, though it came later"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u2", 'S', "100", "1"},
      {'L', "c", "u3", 'B', "100", "1"}},
     "a>c 1@100",
     "FILLED",
     1,
     "at one price who came first"},
    {{{'L', "a", "u1", 'S', "100", "2"},
      {'L', "b", "u2", 'S', "100", "1"},
      {'L', "c", "u3", 'B', "100", "1"},
      {'L', "d", "u3", 'B', "100", "1"}},
     "a>c 1@100 a>d 1@100",
     "FILLED",
     1,
     "a partly filled maker keeps its place"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'L', "b", "u2", 'B', "100", "3"}},
     "a>b 1@100",
     "ACCEPTED",
     1,
     "what a taker could not get rests"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u2", 'B', "100", "3"},
      {'L', "c", "u3", 'S', "99", "2"}},
     "a>b 1@100 b>c 2@100",
     "FILLED",
     0,
     "and is a maker from then on"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u2", 'S', "102", "1"},
      {'L', "c", "u3", 'B', "101", "5"}},
     "a>c 1@100",
     "ACCEPTED",
     2,
     "a sweep stops at its own limit"},
    {{{'I', "a", "u1", 'B', "100", "1"}}, "", "CANCELLED IOC", 0, "IOC meets an empty book"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'I', "b", "u2", 'B', "100", "3"}},
     "a>b 1@100",
     "CANCELLED IOC",
     0,
     "the rest of an IOC never rests"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'I', "b", "u2", 'B', "100", "1"}},
     "a>b 1@100",
     "FILLED",
     0,
     "a whole IOC is not canceled"},
    {{{'L', "a", "u1", 'S', "101", "1"}, {'I', "b", "u2", 'B', "100", "1"}},
     "",
     "CANCELLED IOC",
     1,
     "beyond its limit an IOC takes nothing"},
    {{{'M', "a", "u1", 'B', "110", "1"}},
     "",
     "CANCELLED INSUFFICIENT_LIQUIDITY",
     0,
     "MARKET meets an empty book"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'M', "b", "u2", 'B', "110", "3"}},
     "a>b 1@100",
     "CANCELLED INSUFFICIENT_LIQUIDITY",
     0,
     "MARKET empties the book"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u1", 'S', "111", "1"},
      {'M', "c", "u2", 'B', "110", "3"}},
     "a>c 1@100",
     "CANCELLED PRICE_RANGE",
     1,
     "MARKET stops at the collar"},
    {{{'L', "a", "u1", 'B', "100", "1"}, {'M', "b", "u2", 'S', "100", "1"}},
     "a>b 1@100",
     "FILLED",
     0,
     "the collar itself is allowed"},
    {{{'L', "a", "u1", 'B', "99.99", "1"}, {'M', "b", "u2", 'S', "100", "1"}},
     "",
     "CANCELLED PRICE_RANGE",
     1,
     "a tick beyond is not, for a sell below"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'P', "b", "u2", 'B', "100", "1"}},
     "",
     "REJECTED 4101",
     1,
     "post-only would take"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'P', "b", "u2", 'B', "99.99", "1"}},
     "",
     "ACCEPTED",
     2,
     "post-only a tick below rests"},
    {{{'P', "a", "u1", 'S', "100", "1"}, {'L', "b", "u2", 'B', "100", "1"}},
     "a>b 1@100",
     "FILLED",
     0,
     "a resting post-only order makes"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u1", 'S', "101", "1"},
      {'F', "c", "u2", 'B', "101", "2"}},
     "a>c 1@100 b>c 1@101",
     "FILLED",
     0,
     "FOK over two levels, exactly enough"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u1", 'S', "101", "1"},
      {'F', "c", "u2", 'B', "101", "2.00001"}},
     "",
     "CANCELLED FOK",
     2,
     "one lot short: nothing at all"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u1", 'S', "101", "1"},
      {'F', "c", "u2", 'B', "100", "2"}},
     "",
     "CANCELLED FOK",
     2,
     "FOK does not count beyond its limit"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'L', "b", "u1", 'B', "100", "1"}},
     "",
     "CANCELLED STP",
     1,
     "nobody trades with himself: the taker ends"},
    {{{'L', "a", "u2", 'S', "99", "1"},
      {'L', "b", "u1", 'S', "100", "1"},
      {'L', "c", "u1", 'B', "100", "3"}},
     "a>c 1@99",
     "CANCELLED STP",
     1,
     "what came before the own order stands"},
    {{{'L', "a", "u1", 'S', "100", "1"}, {'F', "b", "u1", 'B', "100", "1"}},
     "",
     "CANCELLED FOK",
     1,
     "own orders are no liquidity for FOK"},
    {{{'L', "a", "u1", 'B', "100", "1"}, {'C', "x", "u1", 'B', "a", ""}},
     "",
     "CANCELLED USER",
     0,
     "cancel of an own order"},
    {{{'L', "a", "u1", 'B', "100", "1"}, {'C', "x", "u2", 'B', "a", ""}},
     "",
     "REJECTED 4201",
     1,
     "somebody else's order is unknown"},
    {{{'C', "x", "u1", 'B', "nothing", ""}}, "", "REJECTED 4201", 0, "cancel of nothing"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u2", 'B', "100", "1"},
      {'C', "x", "u1", 'B', "a", ""}},
     "a>b 1@100",
     "REJECTED 4201",
     0,
     "too late: filled"},
    {{{'L', "a", "u1", 'B', "100", "1"},
      {'C', "x", "u1", 'B', "a", ""},
      {'C', "y", "u1", 'B', "a", ""}},
     "",
     "REJECTED 4201",
     0,
     "canceled already"},
    {{{'L', "a", "u1", 'S', "100", "2"},
      {'L', "b", "u2", 'S', "100", "1"},
      {'C', "x", "u1", 'B', "a", ""},
      {'L', "c", "u3", 'B', "100", "1"}},
     "b>c 1@100",
     "FILLED",
     0,
     "the next in the queue moves up"},
    {{{'L', "a", "u1", 'B', "100", "1"}, {'L', "a", "u1", 'B', "99", "1"}},
     "",
     "REJECTED 4102",
     1,
     "a live id twice"},
    {{{'L', "a", "u1", 'S', "100", "1"},
      {'L', "b", "u2", 'B', "90", "1"},
      {'L', "b", "u2", 'B', "100", "1"}},
     "",
     "REJECTED 4102",
     2,
     "a live id twice is refused before it trades"},
    {{{'L', "a", "u1", 'B', "100", "1"},
      {'C', "x", "u1", 'B', "a", ""},
      {'L', "a", "u1", 'B', "100", "1"}},
     "",
     "ACCEPTED",
     1,
     "an id that is over may come again"},
};

START_TEST(a_scenario_gives_its_tape)
{
    const struct scenario *scenario = &scenarios[_i];
    char text[1024];

    for (size_t i = 0; i < STEPS_MAX && scenario->steps[i].id != NULL; i++) {
        play(&scenario->steps[i]);
    }
    ck_assert_msg(strcmp(tape(driver, text, sizeof(text)), scenario->tape) == 0,
                  "%s: the tape is \"%s\"", scenario->why, text);
    ck_assert_msg(strcmp(outcome(text, sizeof(text)), scenario->outcome) == 0,
                  "%s: the outcome is \"%s\"", scenario->why, text);
    ck_assert_msg(mr_driver_store_count(driver, "orders") == scenario->resting,
                  "%s: %zu orders rest", scenario->why, mr_driver_store_count(driver, "orders"));
}
END_TEST

/* --- states of a symbol --------------------------------------------------------------------- */

static const struct {
    enum oms_symbol_state state;
    char kind;
    const char *outcome;
    const char *why;
} states[] = {
    {OMS_SYMBOL_STATE_TRADING, 'L', "ACCEPTED", "everything goes"},
    {OMS_SYMBOL_STATE_HALT, 'L', "REJECTED 1152", "no new orders in a halt"},
    {OMS_SYMBOL_STATE_HALT, 'C', "CANCELLED USER", "a halt takes cancels"},
    {OMS_SYMBOL_STATE_BREAK, 'M', "REJECTED 1152", "nor in a break"},
    {OMS_SYMBOL_STATE_BREAK, 'C', "CANCELLED USER", "a break takes cancels"},
    {OMS_SYMBOL_STATE_CANCEL_ONLY, 'L', "REJECTED 1152", "as it says"},
    {OMS_SYMBOL_STATE_CANCEL_ONLY, 'C', "CANCELLED USER", "as it says"},
    {OMS_SYMBOL_STATE_POST_ONLY, 'L', "REJECTED 1152", "an order that might take"},
    {OMS_SYMBOL_STATE_POST_ONLY, 'P', "ACCEPTED", "an order that only makes"},
    {OMS_SYMBOL_STATE_POST_ONLY, 'C', "CANCELLED USER", "cancels always"},
    {OMS_SYMBOL_STATE_LIMIT_ONLY, 'M', "REJECTED 1152", "no MARKET"},
    {OMS_SYMBOL_STATE_LIMIT_ONLY, 'L', "ACCEPTED", "LIMIT"},
};

START_TEST(a_state_of_the_symbol_decides_what_is_taken)
{
    const struct step before = {'L', "a", "u1", 'B', "90", "1"};
    const struct step step = {
        states[_i].kind, "b", "u1", 'B', states[_i].kind == 'C' ? "a" : "91", "1"};
    char text[64];

    play(&before);
    list(driver, SYMBOL, states[_i].state);
    play(&step);
    ck_assert_msg(strcmp(outcome(text, sizeof(text)), states[_i].outcome) == 0, "%s: %s",
                  states[_i].why, text);
}
END_TEST

START_TEST(the_book_stands_through_a_halt)
{
    add(driver, "a", "u1", 'S', "100", "1");
    list(driver, SYMBOL, OMS_SYMBOL_STATE_HALT);
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    add(driver, "b", "u2", 'B', "100", "1");
    ck_assert_uint_eq(trades(driver), 1);
}
END_TEST

START_TEST(an_unknown_symbol_is_refused_and_makes_no_state)
{
    struct oms_order_command order = limit_of("a", "u1", 'B', "100", "1");
    const uint64_t digest = mr_driver_state_digest(driver);

    order.symbol = mr_slice_str("NOPE");
    ck_assert_int_eq(push(driver, order), MR_OK);
    ck_assert_int_eq(last_report(driver)->reject_code, CODE_UNKNOWN_SYMBOL);
    ck_assert(is_text(last_report(driver)->exec_id, "F-a"));
    ck_assert(digest == mr_driver_state_digest(driver));
}
END_TEST

START_TEST(a_deleted_instrument_halts_and_keeps_its_orders)
{
    add(driver, "a", "u1", 'S', "100", "1");
    ck_assert_int_eq(mr_driver_push(driver, "instruments", mr_slice_str(SYMBOL), NULL), MR_OK);
    add(driver, "b", "u2", 'B', "100", "1");
    ck_assert_int_eq(last_report(driver)->reject_code, CODE_NOT_TRADING);
    mr_driver_commit(driver);
    mr_driver_restart(driver);
    ck_assert_int_eq(push(driver, cancel_of("x", "u1", "a")), MR_OK);
    ck_assert_int_eq(last_report(driver)->status, OMS_ORDER_STATUS_CANCELLED);
    ck_assert(is_text(last_report(driver)->base_asset, "BTC"));
}
END_TEST

START_TEST(orders_of_an_older_tick_stay)
{
    struct oms_instrument coarse = instrument_of(SYMBOL, OMS_SYMBOL_STATE_TRADING);

    add(driver, "a", "u1", 'S', "100.01", "0.00003");
    coarse.tick_size = dec("0.5");
    coarse.lot_size = dec("0.001");
    ck_assert_int_eq(mr_driver_push(driver, "instruments", coarse.symbol, &coarse), MR_OK);
    add(driver, "b", "u2", 'B', "100.5", "0.001");
    ck_assert_uint_eq(trades(driver), 1);
    ck_assert_dec(trade(driver, 0)->price, "100.01");
}
END_TEST

START_TEST(two_symbols_do_not_meet)
{
    struct oms_order_command other = limit_of("b", "u2", 'B', "100", "1");

    list(driver, "ETHUSDT", OMS_SYMBOL_STATE_TRADING);
    add(driver, "a", "u1", 'S', "100", "1");
    other.symbol = mr_slice_str("ETHUSDT");
    ck_assert_int_eq(push(driver, other), MR_OK);
    ck_assert_uint_eq(trades(driver), 0);
    ck_assert_int_eq(last_report(driver)->engine_seq, 1);
}
END_TEST

/* --- self-trade prevention ------------------------------------------------------------------ */

static const struct {
    enum oms_stp_mode mode;
    const char *tape;
    size_t resting;
    const char *why;
} modes[] = {
    {OMS_STP_MODE_EXPIRE_TAKER, "", 2, "the taker ends before the other's order"},
    {OMS_STP_MODE_EXPIRE_MAKER, "b>c 1@101", 1, "the own maker ends, the taker goes on and rests"},
    {OMS_STP_MODE_EXPIRE_BOTH, "", 1, "both end"},
    {OMS_STP_MODE_NONE, "a>c 1@100 b>c 1@101", 1, "allowed"},
};

START_TEST(the_takers_mode_decides_a_self_trade)
{
    struct oms_order_command taker = limit_of("c", "u1", 'B', "101", "3");
    char text[256];

    add(driver, "a", "u1", 'S', "100", "1");
    add(driver, "b", "u2", 'S', "101", "1");
    taker.stp_mode = modes[_i].mode;
    ck_assert_int_eq(push(driver, taker), MR_OK);
    ck_assert_msg(strcmp(tape(driver, text, sizeof(text)), modes[_i].tape) == 0, "%s: %s",
                  modes[_i].why, text);
    ck_assert_msg(mr_driver_store_count(driver, "orders") == modes[_i].resting, "%s",
                  modes[_i].why);
}
END_TEST

START_TEST(a_maker_that_ends_by_stp_is_reported)
{
    struct oms_order_command taker = limit_of("c", "u1", 'B', "100", "1");

    add(driver, "a", "u1", 'S', "100", "1");
    taker.stp_mode = OMS_STP_MODE_EXPIRE_MAKER;
    ck_assert_int_eq(push(driver, taker), MR_OK);
    ck_assert(is_text(last_report(driver)->order_id, "a"));
    ck_assert(is_text(last_report(driver)->command_id, "c"));
    ck_assert_int_eq(last_report(driver)->cancel_reason, OMS_CANCEL_REASON_STP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill rules");
    TCase *rules = tcase_create("rules");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(rules, open_driver, close_driver);
    tcase_add_loop_test(rules, a_scenario_gives_its_tape, 0, (int)MR_COUNT(scenarios));
    tcase_add_loop_test(rules, a_state_of_the_symbol_decides_what_is_taken, 0,
                        (int)MR_COUNT(states));
    tcase_add_test(rules, the_book_stands_through_a_halt);
    tcase_add_test(rules, an_unknown_symbol_is_refused_and_makes_no_state);
    tcase_add_test(rules, a_deleted_instrument_halts_and_keeps_its_orders);
    tcase_add_test(rules, orders_of_an_older_tick_stay);
    tcase_add_test(rules, two_symbols_do_not_meet);
    tcase_add_loop_test(rules, the_takers_mode_decides_a_self_trade, 0, (int)MR_COUNT(modes));
    tcase_add_test(rules, a_maker_that_ends_by_stp_is_reported);
    suite_add_tcase(suite, rules);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
