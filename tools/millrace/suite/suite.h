/*
 * suite.h -- topology tests as data: a file of named cases, checked whole before any is played.
 *
 * Why: what a topology does is a table of examples. As data they are written by whoever knows the
 *      business, read as documentation, and played by `millrace topology test` and by the tests of
 *      this repository alike. docs/TOPOLOGY_TESTS.md is the reference of the form.
 * How: the file is a tree that remembers positions (topology/tree.h). Reading binds every name to
 *      the topology and tries every value against its schema, so a play meets no mistake of the
 *      file; values stay nodes of the tree, because some ("{now}") differ from play to play.
 */
#ifndef MILLRACE_SUITE_H
#define MILLRACE_SUITE_H

#include "millrace/registry.h"
#include "millrace/topology.h"
#include "tree.h"

struct suite_place {
    const char *file;
    struct mr_position at;
};

/* Keys of a record that are no fields of it. */
#define SUITE_KEY "$key"
#define SUITE_RAW "$raw"
#define SUITE_TOMBSTONE "$tombstone"
#define SUITE_ABSENT "$absent"

/* A record that is sent, put into a store, or expected. */
struct suite_record {
    struct suite_place place;
    const struct node *fields; /* the map; keys that begin with $ are no fields */
    bool has_key;
    struct mr_slice key;
    bool has_raw;
    struct mr_slice raw; /* instead of a value */
    bool no_value;       /* a tombstone; of a store: not there */
};

/* Records of one topic, or of one store. */
struct suite_batch {
    struct suite_place place;
    size_t topic;
    size_t stage;
    size_t store;
    const struct suite_record *records;
    size_t count;
    int64_t entries; /* of a store: how many there must be; -1: not said */
};

enum suite_step_kind {
    SUITE_GIVEN, /* sent, and what comes of it is not looked at */
    SUITE_SEND,
    SUITE_PASS,
    SUITE_CRASH,
    SUITE_EXPECT, /* everything since the last look */
    SUITE_LAST,   /* the last record of each key */
    SUITE_IGNORE,
    SUITE_EXPECT_STORE,
};

struct suite_step {
    enum suite_step_kind kind;
    struct suite_place place;
    const struct suite_batch *batches;
    size_t batch_count;
    int64_t duration_us; /* PASS; CRASH: so long after what was sent before */
    size_t group;        /* CRASH */
    bool lose_state;     /* CRASH */
    bool together;       /* SEND: without waiting between the records */
};

struct suite_case {
    const char *name;
    const char *doc; /* NULL: none */
    struct suite_place place;
    const struct suite_batch *stores; /* what the stores hold at the start */
    size_t store_count;
    const struct suite_step *steps; /* those that begin every case are the first */
    size_t step_count;
};

/* What the records of one topic have when they do not say it, nearest first. */
#define SUITE_DEFAULTS_MAX 2
struct suite_defaults {
    const struct node *maps[SUITE_DEFAULTS_MAX];
};

struct suite {
    const char *file;
    const char *doc; /* NULL: none */
    const struct mr_topology *topology;
    struct mr_registry *registry;          /* of its schemas, for every play */
    int64_t start_us;                      /* {now} of the first record */
    const struct suite_defaults *defaults; /* [topic] */
    const bool *varying; /* [topic]: how many records it has depends on where transactions end */
    const struct suite_case *cases;
    size_t case_count;
};

struct suite_options {
    const struct mr_catalog *catalog;
    /* Changes the text of the topology, malloc'd, before it is read. NULL: as it is. */
    char *(*edit)(void *arg, char *text);
    void *arg;
};

/*
 * Reads and checks the file, the file that it shares, and its topology. problems: everything that
 * is wrong, in files of all three kinds; mr_problems_fini in any case.
 * Returns MR_OK | MR_CONFIG: *suite is NULL then.
 */
MR_NODISCARD enum mr_status suite_open(const char *path, const struct suite_options *options,
                                       struct suite **suite, struct mr_problems *problems);
void suite_close(struct suite **suite);

#endif
