/*
 * test_store.c -- a state store keeps its promises through savepoints, aborts, commits and
 * eviction.
 *
 * Goal:   a stage reads what it and the transaction wrote; a rolled back record and an aborted
 *         transaction leave no trace; changes are the net effect, each key once.
 * Method: a random walk beside a model of three arrays (committed, transaction, record); the cache
 * is small, so that eviction and the filter take part. Boundaries have tests of their own.
 */
#include "avro/price_state.h"
#include "millrace/task_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define KEYS 97
#define STEPS 60000

struct fixture {
    struct mr_registry *registry;
    struct mr_codec *codec;
    struct mr_backend *backend;
    struct mr_space *space;
    struct mr_arena *arena;
    struct mr_store *store;
    struct mr_cache_budget budget;
    struct mr_err err;
};

static void open_store(struct fixture *f, size_t cache_bytes)
{
    struct mr_store_config config = {
        .name = "test.balances",
        .codec = f->codec,
        .backend = f->backend,
        .space = f->space,
        .arena = f->arena,
        .budget = &f->budget,
    };

    f->budget = (struct mr_cache_budget){.limit_bytes = cache_bytes};
    ck_assert_int_eq(mr_codec_bind(f->codec, &oms_price_state_schema, "balances-value",
                                   &config.binding, &f->err),
                     MR_OK);
    ck_assert_int_eq(mr_store_open(&config, &f->store, &f->err), MR_OK);
}

static void set_up(struct fixture *f, size_t cache_bytes)
{
    *f = (struct fixture){.registry = mr_registry_memory_create(),
                          .backend = mr_backend_memory_create(),
                          .arena = mr_arena_create(4096)};
    f->codec = mr_codec_create(f->registry);
    ck_assert_int_eq(
        f->backend->ops->space_open(f->backend, "test.balances", 0, &f->space, &f->err), MR_OK);
    open_store(f, cache_bytes);
}

static void tear_down(struct fixture *f)
{
    mr_store_close(&f->store);
    ck_assert_uint_eq(f->budget.used_bytes, 0);
    ck_assert_int_eq(f->backend->ops->space_close(f->backend, f->space, &f->err), MR_OK);
    mr_backend_close(&f->backend);
    mr_codec_destroy(&f->codec);
    mr_registry_destroy(&f->registry);
    mr_arena_destroy(&f->arena);
}

static struct mr_slice key_of(int i, char text[16])
{
    snprintf(text, 16, "key-%04d", i);
    return mr_slice_str(text);
}

static void put(struct fixture *f, int key, int64_t version)
{
    const struct oms_price_state value = {.last_trade_id = version, .last = version};
    char text[16];

    ck_assert_int_eq(mr_store_put(f->store, key_of(key, text), &value, &f->err), MR_OK);
}

static void del(struct fixture *f, int key)
{
    char text[16];

    ck_assert_int_eq(mr_store_delete(f->store, key_of(key, text), &f->err), MR_OK);
}

/* 0: absent */
static int64_t get(struct fixture *f, int key)
{
    struct oms_price_state value;
    char text[16];
    bool found;

    ck_assert_int_eq(mr_store_get(f->store, key_of(key, text), &value, &found, &f->err), MR_OK);
    return found ? value.last_trade_id : 0;
}

struct changes {
    struct mr_backend_write writes[KEYS + 1];
    size_t count;
    struct mr_space *space;
};

static enum mr_status collect(void *arg, struct mr_slice key, struct mr_slice value, bool has_value,
                              struct mr_err *err)
{
    struct changes *changes = arg;

    (void)err;
    ck_assert_uint_le(changes->count, KEYS);
    changes->writes[changes->count++] = (struct mr_backend_write){
        .space = changes->space, .key = key, .value = value, .has_value = has_value};
    return MR_OK;
}

static size_t commit(struct fixture *f)
{
    struct changes changes = {.space = f->space};

    ck_assert_int_eq(mr_store_changes(f->store, collect, &changes, &f->err), MR_OK);
    mr_store_committed(f->store);
    return changes.count;
}

/* Brings the backend up to what is committed; returns how many keys that took. */
static size_t write_behind(struct fixture *f)
{
    struct changes changes = {.space = f->space};

    ck_assert_int_eq(mr_store_unwritten(f->store, collect, &changes, &f->err), MR_OK);
    ck_assert_int_eq(
        f->backend->ops->write(f->backend, changes.writes, changes.count, NULL, 0, false, &f->err),
        MR_OK);
    mr_store_written(f->store);
    return changes.count;
}

struct walk {
    int64_t record[KEYS], transaction[KEYS], committed[KEYS];
};

struct scan_check {
    const int64_t *want;
    int next;
    int end;
};

static bool check_scanned(void *arg, struct mr_slice key, const void *value)
{
    struct scan_check *scan = arg;
    const struct oms_price_state *state = value;
    char text[16];

    while (scan->next < scan->end && scan->want[scan->next] == 0) {
        scan->next++;
    }
    ck_assert_int_lt(scan->next, scan->end);
    ck_assert(mr_slice_equal(key, key_of(scan->next, text)));
    ck_assert_int_eq(state->last_trade_id, scan->want[scan->next]);
    scan->next++;
    return true;
}

