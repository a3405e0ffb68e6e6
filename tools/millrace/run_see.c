/*
 * run_see.c -- looking inside a running process over HTTP: /status, /store/..., /tap, and a page.
 *
 *   /                                           the graph with live figures, for a browser
 *   /status                                     everything in figures (run_status.c)
 *   /store/get?stage=&store=&key=HEX            one key; &partition=N: only there
 *   /store/scan?stage=&store=&partition=N       entries in order of keys, a page of at most limit=
 *                                               from=HEX (first key) to=HEX (behind the last)
 *   /store/stats                                a row of each store and partition; &stage= &store=
 *   /tap?topic=                                 what an edge in memory hands over (run_tap.c)
 *
 * Stores are read by the workers that own them, between two steps, and from what is committed.
 */
#include "run_see.h"

#include "graph_svg.h"
#include "line_text.h"
#include "page.h"
#include "run.h"
#include "store_key.h"
#include "store_row.h"

#include <inttypes.h>
#include <stdlib.h>

#define ANSWER_WAIT_US (2 * MR_SECOND_US)
#define PAGE_ROWS_DEFAULT 100

#define HTTP_BAD_REQUEST 400u
#define HTTP_FORBIDDEN 403u
#define HTTP_NOT_FOUND 404u
#define HTTP_UNAVAILABLE 503u

/* What a request is about; its names have been looked up. */
struct asked {
    size_t stage, store;
    int32_t partition;
    struct mr_key key, from, to;
    int64_t limit;
};

/* ---- what is asked --------------------------------------------------------------------------- */

static enum mr_status read_hex(const struct mr_http_request *request, const char *name,
                               struct mr_key *key, struct mr_err *err)
{
    const char *hex = mr_http_query(request, name);

    mr_key_begin(key);
    if (hex != NULL && !line_hex_parse(hex, key->bytes, sizeof(key->bytes), &key->len)) {
        return mr_fail(err, MR_CONFIG, "%s: hex of at most %zu bytes is wanted", name,
                       sizeof(key->bytes));
    }
    return MR_OK;
}

static enum mr_status read_number(const struct mr_http_request *request, const char *name,
                                  int64_t *value, struct mr_err *err)
{
    const char *text = mr_http_query(request, name);

    return text == NULL ? MR_OK : mr_parse_int(text, value, err);
}

static enum mr_status read_asked(const struct run_process *process,
                                 const struct mr_http_request *request, struct asked *asked,
                                 struct mr_err *err)
{
    const char *stage = mr_http_query(request, "stage");
    const char *store = mr_http_query(request, "store");
    int64_t partition = -1;

    *asked = (struct asked){.stage = SIZE_MAX, .store = SIZE_MAX, .limit = PAGE_ROWS_DEFAULT};
    if (stage != NULL) {
        asked->stage = mr_topology_find_stage(process->topology, stage);
        if (asked->stage == SIZE_MAX) {
            return mr_fail(err, MR_CONFIG, "%s has no stage %.100s", process->topology->file,
                           stage);
        }
    }
    if (store != NULL && asked->stage != SIZE_MAX) {
        asked->store = store_find(&process->topology->stages[asked->stage], store);
        if (asked->store == SIZE_MAX) {
            return mr_fail(err, MR_CONFIG, "stage %s has no store %.100s", stage, store);
        }
    }
    MR_TRY(read_number(request, "partition", &partition, err));
    MR_TRY(read_number(request, "limit", &asked->limit, err));
    if (partition < -1 || partition > INT32_MAX || asked->limit < 1) {
        return mr_fail(err, MR_CONFIG, "partition and limit are numbers from 0 and 1 on");
    }
    asked->partition = (int32_t)partition;
    MR_TRY(read_hex(request, "key", &asked->key, err));
    MR_TRY(read_hex(request, "from", &asked->from, err));
    return read_hex(request, "to", &asked->to, err);
}

/* ---- asking the workers ---------------------------------------------------------------------- */

struct rows {
    const struct mr_topology *topology;
    struct store_row_format format;
    struct mr_buffer *out;
    size_t written;
    size_t workers; /* that have answered */
    const struct asked *asked;
    const char *state;     /* SCAN: of the task; NULL: the partition is not here */
    struct mr_buffer next; /* SCAN: key that the next page begins with */
};

typedef void on_answer(struct rows *rows, const struct mr_answer *answer);

/* Every worker of the stage's group, or all of them when stage is SIZE_MAX. */
static enum mr_status ask_all(const struct run_process *process, const struct mr_question *question,
                              size_t stage, on_answer *take, struct rows *rows, struct mr_err *err)
{
    const struct mr_topology *topology = process->topology;

    for (size_t i = 0; i < process->unit_count; i++) {
        const struct run_unit *unit = &process->units[i];
        struct mr_answer *answer = NULL;

        if (unit->worker == NULL ||
            (stage != SIZE_MAX && unit->group != topology->stages[stage].group)) {
            continue;
        }
        MR_TRY(mr_worker_ask(unit->worker, question, ANSWER_WAIT_US, &answer, err));
        take(rows, answer);
        mr_answer_destroy(&answer);
        rows->workers++;
    }
    return MR_OK;
}

