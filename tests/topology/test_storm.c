/*
 * test_storm.c -- random traffic, random crashes: the books balance.
 *
 * Goal:   the invariants (invariants.h) hold after any mixture of orders, cancels, transfers,
 *         duplicates, halts and garbage, in which processes crash, lose their state directories
 *         and are refused, fenced and left in doubt by the log.
 * Method: seeded. Commands go out in bursts without waiting, so records of many users and both
 *         symbols are on their way at once; then everything settles and is added up again.
 */
#include "avro/execution_report.h"
#include "invariants.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS 16
#define BURSTS 30
#define BURST_MAX 14
#define USERS 6
#define FIRST_TS_US INT64_C(1723075200000000)

enum disturbance { CALM, CRASHES, FAULTS, BOTH };

struct storm {
    struct mr_world *world;
    uint64_t random;
    int orders;   /* ids given out */
    int commands; /* event ids given out */
    int64_t ts_us;
    bool halted;
};

static uint64_t pick(struct storm *storm, uint64_t bound)
{
    uint64_t z = storm->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % bound;
}

static const char *one_of(struct storm *storm, const char *const *texts, size_t count)
{
    return texts[pick(storm, count)];
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static void send_instrument(struct storm *storm, const char *symbol, const char *state)
{
    char json[800];

    snprintf(json, sizeof(json),
             "{\"symbol\": \"%s\", \"ts\": %lld, \"baseAsset\": \"%.3s\", \"quoteAsset\": "
             "\"USDT\", \"state\": \"%s\", \"tickSize\": \"0.5\", \"lotSize\": \"0.1\", "
             "\"minPrice\": \"1\", \"maxPrice\": \"100000\", \"minQty\": \"0.1\", \"maxQty\": "
             "\"1000\", \"minNotional\": \"5\", \"maxNotional\": \"100000\", \"makerFee\": "
             "\"0.00017\", \"takerFee\": \"0.00093\", \"version\": %d}",
             symbol, (long long)storm->ts_us, symbol, state, storm->commands);
    mr_world_send_json(storm->world, "instruments", NULL, json);
}

static void send_price(struct storm *storm, const char *symbol)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"symbol\": \"%s\", \"ts\": %lld, \"kind\": \"LAST\", \"price\": \"%d\", \"seq\": "
             "%d, \"source\": \"storm\"}",
             symbol, (long long)storm->ts_us, 98 + (int)pick(storm, 5), storm->commands);
    mr_world_send_json(storm->world, "prices", NULL, json);
}

static void send_transfer(struct storm *storm, int user, const char *action, const char *asset,
                          int amount)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"eventId\": \"a%d\", \"ts\": %lld, \"userId\": \"user%d\", \"action\": \"%s\", "
             "\"asset\": \"%s\", \"amount\": \"%d.%d\"}",
             storm->commands++, (long long)storm->ts_us, user, action, asset, amount,
             (int)pick(storm, 10));
    mr_world_send_json(storm->world, "accounts", NULL, json);
}

static void send_cancel(struct storm *storm, int user)
{
    const int target = storm->orders == 0 ? 0 : (int)pick(storm, (uint64_t)storm->orders);
    char json[400];

    /* Order n belongs to user n % USERS: mostly one's own. */
    snprintf(json, sizeof(json),
             "{\"eventId\": \"c%d\", \"ts\": %lld, \"action\": \"CANCEL\", \"orderId\": \"x%d\", "
             "\"userId\": \"user%d\", \"symbol\": \"%s\", \"side\": \"BUY\", \"ordType\": "
             "\"LIMIT\", \"tif\": \"GTC\", \"postOnly\": false, \"reduceOnly\": false, "
             "\"stpMode\": \"EXPIRE_TAKER\", \"source\": \"storm\", \"targetOrderId\": \"o%d\"}",
             storm->commands, (long long)storm->ts_us, storm->commands,
             pick(storm, 8) == 0 ? user : target % USERS, target % 2 ? "BTCUSDT" : "ETHUSDT",
             target);
    storm->commands++;
    mr_world_send_json(storm->world, "orders", NULL, json);
}

