/* meter.c -- see meter.h. */
#include "meter.h"

#include "avro/execution_report.h"
#include "flow.h"
#include "millrace/arena.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define STEP_US (50 * 1000)
#define NOT_SENT INT64_MIN

struct meter {
    const struct load_env *env;
    uint32_t run;
    int64_t orders_max;
    int64_t skip;
    struct load_feed *feed;
    _Atomic int64_t *due_us;
    uint8_t *seen;
    struct meter_counts counts; /* the thread's, until it has ended */
    _Atomic int64_t outcomes;
    _Atomic int64_t reports;
    struct histogram histogram;
    pthread_t thread;
    bool threaded;
    _Atomic bool stop;
    _Atomic bool failed;
    enum mr_status status;
    struct mr_err err;
};

static void take_first(struct meter *meter, int64_t number,
                       const struct oms_execution_report *report, int64_t now_us)
{
    const int64_t due_us = atomic_load_explicit(&meter->due_us[number], memory_order_acquire);

    if (due_us == NOT_SENT) {
        return;
    }
    meter->seen[number] = 1;
    meter->counts.outcomes++;
    meter->counts.rejected += report->exec_type == OMS_EXEC_TYPE_REJECTED;
    meter->counts.first_us = now_us;
    if (number >= meter->skip) {
        histogram_add(&meter->histogram, now_us - due_us);
    }
    atomic_store_explicit(&meter->outcomes, meter->counts.outcomes, memory_order_release);
}

static enum mr_status on_report(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct meter *meter = arg;
    const struct oms_execution_report *report = record->value;
    const int64_t number = report == NULL ? -1 : flow_number(meter->run, report->order_id);
    const int64_t now_us = number < 0 ? 0 : mr_clock_monotonic_us(meter->env->clock);

    (void)err;
    if (number < 0 || number >= meter->orders_max) {
        return MR_OK;
    }
    if (meter->seen[number] == 0) {
        take_first(meter, number, report, now_us);
    }
    meter->counts.reports++;
    meter->counts.trades += report->exec_type == OMS_EXEC_TYPE_TRADE;
    meter->counts.cancelled += report->exec_type == OMS_EXEC_TYPE_CANCELED;
    meter->counts.settled += report->exec_type == OMS_EXEC_TYPE_SETTLED;
    meter->counts.report_us = now_us;
    atomic_store_explicit(&meter->reports, meter->counts.reports, memory_order_relaxed);
    return MR_OK;
}

static void *run_thread(void *arg)
{
    struct meter *meter = arg;

    while (meter->status == MR_OK && !atomic_load(&meter->stop)) {
        size_t delivered = 0;

        meter->status = load_feed_step(meter->feed, STEP_US, &delivered, &meter->err);
    }
    atomic_store(&meter->failed, meter->status != MR_OK);
    return NULL;
}

enum mr_status meter_open(const struct load_env *env, uint32_t run, int64_t orders_max,
                          int64_t skip, struct meter **out, struct mr_err *err)
{
    struct meter *meter = mr_xcalloc(1, sizeof(*meter));
    int64_t ends[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;
    enum mr_status status;

    meter->env = env;
    meter->run = run;
    meter->orders_max = orders_max;
    meter->skip = skip;
    meter->due_us = mr_xcalloc((size_t)orders_max, sizeof(*meter->due_us));
    meter->seen = mr_xcalloc((size_t)orders_max, 1);
    for (int64_t i = 0; i < orders_max; i++) {
        atomic_init(&meter->due_us[i], NOT_SENT);
    }
    status = load_ends(env, "executions", ends, &partitions, err);
    if (status == MR_OK) {
        status = load_feed_open(env, &meter->feed, err);
    }
    if (status == MR_OK) {
        status = load_feed_add(meter->feed,
                               &(struct load_source){.topic = "executions",
                                                     .schema = &oms_execution_report_schema,
                                                     .offsets = ends,
                                                     .visit = on_report,
                                                     .arg = meter},
                               err);
    }
    if (status == MR_OK && pthread_create(&meter->thread, NULL, run_thread, meter) != 0) {
        status = mr_fail(err, MR_RESOURCE, "no thread for reading executions");
    }
    meter->threaded = status == MR_OK;
    *out = meter;
    if (status != MR_OK) {
        meter_close(out);
    }
    return status;
}

void meter_due(struct meter *meter, int64_t number, int64_t due_us)
{
    MR_ASSERT(number < meter->orders_max);
    atomic_store_explicit(&meter->due_us[number], due_us, memory_order_release);
}

int64_t meter_outcomes(const struct meter *meter)
{
    return atomic_load_explicit(&meter->outcomes, memory_order_acquire);
}

int64_t meter_reports(const struct meter *meter)
{
    return atomic_load_explicit(&meter->reports, memory_order_relaxed);
}

bool meter_failed(const struct meter *meter)
{
    return atomic_load(&meter->failed);
}

enum mr_status meter_stop(struct meter *meter, struct mr_err *err)
{
    if (meter->threaded) {
        atomic_store(&meter->stop, true);
        (void)pthread_join(meter->thread, NULL);
        meter->threaded = false;
    }
    if (meter->status != MR_OK) {
        *err = meter->err;
    }
    return meter->status;
}

void meter_counts(const struct meter *meter, struct meter_counts *counts)
{
    *counts = meter->counts;
}

const struct histogram *meter_histogram(const struct meter *meter)
{
    return &meter->histogram;
}

void meter_close(struct meter **out)
{
    struct meter *meter = *out;
    struct mr_err ignored;

    if (meter == NULL) {
        return;
    }
    if (meter_stop(meter, &ignored) != MR_OK) {
        meter->status = MR_OK; /* said by an earlier stop, or nobody asks any more */
    }
    load_feed_close(&meter->feed);
    free(meter->due_us);
    free(meter->seen);
    free(meter);
    *out = NULL;
}
