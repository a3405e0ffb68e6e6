/* run_lag.c -- see run_lag.h. */
#include "run_lag.h"

#include "millrace/arena.h"
#include "millrace/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define SELDOM_US (5 * MR_SECOND_US)
#define OFTEN_US MR_SECOND_US
#define LOOKING_US (10 * MR_SECOND_US) /* after the last look */

void run_lag_init(struct run_lag *lag, const struct mr_topology *topology, struct mr_log *log,
                  struct mr_metrics *metrics)
{
    *lag = (struct run_lag){.topology = topology, .log = log, .metrics = metrics};
    atomic_init(&lag->looked_us, INT64_MIN / 2);
}

void run_lag_fini(struct run_lag *lag)
{
    for (size_t c = 0; c < lag->consumer_count; c++) {
        for (size_t i = 0; i < lag->consumers[c].input_count; i++) {
            free(lag->consumers[c].inputs[i].records);
            free(lag->consumers[c].inputs[i].gauges);
        }
        free(lag->consumers[c].inputs);
    }
    free(lag->consumers);
}

static void add(struct run_lag *lag, const char *name, const size_t *topics, size_t count,
                int32_t partitions)
{
    struct run_lag_consumer *consumer;

    lag->consumers =
        mr_xrealloc(lag->consumers, (lag->consumer_count + 1) * sizeof(*lag->consumers));
    consumer = &lag->consumers[lag->consumer_count++];
    *consumer =
        (struct run_lag_consumer){.name = name, .input_count = count, .partitions = partitions};
    snprintf(consumer->group_id, sizeof(consumer->group_id), "%s.%s", lag->topology->application,
             name);
    consumer->inputs = mr_xcalloc(count, sizeof(*consumer->inputs));
    for (size_t i = 0; i < count; i++) {
        struct run_lag_input *input = &consumer->inputs[i];

        input->topic = topics[i];
        input->records = mr_xcalloc((size_t)partitions, sizeof(*input->records));
        input->gauges = mr_xcalloc((size_t)partitions, sizeof(*input->gauges));
        for (int32_t p = 0; p < partitions; p++) {
            atomic_init(&input->records[p], RUN_LAG_UNKNOWN);
        }
    }
}

void run_lag_add_group(struct run_lag *lag, size_t group)
{
    const struct mr_group_node *node = &lag->topology->groups[group];

    add(lag, node->name, node->inputs, node->input_count, node->partitions);
}

void run_lag_add_connector(struct run_lag *lag, size_t connector)
{
    const struct mr_connector_node *node = &lag->topology->connectors[connector];

    add(lag, node->name, &node->topic, 1, lag->topology->topics[node->topic].partitions);
}

/*
 * A transaction ends with a marker, so behind the last record that a stage has written stands one
 * more offset, which nobody takes.
 */
static bool ends_with_marker(const struct mr_topology *topology, size_t topic)
{
    for (size_t s = 0; topology->defaults.guarantee == MR_EXACTLY_ONCE && s < topology->stage_count;
         s++) {
        const struct mr_stage_node *stage = &topology->stages[s];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic == topic) {
                return true;
            }
        }
    }
    return false;
}

static void set(struct run_lag *lag, const struct run_lag_consumer *consumer,
                const struct run_lag_input *input, int32_t partition, int64_t records)
{
    if (input->gauges[partition] == NULL) {
        char labels[512];

        snprintf(labels, sizeof(labels), "consumer=\"%s\",topic=\"%s\",partition=\"%d\"",
                 consumer->group_id, lag->topology->topics[input->topic].name, (int)partition);
        input->gauges[partition] =
            mr_metrics_gauge(lag->metrics, "millrace_lag_records", labels,
                             "Committed records that the group has not taken yet");
    }
    mr_gauge_set(input->gauges[partition], records);
    atomic_store(&input->records[partition], records);
}

static void measure(struct run_lag *lag, const struct run_lag_consumer *consumer)
{
    const size_t count = consumer->input_count * (size_t)consumer->partitions;
    struct mr_topic_partition *at = mr_xcalloc(count, sizeof(*at));
    struct mr_extent *extents = mr_xcalloc(count, sizeof(*extents));
    struct mr_err ignored;

    for (size_t i = 0; i < count; i++) {
        const size_t input = i / (size_t)consumer->partitions;
        const char *topic = lag->topology->topics[consumer->inputs[input].topic].name;
        const int32_t partition = (int32_t)(i % (size_t)consumer->partitions);

        at[i] = (struct mr_topic_partition){.topic = topic, .partition = partition};
        extents[i] = (struct mr_extent){.topic = topic, .partition = partition};
    }
    /* A server that is away is said elsewhere. */
    if (mr_log_committed(lag->log, consumer->group_id, at, count, MR_UNSTABLE, &ignored) == MR_OK &&
        mr_log_extents(lag->log, extents, count, &ignored) == MR_OK) {
        for (size_t i = 0; i < count; i++) {
            const struct run_lag_input *input = &consumer->inputs[i / (size_t)consumer->partitions];
            const bool begun = at[i].offset != MR_OFFSET_NONE;
            int64_t records = extents[i].stable_end - (begun ? at[i].offset : extents[i].low);

            records -= records > 0 && begun && ends_with_marker(lag->topology, input->topic);
            set(lag, consumer, input, at[i].partition, records > 0 ? records : 0);
        }
    }
    free(extents);
    free(at);
}

void run_lag_measure(struct run_lag *lag)
{
    for (size_t c = 0; c < lag->consumer_count; c++) {
        measure(lag, &lag->consumers[c]);
    }
}

int64_t run_lag_due_us(const struct run_lag *lag, int64_t measured_us)
{
    const bool looking = measured_us - atomic_load(&lag->looked_us) < LOOKING_US;

    return measured_us + (looking ? OFTEN_US : SELDOM_US);
}

void run_lag_look(struct run_lag *lag)
{
    atomic_store(&lag->looked_us, mr_clock_monotonic_us(mr_clock_system()));
}

const struct run_lag_consumer *run_lag_find(const struct run_lag *lag, const char *name)
{
    for (size_t c = 0; c < lag->consumer_count; c++) {
        if (strcmp(lag->consumers[c].name, name) == 0) {
            return &lag->consumers[c];
        }
    }
    return NULL;
}

int64_t run_lag_sum(const struct run_lag_consumer *consumer, int32_t partition)
{
    int64_t sum = 0;

    for (size_t i = 0; i < consumer->input_count; i++) {
        for (int32_t p = 0; p < consumer->partitions; p++) {
            const int64_t records = atomic_load(&consumer->inputs[i].records[p]);

            if (partition >= 0 && p != partition) {
                continue;
            }
            if (records == RUN_LAG_UNKNOWN) {
                return RUN_LAG_UNKNOWN;
            }
            sum += records;
        }
    }
    return sum;
}