static void check_scan(struct fixture *f, const int64_t *want, int from, int to)
{
    struct scan_check scan = {.want = want, .next = from, .end = to};
    char from_text[16];
    char to_text[16];

    ck_assert_int_eq(mr_store_scan(f->store, key_of(from, from_text), key_of(to, to_text),
                                   check_scanned, &scan, &f->err),
                     MR_OK);
    while (scan.next < to) {
        ck_assert_int_eq(want[scan.next++], 0);
    }
}

/* ---- from outside: committed values alone -----------------------------------------------------
 */

static bool count_peeked(void *arg, struct mr_slice key, struct mr_slice value)
{
    const int64_t *committed = ((const struct scan_check *)arg)->want;
    struct scan_check *scan = arg;
    char text[16];

    (void)value;
    while (scan->next < scan->end && committed[scan->next] == 0) {
        scan->next++;
    }
    ck_assert_int_lt(scan->next, scan->end);
    ck_assert(mr_slice_equal(key, key_of(scan->next++, text)));
    return true;
}

static void check_peek(struct fixture *f, const int64_t *committed, int key)
{
    struct scan_check scan = {.want = committed, .next = key, .end = KEYS};
    struct mr_buffer framed = MR_BUFFER_EMPTY;
    struct oms_price_state value;
    char text[16];
    bool found;

    ck_assert_int_eq(mr_store_peek(f->store, key_of(key, text), &framed, &found, &f->err), MR_OK);
    ck_assert_int_eq(found, committed[key] != 0);
    if (found) {
        ck_assert_int_eq(
            oms_price_state_schema.decode(
                mr_slice_of(framed.data + MR_WIRE_HEADER_BYTES, framed.len - MR_WIRE_HEADER_BYTES),
                NULL, &value, &f->err),
            MR_OK);
        ck_assert_int_eq(value.last_trade_id, committed[key]);
    }
    mr_buffer_fini(&framed);
    ck_assert_int_eq(mr_store_peek_range(f->store, key_of(key, text), (struct mr_slice){0},
                                         count_peeked, &scan, &f->err),
                     MR_OK);
    while (scan.next < KEYS) {
        ck_assert_int_eq(committed[scan.next++], 0);
    }
}

/* One step of the walk on the store and on the model; reading is the most frequent one. */
static void walk_step(struct fixture *f, struct walk *model, uint64_t dice, int64_t *version)
{
    const int key = (int)((dice >> 33) % KEYS);
    const uint64_t choice = (dice >> 50) % 32;

    if (choice < 8) {
        put(f, key, ++*version);
        model->record[key] = *version;
    } else if (choice < 11) {
        del(f, key);
        model->record[key] = 0;
    } else if (choice == 11) {
        mr_store_rollback(f->store);
        memcpy(model->record, model->transaction, sizeof(model->record));
    } else if (choice < 14) {
        mr_store_release(f->store);
        memcpy(model->transaction, model->record, sizeof(model->record));
    } else if (choice == 14) {
        mr_store_abort(f->store);
        memcpy(model->record, model->committed, sizeof(model->record));
        memcpy(model->transaction, model->committed, sizeof(model->record));
    } else if (choice == 15) {
        commit(f);
        memcpy(model->transaction, model->record, sizeof(model->record));
        memcpy(model->committed, model->record, sizeof(model->record));
    } else if (choice == 16) {
        check_scan(f, model->record, key, KEYS);
    } else if (choice == 17) {
        write_behind(f);
    } else if (choice == 18) {
        check_peek(f, model->committed, key);
    } else {
        ck_assert_int_eq(get(f, key), model->record[key]);
    }
}

static void random_walk(size_t cache_bytes, unsigned seed)
{
    static struct walk model;
    struct fixture f;
    uint64_t dice = seed;
    int64_t version = 0;

    memset(&model, 0, sizeof(model));
    set_up(&f, cache_bytes);
    for (int step = 0; step < STEPS; step++) {
        dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
        walk_step(&f, &model, dice, &version);
        mr_arena_reset(f.arena);
    }
    mr_store_abort(f.store);
    write_behind(&f);
    mr_store_close(&f.store); /* and open again: what was committed is there */
    open_store(&f, cache_bytes);
    check_scan(&f, model.committed, 0, KEYS);
    for (int key = 0; key < KEYS; key++) {
        ck_assert_int_eq(get(&f, key), model.committed[key]);
    }
    tear_down(&f);
}

static const struct {
    size_t cache_bytes;
    const char *why;
} walks[] = {
    {1 << 20, "everything fits: a miss needs no backend"},
    {4000, "about a third fits: eviction, filter and backend take part"},
    {1, "nothing stays: every read comes from the backend"},
};

