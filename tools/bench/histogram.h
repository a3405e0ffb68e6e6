/*
 * histogram.h -- latencies counted in buckets that grow with the value, as HdrHistogram does.
 *
 * Why:  millions of samples in a few kilobytes, percentiles without sorting, an error that is
 * known. How:  a value is kept by its highest 8 bits: 128 buckets for each power of two. A
 * percentile is the upper end of its bucket: never below the truth, above it by less than 0.8 %.
 * Thread: one owner.
 */
#ifndef MILLRACE_BENCH_HISTOGRAM_H
#define MILLRACE_BENCH_HISTOGRAM_H

#include <stdint.h>

/* Values up to 2^40 us (12 days); larger ones are counted as that. */
#define HISTOGRAM_VALUE_MAX ((INT64_C(1) << 40) - 1)
#define HISTOGRAM_BUCKETS ((40 - 7 + 1) * 128)

struct histogram {
    int64_t count;
    int64_t max_us;
    int64_t buckets[HISTOGRAM_BUCKETS];
};

/* A negative value is counted as 0. */
void histogram_add(struct histogram *histogram, int64_t value_us);
/* per_mille: 500 is the median, 990 the 99th percentile; 1000 the exact maximum. 0 when empty. */
int64_t histogram_at(const struct histogram *histogram, int per_mille);

#endif
