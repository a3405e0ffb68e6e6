/*
 * Goal:   what a store relies on: separate ordered key spaces, written in batches.
 * Method: a few keys, each rule alone.
 */
#include "contract.h"
#include "millrace/arena.h"

#include <pthread.h>
#include <stdlib.h>

START_TEST(a_value_is_read_back_until_it_is_overwritten)
{
    struct mr_space *space = space_open("risk.orders", 0);

    expect_text(space, "a", NULL);
    put(space, BYTES("a"), BYTES("1"));
    expect_text(space, "a", "1");
    put(space, BYTES("a"), BYTES("22"));
    expect_text(space, "a", "22");
}
END_TEST

START_TEST(a_deleted_key_is_absent_and_deleting_an_absent_one_is_nothing)
{
    struct mr_space *space = space_open("risk.orders", 0);

    put(space, BYTES("a"), BYTES("1"));
    erase(space, BYTES("a"));
    erase(space, BYTES("b"));
    expect_text(space, "a", NULL);
    expect_text(space, "b", NULL);
}
END_TEST

START_TEST(a_space_knows_about_how_much_it_holds)
{
    struct mr_space *space = space_open("risk.orders", 0);
    struct mr_space *empty = space_open("risk.orders", 1);
    struct mr_space_size size;
    struct mr_err err;

    for (char c = 'a'; c <= 'e'; c++) {
        put(space, mr_slice_of(&c, 1), BYTES("0123456789"));
    }
    ck_assert_int_eq(backend->ops->space_size(backend, space, &size, &err), MR_OK);
    ck_assert_uint_eq(size.entries, 5);
    ck_assert_uint_ge(size.bytes, 55);
    ck_assert_int_eq(backend->ops->space_size(backend, empty, &size, &err), MR_OK);
    ck_assert_uint_eq(size.entries, 0);
}
END_TEST

