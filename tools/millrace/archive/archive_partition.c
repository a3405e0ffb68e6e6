/* archive_partition.c -- one partition into one file. See archive_export.h. */
#include "archive_entry.h"
#include "archive_export.h"
#include "millrace/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 128
#define POLL_US (100 * MR_MS_US)
#define PATIENCE_US (20 * MR_SECOND_US) /* without a record, though there are some */
#define ARENA_BYTES ((size_t)64 * 1024)
#define META_COUNT 16
#define META_TEXT_BYTES 96

/* Everything one file is written with. */
struct writing {
    const struct archive_export *export;
    struct archive_written *file;
    const struct mr_schema *schema; /* of the values; NULL: bytes */
    struct mr_binding binding;
    struct ocf_writer *out;
    struct mr_arena *arena;
    void *value; /* struct_bytes */
    struct mr_buffer encoded;
    struct mr_buffer entry;
    struct mr_header *headers;
    size_t header_capacity;
};

static const struct mr_topic *topic_of(const struct archive_export *export,
                                       const struct archive_written *file)
{
    return &export->env->topology->topics[file->topic];
}

static const struct mr_schema *schema_of(const struct archive_export *export,
                                         const struct archive_written *file)
{
    return export->options->raw ? NULL : topic_of(export, file)->schema;
}

/* ---- metadata ---------------------------------------------------------------------------------
 */

/* Texts that the metadata points into. */
struct meta_texts {
    char text[META_COUNT][META_TEXT_BYTES];
    size_t count;
};

static struct ocf_meta text_meta(const char *name, const char *text)
{
    return (struct ocf_meta){.name = name, .value = mr_slice_str(text)};
}

static struct ocf_meta int_meta(struct meta_texts *texts, const char *name, int64_t value)
{
    char *text = texts->text[texts->count++];

    (void)snprintf(text, META_TEXT_BYTES, "%" PRId64, value);
    return text_meta(name, text);
}

static void schema_digest(const struct mr_schema *schema, char hex[ARCHIVE_HEX_BYTES])
{
    struct sha256 sha;

    sha256_init(&sha);
    sha256_add(&sha, schema->json, strlen(schema->json));
    archive_hex(&sha, hex);
}

/*
 * What does not depend on the moment of the export; a file that is kept must have the same.
 * META_COUNT places; returns how many are used.
 */
static size_t identity_meta(const struct archive_export *export, const struct archive_written *file,
                            struct meta_texts *texts, struct ocf_meta *meta)
{
    const struct mr_topic *topic = topic_of(export, file);
    const struct mr_schema *schema = schema_of(export, file);
    const struct archive_export_options *options = export->options;
    size_t n = 0;

    meta[n++] = text_meta("millrace.application", export->env->topology->application);
    meta[n++] = text_meta("millrace.topic", topic->name);
    meta[n++] = int_meta(texts, "millrace.partition", file->partition);
    meta[n++] = int_meta(texts, "millrace.partitions", file->partitions);
    meta[n++] = int_meta(texts, "millrace.from-offset", file->from_offset);
    if (schema != NULL) {
        char *hex = texts->text[texts->count++];

        schema_digest(schema, hex);
        meta[n++] = text_meta("millrace.subject", topic->subject);
        meta[n++] = text_meta("millrace.schema-sha256", hex);
    }
    if (options->from.kind == ARCHIVE_TIME) {
        meta[n++] = int_meta(texts, "millrace.from-time", options->from.value);
    }
    if (options->to.kind == ARCHIVE_TIME) {
        meta[n++] = int_meta(texts, "millrace.to-time", options->to.value);
    }
    return n;
}

static enum mr_status open_file(struct writing *w, FILE *stream, const char *path,
                                struct mr_err *err)
{
    struct ocf_meta meta[META_COUNT + 8];
    struct meta_texts texts = {.count = 0};
    struct mr_buffer schema = MR_BUFFER_EMPTY;
    size_t count = identity_meta(w->export, w->file, &texts, meta);
    enum mr_status status;

    meta[count++] = int_meta(&texts, "millrace.to-offset", w->file->to_offset);
    if (w->schema != NULL) {
        meta[count++] = int_meta(&texts, "millrace.schema-id", w->binding.id);
    }
    count += archive_counts_meta(meta + count);
    archive_schema_write(w->schema == NULL ? NULL : w->schema->json, &schema);
    status = ocf_write_open(stream, path,
                            &(struct ocf_write_options){.codec = w->export->options->codec,
                                                        .schema = (const char *)schema.data,
                                                        .meta = meta,
                                                        .meta_count = count},
                            &w->out, err);
    mr_buffer_fini(&schema);
    return status;
}

