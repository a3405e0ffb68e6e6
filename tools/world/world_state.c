/*
 * world_state.c -- state directories against changelogs.
 *
 * Why: between transactions a store's content is the committed changelog below the offset that is
 *      kept with it; whoever opens it reads on from there. So each directory is held to its own
 *      offset, whether its instance owns the partition or had it once.
 *      A changelog that was compacted promises less of one that is behind: a record that the
 * cleaner took before it was read is missing there, until the newer one of its key is read, which
 *      stands beyond the offset. Of such a key nothing is asked, and of tombstones everything: none
 *      is excused for being gone.
 */
#include "millrace/changelog.h"
#include "world_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)
/* As restore writes it: the next offset of the changelog, big-endian, then the wall clock. */
#define META_CHANGELOG "changelog-offset"
#define META_BYTES 16

/* The stores of one stage in one partition, in all directories. */
struct shelf {
    struct mr_world *world;
    const struct mr_stage_node *node;
    int32_t partition;
    struct mr_world_records log;  /* of the changelog, all partitions, the cleaned records too */
    struct mr_world_records kept; /* what the cleaner has left of it */
};

static bool copy_entry(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct mr_world_records *records = arg;
    struct mr_world_record *record = world_records_add(records);

    record->key = mr_arena_copy(records->arena, key);
    record->value = mr_arena_copy(records->arena, value);
    record->has_value = true;
    return true;
}

static struct mr_space *open_space(const struct shelf *shelf, struct mr_backend *backend,
                                   size_t store)
{
    struct mr_world *world = shelf->world;
    struct mr_buffer name = MR_BUFFER_EMPTY;
    struct mr_space *space;

    mr_buffer_printf(&name, "%s.%s", shelf->node->name, shelf->node->type->stores[store].name);
    mr_buffer_append(&name, "", 1);
    WORLD_MUST_MSG(backend->ops->space_open(backend, (const char *)name.data, shelf->partition,
                                            &space, &world->err) == MR_OK,
                   "%s", world->err.text);
    mr_buffer_fini(&name);
    return space;
}

/* The offset that is kept with the stage's stores; MR_OFFSET_NONE: none. */
static int64_t kept_offset(const struct shelf *shelf, struct mr_backend *backend)
{
    struct mr_world *world = shelf->world;
    struct mr_space *space = open_space(shelf, backend, 0);
    struct mr_buffer value = MR_BUFFER_EMPTY;
    uint64_t offset = 0;
    bool found = false;

    WORLD_MUST_MSG(backend->ops->meta_get(backend, space, mr_slice_str(META_CHANGELOG), &value,
                                          &found, &world->err) == MR_OK,
                   "%s", world->err.text);
    WORLD_MUST(!found || value.len == META_BYTES);
    for (size_t i = 0; found && i < META_BYTES / 2; i++) {
        offset = offset << 8 | value.data[i];
    }
    mr_buffer_fini(&value);
    return found ? (int64_t)offset : MR_OFFSET_NONE;
}

static int by_place(const void *a, const void *b)
{
    const struct mr_world_record *left = a;
    const struct mr_world_record *right = b;

    return left->partition != right->partition
               ? left->partition - right->partition
               : (left->offset > right->offset) - (left->offset < right->offset);
}

static int by_key(const void *a, const void *b)
{
    const struct mr_world_record *left = a;
    const struct mr_world_record *right = b;
    const int order = mr_slice_compare(left->key, right->key);

    return order != 0 ? order : by_place(a, b);
}

static bool is_cleaned(const struct shelf *shelf, const struct mr_world_record *record)
{
    return bsearch(record, shelf->kept.items, shelf->kept.count, sizeof(*record), by_place) == NULL;
}

/* All of one store, key by key. */
static void find_changes(const struct shelf *shelf, size_t store, struct mr_world_records *changes)
{
    *changes = (struct mr_world_records){0};
    for (size_t i = 0; i < shelf->log.count; i++) {
        struct mr_world_record record = shelf->log.items[i];

        if (record.partition == shelf->partition &&
            mr_changelog_store(shelf->node->type, record.key, &record.key) == store) {
            *world_records_add(changes) = record;
        }
    }
    if (changes->count > 0) {
        qsort(changes->items, changes->count, sizeof(*changes->items), by_key);
    }
}

