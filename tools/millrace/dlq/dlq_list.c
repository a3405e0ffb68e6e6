/* dlq_list.c -- see dlq_list.h. */
#include "dlq_list.h"

#include "dlq_replay.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct counting {
    struct dlq_summary *summary;
    struct dlq_marks marks[LOAD_PARTITIONS_MAX];
};

static struct dlq_kind *kind_of(struct dlq_summary *summary, const struct dlq_letter *letter)
{
    const char *stage = letter->is_letter ? letter->stage : "?";
    const char *code = letter->is_letter ? letter->code : "no dead letter";
    struct dlq_kind *kind;

    for (size_t i = 0; i < summary->kind_count; i++) {
        kind = &summary->kinds[i];
        if (strcmp(kind->stage, stage) == 0 && strcmp(kind->code, code) == 0) {
            return kind;
        }
    }
    if (summary->kind_count == DLQ_KINDS_MAX) {
        kind = &summary->kinds[DLQ_KINDS_MAX - 1];
        (void)snprintf(kind->stage, sizeof kind->stage, "others");
        (void)snprintf(kind->code, sizeof kind->code, "others");
        return kind;
    }
    kind = &summary->kinds[summary->kind_count++];
    (void)snprintf(kind->stage, sizeof kind->stage, "%s", stage);
    (void)snprintf(kind->code, sizeof kind->code, "%s", code);
    return kind;
}

static enum mr_status on_letter(void *arg, const struct dlq_letter *letter, struct mr_err *err)
{
    struct counting *counting = arg;
    struct dlq_summary *summary = counting->summary;
    const int64_t ms = letter->message->timestamp_ms;

    (void)err;
    if (summary->count++ == 0) {
        summary->oldest_ms = ms;
        summary->newest_ms = ms;
    }
    summary->oldest_ms = ms < summary->oldest_ms ? ms : summary->oldest_ms;
    summary->newest_ms = ms > summary->newest_ms ? ms : summary->newest_ms;
    if (dlq_marks_have(&counting->marks[letter->message->partition], letter->message->offset)) {
        summary->replayed++;
    }
    kind_of(summary, letter)->count++;
    return MR_OK;
}

enum mr_status dlq_summarize(const struct load_env *env, const struct mr_topic *topic,
                             struct dlq_summary *summary, struct mr_err *err)
{
    struct counting *counting = mr_xcalloc(1, sizeof *counting);
    enum mr_status status;

    memset(summary, 0, sizeof *summary);
    summary->topic = topic;
    counting->summary = summary;
    status = dlq_replayed(env, topic, counting->marks, err);
    if (status == MR_OK) {
        status = dlq_each(env, topic->name, on_letter, counting, err);
    }
    for (size_t p = 0; p < LOAD_PARTITIONS_MAX; p++) {
        dlq_marks_fini(&counting->marks[p]);
    }
    free(counting);
    return status;
}

void dlq_summary_text(const struct dlq_summary *summary, struct mr_buffer *out)
{
    char oldest[DLQ_TIME_BYTES];
    char newest[DLQ_TIME_BYTES];

    mr_buffer_printf(out, "%s: %" PRId64 " letters", summary->topic->name, summary->count);
    if (summary->count > 0) {
        mr_buffer_printf(out, ", oldest %s, newest %s, %" PRId64 " replayed",
                         dlq_time_text(summary->oldest_ms, oldest),
                         dlq_time_text(summary->newest_ms, newest), summary->replayed);
    }
    mr_buffer_printf(out, "\n");
    for (size_t i = 0; i < summary->kind_count; i++) {
        mr_buffer_printf(out, "  %-16s %-16s %" PRId64 "\n", summary->kinds[i].code,
                         summary->kinds[i].stage, summary->kinds[i].count);
    }
}

void dlq_summary_json(const struct dlq_summary *summary, struct mr_buffer *out)
{
    char time[DLQ_TIME_BYTES];
    json_t *root = json_object();
    json_t *kinds = json_array();
    char *text;

    json_object_set_new(root, "topic", json_string(summary->topic->name));
    json_object_set_new(root, "count", json_integer(summary->count));
    json_object_set_new(root, "replayed", json_integer(summary->replayed));
    json_object_set_new(root, "oldest",
                        summary->count == 0 ? json_null()
                                            : json_string(dlq_time_text(summary->oldest_ms, time)));
    json_object_set_new(root, "newest",
                        summary->count == 0 ? json_null()
                                            : json_string(dlq_time_text(summary->newest_ms, time)));
    for (size_t i = 0; i < summary->kind_count; i++) {
        json_array_append_new(kinds, json_pack("{s:s, s:s, s:I}", "code", summary->kinds[i].code,
                                               "stage", summary->kinds[i].stage, "count",
                                               (json_int_t)summary->kinds[i].count));
    }
    json_object_set_new(root, "by", kinds);
    text = json_dumps(root, JSON_COMPACT);
    MR_ASSERT(text != NULL);
    mr_buffer_printf(out, "%s", text);
    free(text);
    json_decref(root);
}
