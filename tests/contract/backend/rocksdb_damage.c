/*
 * Goal:   damage is found and named, never read; a torn log loses whole batches only.
 * Method: bytes of the database's files are changed or cut between two openings.
 */
#include "state_directory.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUES 2000
#define BATCHES 20

static bool go_on(void *arg, struct mr_slice key, struct mr_slice value)
{
    size_t *count = arg;

    (void)key;
    (void)value;
    (*count)++;
    return true;
}

static void fill(struct mr_space *space)
{
    uint64_t noise = 1;
    uint8_t value[64];

    for (uint32_t i = 0; i < VALUES; i++) {
        for (size_t k = 0; k < sizeof(value); k++) {
            noise = noise * UINT64_C(6364136223846793005) + 1;
            value[k] = (uint8_t)(noise >> 56);
        }
        put(space, mr_slice_of(&i, sizeof(i)), mr_slice_of(value, sizeof(value)));
    }
}

/* Changes one byte in a thousand. */
static void spoil(const char *path)
{
    FILE *file = fopen(path, "r+b");
    long end;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    end = ftell(file);
    for (long at = 500; at < end; at += 1000) {
        int byte;

        ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
        byte = fgetc(file);
        ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
        ck_assert_int_ne(fputc(byte ^ 0x55, file), EOF);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static void cut_tail(const char *path)
{
    struct stat file;

    ck_assert_int_eq(stat(path, &file), 0);
    if (file.st_size > 0) {
        ck_assert_int_eq(truncate(path, file.st_size * 2 / 3 + 5), 0);
    }
}

/* Nothing of what was there before, and usable. */
static void expect_empty_again(void)
{
    struct mr_space *space;
    struct mr_err err = {0};
    size_t seen = 0;

    ck_assert_msg(state_open(IDENTITY, &backend, &err) == MR_OK, "%s", err.text);
    space = space_open("a.b", 0);
    ck_assert_int_eq(backend->ops->scan(backend, space, BYTES(""), BYTES(""), go_on, &seen, &err),
                     MR_OK);
    ck_assert_uint_eq(seen, 0);
    put(space, BYTES("k"), BYTES("v"));
    backend = state_reopen(backend);
    expect_text(space_open("a.b", 0), "k", "v");
}

/* One bit in the middle of the data: the file still opens. */
static void flip_bit(const char *path)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 1000, SEEK_SET), 0);
    byte = fgetc(file);
    ck_assert_int_eq(fseek(file, 1000, SEEK_SET), 0);
    ck_assert_int_ne(fputc(byte ^ 1, file), EOF);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_flipped_bit_is_never_an_answer_and_the_next_opening_begins_empty)
{
    struct mr_err err = {0};
    struct mr_space *space;
    enum mr_status status;
    size_t seen = 0;

    fill(space_open("a.b", 0));
    backend = state_reopen(backend); /* writes what the log held into a table */
    mr_backend_close(&backend);
    ck_assert_uint_gt(state_each_file(".sst", flip_bit), 0);
    ck_assert_int_eq(state_open(IDENTITY, &backend, &err), MR_OK);
    space = space_open("a.b", 0);
    status = backend->ops->scan(backend, space, BYTES(""), BYTES(""), go_on, &seen, &err);
    ck_assert_msg(status == MR_CORRUPT, "%s: %s", mr_status_name(status), err.text);
    ck_assert_uint_lt(seen, VALUES);
    mr_backend_close(&backend);
    expect_empty_again();
}
END_TEST

static void remove_file(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

/* What cannot even be opened begins empty at once: it is the changelog's to fill. */
START_TEST(a_database_that_does_not_open_begins_empty)
{
    fill(space_open("a.b", 0));
    backend = state_reopen(backend);
    mr_backend_close(&backend);
    switch (_i) {
    case 0:
        state_write_file("db/CURRENT", "MANIFEST");
        break;
    case 1:
        ck_assert_uint_gt(state_each_file(".sst", cut_tail), 0);
        break;
    case 2:
        ck_assert_uint_gt(state_each_file(".sst", spoil), 0);
        break;
    default:
        ck_assert_uint_gt(state_each_file(".sst", remove_file), 0);
        break;
    }
    expect_empty_again();
}
END_TEST

START_TEST(a_wiped_space_recovers_from_damage)
{
    struct mr_err err = {0};

    fill(space_open("a.b", 0));
    backend = state_reopen(backend);
    mr_backend_close(&backend);
    ck_assert_uint_gt(state_each_file(".sst", spoil), 0);
    if (state_open(IDENTITY, &backend, &err) == MR_OK) {
        struct mr_space *space = space_open("a.b", 0);

        wipe(space);
        put(space, BYTES("k"), BYTES("v"));
        expect_text(space, "k", "v");
    }
}
END_TEST

static void write_numbered_batch(int number)
{
    struct mr_space *orders = space_open("a.orders", 0);
    struct mr_space *users = space_open("a.users", 0);
    char text[16];
    struct mr_slice value;

    (void)snprintf(text, sizeof(text), "%d", number);
    value = mr_slice_str(text);
    write_batch((struct mr_backend_write[]){{orders, BYTES("k"), value, true},
                                            {users, BYTES("k"), value, true}},
                2,
                (struct mr_backend_write[]){{orders, BYTES("offset"), value, true},
                                            {users, BYTES("offset"), value, true}},
                2);
}

static void read_text(struct mr_space *space, char *text, size_t bytes)
{
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_err err = {0};
    bool found;

    ck_assert_int_eq(backend->ops->get(backend, space, BYTES("k"), &value, &found, &err), MR_OK);
    ck_assert(found);
    ck_assert_uint_lt(value.len, bytes);
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    mr_buffer_fini(&value);
}

START_TEST(a_torn_log_loses_whole_batches_from_the_end)
{
    char text[16];
    char last[16];

    for (int i = 1; i <= BATCHES; i++) {
        write_numbered_batch(i);
    }
    mr_backend_close(&backend);
    ck_assert_uint_gt(state_each_file(".log", cut_tail), 0);
    backend = state_reopen(NULL);
    (void)snprintf(last, sizeof(last), "%d", BATCHES);
    read_text(space_open("a.orders", 0), text, sizeof(text));
    ck_assert_str_ne(text, last); /* something was lost, or this test tests nothing */
    expect_text(space_open("a.users", 0), "k", text);
    expect_meta(space_open("a.orders", 0), "offset", text);
    expect_meta(space_open("a.users", 0), "offset", text);
}
END_TEST

TCase *rocksdb_damage_cases(void)
{
    TCase *tcase = tcase_create("damage");

    tcase_add_test(tcase, a_flipped_bit_is_never_an_answer_and_the_next_opening_begins_empty);
    tcase_add_loop_test(tcase, a_database_that_does_not_open_begins_empty, 0, 4);
    tcase_add_test(tcase, a_wiped_space_recovers_from_damage);
    tcase_add_test(tcase, a_torn_log_loses_whole_batches_from_the_end);
    return tcase;
}
