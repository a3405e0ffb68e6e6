/*
 * settings.h -- the fixed settings of topology.yaml as option tables, like those of stages.
 *
 * Why: one parser for units, bounds and messages, and docs/OPTIONS.md is generated from the tables.
 * How: each section has a raw struct with one field per setting; the loader copies from there.
 *      A fallback of NULL means that the section's owner puts the value in beforehand.
 */
#ifndef MILLRACE_TOPOLOGY_SETTINGS_H
#define MILLRACE_TOPOLOGY_SETTINGS_H

#include "millrace/option.h"
#include "millrace/topology.h"

#define MR_PARTITIONS_MAX 1024
/* In retention_us: kept for ever. */
#define MR_RETENTION_FOREVER INT64_C(-1)

struct defaults_settings {
    int guarantee;
    int acks;
    int compression;
    int64_t commit_interval_us;
    int64_t commit_records_max;
    int64_t commit_bytes_max;
    bool journal;
    int64_t partitions;
    int64_t replication;
    const char *retention;
    int64_t session_timeout_us;
    int64_t transaction_timeout_us;
    int64_t cache_bytes;
    int64_t memory_bytes;
};

struct topic_settings {
    const char *key;
    const char *value;
    int64_t partitions;
    int64_t replication;
    int cleanup;
    const char *retention;
    int boundary; /* enum mr_boundary */
};

struct group_settings {
    int64_t replicas;
    int64_t workers;
    bool standby;
};

struct settings_table {
    const char *section; /* "defaults", "topics.<name>", "groups.<name>" */
    const struct mr_option *options;
    size_t count;
};

extern const struct settings_table settings_defaults;
extern const struct settings_table settings_topic;
extern const struct settings_table settings_group;

/* NULL-terminated: the keys of a file; of kafka and of a topic's config, those it may not have. */
extern const char *const settings_sections[];
extern const char *const settings_kafka_owned[];
extern const char *const settings_config_owned[];

extern const char *const settings_cleanup_symbols[];
extern const char *const settings_compression_symbols[];

/* A duration, or `forever` for MR_RETENTION_FOREVER. */
MR_NODISCARD enum mr_status settings_parse_retention(const char *text, int64_t *us,
                                                     struct mr_err *err);

#endif
