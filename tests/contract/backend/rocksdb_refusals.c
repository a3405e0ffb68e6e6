/*
 * Goal:   a state directory is only ever used by the one it belongs to, by one process at a time.
 * Method: the directory of the test, its identity file rewritten, or held by another process.
 */
#include "state_directory.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_refused(const char *identity, enum mr_status wanted, const char *words)
{
    struct mr_backend *second = NULL;
    struct mr_err err = {0};
    const enum mr_status status = state_open(identity, &second, &err);

    ck_assert_msg(status == wanted, "%s: %s", mr_status_name(status), err.text);
    ck_assert_ptr_null(second);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' does not say '%s'", err.text, words);
}

START_TEST(state_of_another_identity_is_refused_and_left_alone)
{
    put(space_open("a.b", 0), BYTES("k"), BYTES("v"));
    mr_backend_close(&backend);
    expect_refused("test.account", MR_FOREIGN_STATE, "state of test.market, not of test.account");
    expect_refused("test.marke", MR_FOREIGN_STATE, "test.market");
    backend = state_reopen(NULL);
    expect_text(space_open("a.b", 0), "k", "v");
}
END_TEST

static const struct {
    const char *why;
    const char *text;
    enum mr_status status;
    const char *words;
} identities[] = {
    {"a newer format", "millrace-state 2\ntest.market\n", MR_FOREIGN_STATE, "format 2"},
    {"a format from before the first", "millrace-state 0\ntest.market\n", MR_CORRUPT, "identity"},
    {"empty", "", MR_CORRUPT, "identity"},
    {"cut after the format", "millrace-state 1\n", MR_CORRUPT, "identity"},
    {"cut in the name", "millrace-state 1\ntest.market", MR_CORRUPT, "identity"},
    {"no number", "millrace-state one\ntest.market\n", MR_CORRUPT, "identity"},
    {"more than it should hold", "millrace-state 1\ntest.market\nx", MR_CORRUPT, "identity"},
    {"something else", "hello\n", MR_CORRUPT, "identity"},
};

START_TEST(an_identity_that_does_not_fit_is_refused)
{
    mr_backend_close(&backend);
    state_write_file("identity", identities[_i].text);
    expect_refused(IDENTITY, identities[_i].status, identities[_i].words);
}
END_TEST

START_TEST(a_database_without_identity_is_refused)
{
    mr_backend_close(&backend);
    ck_assert_int_eq(unlink(state_path("identity")), 0);
    expect_refused(IDENTITY, MR_FOREIGN_STATE, "does not say whose");
}
END_TEST

START_TEST(a_second_opening_in_the_same_process_is_refused_with_its_pid)
{
    char words[64];

    (void)snprintf(words, sizeof(words), "in use by process %ld", (long)getpid());
    expect_refused(IDENTITY, MR_FOREIGN_STATE, words);
    /* The refusal has not dropped the first one's lock, nor its list entry. */
    expect_refused(IDENTITY, MR_FOREIGN_STATE, words);
    put(space_open("a.b", 0), BYTES("k"), BYTES("v"));
    backend = state_reopen(backend);
    expect_text(space_open("a.b", 0), "k", "v");
}
END_TEST

/* ---- looking alone ----------------------------------------------------------------------------
 */

START_TEST(a_look_sees_what_was_written_and_changes_nothing)
{
    struct mr_backend *look = NULL;
    struct mr_buffer value = MR_BUFFER_EMPTY;
    struct mr_space *space = NULL;
    struct mr_err err = {0};
    bool found = false;

    put(space_open("a.b", 0), BYTES("k"), BYTES("v"));
    mr_backend_close(&backend);
    ck_assert_msg(mr_backend_rocksdb_look(state_path(""), IDENTITY, &look, &err) == MR_OK, "%s",
                  err.text);
    ck_assert_int_eq(look->ops->space_open(look, "a.b", 0, &space, &err), MR_OK);
    ck_assert_ptr_nonnull(space);
    ck_assert_int_eq(look->ops->get(look, space, BYTES("k"), &value, &found, &err), MR_OK);
    ck_assert(found && mr_slice_equal(mr_buffer_slice(&value), BYTES("v")));
    /* What is absent is not made. */
    ck_assert_int_eq(look->ops->space_open(look, "a.b", 1, &space, &err), MR_OK);
    ck_assert_ptr_null(space);
    mr_buffer_fini(&value);
    /* It holds nothing: the owner comes back beside it. */
    backend = state_reopen(NULL);
    expect_text(space_open("a.b", 0), "k", "v");
    mr_backend_close(&look);
}
END_TEST

