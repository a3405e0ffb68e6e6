/*
 * archive_manifest.c -- manifest.json of an export: each file with its range, counts and digest.
 *
 *   {"application", "source", "files": [{"file", "topic", "partition", "partitions", "fromOffset",
 *    "toOffset", "firstOffset", "lastOffset", "records", "resolved", "unreadable", "bytes",
 *    "sha256"}]}
 */
#include "archive_export.h"
#include "millrace/arena.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

static json_t *offset_or_null(int64_t offset)
{
    return offset < 0 ? json_null() : json_integer(offset);
}

static json_t *file_object(const struct archive_export *export, const struct archive_written *file)
{
    const struct archive_counts *counts = &file->counts;
    json_t *object = json_object();

    json_object_set_new(object, "file", json_string(file->name));
    json_object_set_new(object, "topic",
                        json_string(export->env->topology->topics[file->topic].name));
    json_object_set_new(object, "partition", json_integer(file->partition));
    json_object_set_new(object, "partitions", json_integer(file->partitions));
    json_object_set_new(object, "fromOffset", json_integer(file->from_offset));
    json_object_set_new(object, "toOffset", json_integer(file->to_offset));
    json_object_set_new(object, "firstOffset", offset_or_null(counts->first_offset));
    json_object_set_new(object, "lastOffset", offset_or_null(counts->last_offset));
    json_object_set_new(object, "records", json_integer(counts->records));
    json_object_set_new(object, "resolved", json_integer(counts->resolved));
    json_object_set_new(object, "unreadable", json_integer(counts->unreadable));
    json_object_set_new(object, "bytes", json_integer(file->bytes));
    json_object_set_new(object, "sha256", json_string(file->sha256));
    return object;
}

void archive_manifest_text(const struct archive_export *export, struct mr_buffer *out)
{
    json_t *root = json_object();
    json_t *files = json_array();
    char *text;

    json_object_set_new(root, "application", json_string(export->env->topology->application));
    json_object_set_new(root, "source", json_string(mr_log_address(export->env->log)));
    for (size_t i = 0; i < export->file_count; i++) {
        json_array_append_new(files, file_object(export, &export->files[i]));
    }
    json_object_set_new(root, "files", files);
    text = json_dumps(root, JSON_INDENT(2));
    MR_ASSERT(text != NULL);
    mr_buffer_clear(out);
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}

enum mr_status archive_manifest_write(const struct archive_export *export, struct mr_err *err)
{
    char path[ARCHIVE_PATH_BYTES];
    char temporary[ARCHIVE_PATH_BYTES + 4];
    struct mr_buffer text = MR_BUFFER_EMPTY;
    FILE *file;
    bool good;

    MR_TRY(archive_path(export->options->directory, ARCHIVE_MANIFEST, path, err));
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
    file = fopen(temporary, "wb");
    if (file == NULL) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", temporary, strerror(errno));
    }
    archive_manifest_text(export, &text);
    good = fwrite(text.data, 1, text.len, file) == text.len && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
    mr_buffer_fini(&text);
    if (fclose(file) != 0 || !good || rename(temporary, path) != 0) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", path, strerror(errno));
    }
    return MR_OK;
}
