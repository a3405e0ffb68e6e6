/*
 * choose.c -- the one place where the next input is chosen, among what is queued.
 *
 * Among the heads of a task's inputs the smallest log timestamp wins; ties go by the order of the
 * inputs in the topology. An empty input is never waited for. Log time, not event time: a client
 * that stamps an order with next year must not hold up the executions of its partition.
 * Which task is served first goes round with each slice: one with a backlog starves no other.
 */
#include "task.h"

struct queued queued_inputs(const struct mr_worker *worker)
{
    struct queued queued = {0};

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        for (size_t i = 0;
             task != NULL && task->state == TASK_READY && i < worker->group->input_count; i++) {
            queued.count += task->inputs[i].queue.count;
            queued.bytes += task->inputs[i].queue.bytes;
        }
    }
    return queued;
}

static struct input *choose_input(struct task *task)
{
    const struct mr_message *earliest = NULL;
    struct input *best = NULL;

    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        const struct mr_message *head = message_queue_head(&task->inputs[i].queue);

        if (head != NULL && (best == NULL || head->timestamp_ms < earliest->timestamp_ms)) {
            best = &task->inputs[i];
            earliest = head;
        }
    }
    return best;
}

bool choose_next(struct mr_worker *worker, struct taken *next)
{
    for (int32_t i = 0; i < worker->task_capacity; i++) {
        struct task *task = worker->tasks[(worker->first_task + i) % worker->task_capacity];
        struct input *input = task == NULL || task->state != TASK_READY ? NULL : choose_input(task);

        if (input != NULL) {
            *next = (struct taken){
                .task = task, .input = input, .message = message_queue_pop(&input->queue)};
            return true;
        }
    }
    return false;
}
