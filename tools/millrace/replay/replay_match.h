/*
 * replay_match.h -- what a replay wrote to one partition against what is on record there.
 *
 * Why: several tasks write to one partition, and their transactions came in an order of their own,
 *      which is nobody's output. What each task wrote must be on record, byte for byte, in its
 *      order, and nothing else.
 * How: a queue for each task that may write here. The next record of the log must be the head of
 *      one of them. When it is not, the nearest reading is taken and the rest compared on.
 *      A compacted topic keeps the last value of a key, and a topic's beginning may be over its
 *      retention: there, what is not on record is passed over when something behind it is found,
 *      and of a compacted topic each key that was passed over must come again.
 * Not: telling tasks apart that wrote the same bytes; a record names what it came from.
 */
#ifndef MILLRACE_REPLAY_MATCH_H
#define MILLRACE_REPLAY_MATCH_H

#include "replay_item.h"

enum replay_difference_kind {
    REPLAY_DIFFERS,       /* both have a record of the key here, with other bytes */
    REPLAY_ONLY_RECORDED, /* the replay did not write it */
    REPLAY_ONLY_REPLAYED, /* it is not on record */
};

struct replay_difference {
    enum replay_difference_kind kind;
    const struct mr_message *recorded;  /* NULL: ONLY_REPLAYED */
    const struct replay_item *replayed; /* NULL: ONLY_RECORDED */
};

struct replay_match_options {
    bool compacted; /* the topic keeps last values */
    bool cut;       /* the log does not have the partition's beginning any more */
    void (*differs)(void *arg, const struct replay_difference *difference);
    /* It has been judged and is about to be freed. NULL: nobody wants to know. */
    void (*released)(void *arg, const struct replay_item *item);
    void *arg;
};

struct replay_match_counts {
    uint64_t equal;
    uint64_t gone; /* written, and no longer on record: compacted, or over the retention */
};

struct replay_match;

/* sources: tasks that may write here, numbered from 0. */
struct replay_match *replay_match_create(const struct replay_match_options *options,
                                         size_t sources);
/* The list of what is left is freed; replay_match_finish judges it. */
void replay_match_destroy(struct replay_match **match);
/* The replay wrote it; takes the item over. */
void replay_match_wrote(struct replay_match *match, size_t source, struct replay_item *item);
/* The source writes no more. */
void replay_match_ended(struct replay_match *match, size_t source);
enum replay_offer {
    REPLAY_OFFER,        /* it must be of a transaction that is replayed */
    REPLAY_OFFER_LATER,  /* it may be of a later one: then it is passed over */
    REPLAY_OFFER_FORCED, /* as the first; nothing more can be waited for, the answer is true */
};
/* The next record on the log. False: it cannot be said yet, a source may still write it; offer it
 * again. */
bool replay_match_offer(struct replay_match *match, const struct mr_message *recorded,
                        enum replay_offer how);
/* The log has no more records: what is left was only replayed. */
void replay_match_finish(struct replay_match *match);
void replay_match_counts(const struct replay_match *match, struct replay_match_counts *counts);
/* Bytes of items that wait. */
size_t replay_match_bytes(const struct replay_match *match);

#endif
