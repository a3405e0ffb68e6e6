/*
 * context.c -- what a stage may ask of the runtime (millrace/stage.h).
 *
 * Emit: encode once into the outbox, then hand the very same struct to the readers in this group.
 */
#include "millrace/partition.h"
#include "task.h"

#include <stdio.h>

/* Key and value: Kafka's default limit of a batch is 1,048,588 bytes; leave room for its framing.
 */
#define OUTPUT_BYTES_MAX ((size_t)1000000)

enum mr_status context_write_out(struct mr_ctx *ctx, size_t port, struct mr_slice partition_key,
                                 struct mr_slice key, const void *value, struct mr_err *err)
{
    struct mr_worker *worker = ctx->task->worker;
    const struct mr_out_binding *out = &ctx->stage->out[port];
    const struct mr_binding *binding = &worker->bindings[out->topic];
    const size_t bytes_max = mr_codec_framed_bytes_max(binding, value);
    struct outbox_item item = {
        .stage = (size_t)(ctx->stage - worker->topology->stages),
        .topic = out->topic,
        .partition = mr_partition_of(partition_key, worker->topic_partitions[out->topic]),
        .timestamp_ms =
            ctx->task->source == NULL ? MR_TIMESTAMP_NOW : ctx->task->source->timestamp_ms,
        .key = key,
        .has_value = true,
        .latest = (ctx->stage->type->out[port].flags & MR_PORT_LATEST) != 0,
    };
    uint8_t *scratch;

    if (bytes_max + key.len > OUTPUT_BYTES_MAX) {
        return mr_fail(err, MR_TOO_LARGE, "stage %s: record of up to %zu bytes for %s; at most %zu",
                       ctx->stage->name, bytes_max + key.len,
                       worker_topic(worker, out->topic)->name, OUTPUT_BYTES_MAX);
    }
    scratch = outbox_scratch(&worker->outbox, bytes_max);
    item.value = mr_slice_of(scratch, mr_codec_encode(binding, value, scratch));
    outbox_add(&worker->outbox, &item);
    return MR_OK;
}

static int64_t event_time(const struct mr_ctx *ctx, const struct mr_schema *schema,
                          const void *value)
{
    int64_t event_us = ctx->task->event_us;

    if (schema->event_us_offset >= 0) {
        memcpy(&event_us, (const uint8_t *)value + schema->event_us_offset, sizeof(event_us));
    }
    return event_us;
}

/* Depth first, in topology order, as a reader of the topic would see it. */
static enum mr_status hand_over(struct mr_ctx *ctx, size_t port, struct mr_slice key,
                                const void *value, struct mr_err *err)
{
    struct task *task = ctx->task;
    const struct mr_out_binding *out = &ctx->stage->out[port];
    const struct mr_message *source = task->source;
    const struct mr_record record = {
        .key = key,
        .value = value,
        .event_us = event_time(ctx, ctx->stage->type->out[port].schema, value),
        .topic = source == NULL ? "" : source->topic,
        .partition = task->partition,
        .offset = source == NULL ? MR_OFFSET_NONE : source->offset,
        .timestamp_ms = source == NULL ? MR_TIMESTAMP_NOW : source->timestamp_ms,
    };

    for (size_t i = 0; i < out->reader_count; i++) {
        const size_t position = task->worker->node_of_stage[out->readers[i].stage];

        MR_TRY(process_deliver(&task->nodes[position], out->readers[i].port, &record, err));
    }
    return MR_OK;
}

enum mr_status mr_emit_by(struct mr_ctx *ctx, size_t port, struct mr_slice partition_key,
                          struct mr_slice key, const void *value, struct mr_err *err)
{
    const struct mr_out_binding *out = &ctx->stage->out[port];

    MR_ASSERT(port < ctx->stage->type->out_count);
    if (out->topic == MR_UNBOUND) {
        return MR_OK;
    }
    if (out->written) {
        MR_TRY(context_write_out(ctx, port, partition_key, key, value, err));
    } else {
        flow_handed_over(ctx, port, partition_key, key, value);
    }
    return out->reader_count == 0 ? MR_OK : hand_over(ctx, port, key, value, err);
}

