/*
 * metrics.h -- counters, gauges and histograms, served as Prometheus text.
 *
 * A handle is found once (set-up, under a lock) and then updated without a lock from its owner's
 * thread; readers see a value that is at most one update old.
 */
#ifndef MILLRACE_METRICS_H
#define MILLRACE_METRICS_H

#include "millrace/api.h"
#include "millrace/buffer.h"
#include "millrace/slice.h"

struct mr_metrics;
struct mr_counter;
struct mr_gauge;
struct mr_histogram;

struct mr_metrics *mr_metrics_create(void);
void mr_metrics_destroy(struct mr_metrics **metrics);

/* One label of a series; any text, escaped where it is written. */
struct mr_label {
    const char *name;
    struct mr_slice value;
};

/*
 * name    snake_case with unit suffix, for example millrace_commits_total
 * labels  ready Prometheus text without braces: stage="risk",partition="3"; may be ""
 * The same name and labels give the same handle. Handles live as long as metrics.
 */
struct mr_counter *mr_metrics_counter(struct mr_metrics *metrics, const char *name,
                                      const char *labels, const char *help);
struct mr_gauge *mr_metrics_gauge(struct mr_metrics *metrics, const char *name, const char *labels,
                                  const char *help);
/* Log-linear histogram of microseconds (error below 3 %), exposed in seconds with P50, P99, max and
 * _count, _sum. */
struct mr_histogram *mr_metrics_histogram(struct mr_metrics *metrics, const char *name,
                                          const char *labels, const char *help);

/* Appends ,name="value" with what the exposition escapes: backslash, quote, line feed. */
void mr_label_write(const struct mr_label *label, struct mr_buffer *out);

MR_API_BEGIN
void mr_counter_add(struct mr_counter *counter, uint64_t delta);
uint64_t mr_counter_value(const struct mr_counter *counter);
void mr_gauge_set(struct mr_gauge *gauge, int64_t value);
int64_t mr_gauge_value(const struct mr_gauge *gauge);
MR_API_END

void mr_histogram_record_us(struct mr_histogram *histogram, int64_t us);
/* q in parts per million: 500000 is the median. 0 when empty. */
int64_t mr_histogram_quantile_us(const struct mr_histogram *histogram, int64_t q_ppm);
uint64_t mr_histogram_count(const struct mr_histogram *histogram);

/* Appends the Prometheus text exposition of everything. Any thread. */
void mr_metrics_write(const struct mr_metrics *metrics, struct mr_buffer *out);

#endif
