/* contract.c -- see contract.h. */
#include "contract.h"

#include <stdlib.h>

struct mr_backend *backend;
const struct backend_fixture *backend_fixture;

static void setup(void)
{
    backend = backend_fixture->open();
}

static void teardown(void)
{
    mr_backend_close(&backend);
    if (backend_fixture->clean != NULL) {
        backend_fixture->clean();
    }
}

void backend_contract_add(Suite *suite, const struct backend_fixture *fixture)
{
    TCase *const tcases[] = {backend_cases(), backend_model_cases()};

    backend_fixture = fixture;
    for (size_t i = 0; i < MR_COUNT(tcases); i++) {
        tcase_add_checked_fixture(tcases[i], setup, teardown);
        tcase_set_timeout(tcases[i], 60);
        suite_add_tcase(suite, tcases[i]);
    }
}

int backend_contract_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void expect_ok(enum mr_status status, const struct mr_err *err)
{
    ck_assert_msg(status == MR_OK, "%s: %s", mr_status_name(status), err->text);
}

struct mr_space *space_open(const char *name, int32_t partition)
{
    struct mr_space *space;
    struct mr_err err = {0};

    expect_ok(backend->ops->space_open(backend, name, partition, &space, &err), &err);
    return space;
}

void write_batch(const struct mr_backend_write *writes, size_t write_count,
                 const struct mr_backend_write *metas, size_t meta_count)
{
    struct mr_err err = {0};

    expect_ok(backend->ops->write(backend, writes, write_count, metas, meta_count, false, &err),
              &err);
}

void put(struct mr_space *space, struct mr_slice key, struct mr_slice value)
{
    write_batch(&(struct mr_backend_write){space, key, value, true}, 1, NULL, 0);
}

void put_meta(struct mr_space *space, struct mr_slice key, struct mr_slice value)
{
    write_batch(NULL, 0, &(struct mr_backend_write){space, key, value, true}, 1);
}

void erase(struct mr_space *space, struct mr_slice key)
{
    write_batch(&(struct mr_backend_write){.space = space, .key = key}, 1, NULL, 0);
}

void wipe(struct mr_space *space)
{
    struct mr_err err = {0};

    expect_ok(backend->ops->space_wipe(backend, space, &err), &err);
}

static void expect_value(bool found, const struct mr_buffer *value, struct mr_slice key,
                         const struct mr_slice *expected)
{
    ck_assert_msg(found == (expected != NULL), "key '%.*s': found %d", MR_SLICE_ARG(key), found);
    if (expected != NULL) {
        ck_assert_msg(mr_slice_equal(mr_buffer_slice(value), *expected), "key '%.*s': '%.*s'",
                      MR_SLICE_ARG(key), (int)value->len, (const char *)value->data);
    }
}

void expect(struct mr_space *space, struct mr_slice key, const struct mr_slice *expected)
{
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    bool found;

    mr_buffer_append(&value, "left over", 9); /* what a caller's buffer holds from before */
    expect_ok(backend->ops->get(backend, space, key, &value, &found, &err), &err);
    expect_value(found, &value, key, expected);
    mr_buffer_fini(&value);
}

void expect_text(struct mr_space *space, const char *key, const char *expected)
{
    const struct mr_slice value = expected == NULL ? (struct mr_slice){0} : mr_slice_str(expected);

    expect(space, mr_slice_str(key), expected == NULL ? NULL : &value);
}

void expect_meta(struct mr_space *space, const char *key, const char *expected)
{
    const struct mr_slice wanted = expected == NULL ? (struct mr_slice){0} : mr_slice_str(expected);
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    bool found;

    expect_ok(backend->ops->meta_get(backend, space, mr_slice_str(key), &value, &found, &err),
              &err);
    expect_value(found, &value, mr_slice_str(key), expected == NULL ? NULL : &wanted);
    mr_buffer_fini(&value);
}

static bool add_key(void *arg, struct mr_slice key, struct mr_slice value)
{
    struct mr_buffer *keys = arg;

    (void)value;
    mr_buffer_printf(keys, "%s%.*s", keys->len == 0 ? "" : " ", MR_SLICE_ARG(key));
    return true;
}

char *scan_keys(struct mr_space *space, struct mr_slice from, struct mr_slice to)
{
    struct mr_buffer keys = MR_BUFFER_EMPTY;
    struct mr_err err = {0};

    expect_ok(backend->ops->scan(backend, space, from, to, add_key, &keys, &err), &err);
    mr_buffer_append(&keys, "", 1);
    return (char *)keys.data;
}
