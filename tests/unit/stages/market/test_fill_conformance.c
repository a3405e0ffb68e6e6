/*
 * Goal: the tape of two recorded order flows, trade by trade.
 * Method: flows and expected reports of matching-conformance/small_dev beside the repository
 *         (MILLRACE_DATA, else ../shared/data). A modify is a cancel and a new order of the same
 *         id. Where the data is missing the test says so and counts as skipped.
 *
 *   commands: seq,msg,side,ioc,qty,order_id,price_ticks     msg N new, C cancel, M modify
 *   reports:  1,seq,price,qty,maker,taker is a trade; the other kinds are not compared
 */
#include "fill_fixture.h"

#define SKIPPED 77
#define PATH_BYTES 512
#define LINE_BYTES 256

static const char *const flows[] = {"normal_seed7_20k", "swing-25_seed7_20k"};

static FILE *open_data(const char *flow, const char *suffix)
{
    const char *root = getenv("MILLRACE_DATA");
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/matching-conformance/small_dev/%s.%s",
                   root != NULL ? root : MILLRACE_DATA_DEFAULT, flow, suffix);
    return fopen(path, "r");
}

struct message {
    long long seq, qty, id, price;
    char kind, side;
    int ioc;
};

/* False at the end. */
static bool next_message(FILE *file, struct message *message)
{
    char line[LINE_BYTES];

    if (fgets(line, sizeof(line), file) == NULL) {
        return false;
    }
    ck_assert_int_eq(sscanf(line, "%lld,%c,%c,%d,%lld,%lld,%lld", &message->seq, &message->kind,
                            &message->side, &message->ioc, &message->qty, &message->id,
                            &message->price),
                     7);
    return true;
}

static bool next_trade(FILE *file, struct message *expected, long long *taker)
{
    char line[LINE_BYTES];

    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '1') {
            ck_assert_int_eq(sscanf(line, "1,%lld,%lld,%lld,%lld,%lld", &expected->seq,
                                    &expected->price, &expected->qty, &expected->id, taker),
                             5);
            return true;
        }
    }
    return false;
}

static void send_new(struct mr_driver *driver, const struct message *message, const char *id)
{
    struct oms_order_command order = limit_of(id, "u1", message->side, "1", "1");

    order.price = (mr_i128)message->price * dec("0.01");
    order.qty = (mr_i128)message->qty * dec("0.00001");
    order.tif = message->ioc != 0 ? OMS_TIME_IN_FORCE_IOC : OMS_TIME_IN_FORCE_GTC;
    order.stp_mode = OMS_STP_MODE_NONE;
    approve(&order);
    ck_assert_int_eq(push(driver, order), MR_OK);
}

static void play(struct mr_driver *driver, const struct message *message)
{
    char id[32];

    (void)snprintf(id, sizeof(id), "%lld", message->id);
    if (message->kind != 'N') {
        ck_assert_int_eq(push(driver, cancel_of("x", "u1", id)), MR_OK);
        if (last_report(driver)->status == OMS_ORDER_STATUS_REJECTED) {
            return;
        }
    }
    if (message->kind != 'C') {
        send_new(driver, message, id);
    }
}

static void check_trades(struct mr_driver *driver, FILE *expected)
{
    for (size_t i = 0; i < trades(driver); i++) {
        struct message want = {0};
        const struct oms_trade *one = trade(driver, i);
        long long taker = 0;
        char id[32];

        ck_assert(next_trade(expected, &want, &taker));
        (void)snprintf(id, sizeof(id), "%lld", want.id);
        ck_assert_msg(is_text(one->maker_order_id, id), "maker of the trade of %lld", want.seq);
        (void)snprintf(id, sizeof(id), "%lld", taker);
        ck_assert_msg(is_text(one->taker_order_id, id), "taker of the trade of %lld", want.seq);
        ck_assert(one->price == (mr_i128)want.price * dec("0.01"));
        ck_assert(one->qty == (mr_i128)want.qty * dec("0.00001"));
    }
}

START_TEST(a_recorded_flow_gives_its_tape)
{
    FILE *commands = open_data(flows[_i], "commands.csv");
    FILE *expected = open_data(flows[_i], "reports.txt");
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    struct message message = {0};
    char header[LINE_BYTES];
    long long taker = 0;

    ck_assert(commands != NULL && expected != NULL);
    ck_assert_ptr_nonnull(fgets(header, sizeof(header), commands));
    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    while (next_message(commands, &message)) {
        play(driver, &message);
        check_trades(driver, expected);
        ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
        mr_driver_emits_clear(driver);
    }
    ck_assert(!next_trade(expected, &message, &taker));
    ck_assert_uint_gt(mr_driver_counter(driver, "trades_total"), 1000);
    mr_driver_destroy(&driver);
    (void)fclose(commands);
    (void)fclose(expected);
}
END_TEST

int main(void)
{
    FILE *probe = open_data(flows[0], "commands.csv");
    Suite *suite = NULL;
    TCase *flow = NULL;
    SRunner *runner = NULL;
    int failed = 0;

    if (probe == NULL) {
        (void)printf("skipped: no matching-conformance data; set MILLRACE_DATA\n");
        return SKIPPED;
    }
    (void)fclose(probe);
    suite = suite_create("fill conformance");
    flow = tcase_create("flows");
    tcase_set_timeout(flow, 100);
    tcase_add_loop_test(flow, a_recorded_flow_gives_its_tape, 0, (int)MR_COUNT(flows));
    suite_add_tcase(suite, flow);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
