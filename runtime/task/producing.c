/* producing.c -- the worker's producer: opened under its identity, topics found by number. */
#include "task.h"

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

static enum mr_status find_topics(struct mr_worker *worker, struct mr_err *err)
{
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const struct mr_stage_node *stage = &worker->topology->stages[worker->group->stages[i]];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic != MR_UNBOUND) {
                MR_TRY(find_topic(worker, stage->out[o].topic, err));
            }
        }
        if (stage->changelog != MR_UNBOUND) {
            MR_TRY(find_topic(worker, stage->changelog, err));
        }
        MR_TRY(find_topic(worker, stage->dead_letter, err));
    }
    return worker->group->journal == MR_UNBOUND ? MR_OK
                                                : find_topic(worker, worker->group->journal, err);
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
