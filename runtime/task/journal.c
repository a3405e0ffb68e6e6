/* journal.c -- see journal.h. */
#include "journal.h"

#include "millrace/fault.h"
#include "task.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_BYTES_MAX 300

void journal_fini(struct journal *journal)
{
    free(journal->sources);
    free(journal->steps);
    free(journal->tables);
    free(journal->tables_committed);
    *journal = (struct journal){0};
}

static bool is_kept(const struct task *task)
{
    return task->worker->group->journal != MR_UNBOUND;
}

/* ---- noting ---------------------------------------------------------------------------------- */

static bool same_source(const struct runtime_journal_source *a,
                        const struct runtime_journal_source *b)
{
    return a->kind == b->kind && a->partition == b->partition && a->offset == b->offset &&
           mr_slice_equal(a->name, b->name);
}

static int32_t add_source(struct journal *journal, const struct runtime_journal_source *source)
{
    if (journal->source_count == journal->source_capacity) {
        journal->source_capacity =
            journal->source_capacity == 0 ? 16 : journal->source_capacity * 2;
        journal->sources =
            mr_xrealloc(journal->sources, journal->source_capacity * sizeof(*journal->sources));
    }
    journal->sources[journal->source_count] = *source;
    return (int32_t)journal->source_count++;
}

static int32_t find_source(struct journal *journal, const struct runtime_journal_source *source)
{
    for (size_t i = 0; i < journal->source_count; i++) {
        if (same_source(&journal->sources[i], source)) {
            return (int32_t)i;
        }
    }
    return add_source(journal, source);
}

static void add_step(struct journal *journal, int32_t source, int64_t value)
{
    if (journal->step_count == journal->step_capacity) {
        journal->step_capacity = journal->step_capacity == 0 ? 64 : journal->step_capacity * 2;
        journal->steps =
            mr_xrealloc(journal->steps, journal->step_capacity * sizeof(*journal->steps));
    }
    journal->steps[journal->step_count++] =
        (struct runtime_journal_step){.source = source, .value = value};
}

/* Room for all tables; what is new was never noted. */
static void size_tables(struct task *task, size_t count)
{
    struct journal *journal = &task->journal;

    if (count <= journal->table_capacity) {
        return;
    }
    journal->tables = mr_xrealloc(journal->tables, count * sizeof(int64_t));
    journal->tables_committed = mr_xrealloc(journal->tables_committed, count * sizeof(int64_t));
    for (size_t i = journal->table_capacity; i < count; i++) {
        journal->tables[i] = journal->tables_committed[i] = MR_OFFSET_NONE;
    }
    journal->table_capacity = count;
}

/* Tables change between records, for all tasks of the worker at once. */
static void note_tables(struct task *task)
{
    const struct mr_worker *worker = task->worker;
    struct journal *journal = &task->journal;
    size_t at = 0;

    if (journal->tables_version == worker->tables_version) {
        return;
    }
    journal->tables_version = worker->tables_version;
    for (size_t t = 0; t < worker->group->table_count; t++) {
        const char *topic = worker_topic(worker, worker->group->tables[t])->name;
        const int32_t partitions = global_table_partitions(worker->tables[t]);

        size_tables(task, at + (size_t)partitions);
        for (int32_t p = 0; p < partitions; p++, at++) {
            const int64_t position = mr_reader_position(worker->table_reader, topic, p);

            if (position != journal->tables[at]) {
                const struct runtime_journal_source source = {
                    .kind = RUNTIME_JOURNAL_SOURCE_KIND_TABLE,
                    .name = mr_slice_str(topic),
                    .partition = p,
                };

                journal->tables[at] = position;
                add_step(journal, find_source(journal, &source), position);
            }
        }
    }
}

