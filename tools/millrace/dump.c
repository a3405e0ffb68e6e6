/* dump.c -- see dump.h. */
#include "dump.h"

#include "describe.h"
#include "tap_line.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 1024
#define CATCH_UP_US (20 * MR_SECOND_US)
#define COMMITTED_US (20 * MR_SECOND_US)

struct ends {
    int64_t low[LOAD_PARTITIONS_MAX];
    int64_t stable[LOAD_PARTITIONS_MAX];
    int64_t end[LOAD_PARTITIONS_MAX];
    int32_t partitions;
};

struct dump {
    const struct load_env *env;
    const char *directory;
    struct ends *ends; /* by topic of the topology */
    struct tap_format format;
    struct mr_buffer line;
    FILE *file;
    size_t topic; /* being written */
    int64_t records;
};

static enum mr_status open_file(struct dump *dump, const char *name, const char *suffix,
                                struct mr_err *err)
{
    char path[PATH_BYTES_MAX];

    if (snprintf(path, sizeof path, "%s/%s%s", dump->directory, name, suffix) >= (int)sizeof path) {
        return mr_fail(err, MR_CONFIG, "%.200s: the name is too long", dump->directory);
    }
    dump->file = fopen(path, "w");
    if (dump->file == NULL) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", path, strerror(errno));
    }
    return MR_OK;
}

static enum mr_status close_file(struct dump *dump, enum mr_status status, struct mr_err *err)
{
    const bool good = ferror(dump->file) == 0;

    if ((fclose(dump->file) != 0 || !good) && status == MR_OK) {
        status = mr_fail(err, MR_RESOURCE, "cannot write into %s", dump->directory);
    }
    dump->file = NULL;
    return status;
}

static enum mr_status note_ends(const struct load_env *env, const char *topic, struct ends *ends,
                                struct mr_err *err)
{
    struct mr_extent extents[LOAD_PARTITIONS_MAX];

    MR_TRY(mr_log_topic_partitions(env->log, topic, &ends->partitions, err));
    if (ends->partitions == 0 || ends->partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s is not there or has more than %d partitions",
                       topic, LOAD_PARTITIONS_MAX);
    }
    for (int32_t p = 0; p < ends->partitions; p++) {
        extents[p] = (struct mr_extent){.topic = topic, .partition = p};
    }
    MR_TRY(mr_log_extents(env->log, extents, (size_t)ends->partitions, err));
    for (int32_t p = 0; p < ends->partitions; p++) {
        ends->low[p] = extents[p].low;
        ends->stable[p] = extents[p].stable_end;
        ends->end[p] = extents[p].end;
    }
    return MR_OK;
}

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct dump *dump = arg;
    struct tap_entry entry;

    if (record->offset >= dump->ends[dump->topic].stable[record->partition]) {
        return MR_OK; /* it came after the ends were noted */
    }
    MR_TRY(tap_entry_read(&dump->format, record, &entry, err));
    tap_line_write(&dump->format, record, &entry, &dump->line);
    dump->records++;
    return fwrite(dump->line.data, 1, dump->line.len, dump->file) == dump->line.len
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write into %s", dump->directory);
}

static enum mr_status read_topic(struct dump *dump, const struct mr_topic *topic,
                                 struct mr_err *err)
{
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_feed_open(dump->env, &feed, err));
    status = load_feed_add(
        feed,
        &(struct load_source){
            .topic = topic->name, .schema = topic->schema, .visit = on_record, .arg = dump},
        err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, CATCH_UP_US, err);
    }
    load_feed_close(&feed);
    return status;
}

static enum mr_status write_topic(struct dump *dump, size_t index, struct mr_err *err)
{
    const struct mr_topic *topic = &dump->env->topology->topics[index];
    enum mr_status status;

    dump->topic = index;
    MR_TRY(open_file(dump, topic->name, ".jsonl", err));
    status = tap_format_init(&dump->format, dump->env, index, err);
    if (status == MR_OK) {
        status = read_topic(dump, topic, err);
    }
    tap_format_fini(&dump->format);
    return close_file(dump, status, err);
}

/* ---- topics.json -------------------------------------------------------------------------------
 */

static void write_ends(const struct dump *dump)
{
    const struct mr_topology *topology = dump->env->topology;
    bool first = true;

    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct ends *ends = &dump->ends[i];

        if (!topology->topics[i].in_log) {
            continue;
        }
        (void)fprintf(dump->file, "%s\n  \"%s\": [", first ? "" : ",", topology->topics[i].name);
        first = false;
        for (int32_t p = 0; p < ends->partitions; p++) {
            (void)fprintf(dump->file,
                          "%s{\"low\":%" PRId64 ",\"lastStable\":%" PRId64 ",\"end\":%" PRId64 "}",
                          p == 0 ? "" : ",", ends->low[p], ends->stable[p], ends->end[p]);
        }
        (void)fprintf(dump->file, "]");
    }
}

