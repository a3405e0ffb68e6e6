/*
 * match-stage -- orders of a case through the fill stage, stops included.
 *
 * Why: the order book alone has no stops; the stage around it has.
 * How: reads lines `seq,msg,side,type,qty,id,price,stop` from stdin (msg N new, A amend, C cancel;
 *      type 1 market, 2 limit, 3 stop, 4 stop-limit; whole numbers). Prints each trade as
 *      `T,price,qty`, what is refused as `J,id,code`, and in the end what is open as
 *      `B|S,id,price,qty,stop`, where an absent price or stop is 0.
 *      Risk's part is the fixture's: the collar of what has no limit is far away.
 */
#include "fill_fixture.h"

#define LINE_BYTES 256
#define CEILING "1000000000"

struct line {
    char msg, side;
    int type;
    char qty[32], id[32], price[32], stop[32];
};

static bool parse(const char *text, struct line *line)
{
    int seq = 0;

    return sscanf(text, "%d,%c,%c,%d,%31[^,],%31[^,],%31[^,],%31[^,\n]", &seq, &line->msg,
                  &line->side, &line->type, line->qty, line->id, line->price, line->stop) == 8;
}

static struct oms_order_command new_of(const struct line *line)
{
    const char *collar = line->side == 'B' ? CEILING : "1";
    const bool collared = line->type == 1 || line->type == 3;
    struct oms_order_command order =
        collared ? market_of(line->id, "u1", line->side, collar, line->qty)
                 : limit_of(line->id, "u1", line->side, line->price, line->qty);

    if (line->type >= 3) {
        order.ord_type = line->type == 3 ? OMS_ORDER_TYPE_STOP : OMS_ORDER_TYPE_STOP_LIMIT;
        order.tif = OMS_TIME_IN_FORCE_GTC;
        order.has_stop_price = true;
        order.stop_price = dec(line->stop);
    }
    order.stp_mode = OMS_STP_MODE_NONE;
    return order;
}

/* Reserved is more than any of the cases needs. */
static struct oms_order_command amend_of(const struct line *line)
{
    struct oms_order_command order = cancel_of("x", "u1", line->id);

    order.action = OMS_ACTION_AMEND;
    order.has_qty = true;
    order.qty = dec(line->qty);
    order.has_price = line->type == 2 || line->type == 4;
    order.price = order.has_price ? dec(line->price) : 0;
    order.has_reserved = true;
    order.reserved = dec(CEILING);
    return order;
}

static void work(struct mr_driver *driver, const struct line *line)
{
    const struct oms_execution_report *last = NULL;

    ck_assert_int_eq(push(driver, line->msg == 'N'   ? new_of(line)
                                  : line->msg == 'A' ? amend_of(line)
                                                     : cancel_of("x", "u1", line->id)),
                     MR_OK);
    last = last_report(driver);
    if (last->has_reject_code) {
        (void)printf("J,%s,%d\n", line->id, last->reject_code);
    }
}

static long long whole(mr_i128 amount)
{
    ck_assert(amount % DEC_ONE == 0);
    return (long long)(amount / DEC_ONE);
}

static bool print_open(void *arg, struct mr_slice key, const void *value)
{
    const struct oms_resting_order *order = value;

    (void)arg;
    (void)key;
    (void)printf("%c,%.*s,%lld,%lld,%lld\n", order->side == OMS_SIDE_BUY ? 'B' : 'S',
                 MR_SLICE_ARG(order->order_id),
                 order->ord_type == OMS_ORDER_TYPE_STOP ? 0 : whole(order->price),
                 whole(order->leaves_qty),
                 order->has_stop_price && !order->triggered ? whole(order->stop_price) : 0);
    return true;
}

/* Not a test of its own, but the fixture's assertions need one around them. */
START_TEST(play)
{
    const struct mr_slice all = {0};
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    struct mr_err err;
    struct line line;
    char text[LINE_BYTES];

    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    while (fgets(text, sizeof(text), stdin) != NULL) {
        ck_assert(parse(text, &line));
        work(driver, &line);
    }
    for (size_t i = 0; i < trades(driver); i++) {
        (void)printf("T,%lld,%lld\n", whole(trade(driver, i)->price), whole(trade(driver, i)->qty));
    }
    ck_assert_int_eq(
        mr_store_scan(mr_driver_store(driver, "orders"), all, all, print_open, NULL, &err), MR_OK);
    mr_driver_destroy(&driver);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match-stage");
    TCase *tcase = tcase_create("case");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(tcase, play);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
