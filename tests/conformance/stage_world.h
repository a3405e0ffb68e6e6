/*
 * stage_world.h -- one stage alone in a generated topology, the same input each time, and what came
 * out of it.
 *
 * How: every port gets a topic of its own (in.<port>, out.<port>), keyed as in topology.yaml where
 *      a stage of that type stands there. Tables are filled before the stage starts. A port's keys
 *      are its records', a few of them wrong; between the records come garbage and tombstones.
 */
#ifndef MILLRACE_TESTS_STAGE_WORLD_H
#define MILLRACE_TESTS_STAGE_WORLD_H

#include "world.h"

#define STAGE_NAME "subject"
#define STAGE_RECORDS 160

struct stage_setup {
    const struct mr_stage *type;
    int partitions;
    int commit_records;
    const char *option; /* "name: value", or NULL: all are left to their fallbacks */
};

/* The topology's text; the caller frees it. */
char *stage_world_text(const struct stage_setup *setup);
/* Not started. */
struct mr_world *stage_world_create(const struct stage_setup *setup);
const char *stage_topic_in(const struct mr_port *port, char name[96]);
const char *stage_topic_out(const struct mr_port *port, char name[96]);
bool stage_port_is_table(const struct mr_port *port);

/* What every run gets: tables, tame records, then random ones with garbage between them. */
void stage_world_feed(struct mr_world *world, const struct stage_setup *setup, uint64_t seed);
/* Well-formed records of every port, tables too, with fields that nobody would send. */
void stage_world_feed_wild(struct mr_world *world, const struct stage_setup *setup, uint64_t seed,
                           int records);
/* Only the tables and one tame record for each stream port; returns how many of these. */
size_t stage_world_feed_tame(struct mr_world *world, const struct stage_setup *setup);
/* A tame record of a port, framed; the caller frees it with mr_buffer_fini. */
void stage_world_sample(struct mr_world *world, const struct mr_port *port,
                        struct mr_buffer *framed);

/* ---- what came out --------------------------------------------------------------------------- */

enum stage_order {
    STAGE_EXACT,     /* byte for byte, in order */
    STAGE_CONFLATED, /* of LATEST ports the last value; ports of `loose` are not looked at */
    STAGE_UNORDERED, /* like CONFLATED, but only each key's set of records */
};

#define STAGE_PORTS_MAX 16
struct stage_outcome {
    struct mr_world_records outputs[STAGE_PORTS_MAX];
    struct mr_world_records dead_letters;
    struct mr_world_records stores[STAGE_PORTS_MAX]; /* all partitions */
    bool loose[STAGE_PORTS_MAX]; /* out ports that depend on where transactions end */
};

/* Reads everything, and checks the stores against their changelogs. */
void stage_outcome_read(struct mr_world *world, const struct mr_stage *type,
                        struct stage_outcome *outcome);
void stage_outcome_fini(struct stage_outcome *outcome);
/* Marks in `one` what differs in order or number between runs with other transaction sizes. */
void stage_outcome_find_loose(struct stage_outcome *one, const struct stage_outcome *other,
                              const struct mr_stage *type);
/* `what` is said on failure. */
void stage_outcome_compare(const struct stage_outcome *want, const struct stage_outcome *got,
                           const struct mr_stage *type, enum stage_order order, const char *what);

#endif
