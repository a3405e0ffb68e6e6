/*
 * replay.c -- see millrace/replay.h.
 *
 * How: a worker without consumer and producer holds the tasks. The transaction with the earliest
 *      commit is next: its steps go through the same functions as a live one's (process.c), its
 *      outputs to the caller instead of a producer, its state to the overlays and the backend as
 *      ever (state.c), without a changelog.
 */
#include "millrace/replay.h"

#include "feed.h"
#include "replay_journal.h"
#include "replay_tables.h"
#include "task.h"

#include <stdlib.h>

/* What stores keep in memory before it goes to the backend: no crash of a replay is recovered from,
 * so nothing is written for that. */
#define BEHIND_BYTES_MAX ((size_t)64 << 20)
/* Transactions in one turn. */
#define SLICE_TRANSACTIONS 64

struct mr_replay {
    struct mr_replay_options options;
    struct mr_metrics *metrics;
    struct mr_worker *worker;
    struct feeds *feeds;
    struct replay_journal *journal;
    struct replay_tables *tables;
    size_t *first_feeds; /* of each input: partition 0's */
    bool *ended;         /* of each task: what follows is not worked */
    struct mr_replay_output *outputs;
    size_t output_capacity;
    struct mr_replay_progress progress;
};

/* ---- opening --------------------------------------------------------------------------------- */

static enum mr_status check_partitions(const struct mr_worker *worker, size_t topic,
                                       struct mr_err *err)
{
    const struct mr_topic *spec = worker_topic(worker, topic);
    int32_t there;

    if (!spec->in_log) {
        return MR_OK;
    }
    MR_TRY(mr_log_topic_partitions(worker->process.log, spec->name, &there, err));
    if (there != spec->partitions) {
        return mr_fail(err, MR_CONFIG, "topic %s has %d partitions, the topology says %d",
                       spec->name, (int)there, (int)spec->partitions);
    }
    return MR_OK;
}

/* Outputs must go to the partitions they went to. */
static enum mr_status check_outputs(const struct mr_worker *worker, struct mr_err *err)
{
    for (size_t i = 0; i < worker->group->stage_count; i++) {
        const struct mr_stage_node *stage = &worker->topology->stages[worker->group->stages[i]];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic != MR_UNBOUND) {
                MR_TRY(check_partitions(worker, stage->out[o].topic, err));
            }
        }
        MR_TRY(check_partitions(worker, stage->dead_letter, err));
    }
    return MR_OK;
}

static enum mr_status open_inputs(struct mr_replay *replay, struct mr_err *err)
{
    const struct mr_worker *worker = replay->worker;
    const struct mr_group_node *group = worker->group;
    struct mr_extent *extents = mr_xcalloc((size_t)group->partitions, sizeof(*extents));
    enum mr_status status = MR_OK;

    replay->first_feeds = mr_xcalloc(group->input_count, sizeof(size_t));
    for (size_t i = 0; i < group->input_count && status == MR_OK; i++) {
        status = check_partitions(worker, group->inputs[i], err);
        if (status == MR_OK) {
            status = feeds_add(replay->feeds, worker_topic(worker, group->inputs[i])->name,
                               group->partitions, extents, &replay->first_feeds[i], err);
        }
    }
    free(extents);
    return status;
}

static enum mr_status open_tasks(struct mr_replay *replay, struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;

    replay->ended = mr_xcalloc((size_t)worker->task_capacity, sizeof(bool));
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        worker->tasks[p] = task_create(worker, p);
        MR_TRY(task_open_spaces(worker->tasks[p], err));
        MR_TRY(task_start(worker->tasks[p], err));
    }
    return MR_OK;
}

static enum mr_status open_all(struct mr_replay *replay, struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;

    if (worker->group->journal == MR_UNBOUND) {
        return mr_fail(err, MR_CONFIG,
                       "group %s keeps no journal: nothing tells the order of "
                       "what it took (defaults: journal, guarantee)",
                       worker->group->name);
    }
    MR_TRY(worker_bind_topics(worker, err));
    MR_TRY(check_outputs(worker, err));
    MR_TRY(replay_journal_open(worker->process.log, replay->feeds,
                               worker_topic(worker, worker->group->journal)->name, &replay->journal,
                               err));
    replay->progress.journal_total = replay_journal_left(replay->journal);
    MR_TRY(replay_tables_open(worker, replay->feeds, &replay->tables, err));
    MR_TRY(open_inputs(replay, err));
    return open_tasks(replay, err);
}