static void send_order(struct storm *storm)
{
    static const char *const types[] = {"LIMIT", "LIMIT", "LIMIT", "LIMIT", "MARKET"};
    static const char *const tifs[] = {"GTC", "GTC", "GTC", "IOC", "FOK"};
    static const char *const modes[] = {"EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE"};
    const int id = storm->orders++;
    const char *type = one_of(storm, types, MR_COUNT(types));
    const bool market = strcmp(type, "MARKET") == 0;
    const char *tif = market ? "IOC" : one_of(storm, tifs, MR_COUNT(tifs));
    const bool post_only = strcmp(tif, "GTC") == 0 && pick(storm, 10) == 0;
    char price[40] = "";
    char json[700];

    if (!market) {
        snprintf(price, sizeof(price), "\"price\": \"%d.%d\", ", 96 + (int)pick(storm, 9),
                 pick(storm, 25) == 0 ? 3 : 5 * (int)pick(storm, 2));
    }
    snprintf(json, sizeof(json),
             "{\"eventId\": \"c%d\", \"ts\": %lld, \"action\": \"NEW\", \"orderId\": \"o%d\", "
             "\"userId\": \"user%d\", \"symbol\": \"%s\", \"side\": \"%s\", \"ordType\": \"%s\", "
             "\"tif\": \"%s\", \"qty\": \"%d.%d\", %s\"postOnly\": %s, \"reduceOnly\": false, "
             "\"stpMode\": \"%s\", \"idempotencyKey\": \"k%d\", \"source\": \"storm\"}",
             storm->commands++, (long long)storm->ts_us, id, id % USERS,
             id % 2 ? "BTCUSDT" : "ETHUSDT", pick(storm, 2) ? "BUY" : "SELL", type, tif,
             1 + (int)pick(storm, 4), (int)pick(storm, 10), price, post_only ? "true" : "false",
             one_of(storm, modes, MR_COUNT(modes)),
             /* Now and then the key of an earlier order of the same user. */
             pick(storm, 12) == 0 && id >= USERS ? id - USERS : id);
    mr_world_send_json(storm->world, "orders", NULL, json);
}

static void send_garbage(struct storm *storm)
{
    static const char *const topics[] = {"orders", "accounts", "instruments", "prices"};
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)pick(storm, i < 4 ? 2 : 256);
    }
    mr_world_send(storm->world, one_of(storm, topics, MR_COUNT(topics)), mr_slice_str("user1"),
                  mr_slice_of(bytes, (size_t)pick(storm, sizeof(bytes))));
}

static void send_something(struct storm *storm)
{
    const uint64_t what = pick(storm, 100);
    const int user = (int)pick(storm, USERS);

    storm->ts_us += (int64_t)pick(storm, 3 * MR_SECOND_US);
    if (what < 70) {
        send_order(storm);
    } else if (what < 85) {
        send_cancel(storm, user);
    } else if (what < 88) {
        send_transfer(storm, user, "DEPOSIT", pick(storm, 2) ? "USDT" : "BTC",
                      (int)pick(storm, 50));
    } else if (what < 93) {
        send_transfer(storm, user, "WITHDRAW", pick(storm, 2) ? "USDT" : "BTC",
                      (int)pick(storm, 300));
    } else if (what < 95) {
        storm->halted = !storm->halted;
        send_instrument(storm, "BTCUSDT", storm->halted ? "HALT" : "TRADING");
    } else if (what < 97) {
        send_price(storm, pick(storm, 2) ? "BTCUSDT" : "ETHUSDT");
    } else {
        send_garbage(storm);
    }
    mr_world_pass_us(storm->world, MR_MS_US);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void crash_something(struct storm *storm)
{
    const size_t group = (size_t)pick(storm, mr_world_topology(storm->world)->group_count);

    mr_world_crash(storm->world, group);
    if (pick(storm, 2) == 0) {
        mr_world_lose_state(storm->world, group);
    }
}

static void fail_something(struct storm *storm)
{
    static const struct {
        enum mr_log_call call;
        enum mr_status status;
        bool done;
    } faults[] = {
        {MR_LOG_CALL_COMMIT, MR_TXN_ABORT, false},    {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, false},
        {MR_LOG_CALL_COMMIT, MR_INDETERMINATE, true}, {MR_LOG_CALL_COMMIT, MR_FENCED, true},
        {MR_LOG_CALL_COMMIT, MR_TIMEOUT, false},      {MR_LOG_CALL_BEGIN, MR_LOG_FATAL, true},
        {MR_LOG_CALL_ABORT, MR_LOG_FATAL, false},     {MR_LOG_CALL_POLL, MR_LOG_FATAL, false},
    };
    const size_t fault = (size_t)pick(storm, MR_COUNT(faults));

    mr_log_memory_fail(mr_world_log(storm->world), faults[fault].call, 1 + (int)pick(storm, 3),
                       faults[fault].status, faults[fault].done);
}

static void begin(struct storm *storm, uint64_t seed, const char *workers)
{
    const struct mr_world_edit edits[] = {{"${ACCOUNT_WORKERS:-1}", workers},
                                          {"${MARKET_WORKERS:-1}", workers}};

    *storm = (struct storm){.random = seed, .ts_us = FIRST_TS_US};
    storm->world =
        mr_world_create(&(struct mr_world_options){.edits = edits, .edit_count = MR_COUNT(edits)});
    mr_world_start(storm->world);
    send_instrument(storm, "BTCUSDT", "TRADING");
    send_instrument(storm, "ETHUSDT", "TRADING");
    send_price(storm, "BTCUSDT");
    for (int user = 0; user < USERS; user++) {
        send_transfer(storm, user, "DEPOSIT", "USDT", 2000);
        send_transfer(storm, user, "DEPOSIT", "BTC", 10);
        send_transfer(storm, user, "DEPOSIT", "ETH", 10);
    }
    mr_world_settle(storm->world);
    send_price(storm, "ETHUSDT");
}

static void count(struct mr_world *world, size_t counts[OMS_EXEC_TYPE_SETTLED + 1])
{
    struct mr_world_records records;

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;

        mr_world_decode(world, "executions", &records, i, &report);
        counts[report.exec_type]++;
    }
    mr_world_records_fini(&records);
}

