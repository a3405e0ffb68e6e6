/*
 * replay_item.h -- one record that a replay wrote, on its way to be compared with the record.
 *
 * One allocation: the struct, then key, value and headers. Made by a lane's thread, freed by the
 * one that compares.
 */
#ifndef MILLRACE_REPLAY_ITEM_H
#define MILLRACE_REPLAY_ITEM_H

#include "millrace/replay.h"

struct replay_item {
    struct replay_item *next; /* of whatever list it is in */
    size_t bytes;             /* of the allocation */
    size_t source;            /* which task of which group: replay_source_of */
    size_t stage;             /* of the topology */
    size_t topic;             /* likewise */
    int32_t partition;
    int64_t sequence;     /* of the task's transaction */
    int64_t committed_us; /* likewise, then */
    int64_t timestamp_ms; /* MR_TIMESTAMP_NOW: not to be compared */
    uint64_t hash;        /* replay_hash of key and value */
    struct mr_slice key;
    struct mr_slice value;
    struct mr_slice headers; /* "name\0length value" one after another */
    bool has_value;
};

struct replay_item *replay_item_create(const struct mr_replay_transaction *transaction,
                                       const struct mr_replay_output *output, size_t source);
void replay_item_destroy(struct replay_item **item);
/* Equal records have equal ones: most others are told apart without looking at them. */
uint64_t replay_hash(struct mr_slice key, struct mr_slice value);
/* Whether the record on the log is this one, byte for byte. */
bool replay_item_equals(const struct replay_item *item, const struct mr_message *message);

/* First in, first out. */
struct replay_list { /* zeroed: empty */
    struct replay_item *first;
    struct replay_item **end; /* NULL: &first */
    size_t count;
    size_t bytes;
};
void replay_list_push(struct replay_list *list, struct replay_item *item);
struct replay_item *replay_list_pop(struct replay_list *list); /* NULL when it is empty */
void replay_list_fini(struct replay_list *list);

#endif