/* What the group will read next of one input; null: nothing committed. */
static enum mr_status write_committed(const struct dump *dump, const struct mr_group_node *group,
                                      size_t topic, struct mr_err *err)
{
    const struct mr_topology *topology = dump->env->topology;
    struct mr_topic_partition at[LOAD_PARTITIONS_MAX];
    char id[256];

    (void)snprintf(id, sizeof id, "%s.%s", topology->application, group->name);
    for (int32_t p = 0; p < group->partitions; p++) {
        at[p] = (struct mr_topic_partition){.topic = topology->topics[topic].name, .partition = p};
    }
    MR_TRY(mr_log_committed(dump->env->log, id, at, (size_t)group->partitions, COMMITTED_US, err));
    for (int32_t p = 0; p < group->partitions; p++) {
        if (at[p].offset == MR_OFFSET_NONE) {
            (void)fprintf(dump->file, "%snull", p == 0 ? "" : ",");
        } else {
            (void)fprintf(dump->file, "%s%" PRId64, p == 0 ? "" : ",", at[p].offset);
        }
    }
    return MR_OK;
}

static enum mr_status write_groups(const struct dump *dump, struct mr_err *err)
{
    const struct mr_topology *topology = dump->env->topology;

    for (size_t g = 0; g < topology->group_count; g++) {
        const struct mr_group_node *group = &topology->groups[g];

        (void)fprintf(dump->file, "%s\n  \"%s\": {", g == 0 ? "" : ",", group->name);
        for (size_t i = 0; i < group->input_count; i++) {
            (void)fprintf(dump->file, "%s\"%s\": [", i == 0 ? "" : ", ",
                          topology->topics[group->inputs[i]].name);
            MR_TRY(write_committed(dump, group, group->inputs[i], err));
            (void)fprintf(dump->file, "]");
        }
        (void)fprintf(dump->file, "}");
    }
    return MR_OK;
}

/* The id of each topic's schema: what the first bytes of its records say. */
static enum mr_status write_schemas(const struct dump *dump, struct mr_err *err)
{
    const struct mr_topology *topology = dump->env->topology;
    bool first = true;

    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *topic = &topology->topics[i];
        struct mr_binding binding;

        if (topic->in_log && topic->schema != NULL) {
            MR_TRY(mr_codec_bind(dump->env->codec, topic->schema, topic->subject, &binding, err));
            (void)fprintf(dump->file, "%s\n  \"%s\": %" PRId32, first ? "" : ",", topic->name,
                          binding.id);
            first = false;
        }
    }
    return MR_OK;
}

static enum mr_status write_index(struct dump *dump, struct mr_err *err)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    enum mr_status status;

    MR_TRY(open_file(dump, "topics", ".json", err));
    topology_describe_json(dump->env->topology, &text);
    (void)fprintf(dump->file, "{\"log\": \"%s\",\n\"topology\": ", mr_log_address(dump->env->log));
    (void)fwrite(text.data, 1, text.len, dump->file);
    mr_buffer_fini(&text);
    (void)fprintf(dump->file, ",\n\"topics\": {");
    write_ends(dump);
    (void)fprintf(dump->file, "},\n\"committed\": {");
    status = write_groups(dump, err);
    (void)fprintf(dump->file, "},\n\"schemas\": {");
    if (status == MR_OK) {
        status = write_schemas(dump, err);
    }
    (void)fprintf(dump->file, "}}\n");
    return close_file(dump, status, err);
}

/* The index of an earlier dump would make this one look complete. */
static enum mr_status forget_index(const struct dump *dump, struct mr_err *err)
{
    char path[PATH_BYTES_MAX];

    if (snprintf(path, sizeof path, "%s/topics.json", dump->directory) >= (int)sizeof path) {
        return mr_fail(err, MR_CONFIG, "%.200s: the name is too long", dump->directory);
    }
    return unlink(path) == 0 || errno == ENOENT
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot replace %s: %s", path, strerror(errno));
}

static enum mr_status dump_all(struct dump *dump, struct mr_err *err)
{
    const struct mr_topology *topology = dump->env->topology;

    for (size_t i = 0; i < topology->topic_count; i++) {
        if (topology->topics[i].in_log) {
            MR_TRY(note_ends(dump->env, topology->topics[i].name, &dump->ends[i], err));
        }
    }
    for (size_t i = 0; i < topology->topic_count; i++) {
        if (topology->topics[i].in_log) {
            load_progress_detail(dump->env, "dump: %s", topology->topics[i].name);
            MR_TRY(write_topic(dump, i, err));
        }
    }
    load_progress_end(dump->env);
    return write_index(dump, err);
}

enum mr_status dump_topics(const struct load_env *env, const char *directory, int64_t *records,
                           struct mr_err *err)
{
    struct dump dump = {.env = env, .directory = directory};
    enum mr_status status;

    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        return mr_fail(err, MR_RESOURCE, "cannot make %s: %s", directory, strerror(errno));
    }
    MR_TRY(forget_index(&dump, err));
    dump.ends = mr_xcalloc(env->topology->topic_count, sizeof *dump.ends);
    status = dump_all(&dump, err);
    *records = dump.records;
    mr_buffer_fini(&dump.line);
    free(dump.ends);
    return status;
}