static void blow(struct storm *storm, enum disturbance disturbance)
{
    for (int burst = 0; burst < BURSTS; burst++) {
        for (uint64_t i = pick(storm, BURST_MAX); i > 0; i--) {
            send_something(storm);
        }
        mr_world_rounds(storm->world, (int)pick(storm, 25));
        if ((disturbance == CRASHES || disturbance == BOTH) && pick(storm, 3) == 0) {
            crash_something(storm);
        }
        if ((disturbance == FAULTS || disturbance == BOTH) && pick(storm, 3) == 0) {
            fail_something(storm);
        }
    }
    mr_world_settle(storm->world);
}

static void storms(enum disturbance disturbance, uint64_t first_seed, const char *workers)
{
    size_t counts[OMS_EXEC_TYPE_SETTLED + 1] = {0};

    for (uint64_t seed = first_seed; seed < first_seed + SEEDS; seed++) {
        struct storm storm;

        begin(&storm, seed, workers);
        blow(&storm, disturbance);
        invariants_check(storm.world);
        count(storm.world, counts);
        mr_world_stop(storm.world);
        mr_world_destroy(&storm.world);
    }
    /* It was weather, not silence. */
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_TRADE], SEEDS * 20);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_CANCELED], SEEDS * 5);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_REJECTED], SEEDS * 2);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_CANCEL_REJECTED], SEEDS);
    ck_assert_uint_gt(counts[OMS_EXEC_TYPE_SETTLED], SEEDS * 5);
}

static const struct {
    enum disturbance disturbance;
    const char *workers;
    const char *why;
} weathers[] = {
    {CALM, "1", "the invariants themselves"},
    {CRASHES, "1", "processes die and lose their state"},
    {FAULTS, "1", "the log refuses, fences and leaves in doubt"},
    {BOTH, "1", "all of it"},
    {BOTH, "2", "with two workers a process"},
};

START_TEST(the_books_balance_after_every_storm)
{
    storms(weathers[_i].disturbance, (uint64_t)_i * 1000 + 1, weathers[_i].workers);
}
END_TEST

/* Inputs, tables and changelogs are all polled; none of these waits may end a process. */
START_TEST(a_poll_that_nobody_answers_ends_no_worker)
{
    struct storm storm;

    begin(&storm, 7, "1");
    for (int n = 1; n <= 12; n++) {
        mr_log_memory_fail(mr_world_log(storm.world), MR_LOG_CALL_POLL, n, MR_UNAVAILABLE, false);
        send_price(&storm, "BTCUSDT");
        mr_world_rounds(storm.world, 5);
    }
    ck_assert_int_eq(mr_world_restarts(storm.world), 0);
    mr_world_stop(storm.world);
    mr_world_destroy(&storm.world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology: storm");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 180);
    tcase_add_loop_test(tcase, the_books_balance_after_every_storm, 0, (int)MR_COUNT(weathers));
    tcase_add_test(tcase, a_poll_that_nobody_answers_ends_no_worker);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
