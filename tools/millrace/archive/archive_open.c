/* archive_open.c -- an archive file, record by record. See archive_import.h. */
#include "archive_import.h"
#include "millrace/arena.h"

#include <errno.h>
#include <inttypes.h>

#define ARENA_BYTES ((size_t)64 * 1024)

static enum mr_status open_values(struct archive_source *source, const struct mr_schema *schema,
                                  struct mr_err *err)
{
    struct mr_err why = {0};
    struct mr_slice text;

    MR_ASSERT(ocf_read_meta(source->reader, "avro.schema", &text));
    if (archive_shape_read(text, &source->shape, &why) != MR_OK) {
        return mr_fail(err, MR_CORRUPT, "%s: %.300s", source->path, why.text);
    }
    if (source->shape.value_schema == NULL) {
        return MR_OK;
    }
    if (schema == NULL) {
        return mr_fail(err, MR_CORRUPT, "%s: field value: is %s, and the topic takes bytes",
                       source->path, source->shape.value_name);
    }
    if (strcmp(source->shape.value_name, schema->full_name) != 0) {
        return mr_fail(err, MR_CORRUPT, "%s: field value: is %s, and the topic takes %s",
                       source->path, source->shape.value_name, schema->full_name);
    }
    if (mr_resolution_create(schema, source->shape.value_schema, &source->values, &why) != MR_OK) {
        return mr_fail(err, MR_CORRUPT, "%s: field value: cannot be read as the topic's %s: %.250s",
                       source->path, schema->name, why.text);
    }
    return MR_OK;
}

enum mr_status archive_source_open(struct archive_source *source, const char *path,
                                   const struct mr_schema *schema, struct mr_err *err)
{
    FILE *file = fopen(path, "rb");

    *source = (struct archive_source){.path = path};
    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", path, strerror(errno));
    }
    MR_TRY(ocf_read_open(file, path, &source->reader, err));
    source->arena = mr_arena_create(ARENA_BYTES);
    return open_values(source, schema, err);
}

static enum mr_status wrong_record(const struct archive_source *source, const struct mr_err *why,
                                   struct mr_err *err)
{
    return mr_fail(err, MR_CORRUPT,
                   "%s: block at byte %" PRId64 ", record %" PRId64 " of %" PRId64 ": %.250s",
                   source->path, source->block.at, source->block.count - source->left + 1,
                   source->block.count, why->text);
}

/* The next block that has records. */
static enum mr_status next_block(struct archive_source *source, bool *end, struct mr_err *err)
{
    *end = false;
    while (source->left == 0 && !*end) {
        if (source->rest.len > 0) {
            return mr_fail(err, MR_CORRUPT,
                           "%s: block at byte %" PRId64 ": %zu bytes behind its last record",
                           source->path, source->block.at, source->rest.len);
        }
        MR_TRY(ocf_read_block(source->reader, &source->block, end, err));
        source->rest = source->block.data;
        source->left = source->block.count;
    }
    return MR_OK;
}

enum mr_status archive_source_next(struct archive_source *source, struct archive_entry *entry,
                                   bool *end, struct mr_err *err)
{
    struct mr_err why = {0};

    MR_TRY(next_block(source, end, err));
    if (*end) {
        return MR_OK;
    }
    mr_arena_reset(source->arena);
    if (archive_entry_read(&source->rest, &source->shape, source->values, source->arena, entry,
                           &why) != MR_OK) {
        return wrong_record(source, &why, err);
    }
    source->left--;
    return MR_OK;
}

enum mr_status archive_source_skip(struct archive_source *source, int64_t count, int64_t *skipped,
                                   struct mr_err *err)
{
    bool end = false;

    *skipped = 0;
    while (*skipped < count) {
        struct archive_entry entry;

        MR_TRY(next_block(source, &end, err));
        if (end) {
            return MR_OK;
        }
        if (source->left <= count - *skipped) {
            *skipped += source->left;
            source->left = 0;
            source->rest.len = 0;
            continue;
        }
        MR_TRY(archive_source_next(source, &entry, &end, err));
        *skipped += 1;
    }
    return MR_OK;
}

enum mr_status archive_source_decode(struct archive_source *source,
                                     const struct archive_entry *entry, void *value,
                                     struct mr_err *err)
{
    struct mr_err why = {0};

    MR_ASSERT(entry->kind == ARCHIVE_RECORD);
    if (mr_resolution_decode(source->values, entry->value, source->arena, value, &why) != MR_OK) {
        source->left++; /* it is this one */
        return wrong_record(source, &why, err);
    }
    return MR_OK;
}

void archive_source_close(struct archive_source *source)
{
    ocf_read_close(&source->reader);
    archive_shape_fini(&source->shape);
    mr_resolution_destroy(&source->values);
    if (source->arena != NULL) {
        mr_arena_destroy(&source->arena);
    }
}
