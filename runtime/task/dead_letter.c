/*
 * dead_letter.c -- a record that no attempt can process: its bytes as they were, and why.
 *
 * The dead letter is an output of the transaction like any other, so that a record is either
 * processed or dead-lettered, once. Its own headers stay, as many as there is room for; ours come
 * after them. A value that would not fit is left out: its size is said, and the coordinates find
 * the original.
 */
#include "task.h"

#include <stdio.h>

#define OWN_HEADERS 9
/* What surely fits a dead-letter topic (max.message.bytes 2 MiB) beside the headers. */
#define VALUE_BYTES_MAX ((size_t)2000000)

static struct mr_header text_header(const char *name, const char *text)
{
    return (struct mr_header){.name = name, .value = mr_slice_str(text)};
}

void dead_letter_add(struct outbox *outbox, const struct dead_letter_place *place,
                     const struct mr_message *message, const struct mr_err *err)
{
    struct mr_header headers[MR_HEADERS_MAX];
    size_t count = mr_message_headers(message, headers, MR_HEADERS_MAX - OWN_HEADERS);
    char partition_text[16];
    char offset_text[24];
    char timestamp_text[24];
    char bytes_text[24];
    struct mr_slice value = message->value;

    if (count > MR_HEADERS_MAX - OWN_HEADERS) {
        count = MR_HEADERS_MAX - OWN_HEADERS;
    }
    snprintf(partition_text, sizeof(partition_text), "%d", (int)message->partition);
    snprintf(offset_text, sizeof(offset_text), "%lld", (long long)message->offset);
    snprintf(timestamp_text, sizeof(timestamp_text), "%lld", (long long)message->timestamp_ms);
    headers[count++] = text_header("millrace.source.topic", message->topic);
    headers[count++] = text_header("millrace.source.partition", partition_text);
    headers[count++] = text_header("millrace.source.offset", offset_text);
    headers[count++] = text_header("millrace.source.timestamp-ms", timestamp_text);
    headers[count++] = text_header("millrace.stage", place->who);
    headers[count++] = text_header("millrace.error", mr_status_name(err->status));
    headers[count++] =
        text_header("millrace.error.class", mr_class_name(mr_status_class(err->status)));
    headers[count++] = text_header("millrace.error.text", err->text);
    if (value.len > VALUE_BYTES_MAX) {
        snprintf(bytes_text, sizeof(bytes_text), "%zu", value.len);
        headers[count++] = text_header("millrace.value.bytes", bytes_text);
        value.len = 0;
    }
    outbox_add(outbox, &(struct outbox_item){
                           .stage = place->stage,
                           .topic = place->topic,
                           .partition = place->partition,
                           .timestamp_ms = message->timestamp_ms,
                           .key = message->key,
                           .value = value,
                           .has_value = message->has_value,
                           .headers = headers,
                           .header_count = count,
                       });
}
