/*
 * replay_tables.c -- see replay_tables.h.
 *
 * What lies behind: transactions are worked in the order of their commits, and workers follow a
 * table within moments of each other. So what nobody saw any more a minute ago, nobody will see: a
 * journal that says otherwise is refused.
 */
#include "replay_tables.h"

#include <stdlib.h>

#define HISTORY_US (60 * MR_SECOND_US)

struct one {
    size_t first_feed;   /* of its partitions */
    size_t first_moment; /* of its partitions, in each task's moments */
    int32_t partitions;
};

struct replay_tables {
    struct mr_worker *worker;
    struct feeds *feeds;
    struct one *items;
    size_t count;
    size_t moment_count; /* partitions of all tables */
    int64_t *moments;    /* [task][moment_count] */
    int64_t *noted;      /* where a task stood at noted_us, by the time of commits */
    int64_t *forgotten;  /* nobody may look before it */
    int64_t noted_us;
};

static int64_t *moments_of(struct replay_tables *tables, int32_t task)
{
    return tables->moments + (size_t)task * tables->moment_count;
}

static enum mr_status add_table(struct replay_tables *tables, size_t index, struct mr_err *err)
{
    struct mr_worker *worker = tables->worker;
    const size_t topic = worker->group->tables[index];
    const char *name = worker_topic(worker, topic)->name;
    struct one *one = &tables->items[index];
    struct mr_extent *extents;
    enum mr_status status;

    worker->tables[index] =
        global_table_create(name, worker->process.codec, worker->bindings[topic]);
    global_table_keep_history(worker->tables[index]);
    MR_TRY(mr_log_topic_partitions(worker->process.log, name, &one->partitions, err));
    one->first_moment = tables->moment_count;
    tables->moment_count += (size_t)one->partitions;
    extents = mr_xcalloc((size_t)one->partitions, sizeof(*extents));
    status = feeds_add(tables->feeds, name, one->partitions, extents, &one->first_feed, err);
    free(extents);
    return status;
}

enum mr_status replay_tables_open(struct mr_worker *worker, struct feeds *feeds,
                                  struct replay_tables **out, struct mr_err *err)
{
    struct replay_tables *tables = mr_xcalloc(1, sizeof(*tables));
    const size_t tasks = (size_t)worker->task_capacity;

    tables->worker = worker;
    tables->feeds = feeds;
    tables->count = worker->group->table_count;
    tables->items = mr_xcalloc(tables->count, sizeof(*tables->items));
    for (size_t i = 0; i < tables->count; i++) {
        const enum mr_status status = add_table(tables, i, err);

        if (status != MR_OK) {
            replay_tables_destroy(&tables);
            return status;
        }
    }
    tables->moments = mr_xcalloc(tasks * tables->moment_count, sizeof(int64_t));
    tables->noted = mr_xcalloc(tables->moment_count, sizeof(int64_t));
    tables->forgotten = mr_xcalloc(tables->moment_count, sizeof(int64_t));
    *out = tables;
    return MR_OK;
}

void replay_tables_destroy(struct replay_tables **out)
{
    struct replay_tables *tables = *out;

    if (tables == NULL) {
        return;
    }
    free(tables->items);
    free(tables->moments);
    free(tables->noted);
    free(tables->forgotten);
    free(tables);
    *out = NULL;
}

/* *at: of worker->tables. */
static enum mr_status find(const struct replay_tables *tables,
                           const struct runtime_journal_source *source, size_t *at,
                           struct mr_err *err)
{
    const struct mr_worker *worker = tables->worker;

    for (size_t i = 0; i < tables->count; i++) {
        const char *name = worker_topic(worker, worker->group->tables[i])->name;

        if (mr_slice_equal(mr_slice_str(name), source->name) &&
            source->partition < tables->items[i].partitions) {
            *at = i;
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG,
                   "the journal of group %s speaks of a table %.*s[%d], which the "
                   "group does not read",
                   worker->group->name, (int)source->name.len, (const char *)source->name.data,
                   (int)source->partition);
}

enum mr_status replay_tables_ready(struct replay_tables *tables,
                                   const struct runtime_journal_source *source, int64_t value,
                                   bool *ready, struct mr_err *err)
{
    size_t at;
    size_t feed;

    MR_TRY(find(tables, source, &at, err));
    feed = tables->items[at].first_feed + (size_t)source->partition;
    while (feed_head(tables->feeds, feed) != NULL &&
           feed_head(tables->feeds, feed)->offset < value) {
        global_table_apply(tables->worker->tables[at], feed_head(tables->feeds, feed));
        feed_drop(tables->feeds, feed);
    }
    *ready = feed_position(tables->feeds, feed) >= value;
    return MR_OK;
}

enum mr_status replay_tables_move(struct replay_tables *tables, int32_t task,
                                  const struct runtime_journal_source *source, int64_t value,
                                  struct mr_err *err)
{
    size_t at;
    size_t moment;

    MR_TRY(find(tables, source, &at, err));
    moment = tables->items[at].first_moment + (size_t)source->partition;
    if (value < tables->forgotten[moment]) {
        return mr_fail(err, MR_CORRUPT,
                       "the journal of group %s lets task %d see table %.*s[%d] at offset %lld, "
                       "more than a minute before other tasks",
                       tables->worker->group->name, (int)task, (int)source->name.len,
                       (const char *)source->name.data, (int)source->partition, (long long)value);
    }
    moments_of(tables, task)[moment] = value;
    return MR_OK;
}

static void forget(struct replay_tables *tables)
{
    memcpy(tables->forgotten, tables->noted, tables->moment_count * sizeof(int64_t));
    for (size_t i = 0; i < tables->count; i++) {
        global_table_forget(tables->worker->tables[i],
                            tables->forgotten + tables->items[i].first_moment);
    }
}

void replay_tables_look(struct replay_tables *tables, int32_t task, int64_t committed_us)
{
    const int64_t *moments = moments_of(tables, task);

    for (size_t i = 0; i < tables->count; i++) {
        global_table_look_at(tables->worker->tables[i], moments + tables->items[i].first_moment);
    }
    if (committed_us - tables->noted_us > HISTORY_US) {
        forget(tables);
        memcpy(tables->noted, moments, tables->moment_count * sizeof(int64_t));
        tables->noted_us = committed_us;
    }
}
