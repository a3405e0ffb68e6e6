/*
 * store_disk.c -- stores in the state directories of processes that do not run.
 *
 * A partition may stand in the directories of several instances, from when they had it: the one
 * that follows the changelog farthest is read. Nothing is written and nothing locked.
 */
#include "connect.h"
#include "millrace/arena.h"
#include "millrace/inspect.h"
#include "store_source.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#define INSTANCES_MAX 64
#define DIRECTORY_BYTES_MAX 1024

/* One store of one partition, where it is farthest. */
struct place {
    size_t stage, store;
    int32_t partition;
    struct mr_backend *backend; /* NULL: nowhere */
    struct mr_space *space;
    int64_t offset;
};

struct disk {
    struct store_source base;
    struct mr_backend *backends[INSTANCES_MAX];
    size_t backend_count;
    struct place *places;
    size_t place_count;
    struct connection connection; /* for schemas of other versions */
    struct store_row_format format;
};

static struct disk *disk_of(struct store_source *source)
{
    return (struct disk *)source;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* <application>.<group>.<instance> */
static bool is_directory_of(const char *name, const char *identity)
{
    const size_t len = strlen(identity);

    return strncmp(name, identity, len) == 0 && name[len] == '.' && name[len + 1] != '\0' &&
           strstr(name + len, ".http") == NULL;
}

static enum mr_status open_instances(struct disk *disk, const char *state_dir, const char *identity,
                                     struct mr_err *err)
{
    struct dirent **names = NULL;
    const int found = scandir(state_dir, &names, NULL, alphasort);
    enum mr_status status = MR_OK;

    for (int i = 0; i < found; i++) {
        char directory[DIRECTORY_BYTES_MAX];
        const bool fits = snprintf(directory, sizeof(directory), "%s/%s", state_dir,
                                   names[i]->d_name) < (int)sizeof(directory);

        if (status == MR_OK && fits && disk->backend_count < INSTANCES_MAX &&
            is_directory_of(names[i]->d_name, identity)) {
            status = mr_backend_rocksdb_look(directory, identity,
                                             &disk->backends[disk->backend_count], err);
            disk->backend_count += status == MR_OK;
        }
        free(names[i]);
    }
    free(names);
    return status;
}

static enum mr_status open_groups(struct disk *disk, const char *state_dir, struct mr_err *err)
{
    const struct store_subject *subject = &disk->base.subject;
    const struct mr_topology *topology = subject->topology;

    for (size_t g = 0; g < topology->group_count; g++) {
        char identity[512];

        if (subject->stage != SIZE_MAX && topology->stages[subject->stage].group != g) {
            continue;
        }
        (void)snprintf(identity, sizeof(identity), "%s.%s", topology->application,
                       topology->groups[g].name);
        MR_TRY(open_instances(disk, state_dir, identity, err));
    }
    return disk->backend_count > 0
               ? MR_OK
               : mr_fail(err, MR_UNAVAILABLE,
                         "no process answers, and %s holds no state of %s: --address HOST:PORT or "
                         "--state-dir DIR say where",
                         state_dir, topology->application);
}

static enum mr_status place_in(struct place *place, struct mr_backend *backend,
                               const struct mr_stage_node *stage, struct mr_err *err)
{
    struct mr_space *first = NULL;
    struct mr_space *space = NULL;
    int64_t offset = MR_OFFSET_NONE;
    char name[256];

    (void)snprintf(name, sizeof(name), "%s.%s", stage->name, stage->type->stores[0].name);
    MR_TRY(backend->ops->space_open(backend, name, place->partition, &first, err));
    (void)snprintf(name, sizeof(name), "%s.%s", stage->name,
                   stage->type->stores[place->store].name);
    MR_TRY(backend->ops->space_open(backend, name, place->partition, &space, err));
    if (first == NULL || space == NULL) {
        return MR_OK;
    }
    MR_TRY(mr_state_offset(backend, first, &offset, err));
    if (place->backend == NULL || offset > place->offset) {
        place->backend = backend;
        place->space = space;
        place->offset = offset;
    }
    return MR_OK;
}

static enum mr_status add_places(struct disk *disk, size_t stage, struct mr_err *err)
{
    const struct store_subject *subject = &disk->base.subject;
    const struct mr_stage_node *node = &subject->topology->stages[stage];
    const int32_t partitions = subject->topology->groups[node->group].partitions;

    for (size_t store = 0; store < node->type->store_count; store++) {
        for (int32_t p = 0; p < partitions; p++) {
            struct place place = {.stage = stage, .store = store, .partition = p};

            if ((subject->store != SIZE_MAX && subject->store != store) ||
                (subject->partition >= 0 && subject->partition != p)) {
                continue;
            }
            for (size_t b = 0; b < disk->backend_count; b++) {
                MR_TRY(place_in(&place, disk->backends[b], node, err));
            }
            if (place.backend != NULL) {
                disk->places =
                    mr_xrealloc(disk->places, (disk->place_count + 1) * sizeof(*disk->places));
                disk->places[disk->place_count++] = place;
            }
            if (place.backend != NULL && disk->base.here != NULL) {
                disk->base.here[p] = true;
            }
        }
    }
    return MR_OK;
}

static enum mr_status find_places(struct disk *disk, struct mr_err *err)
{
    const struct store_subject *subject = &disk->base.subject;

