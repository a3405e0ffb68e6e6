/*
 * token_bucket.h -- how many orders in how short a time, on event time.
 *
 * Why: replayed records must meet the same answer, so the clock is the record's and arithmetic is
 *      integer: a rate per second times microseconds is exactly micro-tokens.
 */
#ifndef DOMAIN_TOKEN_BUCKET_H
#define DOMAIN_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TOKEN INT64_C(1000000)

/* The fields of RiskAccount: bucketMicroTokens, bucketTs. */
struct bucket {
    int64_t micro_tokens;
    int64_t ts_us; /* up to here it has been refilled; never goes back */
};

struct bucket_rule {
    int32_t per_second; /* refill; 0: never refilled */
    int32_t burst;      /* depth in tokens; 0: nothing passes */
};

/* A full bucket at this time. */
void bucket_fill(struct bucket *bucket, struct bucket_rule rule, int64_t now_us);

/* Refills to now (an earlier now refills nothing), then takes one token if one is there. */
bool bucket_take(struct bucket *bucket, struct bucket_rule rule, int64_t now_us);

/* The same answer without taking: for dry runs. */
bool bucket_would_take(const struct bucket *bucket, struct bucket_rule rule, int64_t now_us);

/* Gives one token back, up to the depth. */
void bucket_return(struct bucket *bucket, struct bucket_rule rule);

#endif
