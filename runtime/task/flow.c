/* flow.c -- see flow.h. */
#include "flow.h"

#include "tap_ring.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_counter *counter(struct mr_worker *worker, size_t topic, const char *name,
                                  const char *help)
{
    char labels[512];

    snprintf(labels, sizeof(labels), "group=\"%s\",worker=\"%d\",topic=\"%s\"", worker->group->name,
             worker->index, worker_topic(worker, topic)->name);
    return mr_metrics_counter(worker->process.metrics, name, labels, help);
}

static void count_out(struct mr_worker *worker, size_t topic)
{
    if (topic != MR_UNBOUND && worker->flow.topics[topic].out == NULL) {
        worker->flow.topics[topic].out =
            counter(worker, topic, "millrace_topic_records_out_total",
                    "Records written to the topic, or handed over on an edge in memory, in "
                    "committed transactions");
    }
}

void flow_init(struct mr_worker *worker)
{
    const struct mr_topology *topology = worker->topology;
    const struct mr_group_node *group = worker->group;

    worker->flow.topics = mr_xcalloc(topology->topic_count, sizeof(struct flow_topic));
    for (size_t i = 0; i < group->input_count; i++) {
        worker->flow.topics[group->inputs[i]].in =
            counter(worker, group->inputs[i], "millrace_topic_records_in_total",
                    "Records taken from the topic in committed transactions");
    }
    for (size_t i = 0; i < group->stage_count; i++) {
        const struct mr_stage_node *stage = &topology->stages[group->stages[i]];

        for (size_t port = 0; port < stage->type->out_count; port++) {
            count_out(worker, stage->out[port].topic);
        }
        count_out(worker, stage->dead_letter);
    }
}

void flow_fini(struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->flow.tap_count; i++) {
        tap_ring_drop(&worker->flow.taps[i].ring);
    }
    free(worker->flow.topics);
}

struct mr_topic_flow mr_worker_topic_flow(const struct mr_worker *worker, size_t topic)
{
    const struct flow_topic *flow = &worker->flow.topics[topic];

    return (struct mr_topic_flow){
        .in = flow->in == NULL ? 0 : mr_counter_value(flow->in),
        .out = flow->out == NULL ? 0 : mr_counter_value(flow->out),
    };
}

/* ---- edges in memory ------------------------------------------------------------------------- */

void flow_handed_over(struct mr_ctx *ctx, size_t port, struct mr_slice partition_key,
                      struct mr_slice key, const void *value)
{
    struct mr_err ignored;
    struct flow_topic *flow = &ctx->task->worker->flow.topics[ctx->stage->out[port].topic];

    flow->handed++;
    /* Being looked at must not make a record fail. */
    if (flow->tapped &&
        context_write_out(ctx, port, partition_key, key, value, &ignored) != MR_OK) {
        flow->unkept++;
    }
}

enum mr_status flow_tap(struct mr_worker *worker, size_t topic, struct mr_tap_ring *ring,
                        struct mr_err *err)
{
    struct flow *flow = &worker->flow;

    if (flow->topics[topic].out == NULL || worker_topic(worker, topic)->in_log) {
        return mr_fail(err, MR_CONFIG, "%s is not handed over in memory by group %s",
                       worker_topic(worker, topic)->name, worker->group->name);
    }
    if (flow->tap_count == MR_COUNT(flow->taps)) {
        return mr_fail(err, MR_RESOURCE, "%zu taps are open at worker %d of group %s already",
                       flow->tap_count, worker->index, worker->group->name);
    }
    flow->taps[flow->tap_count++] = (struct flow_tap){.topic = topic, .ring = tap_ring_hold(ring)};
    flow->topics[topic].tapped = true;
    return MR_OK;
}

void flow_step(struct mr_worker *worker)
{
    struct flow *flow = &worker->flow;

    for (size_t i = flow->tap_count; i-- > 0;) {
        const size_t topic = flow->taps[i].topic;

        if (!tap_ring_is_left(flow->taps[i].ring)) {
            continue;
        }
        tap_ring_drop(&flow->taps[i].ring);
        flow->taps[i] = flow->taps[--flow->tap_count];
        flow->topics[topic].tapped = false;
        for (size_t other = 0; other < flow->tap_count; other++) {
            flow->topics[flow->taps[other].topic].tapped = true;
        }
    }
}

static void show(struct mr_worker *worker, const struct outbox_item *item)
{
    const struct mr_tap_record record = {
        .timestamp_ms = item->timestamp_ms,
        .partition = item->partition,
        .key = item->key,
        .value = item->value,
    };

    for (size_t i = 0; i < worker->flow.tap_count; i++) {
        if (worker->flow.taps[i].topic == item->topic) {
            tap_ring_put(worker->flow.taps[i].ring, &record);
        }
    }
}

/* ---- at the end of a transaction ------------------------------------------------------------- */

static void count_topic(struct mr_worker *worker, size_t topic)
{
    struct flow_topic *flow = &worker->flow.topics[topic];

    if (flow->taken > 0) {
        mr_counter_add(flow->in, flow->taken);
    }
    if (flow->sent + flow->handed > 0) {
        mr_counter_add(flow->out, flow->sent + flow->handed);
        mr_counter_add(worker->metrics.records_out, flow->sent);
        worker->live.records_out += flow->sent;
    }
    for (size_t i = 0; flow->unkept > 0 && i < worker->flow.tap_count; i++) {
        if (worker->flow.taps[i].topic == topic) {
            tap_ring_count_dropped(worker->flow.taps[i].ring, flow->unkept);
        }
    }
    flow->taken = flow->sent = 0;
}

void flow_committed(struct mr_worker *worker)
{
    struct flow_topic *topics = worker->flow.topics;

    for (size_t i = 0; i < worker->taken_done; i++) {
        topics[worker->taken[i].input->topic].taken++;
        worker->taken[i].task->records_in++;
    }
    for (size_t i = 0; i < worker->outbox.kept; i++) {
        const struct outbox_item *item = &worker->outbox.items[i];

        if (worker->producer_topics[item->topic] < 0) {
            show(worker, item);
        } else if (!item->superseded) {
            topics[item->topic].sent++;
        }
    }
    for (size_t i = 0; i < worker->topology->topic_count; i++) {
        count_topic(worker, i);
    }
}

void flow_over(struct mr_worker *worker)
{
    for (size_t i = 0; i < worker->topology->topic_count; i++) {
        worker->flow.topics[i].handed = worker->flow.topics[i].unkept = 0;
    }
}
