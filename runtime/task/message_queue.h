/* message_queue.h -- delivered messages in the order they came, until somebody takes them: a ring.
 */
#ifndef MILLRACE_TASK_MESSAGE_QUEUE_H
#define MILLRACE_TASK_MESSAGE_QUEUE_H

#include "millrace/log.h"

struct message_queue { /* zeroed: empty */
    struct mr_message *items;
    size_t capacity, first;
    size_t count;
    size_t bytes; /* of keys and values */
};

void message_queue_push(struct message_queue *queue, const struct mr_message *message);
/* NULL when there is none. */
const struct mr_message *message_queue_head(const struct message_queue *queue);
/* The caller's to release. There must be one. */
struct mr_message message_queue_pop(struct message_queue *queue);
/* Releases what is left, and the memory. */
void message_queue_fini(struct message_queue *queue);

#endif