enum mr_status mr_replay_open(const struct mr_process *process, size_t group,
                              const struct mr_replay_options *options, struct mr_replay **out,
                              struct mr_err *err)
{
    struct mr_replay *replay = mr_xcalloc(1, sizeof(*replay));
    struct mr_process own = *process;
    enum mr_status status;

    replay->options = *options;
    replay->metrics = mr_metrics_create();
    own.metrics = replay->metrics;
    own.instance = "replay";
    replay->worker = mr_worker_create(&own, group, 0);
    replay->worker->state = MR_WORKER_RUNNING;
    replay->feeds = feeds_create(process->log);
    status = open_all(replay, err);
    if (status != MR_OK) {
        mr_replay_destroy(&replay);
        return status;
    }
    *out = replay;
    return MR_OK;
}

void mr_replay_destroy(struct mr_replay **out)
{
    struct mr_replay *replay = *out;

    if (replay == NULL) {
        return;
    }
    mr_worker_destroy(&replay->worker);
    replay_tables_destroy(&replay->tables);
    replay_journal_destroy(&replay->journal);
    feeds_destroy(&replay->feeds);
    mr_metrics_destroy(&replay->metrics);
    free(replay->outputs);
    free(replay->ended);
    free(replay->first_feeds);
    free(replay);
    *out = NULL;
}

/* ---- is everything here that a transaction took? --------------------------------------------- */

static enum mr_status find_input(const struct mr_replay *replay,
                                 const struct runtime_journal_source *source, size_t *input,
                                 struct mr_err *err)
{
    const struct mr_worker *worker = replay->worker;

