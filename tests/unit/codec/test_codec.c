/*
 * Goal:   a framed record reaches the right decoder: our own id at once, other versions through
 *         avro-c, unknown ids as poison, an absent registry as a reason to wait.
 * Method: the registry in memory behind a wrapper that counts requests and can be switched off; a
 *         clock that the test moves; foreign records written by avro-c.
 */
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "avro/resting_order.h"
#include "avro/settle_order.h"
#include "codec_clock.h"
#include "millrace/codec.h"
#include "oracle.h"
#include "records.h"

#include <check.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#define SUBJECT "things-value"

struct counting_registry {
    struct mr_registry base;
    struct mr_registry *inner;
    int fetches;
    bool away;
};

static struct counting_registry registry;
static struct mr_codec *codec;
static struct mr_arena *arena;
static int64_t now_us;

static enum mr_status counting_register(struct mr_registry *self, const char *subject,
                                        const char *json, int32_t *id, struct mr_err *err)
{
    struct counting_registry *c = (struct counting_registry *)self;

    return c->inner->ops->register_schema(c->inner, subject, json, id, err);
}

static enum mr_status counting_fetch(struct mr_registry *self, int32_t id, char **json,
                                     struct mr_err *err)
{
    struct counting_registry *c = (struct counting_registry *)self;

    c->fetches++;
    if (c->away) {
        return mr_fail(err, MR_UNAVAILABLE, "the registry is away");
    }
    return c->inner->ops->schema_by_id(c->inner, id, json, err);
}

static int64_t test_time_us(void *arg)
{
    (void)arg;
    return now_us;
}

static void set_up(void)
{
    static const struct mr_registry_ops OPS = {.register_schema = counting_register,
                                               .schema_by_id = counting_fetch};
    static const struct mr_clock CLOCK = {.wall_us = test_time_us, .monotonic_us = test_time_us};

    registry = (struct counting_registry){.base.ops = &OPS, .inner = mr_registry_memory_create()};
    now_us = 1000;
    codec = mr_codec_create_clocked(&registry.base, &CLOCK);
    arena = mr_arena_create(4096);
}

static void tear_down(void)
{
    mr_arena_destroy(&arena);
    mr_codec_destroy(&codec);
    mr_registry_destroy(&registry.inner);
}

/* A free subject per text: what the writers of this test register need not be compatible. */
static int32_t register_text(const char *json)
{
    static int count;
    char subject[32];
    struct mr_err err = {0};
    int32_t id = 0;

    (void)snprintf(subject, sizeof(subject), "writer-%d", count++);
    ck_assert_msg(registry.inner->ops->register_schema(registry.inner, subject, json, &id, &err) ==
                      MR_OK,
                  "%s", err.text);
    return id;
}

static struct mr_binding bind(const struct mr_schema *schema)
{
    struct mr_binding binding = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(mr_codec_bind(codec, schema, SUBJECT, &binding, &err), MR_OK);
    return binding;
}

static struct mr_slice frame(int32_t id, struct mr_slice body)
{
    return frame_body(id, body, arena);
}

static struct mr_slice settle_order_bytes(void)
{
    const struct oms_settle_order order = {.hold = 7, .last_version = 3};

    return encode_record(&oms_settle_order_schema, &order, arena);
}

START_TEST(a_record_with_our_id_comes_back_without_a_request)
{
    const struct mr_binding binding = bind(&oms_order_command_schema);
    struct random random = {.state = 1};
    const void *record = random_record(&random, binding.schema, arena);
    uint8_t *framed = mr_arena_alloc(arena, mr_codec_framed_bytes_max(&binding, record));
    const size_t len = mr_codec_encode(&binding, record, framed);
    struct oms_order_command out;
    struct mr_err err = {0};
    int32_t id = 0;

    ck_assert_int_eq(framed[0], 0);
    ck_assert_int_eq(mr_wire_schema_id(mr_slice_of(framed, len), &id, &err), MR_OK);
    ck_assert_int_eq(id, binding.id);
    ck_assert_int_eq(mr_codec_decode(codec, &binding, mr_slice_of(framed, len), arena, &out, &err),
                     MR_OK);
    ck_assert_ptr_null(records_differ(binding.schema, record, &out));
    ck_assert_int_eq(registry.fetches, 0);
}
END_TEST