static void refuse(struct mr_http_answer *answer, enum mr_status status, const struct mr_err *err)
{
    mr_http_refuse(answer, status == MR_CONFIG ? HTTP_BAD_REQUEST : HTTP_UNAVAILABLE, err->text);
}

/* ---- stores ---------------------------------------------------------------------------------- */

static void comma(struct rows *rows)
{
    if (rows->written++ > 0) {
        mr_buffer_append(rows->out, ",\n", 2);
    }
}

static void add_tasks(struct rows *rows, const struct mr_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        comma(rows);
        mr_buffer_printf(rows->out,
                         "{\"partition\":%" PRId32 ",\"state\":\"%s\",\"found\":%s,\"row\":",
                         answer->rows[i].partition, answer->rows[i].state,
                         answer->rows[i].found ? "true" : "false");
        if (answer->rows[i].found) {
            store_row_write(&rows->format, answer->rows[i].partition,
                            mr_key_slice(&rows->asked->key), answer->rows[i].value, rows->out);
        } else {
            mr_buffer_printf(rows->out, "null");
        }
        mr_buffer_printf(rows->out, "}");
    }
}

static void add_entries(struct rows *rows, const struct mr_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        rows->state = answer->rows[i].state;
        if (answer->rows[i].found) {
            comma(rows);
            store_row_write(&rows->format, answer->rows[i].partition, answer->rows[i].key,
                            answer->rows[i].value, rows->out);
        }
    }
    if (answer->more) {
        const struct mr_slice last = answer->rows[answer->count - 1].key;

        mr_buffer_append(&rows->next, last.data, last.len);
        mr_buffer_append(&rows->next, "", 1); /* the smallest key above it */
    }
}

static void add_stats(struct rows *rows, const struct mr_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct mr_answer_row *row = &answer->rows[i];
        const struct mr_stage_node *stage = &rows->topology->stages[row->stage];

        if ((rows->asked->stage != SIZE_MAX && rows->asked->stage != row->stage) ||
            (rows->asked->store != SIZE_MAX && rows->asked->store != row->store)) {
            continue;
        }
        comma(rows);
        mr_buffer_printf(rows->out,
                         "{\"stage\":\"%s\",\"store\":\"%s\",\"partition\":%" PRId32
                         ",\"state\":\"%s\",\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64
                         ",\"changelogOffset\":",
                         stage->name, stage->type->stores[row->store].name, row->partition,
                         row->state, row->size.entries, row->size.bytes);
        if (row->changelog_offset == MR_OFFSET_NONE) {
            mr_buffer_printf(rows->out, "null");
        } else {
            mr_buffer_printf(rows->out, "%" PRId64, row->changelog_offset);
        }
        mr_buffer_printf(rows->out,
                         ",\"cachedEntries\":%zu,\"cachedBytes\":%zu,\"reads\":%" PRIu64
                         ",\"fetches\":%" PRIu64 "}",
                         row->cached_entries, row->cached_bytes, row->reads, row->fetches);
    }
}

/* A get or a scan needs to know whose schema it reads, and that the stage runs here. */
static enum mr_status open_rows(const struct run_process *process, const struct asked *asked,
                                struct rows *rows, struct mr_err *err)
{
    if (asked->stage == SIZE_MAX || asked->store == SIZE_MAX) {
        return mr_fail(err, MR_CONFIG, "stage and store are wanted");
    }
    return store_row_format_init(&rows->format, process->codec,
                                 &process->topology->stages[asked->stage], asked->store, err);
}

static void not_here(const struct run_process *process, const struct asked *asked,
                     struct mr_http_answer *answer)
{
    struct mr_err err;

    (void)!mr_fail(&err, MR_CONFIG, "stage %s is not in this process",
                   process->topology->stages[asked->stage].name);
    mr_http_refuse(answer, HTTP_NOT_FOUND, err.text);
}

static void store_get(const struct run_process *process, const struct asked *asked,
                      struct mr_http_answer *answer)
{
    struct rows rows = {.out = &answer->body, .asked = asked};
    struct mr_err err;
    enum mr_status status = open_rows(process, asked, &rows, &err);

    mr_buffer_printf(&answer->body, "{\"tasks\":[");
    if (status == MR_OK) {
        status = ask_all(process,
                         &(struct mr_question){.kind = MR_ASK_GET,
                                               .stage = asked->stage,
                                               .store = asked->store,
                                               .partition = asked->partition,
                                               .key = mr_key_slice(&asked->key)},
                         asked->stage, add_tasks, &rows, &err);
    }
    mr_buffer_printf(&answer->body, "]}\n");
    if (status != MR_OK) {
        refuse(answer, status, &err);
    } else if (rows.workers == 0) {
        not_here(process, asked, answer);
    }
}

