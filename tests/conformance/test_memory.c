/*
 * test_memory.c -- what a stage asks of the allocator.
 *
 * Goal:   in the steady state a record costs no allocation; and when there is no memory, the
 * process says so and ends with 1: no crash, no hang. Method: on the stage driver. The linker
 * routes malloc and its like, and the functions of the contract, through this file (--wrap), so
 * that what a stage allocates is told from what the driver allocates for it. Then a child in which
 * the n-th allocation fails, for many n. Not:    allocations of a module are not seen: its calls do
 * not go through this program's linker.
 */
#include "no_memory.h"
#include "stage_alone.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM 600
#define COUNTED 600
/* Tables grow, and double: a few. One for each record, or for every tenth, is no table. */
#define ALLOCATIONS_MAX (COUNTED / 20)

/* ---- counting -------------------------------------------------------------------------------- */

static bool in_stage; /* the stage's own code is running, and no function of the contract */
static size_t allocations;

/* The linker wants these names. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    allocations += in_stage;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations += in_stage;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    allocations += in_stage;
    return __real_realloc(old, bytes);
}

/* A function of the contract: what it allocates is the driver's. */
#define OUTSIDE(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        const bool inside = in_stage;                                                              \
        in_stage = false;                                                                          \
        type result = __real_##name arguments;                                                     \
        in_stage = inside;                                                                         \
        return result;                                                                             \
    }

OUTSIDE(enum mr_status, mr_emit,
        (struct mr_ctx * ctx, size_t port, struct mr_slice key, const void *value,
         struct mr_err *err),
        (ctx, port, key, value, err))
OUTSIDE(enum mr_status, mr_emit_by,
        (struct mr_ctx * ctx, size_t port, struct mr_slice by, struct mr_slice key,
         const void *value, struct mr_err *err),
        (ctx, port, by, key, value, err))
OUTSIDE(enum mr_status, mr_store_get,
        (struct mr_store * store, struct mr_slice key, void *value, bool *found,
         struct mr_err *err),
        (store, key, value, found, err))
OUTSIDE(enum mr_status, mr_store_put,
        (struct mr_store * store, struct mr_slice key, const void *value, struct mr_err *err),
        (store, key, value, err))
OUTSIDE(enum mr_status, mr_store_delete,
        (struct mr_store * store, struct mr_slice key, struct mr_err *err), (store, key, err))
OUTSIDE(enum mr_status, mr_store_scan,
        (struct mr_store * store, struct mr_slice from, struct mr_slice to, mr_store_visit *visit,
         void *arg, struct mr_err *err),
        (store, from, to, visit, arg, err))
OUTSIDE(const void *, mr_table_get,
        (struct mr_ctx * ctx, size_t port, struct mr_slice key, int64_t *version),
        (ctx, port, key, version))
OUTSIDE(struct mr_gauge *, mr_ctx_gauge,
        (struct mr_ctx * ctx, const char *name, const struct mr_label *labels, size_t count),
        (ctx, name, labels, count))

static const struct mr_stage *watched;

static enum mr_status watched_process(void *self, struct mr_ctx *ctx, size_t port,
                                      const struct mr_record *record, struct mr_err *err)
{
    enum mr_status status;

    in_stage = true;
    status = watched->process(self, ctx, port, record, err);
    in_stage = false;
    return status;
}

START_TEST(a_record_costs_no_allocation)
{
    struct mr_stage stage = *subject(_i);
    struct alone_input input;
    struct mr_driver *driver;
    size_t warm = 0;

    watched = subject(_i);
    stage.process = watched_process;
    /* Keys are asked for by the subject. */
    alone_input_make(&input, watched, 0, WARM + COUNTED);
    driver = alone_open(&stage);
    for (size_t i = 0; i < input.count; i++) {
        if (i == WARM) {
            warm = allocations;
        }
        (void)alone_push(driver, &input, i);
        if (i % 10 == 0) {
            (void)mr_driver_commit(driver);
            mr_driver_emits_clear(driver);
        }
    }
    ck_assert_msg(allocations - warm <= ALLOCATIONS_MAX, "%s: %zu allocations for %d records",
                  watched->name, allocations - warm, COUNTED);
    mr_driver_destroy(&driver);
    alone_input_fini(&input);
}
END_TEST

/* ---- none left ------------------------------------------------------------------------------- */

#ifdef MR_FAULTS
#define MEMORY_RECORDS 40

static void live(const void *arg)
{
    const struct alone_input *input = arg;
    struct mr_driver *driver = alone_open(input->type);

    for (size_t i = 0; i < input->count; i++) {
        (void)alone_push(driver, input, i);
        if (i == input->count / 2) {
            (void)mr_driver_commit(driver);
            mr_driver_restart(driver);
        }
    }
    (void)mr_driver_commit(driver);
    mr_driver_destroy(&driver);
}

START_TEST(without_memory_a_stage_ends_the_process_in_one_line)
{
    const struct mr_stage *type = subject(_i);
    struct alone_input input;
    char said[NO_MEMORY_SAID_BYTES];
    int code = 1;

    alone_input_make(&input, type, 2, MEMORY_RECORDS);
    /* Each of the first ones, where init and reload are; then ever fewer. */
    for (long n = 1; code != 0; n += 1 + n / 50) {
        code = no_memory_run(live, &input, n, said);
        ck_assert_msg(code == 0 || (code == 1 && strstr(said, "out of memory") != NULL),
                      "%s: allocation %ld: exit code %d: %s", type->name, n, code, said);
    }
    alone_input_fini(&input);
}
END_TEST
#endif

int main(int argc, char **argv)
{
    Suite *suite = suite_create("conformance: memory");
    TCase *tcase = tcase_create("every stage");
    SRunner *runner;
    int failed;

    subjects_init(argc, argv);
    tcase_set_timeout(tcase, 120);
    if (argc < 2) {
        tcase_add_loop_test(tcase, a_record_costs_no_allocation, 0, subject_count());
    }
#ifdef MR_FAULTS
    tcase_add_loop_test(tcase, without_memory_a_stage_ends_the_process_in_one_line, 0,
                        subject_count());
#endif
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