START_TEST(an_id_is_four_bytes_big_endian)
{
    static const uint8_t FRAMED[] = {0, 0x01, 0x02, 0x03, 0x04};
    struct mr_err err = {0};
    int32_t id = 0;

    ck_assert_int_eq(mr_wire_schema_id(mr_slice_of(FRAMED, 5), &id, &err), MR_OK);
    ck_assert_int_eq(id, 0x01020304);
}
END_TEST

START_TEST(what_is_not_framed_is_malformed)
{
    static const uint8_t JSON[] = "{\"a\":1}";
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    struct oms_settle_order out;
    struct mr_err err = {0};

    ck_assert_int_eq(mr_codec_decode(codec, &binding, mr_slice_of(JSON, 7), arena, &out, &err),
                     MR_MALFORMED);
    ck_assert_int_eq(mr_codec_decode(codec, &binding, (struct mr_slice){0}, arena, &out, &err),
                     MR_MALFORMED);
    ck_assert_int_eq(
        mr_codec_decode(codec, &binding, mr_slice_of("\0\0\0\0", 4), arena, &out, &err),
        MR_MALFORMED);
}
END_TEST

START_TEST(an_unknown_id_is_asked_for_once_and_again_when_that_expires)
{
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    const struct mr_slice framed = frame(999, settle_order_bytes());
    struct oms_settle_order out;
    struct mr_err err = {0};

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err),
                         MR_SCHEMA_UNKNOWN);
    }
    ck_assert_int_eq(registry.fetches, 1);
    ck_assert_ptr_nonnull(strstr(err.text, "999"));
    now_us += 10 * 1000000 - 1;
    ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err),
                     MR_SCHEMA_UNKNOWN);
    ck_assert_int_eq(registry.fetches, 1);
    now_us += 1;
    ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err),
                     MR_SCHEMA_UNKNOWN);
    ck_assert_int_eq(registry.fetches, 2);
}
END_TEST

START_TEST(a_negative_id_is_unknown_without_a_request)
{
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    struct oms_settle_order out;
    struct mr_err err = {0};

    ck_assert_int_eq(
        mr_codec_decode(codec, &binding, frame(-1, settle_order_bytes()), arena, &out, &err),
        MR_SCHEMA_UNKNOWN);
    ck_assert_int_eq(registry.fetches, 0);
}
END_TEST

START_TEST(an_absent_registry_is_a_reason_to_retry_and_is_not_remembered)
{
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    const int32_t id = register_text(
        "{\"type\":\"record\",\"name\":\"SettleOrder\",\"namespace\":\"millrace.oms\",\"fields\":["
        "{\"name\":\"hold\",\"type\":{\"type\":\"fixed\",\"name\":"
        "\"Dec38_18\",\"size\":16}},"
        "{\"name\":\"lastVersion\",\"type\":\"int\"}]}");
    const struct mr_slice framed = frame(id, settle_order_bytes());
    struct oms_settle_order out;
    struct mr_err err = {0};

    registry.away = true;
    ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err), MR_UNAVAILABLE);
    ck_assert_int_eq(mr_status_class(err.status), MR_CLASS_RETRY);
    registry.away = false;
    ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err), MR_OK);
    ck_assert(out.hold == 7);
    registry.away = true;
    ck_assert_int_eq(mr_codec_decode(codec, &binding, framed, arena, &out, &err), MR_OK);
    ck_assert_int_eq(registry.fetches, 2);
}
END_TEST