static const struct {
    const char *why;
    struct mr_slice key;
    struct mr_slice value;
} odd[] = {
    {"an empty value is a value", {(const uint8_t *)"k", 1}, {NULL, 0}},
    {"zero bytes inside", {(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"\0\0", 2}},
    {"highest bytes", {(const uint8_t *)"\xff\xff", 2}, {(const uint8_t *)"\xff", 1}},
    {"an empty key is a key", {NULL, 0}, {(const uint8_t *)"v", 1}},
};

START_TEST(any_bytes_are_a_key_and_a_value)
{
    struct mr_space *space = space_open("risk.orders", 0);

    put(space, BYTES("other"), BYTES("x"));
    put(space, odd[_i].key, odd[_i].value);
    expect(space, odd[_i].key, &odd[_i].value);
    expect_text(space, "other", "x");
}
END_TEST

START_TEST(a_large_value_comes_back_whole)
{
    struct mr_space *space = space_open("fill.books", 0);
    const size_t bytes = (size_t)3 * 1024 * 1024 + 1;
    uint8_t *data = mr_xcalloc(1, bytes);
    struct mr_slice value;

    for (size_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    value = mr_slice_of(data, bytes);
    put(space, BYTES("book"), value);
    expect(space, BYTES("book"), &value);
    free(data);
}
END_TEST

START_TEST(spaces_of_other_names_and_partitions_are_separate)
{
    struct mr_space *spaces[] = {space_open("a.b", 0), space_open("a.b", 1), space_open("a.b", 11),
                                 space_open("a.c", 0)};
    static const char *const values[] = {"0", "1", "2", "3"};

    for (size_t i = 0; i < MR_COUNT(spaces); i++) {
        put(spaces[i], BYTES("k"), mr_slice_str(values[i]));
        put_meta(spaces[i], BYTES("k"), mr_slice_str(values[i]));
    }
    for (size_t i = 0; i < MR_COUNT(spaces); i++) {
        char *keys = scan_keys(spaces[i], BYTES(""), BYTES(""));

        expect_text(spaces[i], "k", values[i]);
        expect_meta(spaces[i], "k", values[i]);
        ck_assert_str_eq(keys, "k");
        free(keys);
    }
}
END_TEST

START_TEST(metadata_is_no_part_of_the_data)
{
    struct mr_space *space = space_open("risk.orders", 0);
    char *keys;

    put_meta(space, BYTES("offset"), BYTES("17"));
    put(space, BYTES("a"), BYTES("1"));
    expect_meta(space, "offset", "17");
    expect_text(space, "offset", NULL);
    expect_meta(space, "a", NULL);
    keys = scan_keys(space, BYTES(""), BYTES(""));
    ck_assert_str_eq(keys, "a");
    free(keys);
}
END_TEST

START_TEST(a_space_opened_again_is_the_same)
{
    struct mr_space *space = space_open("risk.orders", 3);
    struct mr_err err = {0};

    put(space, BYTES("a"), BYTES("1"));
    put_meta(space, BYTES("offset"), BYTES("17"));
    ck_assert_int_eq(backend->ops->space_close(backend, space, &err), MR_OK);
    space = space_open("risk.orders", 3);
    expect_text(space, "a", "1");
    expect_meta(space, "offset", "17");
}
END_TEST

/* ---- scans ------------------------------------------------------------------------------------
 */

static const struct {
    const char *why;
    const char *from;
    const char *to;
    const char *keys;
} bounds[] = {
    {"everything", "", "", "a b ba c"},
    {"from is inside", "b", "", "b ba c"},
    {"to is not", "", "ba", "a b"},
    {"both bounds", "b", "c", "b ba"},
    {"bounds that are no keys", "aa", "bz", "b ba"},
    {"nothing between neighbours", "bb", "c", ""},
    {"from behind the last", "d", "", ""},
    {"to before the first", "", "a", ""},
    {"an empty range", "b", "b", ""},
    {"a reversed range", "c", "a", ""},
};

START_TEST(a_scan_visits_its_range_in_byte_order)
{
    struct mr_space *space = space_open("risk.orders", 0);
    char *keys;

    /* Written out of order, with one that is gone again. */
    put(space, BYTES("ba"), BYTES("3"));
    put(space, BYTES("c"), BYTES("4"));
    put(space, BYTES("a"), BYTES("1"));
    put(space, BYTES("bb"), BYTES("x"));
    put(space, BYTES("b"), BYTES("2"));
    erase(space, BYTES("bb"));
    keys = scan_keys(space, mr_slice_str(bounds[_i].from), mr_slice_str(bounds[_i].to));
    ck_assert_msg(strcmp(keys, bounds[_i].keys) == 0, "%s: '%s'", bounds[_i].why, keys);
    free(keys);
}
END_TEST

static bool stop_at_second(void *arg, struct mr_slice key, struct mr_slice value)
{
    int *calls = arg;

    (void)key;
    (void)value;
    (*calls)++;
    return *calls < 2;
}

START_TEST(a_scan_stops_when_it_is_told)
{
    struct mr_space *space = space_open("risk.orders", 0);
    struct mr_err err = {0};
    int calls = 0;

    put(space, BYTES("a"), BYTES("1"));
    put(space, BYTES("b"), BYTES("2"));
    put(space, BYTES("c"), BYTES("3"));
    ck_assert_int_eq(
        backend->ops->scan(backend, space, BYTES(""), BYTES(""), stop_at_second, &calls, &err),
        MR_OK);
    ck_assert_int_eq(calls, 2);
}
END_TEST

/* ---- batches ----------------------------------------------------------------------------------
 */

START_TEST(a_batch_writes_several_spaces_and_their_metadata_in_order)
{
    struct mr_space *orders = space_open("risk.orders", 0);
    struct mr_space *users = space_open("risk.users", 0);
    const struct mr_backend_write writes[] = {
        {orders, BYTES("a"), BYTES("first"), true},  {users, BYTES("a"), BYTES("user"), true},
        {orders, BYTES("b"), BYTES("gone"), true},   {orders, BYTES("a"), BYTES("last"), true},
        {orders, BYTES("b"), {.data = NULL}, false},
    };
    const struct mr_backend_write metas[] = {
        {orders, BYTES("offset"), BYTES("1"), true},
        {users, BYTES("offset"), BYTES("2"), true},
        {orders, BYTES("offset"), BYTES("3"), true},
    };

    write_batch(writes, MR_COUNT(writes), metas, MR_COUNT(metas));
    expect_text(orders, "a", "last");
    expect_text(orders, "b", NULL);
    expect_text(users, "a", "user");
    expect_meta(orders, "offset", "3");
    expect_meta(users, "offset", "2");
}
END_TEST

START_TEST(metadata_can_be_deleted)
{
    struct mr_space *space = space_open("risk.orders", 0);
    const struct mr_backend_write meta = {.space = space, .key = BYTES("offset")};

    put_meta(space, BYTES("offset"), BYTES("17"));
    write_batch(NULL, 0, &meta, 1);
    expect_meta(space, "offset", NULL);
}
END_TEST

START_TEST(a_durable_batch_is_read_back)
{
    struct mr_space *space = space_open("risk.orders", 0);
    const struct mr_backend_write write = {space, BYTES("a"), BYTES("1"), true};
    struct mr_err err = {0};

    ck_assert_int_eq(backend->ops->write(backend, &write, 1, NULL, 0, true, &err), MR_OK);
    expect_text(space, "a", "1");
}
END_TEST

/* ---- wiping -----------------------------------------------------------------------------------
 */

START_TEST(a_wipe_empties_one_space_and_its_metadata_only)
{
    struct mr_space *space = space_open("risk.orders", 1);
    struct mr_space *neighbours[] = {space_open("risk.orders", 0), space_open("risk.orders", 10),
                                     space_open("risk.orders1", 1)};
    char *keys;

    put(space, BYTES("a"), BYTES("1"));
    put_meta(space, BYTES("offset"), BYTES("17"));
    put_meta(space, BYTES("\xff"), BYTES("high"));
    for (size_t i = 0; i < MR_COUNT(neighbours); i++) {
        put(neighbours[i], BYTES("a"), BYTES("kept"));
        put_meta(neighbours[i], BYTES("offset"), BYTES("18"));
    }
    wipe(space);
    keys = scan_keys(space, BYTES(""), BYTES(""));
    ck_assert_str_eq(keys, "");
    free(keys);
    expect_meta(space, "offset", NULL);
    expect_meta(space, "\xff", NULL);
    for (size_t i = 0; i < MR_COUNT(neighbours); i++) {
        expect_text(neighbours[i], "a", "kept");
        expect_meta(neighbours[i], "offset", "18");
    }
}
END_TEST

START_TEST(a_wiped_space_is_used_on)
{
    struct mr_space *space = space_open("risk.orders", 0);

    wipe(space); /* empty: nothing to wipe */
    put(space, BYTES("a"), BYTES("1"));
    wipe(space);
    put(space, BYTES("b"), BYTES("2"));
    put_meta(space, BYTES("offset"), BYTES("17"));
    expect_text(space, "a", NULL);
    expect_text(space, "b", "2");
    expect_meta(space, "offset", "17");
}
END_TEST

START_TEST(metadata_without_data_is_wiped_too)
{
    struct mr_space *space = space_open("risk.orders", 0);

    put_meta(space, BYTES("offset"), BYTES("17"));
    wipe(space);
    expect_meta(space, "offset", NULL);
}
END_TEST

/* ---- threads ----------------------------------------------------------------------------------
 */

#define THREADS 4
#define THREAD_KEYS 500

struct worker {
    pthread_t thread;
    int32_t partition;
};

static void *use_own_space(void *arg)
{
    const struct worker *worker = arg;
    struct mr_space *space = space_open("risk.orders", worker->partition);

    for (int i = 0; i < THREAD_KEYS; i++) {
        const struct mr_slice key = mr_slice_of(&i, sizeof(i));

        put(space, key, mr_slice_of(&worker->partition, sizeof(worker->partition)));
        if (i == THREAD_KEYS / 2) {
            wipe(space);
        }
    }
    return NULL;
}

START_TEST(spaces_of_different_partitions_are_used_by_different_threads)
{
    struct worker workers[THREADS];
    const int last = THREAD_KEYS - 1;

    for (int32_t i = 0; i < THREADS; i++) {
        workers[i].partition = i;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, use_own_space, &workers[i]), 0);
    }
    for (int32_t i = 0; i < THREADS; i++) {
        const struct mr_slice value = mr_slice_of(&workers[i].partition, sizeof(int32_t));

        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        expect(space_open("risk.orders", i), mr_slice_of(&last, sizeof(last)), &value);
        expect(space_open("risk.orders", i), mr_slice_of(&(int){0}, sizeof(int)), NULL);
    }
}
END_TEST

