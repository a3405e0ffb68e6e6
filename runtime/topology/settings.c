/* settings.c -- the tables. See settings.h. */
#include "settings.h"

const char *const settings_cleanup_symbols[] = {"delete", "compact", "compact,delete", NULL};
const char *const settings_compression_symbols[] = {"none", "snappy", "lz4", "zstd", "gzip", NULL};
const char *const settings_sections[] = {"include",    "application", "kafka",  "registry",
                                         "defaults",   "topics",      "stages", "groups",
                                         "connectors", NULL};
/* What the runtime must set itself for its guarantees to hold. */
const char *const settings_kafka_owned[] = {"acks",
                                            "auto.offset.reset",
                                            "enable.auto.commit",
                                            "enable.auto.offset.store",
                                            "enable.idempotence",
                                            "enable.partition.eof",
                                            "group.id",
                                            "group.instance.id",
                                            "isolation.level",
                                            "transactional.id",
                                            NULL};
/* What cleanup and retention of a topic say. */
const char *const settings_config_owned[] = {"cleanup.policy", "retention.ms", NULL};
static const char *const guarantee_symbols[] = {"exactly-once", "at-least-once", NULL};
static const char *const acks_symbols[] = {"all", NULL};
static const char *const boundary_symbols[] = {"tee", "memory", "topic", NULL};

#define FIELD(name) .offset = offsetof(struct defaults_settings, name)

static const struct mr_option defaults_options[] = {
    {.name = "guarantee",
     .type = MR_OPTION_ENUM,
     FIELD(guarantee),
     .fallback = "exactly-once",
     .symbols = guarantee_symbols,
     .help = "what a crash may do to the output: nothing, or repeat some of it"},
    {.name = "commit-interval",
     .type = MR_OPTION_DURATION,
     FIELD(commit_interval_us),
     .fallback = "10ms",
     .min = MR_MS_US,
     .max = MR_MINUTE_US,
     .help = "floor between two commits of a worker"},
    {.name = "commit-records",
     .type = MR_OPTION_INT,
     FIELD(commit_records_max),
     .fallback = "20000",
     .min = 1,
     .max = 1000000,
     .help = "input records after which a worker commits at once"},
    {.name = "commit-bytes",
     .type = MR_OPTION_SIZE,
     FIELD(commit_bytes_max),
     .fallback = "16MiB",
     .min = 1024,
     .max = INT64_C(1) << 30,
     .help = "output bytes after which a worker commits at once"},
    {.name = "journal",
     .type = MR_OPTION_BOOL,
     FIELD(journal),
     .fallback = "true",
     .help = "exactly-once: write down what each transaction took, in its order"},
    {.name = "partitions",
     .type = MR_OPTION_INT,
     FIELD(partitions),
     .fallback = "6",
     .min = 1,
     .max = MR_PARTITIONS_MAX,
     .help = "of a topic that does not say"},
    {.name = "replication",
     .type = MR_OPTION_INT,
     FIELD(replication),
     .fallback = "3",
     .min = 1,
     .max = 9,
     .help = "copies of each partition; 3 and more ask for two in sync"},
    {.name = "retention",
     .type = MR_OPTION_STRING,
     FIELD(retention),
     .fallback = "7d",
     .help = "how long a topic keeps records: a duration, or forever"},
    {.name = "acks",
     .type = MR_OPTION_ENUM,
     FIELD(acks),
     .fallback = "all",
     .symbols = acks_symbols,
     .help = "exactly-once knows only one answer"},
    {.name = "compression",
     .type = MR_OPTION_ENUM,
     FIELD(compression),
     .fallback = "snappy",
     .symbols = settings_compression_symbols,
     .help = "of what the runtime produces"},
    {.name = "session-timeout",
     .type = MR_OPTION_DURATION,
     FIELD(session_timeout_us),
     .fallback = "6s",
     .min = MR_SECOND_US,
     .max = 30 * MR_MINUTE_US,
     .help = "silence after which a worker's partitions go to others"},
    {.name = "transaction-timeout",
     .type = MR_OPTION_DURATION,
     FIELD(transaction_timeout_us),
     .fallback = "5s",
     .min = MR_SECOND_US,
     .max = 15 * MR_MINUTE_US,
     .help = "after which the broker aborts a transaction that nobody ends"},
    {.name = "cache",
     .type = MR_OPTION_SIZE,
     FIELD(cache_bytes),
     .fallback = "32MiB",
     .min = 0,
     .max = INT64_C(1) << 40,
     .help = "hot state entries in memory, per process"},
    {.name = "memory",
     .type = MR_OPTION_SIZE,
     FIELD(memory_bytes),
     .fallback = "32MiB",
     .min = INT64_C(1) << 20,
     .max = INT64_C(1) << 40,
     .help = "RocksDB's block cache and memtables, per process"},
};
#undef FIELD

#define FIELD(name) .offset = offsetof(struct topic_settings, name)

static const struct mr_option topic_options[] = {
    {.name = "key",
     .type = MR_OPTION_STRING,
     FIELD(key),
     .help = "field or fields of the value the key is made of; the first decides the partition"},
    {.name = "value",
     .type = MR_OPTION_STRING,
     FIELD(value),
     .help = "record name of schemas/avro"},
    {.name = "partitions",
     .type = MR_OPTION_INT,
     FIELD(partitions),
     .min = 1,
     .max = MR_PARTITIONS_MAX,
     .help = "default: defaults.partitions"},
    {.name = "replication",
     .type = MR_OPTION_INT,
     FIELD(replication),
     .min = 1,
     .max = 9,
     .help = "default: defaults.replication"},
    {.name = "cleanup",
     .type = MR_OPTION_ENUM,
     FIELD(cleanup),
     .fallback = "delete",
     .symbols = settings_cleanup_symbols,
     .help = "what goes: what is old, or what a newer record of the key replaced"},
    {.name = "retention",
     .type = MR_OPTION_STRING,
     FIELD(retention),
     .help = "default: defaults.retention"},
    {.name = "boundary",
     .type = MR_OPTION_ENUM,
     FIELD(boundary),
     .fallback = "tee",
     .symbols = boundary_symbols,
     .help = "between stages of one group: in memory and written, in memory only, or by the topic"},
};
#undef FIELD

static const struct mr_option group_options[] = {
    {.name = "replicas",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct group_settings, replicas),
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .help = "processes of the group"},
    {.name = "workers",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct group_settings, workers),
     .fallback = "1",
     .min = 1,
     .max = 64,
     .help = "threads of a process, each with its own consumer and transaction"},
    {.name = "standby",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct group_settings, standby),
     .fallback = "false",
     .help = "every process follows the state of all tasks; at most 3 replicas of 1 worker"},
};

const struct settings_table settings_defaults = {"defaults", defaults_options,
                                                 MR_COUNT(defaults_options)};
const struct settings_table settings_topic = {"topics.<name>", topic_options,
                                              MR_COUNT(topic_options)};
const struct settings_table settings_group = {"groups.<name>", group_options,
                                              MR_COUNT(group_options)};

enum mr_status settings_parse_retention(const char *text, int64_t *us, struct mr_err *err)
{
    if (strcmp(text, "forever") == 0) {
        *us = MR_RETENTION_FOREVER;
        return MR_OK;
    }
    MR_TRY(mr_parse_duration_us(text, us, err));
    if (*us < MR_SECOND_US || *us > 3650 * MR_DAY_US) {
        return mr_fail(err, MR_CONFIG, "\"%s\" is out of range 1s .. 3650d; or write forever",
                       text);
    }
    return MR_OK;
}
