/* top_rows.c -- see top_rows.h. */
#include "top_rows.h"

#include "millrace/arena.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(to, from) ((void)snprintf((to), sizeof(to), "%.*s", (int)sizeof(to) - 1, (from)))

static struct top_row *add_row(struct top_table *table)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 32 : table->capacity * 2;
        table->rows = mr_xrealloc(table->rows, table->capacity * sizeof(*table->rows));
    }
    table->rows[table->count] = (struct top_row){.partition = -1,
                                                 .lag = TOP_UNKNOWN,
                                                 .in_milli = TOP_UNKNOWN,
                                                 .out_milli = TOP_UNKNOWN,
                                                 .commits_milli = TOP_UNKNOWN,
                                                 .p50_us = TOP_UNKNOWN,
                                                 .p99_us = TOP_UNKNOWN,
                                                 .aborts = TOP_UNKNOWN,
                                                 .dead_letters = TOP_UNKNOWN,
                                                 .restore_left = TOP_UNKNOWN,
                                                 .restore_seconds = TOP_UNKNOWN};
    return &table->rows[table->count++];
}

/* Adds what is known; a sum of nothing known stays unknown. */
static void add_to(int64_t *sum, int64_t value)
{
    if (value >= 0) {
        *sum = (*sum < 0 ? 0 : *sum) + value;
    }
}

/* ---- units and tasks ------------------------------------------------------------------------- */

struct pair {
    const struct see_document *document;
    const json_t *before; /* the document then; NULL: there is none */
};

static int64_t rate(const struct pair *pair, const json_t *was, const json_t *is,
                    const char *counter)
{
    return was == NULL ? TOP_UNKNOWN
                       : see_rate_milli(pair->before, pair->document->root,
                                        see_number(was, counter), see_number(is, counter));
}

static const json_t *task_of(const json_t *unit, int64_t partition)
{
    const json_t *tasks = json_object_get(unit, "tasks");

    for (size_t i = 0; i < json_array_size(tasks); i++) {
        if (see_number(json_array_get(tasks, i), "partition") == partition) {
            return json_array_get(tasks, i);
        }
    }
    return NULL;
}

static void add_task(struct top_table *table, const struct pair *pair, const struct top_row *unit,
                     const json_t *was_unit, const json_t *task)
{
    struct top_row *row = add_row(table);
    const int64_t partition = see_number(task, "partition");

    TEXT(row->unit, unit->unit);
    TEXT(row->group, unit->group);
    TEXT(row->instance, unit->instance);
    TEXT(row->address, unit->address);
    TEXT(row->state, see_text(task, "state"));
    row->is_worker = true;
    row->partition = partition;
    row->ready = strcmp(row->state, "ready") == 0;
    row->lag = strcmp(row->state, "standby") == 0 ? TOP_UNKNOWN : see_number(task, "lag");
    row->in_milli = rate(pair, task_of(was_unit, partition), task, "recordsIn");
    row->restore_left = see_number(task, "restoreLeft");
}

static void fill_unit(struct top_row *row, const struct pair *pair, const json_t *was,
                      const json_t *unit)
{
    TEXT(row->unit, see_text(unit, "name"));
    TEXT(row->group, see_text(unit, "group"));
    TEXT(row->instance, see_text(pair->document->root, "instance"));
    TEXT(row->address, pair->document->address);
    TEXT(row->state, see_text(unit, "state"));
    TEXT(row->waits_for, see_text(unit, "waitsFor"));
    row->is_worker = strcmp(see_text(unit, "kind"), "worker") == 0;
    row->ready = strcmp(row->state, "running") == 0 &&
                 see_number(unit, "tasksAssigned") == see_number(unit, "tasksReady");
    row->lag = see_number(unit, "lag");
    row->in_milli = rate(pair, was, unit, "recordsIn");
    row->out_milli = row->is_worker ? rate(pair, was, unit, "recordsOut") : TOP_UNKNOWN;
    row->commits_milli = rate(pair, was, unit, "commits");
    row->p50_us = see_number(unit, "commitP50Us");
    row->p99_us = see_number(unit, "commitP99Us");
    row->aborts = see_number(unit, "aborts");
    row->dead_letters = see_number(unit, "deadLetters");
    row->restore_left = see_number(unit, "restoreLeft");
    row->restore_seconds =
        row->restore_left > 0 ? see_number(unit, "restoreSecondsLeft") : TOP_UNKNOWN;
}

static void count_unit(struct top_totals *totals, const struct top_row *row, const json_t *unit)
{
    add_to(&totals->tasks, see_number(unit, "tasksAssigned"));
    add_to(&totals->tasks_ready, see_number(unit, "tasksReady"));
    if (row->is_worker) {
        add_to(&totals->in_milli, row->in_milli);
        add_to(&totals->out_milli, row->out_milli);
        add_to(&totals->commits_milli, row->commits_milli);
    }
    add_to(&totals->aborts, row->aborts);
    add_to(&totals->dead_letters, row->dead_letters);
    add_to(&totals->restore_left, row->restore_left);
    totals->p99_us = row->p99_us > totals->p99_us ? row->p99_us : totals->p99_us;
}

