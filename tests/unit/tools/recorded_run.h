/*
 * recorded_run.h -- what the real pipeline wrote for a few trades, to be replayed with one thing
 * wrong.
 *
 * Why: a check that is tested against hand-made records proves what its author imagined. Here the
 * records are those of the stages, and each mutation must be the only reason for a difference.
 */
#ifndef MILLRACE_TESTS_RECORDED_RUN_H
#define MILLRACE_TESTS_RECORDED_RUN_H

#include "load_manifest.h"
#include "millrace/codec.h"
#include "millrace/log.h"
#include "millrace/topology.h"
#include "verify_report.h"
#include "verify_sink.h"

struct recorded_record {
    size_t topic; /* of the topology */
    int32_t partition;
    struct mr_slice key, value;
    bool has_value;
    struct mr_header *headers;
    size_t header_count;
};

struct recorded_run {
    struct mr_topology *topology;
    struct mr_registry *registry;
    struct mr_codec *codec;
    struct load_manifest manifest; /* its starts are those of a replay: zero */
    struct mr_binding *bindings;   /* by topic */
    struct recorded_record *records;
    size_t count;
};

enum mutation_kind { MUTATE_NOTHING, MUTATE_DROP, MUTATE_DOUBLE, MUTATE_CHANGE, MUTATE_BEHEAD };

/* BEHEAD: without its headers. Applied to the last record of the topic that pick accepts (NULL: the
 * last). */
struct mutation {
    enum mutation_kind kind;
    const char *topic;
    bool (*pick)(const void *value);
    void (*change)(
        void *value); /* CHANGE: of the decoded record; NULL: one byte of the raw value */
};

/* Runs the pipeline on the log in memory. Aborts the test when it does not work. */
struct recorded_run *recorded_run_create(int64_t trades);
void recorded_run_destroy(struct recorded_run **run);

/* Verifies a replay with one mutation. The report is the caller's. */
struct verify_report *recorded_run_verify(const struct recorded_run *run,
                                          const struct mutation *mutation,
                                          const struct verify_documents *documents,
                                          const struct verify_keys *keys);

struct verify_books;
/* The books of a replay. Both are the caller's. */
struct verify_report *recorded_run_books(const struct recorded_run *run,
                                         const struct mutation *mutation, bool live,
                                         struct verify_books **books);

/* ---- stores as connectors would have filled them ---- */

struct recorded_stores;

/* damaged: identity of the document or key to leave out (drop) or to alter; NULL: none. */
struct recorded_stores *recorded_stores_create(const struct recorded_run *run, const char *damaged,
                                               bool drop);
void recorded_stores_destroy(struct recorded_stores **stores);
const struct verify_documents *recorded_stores_documents(struct recorded_stores *stores);
const struct verify_keys *recorded_stores_keys(struct recorded_stores *stores);
/* "collection/identity" or "key" of something that is in the stores; for tests to damage. */
const char *recorded_stores_name(const struct recorded_stores *stores, const char *prefix);

#endif