START_TEST(a_look_is_refused_where_it_would_be_wrong)
{
    struct mr_backend *look = NULL;
    struct mr_err err = {0};
    char words[64];

    (void)snprintf(words, sizeof(words), "in use by process %ld", (long)getpid());
    ck_assert_int_eq(mr_backend_rocksdb_look(state_path(""), IDENTITY, &look, &err),
                     MR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, words));
    /* It has not dropped the owner's lock by looking at it. */
    expect_refused(IDENTITY, MR_FOREIGN_STATE, words);
    mr_backend_close(&backend);
    ck_assert_int_eq(mr_backend_rocksdb_look(state_path(""), "test.account", &look, &err),
                     MR_FOREIGN_STATE);
    ck_assert_int_eq(mr_backend_rocksdb_look(state_path("nowhere"), IDENTITY, &look, &err),
                     MR_UNAVAILABLE);
    ck_assert_ptr_null(look);
    backend = state_reopen(NULL);
}
END_TEST

/* In the child: opens the state, writes, says so, and holds it until killed. */
static void hold(int said_fd)
{
    struct mr_backend_write write_one = {.key = BYTES("k"), .value = BYTES("v"), .has_value = true};
    struct mr_backend *held = NULL;
    struct mr_err err = {0};
    char said = 'n';

    if (state_open(IDENTITY, &held, &err) == MR_OK &&
        held->ops->space_open(held, "a.b", 0, &write_one.space, &err) == MR_OK &&
        held->ops->write(held, &write_one, 1, NULL, 0, false, &err) == MR_OK) {
        said = 'y';
    }
    if (write(said_fd, &said, 1) == 1) {
        (void)pause();
    }
    _exit(1);
}

static pid_t start_holder(void)
{
    int ends[2];
    char said = 0;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        hold(ends[1]);
    }
    (void)close(ends[1]);
    ck_assert_int_eq(read(ends[0], &said, 1), 1);
    ck_assert_int_eq(said, 'y');
    (void)close(ends[0]);
    return pid;
}

START_TEST(state_in_use_by_another_process_is_refused_until_that_one_is_dead)
{
    char words[64];
    pid_t pid;

    state_prepare();
    pid = start_holder();
    (void)snprintf(words, sizeof(words), "in use by process %ld", (long)pid);
    expect_refused(IDENTITY, MR_FOREIGN_STATE, words);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    /* Killed with a batch written and not synced: the batch is there. */
    backend = state_reopen(NULL);
    expect_text(space_open("a.b", 0), "k", "v");
    mr_backend_close(&backend);
    state_remove();
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_an_io_error_that_names_it)
{
    struct mr_backend *second = NULL;
    struct mr_err err = {0};

    /* Below a file. */
    ck_assert_int_eq(
        mr_backend_rocksdb_open(state_path("identity/x"), IDENTITY, MEMORY_BYTES, &second, &err),
        MR_STORE_IO);
    ck_assert_msg(strstr(err.text, "identity") != NULL, "%s", err.text);
}
END_TEST

TCase *rocksdb_refusal_cases(void)
{
    TCase *tcase = tcase_create("refusals");

    tcase_add_test(tcase, state_of_another_identity_is_refused_and_left_alone);
    tcase_add_loop_test(tcase, an_identity_that_does_not_fit_is_refused, 0,
                        (int)MR_COUNT(identities));
    tcase_add_test(tcase, a_database_without_identity_is_refused);
    tcase_add_test(tcase, a_second_opening_in_the_same_process_is_refused_with_its_pid);
    tcase_add_test(tcase, a_look_sees_what_was_written_and_changes_nothing);
    tcase_add_test(tcase, a_look_is_refused_where_it_would_be_wrong);
    tcase_add_test(tcase, a_directory_that_cannot_be_made_is_an_io_error_that_names_it);
    return tcase;
}

TCase *rocksdb_process_cases(void)
{
    TCase *tcase = tcase_create("processes");

    tcase_add_test(tcase, state_in_use_by_another_process_is_refused_until_that_one_is_dead);
    return tcase;
}
