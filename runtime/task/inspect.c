/* inspect.c -- what a worker says about its tasks and their stores (millrace/inspect.h). */
#include "mailbox.h"
#include "task.h"

#include <stdlib.h>

static const char *const state_names[] = {
    [TASK_ASSIGNING] = "assigning",
    [TASK_OPENING] = "opening",
    [TASK_CATCHING_UP] = "catching-up",
    [TASK_READY] = "ready",
};
#define STANDBY_NAME "standby"

/* ---- tasks ----------------------------------------------------------------------------------- */

void inspect_publish(struct mr_worker *worker)
{
    size_t count = 0;

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        if (task != NULL || worker->standbys[p] != NULL) {
            worker->task_status[count++] = (struct mr_task_status){
                .partition = p,
                .state = task != NULL ? state_names[task->state] : STANDBY_NAME,
                .records_in = task != NULL ? task->records_in : 0,
                .restore_left =
                    task != NULL && task->state == TASK_CATCHING_UP ? task->restore_left : 0,
            };
        }
    }
    worker->task_status_count = count;
}

size_t mr_worker_tasks(struct mr_worker *worker, struct mr_task_status *tasks, size_t max)
{
    size_t count;

    pthread_mutex_lock(&worker->status_lock);
    count = worker->task_status_count < max ? worker->task_status_count : max;
    if (count > 0) {
        memcpy(tasks, worker->task_status, count * sizeof(*tasks));
    }
    pthread_mutex_unlock(&worker->status_lock);
    return count;
}

int64_t mr_worker_commit_us(const struct mr_worker *worker, int64_t q_ppm)
{
    return mr_histogram_quantile_us(worker->metrics.commit_us, q_ppm);
}

/* ---- answers --------------------------------------------------------------------------------- */

struct collecting {
    struct mr_answer *answer;
    size_t capacity;
    size_t rows_max; /* SCAN */
    size_t bytes;
    int32_t partition;
};

static struct mr_answer_row *add_row(struct collecting *to, int32_t partition, const char *state)
{
    struct mr_answer *answer = to->answer;

    if (answer->count == to->capacity) {
        to->capacity = to->capacity == 0 ? 16 : to->capacity * 2;
        answer->rows = mr_xrealloc(answer->rows, to->capacity * sizeof(*answer->rows));
    }
    answer->rows[answer->count] = (struct mr_answer_row){
        .partition = partition, .state = state, .changelog_offset = MR_OFFSET_NONE};
    return &answer->rows[answer->count++];
}

/* Of a stage in a task that is ready; NULL: it has no stores open. */
static struct mr_ctx *node_of(struct mr_worker *worker, const struct task *task, size_t stage)
{
    return task == NULL || task->state != TASK_READY ? NULL
                                                     : &task->nodes[worker->node_of_stage[stage]];
}

static enum mr_status answer_get(struct mr_worker *worker, const struct mr_question *question,
                                 int32_t partition, struct collecting *to, struct mr_err *err)
{
    struct task *task = worker->tasks[partition];
    struct mr_ctx *node = node_of(worker, task, question->stage);
    const char *state = task != NULL ? state_names[task->state] : STANDBY_NAME;
    struct mr_answer_row *row = add_row(to, partition, state);
    struct mr_buffer framed = MR_BUFFER_EMPTY;
    enum mr_status status;

    if (node == NULL) {
        return MR_OK;
    }
    status = mr_store_peek(node->stores[question->store], question->key, &framed, &row->found, err);
    row->value = mr_arena_copy(to->answer->arena, mr_buffer_slice(&framed));
    mr_buffer_fini(&framed);
    return status;
}

static bool on_entry(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct collecting *to = arg;
    struct mr_answer_row *row;

    if (to->answer->count == to->rows_max || to->bytes >= MR_ANSWER_BYTES_MAX) {
        to->answer->more = true;
        return false;
    }
    row = add_row(to, to->partition, state_names[TASK_READY]);
    row->found = true;
    row->key = mr_arena_copy(to->answer->arena, key);
    row->value = mr_arena_copy(to->answer->arena, value);
    to->bytes += key.len + value.len;
    return true;
}

