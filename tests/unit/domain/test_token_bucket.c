/*
 * test_token_bucket.c
 *
 * Goal:   in any window of t seconds at most depth + rate x t orders pass, on event time alone.
 * Method: worked examples, then random arrival times against that bound.
 */
#include "domain/token_bucket.h"
#include "domain_test.h"

#define SECOND INT64_C(1000000)

START_TEST(a_burst_passes_then_the_rate_rules)
{
    const struct bucket_rule rule = {.per_second = 2, .burst = 3};
    struct bucket bucket;

    bucket_fill(&bucket, rule, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert(bucket_take(&bucket, rule, 0));
    }
    ck_assert(!bucket_take(&bucket, rule, 0));
    ck_assert_msg(!bucket_take(&bucket, rule, SECOND / 2 - 1), "a microsecond early");
    ck_assert_msg(bucket_take(&bucket, rule, SECOND / 2), "half a second at two a second");
    ck_assert(!bucket_take(&bucket, rule, SECOND / 2));
}
END_TEST

START_TEST(a_bucket_is_filled_to_its_depth)
{
    struct bucket bucket = {.micro_tokens = -5, .ts_us = -5};

    bucket_fill(&bucket, (struct bucket_rule){.per_second = 1, .burst = 3}, 8);
    ck_assert_int_eq(bucket.micro_tokens, 3 * BUCKET_TOKEN);
    ck_assert_int_eq(bucket.ts_us, 8);
    bucket_fill(&bucket, (struct bucket_rule){.per_second = 1}, 8);
    ck_assert_int_eq(bucket.micro_tokens, 0);
    bucket_fill(&bucket, (struct bucket_rule){.per_second = 1, .burst = -1}, 8);
    ck_assert_int_eq(bucket.micro_tokens, 0);
}
END_TEST

START_TEST(a_rate_of_one_is_a_rate_and_none_gives_nothing)
{
    struct bucket bucket = {0};

    ck_assert(!bucket_take(&bucket, (struct bucket_rule){.per_second = 0, .burst = 2}, 9));
    ck_assert_int_eq(bucket.micro_tokens, 0);
    ck_assert(!bucket_take(&bucket, (struct bucket_rule){.per_second = -1, .burst = 2}, 12));
    ck_assert_int_eq(bucket.micro_tokens, 0);
    ck_assert(!bucket_take(&bucket, (struct bucket_rule){.per_second = 1, .burst = 2}, 13));
    ck_assert_msg(bucket.micro_tokens == 1, "a microsecond later a millionth");
}
END_TEST

START_TEST(an_empty_bucket_is_full_after_all_of_time)
{
    const struct bucket_rule rule = {.per_second = 1000000, .burst = 2};
    const int64_t starts[] = {INT64_MIN, 0}; /* the gap, or the gain, is beyond 64 bits */

    for (int i = 0; i < 2; i++) {
        struct bucket bucket = {.ts_us = starts[i]};

        ck_assert(bucket_take(&bucket, rule, INT64_MAX));
        ck_assert_int_eq(bucket.micro_tokens, BUCKET_TOKEN);
    }
}
END_TEST

START_TEST(waiting_fills_no_more_than_the_depth)
{
    const struct bucket_rule rule = {.per_second = 1000000, .burst = 2};
    struct bucket bucket;

    bucket_fill(&bucket, rule, INT64_MIN);
    ck_assert(bucket_take(&bucket, rule, INT64_MAX));
    ck_assert(bucket_take(&bucket, rule, INT64_MAX));
    ck_assert_msg(!bucket_take(&bucket, rule, INT64_MAX), "all of time gives two tokens");
}
END_TEST

START_TEST(an_older_clock_refills_nothing_and_is_not_remembered)
{
    const struct bucket_rule rule = {.per_second = 1, .burst = 1};
    struct bucket bucket;

    bucket_fill(&bucket, rule, 10 * SECOND);
    ck_assert(bucket_take(&bucket, rule, 10 * SECOND));
    ck_assert(!bucket_take(&bucket, rule, 5 * SECOND));
    ck_assert_int_eq(bucket.ts_us, 10 * SECOND);
    ck_assert_msg(!bucket_take(&bucket, rule, 10 * SECOND + 1), "no second refill of 5..10");
}
END_TEST

START_TEST(asking_takes_nothing_and_returning_gives_back)
{
    const struct bucket_rule rule = {.per_second = 0, .burst = 1};
    struct bucket bucket;

    bucket_fill(&bucket, rule, 0);
    ck_assert(bucket_would_take(&bucket, rule, 0));
    ck_assert(bucket_would_take(&bucket, rule, 0));
    ck_assert(bucket_take(&bucket, rule, 0));
    ck_assert(!bucket_would_take(&bucket, rule, 9 * SECOND));
    bucket_return(&bucket, rule);
    ck_assert_int_eq(bucket.micro_tokens, BUCKET_TOKEN);
    bucket_return(&bucket, rule);
    ck_assert_int_eq(bucket.micro_tokens, BUCKET_TOKEN);
    ck_assert(bucket_take(&bucket, rule, 9 * SECOND));
    ck_assert_msg(!bucket_take(&bucket, rule, 9 * SECOND), "not above the depth");
}
END_TEST

START_TEST(a_tighter_rule_holds_at_once)
{
    struct bucket bucket;

    bucket_fill(&bucket, (struct bucket_rule){.per_second = 1, .burst = 100}, 0);
    ck_assert(bucket_take(&bucket, (struct bucket_rule){.per_second = 1, .burst = 1}, 0));
    ck_assert(!bucket_take(&bucket, (struct bucket_rule){.per_second = 1, .burst = 1}, 0));
    ck_assert_msg(!bucket_take(&bucket, (struct bucket_rule){0}, 99 * SECOND), "depth 0: nothing");
}
END_TEST

START_TEST(no_window_passes_more_than_depth_and_rate)
{
    static int64_t passed[4000];
    const struct bucket_rule rule = {.per_second = 7, .burst = 5};
    struct bucket bucket;
    uint64_t seed = 5;
    int64_t now_us = 0;
    int count = 0;

    bucket_fill(&bucket, rule, 0);
    while (count < 4000) {
        now_us += (int64_t)random_below(&seed, 200000);
        if (bucket_take(&bucket, rule, now_us)) {
            passed[count++] = now_us;
        }
    }
    for (int from = 0; from < count; from += 7) {
        for (int to = from; to < count && to < from + 200; to++) {
            const int64_t micro = (passed[to] - passed[from]) * rule.per_second;
            ck_assert_int_le((to - from + 1) * BUCKET_TOKEN, rule.burst * BUCKET_TOKEN + micro);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("token_bucket");
    TCase *tcase = tcase_create("token_bucket");

    tcase_add_test(tcase, a_burst_passes_then_the_rate_rules);
    tcase_add_test(tcase, a_bucket_is_filled_to_its_depth);
    tcase_add_test(tcase, a_rate_of_one_is_a_rate_and_none_gives_nothing);
    tcase_add_test(tcase, an_empty_bucket_is_full_after_all_of_time);
    tcase_add_test(tcase, waiting_fills_no_more_than_the_depth);
    tcase_add_test(tcase, an_older_clock_refills_nothing_and_is_not_remembered);
    tcase_add_test(tcase, asking_takes_nothing_and_returning_gives_back);
    tcase_add_test(tcase, a_tighter_rule_holds_at_once);
    tcase_add_test(tcase, no_window_passes_more_than_depth_and_rate);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
