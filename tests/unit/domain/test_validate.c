/*
 * test_validate.c
 *
 * Goal:   every rule of the order checks at its boundary: the code it gives, which code decides.
 * Method: a table of small changes to one good order; each row names all codes it expects, in
 * order.
 */
#include "domain/validate.h"
#include "domain_test.h"

#define T "0123456789012345678901234567890123456789012345678901234567890123"

static struct ord_command cmd;
static struct instr instr;
static struct validate_env env;
static bool known;

static void setup(void)
{
    instr = (struct instr){
        .symbol = dom_text_str("BTC-USD"),
        .base_asset = dom_text_str("BTC"),
        .quote_asset = dom_text_str("USD"),
        .tick_size = amount("0.01"),
        .lot_size = amount("0.001"),
        .min_price = amount("1"),
        .max_price = amount("1000"),
        .min_qty = amount("0.002"),
        .max_qty = amount("100"),
        .has_market_lot_size = true,
        .has_market_min_qty = true,
        .has_market_max_qty = true,
        .market_lot_size = amount("0.01"),
        .market_min_qty = amount("0.02"),
        .market_max_qty = amount("50"),
        .min_notional = amount("10"),
        .max_notional = amount("5000"),
        .taker_fee = amount("0.001"),
    };
    cmd = (struct ord_command){
        .action = ORD_ACTION_NEW,
        .order_id = dom_text_str("o-1"),
        .user_id = dom_text_str("u-1"),
        .symbol = dom_text_str("BTC-USD"),
        .has_price = true,
        .price = amount("100"),
        .has_qty = true,
        .qty = amount("1"),
    };
    env = (struct validate_env){.now_us = 60000000, .recv_window_us = 5000000};
    known = true;
}

static void market(void)
{
    cmd.type = ORD_MARKET;
    cmd.tif = ORD_IOC;
    cmd.has_price = false;
}

static void market_by_amount(void)
{
    market();
    cmd.has_qty = false;
    cmd.has_quote_qty = true;
    cmd.quote_qty = amount("100");
}

static void stop(void)
{
    cmd.type = ORD_STOP;
    cmd.has_price = false;
    cmd.has_stop_price = true;
    cmd.stop_price = amount("100");
}

static void stop_limit(void)
{
    cmd.type = ORD_STOP_LIMIT;
    cmd.has_stop_price = true;
    cmd.stop_price = amount("99");
}

static void gtd(int64_t expire_us)
{
    cmd.tif = ORD_GTD;
    cmd.has_expire = true;
    cmd.expire_us = expire_us;
}

static void amend(void)
{
    cmd.action = ORD_ACTION_AMEND;
    cmd.target_order_id = dom_text_str("o-0");
}

static void cancel_all(void)
{
    cmd.action = ORD_ACTION_CANCEL_ALL;
    cmd.has_price = cmd.has_qty = false;
}

static void cancel(void)
{
    cmd.action = ORD_ACTION_CANCEL;
    cmd.has_price = cmd.has_qty = false;
    cmd.target_order_id = dom_text_str("o-0");
}

#define ROW(id, statement)                                                                         \
    static void row_##id(void)                                                                     \
    {                                                                                              \
        statement;                                                                                 \
    }
#define PRICE(text) cmd.price = amount(text)
#define QTY(text) cmd.qty = amount(text)
#define QUOTE(text) cmd.quote_qty = amount(text)
#define STOP(text) cmd.stop_price = amount(text)
#define NOW_US INT64_C(60000000)

