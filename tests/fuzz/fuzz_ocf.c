/*
 * fuzz_ocf -- any bytes as an archive file.
 *
 * How: header, schema, blocks, entries and values are read as an import does; what is wrong is said
 *      with a status of data and never with another; an entry that is read, written and read again
 *      is the same; and no more records come than the blocks say.
 */
#include "archive_entry.h"
#include "avro/price_tick.h"
#include "fuzz.h"
#include "millrace/arena.h"
#include "ocf.h"

static bool same_headers(const struct archive_entry *a, const struct archive_entry *b)
{
    bool same = a->header_count == b->header_count;

    for (size_t i = 0; same && i < a->header_count; i++) {
        same = strcmp(a->headers[i].name, b->headers[i].name) == 0 &&
               mr_slice_equal(a->headers[i].value, b->headers[i].value);
    }
    return same;
}

/* In the words of our own schema, with a value as bytes: it is read without one of a file. */
static void check_again(const struct archive_entry *entry)
{
    static const struct archive_shape bytes_only = {.branches = {ARCHIVE_TOMBSTONE, ARCHIVE_BYTES},
                                                    .branch_count = 2};
    struct archive_entry plain = *entry;
    struct archive_entry again;
    struct mr_buffer written = MR_BUFFER_EMPTY;
    struct mr_arena *arena = mr_arena_create(4096);
    struct mr_slice rest;
    struct mr_err err;

    plain.kind = entry->kind == ARCHIVE_TOMBSTONE ? ARCHIVE_TOMBSTONE : ARCHIVE_BYTES;
    archive_entry_write(&plain, false, &written);
    rest = mr_buffer_slice(&written);
    FUZZ_CHECK(archive_entry_read(&rest, &bytes_only, NULL, arena, &again, &err) == MR_OK);
    FUZZ_CHECK(rest.len == 0);
    FUZZ_CHECK(again.partition == entry->partition && again.offset == entry->offset);
    FUZZ_CHECK(again.timestamp_ms == entry->timestamp_ms && again.has_key == entry->has_key);
    FUZZ_CHECK(mr_slice_equal(again.key, entry->key));
    FUZZ_CHECK(mr_slice_equal(again.value, entry->value));
    FUZZ_CHECK(same_headers(&again, entry));
    mr_arena_destroy(&arena);
    mr_buffer_fini(&written);
}

static void read_block(const struct ocf_block *block, const struct archive_shape *shape,
                       const struct mr_resolution *values, struct mr_arena *arena)
{
    struct mr_slice rest = block->data;
    struct mr_err err;

    for (int64_t i = 0; i < block->count; i++) {
        struct archive_entry entry;
        struct oms_price_tick tick;
        const size_t before = rest.len;

        mr_arena_reset(arena);
        const enum mr_status status = archive_entry_read(&rest, shape, values, arena, &entry, &err);
        if (status != MR_OK) {
            FUZZ_CHECK(mr_status_class(status) == MR_CLASS_POISON);
            return;
        }
        FUZZ_CHECK(rest.len < before);
        check_again(&entry);
        if (entry.kind == ARCHIVE_RECORD) {
            const enum mr_status decoded =
                mr_resolution_decode(values, entry.value, arena, &tick, &err);
            FUZZ_CHECK(decoded == MR_OK || mr_status_class(decoded) == MR_CLASS_POISON);
        }
    }
}

static void read_file(struct ocf_reader *reader)
{
    struct archive_shape shape = {0};
    struct mr_resolution *values = NULL;
    struct mr_arena *arena = mr_arena_create(4096);
    struct mr_slice schema;
    struct mr_err err;
    bool end = false;

    FUZZ_CHECK(ocf_read_meta(reader, "avro.schema", &schema));
    bool good = archive_shape_read(schema, &shape, &err) == MR_OK;
    if (good && shape.value_schema != NULL) {
        good = mr_resolution_create(&oms_price_tick_schema, shape.value_schema, &values, &err) ==
               MR_OK;
    }
    while (good && !end) {
        struct ocf_block block;
        const enum mr_status status = ocf_read_block(reader, &block, &end, &err);

        FUZZ_CHECK(status == MR_OK || status == MR_CORRUPT);
        good = status == MR_OK;
        if (good && !end) {
            read_block(&block, &shape, values, arena);
        }
    }
    mr_resolution_destroy(&values);
    archive_shape_fini(&shape);
    mr_arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocf_reader *reader = NULL;
    struct mr_err err;
    FILE *file = size == 0 ? NULL : fmemopen((void *)(uintptr_t)data, size, "rb");

    if (file == NULL) {
        return 0;
    }
    const enum mr_status status = ocf_read_open(file, "input", &reader, &err);

    FUZZ_CHECK(status == MR_OK || status == MR_CORRUPT);
    if (status == MR_OK) {
        read_file(reader);
    }
    ocf_read_close(&reader);
    return 0;
}
