/*
 * outbox.h -- what a transaction will have written, before the producer gets it.
 *
 * Why: outputs of a record that turns out to be poison must be forgotten; outputs must wait until
 *      1-2 ms after the last commit (see transaction.c); and of a LATEST port only the last value
 *      of a key is written.
 * How: items point into one arena that is reset with the transaction. Items of finished records are
 *      kept; those of the current one are kept or dropped as a whole.
 */
#ifndef MILLRACE_TASK_OUTBOX_H
#define MILLRACE_TASK_OUTBOX_H

#include "millrace/arena.h"
#include "millrace/log.h"

struct outbox_item {
    size_t stage; /* of the topology: who wrote it, or could not read it */
    size_t topic; /* of the topology */
    int32_t partition;
    int64_t timestamp_ms;
    struct mr_slice key;
    struct mr_slice value;
    bool has_value;
    bool latest;     /* waits for the end of the transaction */
    bool superseded; /* a later one of the same key took its place */
    const struct mr_header *headers;
    size_t header_count;
};

struct outbox {
    struct mr_arena *arena;
    struct outbox_item *items;
    size_t count, capacity;
    size_t kept; /* items of finished records */
    size_t sent; /* items before this one have been looked at by outbox_send */
    size_t bytes;
    size_t *latest; /* open addressing: index + 1 into items, 0 empty */
    size_t latest_capacity, latest_count;
    uint8_t *scratch;
    size_t scratch_bytes;
};

void outbox_init(struct outbox *outbox);
void outbox_fini(struct outbox *outbox);
/* Room to encode a value into; valid until the next call. */
uint8_t *outbox_scratch(struct outbox *outbox, size_t bytes);
/* Copies key and value; headers too when there are any. */
void outbox_add(struct outbox *outbox, const struct outbox_item *item);
void outbox_keep(struct outbox *outbox);
void outbox_drop(struct outbox *outbox);
/* The transaction is over. */
void outbox_clear(struct outbox *outbox);

/* topics: the producer's number of each topic of the topology, -1: its items are for nobody but
 * whoever looks at the outbox. final: LATEST items too. */
MR_NODISCARD enum mr_status outbox_send(struct outbox *outbox, struct mr_producer *producer,
                                        const int *topics, bool final, struct mr_err *err);

#endif