START_TEST(random_walk_equals_the_model)
{
    random_walk(walks[_i].cache_bytes, (unsigned)_i + 7);
}
END_TEST

START_TEST(changes_are_the_net_effect)
{
    struct fixture f;

    set_up(&f, 1 << 20);
    put(&f, 1, 10);
    put(&f, 2, 20);
    ck_assert_uint_eq(commit(&f), 2);

    put(&f, 1, 11); /* set back to what it was */
    put(&f, 1, 10);
    put(&f, 3, 30); /* created and deleted */
    del(&f, 3);
    del(&f, 2);
    put(&f, 4, 40); /* written twice */
    put(&f, 4, 41);
    ck_assert_uint_eq(commit(&f), 2);
    ck_assert_int_eq(get(&f, 1), 10);
    ck_assert_int_eq(get(&f, 2), 0);
    ck_assert_int_eq(get(&f, 3), 0);
    ck_assert_int_eq(get(&f, 4), 41);
    tear_down(&f);
}
END_TEST

START_TEST(the_backend_sees_only_what_lasted)
{
    struct fixture f;

    set_up(&f, 1 << 20);
    put(&f, 1, 10);
    put(&f, 2, 20);
    commit(&f);
    put(&f, 1, 11);
    del(&f, 2); /* came and went between two writes */
    commit(&f);
    ck_assert_uint_gt(mr_store_behind_bytes(f.store), 0);
    ck_assert_uint_eq(write_behind(&f), 1);
    ck_assert_uint_eq(mr_store_behind_bytes(f.store), 0);
    ck_assert_uint_eq(write_behind(&f), 0);
    del(&f, 1); /* the backend has it: it must be told */
    commit(&f);
    ck_assert_uint_eq(write_behind(&f), 1);
    mr_store_close(&f.store);
    open_store(&f, 1 << 20);
    ck_assert_int_eq(get(&f, 1), 0);
    ck_assert_int_eq(get(&f, 2), 0);
    tear_down(&f);
}
END_TEST

START_TEST(borrowed_bytes_survive_a_put_of_the_same_key)
{
    /* Fixed bytes are copied by decoding, so look at the block through the codec's own borrow:
     * two gets around a put in one record give the values of their time. */
    struct fixture f;
    struct oms_price_state before;
    char text[16];
    bool found;

    set_up(&f, 1 << 20);
    put(&f, 5, 1);
    commit(&f);
    ck_assert_int_eq(mr_store_get(f.store, key_of(5, text), &before, &found, &f.err), MR_OK);
    put(&f, 5, 2);
    put(&f, 5, 3);
    ck_assert_int_eq(before.last_trade_id, 1);
    ck_assert(mr_store_rollback(f.store));
    ck_assert_int_eq(get(&f, 5), 1);
    ck_assert(!mr_store_rollback(f.store));
    tear_down(&f);
}
END_TEST

START_TEST(a_key_too_long_is_refused_and_leaves_no_trace)
{
    static uint8_t bytes[MR_STORE_KEY_BYTES_MAX + 1];
    const struct oms_price_state value = {0};
    struct fixture f;

    set_up(&f, 1 << 20);
    ck_assert_int_eq(mr_store_put(f.store, mr_slice_of(bytes, sizeof(bytes)), &value, &f.err),
                     MR_TOO_LARGE);
    ck_assert_int_eq(mr_store_put(f.store, mr_slice_of(bytes, 0), &value, &f.err), MR_TOO_LARGE);
    ck_assert(!mr_store_abort(f.store));
    ck_assert_int_eq(
        mr_store_put(f.store, mr_slice_of(bytes, MR_STORE_KEY_BYTES_MAX), &value, &f.err), MR_OK);
    tear_down(&f);
}
END_TEST

START_TEST(an_unreadable_value_is_corruption_not_poison)
{
    struct fixture f;
    struct oms_price_state value;
    const uint8_t bytes[] = {0, 0, 0, 0, 1, 7};
    char text[16];
    struct mr_backend_write write = {.value = mr_slice_of(bytes, sizeof(bytes)), .has_value = true};
    bool found;

    set_up(&f, 1 << 20);
    mr_store_close(&f.store);
    write.space = f.space;
    write.key = key_of(9, text);
    ck_assert_int_eq(f.backend->ops->write(f.backend, &write, 1, NULL, 0, false, &f.err), MR_OK);
    open_store(&f, 1 << 20);
    ck_assert_int_eq(mr_store_get(f.store, key_of(9, text), &value, &found, &f.err), MR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "test.balances"));
    tear_down(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state store");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_walk_equals_the_model, 0, (int)MR_COUNT(walks));
    tcase_add_test(tcase, changes_are_the_net_effect);
    tcase_add_test(tcase, the_backend_sees_only_what_lasted);
    tcase_add_test(tcase, borrowed_bytes_survive_a_put_of_the_same_key);
    tcase_add_test(tcase, a_key_too_long_is_refused_and_leaves_no_trace);
    tcase_add_test(tcase, an_unreadable_value_is_corruption_not_poison);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
