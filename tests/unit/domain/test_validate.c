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
    X(reduce, cmd.reduce_only = true, "1142", "nor reduce-only, rather than ignored")              \
    X(decrement, cmd.stp = ORD_STP_DECREMENT, "1142", "mode the book's caller does not do")        \
    X(stp_none, cmd.stp = ORD_STP_NONE, "", "mode that is done")                                   \
    X(target, cmd.target_order_id = dom_text_str("x"), "1142", "a new order has no target")        \
    X(expire, cmd.has_expire = true, "1142", "expiry without GTD")                                 \
    X(gtd, (cmd.tif = ORD_GTD, cmd.has_expire = true), "1143", "not taken yet")                    \
    X(ioc, cmd.tif = ORD_IOC, "", "LIMIT IOC")                                                     \
    X(fok, cmd.tif = ORD_FOK, "", "LIMIT FOK")                                                     \
    X(post_ioc, (cmd.tif = ORD_IOC, cmd.post_only = true), "1143", "post-only must rest")          \
    X(post, cmd.post_only = true, "", "post-only GTC")                                             \
    X(stop, cmd.type = ORD_STOP, "1144", "not taken yet")                                          \
    X(stop_limit, cmd.type = ORD_STOP_LIMIT, "1144", "not taken yet")                              \
    X(amend, cmd.action = ORD_ACTION_AMEND, "1144", "not taken yet")                               \
    X(cancel_all, cmd.action = ORD_ACTION_CANCEL_ALL, "1144", "not taken yet")                     \
    X(market, market(), "", "MARKET IOC")                                                          \
    X(market_gtc, (market(), cmd.tif = ORD_GTC), "1143", "MARKET never rests")                     \
    X(market_price, (market(), cmd.has_price = true), "1142", "MARKET has no price")               \
    X(market_post, (market(), cmd.post_only = true), "1142", "MARKET cannot be a maker")           \
    X(market_none, (market(), cmd.has_qty = false), "1141", "MARKET without quantity")             \
    X(market_quote, (market(), cmd.has_qty = false, cmd.has_quote_qty = true), "1142",             \
      "quoteQty is not taken yet")                                                                 \
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
