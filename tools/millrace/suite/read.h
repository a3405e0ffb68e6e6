/* read.h -- what the readers of a suite share: read.c (the file), read_case.c (cases and steps),
 * read_record.c (records). */
#ifndef MILLRACE_SUITE_READ_H
#define MILLRACE_SUITE_READ_H

#include "problems.h"
#include "suite.h"

struct suite_reader {
    struct mr_arena *arena; /* everything of the suite */
    struct problem_list problems;
    const char *file; /* that is being read */
    const struct mr_topology *topology;
    const struct suite_defaults *defaults; /* [topic] */
};

void suite_wrong(struct suite_reader *reader, struct mr_position at, const char *format, ...)
    MR_PRINTF(3, 4);
struct suite_place suite_at(const struct suite_reader *reader, struct mr_position at);
/* count zeroed elements in the arena. */
void *suite_alloc(struct suite_reader *reader, size_t count, size_t bytes);

/* False, with a problem, unless the node is of that kind. what: "cases". */
bool suite_is(struct suite_reader *reader, const struct node *node, enum node_kind kind,
              const char *what);
/* A problem for each key of the map that is none of names (NULL-terminated). */
void suite_check_keys(struct suite_reader *reader, const struct node *map,
                      const char *const *names);
/* Things that have names. */
struct suite_names {
    const char *missing; /* "the topology has no topic" */
    const void *of;
    size_t count;
    const char *(*get)(const void *of, size_t index);
};

/* The index of a name; SIZE_MAX, with a problem that suggests another, when there is none. */
size_t suite_find(struct suite_reader *reader, const struct suite_names *names, const char *name,
                  struct mr_position at);
size_t suite_find_topic(struct suite_reader *reader, const char *name, struct mr_position at);
/* The value of a key as one text; NULL when it is absent, or with a problem none. */
const struct node *suite_scalar(struct suite_reader *reader, const struct node *map,
                                const char *name);

/* read_record.c: what the records are for, which decides what they must say. */
enum suite_use { SUITE_TO_SEND, SUITE_TO_STORE, SUITE_TO_EXPECT, SUITE_TO_FIND, SUITE_USES };
/* A problem for the first field that the topic's schema does not have or take. */
void suite_check_fields(struct suite_reader *reader, size_t topic, const struct node *map);
/* {TOPIC: [record, ..]}; *count batches. */
const struct suite_batch *suite_read_topics(struct suite_reader *reader, const struct node *map,
                                            enum suite_use use, size_t *count);
/* {STAGE: {STORE: [record, ..]}} */
const struct suite_batch *suite_read_stores(struct suite_reader *reader, const struct node *map,
                                            enum suite_use use, size_t *count);

/* read_case.c */
/* The steps that every case of a file begins with: a list of steps. NULL: none. */
const struct suite_step *suite_read_steps(struct suite_reader *reader, const struct node *list,
                                          size_t *count);
void suite_read_case(struct suite_reader *reader, const struct node *map, struct suite_case *out);

#endif
