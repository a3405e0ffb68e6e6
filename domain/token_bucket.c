/*
 * token_bucket.c -- see token_bucket.h.
 */
#include "domain/token_bucket.h"

static int64_t depth_of(struct bucket_rule rule)
{
    return rule.burst > 0 ? (int64_t)rule.burst * BUCKET_TOKEN : 0;
}

void bucket_fill(struct bucket *bucket, struct bucket_rule rule, int64_t now_us)
{
    bucket->micro_tokens = depth_of(rule);
    bucket->ts_us = now_us;
}

static void refill(struct bucket *bucket, struct bucket_rule rule, int64_t now_us)
{
    const int64_t depth = depth_of(rule);
    int64_t passed_us = 0;
    int64_t gained = 0;

    if (now_us > bucket->ts_us) {
        /* A gap too long for the arithmetic fills the bucket whatever the rate. */
        if (rule.per_second <= 0) {
            gained = 0;
        } else if (__builtin_sub_overflow(now_us, bucket->ts_us, &passed_us) ||
                   __builtin_mul_overflow(passed_us, (int64_t)rule.per_second, &gained)) {
            gained = depth;
        }
        bucket->ts_us = now_us;
    }
    /* A rule made tighter takes effect at once: the content is cut to the new depth. */
    if (bucket->micro_tokens > depth || gained > depth - bucket->micro_tokens) {
        bucket->micro_tokens = depth;
    } else {
        bucket->micro_tokens += gained;
    }
}

bool bucket_take(struct bucket *bucket, struct bucket_rule rule, int64_t now_us)
{
    refill(bucket, rule, now_us);
    if (bucket->micro_tokens < BUCKET_TOKEN) {
        return false;
    }
    bucket->micro_tokens -= BUCKET_TOKEN;
    return true;
}

bool bucket_would_take(const struct bucket *bucket, struct bucket_rule rule, int64_t now_us)
{
    struct bucket copy = *bucket;

    return bucket_take(&copy, rule, now_us);
}

void bucket_return(struct bucket *bucket, struct bucket_rule rule)
{
    const int64_t depth = depth_of(rule);

    bucket->micro_tokens =
        bucket->micro_tokens > depth - BUCKET_TOKEN ? depth : bucket->micro_tokens + BUCKET_TOKEN;
}