static void end_page(struct rows *rows)
{
    mr_buffer_printf(rows->out, "],\"state\":");
    if (rows->state == NULL) {
        mr_buffer_printf(rows->out, "null");
    } else {
        mr_buffer_printf(rows->out, "\"%s\"", rows->state);
    }
    mr_buffer_printf(rows->out, ",\"next\":");
    if (rows->next.len == 0) {
        mr_buffer_printf(rows->out, "null");
    } else {
        line_hex_append(rows->out, mr_buffer_slice(&rows->next));
    }
    mr_buffer_printf(rows->out, "}\n");
    mr_buffer_fini(&rows->next);
}

static void store_scan(const struct run_process *process, const struct asked *asked,
                       struct mr_http_answer *answer)
{
    struct rows rows = {.out = &answer->body, .asked = asked};
    struct mr_err err;
    enum mr_status status = open_rows(process, asked, &rows, &err);

    mr_buffer_printf(&answer->body, "{\"rows\":[");
    if (status == MR_OK && asked->partition < 0) {
        status = mr_fail(&err, MR_CONFIG, "partition is wanted");
    }
    if (status == MR_OK) {
        status = ask_all(process,
                         &(struct mr_question){.kind = MR_ASK_SCAN,
                                               .stage = asked->stage,
                                               .store = asked->store,
                                               .partition = asked->partition,
                                               .from = mr_key_slice(&asked->from),
                                               .to = mr_key_slice(&asked->to),
                                               .rows_max = (size_t)asked->limit},
                         asked->stage, add_entries, &rows, &err);
    }
    end_page(&rows);
    if (status != MR_OK) {
        refuse(answer, status, &err);
    } else if (rows.workers == 0) {
        not_here(process, asked, answer);
    }
}

static void store_stats(const struct run_process *process, const struct asked *asked,
                        struct mr_http_answer *answer)
{
    struct rows rows = {.topology = process->topology, .out = &answer->body, .asked = asked};
    struct mr_err err;
    enum mr_status status;

    mr_buffer_printf(&answer->body, "{\"rows\":[");
    status =
        ask_all(process, &(struct mr_question){.kind = MR_ASK_STATS, .partition = asked->partition},
                asked->stage, add_stats, &rows, &err);
    mr_buffer_printf(&answer->body, "]}\n");
    if (status != MR_OK) {
        refuse(answer, status, &err);
    }
}

/* ---- paths ----------------------------------------------------------------------------------- */

static bool handle_store(const struct run_process *process, const struct mr_http_request *request,
                         struct mr_http_answer *answer)
{
    static const struct {
        const char *path;
        void (*answer)(const struct run_process *, const struct asked *, struct mr_http_answer *);
    } paths[] = {
        {"/store/get", store_get}, {"/store/scan", store_scan}, {"/store/stats", store_stats}};
    struct asked asked;
    struct mr_err err;

    for (size_t i = 0; i < MR_COUNT(paths); i++) {
        if (strcmp(mr_http_path(request), paths[i].path) == 0) {
            const enum mr_status status = read_asked(process, request, &asked, &err);

            if (status != MR_OK) {
                refuse(answer, status, &err);
            } else {
                paths[i].answer(process, &asked, answer);
            }
            return true;
        }
    }
    return false;
}

static void write_page(const struct run_process *process, struct mr_http_answer *answer)
{
    struct mr_buffer svg = MR_BUFFER_EMPTY;
    struct graph_figures figures;

    answer->type = "text/html; charset=utf-8";
    graph_figures_init(process->topology, &figures);
    graph_svg_write(process->topology, &figures, &svg);
    graph_figures_fini(&figures);
    page_write(process->topology->application, mr_buffer_slice(&svg), &answer->body);
    mr_buffer_fini(&svg);
}

bool run_see_handle(void *arg, const struct mr_http_request *request, struct mr_http_answer *answer)
{
    struct run_process *process = arg;
    const char *path = mr_http_path(request);

    if (strcmp(path, "/") == 0) {
        write_page(process, answer);
    } else if (strcmp(path, "/status") == 0) {
        run_status_write(process, &answer->body);
    } else if (!process->shows_records &&
               (strcmp(path, "/tap") == 0 || strncmp(path, "/store/", 7) == 0)) {
        mr_http_refuse(answer, HTTP_FORBIDDEN,
                       "stores and records are not shown here: run has --inspect on for that");
    } else if (strcmp(path, "/tap") == 0) {
        run_tap_open(process, request, answer);
    } else {
        return handle_store(process, request, answer);
    }
    return true;
}
