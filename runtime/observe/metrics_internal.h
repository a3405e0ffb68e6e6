/*
 * metrics_internal.h -- shapes shared by the updating half (metrics.c) and the text
 * (metrics_text.c).
 */
#ifndef MILLRACE_OBSERVE_METRICS_INTERNAL_H
#define MILLRACE_OBSERVE_METRICS_INTERNAL_H

#include "millrace/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * Buckets of a histogram: values below 2 x SUB one by one, above that SUB buckets per power of two.
 * The middle of a bucket is off by at most 1 / (2 x SUB) = 1.6 %.
 */
#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_SUB (1 << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_VALUE_BITS 40 /* twelve days in microseconds; larger counts as that */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB)

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct mr_counter {
    _Atomic uint64_t value;
};

struct mr_gauge {
    _Atomic int64_t value;
};

struct mr_histogram {
    _Atomic uint64_t count;
    _Atomic int64_t sum_us;
    _Atomic int64_t max_us;
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct series {
    struct series *next; /* of the family, oldest first */
    char *labels;
    union {
        struct mr_counter counter;
        struct mr_gauge gauge;
        struct mr_histogram *histogram;
    } as;
};

struct family {
    struct family *next;
    char *name;
    char *help;
    enum metric_kind kind;
    struct series *series;
};

struct mr_metrics {
    pthread_mutex_t mutex; /* protects the lists; values are atomic */
    struct family *families;
};

#endif
