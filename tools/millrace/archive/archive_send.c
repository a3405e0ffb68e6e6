/* archive_send.c -- the second reading of an import: its records into the topic. */
#include "archive_import.h"
#include "archive_progress.h"
#include "exact_send.h"
#include "millrace/arena.h"
#include "millrace/partition.h"
#include "topic_key.h"

#include <inttypes.h>
#include <stdlib.h>

#define RATE_UNIT_US INT64_C(1000000000000) /* a rate is records per so many */
#define WAIT_US (50 * MR_MS_US)

struct sending {
    struct archive_import *import;
    struct exact_sender sender;
    int topic; /* of the sender's producer */
    struct mr_binding binding;
    void *value; /* struct_bytes */
    struct mr_buffer framed;
    int64_t at; /* records of the archive that have been sent, committed or not */
    int64_t began_us;
    int64_t began_at;
    struct archive_progress progress;
};

static enum mr_status commit(struct sending *s, struct mr_err *err)
{
    const struct mr_topic_partition place = {.topic = s->import->topic->name, .offset = s->at};

    MR_TRY(exact_commit(&s->sender, &place, 1, err));
    s->import->sent = s->at;
    return MR_OK;
}

/* Waits until the next record is due; what is open is not kept open for it. */
static enum mr_status keep_rate(struct sending *s, struct mr_err *err)
{
    const int64_t rate = s->import->options->rate_micro;
    const struct mr_clock *clock = s->import->env->clock;

    if (rate == 0) {
        return MR_OK;
    }
    for (;;) {
        const mr_i128 elapsed_us = mr_clock_monotonic_us(clock) - s->began_us;

        if ((mr_i128)(s->at - s->began_at) * RATE_UNIT_US <= elapsed_us * rate) {
            return MR_OK;
        }
        if (exact_full(&s->sender)) {
            MR_TRY(commit(s, err));
        }
        mr_clock_wait_us(clock, WAIT_US);
    }
}

static enum mr_status frame(struct sending *s, struct archive_source *source,
                            const struct archive_entry *entry, struct mr_slice *value,
                            struct mr_err *err)
{
    *value = entry->value;
    if (entry->kind != ARCHIVE_RECORD) {
        return MR_OK;
    }
    memset(s->value, 0, s->binding.schema->struct_bytes);
    MR_TRY(archive_source_decode(source, entry, s->value, err));
    mr_buffer_clear(&s->framed);
    (void)mr_buffer_reserve(&s->framed, mr_codec_framed_bytes_max(&s->binding, s->value));
    s->framed.len = mr_codec_encode(&s->binding, s->value, s->framed.data);
    *value = mr_buffer_slice(&s->framed);
    return MR_OK;
}

static int32_t partition_of(const struct sending *s, const struct archive_entry *entry)
{
    if (!s->import->options->repartition) {
        return entry->partition;
    }
    return entry->has_key ? mr_partition_of(topic_key_partitioning(s->import->topic, entry->key),
                                            s->import->partitions)
                          : entry->partition % s->import->partitions;
}

static enum mr_status send_record(struct sending *s, struct archive_source *source,
                                  const struct archive_entry *entry, struct mr_err *err)
{
    struct mr_outgoing record = {.topic = s->topic,
                                 .partition = partition_of(s, entry),
                                 .timestamp_ms = entry->timestamp_ms,
                                 .key = entry->key,
                                 .has_value = entry->kind != ARCHIVE_TOMBSTONE,
                                 .headers = entry->headers,
                                 .header_count = entry->header_count};

    MR_TRY(keep_rate(s, err));
    MR_TRY(frame(s, source, entry, &record.value, err));
    MR_TRY(exact_send(&s->sender, &record, err));
    s->at++;
    if (exact_full(&s->sender)) {
        MR_TRY(commit(s, err));
    }
    archive_progress_show(&s->progress, source->path, s->at);
    return MR_OK;
}

/* skip: records of this file that are there already. */
static enum mr_status send_file(struct sending *s, const struct archive_import_file *file,
                                int64_t skip, struct mr_err *err)
{
    struct archive_source source;
    int64_t skipped = 0;
    bool end = false;
    enum mr_status status = archive_source_open(&source, file->path, s->import->topic->schema, err);

    if (status == MR_OK && skip > 0) {
        status = archive_source_skip(&source, skip, &skipped, err);
    }
    while (status == MR_OK && !end) {
        struct archive_entry entry;

        status = archive_source_next(&source, &entry, &end, err);
        if (status == MR_OK && !end) {
            status = send_record(s, &source, &entry, err);
        }
    }
    archive_source_close(&source);
    return status;
}

static enum mr_status send_files(struct sending *s, struct mr_err *err)
{
    int64_t before = 0; /* records of the files in front */

    for (size_t i = 0; i < s->import->file_count; i++) {
        const struct archive_import_file *file = &s->import->files[i];

        if (s->at < before + file->records) {
            MR_TRY(send_file(s, file, s->at - before, err));
        }
        before += file->records;
    }
    return commit(s, err);
}

static enum mr_status attempt(void *arg, struct mr_err *err)
{
    struct sending *s = arg;
    struct archive_import *import = s->import;
    enum mr_status status = exact_open(&s->sender, import->env, import->group, err);

    if (status == MR_OK) {
        status = mr_producer_topic(s->sender.producer, import->topic->name, &s->topic, NULL, err);
    }
    if (status == MR_OK) {
        status = archive_position(import, &s->at, err);
    }
    if (status == MR_OK) {
        import->sent = s->at;
        s->began_at = s->at;
        s->began_us = mr_clock_monotonic_us(import->env->clock);
        status = send_files(s, err);
    }
    exact_close(&s->sender);
    return status;
}

enum mr_status archive_import_send(struct archive_import *import, struct mr_err *err)
{
    struct sending s = {.import = import};
    const struct mr_topic *topic = import->topic;
    enum mr_status status = MR_OK;

    import->sent = import->resumed_at;
    if (import->resumed_at == import->total) {
        return MR_OK;
    }
    if (topic->schema != NULL) {
        status = mr_codec_bind(import->env->codec, topic->schema, topic->subject, &s.binding, err);
        s.value = mr_xcalloc(1, topic->schema->struct_bytes);
    }
    archive_progress_begin(&s.progress, import->env, "import", import->resumed_at, import->total);
    if (status == MR_OK) {
        status = exact_retry(import->env, attempt, &s, &import->sent, err);
    }
    load_progress_end(import->env);
    mr_buffer_fini(&s.framed);
    free(s.value);
    return status;
}
