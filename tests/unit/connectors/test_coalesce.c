/*
 * Goal:   of one batch the newest version of each identity is left, whatever the order, and
 * tombstones count. Method: hand-made sequences; then random ones against a model that keeps
 * everything.
 */
#include "connectors/coalesce.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define TOMBSTONE INT64_MIN

START_TEST(the_newest_version_is_left)
{
    static const struct {
        const char *why;
        int64_t versions[4];
        size_t count, value, tombstone;
    } ROWS[] = {
        {"one", {7}, 1, 0, COALESCE_NONE},
        {"rising", {1, 2, 3}, 3, 2, COALESCE_NONE},
        {"falling", {3, 2, 1}, 3, 0, COALESCE_NONE},
        {"of equal ones the first", {2, 2, 1}, 3, 0, COALESCE_NONE},
        {"negative versions are versions", {-5, -2, -9}, 3, 1, COALESCE_NONE},
        {"a tombstone alone", {TOMBSTONE}, 1, COALESCE_NONE, 0},
        {"a tombstone behind", {4, TOMBSTONE}, 2, COALESCE_NONE, 1},
        {"versions begin anew behind it", {9, TOMBSTONE, 1}, 3, 2, 1},
        {"the last tombstone counts", {TOMBSTONE, 1, TOMBSTONE, 2}, 4, 3, 2},
    };
    struct coalesce *coalesce = coalesce_create();

    for (size_t row = 0; row < sizeof(ROWS) / sizeof(ROWS[0]); row++) {
        coalesce_clear(coalesce);
        for (size_t i = 0; i < ROWS[row].count; i++) {
            if (ROWS[row].versions[i] == TOMBSTONE) {
                coalesce_tombstone(coalesce, mr_slice_str("id"), i);
            } else {
                coalesce_value(coalesce, mr_slice_str("id"), ROWS[row].versions[i], i);
            }
        }
        ck_assert_uint_eq(coalesce_count(coalesce), 1);
        ck_assert_msg(coalesce_at(coalesce, 0)->value == ROWS[row].value, "%s", ROWS[row].why);
        ck_assert_msg(coalesce_at(coalesce, 0)->tombstone == ROWS[row].tombstone, "%s",
                      ROWS[row].why);
    }
    coalesce_destroy(&coalesce);
    ck_assert_ptr_null(coalesce);
}
END_TEST

START_TEST(identities_are_told_apart_and_keep_their_order)
{
    enum { COUNT = 5000 }; /* more than the first table holds */
    struct coalesce *coalesce = coalesce_create();
    char id[32];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2 * COUNT; i++) {
            const int len = snprintf(id, sizeof(id), "order-%zu", i % COUNT);

            coalesce_value(coalesce, mr_slice_of(id, (size_t)len), (int64_t)i, i);
        }
        ck_assert_uint_eq(coalesce_count(coalesce), COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            const struct coalesced *entry = coalesce_at(coalesce, i);
            const int len = snprintf(id, sizeof(id), "order-%zu", i);

            ck_assert(mr_slice_equal(entry->id, mr_slice_of(id, (size_t)len)));
            ck_assert_uint_eq(entry->value, COUNT + i);
        }
        coalesce_clear(coalesce);
        ck_assert_uint_eq(coalesce_count(coalesce), 0);
    }
    coalesce_destroy(&coalesce);
}
END_TEST

START_TEST(it_agrees_with_a_model)
{
    enum { IDS = 5, STEPS = 40 };
    uint32_t seed = 1;
    struct coalesce *coalesce = coalesce_create();

    for (int round = 0; round < 500; round++) {
        struct coalesced model[IDS];

        coalesce_clear(coalesce);
        for (size_t i = 0; i < IDS; i++) {
            model[i] = (struct coalesced){.value = COALESCE_NONE, .tombstone = COALESCE_NONE};
        }
        for (size_t step = 0; step < STEPS; step++) {
            const char id = (char)('a' + (seed >> 8) % IDS);
            struct coalesced *of = &model[id - 'a'];
            const int64_t version = (seed >> 16) % 7;

            if ((seed >> 24) % 6 == 0) {
                coalesce_tombstone(coalesce, mr_slice_of(&id, 1), step);
                of->tombstone = step;
                of->value = COALESCE_NONE;
            } else {
                coalesce_value(coalesce, mr_slice_of(&id, 1), version, step);
                if (of->value == COALESCE_NONE || version > of->version) {
                    of->value = step;
                    of->version = version;
                }
            }
            seed = seed * 1664525U + 1013904223U;
        }
        for (size_t i = 0; i < coalesce_count(coalesce); i++) {
            const struct coalesced *entry = coalesce_at(coalesce, i);
            const struct coalesced *of = &model[entry->id.data[0] - 'a'];

            ck_assert_uint_eq(entry->value, of->value);
            ck_assert_uint_eq(entry->tombstone, of->tombstone);
        }
    }
    coalesce_destroy(&coalesce);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("coalesce");
    TCase *cases = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, the_newest_version_is_left);
    tcase_add_test(cases, identities_are_told_apart_and_keep_their_order);
    tcase_add_test(cases, it_agrees_with_a_model);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
