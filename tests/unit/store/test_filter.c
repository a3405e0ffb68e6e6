/*
 * test_filter.c -- the filter of keys outside memory: never a false "no", rarely a false "maybe",
 * and no growth from keys that it knows.
 */
#include "filter.h"
#include "table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t hash_of(const char *prefix, int i)
{
    char text[32];

    snprintf(text, sizeof(text), "%s-%d", prefix, i);
    return table_hash(mr_slice_str(text));
}

START_TEST(what_was_added_is_never_denied)
{
    struct filter filter = {0};

    for (int i = 0; i < 200000; i++) {
        filter_add(&filter, hash_of("key", i));
    }
    for (int i = 0; i < 200000; i++) {
        ck_assert(filter_maybe(&filter, hash_of("key", i)));
    }
    filter_fini(&filter);
}
END_TEST

START_TEST(what_was_not_added_is_mostly_denied)
{
    struct filter filter = {0};
    int false_maybes = 0;

    for (int i = 0; i < 100000; i++) {
        filter_add(&filter, hash_of("key", i));
    }
    for (int i = 0; i < 100000; i++) {
        false_maybes += filter_maybe(&filter, hash_of("other", i));
    }
    ck_assert_int_lt(false_maybes, 5000);
    filter_fini(&filter);
}
END_TEST

/* A hot store lets the same keys go and takes them back for as long as it runs. */
START_TEST(keys_that_come_and_go_do_not_make_it_grow)
{
    struct filter filter = {0};
    size_t bytes;

    for (int i = 0; i < 10000; i++) {
        filter_add(&filter, hash_of("key", i));
    }
    bytes = filter_bytes(&filter);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 10000; i++) {
            filter_add(&filter, hash_of("key", i));
        }
    }
    ck_assert_uint_eq(filter_bytes(&filter), bytes);
    filter_fini(&filter);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filter");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, what_was_added_is_never_denied);
    tcase_add_test(tcase, what_was_not_added_is_mostly_denied);
    tcase_add_test(tcase, keys_that_come_and_go_do_not_make_it_grow);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