    for (size_t i = 0; i < worker->group->input_count; i++) {
        const char *name = worker_topic(worker, worker->group->inputs[i])->name;

        if (mr_slice_equal(mr_slice_str(name), source->name) &&
            source->partition < worker->group->partitions) {
            *input = i;
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG,
                   "the journal of group %s says that it took records of %.*s[%d], which it does "
                   "not read in this topology: replay it with the topology of that time",
                   worker->group->name, (int)source->name.len, (const char *)source->name.data,
                   (int)source->partition);
}

static size_t input_feed(const struct mr_replay *replay, size_t input, int32_t partition)
{
    return replay->first_feeds[input] + (size_t)partition;
}

/* The records of one source: begins at source->offset. */
static enum mr_status input_ready(struct mr_replay *replay,
                                  const struct runtime_journal_source *source, size_t need,
                                  bool *ready, struct mr_err *err)
{
    const char *group = replay->worker->group->name;
    size_t input;
    size_t feed;
    int64_t at;

    MR_TRY(find_input(replay, source, &input, err));
    feed = input_feed(replay, input, source->partition);
    at = feed_position(replay->feeds, feed);
    if (at > source->offset) {
        return mr_fail(err, MR_OUT_OF_RANGE,
                       "%.*s[%d]: offsets %lld to %lld are no longer retained, and group %s took "
                       "them: its replay needs them",
                       (int)source->name.len, (const char *)source->name.data,
                       (int)source->partition, (long long)source->offset, (long long)at - 1, group);
    }
    if (feed_head(replay->feeds, feed) != NULL && at < source->offset) {
        return mr_fail(err, MR_OUT_OF_RANGE,
                       "group %s went to offset %lld of %.*s[%d] without taking what is before it, "
                       "from %lld on: what it knew there came from elsewhere (a reset, a stage "
                       "that was moved), and no journal has that",
                       group, (long long)source->offset, (int)source->name.len,
                       (const char *)source->name.data, (int)source->partition, (long long)at);
    }
    feed_want(replay->feeds, feed, need);
    *ready = *ready && feed_count(replay->feeds, feed) >= need;
    return MR_OK;
}

static enum mr_status transaction_ready(struct mr_replay *replay,
                                        const struct runtime_journal *record, bool *ready,
                                        struct mr_err *err)
{
    *ready = true;
    for (size_t s = 0; s < record->sources.count; s++) {
        const struct runtime_journal_source *source = &record->sources.items[s];
        int64_t last = 0;
        size_t need = 0;
        bool read = true;

        for (size_t i = 0; i < record->steps.count; i++) {
            if ((size_t)record->steps.items[i].source == s) {
                last = record->steps.items[i].value;
                need += (size_t)last;
            }
        }
        if (source->kind == RUNTIME_JOURNAL_SOURCE_KIND_INPUT) {
            MR_TRY(input_ready(replay, source, need, ready, err));
        } else if (source->kind == RUNTIME_JOURNAL_SOURCE_KIND_TABLE) {
            MR_TRY(replay_tables_ready(replay->tables, source, last, &read, err));
            *ready = *ready && read;
        }
    }
    return MR_OK;
}

/* ---- working a transaction ------------------------------------------------------------------- */

static enum mr_status take(struct mr_replay *replay, struct task *task,
                           const struct runtime_journal_source *source, int64_t count,
                           struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;
    size_t input;

    MR_TRY(find_input(replay, source, &input, err));
    for (int64_t i = 0; i < count; i++) {
        struct taken *taken = transaction_room(worker);

        *taken = (struct taken){
            .task = task,
            .input = &task->inputs[input],
            .message = feed_take(replay->feeds, input_feed(replay, input, source->partition)),
        };
        worker->taken_count++;
        MR_TRY(process_taken(worker, taken, err));
        worker->taken_done++;
    }
    return MR_OK;
}

static enum mr_status fire(struct task *task, const struct runtime_journal_source *source,
                           int64_t now_us, struct mr_err *err)
{
    for (size_t i = 0; i < task->timer_count; i++) {
        struct timer *timer = &task->timers[i];

        if ((int64_t)timer->id == source->offset &&
            mr_slice_equal(mr_slice_str(timer->owner->stage->name), source->name)) {
            return process_fire(task, timer, now_us, err);
        }
    }
    return mr_fail(err, MR_CONFIG,
                   "the journal says that timer %lld of stage %.*s fired; this "
                   "program's stage has none",
                   (long long)source->offset, (int)source->name.len,
                   (const char *)source->name.data);
}

static enum mr_status work_steps(struct mr_replay *replay, struct task *task,
                                 const struct runtime_journal *record, struct mr_err *err)
{
    for (size_t i = 0; i < record->steps.count; i++) {
        const struct runtime_journal_step *step = &record->steps.items[i];
        const struct runtime_journal_source *source = &record->sources.items[step->source];

        switch (source->kind) {
        case RUNTIME_JOURNAL_SOURCE_KIND_INPUT:
            MR_TRY(take(replay, task, source, step->value, err));
            break;
        case RUNTIME_JOURNAL_SOURCE_KIND_TABLE:
            MR_TRY(replay_tables_move(replay->tables, task->partition, source, step->value, err));
            break;
        case RUNTIME_JOURNAL_SOURCE_KIND_TIMER:
            MR_TRY(fire(task, source, step->value, err));
            break;
        }
    }
    return process_flush(replay->worker, err);
}

static void add_output(struct mr_replay *replay, const struct outbox_item *item, size_t *count)
{
    if (*count == replay->output_capacity) {
        replay->output_capacity = replay->output_capacity == 0 ? 256 : replay->output_capacity * 2;
        replay->outputs =
            mr_xrealloc(replay->outputs, replay->output_capacity * sizeof(*replay->outputs));
    }
    replay->outputs[(*count)++] = (struct mr_replay_output){
        .stage = item->stage,
        .topic = item->topic,
        .partition = item->partition,
        .timestamp_ms = item->timestamp_ms,
        .key = item->key,
        .value = item->value,
        .has_value = item->has_value,
        .headers = item->headers,
        .header_count = item->header_count,
    };
}

/* In the order of outbox_send: what is only written with its last value comes at the end. */
static size_t list_outputs(struct mr_replay *replay)
{
    const struct outbox *outbox = &replay->worker->outbox;
    size_t count = 0;

    for (size_t i = 0; i < outbox->kept; i++) {
        if (!outbox->items[i].latest) {
            add_output(replay, &outbox->items[i], &count);
        }
    }
    for (size_t i = 0; i < outbox->kept && outbox->latest_count > 0; i++) {
        if (outbox->items[i].latest && !outbox->items[i].superseded) {
            add_output(replay, &outbox->items[i], &count);
        }
    }
    return count;
}

static enum mr_status work(struct mr_replay *replay, const struct runtime_journal *record,
                           struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;
    struct mr_replay_transaction done = {
        .task = record->partition,
        .sequence = record->sequence,
        .committed_us = record->committed_ts_us,
    };

    replay_tables_look(replay->tables, record->partition, record->committed_ts_us);
    MR_TRY(work_steps(replay, worker->tasks[record->partition], record, err));
    done.inputs = worker->taken_done;
    done.output_count = list_outputs(replay);
    done.outputs = replay->outputs;
    MR_TRY(replay->options.worked(replay->options.arg, &done, err));
    replay->progress.transactions++;
    replay->progress.records += done.inputs;
    transaction_committed(worker);
    return worker->behind_bytes >= BEHIND_BYTES_MAX ? state_write(worker, err) : MR_OK;
}

/* ---- which is next --------------------------------------------------------------------------- */

static enum mr_status check_record(const struct mr_replay *replay,
                                   const struct runtime_journal *record, struct mr_err *err)
{
    const struct mr_worker *worker = replay->worker;

    if (record->partition < 0 || record->partition >= worker->task_capacity) {
        return mr_fail(err, MR_CONFIG, "the journal of group %s has a task %d; it has %d now",
                       worker->group->name, (int)record->partition, (int)worker->task_capacity);
    }
    for (size_t i = 0; i < record->steps.count; i++) {
        if ((size_t)record->steps.items[i].source >= record->sources.count) {
            return mr_fail(err, MR_CORRUPT,
                           "journal of group %s, task %d, transaction %lld: a "
                           "step without a source",
                           worker->group->name, (int)record->partition,
                           (long long)record->sequence);
        }
    }
    return MR_OK;
}

static bool is_cut(const struct mr_replay *replay, const struct runtime_journal *record)
{
    return replay->ended[record->partition] || record->committed_ts_us >= replay->options.until_us;
}

/*
 * The partition whose head was committed first, of those that are some task's next; -1: there is
 * none. *waits: a partition's head is still to come. Heads that are left out are dropped.
 */
static enum mr_status choose(struct mr_replay *replay, int32_t *chosen, bool *waits,
                             const struct runtime_journal **record, struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;
    const struct mr_binding *binding = &worker->bindings[worker->group->journal];
    const struct runtime_journal *head;

    *chosen = -1;
    *waits = false;
    for (int32_t p = 0; p < replay_journal_partitions(replay->journal); p++) {
        MR_TRY(replay_journal_head(replay->journal, p, worker->process.codec, binding, &head, err));
        while (head != NULL && is_cut(replay, head)) {
            MR_TRY(check_record(replay, head, err));
            replay->ended[head->partition] = true;
            replay_journal_drop(replay->journal, p);
            MR_TRY(replay_journal_head(replay->journal, p, worker->process.codec, binding, &head,
                                       err));
        }
        if (head == NULL && !replay_journal_over(replay->journal, p)) {
            *chosen = -1;
            *waits = true;
            return MR_OK;
        }
        if (head == NULL) {
            continue;
        }
        MR_TRY(check_record(replay, head, err));
        if (head->sequence == worker->tasks[head->partition]->journal.sequence + 1 &&
            (*chosen < 0 || head->committed_ts_us < (*record)->committed_ts_us)) {
            *chosen = p;
            *record = head;
        }
    }
    return MR_OK;
}

/* Heads are here of all partitions that are not over, and none is anybody's next. */
static enum mr_status missing_record(struct mr_replay *replay, struct mr_err *err)
{
    struct mr_worker *worker = replay->worker;
    const struct mr_binding *binding = &worker->bindings[worker->group->journal];

