/*
 * Goal:   composite keys sort as their parts do; partitions are those of Java's default
 * partitioner. Method: order of neighbouring values around sign and byte bounds; murmur2 values
 * published with Kafka's own tests.
 */
#include "millrace/partition.h"
#include "millrace/store.h"

#include <check.h>
#include <stdlib.h>

static const int64_t ascending[] = {INT64_MIN, INT64_MIN + 1, -65536, -256, -255, -1,    0,
                                    1,         127,           128,    255,  256,  65535, INT64_MAX};

START_TEST(numbers_in_keys_sort_as_numbers)
{
    struct mr_key a;
    struct mr_key b;

    mr_key_begin(&a);
    mr_key_begin(&b);
    mr_key_i64(&a, ascending[_i]);
    mr_key_i64(&b, ascending[_i + 1]);
    ck_assert_int_lt(mr_slice_compare(mr_key_slice(&a), mr_key_slice(&b)), 0);
}
END_TEST

START_TEST(a_part_ends_before_a_longer_one)
{
    struct mr_key a;
    struct mr_key b;

    /* ("a", "z") before ("aa", "b"): the first part decides. */
    mr_key_begin(&a);
    mr_key_text(&a, mr_slice_str("a"));
    mr_key_text(&a, mr_slice_str("z"));
    mr_key_begin(&b);
    mr_key_text(&b, mr_slice_str("aa"));
    mr_key_text(&b, mr_slice_str("b"));
    ck_assert_int_lt(mr_slice_compare(mr_key_slice(&a), mr_key_slice(&b)), 0);
}
END_TEST

START_TEST(a_prefix_end_lies_behind_everything_with_the_prefix)
{
    struct mr_key prefix;
    struct mr_key end;
    struct mr_key inside;
    struct mr_key outside;

    mr_key_begin(&prefix);
    mr_key_text(&prefix, mr_slice_str("user"));
    mr_key_prefix_end(&prefix, &end);
    inside = prefix;
    mr_key_i64(&inside, INT64_MAX);
    mr_key_begin(&outside);
    mr_key_text(&outside, mr_slice_str("user\x01"));
    ck_assert_int_lt(mr_slice_compare(mr_key_slice(&inside), mr_key_slice(&end)), 0);
    ck_assert_int_ge(mr_slice_compare(mr_key_slice(&outside), mr_key_slice(&end)), 0);
}
END_TEST

START_TEST(a_key_that_is_too_long_says_so)
{
    struct mr_key key;

    mr_key_begin(&key);
    for (size_t i = 0; i < sizeof(key.bytes) / 8; i++) {
        mr_key_i64(&key, 1);
    }
    ck_assert(!key.overflow);
    mr_key_text(&key, mr_slice_of(key.bytes, sizeof(key.bytes)));
    ck_assert(key.overflow);
}
END_TEST

static const struct row {
    const char *key;
    int32_t murmur2;
} rows[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

START_TEST(a_partition_is_that_of_the_java_client)
{
    static const int32_t counts[] = {1, 2, 6, 17, INT32_MAX};
    const int32_t positive = rows[_i].murmur2 & INT32_MAX;

    for (size_t i = 0; i < MR_COUNT(counts); i++) {
        ck_assert_int_eq(mr_partition_of(mr_slice_str(rows[_i].key), counts[i]),
                         positive % counts[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key");
    TCase *tcase = tcase_create("key");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, numbers_in_keys_sort_as_numbers, 0, (int)MR_COUNT(ascending) - 1);
    tcase_add_test(tcase, a_part_ends_before_a_longer_one);
    tcase_add_test(tcase, a_prefix_end_lies_behind_everything_with_the_prefix);
    tcase_add_test(tcase, a_key_that_is_too_long_says_so);
    tcase_add_loop_test(tcase, a_partition_is_that_of_the_java_client, 0, (int)MR_COUNT(rows));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