START_TEST(a_schema_that_cannot_be_read_as_ours_poisons_its_records)
{
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    const int32_t id = register_text(
        "{\"type\":\"record\",\"name\":\"SettleOrder\",\"namespace\":\"millrace.oms\",\"fields\":["
        "{\"name\":\"hold\",\"type\":\"string\"},"
        "{\"name\":\"lastVersion\",\"type\":\"int\"}]}");
    struct oms_settle_order out;
    struct mr_err err = {0};

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(
            mr_codec_decode(codec, &binding, frame(id, settle_order_bytes()), arena, &out, &err),
            MR_MALFORMED);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "SettleOrder"));
    ck_assert_int_eq(registry.fetches, 1);
}
END_TEST

START_TEST(a_schema_that_differs_in_its_text_only_is_ours)
{
    const struct mr_binding binding = bind(&oms_settle_order_schema);
    const int32_t id = register_text("{\"type\":\"record\",\"name\":\"SettleOrder\",\"namespace\":"
                                     "\"millrace.oms\",\"doc\":\"Another text.\",\"fields\":["
                                     "{\"name\":\"hold\",\"type\":{\"type\":\"fixed\",\"name\":"
                                     "\"Dec38_18\",\"size\":16}},"
                                     "{\"name\":\"lastVersion\",\"type\":\"int\",\"default\":9}]}");
    struct oms_settle_order out;
    struct mr_err err = {0};

    ck_assert_int_ne(id, binding.id);
    /* The generated code needs no arena here; the resolver would. */
    ck_assert_int_eq(
        mr_codec_decode(codec, &binding, frame(id, settle_order_bytes()), NULL, &out, &err), MR_OK);
    ck_assert_int_eq(out.last_version, 3);
}
END_TEST

/* symbol, ts, kind, price as today; no bid, ask, bidQty, askQty, seq, source; one unknown field. */
static const char OLDER_TICK[] =
    "{\"type\":\"record\",\"name\":\"PriceTick\",\"namespace\":\"millrace.oms\",\"fields\":["
    "{\"name\":\"gone\",\"type\":{\"type\":\"map\",\"values\":\"double\"}},"
    "{\"name\":\"price\",\"type\":{\"type\":\"fixed\",\"name\":\"Dec38_18\",\"size\":16,"
    "\"logicalType\":\"decimal\",\"precision\":38,\"scale\":18}},"
    "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"PriceKind\",\"symbols\":[\"LAST\","
    "\"MARK\"]}},"
    "{\"name\":\"symbol\",\"type\":\"string\"},"
    "{\"name\":\"ts\",\"type\":\"int\"}]}";

static struct mr_slice older_tick_bytes(const struct oracle *oracle, int64_t price)
{
    struct mr_slice bytes;
    avro_value_t value;
    avro_value_t field;
    avro_value_t entry;
    uint8_t fixed[16] = {0};

    for (size_t i = 0; i < 8; i++) {
        fixed[15 - i] = (uint8_t)((uint64_t)price >> (8 * i));
    }
    ck_assert_int_eq(avro_generic_value_new(oracle->type, &value), 0);
    ck_assert_int_eq(avro_value_get_by_name(&value, "gone", &field, NULL), 0);
    ck_assert_int_eq(avro_value_add(&field, "k", &entry, NULL, NULL), 0);
    ck_assert_int_eq(avro_value_set_double(&entry, 1.5), 0);
    ck_assert_int_eq(avro_value_get_by_name(&value, "price", &field, NULL), 0);
    ck_assert_int_eq(avro_value_set_fixed(&field, fixed, sizeof(fixed)), 0);
    ck_assert_int_eq(avro_value_get_by_name(&value, "kind", &field, NULL), 0);
    ck_assert_int_eq(avro_value_set_enum(&field, 1), 0);
    ck_assert_int_eq(avro_value_get_by_name(&value, "symbol", &field, NULL), 0);
    ck_assert_int_eq(avro_value_set_string(&field, "BTCUSDT"), 0);
    ck_assert_int_eq(avro_value_get_by_name(&value, "ts", &field, NULL), 0);
    ck_assert_int_eq(avro_value_set_int(&field, 77), 0);
    bytes = oracle_encode(&value, arena);
    avro_value_decref(&value);
    return bytes;
}

