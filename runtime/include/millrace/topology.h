/*
 * topology.h -- the checked graph: what topology.yaml means, after every check passed.
 *
 * Plain, read-only data; indices instead of pointers between parts. Built by mr_topology_load and
 * freed as a whole. Every name lives as long as the topology.
 *
 * Derived by the loader, so that nobody derives it twice: changelog and dead-letter topics, which
 * edges travel in memory, what a group consumes, how many tasks it has.
 */
#ifndef MILLRACE_TOPOLOGY_H
#define MILLRACE_TOPOLOGY_H

#include "millrace/connector.h"
#include "millrace/log.h"
#include "millrace/module.h"

#define MR_UNBOUND SIZE_MAX

/* What a topology may name. Arrays of pointers, borrowed for the topology's life. */
struct mr_catalog {
    const struct mr_stage *const *stages;
    size_t stage_count;
    const struct mr_sink_type *const *sinks;
    size_t sink_count;
    const struct mr_schema *const *schemas;
    size_t schema_count;
    /*
     * Opens the module in a file, which then stays for the process's life. NULL: a type is one of
     * the above. Returns MR_OK | MR_CONFIG (why not, and what would be right).
     */
    enum mr_status (*load_module)(const char *path, const struct mr_stage_module **module,
                                  struct mr_err *err);
};

struct mr_position {
    int line; /* from 1; 0: derived, not written in the file */
    int column;
    const char *file; /* where the line stands; NULL: the topology's own file */
};

enum mr_guarantee { MR_EXACTLY_ONCE, MR_AT_LEAST_ONCE };

/* How records of a topic travel between two stages of one group. */
enum mr_boundary {
    MR_BOUNDARY_TEE, /* handed over in memory in the same transaction, and written to the topic */
    MR_BOUNDARY_MEMORY, /* handed over in memory only */
    MR_BOUNDARY_TOPIC,  /* through the log */
};

enum mr_topic_kind {
    MR_TOPIC_DECLARED,
    MR_TOPIC_CHANGELOG,
    MR_TOPIC_DEAD_LETTER,
    MR_TOPIC_JOURNAL,
};

struct mr_topic {
    const char *name;
    enum mr_topic_kind kind;
    const char *key;                /* the field or fields the key is made of; "" when derived */
    const struct mr_schema *schema; /* NULL: dead letters, and changelogs, which hold several */
    const char *subject;            /* "<name>-value"; NULL without schema */
    int32_t partitions;
    int32_t replication;
    const char *cleanup; /* delete | compact | compact,delete */
    int64_t retention_us;
    enum mr_boundary boundary;
    bool in_log; /* false: only ever handed over in memory; not created, not written */
    const struct mr_topic_config *configs; /* everything `apply` sets, the above included */
    size_t config_count;
    struct mr_position position;
};

struct mr_reader_ref { /* an in port of a stage */
    size_t stage;
    size_t port;
};

struct mr_in_binding {
    size_t topic; /* or MR_UNBOUND */
    bool table;
    bool in_memory; /* delivered by the writer in the same group, not consumed from the log */
};

struct mr_out_binding {
    size_t topic;                        /* or MR_UNBOUND */
    bool written;                        /* produced to the log */
    const struct mr_reader_ref *readers; /* in-memory readers, in topology order */
    size_t reader_count;
};

struct mr_stage_node {
    const char *name;
    const struct mr_stage *type;
    const struct mr_in_binding *in;    /* type->in_count */
    const struct mr_out_binding *out;  /* type->out_count */
    size_t changelog;                  /* topic of all its stores; MR_UNBOUND: it has none */
    const char *const *store_subjects; /* of each store's schema: type->store_count */
    size_t dead_letter;                /* topic */
    const void *options;               /* image of the state struct with options filled in */
    size_t group;
    struct mr_position position;
};

struct mr_group_node {
    const char *name;
    const size_t *stages; /* in data-flow order: a writer before its in-memory readers */
    size_t stage_count;
    const size_t *inputs; /* topics consumed by its tasks, in topology order; co-partitioned */
    size_t input_count;
    const size_t *tables; /* topics read as global tables */
    size_t table_count;
    int32_t partitions; /* number of tasks */
    size_t journal;     /* topic; MR_UNBOUND: none is kept */
    int replicas;
    int workers;
    bool standby; /* every instance follows the state of the tasks it does not have */
    struct mr_position position;
};

struct mr_connector_node {
    const char *name;
    const struct mr_sink_type *type;
    size_t topic;
    size_t dead_letter;
    const void *options;
    struct mr_position position;
};

struct mr_topology_defaults {
    enum mr_guarantee guarantee;
    int64_t commit_interval_us;
    int64_t commit_records_max; /* input records in one transaction */
    int64_t commit_bytes_max;   /* output bytes in one transaction */
    bool journal;               /* each transaction's inputs are written down, in their order */
    int32_t partitions;
    int32_t replication;
    int64_t retention_us;
    const char *compression;
    int64_t session_timeout_us;
    int64_t transaction_timeout_us;
    int64_t cache_bytes;  /* hot entries in memory, per process */
    int64_t memory_bytes; /* RocksDB, per process */
};

struct mr_topology {
    const char *file;
    const char *application;
    const struct mr_topic_config *kafka; /* librdkafka properties */
    size_t kafka_count;
    const char *registry_url;
    struct mr_topology_defaults defaults;
    const struct mr_topic *topics; /* declared first, then derived */
    size_t topic_count;
    const struct mr_stage_node *stages;
    size_t stage_count;
    const struct mr_group_node *groups;
    size_t group_count;
    const struct mr_connector_node *connectors;
    size_t connector_count;
};

/* One thing wrong with the file. */
struct mr_problem {
    const char *file;
    struct mr_position position; /* its file is the problem's */
    const char *text;            /* what is wrong, what would be right */
};

struct mr_problems {
    struct mr_problem *items; /* by file, then in order of position */
    size_t count;
};

/*
 * Reads the file and those it includes, substitutes ${NAME:-fallback} from the environment, and
 * checks the whole before anything connects. All problems are collected; *topology is NULL when
 * there is one. Of a text, `name` says how it is called and in which directory its includes start.
 * Returns MR_OK | MR_CONFIG (see problems; err holds the first).
 */
MR_NODISCARD enum mr_status mr_topology_load_file(const char *path,
                                                  const struct mr_catalog *catalog,
                                                  struct mr_topology **topology,
                                                  struct mr_problems *problems, struct mr_err *err);
MR_NODISCARD enum mr_status mr_topology_load_text(const char *name, struct mr_slice text,
                                                  const struct mr_catalog *catalog,
                                                  struct mr_topology **topology,
                                                  struct mr_problems *problems, struct mr_err *err);
void mr_topology_destroy(struct mr_topology **topology);
void mr_problems_fini(struct mr_problems *problems);

/* SIZE_MAX when absent. */
size_t mr_topology_find_topic(const struct mr_topology *topology, const char *name);
size_t mr_topology_find_stage(const struct mr_topology *topology, const char *name);
size_t mr_topology_find_group(const struct mr_topology *topology, const char *name);
size_t mr_topology_find_connector(const struct mr_topology *topology, const char *name);

#endif
