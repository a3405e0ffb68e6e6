/*
 * Goal:   every record has the right collection, identity and guard, and a server's refusal means
 * the right thing. Method: tables.
 */
#include "avro/candle.h"
#include "avro/catalog.h"
#include "avro/position.h"
#include "avro/trade.h"
#include "connectors/documentdb/document_error.h"
#include "connectors/documentdb/document_plan.h"
#include "connectors/registry.h"

#include <check.h>
#include <stdlib.h>

START_TEST(every_announced_schema_has_a_plan)
{
    for (size_t i = 0; document_schemas[i] != NULL; i++) {
        const struct document_shape *shape = NULL;

        for (size_t s = 0; s < oms_schema_count; s++) {
            if (strcmp(oms_schemas[s]->name, document_schemas[i]) == 0) {
                shape = document_shape_find(oms_schemas[s]);
            }
        }
        ck_assert_msg(shape != NULL, "%s", document_schemas[i]);
        ck_assert_uint_ge(shape->plan_count, 1);
    }
    ck_assert_ptr_null(document_shape_find(&oms_trade_schema));
}
END_TEST

START_TEST(every_sink_says_what_it_is)
{
    for (size_t i = 0; i < mr_sink_count; i++) {
        ck_assert_ptr_nonnull(mr_sinks[i]->name);
        ck_assert_ptr_nonnull(mr_sinks[i]->schemas[0]);
        for (size_t o = 0; o < mr_sinks[i]->option_count; o++) {
            ck_assert_uint_lt(mr_sinks[i]->options[o].offset, mr_sinks[i]->state_size);
            ck_assert_ptr_nonnull(mr_sinks[i]->options[o].help);
        }
    }
}
END_TEST

static int64_t guard_of(int32_t revision, int64_t trades, bool closed)
{
    const struct oms_candle candle = {.revision = revision, .trades = trades, .closed = closed};

    return document_shape_find(&oms_candle_schema)->plans[0].guard(&candle);
}

START_TEST(a_candle_s_guard_orders_its_forms)
{
    static const struct {
        int32_t revision;
        int64_t trades;
        bool closed;
    } RISING[] = {
        {0, 0, false}, {0, 0, true}, {0, 1, false},
        {0, 2, false}, {0, 2, true}, {0, 3, false},
        {1, 1, false}, {1, 3, true}, {1, INT64_C(1) << 45, true},
        {2, 0, true},
    };

    for (size_t i = 1; i < MR_COUNT(RISING); i++) {
        ck_assert_msg(guard_of(RISING[i - 1].revision, RISING[i - 1].trades, RISING[i - 1].closed) <
                          guard_of(RISING[i].revision, RISING[i].trades, RISING[i].closed),
                      "row %zu", i);
    }
}
END_TEST

START_TEST(half_an_identity_is_none)
{
    const struct document_plan *plan = &document_shape_find(&oms_position_schema)->plans[0];
    static const struct {
        const char *user, *symbol, *id;
    } ROWS[] = {{"u", "s", "u:s"}, {"", "s", ""}, {"u", "", ""}, {"", "", ""}};

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        const struct oms_position position = {.user_id = mr_slice_str(ROWS[i].user),
                                              .symbol = mr_slice_str(ROWS[i].symbol)};
        struct mr_buffer id = MR_BUFFER_EMPTY;

        plan->identity(&position, &id);
        ck_assert(mr_slice_equal(mr_buffer_slice(&id), mr_slice_str(ROWS[i].id)));
        mr_buffer_fini(&id);
    }
}
END_TEST

START_TEST(a_refusal_is_classified)
{
    static const struct {
        const char *why;
        int32_t code;
        enum document_fault fault;
    } ROWS[] = {
        {"the identity is taken", 11000, DOCUMENT_DUPLICATE},
        {"the document is too large", 10334, DOCUMENT_DATA},
        {"the collection's own validation", 121, DOCUMENT_DATA},
        {"not primary", 10107, DOCUMENT_RETRY},
        {"the primary steps down", 189, DOCUMENT_RETRY},
        {"shutting down", 91, DOCUMENT_RETRY},
        {"interrupted by a failover", 11602, DOCUMENT_RETRY},
        {"no majority in time", 64, DOCUMENT_RETRY},
        {"a code nobody knows must not lose a record", 987654, DOCUMENT_RETRY},
        {"no right to write", 13, DOCUMENT_FATAL},
        {"wrong password", 18, DOCUMENT_FATAL},
        {"an index of that name that differs", 86, DOCUMENT_FATAL},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        ck_assert_msg(document_fault_of(ROWS[i].code) == ROWS[i].fault, "%s", ROWS[i].why);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document plan");
    TCase *cases = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, every_announced_schema_has_a_plan);
    tcase_add_test(cases, every_sink_says_what_it_is);
    tcase_add_test(cases, a_candle_s_guard_orders_its_forms);
    tcase_add_test(cases, half_an_identity_is_none);
    tcase_add_test(cases, a_refusal_is_classified);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
