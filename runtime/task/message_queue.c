/* message_queue.c -- see message_queue.h. */
#include "message_queue.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define FIRST_CAPACITY ((size_t)256)

static void grow(struct message_queue *queue)
{
    const size_t capacity = queue->capacity == 0 ? FIRST_CAPACITY : queue->capacity * 2;
    struct mr_message *items = mr_xcalloc(capacity, sizeof(*items));

    for (size_t i = 0; i < queue->count; i++) {
        items[i] = queue->items[(queue->first + i) % queue->capacity];
    }
    free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->first = 0;
}

void message_queue_push(struct message_queue *queue, const struct mr_message *message)
{
    if (queue->count == queue->capacity) {
        grow(queue);
    }
    queue->items[(queue->first + queue->count) % queue->capacity] = *message;
    queue->count++;
    queue->bytes += message->key.len + message->value.len;
}

const struct mr_message *message_queue_head(const struct message_queue *queue)
{
    return queue->count == 0 ? NULL : &queue->items[queue->first];
}

struct mr_message message_queue_pop(struct message_queue *queue)
{
    const struct mr_message message = queue->items[queue->first];

    MR_ASSERT(queue->count > 0);
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    queue->bytes -= message.key.len + message.value.len;
    return message;
}

void message_queue_fini(struct message_queue *queue)
{
    while (queue->count > 0) {
        struct mr_message message = message_queue_pop(queue);

        mr_message_release(&message);
    }
    free(queue->items);
    *queue = (struct message_queue){0};
}
