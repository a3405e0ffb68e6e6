/* metrics_text.c -- Prometheus text exposition (version 0.0.4) of all metrics. */
#include "metrics_internal.h"

#include <inttypes.h>

/* The lists are only ever appended to, but a const view cannot be locked without a pointer to it.
 */
struct view {
    const struct mr_metrics *metrics;
    pthread_mutex_t *mutex;
};

static struct view view_of(const struct mr_metrics *metrics)
{
    union {
        const struct mr_metrics *reading;
        struct mr_metrics *locking;
    } both = {.reading = metrics};

    return (struct view){.metrics = metrics, .mutex = &both.locking->mutex};
}

/* HELP ends at the line's end and escapes only these two. */
static void write_help(const char *help, struct mr_buffer *out)
{
    for (const char *c = help; *c != '\0'; c++) {
        if (*c == '\n') {
            mr_buffer_append(out, "\\n", 2);
        } else if (*c == '\\') {
            mr_buffer_append(out, "\\\\", 2);
        } else {
            mr_buffer_append(out, c, 1);
        }
    }
}

/* Exact: microseconds as seconds with six decimals. */
static void write_seconds(int64_t us, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void write_name(const struct family *family, const char *suffix, const char *labels,
                       struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s%s", family->name, suffix);
    if (labels[0] != '\0') {
        mr_buffer_printf(out, "{%s}", labels);
    }
    mr_buffer_append(out, " ", 1);
}

static void write_quantile(const struct family *family, const struct series *series,
                           const char *quantile, int64_t us, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s{%s%squantile=\"%s\"} ", family->name, series->labels,
                     series->labels[0] != '\0' ? "," : "", quantile);
    write_seconds(us, out);
    mr_buffer_append(out, "\n", 1);
}

/* A summary; quantile 1 is the largest value seen. */
static void write_histogram(const struct family *family, const struct series *series,
                            struct mr_buffer *out)
{
    const struct mr_histogram *h = series->as.histogram;

    write_quantile(family, series, "0.5", mr_histogram_quantile_us(h, 500000), out);
    write_quantile(family, series, "0.99", mr_histogram_quantile_us(h, 990000), out);
    write_quantile(family, series, "1", atomic_load_explicit(&h->max_us, memory_order_relaxed),
                   out);
    write_name(family, "_sum", series->labels, out);
    write_seconds(atomic_load_explicit(&h->sum_us, memory_order_relaxed), out);
    mr_buffer_append(out, "\n", 1);
    write_name(family, "_count", series->labels, out);
    mr_buffer_printf(out, "%" PRIu64 "\n", mr_histogram_count(h));
}

static void write_series(const struct family *family, const struct series *series,
                         struct mr_buffer *out)
{
    switch (family->kind) {
    case METRIC_COUNTER:
        write_name(family, "", series->labels, out);
        mr_buffer_printf(out, "%" PRIu64 "\n", mr_counter_value(&series->as.counter));
        return;
    case METRIC_GAUGE:
        write_name(family, "", series->labels, out);
        mr_buffer_printf(out, "%" PRId64 "\n", mr_gauge_value(&series->as.gauge));
        return;
    case METRIC_HISTOGRAM:
        write_histogram(family, series, out);
        return;
    }
}

void mr_metrics_write(const struct mr_metrics *metrics, struct mr_buffer *out)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "summary"};
    const struct view view = view_of(metrics);

    (void)pthread_mutex_lock(view.mutex);
    for (const struct family *f = view.metrics->families; f != NULL; f = f->next) {
        mr_buffer_printf(out, "# HELP %s ", f->name);
        write_help(f->help, out);
        mr_buffer_printf(out, "\n# TYPE %s %s\n", f->name, kinds[f->kind]);
        for (const struct series *s = f->series; s != NULL; s = s->next) {
            write_series(f, s, out);
        }
    }
    (void)pthread_mutex_unlock(view.mutex);
}