/* The changes of one key, of which the directory that goes to end has `disk`, NULL: nothing. */
static bool is_right(const struct shelf *shelf, const struct mr_world_record *changes, size_t count,
                     int64_t end, const struct mr_world_record *disk)
{
    size_t below = 0;

    while (below < count && changes[below].offset < end) {
        below++;
    }
    if (below == 0 || (below < count && is_cleaned(shelf, &changes[below - 1]))) {
        return below > 0 || disk == NULL;
    }
    return changes[below - 1].has_value
               ? disk != NULL && mr_slice_equal(changes[below - 1].value, disk->value)
               : disk == NULL;
}

static void check_store(const struct shelf *shelf, struct world_instance *own, size_t store,
                        int64_t end)
{
    struct mr_world *world = shelf->world;
    struct mr_world_records disk = {.arena = mr_arena_create(ARENA_BYTES)};
    const struct mr_slice all = {0};
    struct mr_world_records changes;
    size_t found = 0;
    size_t count;

    find_changes(shelf, store, &changes);
    WORLD_MUST_MSG(own->backend->ops->scan(own->backend, open_space(shelf, own->backend, store),
                                           all, all, copy_entry, &disk, &world->err) == MR_OK,
                   "%s", world->err.text);
    for (size_t i = 0; i < changes.count; i += count) {
        const struct mr_world_record *first = &changes.items[i];
        const struct mr_world_record *entry = found == disk.count ? NULL : &disk.items[found];

        for (count = 1;
             i + count < changes.count && mr_slice_equal(first->key, first[count].key);) {
            count++;
        }
        entry = entry != NULL && mr_slice_equal(entry->key, first->key) ? entry : NULL;
        found += entry != NULL;
        WORLD_MUST_MSG(is_right(shelf, first, count, end, entry),
                       "store %s.%s, partition %d, key %.*s: instance %s %s, which is not what the "
                       "changelog says below %" PRId64,
                       shelf->node->name, shelf->node->type->stores[store].name,
                       (int)shelf->partition, MR_SLICE_ARG(first->key), own->name,
                       entry == NULL ? "lacks it" : "has a value of it", end);
    }
    WORLD_MUST_MSG(found == disk.count,
                   "store %s.%s, partition %d: instance %s has an entry that the changelog does "
                   "not know",
                   shelf->node->name, shelf->node->type->stores[store].name, (int)shelf->partition,
                   own->name);
    mr_world_records_fini(&disk);
    free(changes.items);
}

/* One behind the last record that is committed; 0: there is none. */
static int64_t end_of(const struct shelf *shelf)
{
    int64_t end = 0;

    for (size_t i = 0; i < shelf->log.count; i++) {
        if (shelf->log.items[i].partition == shelf->partition) {
            end = shelf->log.items[i].offset + 1;
        }
    }
    return end;
}

static void check_shelf(const struct shelf *shelf)
{
    const struct world_group *group = &shelf->world->groups[shelf->node->group];
    int64_t furthest = 0;

    for (int i = 0; i < shelf->world->instance_count; i++) {
        struct world_instance *own = &group->instances[i];
        const int64_t end = kept_offset(shelf, own->backend);

        /* Without an offset, whoever opens it wipes it: it may have died wiping. */
        for (size_t s = 0; end != MR_OFFSET_NONE && s < shelf->node->type->store_count; s++) {
            check_store(shelf, own, s, end);
        }
        furthest = end > furthest ? end : furthest;
    }
    WORLD_MUST_MSG(furthest >= end_of(shelf),
                   "stage %s, partition %d: nobody's state goes beyond %" PRId64
                   ", and the changelog has more",
                   shelf->node->name, (int)shelf->partition, furthest);
}

void mr_world_check_stores(struct mr_world *world)
{
    for (size_t i = 0; i < world->topology->stage_count; i++) {
        struct shelf shelf = {.world = world, .node = &world->topology->stages[i]};
        const struct mr_topic *changelog;

        if (shelf.node->changelog == MR_UNBOUND) {
            continue;
        }
        changelog = &world->topology->topics[shelf.node->changelog];
        mr_log_memory_show_compacted(world->log, false);
        mr_world_read(world, changelog->name, &shelf.kept);
        mr_log_memory_show_compacted(world->log, true);
        mr_world_read(world, changelog->name, &shelf.log);
        for (; shelf.partition < changelog->partitions; shelf.partition++) {
            check_shelf(&shelf);
        }
        mr_world_records_fini(&shelf.kept);
        mr_world_records_fini(&shelf.log);
    }
}

void mr_world_check_journals(struct mr_world *world)
{
    for (size_t g = 0; g < world->topology->group_count; g++) {
        world_check_journal(world, g);
    }
}

void mr_world_check_state(struct mr_world *world)
{
    mr_world_check_stores(world);
    mr_world_check_journals(world);
}