START_TEST(an_older_version_is_resolved_with_our_defaults)
{
    const struct mr_binding binding = bind(&oms_price_tick_schema);
    const int32_t id = register_text(OLDER_TICK);
    struct oracle oracle;
    struct oms_price_tick out;
    struct mr_err err = {0};

    oracle_open(&oracle, OLDER_TICK);
    memset(&out, 0xee, sizeof(out));
    ck_assert_msg(mr_codec_decode(codec, &binding, frame(id, older_tick_bytes(&oracle, 12345)),
                                  arena, &out, &err) == MR_OK,
                  "%s", err.text);
    ck_assert(mr_slice_equal(out.symbol, mr_slice_str("BTCUSDT")));
    ck_assert_int_eq(out.ts_us, 77);
    ck_assert_int_eq(out.kind, OMS_PRICE_KIND_MARK);
    ck_assert(out.price == 12345);
    ck_assert(!out.has_bid && !out.has_ask && !out.has_bid_qty && !out.has_ask_qty);
    ck_assert_int_eq(out.seq, 0);
    ck_assert_uint_eq(out.source.len, 0);
    oracle_close(&oracle);
}
END_TEST

START_TEST(every_truncation_of_an_older_record_is_poison)
{
    const struct mr_binding binding = bind(&oms_price_tick_schema);
    const int32_t id = register_text(OLDER_TICK);
    struct oracle oracle;
    struct mr_slice bytes;

    oracle_open(&oracle, OLDER_TICK);
    bytes = older_tick_bytes(&oracle, 1);
    for (size_t len = 0; len < bytes.len; len++) {
        struct oms_price_tick out;
        struct mr_err err = {0};

        ck_assert_int_eq(mr_codec_decode(codec, &binding, frame(id, mr_slice_of(bytes.data, len)),
                                         arena, &out, &err),
                         MR_MALFORMED);
    }
    oracle_close(&oracle);
}
END_TEST

START_TEST(flipped_bytes_of_an_older_record_never_crash)
{
    const struct mr_binding binding = bind(&oms_price_tick_schema);
    const int32_t id = register_text(OLDER_TICK);
    struct random random = {.state = 9};
    struct oracle oracle;
    struct mr_slice bytes;
    int refused = 0;

    oracle_open(&oracle, OLDER_TICK);
    bytes = older_tick_bytes(&oracle, 1);
    for (int round = 0; round < 2000; round++) {
        uint8_t *bad = mr_arena_alloc(arena, bytes.len);
        struct oms_price_tick out;
        struct mr_err err = {0};

        memcpy(bad, bytes.data, bytes.len);
        bad[random_below(&random, bytes.len)] = (uint8_t)random_next(&random);
        if (mr_codec_decode(codec, &binding, frame(id, mr_slice_of(bad, bytes.len)), arena, &out,
                            &err) != MR_OK) {
            ck_assert_int_eq(mr_status_class(err.status), MR_CLASS_POISON);
            refused++;
        }
    }
    ck_assert_int_gt(refused, 100);
    oracle_close(&oracle);
}
END_TEST

/* As a later version might be: postings with one more field and one less, another symbol at the
 * end. */