    for (size_t s = 0; s < subject->topology->stage_count; s++) {
        if (subject->stage == SIZE_MAX || subject->stage == s) {
            MR_TRY(add_places(disk, s, err));
        }
    }
    return MR_OK;
}

/* The registry knows what other versions of the program have written; without it ours must do. */
static void open_format(struct disk *disk)
{
    const struct store_subject *subject = &disk->base.subject;
    const struct mr_stage_node *stage;
    struct mr_err err;

    if (subject->stage == SIZE_MAX || subject->store == SIZE_MAX) {
        return;
    }
    stage = &subject->topology->stages[subject->stage];
    if (connection_open(subject->topology, &disk->connection, &err) != MR_OK ||
        store_row_format_init(&disk->format, disk->connection.codec, stage, subject->store, &err) !=
            MR_OK) {
        (void)fprintf(stderr, "millrace store: %s; values are read with this program's schemas\n",
                      err.text);
        (void)!store_row_format_init(&disk->format, NULL, stage, subject->store, &err);
    }
}

/* ---- what is asked --------------------------------------------------------------------------- */

struct handing {
    struct disk *disk;
    const struct place *place;
    struct store_range *range;
    struct mr_buffer line;
};

static bool hand_over(struct handing *handing, struct mr_slice key, struct mr_slice value,
                      store_visit *visit, void *arg)
{
    mr_buffer_clear(&handing->line);
    store_row_write(&handing->disk->format, handing->place->partition, key, value, &handing->line);
    return visit(arg, mr_buffer_slice(&handing->line));
}

static enum mr_status get(struct store_source *base, const struct mr_key *key, store_visit *visit,
                          void *arg, size_t *found, struct mr_err *err)
{
    struct disk *disk = disk_of(base);
    struct handing handing = {.disk = disk};
    struct mr_buffer value = MR_BUFFER_EMPTY;
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < disk->place_count && status == MR_OK; i++) {
        const struct place *place = &disk->places[i];
        bool is_there = false;

        handing.place = place;
        status = place->backend->ops->get(place->backend, place->space, mr_key_slice(key), &value,
                                          &is_there, err);
        if (status == MR_OK && is_there) {
            (*found)++;
            (void)hand_over(&handing, mr_key_slice(key), mr_buffer_slice(&value), visit, arg);
        }
    }
    mr_buffer_fini(&value);
    mr_buffer_fini(&handing.line);
    return status;
}

static bool on_entry(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct handing *handing = arg;
    struct store_range *range = handing->range;

    if (range->rows == range->limit) {
        mr_buffer_append(&range->next, key.data, key.len);
        return false;
    }
    range->rows++;
    return hand_over(handing, key, value, range->visit, range->arg);
}

static enum mr_status scan(struct store_source *base, struct store_range *range, struct mr_err *err)
{
    struct disk *disk = disk_of(base);
    struct handing handing = {.disk = disk, .range = range};
    enum mr_status status = MR_OK;

    for (size_t i = 0; i < disk->place_count && status == MR_OK; i++) {
        const struct place *place = &disk->places[i];

        if (place->partition == range->partition) {
            handing.place = place;
            status = place->backend->ops->scan(place->backend, place->space, range->from, range->to,
                                               on_entry, &handing, err);
        }
    }
    mr_buffer_fini(&handing.line);
    return status;
}

static enum mr_status stats(struct store_source *base, json_t **rows, struct mr_err *err)
{
    struct disk *disk = disk_of(base);

    *rows = json_array();
    for (size_t i = 0; i < disk->place_count; i++) {
        const struct place *place = &disk->places[i];
        const struct mr_stage_node *stage = &base->subject.topology->stages[place->stage];
        struct mr_space_size size;
        const enum mr_status status =
            place->backend->ops->space_size(place->backend, place->space, &size, err);

        if (status != MR_OK) {
            json_decref(*rows);
            *rows = NULL;
            return status;
        }
        (void)json_array_append_new(
            *rows,
            json_pack("{s:s,s:s,s:i,s:s,s:I,s:I,s:o}", "stage", stage->name, "store",
                      stage->type->stores[place->store].name, "partition", (int)place->partition,
                      "state", "stopped", "entries", (json_int_t)size.entries, "bytes",
                      (json_int_t)size.bytes, "changelogOffset",
                      place->offset == MR_OFFSET_NONE ? json_null() : json_integer(place->offset)));
    }
    return MR_OK;
}

static void close_disk(struct store_source *base)
{
    struct disk *disk = disk_of(base);

    for (size_t i = 0; i < disk->backend_count; i++) {
        mr_backend_close(&disk->backends[i]);
    }
    connection_close(&disk->connection);
    free(disk->places);
    free(disk);
}

enum mr_status store_disk_open(const struct store_subject *subject, const char *state_dir,
                               struct store_source **source, struct mr_err *err)
{
    static const struct store_source_ops ops = {
        .get = get, .scan = scan, .stats = stats, .close = close_disk};
    struct disk *disk = mr_xcalloc(1, sizeof(*disk));
    enum mr_status status;

    store_source_init(&disk->base, &ops, subject);
    disk->base.kind = "stopped";
    (void)snprintf(disk->base.where, sizeof(disk->base.where), "%.500s", state_dir);
    *source = &disk->base;
    status = open_groups(disk, state_dir, err);
    if (status == MR_OK) {
        status = find_places(disk, err);
    }
    if (status != MR_OK) {
        store_source_close(source);
        return status;
    }
    open_format(disk);
    return MR_OK;
}
