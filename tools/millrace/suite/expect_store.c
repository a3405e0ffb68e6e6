/*
 * expect_store.c -- what stores hold, before a case and in it.
 *
 * How: through the changelog, which is what the runtime itself restores a store from and what it
 *      says of one: no way in that production does not have.
 */
#include "expect.h"
#include "millrace/changelog.h"
#include "millrace/partition.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)8 * 1024)

/* A store, and how its values are framed. */
struct shelf {
    const struct mr_stage_node *stage;
    const struct mr_store_spec *spec;
    struct mr_binding binding;
};

static struct shelf open_shelf(struct suite_run *run, const struct suite_batch *batch)
{
    const struct mr_stage_node *stage = &run->suite->topology->stages[batch->stage];
    struct shelf shelf = {.stage = stage, .spec = &stage->type->stores[batch->store]};
    struct mr_err err = {0};

    WORLD_MUST_MSG(mr_codec_bind(mr_world_codec(run->world), shelf.spec->schema,
                                 stage->store_subjects[batch->store], &shelf.binding,
                                 &err) == MR_OK,
                   "%s", err.text);
    return shelf;
}

/* ---- before a case --------------------------------------------------------------------------- */

/* An entry is where the record was whose key is its key, or the first part of it. */
static int32_t partition_of(const struct mr_topic *changelog, struct mr_slice key)
{
    const uint8_t *end = key.len == 0 ? NULL : memchr(key.data, 0, key.len);

    return mr_partition_of(end == NULL ? key : mr_slice_of(key.data, (size_t)(end - key.data)),
                           changelog->partitions);
}

/*
 * Where there is state there are offsets (runtime/task/restore_plan.c): the group goes on from the
 * beginning of its inputs.
 */
static void commit_beginning(struct suite_run *run, const struct mr_group_node *group)
{
    const size_t partitions = (size_t)group->partitions;
    const size_t count = group->input_count * partitions;
    struct mr_topic_partition *positions = mr_xcalloc(count, sizeof(*positions));
    struct mr_err err = {0};
    char id[256];

    for (size_t i = 0; i < count; i++) {
        positions[i] = (struct mr_topic_partition){
            .topic = run->suite->topology->topics[group->inputs[i / partitions]].name,
            .partition = (int32_t)(i % partitions),
        };
    }
    (void)snprintf(id, sizeof(id), "%.100s.%.100s", run->suite->topology->application, group->name);
    WORLD_MUST_MSG(mr_log_group_commit(mr_world_log(run->world), id, positions, count, &err) ==
                       MR_OK,
                   "%s", err.text);
    free(positions);
}

void suite_fill_stores(struct suite_run *run)
{
    static const struct suite_defaults none = {{NULL}};

    for (size_t b = 0; b < run->played->store_count; b++) {
        const struct suite_batch *batch = &run->played->stores[b];
        const struct shelf shelf = open_shelf(run, batch);
        const struct mr_topic *changelog = &run->suite->topology->topics[shelf.stage->changelog];

        for (size_t i = 0; i < batch->count; i++) {
            const struct suite_record *record = &batch->records[i];
            struct mr_buffer value = suite_framed(run, &shelf.binding, &none, record, NULL);
            const struct mr_slice bytes = mr_buffer_slice(&value);
            uint8_t key[MR_CHANGELOG_KEY_BYTES_MAX];
            const size_t len = mr_changelog_key(shelf.spec, record->key, key);

            mr_world_put(run->world, changelog->name, partition_of(changelog, record->key),
                         mr_slice_of(key, len), &bytes);
            mr_buffer_fini(&value);
        }
        commit_beginning(run, &run->suite->topology->groups[shelf.stage->group]);
    }
}

/* ---- in a case ------------------------------------------------------------------------------- */

static json_t *entry_json(struct suite_run *run, const struct shelf *shelf,
                          const struct mr_world_record *record)
{
    struct mr_arena *arena = mr_arena_create(ARENA_BYTES);
    void *value = mr_xcalloc(1, shelf->spec->schema->struct_bytes);
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    json_t *object;

    WORLD_MUST_MSG(mr_codec_decode(mr_world_codec(run->world), &shelf->binding, record->value,
                                   arena, value, &err) == MR_OK,
                   "%s", err.text);
    mr_json_write_record(shelf->spec->schema, value, &text);
    object = json_loadb((const char *)text.data, text.len, 0, NULL);
    (void)json_object_set_new(object, SUITE_KEY, suite_key_json(record->key));
    mr_buffer_fini(&text);
    free(value);
    mr_arena_destroy(&arena);
    return object;
}

static const struct mr_world_record *find_entry(const struct mr_world_records *entries,
                                                struct mr_slice key)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (mr_slice_equal(entries->items[i].key, key)) {
            return &entries->items[i];
        }
    }
    return NULL;
}

static void expect_entry(struct suite_run *run, const struct shelf *shelf,
                         const struct suite_record *record, const struct mr_world_record *entry)
{
    struct suite_blame blame;
    json_t *want = suite_canonical_fields(shelf->spec->schema, record->fields, &run->clock, &blame);
    json_t *got = entry == NULL ? NULL : entry_json(run, shelf, entry);
    char what[160];

    WORLD_MUST_MSG(want != NULL, "%s", blame.text);
    (void)json_object_set_new(want, SUITE_KEY, suite_key_json(record->key));
    if (record->no_value ? got != NULL : got == NULL || suite_differences(want, got) > 0) {
        (void)snprintf(what, sizeof(what), "store %.70s.%.70s", shelf->stage->name,
                       shelf->spec->name);
        suite_failed(run, record->place);
        suite_diff(&run->result->text, record->place, what, record->no_value ? NULL : want, got);
    }
    json_decref(want);
    json_decref(got);
}

bool suite_expect_store(struct suite_run *run, const struct suite_batch *batch)
{
    const struct shelf shelf = open_shelf(run, batch);
    struct mr_world_records entries;

    mr_world_read_state(run->world, shelf.stage->name, shelf.spec->name, &entries);
    mr_world_latest(&entries);
    for (size_t i = 0; i < batch->count; i++) {
        expect_entry(run, &shelf, &batch->records[i], find_entry(&entries, batch->records[i].key));
    }
    if (batch->entries >= 0 && (size_t)batch->entries != entries.count) {
        suite_failed(run, batch->place);
        mr_buffer_printf(&run->result->text,
                         "%s:%d:%d: store %s.%s holds %zu entries, and %" PRId64 " were expected\n",
                         batch->place.file, batch->place.at.line, batch->place.at.column,
                         shelf.stage->name, shelf.spec->name, entries.count, batch->entries);
    }
    mr_world_records_fini(&entries);
    return run->result->passed;
}
