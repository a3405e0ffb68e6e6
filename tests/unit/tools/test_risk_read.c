/*
 * Goal:   a dry run reads what the stage has: of each key the newest, of all users what stands in
 * the user's own partition, deleted rows not at all; and its answer follows from it. Method: the
 * production graph's account part on the log in memory, without workers: rows are put into risk's
 * changelog and its tables' topics by hand, and read back.
 */
#include "avro/risk_client_id.h"
#include "memory_env.h"
#include "millrace/changelog.h"
#include "millrace/partition.h"
#include "risk/risk_dry.h"
#include "risk_read.h"

#include <check.h>
#include <stdlib.h>

#define PARTITIONS 2

static struct memory_env memory;
static const struct mr_stage_node *stage;
static struct mr_err err;

static dec_t amount(const char *text)
{
    dec_t value = 0;

    ck_assert(dec_parse(dom_text_str(text), &value) == DEC_PARSED);
    return value;
}

static const char shop[] = "application: shop\n"
                           "defaults: {partitions: 2, replication: 1}\n"
                           "topics:\n"
                           "  orders: {key: userId, value: OrderCommand}\n"
                           "  approved: {key: symbol, value: OrderCommand}\n"
                           "  executions: {key: userId, value: ExecutionReport}\n"
                           "  rejected: {key: userId, value: ExecutionReport}\n"
                           "  accounts: {key: userId, value: AccountCommand}\n"
                           "  transfers: {key: userId, value: AccountCommand}\n"
                           "  prices: {key: symbol, value: PriceTick, cleanup: compact}\n"
                           "  instruments: {key: symbol, value: Instrument, cleanup: compact}\n"
                           "  events: {key: userId, value: RiskEvent}\n"
                           "stages:\n"
                           "  risk:\n"
                           "    type: risk\n"
                           "    in: {orders: orders, executions: executions, accounts: accounts,"
                           " prices: {table: prices}, instruments: {table: instruments}}\n"
                           "    out: {approved: approved, transfers: transfers, rejected: rejected,"
                           " events: events}\n"
                           "    options: {velocity-burst: 7}\n"
                           "groups:\n"
                           "  account: {stages: [risk]}\n";

static void set_up(void)
{
    memory_env_open(&memory, shop);
    stage = &memory.topology->stages[0];
}

static void tear_down(void)
{
    memory_env_close(&memory);
}

/* value NULL: a tombstone. */
static void send_value(const char *topic, int32_t partition, const struct mr_binding *binding,
                       struct mr_slice key, const void *value)
{
    memory_env_send_value(
        &memory, topic, binding,
        &(struct mr_outgoing){.partition = partition, .timestamp_ms = 1, .key = key}, value);
}

static void send_row(const char *store, int32_t partition, struct mr_slice key, const void *value)
{
    const struct mr_stage *type = stage->type;
    uint8_t bytes[MR_CHANGELOG_KEY_BYTES_MAX];

    for (size_t i = 0; i < type->store_count; i++) {
        struct mr_binding binding;
        size_t len = 0;

        if (strcmp(type->stores[i].name, store) == 0) {
            ck_assert_int_eq(mr_codec_bind(memory.env.codec, type->stores[i].schema,
                                           stage->store_subjects[i], &binding, &err),
                             MR_OK);
            len = mr_changelog_key(&type->stores[i], key, bytes);
            send_value(memory.topology->topics[stage->changelog].name, partition, &binding,
                       mr_slice_of(bytes, len), value);
            return;
        }
    }
    ck_abort_msg("no store %s", store);
}

static void send_table(const char *topic, const struct mr_schema *schema, const char *key,
                       const void *value)
{
    const size_t index = mr_topology_find_topic(memory.topology, topic);
    struct mr_binding binding;

    ck_assert_int_eq(mr_codec_bind(memory.env.codec, schema, memory.topology->topics[index].subject,
                                   &binding, &err),
                     MR_OK);
    send_value(topic, 0, &binding, mr_slice_str(key), value);
}

static int32_t home(void)
{
    return mr_partition_of(mr_slice_str("u1"), PARTITIONS);
}

static void send_account(int32_t partition, const char *user, const char *cash)
{
    struct oms_risk_balance balance = {.asset = mr_slice_str("USDT"), .available = amount(cash)};
    const struct oms_risk_account row = {.trading_state = OMS_TRADING_STATE_ACTIVE,
                                         .balances = {.items = &balance, .count = 1}};

    send_row("accounts", partition, mr_slice_str(user), &row);
}

static void send_everything(void)
{
    struct oms_risk_account all = {.trading_state = OMS_TRADING_STATE_HALTED};
    const struct oms_instrument instrument = {.symbol = mr_slice_str("BTCUSDT"),
                                              .base_asset = mr_slice_str("BTC"),
                                              .quote_asset = mr_slice_str("USDT"),
                                              .tick_size = amount("0.01"),
                                              .lot_size = amount("0.001"),
                                              .taker_fee = amount("0.002")};
    struct oms_price_tick tick = {.symbol = mr_slice_str("BTCUSDT"), .price = amount("50")};

    send_account(home(), "u1", "1");
    send_account(home(), "u2", "5");
    send_account(home(), "u1", "100.2"); /* the newest */
    send_row("accounts", 1 - home(), mr_slice_str("*"), &all);
    all.trading_state = OMS_TRADING_STATE_ACTIVE;
    all.open_orders_max = 3;
    all.has_open_orders_max = true;
    send_row("accounts", home(), mr_slice_str("*"), &all);
    send_table("instruments", &oms_instrument_schema, "BTCUSDT", &instrument);
    send_table("prices", &oms_price_tick_schema, "BTCUSDT", &tick);
    tick.price = amount("100");
    send_table("prices", &oms_price_tick_schema, "BTCUSDT", &tick);
}

