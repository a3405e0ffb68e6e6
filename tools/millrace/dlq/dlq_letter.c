/* dlq_letter.c -- see dlq_letter.h. */
#include "dlq_letter.h"

#include "runtime/codec/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

#define CATCH_UP_US (20 * MR_SECOND_US)

/* ---- reading one ------------------------------------------------------------------------------
 */

static void copy_text(char *to, size_t bytes, struct mr_slice from)
{
    const size_t len = from.len < bytes - 1 ? from.len : bytes - 1;

    if (len > 0) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

/* MR_OFFSET_NONE when it is no number. */
static int64_t number_of(struct mr_slice text)
{
    char digits[24];
    int64_t value = 0;
    struct mr_err ignored;

    copy_text(digits, sizeof digits, text);
    return mr_parse_int(digits, &value, &ignored) == MR_OK && value >= 0 ? value : MR_OFFSET_NONE;
}

static void take_header(struct dlq_letter *letter, const struct mr_header *header)
{
    const struct {
        const char *name;
        char *to;
        size_t bytes;
    } texts[] = {
        {"millrace.source.topic", letter->source_topic, sizeof letter->source_topic},
        {"millrace.stage", letter->stage, sizeof letter->stage},
        {"millrace.error", letter->code, sizeof letter->code},
        {"millrace.error.class", letter->class_name, sizeof letter->class_name},
        {"millrace.error.text", letter->text, sizeof letter->text},
    };

    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        if (strcmp(header->name, texts[i].name) == 0) {
            copy_text(texts[i].to, texts[i].bytes, header->value);
        }
    }
    if (strcmp(header->name, "millrace.source.partition") == 0) {
        const int64_t partition = number_of(header->value);

        letter->source_partition = partition > INT32_MAX ? -1 : (int32_t)partition;
    } else if (strcmp(header->name, "millrace.source.offset") == 0) {
        letter->source_offset = number_of(header->value);
    } else if (strcmp(header->name, "millrace.value.bytes") == 0) {
        letter->left_out = number_of(header->value);
    }
}

void dlq_letter_read(const struct mr_message *message, struct dlq_letter *letter)
{
    size_t count;

    *letter = (struct dlq_letter){
        .message = message, .source_partition = -1, .source_offset = MR_OFFSET_NONE};
    count = mr_message_headers(message, letter->headers, MR_HEADERS_MAX);
    count = count < MR_HEADERS_MAX ? count : MR_HEADERS_MAX;
    letter->own_count = count;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(letter->headers[i].name, "millrace.source.topic") == 0) {
            letter->own_count = i;
        }
    }
    for (size_t i = letter->own_count; i < count; i++) {
        take_header(letter, &letter->headers[i]);
    }
    letter->is_letter = letter->source_topic[0] != '\0' && letter->source_partition >= 0 &&
                        letter->source_offset >= 0;
}

const char *dlq_time_text(int64_t ms, char text[DLQ_TIME_BYTES])
{
    _Static_assert(DLQ_TIME_BYTES >= MR_JSON_TIME_BYTES, "it is written by the JSON writer");
    return mr_json_time_format(ms * MR_MS_US, text) ? text : "?";
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

enum mr_status dlq_filter_place(const char *text, struct dlq_filter *filter, struct mr_err *err)
{
    const char *colon = strchr(text, ':');
    struct mr_err ignored;
    int64_t partition = 0;
    char digits[24];

    filter->one = text[0] != '\0';
    if (!filter->one) {
        return MR_OK;
    }
    if (colon != NULL) {
        copy_text(digits, sizeof digits, mr_slice_of(text, (size_t)(colon - text)));
    }
    if (colon == NULL || mr_parse_int(digits, &partition, &ignored) != MR_OK || partition < 0 ||
        partition > INT32_MAX || mr_parse_int(colon + 1, &filter->offset, &ignored) != MR_OK ||
        filter->offset < 0) {
        return mr_fail(err, MR_CONFIG, "--offset is a letter's PARTITION:OFFSET, like 0:17");
    }
    filter->partition = (int32_t)partition;
    return MR_OK;
}

bool dlq_filter_takes(const struct dlq_filter *filter, const struct dlq_letter *letter)
{
    return (!filter->one || (letter->message->partition == filter->partition &&
                             letter->message->offset == filter->offset)) &&
           (filter->stage[0] == '\0' || strcmp(filter->stage, letter->stage) == 0) &&
           (filter->code[0] == '\0' || strcmp(filter->code, letter->code) == 0);
}

static bool is_named(const struct mr_topology *topology, const struct mr_topic *topic,
                     const char *name)
{
    char full[DLQ_TEXT_BYTES];

    (void)snprintf(full, sizeof full, "%s.%s.dlq", topology->application, name);
    return strcmp(topic->name, name) == 0 || strcmp(topic->name, full) == 0;
}

static enum mr_status unknown(const struct mr_topology *topology, const char *name,
                              struct mr_err *err)
{
    struct mr_buffer names = MR_BUFFER_EMPTY;
    enum mr_status status;

    for (size_t i = 0; i < topology->topic_count; i++) {
        if (topology->topics[i].kind == MR_TOPIC_DEAD_LETTER) {
            mr_buffer_printf(&names, "%s%s", names.len == 0 ? "" : ", ", topology->topics[i].name);
        }
    }
    status = mr_fail(err, MR_CONFIG, "%s has no dead letters of %.60s; there are %.*s",
                     topology->file, name, (int)names.len, (const char *)names.data);
    mr_buffer_fini(&names);
    return status;
}

enum mr_status dlq_find(const struct mr_topology *topology, const char *name,
                        const struct mr_topic **topic, struct mr_err *err)
{
    for (size_t i = 0; i < topology->topic_count; i++) {
        const struct mr_topic *at = &topology->topics[i];

        if (at->kind == MR_TOPIC_DEAD_LETTER && is_named(topology, at, name)) {
            *topic = at;
            return MR_OK;
        }
    }
    return unknown(topology, name, err);
}

/* ---- reading all ------------------------------------------------------------------------------
 */

struct each {
    dlq_visit *visit;
    void *arg;
};

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *err)
{
    const struct each *each = arg;
    struct dlq_letter letter;

    dlq_letter_read(record->message, &letter);
    return each->visit(each->arg, &letter, err);
}

enum mr_status dlq_each(const struct load_env *env, const char *topic, dlq_visit *visit, void *arg,
                        struct mr_err *err)
{
    struct each each = {.visit = visit, .arg = arg};
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_feed_open(env, &feed, err));
    status = load_feed_add(
        feed, &(struct load_source){.topic = topic, .visit = on_record, .arg = &each}, err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, CATCH_UP_US, err);
    }
    load_feed_close(&feed);
    return status;
}
