/*
 * Goal:   decoding and encoding a record costs no malloc once the arena is warm.
 * Method: the linker routes our code's malloc family through counters (--wrap); every schema's
 *         records go through both ways, arrays included.
 */
#include "avro/catalog.h"
#include "millrace/codec.h"
#include "records.h"

#include <check.h>
#include <stdlib.h>

#define RECORDS 50

/* The linker wants these names. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static size_t allocations;

void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    allocations++;
    return __real_realloc(old, bytes);
}

/* Decodes and encodes every record once; the arena is reset as after each record of a task. */
static void pass(struct mr_codec *codec, const struct mr_binding *binding,
                 const struct mr_slice *framed, struct mr_arena *arena, void *out)
{
    static uint8_t buffer[65536];

    for (size_t i = 0; i < RECORDS; i++) {
        struct mr_err err = {0};

        /* Not ck_assert, which allocates. */
        MR_ASSERT(mr_codec_decode(codec, binding, framed[i], arena, out, &err) == MR_OK);
        MR_ASSERT(mr_codec_framed_bytes_max(binding, out) <= sizeof(buffer));
        MR_ASSERT(mr_codec_encode(binding, out, buffer) == framed[i].len);
        mr_arena_reset(arena);
    }
}

START_TEST(a_record_costs_no_malloc)
{
    const struct mr_schema *schema = oms_schemas[_i];
    struct random random = {.state = 21};
    struct mr_registry *registry = mr_registry_memory_create();
    struct mr_codec *codec = mr_codec_create(registry);
    struct mr_arena *inputs = mr_arena_create(65536);
    struct mr_arena *arena = mr_arena_create(4096);
    void *out = mr_xcalloc(1, schema->struct_bytes + 16);
    struct mr_slice framed[RECORDS];
    struct mr_binding binding;
    struct mr_err err = {0};
    size_t before = 0;
    size_t after = 0;

    ck_assert_int_eq(mr_codec_bind(codec, schema, "s", &binding, &err), MR_OK);
    for (size_t i = 0; i < RECORDS; i++) {
        const void *record = random_record(&random, schema, inputs);
        uint8_t *bytes = mr_arena_alloc(inputs, mr_codec_framed_bytes_max(&binding, record));

        framed[i] = mr_slice_of(bytes, mr_codec_encode(&binding, record, bytes));
    }
    pass(codec, &binding, framed, arena, out);
    before = allocations;
    pass(codec, &binding, framed, arena, out);
    after = allocations;
    /* Set-up did allocate: the counters do count. */
    ck_assert_uint_gt(before, 0);
    ck_assert_msg(after == before, "%s: %zu allocations for %d records", schema->name,
                  after - before, RECORDS);
    free(out);
    mr_arena_destroy(&arena);
    mr_arena_destroy(&inputs);
    mr_codec_destroy(&codec);
    mr_registry_destroy(&registry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("no_malloc");
    TCase *tcase = tcase_create("all schemas");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, a_record_costs_no_malloc, 0, (int)oms_schema_count);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