START_TEST(a_newer_version_with_other_items_is_resolved)
{
    static const char NEWER[] =
        "{\"type\":\"record\",\"name\":\"LedgerEntry\",\"namespace\":\"millrace.oms\",\"fields\":["
        "{\"name\":\"journalId\",\"type\":\"string\"},{\"name\":\"ts\",\"type\":\"long\"},"
        "{\"name\":\"userId\",\"type\":\"string\"},"
        "{\"name\":\"entryType\",\"type\":{\"type\":\"enum\",\"name\":\"EntryType\",\"symbols\":["
        "\"HOLD\",\"RELEASE\",\"TRADE\",\"FEE\",\"DEPOSIT\",\"WITHDRAW\",\"REVERSAL\",\"NEW\"]}},"
        "{\"name\":\"postings\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
        "\"name\":\"Posting\",\"fields\":[{\"name\":\"note\",\"type\":\"string\"},"
        "{\"name\":\"asset\",\"type\":\"string\"},{\"name\":\"account\",\"type\":\"string\"},"
        "{\"name\":\"direction\",\"type\":{\"type\":\"enum\",\"name\":\"Direction\",\"symbols\":["
        "\"DEBIT\",\"CREDIT\"]}},"
        "{\"name\":\"amount\",\"type\":{\"type\":\"fixed\",\"name\":\"Dec38_18\",\"size\":16}}"
        "]}}},{\"name\":\"seq\",\"type\":\"long\"}]}";
    /* journalId, ts, userId, entryType FEE, two postings, seq */
    static const uint8_t BODY[] = {2, 'j', 10,  2,   'u', 6,   4,                            /* */
                                   2, 'n', 2,   'A', 2,   'x', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* */
                                   0, 0,   0,   0,   0,   0,   5,                            /* */
                                   0, 2,   'B', 2,   'y', 2,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* */
                                   0, 0,   0,   0,   0,   6,   0, 84};
    const struct mr_binding binding = bind(&oms_ledger_entry_schema);
    const int32_t id = register_text(NEWER);
    uint8_t strange[sizeof(BODY)];
    struct oms_ledger_entry out;
    struct mr_err err = {0};

    ck_assert_msg(mr_codec_decode(codec, &binding, frame(id, mr_slice_of(BODY, sizeof(BODY))),
                                  arena, &out, &err) == MR_OK,
                  "%s", err.text);
    ck_assert_int_eq(out.ts_us, 5);
    ck_assert_int_eq(out.entry_type, OMS_ENTRY_TYPE_FEE);
    ck_assert(!out.has_symbol);
    ck_assert_int_eq(out.seq, 42);
    ck_assert_uint_eq(out.postings.count, 2);
    ck_assert(mr_slice_equal(out.postings.items[0].account, mr_slice_str("x")));
    ck_assert(mr_slice_equal(out.postings.items[0].asset, mr_slice_str("A")));
    ck_assert(out.postings.items[0].amount == 5);
    ck_assert(!out.postings.items[0].has_balance_after);
    ck_assert_int_eq(out.postings.items[1].direction, OMS_DIRECTION_CREDIT);
    ck_assert(out.postings.items[1].amount == 6);
    /* The eighth symbol, which we do not have, is out of range. */
    memcpy(strange, BODY, sizeof(BODY));
    strange[5] = 14;
    ck_assert_int_eq(
        mr_status_class(mr_codec_decode(
            codec, &binding, frame(id, mr_slice_of(strange, sizeof(strange))), arena, &out, &err)),
        MR_CLASS_POISON);
}
END_TEST

/* RestingOrder's last field has a default; the writer is our own text without it. */
START_TEST(a_version_that_lacks_only_our_last_field_is_resolved_too)
{
    const struct mr_binding binding = bind(&oms_resting_order_schema);
    json_t *parsed = json_loads(oms_resting_order_schema.json, 0, NULL);
    json_t *fields = json_object_get(parsed, "fields");
    const struct oms_resting_order order = {.version = 3, .triggered = true};
    struct mr_slice bytes = encode_record(&oms_resting_order_schema, &order, arena);
    struct oms_resting_order out;
    struct mr_err err = {0};
    char *older = NULL;
    int32_t id = 0;

    ck_assert_int_eq(json_array_remove(fields, json_array_size(fields) - 1), 0);
    older = json_dumps(parsed, 0);
    id = register_text(older);
    bytes.len--;
    ck_assert_msg(mr_codec_decode(codec, &binding, frame(id, bytes), arena, &out, &err) == MR_OK,
                  "%s", err.text);
    ck_assert_int_eq(out.version, 3);
    ck_assert(!out.triggered);
    free(older);
    json_decref(parsed);
}
END_TEST