/* A file that ends before the range does is of a run that saw less of the topic. */
static bool same_file(const struct archive_export *export, const struct archive_written *file,
                      const struct ocf_reader *reader, int64_t to_offset)
{
    struct ocf_meta meta[META_COUNT];
    struct meta_texts texts = {.count = 0};
    const size_t count = identity_meta(export, file, &texts, meta);
    struct mr_slice value;

    for (size_t i = 0; i < count; i++) {
        if (!ocf_read_meta(reader, meta[i].name, &value) || !mr_slice_equal(value, meta[i].value)) {
            return false;
        }
    }
    if ((export->options->from.kind != ARCHIVE_TIME &&
         ocf_read_meta(reader, "millrace.from-time", &value)) ||
        (export->options->to.kind != ARCHIVE_TIME &&
         ocf_read_meta(reader, "millrace.to-time", &value)) ||
        (schema_of(export, file) == NULL && ocf_read_meta(reader, "millrace.subject", &value))) {
        return false;
    }
    return to_offset == file->to_offset ||
           (export->options->to.kind != ARCHIVE_OFFSET && to_offset < file->to_offset);
}

bool archive_partition_kept(const struct archive_export *export, struct archive_written *file)
{
    char path[ARCHIVE_PATH_BYTES];
    struct ocf_reader *reader = NULL;
    struct mr_err ignored;
    int64_t to_offset = 0;
    FILE *stream;
    bool kept;

    if (archive_path(export->options->directory, file->name, path, &ignored) != MR_OK) {
        return false;
    }
    stream = fopen(path, "rb");
    if (stream == NULL || ocf_read_open(stream, path, &reader, &ignored) != MR_OK) {
        return false;
    }
    kept = archive_meta_int(reader, "millrace.to-offset", &to_offset) &&
           same_file(export, file, reader, to_offset) && archive_counts_read(reader, &file->counts);
    ocf_read_close(&reader);
    if (kept) {
        file->to_offset = to_offset;
        file->kept = true;
    }
    return kept;
}

/* ---- records ----------------------------------------------------------------------------------
 */

static size_t read_headers(struct writing *w, const struct mr_message *message)
{
    size_t count = mr_message_headers(message, w->headers, w->header_capacity);

    if (count > w->header_capacity) {
        w->header_capacity = count;
        w->headers = mr_xrealloc(w->headers, count * sizeof *w->headers);
        count = mr_message_headers(message, w->headers, count);
    }
    return count;
}

/* Fills in the entry's value. What cannot be decoded stays bytes; that is no failure. */
static enum mr_status take_value(struct writing *w, const struct mr_message *message,
                                 struct archive_entry *entry, struct mr_err *err)
{
    struct archive_counts *counts = &w->file->counts;
    int32_t id = 0;
    enum mr_status status;

    entry->kind = message->has_value ? ARCHIVE_BYTES : ARCHIVE_TOMBSTONE;
    entry->value = message->value;
    if (!message->has_value || w->schema == NULL) {
        return MR_OK;
    }
    mr_arena_reset(w->arena);
    memset(w->value, 0, w->schema->struct_bytes);
    status = mr_codec_decode(w->export->env->codec, &w->binding, message->value, w->arena, w->value,
                             err);
    if (mr_status_class(status) == MR_CLASS_POISON) {
        counts->unreadable++;
        return MR_OK;
    }
    MR_TRY(status);
    MR_TRY(mr_wire_schema_id(message->value, &id, err));
    entry->kind = ARCHIVE_RECORD;
    if (id == w->binding.id) {
        entry->value = mr_slice_of(message->value.data + MR_WIRE_HEADER_BYTES,
                                   message->value.len - MR_WIRE_HEADER_BYTES);
        return MR_OK;
    }
    counts->resolved++;
    mr_buffer_clear(&w->encoded);
    (void)mr_buffer_reserve(&w->encoded, w->schema->encoded_bytes_max(w->value));
    w->encoded.len = w->schema->encode(w->value, w->encoded.data);
    entry->value = mr_buffer_slice(&w->encoded);
    return MR_OK;
}

static bool wanted(const struct writing *w, const struct mr_message *message)
{
    const struct archive_export_options *options = w->export->options;

    return message->offset < w->file->to_offset &&
           (options->from.kind != ARCHIVE_TIME || message->timestamp_ms >= options->from.value) &&
           (options->to.kind != ARCHIVE_TIME || message->timestamp_ms < options->to.value);
}

static enum mr_status write_record(struct writing *w, const struct mr_message *message,
                                   struct mr_err *err)
{
    struct archive_counts *counts = &w->file->counts;
    struct archive_entry entry = {.partition = message->partition,
                                  .offset = message->offset,
                                  .timestamp_ms = message->timestamp_ms,
                                  .has_key = message->key.data != NULL,
                                  .key = message->key};

