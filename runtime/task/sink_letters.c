/*
 * sink_letters.c -- a connector's dead letters, in one transaction with the offsets behind them.
 *
 * Why: what goes to the outside system may be written twice, because its writes are idempotent; a
 *      letter is a record like any other, and twice would be one too many. So when a batch has
 *      letters, they and the offsets of the batch are committed together, after everything else of
 *      it was written. Batches without letters need no transaction.
 * How: letters wait in an outbox. A commit that fails is aborted and tried again with the batch;
 * one whose outcome is not known is settled by a new producer under the same id, and by the group's
 *      offsets.
 */
#include "millrace/logger.h"
#include "sink.h"

#include <stdlib.h>

#define OPEN_US MR_SECOND_US
#define SETTLE_US (200 * MR_MS_US)

enum mr_status sink_letters_open(struct mr_sink_runner *runner, struct mr_err *err)
{
    const struct mr_topology *topology = runner->process.topology;
    const struct mr_producer_options options = {
        .transactional_id = runner->identity,
        .transaction_timeout_us = topology->defaults.transaction_timeout_us,
        .compression = topology->defaults.compression,
    };
    enum mr_status status;

    if (runner->dead_letters != NULL) {
        return MR_OK;
    }
    MR_TRY(mr_producer_open(runner->process.log, &options, OPEN_US, &runner->dead_letters, err));
    status =
        mr_producer_topic(runner->dead_letters, topology->topics[runner->node->dead_letter].name,
                          &runner->dead_letter_topic, &runner->dead_letter_partitions, err);
    if (status != MR_OK) {
        mr_producer_close(&runner->dead_letters);
    }
    return status;
}

void sink_letters_add(struct mr_sink_runner *runner, size_t message, const struct mr_err *why)
{
    const struct mr_message *source = &runner->messages[message];

    dead_letter_add(&runner->letters,
                    &(struct dead_letter_place){
                        .who = runner->node->name,
                        .partition = source->partition % runner->dead_letter_partitions,
                    },
                    source, why);
    runner->lettered[message] = true;
    mr_warn("dead_letter", "connector=%s topic=%s partition=%d offset=%lld error=\"%s\"",
            runner->node->name, source->topic, (int)source->partition, (long long)source->offset,
            why->text);
}

void sink_letters_drop(struct mr_sink_runner *runner)
{
    outbox_clear(&runner->letters);
    runner->letters_in_doubt = false;
}

/* The positions as they are behind the batch; returns how many there are. */
static size_t offsets_behind(const struct mr_sink_runner *runner,
                             struct mr_topic_partition *offsets)
{
    size_t count = 0;

    for (size_t i = 0; i < runner->position_count; i++) {
        const struct sink_position *at = &runner->positions[i];
        int64_t next = at->next;

        for (size_t m = 0; m < runner->batch_count; m++) {
            if (runner->messages[m].partition == at->partition) {
                next = runner->messages[m].offset + 1;
            }
        }
        if (next != MR_OFFSET_NONE) {
            offsets[count++] = (struct mr_topic_partition){
                .topic = at->topic, .partition = at->partition, .offset = next};
        }
    }
    return count;
}

static enum mr_status send_and_commit(struct mr_sink_runner *runner, struct mr_err *err)
{
    struct mr_topic_partition *offsets = mr_xcalloc(runner->position_count, sizeof(*offsets));
    const size_t count = offsets_behind(runner, offsets);
    enum mr_status status = mr_producer_begin(runner->dead_letters, err);

    outbox_keep(&runner->letters);
    runner->letters.sent = 0;
    if (status == MR_OK) {
        status = outbox_send(&runner->letters, runner->dead_letters, &runner->dead_letter_topic,
                             true, err);
    }
    if (status == MR_OK) {
        status = mr_producer_commit(runner->dead_letters, runner->member, offsets, count, err);
    }
    free(offsets);
    return status;
}

/* Whether a commit of unknown outcome was one. Opening the producer has settled it. */
static enum mr_status settle(struct mr_sink_runner *runner, bool *committed, struct mr_err *err)
{
    const struct mr_message *letter;
    struct mr_topic_partition at;
    size_t first = 0;

    while (!runner->lettered[first]) {
        first++;
    }
    letter = &runner->messages[first];
    at = (struct mr_topic_partition){.topic = runner->topic->name, .partition = letter->partition};
    MR_TRY(mr_log_committed(runner->process.log, runner->group_id, &at, 1, SETTLE_US, err));
    *committed = at.offset != MR_OFFSET_NONE && at.offset > letter->offset;
    runner->letters_in_doubt = false;
    return MR_OK;
}

/* What the batch must wait for becomes RETRY. */
static enum mr_status failed(struct mr_sink_runner *runner, enum mr_status status,
                             struct mr_err *err)
{
    const struct mr_err why = *err;
    struct mr_err ignored;

    if (status == MR_FENCED || status == MR_CONFIG) {
        return status;
    }
    runner->letters_in_doubt = status == MR_INDETERMINATE;
    if (mr_status_class(status) == MR_CLASS_FATAL ||
        mr_producer_abort(runner->dead_letters, &ignored) != MR_OK) {
        mr_producer_close(&runner->dead_letters);
    }
    return mr_fail(err, MR_UNAVAILABLE, "dead letters: %.300s", why.text);
}

enum mr_status sink_letters_commit(struct mr_sink_runner *runner, struct mr_err *err)
{
    const size_t count = runner->letters.count;
    bool committed = false;

    MR_TRY(sink_letters_open(runner, err));
    if (runner->letters_in_doubt) {
        MR_TRY(settle(runner, &committed, err));
    }
    if (!committed) {
        const enum mr_status status = send_and_commit(runner, err);

        if (status != MR_OK) {
            return failed(runner, status, err);
        }
    }
    runner->live.dead_letters += count;
    mr_counter_add(runner->dead, count);
    sink_letters_drop(runner);
    return MR_OK;
}