static enum mr_status answer_scan(struct mr_worker *worker, const struct mr_question *question,
                                  int32_t partition, struct collecting *to, struct mr_err *err)
{
    struct task *task = worker->tasks[partition];
    struct mr_ctx *node = node_of(worker, task, question->stage);

    if (node == NULL) {
        (void)add_row(to, partition, task != NULL ? state_names[task->state] : STANDBY_NAME);
        return MR_OK;
    }
    to->partition = partition;
    return mr_store_peek_range(node->stores[question->store], question->from, question->to,
                               on_entry, to, err);
}

/* How far the stage's stores follow their changelog, written to the backend or not. */
static enum mr_status changelog_offset(struct mr_worker *worker, const struct mr_ctx *node,
                                       int64_t *offset, struct mr_err *err)
{
    *offset = node->changelog_next;
    return *offset != MR_OFFSET_NONE
               ? MR_OK
               : mr_state_offset(worker->process.backend, node->spaces[0], offset, err);
}

static enum mr_status stats_of(struct mr_worker *worker, const struct task *task, size_t node_index,
                               struct collecting *to, struct mr_err *err)
{
    struct mr_backend *backend = worker->process.backend;
    const struct mr_ctx *node = &task->nodes[node_index];

    for (size_t s = 0; s < node->stage->type->store_count; s++) {
        struct mr_answer_row *row = add_row(to, task->partition, state_names[task->state]);
        struct mr_store_usage usage = {0};

        row->stage = worker->group->stages[node_index];
        row->store = s;
        if (node->spaces[s] == NULL) {
            continue;
        }
        MR_TRY(backend->ops->space_size(backend, node->spaces[s], &row->size, err));
        MR_TRY(changelog_offset(worker, node, &row->changelog_offset, err));
        if (node->stores[s] != NULL) {
            mr_store_usage(node->stores[s], &usage);
        }
        row->reads = usage.reads;
        row->fetches = usage.fetches;
        row->cached_entries = usage.cached_entries;
        row->cached_bytes = usage.cached_bytes;
    }
    return MR_OK;
}

static enum mr_status answer_stats(struct mr_worker *worker, int32_t partition,
                                   struct collecting *to, struct mr_err *err)
{
    const struct task *task = worker->tasks[partition];

    for (size_t i = 0; task != NULL && i < worker->group->stage_count; i++) {
        MR_TRY(stats_of(worker, task, i, to, err));
    }
    return MR_OK;
}

enum mr_status inspect_answer(struct mr_worker *worker, const struct mr_question *question,
                              struct mr_answer *answer, struct mr_err *err)
{
    struct collecting to = {.answer = answer,
                            .rows_max = question->rows_max < MR_ANSWER_ROWS_MAX
                                            ? question->rows_max
                                            : MR_ANSWER_ROWS_MAX};

    if ((question->kind == MR_ASK_GET || question->kind == MR_ASK_SCAN) &&
        &worker->topology->groups[worker->topology->stages[question->stage].group] !=
            worker->group) {
        return mr_fail(err, MR_CONFIG, "stage %s is not in group %s",
                       worker->topology->stages[question->stage].name, worker->group->name);
    }
    if (question->kind == MR_ASK_TAP) {
        return flow_tap(worker, question->topic, question->ring, err);
    }
    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const bool here = worker->tasks[p] != NULL || worker->standbys[p] != NULL;

        if (!here || (question->partition >= 0 && question->partition != p)) {
            continue;
        }
        switch (question->kind) {
        case MR_ASK_GET:
            MR_TRY(answer_get(worker, question, p, &to, err));
            break;
        case MR_ASK_SCAN:
            MR_TRY(answer_scan(worker, question, p, &to, err));
            break;
        case MR_ASK_STATS:
            MR_TRY(answer_stats(worker, p, &to, err));
            break;
        case MR_ASK_TAP:
            break;
        }
    }
    return MR_OK;
}
