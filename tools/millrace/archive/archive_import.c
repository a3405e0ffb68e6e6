/* archive_import.c -- the check: everything is read before anything is written. See its header. */
#include "archive_import.h"

#include "archive_progress.h"
#include "millrace/arena.h"

#include <inttypes.h>
#include <stdlib.h>

#define NO_OFFSET INT64_C(-1)
#define ID_DIGITS 16

/* What the check of all files goes with. */
struct checking {
    struct archive_import *import;
    void *value; /* struct_bytes */
    int64_t last[LOAD_PARTITIONS_MAX];
    const char *last_path[LOAD_PARTITIONS_MAX];
    int64_t kept_ms; /* Kafka removes records from before */
    struct archive_progress progress;
};

/* ---- which topic ------------------------------------------------------------------------------
 */

static enum mr_status take_topic(struct archive_import *import, const char *name,
                                 struct mr_err *err)
{
    const struct mr_topology *topology = import->env->topology;
    const size_t index = mr_topology_find_topic(topology, name);

    if (index == SIZE_MAX || !topology->topics[index].in_log) {
        return mr_fail(err, MR_CONFIG, "%s has no topic %s", topology->file, name);
    }
    import->topic = &topology->topics[index];
    MR_TRY(mr_log_topic_partitions(import->env->log, name, &import->partitions, err));
    return import->partitions > 0 && import->partitions <= LOAD_PARTITIONS_MAX
               ? MR_OK
               : mr_fail(
                     err, MR_CONFIG,
                     "topic %s does not exist (run `millrace topology apply`), or has more than "
                     "%d partitions",
                     name, LOAD_PARTITIONS_MAX);
}

/* The topic that all files name. */
static enum mr_status find_topic(struct archive_import *import, struct mr_err *err)
{
    char *name = NULL;
    const char *first = NULL;
    enum mr_status status = MR_OK;

    if (import->options->topic[0] != '\0') {
        return take_topic(import, import->options->topic, err);
    }
    for (size_t i = 0; status == MR_OK && i < import->file_count; i++) {
        const char *path = import->files[i].path;
        FILE *file = fopen(path, "rb");
        struct ocf_reader *reader = NULL;
        struct mr_slice topic;

        status = file == NULL ? mr_fail(err, MR_CONFIG, "%s: cannot be opened", path)
                              : ocf_read_open(file, path, &reader, err);
        if (status == MR_OK && !ocf_read_meta(reader, "millrace.topic", &topic)) {
            status = mr_fail(err, MR_CONFIG, "%s: does not say of which topic it is: give --topic",
                             path);
        } else if (status == MR_OK && name == NULL) {
            name = mr_xstrdup((const char *)topic.data);
            first = path;
        } else if (status == MR_OK && strcmp(name, (const char *)topic.data) != 0) {
            status = mr_fail(err, MR_CONFIG, "%s is of topic %s and %s of %s: one at a time", first,
                             name, path, (const char *)topic.data);
        }
        ocf_read_close(&reader);
    }
    if (status == MR_OK) {
        status = take_topic(import, name, err);
    }
    free(name);
    return status;
}

/* ---- the order of files -----------------------------------------------------------------------
 */

static enum mr_status note_first(struct archive_import *import, struct archive_import_file *file,
                                 struct mr_err *err)
{
    struct archive_source source;
    struct archive_entry entry = {.partition = INT32_MAX};
    bool end = false;
    enum mr_status status = archive_source_open(&source, file->path, import->topic->schema, err);

    if (status == MR_OK) {
        status = archive_source_next(&source, &entry, &end, err);
    }
    file->partition = entry.partition;
    file->offset = entry.offset;
    archive_source_close(&source);
    return status;
}

static int compare_files(const void *left, const void *right)
{
    const struct archive_import_file *a = left;
    const struct archive_import_file *b = right;

    if (a->partition != b->partition) {
        return a->partition < b->partition ? -1 : 1;
    }
    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }
    return strcmp(a->path, b->path);
}

/* ---- one file ---------------------------------------------------------------------------------
 */

static enum mr_status check_partition(struct checking *check, const struct archive_source *source,
                                      const struct archive_entry *entry, struct mr_err *err)
{
    const struct archive_import *import = check->import;
    const int32_t partitions =
        import->options->repartition ? LOAD_PARTITIONS_MAX : import->partitions;
    int64_t only = 0;

    if (entry->partition < 0 || entry->partition >= partitions) {
        return mr_fail(err, MR_CORRUPT,
                       "%s: offset %" PRId64 ": field partition: is %" PRId32
                       ", and topic %s has %" PRId32 " partitions",
                       source->path, entry->offset, entry->partition, import->topic->name,
                       import->partitions);
    }
    if (archive_meta_int(source->reader, "millrace.partition", &only) && only != entry->partition) {
        return mr_fail(err, MR_CORRUPT,
                       "%s: offset %" PRId64 ": field partition: is %" PRId32
                       " in a file of partition %" PRId64,
                       source->path, entry->offset, entry->partition, only);
    }
    if (entry->offset < 0 || entry->offset <= check->last[entry->partition]) {
        const char *before = check->last_path[entry->partition];

        return mr_fail(err, MR_CORRUPT,
                       "%s: field offset: %" PRId64 " of partition %" PRId32
                       " stands behind %" PRId64 " of %s",
                       source->path, entry->offset, entry->partition, check->last[entry->partition],
                       before == NULL ? "the log" : before);
    }
    check->last[entry->partition] = entry->offset;
    check->last_path[entry->partition] = source->path;
    return MR_OK;
}

static enum mr_status check_records(struct checking *check, struct archive_source *source,
                                    struct archive_import_file *file, struct mr_err *err)
{
    const struct mr_schema *schema = check->import->topic->schema;

