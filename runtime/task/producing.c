/* producing.c -- the worker's producer: opened under its identity, topics found by number. */
#include "task.h"

#include <stdlib.h>

#define AT_LEAST_ONCE_LINGER_US MR_MS_US

static enum mr_status find_topic(struct mr_worker *worker, size_t topic, struct mr_err *err)
{
    const struct mr_topic *spec = worker_topic(worker, topic);

    if (!spec->in_log) {
        return MR_OK;
    }
    MR_TRY(mr_producer_topic(worker->producer, spec->name, &worker->producer_topics[topic],
                             &worker->topic_partitions[topic], err));
    if (worker->topic_partitions[topic] != spec->partitions) {
        return mr_fail(err, MR_CONFIG, "topic %s has %d partitions, the topology says %d",
                       spec->name, (int)worker->topic_partitions[topic], (int)spec->partitions);
    }
    return MR_OK;
}

/* What the group may write, each as often as it is bound. */
static size_t list_topics(const struct mr_worker *worker, size_t *topics, size_t capacity)
{
    size_t count = 0;

    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const struct mr_stage_node *stage = &worker->topology->stages[worker->group->stages[i]];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic != MR_UNBOUND) {
                topics[count++] = stage->out[o].topic;
            }
        }
        if (stage->changelog != MR_UNBOUND) {
            topics[count++] = stage->changelog;
        }
        topics[count++] = stage->dead_letter;
    }
    if (worker->group->journal != MR_UNBOUND) {
        topics[count++] = worker->group->journal;
    }
    MR_ASSERT(count <= capacity);
    return count;
}

static size_t topics_at_most(const struct mr_worker *worker)
{
    size_t count = 1;

    for (size_t i = 0; i < worker->group->stage_count; i++) {
        count += worker->topology->stages[worker->group->stages[i]].type->out_count + 2;
    }
    return count;
}

static enum mr_status find_topics(struct mr_worker *worker, struct mr_err *err)
{
    const size_t capacity = topics_at_most(worker);
    size_t *topics = mr_xcalloc(capacity, sizeof(*topics));
    const char **names = mr_xcalloc(capacity, sizeof(*names));
    const size_t count = list_topics(worker, topics, capacity);
    enum mr_status status;
    size_t in_log = 0;

    for (size_t i = 0; i < count; i++) {
        const struct mr_topic *spec = worker_topic(worker, topics[i]);

        if (spec->in_log) {
            names[in_log++] = spec->name;
        }
    }
    status = mr_producer_expect(worker->producer, names, in_log, err);
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        status = find_topic(worker, topics[i], err);
    }
    free(names);
    free(topics);
    return status;
}

enum mr_status producing_open(struct mr_worker *worker, int64_t timeout_us, struct mr_err *err)
{
    const struct mr_topology_defaults *defaults = &worker->topology->defaults;
    const struct mr_producer_options options = {
        .transactional_id = worker->exactly_once ? worker->identity : NULL,
        .transaction_timeout_us = defaults->transaction_timeout_us,
        .linger_us = AT_LEAST_ONCE_LINGER_US,
        .compression = defaults->compression,
    };
    enum mr_status status;

    MR_TRY(mr_producer_open(worker->process.log, &options, timeout_us, &worker->producer, err));
    status = find_topics(worker, err);
    if (status != MR_OK) {
        mr_producer_close(&worker->producer);
    }
    return status;
}
