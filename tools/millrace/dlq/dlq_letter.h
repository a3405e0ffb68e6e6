/*
 * dlq_letter.h -- a record of a dead-letter topic: what it was, where, and what was wrong with it.
 *
 * How: runtime/task/dead_letter.c puts its headers behind the record's own, so that the last
 *   millrace.source.topic is where they begin; a record that died twice has the first death's
 * headers as its own.
 */
#ifndef MILLRACE_DLQ_LETTER_H
#define MILLRACE_DLQ_LETTER_H

#include "load_feed.h"

#define DLQ_TEXT_BYTES ((size_t)256) /* of a topic or stage name in a header */
/* Puts the letter's coordinates on what is sent back: "<topic>/<partition>/<offset>". */
#define DLQ_REPLAY_HEADER "millrace.replay.of"

struct dlq_letter {
    const struct mr_message *message;         /* key, value, timestamp, coordinates in the topic */
    struct mr_header headers[MR_HEADERS_MAX]; /* the record's own come first */
    size_t own_count;
    bool is_letter; /* false: it does not have the headers of one */
    char source_topic[DLQ_TEXT_BYTES];
    int32_t source_partition;
    int64_t source_offset;
    char stage[DLQ_TEXT_BYTES];
    char code[64];
    char class_name[32];
    char text[400];
    int64_t left_out; /* bytes of the value, which was too long to keep; 0: it is here */
};

/* letter borrows from message. */
void dlq_letter_read(const struct mr_message *message, struct dlq_letter *letter);

#define DLQ_TIME_BYTES ((size_t)96)
/* RFC 3339 in UTC; "?" for what has no such text. Returns text, or that. */
const char *dlq_time_text(int64_t ms, char text[DLQ_TIME_BYTES]);

/* Which letters are meant. */
struct dlq_filter {
    bool one; /* only partition:offset */
    int32_t partition;
    int64_t offset;
    const char *stage; /* "": any */
    const char *code;  /* "": any */
};

/* "P:O", or "" for any; MR_CONFIG when it is neither. */
MR_NODISCARD enum mr_status dlq_filter_place(const char *text, struct dlq_filter *filter,
                                             struct mr_err *err);
bool dlq_filter_takes(const struct dlq_filter *filter, const struct dlq_letter *letter);

/* The dead-letter topic of that name, or of the stage or connector of that name. MR_CONFIG naming
 * those there are. */
MR_NODISCARD enum mr_status dlq_find(const struct mr_topology *topology, const char *name,
                                     const struct mr_topic **topic, struct mr_err *err);

typedef enum mr_status dlq_visit(void *arg, const struct dlq_letter *letter, struct mr_err *err);

/* Every letter of a topic, in order in each partition. A visitor's failure is returned. */
MR_NODISCARD enum mr_status dlq_each(const struct load_env *env, const char *topic,
                                     dlq_visit *visit, void *arg, struct mr_err *err);

#endif