static void add_unit(struct top_table *table, const struct pair *pair, const json_t *unit)
{
    const json_t *was =
        see_find(json_object_get(pair->before, "units"), "name", see_text(unit, "name"));
    const json_t *tasks = json_object_get(unit, "tasks");
    const size_t at = table->count;
    struct top_row head;

    fill_unit(add_row(table), pair, was, unit);
    count_unit(&table->totals, &table->rows[at], unit);
    head = table->rows[at];
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        add_task(table, pair, &head, was, json_array_get(tasks, i));
        add_to(&table->rows[at].lag, table->rows[table->count - 1].lag);
    }
}

/* Each consumer and topic once, though every process of a group tells of it. */
static int64_t total_lag(const struct see_status *now)
{
    int64_t sum = TOP_UNKNOWN;

    for (size_t i = 0; i < now->count; i++) {
        const json_t *lags = json_object_get(now->documents[i].root, "lags");

        for (size_t l = 0; l < json_array_size(lags); l++) {
            const char *topic = see_text(json_array_get(lags, l), "topic");
            const char *consumer = see_text(json_array_get(lags, l), "consumer");

            if (see_lag(now->documents, i, topic, consumer) < 0) {
                add_to(&sum, see_lag(now->documents, now->count, topic, consumer));
            }
        }
    }
    return sum;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int64_t weight(const struct top_row *row, enum top_sort sort)
{
    switch (sort) {
    case TOP_BY_LAG:
        return row->lag;
    case TOP_BY_IN:
        return row->in_milli;
    case TOP_BY_P99:
        return row->p99_us;
    case TOP_BY_RESTORE:
        return row->restore_left;
    case TOP_BY_NAME:
        break;
    }
    return 0;
}

/* A unit with its tasks, which stay together. */
struct block {
    const struct top_row *rows;
    size_t count;
    enum top_sort sort;
};

static int compare_rows(const struct top_row *a, const struct top_row *b, enum top_sort sort)
{
    const int64_t left = weight(a, sort);
    const int64_t right = weight(b, sort);
    int order = strcmp(a->unit, b->unit);

    if (left != right) {
        return left < right ? 1 : -1;
    }
    order = order != 0 ? order : strcmp(a->instance, b->instance);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static int compare_blocks(const void *a, const void *b)
{
    const struct block *left = a;
    const struct block *right = b;

    return compare_rows(&left->rows[0], &right->rows[0], left->sort);
}

static void sort_tasks(struct top_row *tasks, size_t count, enum top_sort sort)
{
    for (size_t i = 1; i < count; i++) {
        const struct top_row row = tasks[i];
        size_t at = i;

        while (at > 0 && compare_rows(&tasks[at - 1], &row, sort) > 0) {
            tasks[at] = tasks[at - 1];
            at--;
        }
        tasks[at] = row;
    }
}

static void sort_table(struct top_table *table, enum top_sort sort)
{
    struct block *blocks = mr_xcalloc(table->count + 1, sizeof(*blocks));
    struct top_row *sorted = mr_xcalloc(table->count + 1, sizeof(*sorted));
    size_t block_count = 0;
    size_t used = 0;

    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].partition < 0) {
            blocks[block_count++] = (struct block){.rows = &table->rows[i], .sort = sort};
        }
        blocks[block_count - 1].count++;
    }
    qsort(blocks, block_count, sizeof(*blocks), compare_blocks);
    for (size_t b = 0; b < block_count; b++) {
        memcpy(sorted + used, blocks[b].rows, blocks[b].count * sizeof(*sorted));
        sort_tasks(sorted + used + 1, blocks[b].count - 1, sort);
        used += blocks[b].count;
    }
    free(blocks);
    free(table->rows);
    table->rows = sorted;
}

void top_rows_make(const struct see_status *before, const struct see_status *now,
                   enum top_sort sort, struct top_table *table)
{
    *table = (struct top_table){.totals = {.lag = TOP_UNKNOWN,
                                           .in_milli = TOP_UNKNOWN,
                                           .out_milli = TOP_UNKNOWN,
                                           .commits_milli = TOP_UNKNOWN,
                                           .p99_us = TOP_UNKNOWN,
                                           .asked = (int64_t)now->count}};
    for (size_t i = 0; i < now->count; i++) {
        const struct pair pair = {.document = &now->documents[i],
                                  .before = see_status_before(before, &now->documents[i])};
        const json_t *units = json_object_get(now->documents[i].root, "units");

        table->totals.answered += now->documents[i].root != NULL;
        for (size_t u = 0; u < json_array_size(units); u++) {
            add_unit(table, &pair, json_array_get(units, u));
        }
    }
    table->totals.lag = total_lag(now);
    sort_table(table, sort);
}

void top_rows_fini(struct top_table *table)
{
    free(table->rows);
    *table = (struct top_table){0};
}