    for (int32_t p = 0; p < replay_journal_partitions(replay->journal); p++) {
        const struct runtime_journal *head;

        MR_TRY(replay_journal_head(replay->journal, p, worker->process.codec, binding, &head, err));
        if (head != NULL) {
            return mr_fail(err, MR_OUT_OF_RANGE,
                           "the journal of group %s has transaction %lld of task %d and not those "
                           "from %lld on before it: they are no longer retained",
                           worker->group->name, (long long)head->sequence, (int)head->partition,
                           (long long)worker->tasks[head->partition]->journal.sequence + 1);
        }
    }
    return MR_OK;
}

enum mr_status mr_replay_step(struct mr_replay *replay, int64_t timeout_us, bool *over,
                              struct mr_err *err)
{
    const struct runtime_journal *record = NULL;
    int32_t partition = -1;
    bool waits = false;
    bool ready = false;
    bool busy = false;

    MR_TRY(feeds_poll(replay->feeds, timeout_us, &busy, err));
    for (int i = 0; i < SLICE_TRANSACTIONS; i++) {
        MR_TRY(choose(replay, &partition, &waits, &record, err));
        if (partition < 0) {
            *over = replay_journal_left(replay->journal) == 0;
            return *over || waits ? MR_OK : missing_record(replay, err);
        }
        MR_TRY(transaction_ready(replay, record, &ready, err));
        if (!ready) {
            break;
        }
        MR_TRY(work(replay, record, err));
        replay_journal_drop(replay->journal, partition);
    }
    *over = false;
    return MR_OK;
}

void mr_replay_progress(const struct mr_replay *replay, struct mr_replay_progress *progress)
{
    *progress = replay->progress;
    progress->journal_left = replay_journal_left(replay->journal);
}