static struct risk_rows *read_rows(const char *client_order_id)
{
    const struct risk_question question = {
        .stage = stage, .user = "u1", .client_order_id = client_order_id, .wait_us = MR_SECOND_US};
    struct risk_rows *rows = NULL;

    ck_assert_msg(risk_rows_read(&memory.env, &question, &rows, &err) == MR_OK, "%s", err.text);
    return rows;
}

START_TEST(the_newest_row_of_the_users_partition_counts)
{
    struct risk_rows *rows = NULL;

    send_everything();
    rows = read_rows("");
    ck_assert(risk_rows_user(rows)->balances.items[0].available == amount("100.2"));
    ck_assert(risk_rows_all(rows)->open_orders_max == 3);
    ck_assert(risk_rows_all(rows)->trading_state == OMS_TRADING_STATE_ACTIVE);
    ck_assert(risk_rows_price(rows, mr_slice_str("BTCUSDT"))->price == amount("100"));
    ck_assert(risk_rows_instrument(rows, mr_slice_str("BTCUSDT"))->lot_size == amount("0.001"));
    ck_assert_ptr_null(risk_rows_instrument(rows, mr_slice_str("ETHUSDT")));
    risk_rows_close(&rows);
    ck_assert_ptr_null(rows);
}
END_TEST

START_TEST(nothing_is_known_of_who_was_never_there)
{
    struct risk_rows *rows = read_rows("mine");

    ck_assert_ptr_null(risk_rows_user(rows));
    ck_assert_ptr_null(risk_rows_all(rows));
    ck_assert(!risk_rows_client_id_taken(rows));
    risk_rows_close(&rows);
}
END_TEST

START_TEST(a_clients_name_is_taken_until_its_row_is_deleted)
{
    const struct oms_risk_client_id row = {.order_id = mr_slice_str("o1")};
    struct risk_rows *rows = NULL;
    struct mr_key key;

    mr_key_begin(&key);
    mr_key_text(&key, mr_slice_str("u1"));
    mr_key_text(&key, mr_slice_str("mine"));
    send_row("client-ids", home(), mr_key_slice(&key), &row);
    rows = read_rows("mine");
    ck_assert(risk_rows_client_id_taken(rows));
    risk_rows_close(&rows);
    rows = read_rows("another");
    ck_assert(!risk_rows_client_id_taken(rows));
    risk_rows_close(&rows);
    send_row("client-ids", home(), mr_key_slice(&key), NULL);
    rows = read_rows("mine");
    ck_assert(!risk_rows_client_id_taken(rows));
    risk_rows_close(&rows);
}
END_TEST

START_TEST(the_answer_follows_from_what_was_read)
{
    static struct instrument_cache instruments;
    struct oms_order_command order = {.action = OMS_ACTION_NEW,
                                      .order_id = mr_slice_str("dry-run"),
                                      .user_id = mr_slice_str("u1"),
                                      .symbol = mr_slice_str("BTCUSDT"),
                                      .qty = amount("1"),
                                      .has_qty = true,
                                      .price = amount("100"),
                                      .has_price = true};
    struct risk_settings settings;
    struct risk_dry_result result;
    struct risk_rows *rows = NULL;

    send_everything();
    rows = read_rows("");
    ck_assert(risk_dry_settings(stage->type, stage->options, &settings));
    ck_assert_int_eq(settings.burst, 7);
    const struct risk_dry dry = {.settings = &settings,
                                 .user = risk_rows_user(rows),
                                 .all = risk_rows_all(rows),
                                 .instrument_of = risk_rows_instrument,
                                 .price_of = risk_rows_price,
                                 .arg = rows,
                                 .order = &order,
                                 .instruments = &instruments};
    risk_dry_run(&dry, &result);
    ck_assert(result.allowed); /* to the last atom */
    ck_assert(result.checks[RISK_CHECK_VELOCITY].limit.value == amount("7"));
    order.price = amount("100.01");
    risk_dry_run(&dry, &result);
    ck_assert(!result.allowed);
    ck_assert_int_eq(result.checks[RISK_CHECK_FUNDS].code, CODE_INSUFFICIENT_FUNDS);
    risk_rows_close(&rows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("risk read");
    TCase *tcase = tcase_create("risk read");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_newest_row_of_the_users_partition_counts);
    tcase_add_test(tcase, nothing_is_known_of_who_was_never_there);
    tcase_add_test(tcase, a_clients_name_is_taken_until_its_row_is_deleted);
    tcase_add_test(tcase, the_answer_follows_from_what_was_read);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
