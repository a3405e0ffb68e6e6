/*
 * test_faults.c -- a failed call of a stage leaves nothing behind, in the stores and in the stage.
 *
 * Goal:   each call that a stage makes (read, write, scan, emit) may fail; the stage returns just
 *         that failure, the stores are as before, byte for byte, and the record, given again, has
 *         the effects that it would have had. The same for flush, and after a restart.
 * Method: two instances take the same records, each committed. In one of them the n-th call of each
 *         kind fails, n from the first to one that is not reached, and every few records it is
 *         started again; the other is left alone. Both must stay equal.
 */
#include "stage_alone.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define TAME 12
#define MORE 60
#define RESTART_EACH 7
#define CALLS_MAX 200

static const struct fault {
    enum mr_driver_fault kind;
    enum mr_status status;
    const char *what;
} faults[] = {
    {MR_DRIVER_FAULT_GET, MR_STORE_IO, "a read"},
    {MR_DRIVER_FAULT_PUT, MR_STORE_IO, "a write"},
    {MR_DRIVER_FAULT_SCAN, MR_STORE_IO, "a scan"},
    {MR_DRIVER_FAULT_EMIT, MR_TXN_ABORT, "an emit"},
    {MR_DRIVER_FAULT_EMIT_POISON, MR_MALFORMED, "an emit that is poison further down"},
};

struct pair {
    const struct alone_input *input;
    struct mr_driver *disturbed;
    struct mr_driver *calm;
    size_t struck;
};

static const char *name_of(const struct pair *pair)
{
    return pair->input->type->name;
}

static size_t emits_of(const struct mr_driver *driver, const struct mr_stage *type)
{
    size_t count = 0;

    for (size_t i = 0; i < type->out_count; i++) {
        count += mr_driver_emit_count(driver, type->out[i].name);
    }
    return count;
}

/* What was emitted since the last comparison, and all stores. */
static void check_equal(const struct pair *pair, size_t record, const char *after)
{
    const struct mr_stage *type = pair->input->type;

    for (size_t i = 0; i < type->out_count; i++) {
        const char *port = type->out[i].name;
        const size_t count = mr_driver_emit_count(pair->calm, port);

        ck_assert_msg(mr_driver_emit_count(pair->disturbed, port) == count,
                      "%s: record %zu: after %s %zu records come out of %s instead of %zu",
                      type->name, record, after, mr_driver_emit_count(pair->disturbed, port), port,
                      count);
        for (size_t k = 0; k < count; k++) {
            ck_assert_msg(mr_slice_equal(mr_driver_emit_bytes(pair->calm, port, k),
                                         mr_driver_emit_bytes(pair->disturbed, port, k)) &&
                              mr_slice_equal(mr_driver_emit_key(pair->calm, port, k),
                                             mr_driver_emit_key(pair->disturbed, port, k)),
                          "%s: record %zu: after %s another record comes out of %s", type->name,
                          record, after, port);
        }
    }
    ck_assert_msg(mr_driver_state_digest(pair->calm) == mr_driver_state_digest(pair->disturbed),
                  "%s: record %zu: after %s the stores differ", type->name, record, after);
}

/* The record with its n-th call failing; false when there is no such call. */
static bool fail_in_process(struct pair *pair, size_t record, const struct fault *fault, unsigned n)
{
    struct mr_driver *driver = pair->disturbed;
    const uint64_t before = mr_driver_state_digest(driver);
    const size_t emits = emits_of(driver, pair->input->type);
    enum mr_status status;

    mr_driver_fail(driver, fault->kind, n);
    status = alone_push(driver, pair->input, record);
    if (mr_driver_fault_pending(driver)) {
        return false;
    }
    pair->struck++;
    ck_assert_msg(status == fault->status, "%s: record %zu: %s failed, and process returns %s",
                  name_of(pair), record, fault->what, mr_status_name(status));
    ck_assert_msg(
        mr_driver_state_digest(driver) == before && emits_of(driver, pair->input->type) == emits,
        "%s: record %zu: %s failed and something stayed", name_of(pair), record, fault->what);
    return true;
}

static bool fail_in_flush(struct pair *pair, size_t record, const struct fault *fault, unsigned n)
{
    struct mr_driver *driver = pair->disturbed;
    const uint64_t before = mr_driver_state_digest(driver);
    enum mr_status status;

    mr_driver_fail(driver, MR_DRIVER_FAULT_NONE, 1);
    (void)alone_push(driver, pair->input, record);
    mr_driver_fail(driver, fault->kind, n);
    status = mr_driver_commit(driver);
    if (mr_driver_fault_pending(driver)) {
        return false;
    }
    pair->struck++;
    ck_assert_msg(status == fault->status, "%s: record %zu: %s failed, and flush returns %s",
                  name_of(pair), record, fault->what, mr_status_name(status));
    ck_assert_msg(mr_driver_state_digest(driver) == before,
                  "%s: record %zu: %s of flush failed and something stayed", name_of(pair), record,
                  fault->what);
    return true;
}

static void take(struct pair *pair, size_t record, const struct fault *fault)
{
    const enum mr_status want = alone_push(pair->calm, pair->input, record);
    unsigned n = 1;

    ck_assert_int_eq(mr_driver_commit(pair->calm), MR_OK);
    while (fail_in_process(pair, record, fault, n)) {
        ck_assert_uint_lt(n++, CALLS_MAX);
    }
    /* That one went through, with the fault still ordered: once more, for flush. */
    mr_driver_fail(pair->disturbed, MR_DRIVER_FAULT_NONE, 1);
    mr_driver_abort(pair->disturbed);
    for (n = 1; pair->input->type->flush != NULL && fail_in_flush(pair, record, fault, n); n++) {
        ck_assert_uint_lt(n, CALLS_MAX);
    }
    mr_driver_fail(pair->disturbed, MR_DRIVER_FAULT_NONE, 1);
    if (pair->input->type->flush == NULL) {
        ck_assert_msg(alone_push(pair->disturbed, pair->input, record) == want,
                      "%s: record %zu is taken otherwise after %s failed", name_of(pair), record,
                      fault->what);
        ck_assert_int_eq(mr_driver_commit(pair->disturbed), MR_OK);
    }
    check_equal(pair, record, fault->what);
    mr_driver_emits_clear(pair->calm);
    mr_driver_emits_clear(pair->disturbed);
    if (record % RESTART_EACH == 0) {
        mr_driver_restart(pair->disturbed);
    }
}

START_TEST(a_failed_call_leaves_nothing_behind)
{
    const struct mr_stage *type = subject(_i);
    struct alone_input input;
    size_t struck = 0;

    alone_input_make(&input, type, TAME, MORE);
    for (size_t f = 0; f < MR_COUNT(faults); f++) {
        struct pair pair = {
            .input = &input, .disturbed = alone_open(type), .calm = alone_open(type)};

        for (size_t i = 0; i < input.count; i++) {
            take(&pair, i, &faults[f]);
        }
        struck += pair.struck;
        mr_driver_destroy(&pair.disturbed);
        mr_driver_destroy(&pair.calm);
    }
    ck_assert_msg(struck > 0, "%s makes no call that could fail", type->name);
    alone_input_fini(&input);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("conformance: faults");
    TCase *tcase = tcase_create("every stage");
    SRunner *runner;
    int failed;

    subjects_init(argc, argv);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_failed_call_leaves_nothing_behind, 0, subject_count());
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
