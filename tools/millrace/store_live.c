/* store_live.c -- stores of running processes, over HTTP (run_see.c has the paths). */
#include "ask_http.h"
#include "line_text.h"
#include "millrace/arena.h"
#include "store_source.h"

#include <inttypes.h>
#include <stdlib.h>

#define PAGE_ROWS_MAX ((size_t)500)

struct live {
    struct store_source base;
    struct see_processes processes; /* those that answered */
    size_t *process;                /* by partition: which has it ready */
    json_t *stats;                  /* rows of all of them */
};

static struct live *live_of(struct store_source *source)
{
    return (struct live *)source;
}

/* "/store/get?stage=..&store=..", ready for more. */
static void begin_path(const struct store_subject *subject, const char *path, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s?", path);
    if (subject->stage != SIZE_MAX) {
        const struct mr_stage_node *stage = &subject->topology->stages[subject->stage];

        mr_buffer_printf(out, "stage=");
        ask_http_escape(stage->name, out);
        if (subject->store != SIZE_MAX) {
            mr_buffer_printf(out, "&store=");
            ask_http_escape(stage->type->stores[subject->store].name, out);
        }
    }
}

static void add_hex(const char *name, struct mr_slice bytes, struct mr_buffer *path)
{
    mr_buffer_printf(path, "&%s=", name);
    for (size_t i = 0; i < bytes.len; i++) {
        mr_buffer_printf(path, "%02x", bytes.data[i]);
    }
}

static enum mr_status ask_json(const char *address, struct mr_buffer *path, json_t **answer,
                               struct mr_err *err)
{
    struct mr_buffer body = MR_BUFFER_EMPTY;
    enum mr_status status;

    *answer = NULL;
    mr_buffer_append(path, "", 1);
    status = ask_http(address, (const char *)path->data, &body, err);
    if (status == MR_OK) {
        *answer = json_loadb((const char *)body.data, body.len, 0, NULL);
        status = *answer != NULL
                     ? MR_OK
                     : mr_fail(err, MR_UNAVAILABLE, "%s: its answer is no JSON", address);
    }
    mr_buffer_fini(&body);
    mr_buffer_fini(path);
    return status;
}

static bool hand_over(json_t *row, store_visit *visit, void *arg)
{
    char *text = json_dumps(row, JSON_COMPACT);
    const bool more = visit(arg, mr_slice_str(text));

    free(text);
    return more;
}

/* ---- opening --------------------------------------------------------------------------------- */

static const char *state_name(const char *state)
{
    static const char *const names[] = {"assigning", "opening", "catching-up", "standby"};

    for (size_t i = 0; i < MR_COUNT(names); i++) {
        if (strcmp(names[i], state) == 0) {
            return names[i];
        }
    }
    return NULL;
}

static void note_partitions(struct live *live, size_t process, const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const json_int_t partition = json_integer_value(json_object_get(row, "partition"));
        const char *state = json_string_value(json_object_get(row, "state"));

        (void)json_array_append(live->stats, row);
        if (live->base.here != NULL && partition >= 0 && partition < live->base.partitions &&
            (!live->base.here[partition] || live->base.state[partition] != NULL)) {
            live->base.here[partition] = true;
            live->base.state[partition] = state == NULL ? NULL : state_name(state);
            live->process[partition] = process;
        }
    }
}

static enum mr_status ask_stats(struct live *live, const char *address, struct mr_err *err)
{
    struct mr_buffer path = MR_BUFFER_EMPTY;
    json_t *answer;

    begin_path(&live->base.subject, "/store/stats", &path);
    MR_TRY(ask_json(address, &path, &answer, err));
    (void)snprintf(live->processes.addresses[live->processes.count], SEE_ADDRESS_BYTES, "%s",
                   address);
    note_partitions(live, live->processes.count++, json_object_get(answer, "rows"));
    json_decref(answer);
    return MR_OK;
}

/* ---- what is asked --------------------------------------------------------------------------- */