START_TEST(one_foreign_id_is_judged_for_each_schema_that_reads_it)
{
    const struct mr_binding tick = bind(&oms_price_tick_schema);
    const int32_t id = register_text(OLDER_TICK);
    struct mr_binding order = {0};
    struct oracle oracle;
    struct oms_price_tick tick_out;
    struct oms_settle_order order_out;
    struct mr_err err = {0};
    struct mr_slice framed;

    ck_assert_int_eq(mr_codec_bind(codec, &oms_settle_order_schema, "orders-value", &order, &err),
                     MR_OK);
    oracle_open(&oracle, OLDER_TICK);
    framed = frame(id, older_tick_bytes(&oracle, 1));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(mr_codec_decode(codec, &tick, framed, arena, &tick_out, &err), MR_OK);
        ck_assert_int_eq(mr_codec_decode(codec, &order, framed, arena, &order_out, &err),
                         MR_MALFORMED);
    }
    oracle_close(&oracle);
}
END_TEST

#define THREADS 4

struct worker {
    pthread_t thread;
    struct mr_binding binding;
    struct mr_slice framed;
    int read;
};

static void *decode_often(void *arg)
{
    struct worker *worker = arg;
    struct mr_arena *own = mr_arena_create(4096);

    for (int i = 0; i < 200; i++) {
        struct oms_price_tick out;
        struct mr_err err = {0};

        worker->read +=
            mr_codec_decode(codec, &worker->binding, worker->framed, own, &out, &err) == MR_OK &&
                    out.price == 5
                ? 1
                : 0;
        mr_arena_reset(own);
    }
    mr_arena_destroy(&own);
    return NULL;
}

START_TEST(workers_share_one_request_for_one_id)
{
    const struct mr_binding binding = bind(&oms_price_tick_schema);
    const int32_t id = register_text(OLDER_TICK);
    struct worker workers[THREADS];
    struct oracle oracle;

    oracle_open(&oracle, OLDER_TICK);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] =
            (struct worker){.binding = binding, .framed = frame(id, older_tick_bytes(&oracle, 5))};
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, decode_often, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_int_eq(workers[i].read, 200);
    }
    ck_assert_int_eq(registry.fetches, 1);
    oracle_close(&oracle);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec");
    TCase *tcase = tcase_create("ids");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_record_with_our_id_comes_back_without_a_request);
    tcase_add_test(tcase, an_id_is_four_bytes_big_endian);
    tcase_add_test(tcase, what_is_not_framed_is_malformed);
    tcase_add_test(tcase, an_unknown_id_is_asked_for_once_and_again_when_that_expires);
    tcase_add_test(tcase, a_negative_id_is_unknown_without_a_request);
    tcase_add_test(tcase, an_absent_registry_is_a_reason_to_retry_and_is_not_remembered);
    tcase_add_test(tcase, a_schema_that_cannot_be_read_as_ours_poisons_its_records);
    tcase_add_test(tcase, a_schema_that_differs_in_its_text_only_is_ours);
    tcase_add_test(tcase, an_older_version_is_resolved_with_our_defaults);
    tcase_add_test(tcase, every_truncation_of_an_older_record_is_poison);
    tcase_add_test(tcase, flipped_bytes_of_an_older_record_never_crash);
    tcase_add_test(tcase, a_newer_version_with_other_items_is_resolved);
    tcase_add_test(tcase, a_version_that_lacks_only_our_last_field_is_resolved_too);
    tcase_add_test(tcase, one_foreign_id_is_judged_for_each_schema_that_reads_it);
    tcase_add_test(tcase, workers_share_one_request_for_one_id);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
