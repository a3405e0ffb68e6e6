/*
 * metrics.c -- handles and their lock-free updates. See millrace/metrics.h.
 *
 * Every update is one relaxed atomic addition: a metric says how much, not in which order.
 */
#include "metrics_internal.h"
#include "millrace/arena.h"

#include <stdlib.h>

struct mr_metrics *mr_metrics_create(void)
{
    struct mr_metrics *metrics = mr_xcalloc(1, sizeof(*metrics));

    MR_ASSERT(pthread_mutex_init(&metrics->mutex, NULL) == 0);
    return metrics;
}

static void family_destroy(struct family *family)
{
    struct series *series = family->series;

    while (series != NULL) {
        struct series *next = series->next;
        if (family->kind == METRIC_HISTOGRAM) {
            free(series->as.histogram);
        }
        free(series->labels);
        free(series);
        series = next;
    }
    free(family->name);
    free(family->help);
    free(family);
}

void mr_metrics_destroy(struct mr_metrics **metrics)
{
    if (*metrics == NULL) {
        return;
    }
    struct family *family = (*metrics)->families;
    while (family != NULL) {
        struct family *next = family->next;
        family_destroy(family);
        family = next;
    }
    (void)pthread_mutex_destroy(&(*metrics)->mutex);
    free(*metrics);
    *metrics = NULL;
}

/* Families stand in order of name, so that the text is stable from one start to the next. */
static struct family *find_family(struct mr_metrics *metrics, const char *name, const char *help,
                                  enum metric_kind kind)
{
    struct family **at = &metrics->families;

    while (*at != NULL && strcmp((*at)->name, name) < 0) {
        at = &(*at)->next;
    }
    if (*at == NULL || strcmp((*at)->name, name) != 0) {
        struct family *family = mr_xcalloc(1, sizeof(*family));
        family->name = mr_xstrdup(name);
        family->help = mr_xstrdup(help);
        family->kind = kind;
        family->next = *at;
        *at = family;
    }
    /* One name, one kind: anything else would be a text that no scraper accepts. */
    MR_ASSERT((*at)->kind == kind);
    return *at;
}

static struct series *find_series(struct mr_metrics *metrics, const char *name, const char *labels,
                                  const char *help, enum metric_kind kind)
{
    (void)pthread_mutex_lock(&metrics->mutex);
    struct series **at = &find_family(metrics, name, help, kind)->series;
    while (*at != NULL && strcmp((*at)->labels, labels) != 0) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        struct series *series = mr_xcalloc(1, sizeof(*series));
        series->labels = mr_xstrdup(labels);
        if (kind == METRIC_HISTOGRAM) {
            series->as.histogram = mr_xcalloc(1, sizeof(*series->as.histogram));
        }
        *at = series;
    }
    struct series *found = *at;
    (void)pthread_mutex_unlock(&metrics->mutex);
    return found;
}

struct mr_counter *mr_metrics_counter(struct mr_metrics *metrics, const char *name,
                                      const char *labels, const char *help)
{
    return &find_series(metrics, name, labels, help, METRIC_COUNTER)->as.counter;
}

struct mr_gauge *mr_metrics_gauge(struct mr_metrics *metrics, const char *name, const char *labels,
                                  const char *help)
{
    return &find_series(metrics, name, labels, help, METRIC_GAUGE)->as.gauge;
}

struct mr_histogram *mr_metrics_histogram(struct mr_metrics *metrics, const char *name,
                                          const char *labels, const char *help)
{
    return find_series(metrics, name, labels, help, METRIC_HISTOGRAM)->as.histogram;
}

void mr_label_write(const struct mr_label *label, struct mr_buffer *out)
{
    mr_buffer_printf(out, ",%s=\"", label->name);
    for (size_t i = 0; i < label->value.len; i++) {
        const char c = (char)((const uint8_t *)label->value.data)[i];

        if (c == '\n') {
            mr_buffer_append(out, "\\n", 2);
            continue;
        }
        if (c == '\\' || c == '"') {
            mr_buffer_append(out, "\\", 1);
        }
        mr_buffer_append(out, &c, 1);
    }
    mr_buffer_append(out, "\"", 1);
}

void mr_counter_add(struct mr_counter *counter, uint64_t delta)
{
    atomic_fetch_add_explicit(&counter->value, delta, memory_order_relaxed);
}

uint64_t mr_counter_value(const struct mr_counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

void mr_gauge_set(struct mr_gauge *gauge, int64_t value)
{
    atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

int64_t mr_gauge_value(const struct mr_gauge *gauge)
{
    return atomic_load_explicit(&gauge->value, memory_order_relaxed);
}

static size_t bucket_of(int64_t us)
{
    const uint64_t value = (uint64_t)us;

    if (value < HISTOGRAM_SUB) {
        return (size_t)value;
    }
    const int top = 63 - __builtin_clzll(value);
    if (top >= HISTOGRAM_VALUE_BITS) {
        return HISTOGRAM_BUCKETS - 1;
    }
    const int shift = top - HISTOGRAM_SUB_BITS;
    return ((size_t)shift + 1) * HISTOGRAM_SUB + (size_t)((value >> shift) - HISTOGRAM_SUB);
}

static int64_t bucket_middle(size_t bucket)
{
    if (bucket < 2 * HISTOGRAM_SUB) {
        return (int64_t)bucket;
    }
    const size_t shift = bucket / HISTOGRAM_SUB - 1;
    const int64_t low = (int64_t)(bucket % HISTOGRAM_SUB + HISTOGRAM_SUB) << shift;
    return low + ((INT64_C(1) << shift) - 1) / 2;
}

void mr_histogram_record_us(struct mr_histogram *histogram, int64_t us)
{
    const int64_t value = us < 0 ? 0 : us; /* a clock that stepped back */
    int64_t max_us = atomic_load_explicit(&histogram->max_us, memory_order_relaxed);

    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, value, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->count, 1, memory_order_relaxed);
    while (value > max_us &&
           !atomic_compare_exchange_weak_explicit(&histogram->max_us, &max_us, value,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

int64_t mr_histogram_quantile_us(const struct mr_histogram *histogram, int64_t q_ppm)
{
    const int64_t max_us = atomic_load_explicit(&histogram->max_us, memory_order_relaxed);
    uint64_t total = 0;
    uint64_t seen = 0;

    MR_ASSERT(q_ppm >= 0 && q_ppm <= 1000000);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        total += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    }
    if (total == 0) {
        return 0;
    }
    /* The value of rank ceil(q x total), at least the first. */
    const mr_u128 scaled = (mr_u128)total * (mr_u128)q_ppm + 999999;
    const uint64_t wanted = (uint64_t)(scaled / 1000000);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (seen > 0 && seen >= wanted) {
            const int64_t middle = bucket_middle(i);
            return middle < max_us ? middle : max_us;
        }
    }
    return max_us;
}

uint64_t mr_histogram_count(const struct mr_histogram *histogram)
{
    return atomic_load_explicit(&histogram->count, memory_order_relaxed);
}