    if (!wanted(w, message)) {
        return MR_OK;
    }
    entry.header_count = read_headers(w, message);
    entry.headers = w->headers;
    MR_TRY(take_value(w, message, &entry, err));
    archive_entry_write(&entry, w->schema != NULL, &w->entry);
    if (counts->records++ == 0) {
        counts->first_offset = message->offset;
    }
    counts->last_offset = message->offset;
    return ocf_write_add(w->out, mr_buffer_slice(&w->entry), err);
}

/* Up to the end of the range; waits PATIENCE_US for a record at most. */
static enum mr_status copy_records(struct writing *w, struct mr_reader *reader,
                                   void (*moved)(void *arg, int64_t offset), void *arg,
                                   struct mr_err *err)
{
    const struct load_env *env = w->export->env;
    const char *topic = topic_of(w->export, w->file)->name;
    int64_t since_us = mr_clock_monotonic_us(env->clock);

    while (mr_reader_position(reader, topic, w->file->partition) < w->file->to_offset) {
        struct mr_message messages[BATCH];
        size_t count = 0;
        enum mr_status status = mr_reader_poll(reader, POLL_US, messages, BATCH, &count, err);

        if (status == MR_UNAVAILABLE || status == MR_TIMEOUT) {
            status = MR_OK; /* PATIENCE_US decides */
        }
        for (size_t i = 0; i < count; i++) {
            if (status == MR_OK) {
                status = write_record(w, &messages[i], err);
            }
            mr_message_release(&messages[i]);
        }
        MR_TRY(status);
        if (count > 0) {
            since_us = mr_clock_monotonic_us(env->clock);
        } else if (mr_clock_monotonic_us(env->clock) - since_us > PATIENCE_US) {
            return mr_fail(err, MR_TIMEOUT, "%s gives no more records of %s, partition %" PRId32,
                           mr_log_address(env->log), topic, w->file->partition);
        }
        moved(arg, mr_reader_position(reader, topic, w->file->partition));
    }
    return MR_OK;
}

static enum mr_status read_partition(struct writing *w, void (*moved)(void *arg, int64_t offset),
                                     void *arg, struct mr_err *err)
{
    struct mr_reader *reader = NULL;
    enum mr_status status;

    if (w->file->from_offset >= w->file->to_offset) {
        return MR_OK;
    }
    MR_TRY(mr_reader_open(w->export->env->log, MR_READER_CATCHES_UP_US, &reader, err));
    status = mr_reader_add(reader, topic_of(w->export, w->file)->name, w->file->partition,
                           w->file->from_offset, err);
    if (status == MR_OK) {
        status = copy_records(w, reader, moved, arg, err);
    }
    mr_reader_close(&reader);
    return status;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static enum mr_status finish_file(struct writing *w, const char *temporary, const char *path,
                                  struct mr_err *err)
{
    MR_TRY(ocf_write_finish(w->out, err));
    MR_TRY(archive_counts_write(w->out, &w->file->counts, err));
    MR_TRY(ocf_write_finish(w->out, err));
    return rename(temporary, path) == 0
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot rename %s: %s", temporary, strerror(errno));
}

static enum mr_status prepare(struct writing *w, struct mr_err *err)
{
    const struct mr_topic *topic = topic_of(w->export, w->file);

    w->schema = schema_of(w->export, w->file);
    w->file->counts = (struct archive_counts){.first_offset = -1, .last_offset = -1};
    if (w->schema == NULL) {
        return MR_OK;
    }
    w->arena = mr_arena_create(ARENA_BYTES);
    w->value = mr_xcalloc(1, w->schema->struct_bytes);
    return mr_codec_bind(w->export->env->codec, w->schema, topic->subject, &w->binding, err);
}

static void release(struct writing *w)
{
    ocf_write_close(&w->out);
    if (w->arena != NULL) {
        mr_arena_destroy(&w->arena);
    }
    free(w->value);
    free(w->headers);
    mr_buffer_fini(&w->encoded);
    mr_buffer_fini(&w->entry);
}

enum mr_status archive_partition_write(const struct archive_export *export,
                                       struct archive_written *file,
                                       void (*moved)(void *arg, int64_t offset), void *arg,
                                       struct mr_err *err)
{
    struct writing w = {.export = export, .file = file};
    char path[ARCHIVE_PATH_BYTES];
    char temporary[ARCHIVE_PATH_BYTES + 4];
    FILE *stream;
    enum mr_status status;

    MR_TRY(archive_path(export->options->directory, file->name, path, err));
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
    stream = fopen(temporary, "wb");
    if (stream == NULL) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", temporary, strerror(errno));
    }
    status = prepare(&w, err);
    if (status != MR_OK) {
        (void)fclose(stream);
    } else {
        status = open_file(&w, stream, temporary, err);
    }
    if (status == MR_OK) {
        status = read_partition(&w, moved, arg, err);
    }
    if (status == MR_OK) {
        status = finish_file(&w, temporary, path, err);
    }
    release(&w);
    if (status != MR_OK) {
        (void)unlink(temporary);
    }
    return status;
}
