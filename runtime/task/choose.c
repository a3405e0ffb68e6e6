/*
 * choose.c -- input buffers, and the one place where the next input is chosen.
 *
 * Among the heads of a task's inputs the smallest log timestamp wins; ties go by the order of the
 * inputs in the topology. An empty input is never waited for. Log time, not event time: a client
 * that stamps an order with next year must not hold up the executions of its partition.
 * Which task is served first goes round with each slice: one with a backlog starves no other.
 */
#include "task.h"

#include <stdlib.h>

void input_push(struct input *input, const struct mr_message *message)
{
    if (input->queue_count == input->queue_capacity) {
        const size_t capacity = input->queue_capacity == 0 ? 256 : input->queue_capacity * 2;
        struct mr_message *queue = mr_xcalloc(capacity, sizeof(*queue));

        for (size_t i = 0; i < input->queue_count; i++) {
            queue[i] = input->queue[(input->queue_first + i) % input->queue_capacity];
        }
        free(input->queue);
        input->queue = queue;
        input->queue_capacity = capacity;
        input->queue_first = 0;
    }
    input->queue[(input->queue_first + input->queue_count) % input->queue_capacity] = *message;
    input->queue_count++;
    input->queue_bytes += message->key.len + message->value.len;
}

static struct mr_message input_pop(struct input *input)
{
    const struct mr_message message = input->queue[input->queue_first];

    input->queue_first = (input->queue_first + 1) % input->queue_capacity;
    input->queue_count--;
    input->queue_bytes -= message.key.len + message.value.len;
    return message;
}

void input_clear(struct input *input)
{
    while (input->queue_count > 0) {
        struct mr_message message = input_pop(input);

        mr_message_release(&message);
    }
}

struct queued queued_inputs(const struct mr_worker *worker)
{
    struct queued queued = {0};

    for (int32_t p = 0; p < worker->task_capacity; p++) {
        const struct task *task = worker->tasks[p];

        for (size_t i = 0;
             task != NULL && task->state == TASK_READY && i < worker->group->input_count; i++) {
            queued.count += task->inputs[i].queue_count;
            queued.bytes += task->inputs[i].queue_bytes;
        }
    }
    return queued;
}

static struct input *choose_input(struct task *task)
{
    struct input *best = NULL;

    for (size_t i = 0; i < task->worker->group->input_count; i++) {
        struct input *input = &task->inputs[i];

        if (input->queue_count > 0 &&
            (best == NULL || input->queue[input->queue_first].timestamp_ms <
                                 best->queue[best->queue_first].timestamp_ms)) {
            best = input;
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
            *next = (struct taken){.task = task, .input = input, .message = input_pop(input)};
            return true;
        }
    }
    return false;
}