TCase *backend_cases(void)
{
    TCase *tcase = tcase_create("rules");

    tcase_add_test(tcase, a_value_is_read_back_until_it_is_overwritten);
    tcase_add_test(tcase, a_deleted_key_is_absent_and_deleting_an_absent_one_is_nothing);
    tcase_add_loop_test(tcase, any_bytes_are_a_key_and_a_value, 0, (int)MR_COUNT(odd));
    tcase_add_test(tcase, a_space_knows_about_how_much_it_holds);
    tcase_add_test(tcase, a_large_value_comes_back_whole);
    tcase_add_test(tcase, spaces_of_other_names_and_partitions_are_separate);
    tcase_add_test(tcase, metadata_is_no_part_of_the_data);
    tcase_add_test(tcase, a_space_opened_again_is_the_same);
    tcase_add_loop_test(tcase, a_scan_visits_its_range_in_byte_order, 0, (int)MR_COUNT(bounds));
    tcase_add_test(tcase, a_scan_stops_when_it_is_told);
    tcase_add_test(tcase, a_batch_writes_several_spaces_and_their_metadata_in_order);
    tcase_add_test(tcase, metadata_can_be_deleted);
    tcase_add_test(tcase, a_durable_batch_is_read_back);
    tcase_add_test(tcase, a_wipe_empties_one_space_and_its_metadata_only);
    tcase_add_test(tcase, a_wiped_space_is_used_on);
    tcase_add_test(tcase, metadata_without_data_is_wiped_too);
    tcase_add_test(tcase, spaces_of_different_partitions_are_used_by_different_threads);
    return tcase;
}
