/*
 * world_state.c -- state directories against changelogs.
 *
 * Why: between transactions a store's content is the committed changelog below the offset that is
 *      kept with it; whoever opens it reads on from there. So each directory is held to its own
 *      offset, whether its instance owns the partition or had it once.
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
    struct mr_world_records log; /* of the changelog, all partitions */
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

/* What the changelog says of one store below an offset. */
static void fold(const struct shelf *shelf, size_t store, int64_t end,
                 struct mr_world_records *folded)
{
    *folded = (struct mr_world_records){0};
    for (size_t i = 0; i < shelf->log.count; i++) {
        struct mr_world_record record = shelf->log.items[i];

        if (record.partition == shelf->partition && record.offset < end &&
            mr_changelog_store(shelf->node->type, record.key, &record.key) == store) {
            *world_records_add(folded) = record;
        }
    }
    mr_world_latest(folded);
}

static void check_store(const struct shelf *shelf, struct world_instance *own, size_t store,
                        int64_t end)
{
    struct mr_world *world = shelf->world;
    struct mr_world_records disk = {.arena = mr_arena_create(ARENA_BYTES)};
    const struct mr_slice all = {0};
    const char *name = shelf->node->type->stores[store].name;
    struct mr_world_records wanted;

    fold(shelf, store, end, &wanted);
    WORLD_MUST_MSG(own->backend->ops->scan(own->backend, open_space(shelf, own->backend, store),
                                           all, all, copy_entry, &disk, &world->err) == MR_OK,
                   "%s", world->err.text);
    for (size_t i = 0; i < disk.count; i++) {
        WORLD_MUST_MSG(i < wanted.count && mr_slice_equal(wanted.items[i].key, disk.items[i].key) &&
                           mr_slice_equal(wanted.items[i].value, disk.items[i].value),
                       "store %s.%s, partition %d, entry %zu: instance %s has not what the "
                       "changelog says below %" PRId64,
                       shelf->node->name, name, (int)shelf->partition, i, own->name, end);
    }
    WORLD_MUST_MSG(disk.count == wanted.count,
                   "store %s.%s, partition %d: instance %s lacks an entry of the changelog below "
                   "%" PRId64,
                   shelf->node->name, name, (int)shelf->partition, own->name, end);
    mr_world_records_fini(&disk);
    free(wanted.items);
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

        for (size_t s = 0; s < shelf->node->type->store_count; s++) {
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
        mr_world_read(world, changelog->name, &shelf.log);
        for (; shelf.partition < changelog->partitions; shelf.partition++) {
            check_shelf(&shelf);
        }
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
