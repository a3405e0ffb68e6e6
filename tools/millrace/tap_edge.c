/* tap_edge.c -- see tap_edge.h. A thread listens to each process; lines are printed one at a time.
 */
#include "tap_edge.h"

#include "ask_http.h"
#include "millrace/codec.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 * 1024)

struct listening {
    const struct tap_edge *edge;
    pthread_mutex_t lock; /* of stdout, printed and failed */
    int64_t printed;
    bool failed; /* stdout takes nothing */
    _Atomic bool enough;
};

/* One process. */
struct ear {
    struct listening *all;
    const char *address;
    pthread_t thread;
    struct mr_arena *arena;
    void *value;
    enum mr_status status;
    struct mr_err err;
};

static void say_dropped(const struct ear *ear, const json_t *dropped)
{
    (void)fprintf(stderr,
                  "millrace tap: %s: %" JSON_INTEGER_FORMAT
                  " records came faster than they were taken and were dropped\n",
                  ear->address, json_integer_value(dropped));
}

/* Where conditions look: the value again as a struct. */
static bool value_matches(struct ear *ear, json_t *record)
{
    const struct tap_edge *edge = ear->all->edge;
    char *text;
    struct mr_err ignored;
    enum mr_status status;

    if (edge->where->count == 0) {
        return true;
    }
    text = json_dumps(json_object_get(record, "value"), JSON_COMPACT | JSON_ENCODE_ANY);
    mr_arena_reset(ear->arena);
    status = mr_json_read_record(edge->topology->topics[edge->topic].schema, mr_slice_str(text),
                                 ear->arena, ear->value, &ignored);
    free(text);
    return status == MR_OK && where_matches(edge->where, ear->value);
}

static bool matches(struct ear *ear, json_t *record)
{
    const struct tap_edge *edge = ear->all->edge;
    const char *key = json_string_value(json_object_get(record, "key"));

    return (edge->partition < 0 ||
            json_integer_value(json_object_get(record, "partition")) == edge->partition) &&
           (edge->key[0] == '\0' || (key != NULL && strcmp(key, edge->key) == 0)) &&
           value_matches(ear, record);
}

/* False: enough, or nobody takes it. */
static bool print(struct listening *all, struct mr_slice line)
{
    const int64_t count = all->edge->count;

    MR_ASSERT(pthread_mutex_lock(&all->lock) == 0);
    if (!all->enough && !all->failed) {
        all->failed = fwrite(line.data, 1, line.len, stdout) != line.len || putchar('\n') == EOF ||
                      fflush(stdout) != 0;
        all->printed++;
        all->enough = all->failed || (count > 0 && all->printed >= count);
    }
    MR_ASSERT(pthread_mutex_unlock(&all->lock) == 0);
    return !all->enough;
}

static bool on_line(void *arg, struct mr_slice line)
{
    struct ear *ear = arg;
    json_t *record = json_loadb((const char *)line.data, line.len, 0, NULL);
    const json_t *dropped = json_object_get(record, "dropped");
    bool go_on = true;

    if (dropped != NULL) {
        say_dropped(ear, dropped);
    } else if (record != NULL && matches(ear, record)) {
        go_on = print(ear->all, line);
    }
    json_decref(record);
    return go_on;
}

static bool on_tick(void *arg)
{
    const struct ear *ear = arg;

    return !atomic_load(&ear->all->enough);
}

static void *listen_to(void *arg)
{
    struct ear *ear = arg;
    const struct tap_edge *edge = ear->all->edge;
    const struct ask_http_stream stream = {.visit = on_line, .tick = on_tick, .arg = ear};
    struct mr_buffer path = MR_BUFFER_EMPTY;

    mr_buffer_printf(&path, "/tap?topic=");
    ask_http_escape(edge->topology->topics[edge->topic].name, &path);
    mr_buffer_append(&path, "", 1);
    ear->status = ask_http_lines(ear->address, (const char *)path.data, &stream, &ear->err);
    mr_buffer_fini(&path);
    return NULL;
}

static void start(struct ear *ear, struct listening *all, const char *address)
{
    const struct mr_topology *topology = all->edge->topology;

    *ear = (struct ear){.all = all, .address = address, .arena = mr_arena_create(ARENA_BYTES)};
    ear->value = mr_xcalloc(1, topology->topics[all->edge->topic].schema->struct_bytes);
    MR_ASSERT(pthread_create(&ear->thread, NULL, listen_to, ear) == 0);
}

/* A process of another group refuses; that is fine as long as one does not. */
static enum mr_status finish(struct ear *ears, size_t count, struct mr_err *err)
{
    enum mr_status status = MR_CONFIG;

    *err = ears[0].err;
    for (size_t i = 0; i < count; i++) {
        MR_ASSERT(pthread_join(ears[i].thread, NULL) == 0);
        if (ears[i].status == MR_OK) {
            status = MR_OK;
        } else if (ears[i].status != MR_CONFIG) {
            (void)fprintf(stderr, "millrace tap: %s\n", ears[i].err.text);
        }
        if (ears[i].err.text[0] != '\0') {
            *err = ears[i].err;
        }
        mr_arena_destroy(&ears[i].arena);
        free(ears[i].value);
    }
    return status;
}

enum mr_status tap_edge_print(const struct tap_edge *edge, struct mr_err *err)
{
    struct listening all = {.edge = edge, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct ear *ears;
    enum mr_status status;

    if (edge->processes.count == 0) {
        return mr_fail(
            err, MR_UNAVAILABLE,
            "%s is handed over in memory: a process that does so must be asked, and none "
            "is known: --address HOST:PORT",
            edge->topology->topics[edge->topic].name);
    }
    ears = mr_xcalloc(edge->processes.count, sizeof(*ears));
    for (size_t i = 0; i < edge->processes.count; i++) {
        start(&ears[i], &all, edge->processes.addresses[i]);
    }
    status = finish(ears, edge->processes.count, err);
    free(ears);
    return all.failed ? mr_fail(err, MR_RESOURCE, "cannot write to stdout") : status;
}