    for (;;) {
        struct archive_entry entry;
        bool end = false;

        MR_TRY(archive_source_next(source, &entry, &end, err));
        if (end) {
            return MR_OK;
        }
        MR_TRY(check_partition(check, source, &entry, err));
        if (entry.kind == ARCHIVE_RECORD) {
            memset(check->value, 0, schema->struct_bytes);
            MR_TRY(archive_source_decode(source, &entry, check->value, err));
        } else if (entry.kind == ARCHIVE_BYTES && schema != NULL) {
            check->import->bytes_values++;
        }
        file->records++;
        check->import->expired += entry.timestamp_ms < check->kept_ms ? 1 : 0;
        archive_progress_show(&check->progress, source->path, check->import->total + file->records);
    }
}

static enum mr_status check_whole(struct checking *check, const struct archive_source *source,
                                  const struct archive_import_file *file, struct mr_err *err)
{
    struct archive_counts counts;
    int64_t partitions = 0;

    if (archive_counts_read(source->reader, &counts) && counts.records != file->records) {
        return mr_fail(err, MR_CORRUPT,
                       "%s: ends after %" PRId64 " records, and should have %" PRId64, file->path,
                       file->records, counts.records);
    }
    if (archive_meta_int(source->reader, "millrace.partitions", &partitions) &&
        partitions != check->import->partitions && !check->import->options->repartition) {
        return mr_fail(err, MR_CORRUPT,
                       "%s: of a topic with %" PRId64 " partitions, and %s has %" PRId32
                       ": --repartition puts records where their keys belong",
                       file->path, partitions, check->import->topic->name,
                       check->import->partitions);
    }
    return MR_OK;
}

static enum mr_status check_file(struct checking *check, struct archive_import_file *file,
                                 struct mr_err *err)
{
    struct archive_source source;
    int64_t bytes = 0;
    enum mr_status status =
        archive_source_open(&source, file->path, check->import->topic->schema, err);

    if (status == MR_OK) {
        status = check_records(check, &source, file, err);
    }
    if (status == MR_OK) {
        status = check_whole(check, &source, file, err);
    }
    archive_source_close(&source);
    MR_TRY(status);
    MR_TRY(archive_digest(file->path, file->sha256, &bytes, err));
    check->import->total += file->records;
    return archive_paths_agree(file, err);
}

static enum mr_status check_files(struct archive_import *import, struct mr_err *err)
{
    struct checking *check = mr_xcalloc(1, sizeof *check);
    enum mr_status status = MR_OK;

    check->import = import;
    check->kept_ms = INT64_MIN;
    if (strstr(import->topic->cleanup, "delete") != NULL && import->topic->retention_us > 0) {
        check->kept_ms =
            (mr_clock_wall_us(import->env->clock) - import->topic->retention_us) / MR_MS_US;
    }
    for (size_t i = 0; i < MR_COUNT(check->last); i++) {
        check->last[i] = NO_OFFSET;
    }
    if (import->topic->schema != NULL) {
        check->value = mr_xcalloc(1, import->topic->schema->struct_bytes);
    }
    archive_progress_begin(&check->progress, import->env, "check", 0, 0);
    for (size_t i = 0; status == MR_OK && i < import->file_count; i++) {
        status = check_file(check, &import->files[i], err);
    }
    load_progress_end(import->env);
    free(check->value);
    free(check);
    return status;
}

/* ---- what the log has -------------------------------------------------------------------------
 */

/* The same files to the same topic are the same import. */
static void name_group(struct archive_import *import)
{
    struct sha256 sha;
    char hex[ARCHIVE_HEX_BYTES];

    sha256_init(&sha);
    sha256_add(&sha, import->topic->name, strlen(import->topic->name));
    sha256_add(&sha, import->options->repartition ? "k" : "p", 1);
    for (size_t i = 0; i < import->file_count; i++) {
        sha256_add(&sha, import->files[i].sha256, ARCHIVE_HEX_BYTES - 1);
    }
    archive_hex(&sha, hex);
    hex[ID_DIGITS] = '\0';
    (void)snprintf(import->group, sizeof import->group, "%s.archive-import.%.100s",
                   import->env->topology->application,
                   import->options->id[0] == '\0' ? hex : import->options->id);
}

static enum mr_status check_log(struct archive_import *import, struct mr_err *err)
{
    bool empty = false;

    name_group(import);
    MR_TRY(archive_position(import, &import->resumed_at, err));
    if (import->resumed_at > import->total) {
        return mr_fail(err, MR_EXISTS,
                       "import %s is at record %" PRId64 " of %" PRId64 ": it was of other files",
                       import->group, import->resumed_at, import->total);
    }
    if (import->resumed_at > 0 || import->options->append) {
        return MR_OK;
    }
    MR_TRY(archive_topic_empty(import, &empty, err));
    return empty ? MR_OK
                 : mr_fail(err, MR_EXISTS, "topic %s has records: --append puts these behind them",
                           import->topic->name);
}

enum mr_status archive_import_check(struct archive_import *import, struct mr_err *err)
{
    MR_TRY(archive_paths_find(import, err));
    MR_TRY(find_topic(import, err));
    for (size_t i = 0; i < import->file_count; i++) {
        MR_TRY(note_first(import, &import->files[i], err));
    }
    qsort(import->files, import->file_count, sizeof *import->files, compare_files);
    MR_TRY(check_files(import, err));
    return check_log(import, err);
}

void archive_import_fini(struct archive_import *import)
{
    for (size_t i = 0; i < import->file_count; i++) {
        free(import->files[i].path);
    }
    free(import->files);
    import->files = NULL;
    import->file_count = 0;
}