/* Once for each record: an input finds its source without a search. */
void journal_took(struct task *task, struct input *input, int64_t offset)
{
    struct journal *journal = &task->journal;
    int32_t source;

    if (!is_kept(task)) {
        return;
    }
    note_tables(task);
    if (input->journal_source == 0) {
        const struct runtime_journal_source first = {
            .kind = RUNTIME_JOURNAL_SOURCE_KIND_INPUT,
            .name = mr_slice_str(worker_topic(task->worker, input->topic)->name),
            .partition = task->partition,
            .offset = offset,
        };

        input->journal_source = add_source(journal, &first) + 1;
    }
    source = input->journal_source - 1;
    if (journal->step_count > 0 && journal->steps[journal->step_count - 1].source == source) {
        journal->steps[journal->step_count - 1].value += MR_PLANTED(JOURNAL_RUN_SHORT) ? 0 : 1;
    } else {
        add_step(journal, source, 1);
    }
}

void journal_fired(struct task *task, const struct timer *timer, int64_t now_us)
{
    const struct runtime_journal_source source = {
        .kind = RUNTIME_JOURNAL_SOURCE_KIND_TIMER,
        .name = mr_slice_str(timer->owner->stage->name),
        .partition = task->partition,
        .offset = (int64_t)timer->id,
    };

    if (is_kept(task)) {
        note_tables(task);
        add_step(&task->journal, find_source(&task->journal, &source), now_us);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static int32_t first_task(const struct mr_worker *worker)
{
    int32_t first = 0;

    while (worker->tasks[first] == NULL) {
        first++;
    }
    return first;
}

static enum mr_status send_record(struct mr_worker *worker, const struct task *task,
                                  int32_t partition, struct mr_err *err)
{
    const struct journal *journal = &task->journal;
    const struct mr_binding *binding = &worker->bindings[worker->group->journal];
    const struct runtime_journal record = {
        .group = mr_slice_str(worker->group->name),
        .partition = task->partition,
        .sequence = journal->sequence + 1,
        .writer = mr_slice_str(worker->identity),
        .committed_ts_us = mr_clock_wall_us(worker->process.clock),
        .sources = {.items = journal->sources, .count = journal->source_count},
        .steps = {.items = journal->steps, .count = journal->step_count},
    };
    char key[KEY_BYTES_MAX];
    uint8_t *bytes = outbox_scratch(&worker->outbox, mr_codec_framed_bytes_max(binding, &record));
    const struct mr_outgoing message = {
        .topic = worker->producer_topics[worker->group->journal],
        .partition = partition,
        .timestamp_ms = MR_TIMESTAMP_NOW,
        .key = mr_slice_of(key, (size_t)snprintf(key, sizeof(key), "%.250s:%d", worker->group->name,
                                                 (int)task->partition)),
        .value = mr_slice_of(bytes, mr_codec_encode(binding, &record, bytes)),
        .has_value = true,
    };

    return mr_producer_send(worker->producer, &message, err);
}

enum mr_status journal_send(struct mr_worker *worker, struct mr_err *err)
{
    for (int32_t p = 0; worker->group->journal != MR_UNBOUND && p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        if (task != NULL && task->touched && task->journal.step_count > 0) {
            MR_TRY(send_record(worker, task, first_task(worker), err));
        }
    }
    return MR_OK;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static void forget(struct task *task)
{
    task->journal.source_count = 0;
    task->journal.step_count = 0;
    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        task->inputs[i].journal_source = 0;
    }
}

void journal_committed(struct task *task)
{
    struct journal *journal = &task->journal;

    journal->sequence++;
    if (journal->table_capacity > 0) {
        memcpy(journal->tables_committed, journal->tables,
               journal->table_capacity * sizeof(int64_t));
    }
    forget(task);
}

void journal_dropped(struct task *task)
{
    struct journal *journal = &task->journal;

    if (journal->table_capacity > 0) {
        memcpy(journal->tables, journal->tables_committed,
               journal->table_capacity * sizeof(int64_t));
    }
    journal->tables_version = 0;
    forget(task);
}

void journal_reset(struct task *task)
{
    struct journal *journal = &task->journal;

    for (size_t i = 0; i < journal->table_capacity; i++) {
        journal->tables[i] = journal->tables_committed[i] = MR_OFFSET_NONE;
    }
    journal->tables_version = 0;
    forget(task);
}