/* name, change, codes expected (text of numbers), why */
#define ROWS(X)                                                                                    \
    X(good, (void)0, "", "the order itself is good")                                               \
    X(tick, PRICE("100.005"), "1103", "between two ticks")                                         \
    X(low, PRICE("0.99"), "1101 1121", "a tick below the lowest, too small as well")               \
    X(lowest, (PRICE("1"), QTY("10")), "", "the lowest price itself")                              \
    X(highest, PRICE("1000"), "", "the highest price itself")                                      \
    X(high, PRICE("1000.01"), "1102", "a tick above the highest")                                  \
    X(unbound, (instr.max_price = 0, PRICE("4000")), "", "0 is no bound")                          \
    X(price0, PRICE("0"), "1132", "zero is not a price")                                           \
    X(price_neg, PRICE("-1"), "1132", "nor is less")                                               \
    X(price_huge, cmd.price = DEC_BUSINESS_LIMIT, "1133", "beyond what the stores keep")           \
    X(qty_least, QTY("0.1"), "", "smallest notional exactly")                                      \
    X(notional_low, QTY("0.099"), "1121", "a lot below the smallest notional")                     \
    X(notional_top, QTY("50"), "", "largest notional exactly")                                     \
    X(notional_high, QTY("50.001"), "1122", "a lot above it")                                      \
    X(qty_low, (QTY("0.001"), instr.min_notional = 0), "1111", "a lot below the smallest")         \
    X(qty_min, (QTY("0.002"), instr.min_notional = 0), "", "the smallest itself")                  \
    X(qty_high, (QTY("100.001"), PRICE("1")), "1112", "a lot above the largest")                   \
    X(qty_step, QTY("1.0005"), "1113", "between two lots")                                         \
    X(qty0, QTY("0"), "1132", "nothing")                                                           \
    X(qty_neg, QTY("-1"), "1132", "less than nothing")                                             \
    X(qty_huge, cmd.qty = DEC_BUSINESS_LIMIT, "1133", "too many")                                  \
    X(both, (PRICE("100.005"), QTY("1.0005")), "1103 1113", "price is checked first")              \
    X(product_huge,                                                                                \
      (instr.max_price = instr.max_qty = instr.max_notional = 0, PRICE("1000000000"),              \
       QTY("1000000000")),                                                                         \
      "1133", "each fits, the product does not")                                                   \
    X(no_price, cmd.has_price = false, "1141", "LIMIT without price")                              \
    X(no_qty, cmd.has_qty = false, "1141", "LIMIT without quantity")                               \
    X(quote_qty, cmd.has_quote_qty = true, "1142", "quoteQty is for MARKET")                       \
    X(stop_px, cmd.has_stop_price = true, "1142", "stopPrice is for STOP")                         \
    X(display, cmd.has_display_qty = true, "1142", "icebergs are not taken")                       \
    X(stp_none, cmd.stp = ORD_STP_NONE, "", "mode that is done")                                   \
    X(target, cmd.target_order_id = dom_text_str("x"), "1142", "a new order has no target")        \
    X(expire, cmd.has_expire = true, "1142", "expiry without GTD")                                 \
    X(ioc, cmd.tif = ORD_IOC, "", "LIMIT IOC")                                                     \
    X(fok, cmd.tif = ORD_FOK, "", "LIMIT FOK")                                                     \
    X(post_ioc, (cmd.tif = ORD_IOC, cmd.post_only = true), "1143", "post-only must rest")          \
    X(post, cmd.post_only = true, "", "post-only GTC")                                             \
    X(reduce, cmd.reduce_only = true, "", "risk decides what reduces")                             \
    X(decrement, cmd.stp = ORD_STP_DECREMENT, "", "the mode that lowers both")                     \
    X(stp_wild, cmd.stp = (enum ord_stp)5, "1142", "outside the enum")                             \
    X(gtd_soon, gtd(NOW_US + 1), "", "a microsecond after the command")                            \
    X(gtd_now, gtd(NOW_US), "1145", "the command's own time is not in the future")                 \
    X(gtd_past, gtd(NOW_US - 1), "1145", "a microsecond before it")                                \
    X(gtd_none, cmd.tif = ORD_GTD, "1141", "GTD without expiry")                                   \
    X(gtd_post, (gtd(NOW_US + 1), cmd.post_only = true), "", "post-only may rest until then")      \
    X(gtd_market, (market(), gtd(NOW_US + 1)), "1143", "MARKET never rests")                       \
    X(stop, stop(), "", "STOP has a stop price and no limit")                                      \
    X(stop_gtd, (stop(), gtd(NOW_US + 1)), "", "a stop may wait until then")                       \
    X(stop_ioc, (stop(), cmd.tif = ORD_IOC), "1143", "a stop waits")                               \
    X(stop_fok, (stop(), cmd.tif = ORD_FOK), "1143", "a stop waits")                               \
    X(stop_limit_px, (stop(), cmd.has_price = true), "1142", "STOP has no limit")                  \
    X(stop_none, (stop(), cmd.has_stop_price = false), "1141", "STOP without stop price")          \
    X(stop_no_qty, (stop(), cmd.has_qty = false), "1141", "STOP without quantity")                 \
    X(stop_quote, (stop(), cmd.has_quote_qty = true), "1142", "amounts are for MARKET")            \
    X(stop_post, (stop(), cmd.post_only = true), "1142", "STOP takes when it triggers")            \
    X(stop_tick, (stop(), STOP("100.005")), "1103", "stop price between two ticks")                \
    X(stop_lowest, (stop(), STOP("1"), QTY("10")), "", "the lowest stop price itself")             \
    X(stop_low, (stop(), STOP("0.99"), QTY("20")), "1101", "stop price below the lowest")          \
    X(stop_highest, (stop(), STOP("1000")), "", "the highest stop price itself")                   \
    X(stop_high, (stop(), STOP("1000.01")), "1102", "stop price above the highest")                \
    X(stop_zero, (stop(), STOP("0")), "1132", "zero is not a stop price")                          \
    X(stop_huge, (stop(), cmd.stop_price = DEC_BUSINESS_LIMIT), "1133", "too large")               \
    X(stop_lot, (stop(), QTY("1.001")), "1113", "triggered it is MARKET: that lot counts")         \
    X(stop_least, (stop(), QTY("0.1")), "", "smallest notional at the stop price")                 \
    X(stop_small, (stop(), QTY("0.09")), "1121", "a lot below it")                                 \
    X(stop_limit, stop_limit(), "", "STOP_LIMIT has both prices")                                  \
    X(stop_limit_ioc, (stop_limit(), cmd.tif = ORD_IOC), "", "IOC once triggered")                 \
    X(stop_limit_fok, (stop_limit(), cmd.tif = ORD_FOK), "", "FOK once triggered")                 \
    X(stop_limit_gtd, (stop_limit(), gtd(NOW_US + 1)), "", "waits and rests until then")           \
    X(stop_limit_tif, (stop_limit(), cmd.tif = (enum ord_tif)9), "1143", "outside the enum")       \
    X(stop_limit_half, (stop_limit(), cmd.has_price = false), "1141", "without its limit")         \
    X(stop_limit_rest, (stop_limit(), cmd.has_stop_price = false), "1141", "without its stop")     \
    X(stop_limit_post, (stop_limit(), cmd.post_only = true), "1142", "post-only is for LIMIT")     \
    X(stop_limit_low, (stop_limit(), STOP("0.99")), "1101", "the stop price is bounded too")       \
    X(stop_limit_tick, (stop_limit(), STOP("99.005")), "1103", "and on the tick")                  \
    X(stop_limit_lot, (stop_limit(), QTY("1.001")), "", "its lot is LIMIT's")                      \
    X(stop_limit_least, (stop_limit(), QTY("0.1")), "", "smallest notional at its price")          \
    X(stop_limit_small, (stop_limit(), QTY("0.099")), "1121", "a lot below it")                    \
    X(market_quote, market_by_amount(), "", "MARKET by amount")                                    \
    X(market_both, (market_by_amount(), cmd.has_qty = true), "1142", "quantity or amount")         \
    X(market_stop, (market(), cmd.has_stop_price = true), "1142", "MARKET has no stop price")      \
    X(quote_least, (market_by_amount(), QUOTE("10")), "", "the amount is the notional: smallest")  \
    X(quote_small, (market_by_amount(), QUOTE("9.999999999999999999")), "1121", "an atom below")   \
    X(quote_most, (market_by_amount(), QUOTE("5000")), "", "the largest notional")                 \
    X(quote_large, (market_by_amount(), QUOTE("5000.000000000000000001")), "1122",                 \
      "an atom above")                                                                             \
    X(quote_zero, (market_by_amount(), QUOTE("0")), "1132", "no amount")                           \
    X(quote_huge, (market_by_amount(), cmd.quote_qty = DEC_BUSINESS_LIMIT), "1133", "too large")   \
    X(amend, amend(), "", "new total and price")                                                   \
    X(amend_qty, (amend(), cmd.has_price = false), "", "a new total only")                         \
    X(amend_price, (amend(), cmd.has_qty = false), "", "a new price only")                         \
    X(amend_none, (amend(), cmd.has_qty = cmd.has_price = false), "1141", "nothing new")           \
    X(amend_target, (amend(), cmd.target_order_id.len = 0), "1141", "of which order?")             \
    X(amend_id, (amend(), cmd.target_order_id = dom_text_str("?")), "1161", "bad target")          \
    X(amend_stop, (amend(), cmd.has_stop_price = true), "1142", "stop prices stay")                \
    X(amend_quote, (amend(), cmd.has_quote_qty = true), "1142", "no amounts")                      \
    X(amend_expire, (amend(), cmd.has_expire = true), "1142", "expiry stays")                      \
    X(amend_post, (amend(), cmd.post_only = true), "1142", "so does post-only")                    \
    X(amend_reduce, (amend(), cmd.reduce_only = true), "1142", "and reduce-only")                  \
    X(amend_display, (amend(), cmd.has_display_qty = true), "1142", "no icebergs")                 \
    X(amend_tick, (amend(), PRICE("100.005")), "1103", "prices have their filter")                 \
    X(amend_low, (amend(), PRICE("0.99"), QTY("20")), "1101", "below the lowest")                  \
    X(amend_high, (amend(), PRICE("1000.01")), "1102", "above the highest")                        \
    X(amend_step, (amend(), QTY("1.0005")), "1113", "totals too")                                  \
    X(amend_min, (amend(), QTY("0.001"), cmd.has_price = false), "1111", "below the smallest")     \
    X(amend_max, (amend(), QTY("100.001"), PRICE("1")), "1112", "above the largest")               \
    X(amend_small, (amend(), QTY("0.099")), "1121", "notional where both are there")               \
    X(amend_large, (amend(), QTY("50.001")), "1122", "the largest too")                            \
    X(amend_type, (amend(), cmd.type = (enum ord_type)9), "", "its type is the order's")           \
    X(amend_halt, (amend(), instr.state = INSTR_HALT), "1152", "not while halted")                 \
    X(amend_brk, (amend(), instr.state = INSTR_BREAK), "1152", "nor in a break")                   \
    X(amend_co, (amend(), instr.state = INSTR_CANCEL_ONLY), "1152", "cancels only")                \
    X(amend_po, (amend(), instr.state = INSTR_POST_ONLY), "1152", "nor post-only")                 \
    X(amend_lo, (amend(), instr.state = INSTR_LIMIT_ONLY), "", "limit-only lets it")               \
    X(amend_sym, (amend(), known = false), "1151", "unknown symbol")                               \
    X(amend_stale, (amend(), cmd.has_client_ts = true, cmd.client_us = 54999999), "1171", "late")  \
    X(cancel_all, cancel_all(), "", "everything in one symbol")                                    \
    X(cancel_all_any, (cancel_all(), known = false, cmd.symbol.len = 0), "", "in all symbols")     \
    X(cancel_all_sym, (cancel_all(), known = false), "1151", "unknown symbol")                     \
    X(cancel_all_one, (cancel_all(), cmd.target_order_id = dom_text_str("o")), "1142", "CANCEL?")  \
    X(cancel_all_halt, (cancel_all(), instr.state = INSTR_HALT), "", "always let through")         \
    X(cancel_all_late, (cancel_all(), cmd.has_client_ts = true, cmd.client_us = 0), "1171",        \
      "late")                                                                                      \
    X(lo_stop, (instr.state = INSTR_LIMIT_ONLY, stop()), "1152", "limit-only, STOP")               \
    X(lo_stop_limit, (instr.state = INSTR_LIMIT_ONLY, stop_limit()), "", "limit-only, STOP_LIMIT") \
    X(po_stop, (instr.state = INSTR_POST_ONLY, stop_limit()), "1152", "post-only, STOP_LIMIT")     \
    X(market, market(), "", "MARKET IOC")                                                          \
    X(market_gtc, (market(), cmd.tif = ORD_GTC), "1143", "MARKET never rests")                     \
    X(market_price, (market(), cmd.has_price = true), "1142", "MARKET has no price")               \
    X(market_post, (market(), cmd.post_only = true), "1142", "MARKET cannot be a maker")           \
    X(market_none, (market(), cmd.has_qty = false), "1141", "MARKET without quantity")             \
    X(market_lot, (market(), QTY("1.001")), "1113", "its own lot size")                            \
    X(market_min, (market(), QTY("0.01")), "1111", "its own smallest")                             \
    X(market_max, (market(), QTY("50.01")), "1112", "its own largest")                             \
    X(market_ref, (market(), env.has_reference = true, env.reference = amount("9.99")), "1121",    \
      "notional at the reference")                                                                 \
    X(unknown, known = false, "1151", "no such symbol")                                            \
    X(no_symbol, (known = false, cmd.symbol.len = 0), "1141", "no symbol at all")                  \
    X(halt, instr.state = INSTR_HALT, "1152", "halted")                                            \
    X(cancel_only, instr.state = INSTR_CANCEL_ONLY, "1152", "cancels only")                        \
    X(brk, instr.state = INSTR_BREAK, "1152", "break")                                             \
    X(po_plain, instr.state = INSTR_POST_ONLY, "1152", "post-only market, plain order")            \
    X(po_post, (instr.state = INSTR_POST_ONLY, cmd.post_only = true), "", "post-only order")       \
    X(lo_limit, instr.state = INSTR_LIMIT_ONLY, "", "limit-only market, LIMIT")                    \
    X(lo_market, (instr.state = INSTR_LIMIT_ONLY, market()), "1152", "limit-only, MARKET")         \
    X(id_long, cmd.client_order_id = dom_text_str(T "x"), "1161", "65 characters")                 \
    X(id_64, cmd.client_order_id = dom_text_str(T), "", "64 characters")                           \
    X(id_space, cmd.idempotency_key = dom_text_str("a b"), "1161", "a space")                      \
    X(id_all, cmd.client_order_id = dom_text_str("AZaz09._:-"), "", "every kind allowed")          \
    X(id_order, cmd.order_id = dom_text_str("o/1"), "1161", "order ids follow the rule")           \
    X(stale, (cmd.has_client_ts = true, cmd.client_us = 54999999), "1171", "a microsecond late")   \
    X(fresh, (cmd.has_client_ts = true, cmd.client_us = 55000000), "", "exactly the window")       \
    X(ahead, (cmd.has_client_ts = true, cmd.client_us = 61000001), "1171", "clock ahead")          \
    X(ahead_ok, (cmd.has_client_ts = true, cmd.client_us = 61000000), "", "one second ahead")      \
    X(clock_absurd, (cmd.has_client_ts = true, cmd.client_us = INT64_MIN), "1171", "no overflow")  \
    X(no_window, (cmd.has_client_ts = true, env.recv_window_us = 0), "", "switched off")           \
    X(cancel, cancel(), "", "a cancel needs target and symbol")                                    \
    X(cancel_halt, (cancel(), instr.state = INSTR_HALT), "", "always lets cancels through")        \
    X(cancel_none, (cancel(), cmd.target_order_id.len = 0), "1141", "no target")                   \
    X(cancel_sym, (cancel(), known = false), "1151", "unknown symbol")                             \
    X(cancel_id, (cancel(), cmd.target_order_id = dom_text_str("?")), "1161", "bad target")        \
    X(type_wild, cmd.type = (enum ord_type)9, "1144", "outside the enum")                          \
    X(tif_wild, cmd.tif = (enum ord_tif)9, "1143", "outside the enum")                             \
    X(action_wild, cmd.action = (enum ord_action)9, "1144", "outside the enum")                    \
    X(many, (cmd.order_id.len = 0, cmd.has_qty = false, known = false, PRICE("-1")),               \
      "1161 1141 1151 1132", "all are told, the first decides")

#define DEFINE(name, change, codes, why) ROW(name, change)
ROWS(DEFINE)

static const struct {
    void (*change)(void);
    const char *codes;
    const char *why;
} rows[] = {
#define LIST(name, change, codes, why) {row_##name, (codes), (why)},
    ROWS(LIST)};

START_TEST(an_order_gets_exactly_these_codes)
{
    struct code_list codes = {.count = 7};
    char text[256] = "";
    size_t len = 0;

    rows[_i].change();
    const enum dom_code first = validate_order(&cmd, known ? &instr : NULL, &env, &codes);
    for (size_t i = 0; i < codes.count; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i == 0 ? "" : " ",
                                (int)codes.items[i]);
    }
    ck_assert_msg(strcmp(text, rows[_i].codes) == 0, "%s: got \"%s\", expected \"%s\"",
                  rows[_i].why, text, rows[_i].codes);
    ck_assert_int_eq((int)first, (int)strtol(rows[_i].codes, NULL, 10));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("validate");
    TCase *tcase = tcase_create("validate");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, an_order_gets_exactly_these_codes, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
