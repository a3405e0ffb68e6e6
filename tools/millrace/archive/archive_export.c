/* archive_export.c -- which files there will be, and writing one after the other. See its header.
 */
#include "archive_export.h"

#include "archive_progress.h"
#include "millrace/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t no_less(int64_t value, int64_t low)
{
    return value < low ? low : value;
}

/* The part of a partition that is there and wanted. */
static void set_range(const struct archive_export_options *options, const struct mr_extent *extent,
                      struct archive_written *file)
{
    file->from_offset = extent->low;
    file->to_offset = extent->stable_end;
    if (options->from.kind == ARCHIVE_OFFSET) {
        file->from_offset = no_less(options->from.value, extent->low);
    }
    if (options->to.kind == ARCHIVE_OFFSET && options->to.value < file->to_offset) {
        file->to_offset = options->to.value;
    }
    file->to_offset = no_less(file->to_offset, file->from_offset);
}

static enum mr_status plan_topic(struct archive_export *export, const char *name,
                                 struct mr_err *err)
{
    const struct load_env *env = export->env;
    const size_t index = mr_topology_find_topic(env->topology, name);
    struct mr_extent extents[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;

    if (index == SIZE_MAX || !env->topology->topics[index].in_log) {
        return mr_fail(err, MR_CONFIG, "%s has no topic %s", env->topology->file, name);
    }
    MR_TRY(mr_log_topic_partitions(env->log, name, &partitions, err));
    if (partitions == 0 || partitions > LOAD_PARTITIONS_MAX) {
        return mr_fail(err, MR_CONFIG, "topic %s is not there or has more than %d partitions", name,
                       LOAD_PARTITIONS_MAX);
    }
    for (int32_t p = 0; p < partitions; p++) {
        extents[p] = (struct mr_extent){.topic = name, .partition = p};
    }
    MR_TRY(mr_log_extents(env->log, extents, (size_t)partitions, err));
    export->files = mr_xrealloc(export->files,
                                (export->file_count + (size_t)partitions) * sizeof *export->files);
    for (int32_t p = 0; p < partitions; p++) {
        struct archive_written *file = &export->files[export->file_count];

        if (!export->options->partitions[p]) {
            continue;
        }
        *file = (struct archive_written){.topic = index, .partition = p, .partitions = partitions};
        (void)snprintf(file->name, sizeof file->name, "%s-%05d.avro", name, (int)p);
        set_range(export->options, &extents[p], file);
        export->file_count++;
    }
    return MR_OK;
}

/* Every file of a run is in its manifest, so that the directory of a finished one takes no more. */
static enum mr_status open_directory(const char *directory, struct mr_err *err)
{
    char path[ARCHIVE_PATH_BYTES];

    MR_TRY(archive_path(directory, ARCHIVE_MANIFEST, path, err));
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        return mr_fail(err, MR_CONFIG, "cannot make %s: %s", directory, strerror(errno));
    }
    return access(path, F_OK) != 0
               ? MR_OK
               : mr_fail(err, MR_EXISTS, "%s holds a finished export; give another directory",
                         directory);
}

struct tracker {
    struct archive_progress progress;
    const struct archive_written *file;
    int64_t before; /* offsets of the files that are done */
};

static void on_moved(void *arg, int64_t offset)
{
    struct tracker *tracker = arg;

    archive_progress_show(&tracker->progress, tracker->file->name,
                          tracker->before + offset - tracker->file->from_offset);
}

static enum mr_status write_files(struct archive_export *export, struct mr_err *err)
{
    struct tracker tracker = {.before = 0};
    int64_t total = 0;

    for (size_t i = 0; i < export->file_count; i++) {
        struct archive_written *file = &export->files[i];

        if (!archive_partition_kept(export, file)) {
            total += file->to_offset - file->from_offset;
        }
    }
    archive_progress_begin(&tracker.progress, export->env, "export", 0, total);
    for (size_t i = 0; i < export->file_count; i++) {
        struct archive_written *file = &export->files[i];
        char path[ARCHIVE_PATH_BYTES];

        tracker.file = file;
        if (!file->kept) {
            MR_TRY(archive_partition_write(export, file, on_moved, &tracker, err));
            tracker.before += file->to_offset - file->from_offset;
        }
        MR_TRY(archive_path(export->options->directory, file->name, path, err));
        MR_TRY(archive_digest(path, file->sha256, &file->bytes, err));
    }
    load_progress_end(export->env);
    return MR_OK;
}

enum mr_status archive_export_run(struct archive_export *export, const char *const *topics,
                                  size_t count, struct mr_err *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(topics[i], topics[j]) == 0) {
                return mr_fail(err, MR_CONFIG, "topic %s is named twice", topics[i]);
            }
        }
        MR_TRY(plan_topic(export, topics[i], err));
    }
    if (export->file_count == 0) {
        return mr_fail(err, MR_CONFIG, "none of the topics has such a partition");
    }
    MR_TRY(open_directory(export->options->directory, err));
    MR_TRY(write_files(export, err));
    return archive_manifest_write(export, err);
}

void archive_export_fini(struct archive_export *export)
{
    free(export->files);
    export->files = NULL;
    export->file_count = 0;
}