static enum mr_status get(struct store_source *base, const struct mr_key *key, store_visit *visit,
                          void *arg, size_t *found, struct mr_err *err)
{
    struct live *live = live_of(base);

    for (size_t i = 0; i < live->processes.count; i++) {
        struct mr_buffer path = MR_BUFFER_EMPTY;
        const json_t *tasks;
        json_t *answer;
        enum mr_status status;

        begin_path(&base->subject, "/store/get", &path);
        add_hex("key", mr_key_slice(key), &path);
        mr_buffer_printf(&path, "&partition=%" PRId32, base->subject.partition);
        status = ask_json(live->processes.addresses[i], &path, &answer, err);
        if (status == MR_CONFIG && live->processes.count > 1) {
            continue; /* another group's process */
        }
        MR_TRY(status);
        tasks = json_object_get(answer, "tasks");
        for (size_t t = 0; t < json_array_size(tasks); t++) {
            json_t *task = json_array_get(tasks, t);

            if (json_is_true(json_object_get(task, "found"))) {
                (*found)++;
                (void)hand_over(json_object_get(task, "row"), visit, arg);
            }
        }
        json_decref(answer);
    }
    return MR_OK;
}

static enum mr_status read_page(struct live *live, struct store_range *range, bool *more,
                                struct mr_err *err)
{
    struct mr_buffer path = MR_BUFFER_EMPTY;
    const size_t left = range->limit - range->rows;
    const size_t limit = left < PAGE_ROWS_MAX ? left : PAGE_ROWS_MAX;
    uint8_t next[MR_KEY_BYTES_MAX + 1];
    size_t next_len = 0;
    const char *hex;
    json_t *answer;
    json_t *rows;

    begin_path(&live->base.subject, "/store/scan", &path);
    mr_buffer_printf(&path, "&partition=%" PRId32 "&limit=%zu", range->partition, limit);
    add_hex("from", range->next.len > 0 ? mr_buffer_slice(&range->next) : range->from, &path);
    add_hex("to", range->to, &path);
    MR_TRY(
        ask_json(live->processes.addresses[live->process[range->partition]], &path, &answer, err));
    rows = json_object_get(answer, "rows");
    *more = true;
    for (size_t i = 0; i < json_array_size(rows) && *more; i++) {
        range->rows++;
        *more = hand_over(json_array_get(rows, i), range->visit, range->arg);
    }
    hex = json_string_value(json_object_get(answer, "next"));
    mr_buffer_clear(&range->next);
    if (hex != NULL && line_hex_parse(hex, next, sizeof(next), &next_len)) {
        mr_buffer_append(&range->next, next, next_len);
    }
    *more = *more && range->next.len > 0 && range->rows < range->limit;
    json_decref(answer);
    return MR_OK;
}

static enum mr_status scan(struct store_source *base, struct store_range *range, struct mr_err *err)
{
    bool more = true;

    while (more) {
        MR_TRY(read_page(live_of(base), range, &more, err));
    }
    return MR_OK;
}

static enum mr_status stats(struct store_source *base, json_t **rows, struct mr_err *err)
{
    (void)err;
    *rows = json_incref(live_of(base)->stats);
    return MR_OK;
}

static void close_live(struct store_source *base)
{
    struct live *live = live_of(base);

    json_decref(live->stats);
    free(live->process);
    free(live);
}

enum mr_status store_live_open(const struct store_subject *subject,
                               const struct see_processes *processes, struct store_source **source,
                               struct mr_err *err)
{
    static const struct store_source_ops ops = {
        .get = get, .scan = scan, .stats = stats, .close = close_live};
    struct live *live = mr_xcalloc(1, sizeof(*live));
    enum mr_status status = MR_OK;

    store_source_init(&live->base, &ops, subject);
    live->base.kind = "running";
    live->stats = json_array();
    live->process = mr_xcalloc((size_t)live->base.partitions + 1, sizeof(*live->process));
    for (size_t i = 0; i < processes->count; i++) {
        const enum mr_status asked = ask_stats(live, processes->addresses[i], err);

        status = asked == MR_OK ? status : asked;
    }
    (void)see_processes_text(&live->processes, live->base.where, sizeof(live->base.where));
    *source = &live->base;
    if (live->processes.count == 0) {
        store_source_close(source);
        return status;
    }
    return MR_OK;
}
