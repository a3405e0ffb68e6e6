/*
 * sink_fixture.h -- a connector as its runner would hold it, and records to hand to it.
 */
#ifndef TESTS_SINK_FIXTURE_H
#define TESTS_SINK_FIXTURE_H

#include "millrace/connector.h"

struct sink_option {
    const char *name, *text;
};

struct sink_fixture {
    const struct mr_sink_type *type;
    void *state;
    struct mr_sink_env env;
    struct mr_metrics *metrics;
    struct mr_err err;
    size_t bad;
};

/* State with the given options and the fallbacks of the others; not opened. */
void sink_fixture_init(struct sink_fixture *sink, const struct mr_sink_type *type,
                       const struct mr_schema *schema, const struct sink_option *options,
                       size_t count);
void sink_fixture_fini(struct sink_fixture *sink);

enum mr_status sink_open(struct sink_fixture *sink);
enum mr_status sink_write(struct sink_fixture *sink, const struct mr_record *records, size_t count);
/* Fails the test with the sink's own words unless MR_OK. */
void sink_must_open(struct sink_fixture *sink);
void sink_must_write(struct sink_fixture *sink, const struct mr_record *records, size_t count);

/* An address of the environment; fails the test when it is not set. */
const char *sink_environment(const char *name);
/* "<prefix>-<pid>-<n>": a name that no other test and no earlier run has. */
const char *sink_unique(const char *prefix, char *buffer, size_t bytes);

struct mr_slice sink_text(const char *text);
mr_i128 sink_amount(int64_t units, int64_t atoms);

#endif