enum mr_status mr_emit(struct mr_ctx *ctx, size_t port, struct mr_slice key, const void *value,
                       struct mr_err *err)
{
    return mr_emit_by(ctx, port, key, key, value, err);
}

struct mr_store *mr_ctx_store(struct mr_ctx *ctx, size_t index)
{
    MR_ASSERT(index < ctx->stage->type->store_count);
    return ctx->stores[index];
}

const void *mr_table_get(struct mr_ctx *ctx, size_t port, struct mr_slice key, int64_t *version)
{
    const struct mr_worker *worker = ctx->task->worker;
    const struct mr_in_binding *in = &ctx->stage->in[port];

    MR_ASSERT(port < ctx->stage->type->in_count && (in->table || in->topic == MR_UNBOUND));
    for (size_t i = 0; i < worker->group->table_count; i++) {
        if (worker->group->tables[i] == in->topic) {
            return global_table_get(worker->tables[i], key, version);
        }
    }
    return NULL;
}

int64_t mr_ctx_stream_time_us(const struct mr_ctx *ctx)
{
    return ctx->task->stream_time_us;
}

int32_t mr_ctx_partition(const struct mr_ctx *ctx)
{
    return ctx->task->partition;
}

struct mr_arena *mr_ctx_arena(struct mr_ctx *ctx)
{
    return ctx->task->arena;
}

struct mr_counter *mr_ctx_counter(struct mr_ctx *ctx, const char *name)
{
    char full[128];
    char labels[256];

    snprintf(full, sizeof(full), "millrace_stage_%s", name);
    snprintf(labels, sizeof(labels), "stage=\"%s\",partition=\"%d\"", ctx->stage->name,
             (int)ctx->task->partition);
    return mr_metrics_counter(ctx->task->worker->process.metrics, full, labels,
                              "counted by the stage");
}

struct mr_gauge *mr_ctx_gauge(struct mr_ctx *ctx, const char *name, const struct mr_label *labels,
                              size_t label_count)
{
    char full[128];
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_gauge *gauge = NULL;

    snprintf(full, sizeof(full), "millrace_stage_%s", name);
    mr_buffer_printf(&text, "stage=\"%s\",partition=\"%d\"", ctx->stage->name,
                     (int)ctx->task->partition);
    for (size_t i = 0; i < label_count; i++) {
        mr_label_write(&labels[i], &text);
    }
    mr_buffer_append(&text, "", 1);
    gauge = mr_metrics_gauge(ctx->task->worker->process.metrics, full, (const char *)text.data,
                             "measured by the stage");
    mr_buffer_fini(&text);
    for (size_t i = 0; i < ctx->gauge_count; i++) {
        if (ctx->gauges[i] == gauge) {
            return gauge;
        }
    }
    ctx->gauges = mr_xrealloc(ctx->gauges, (ctx->gauge_count + 1) * sizeof(struct mr_gauge *));
    ctx->gauges[ctx->gauge_count++] = gauge;
    return gauge;
}

/* An instance that was opened again goes on with the timers of the one before it. */
static struct timer *find_timer(struct task *task, const struct mr_ctx *owner, size_t id)
{
    for (size_t i = 0; i < task->timer_count; i++) {
        if (task->timers[i].owner == owner && task->timers[i].id == id) {
            return &task->timers[i];
        }
    }
    return NULL;
}

void mr_ctx_schedule(struct mr_ctx *ctx, enum mr_timer_clock clock, int64_t interval_us,
                     size_t *timer)
{
    struct task *task = ctx->task;

    MR_ASSERT(interval_us > 0 && ctx->stage->type->punctuate != NULL);
    *timer = ctx->timer_count++;
    if (find_timer(task, ctx, *timer) != NULL) {
        return;
    }
    task->timers = mr_xrealloc(task->timers, (task->timer_count + 1) * sizeof(*task->timers));
    task->timers[task->timer_count++] = (struct timer){
        .owner = ctx,
        .id = *timer,
        .clock = clock,
        .interval_us = interval_us,
        .next_us = INT64_MIN,
        .next_before_us = INT64_MIN,
    };
}
