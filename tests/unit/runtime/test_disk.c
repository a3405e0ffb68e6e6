/*
 * test_disk.c -- every write to the disk may be the one that fails, or the one that fills it.
 *
 * Goal:   wherever it happens, the worker goes on or ends with an error that says so; with the disk
 *         in order again a new process on the same directory has everything, each once.
 * Method: a child runs the toy pipeline on RocksDB through start, commits, writing of state, stop
 *         and close; its n-th call that changes a file fails, once (EIO) or from then on (ENOSPC).
 *         Then the same directory is opened again with nothing in the way, and the rest is worked.
 */
#include "disk_fault.h"
#include "toy.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDERS 12
#define STEPS_MAX 400
#define CALLS_MAX 5000
#define MEMORY_BYTES INT64_C(8388608)
#define OPENINGS 3
#define COPIES_MAX 100

enum child_end { CHILD_REACHED, CHILD_NOT_REACHED = 3 };

static void close_all(struct toy *toy)
{
    mr_worker_destroy(&toy->worker);
    mr_backend_close(&toy->backend);
}

/* Call number n of a process's life fails; 0: none. */
struct fault {
    long n;
    int error;
    bool for_good;
};

/* A process's whole life; what failed in it, if anything did. */
static enum mr_status live(struct toy *toy, const char *directory, const struct fault *fault)
{
    struct mr_worker_status status = {0};
    bool busy;
    enum mr_status result;

    if (fault->n > 0) {
        disk_fault_arm(fault->n, fault->error, fault->for_good);
    }
    result = mr_backend_rocksdb_open(directory, "toy.main", MEMORY_BYTES, &toy->backend, &toy->err);
    if (result != MR_OK) {
        return result;
    }
    toy_start(toy);
    for (int i = 0; i < STEPS_MAX && result == MR_OK && status.state != MR_WORKER_CLOSED; i++) {
        if (i == STEPS_MAX / 2) {
            mr_worker_stop(toy->worker);
        }
        result = mr_worker_step(toy->worker, 0, &busy, &toy->err);
        mr_worker_status(toy->worker, &status);
        toy->now_us += 20 * MR_MS_US; /* state is written every half second */
    }
    close_all(toy);
    return result;
}

/*
 * On a copy of the directory: after a failed write the database stays open until the process ends.
 * What is found damaged is given up and read again, as a process does.
 */
static void live_undisturbed(struct toy *toy, const char *directory)
{
    const struct fault none = {0};
    enum mr_status status = MR_CORRUPT;
    char command[256];
    char copy[80];
    int code = -1;

    snprintf(copy, sizeof(copy), "%s/copy", directory);
    snprintf(command, sizeof(command), "rm -rf %s && cp -r %s/state %s 2>/dev/null", copy,
             directory, copy);
    /* RocksDB's own threads may be deleting what they no longer need. */
    for (int i = 0; i < COPIES_MAX && code != 0; i++) {
        code = system(command);
    }
    ck_assert_int_eq(code, 0);
    for (int i = 0; i < OPENINGS && status == MR_CORRUPT; i++) {
        status = live(toy, copy, &none);
    }
    ck_assert_msg(status == MR_OK, "with the disk in order: %s", toy->err.text);
}

static void child(const char *directory, const struct fault *fault)
{
    char state[64];
    struct toy toy;
    enum mr_status status;
    bool reached;

    toy_init(&toy, ", commit-records: 5");
    mr_backend_close(&toy.backend);
    for (int i = 0; i < ORDERS; i++) {
        toy_send(&toy, "user-1", "x");
    }
    snprintf(state, sizeof(state), "%s/state", directory);
    status = live(&toy, state, fault);
    reached = disk_fault_disarm();
    ck_assert_msg(status == MR_OK || toy.err.text[0] != '\0', "it says nothing");
    live_undisturbed(&toy, directory);
    ck_assert_int_eq(toy_total(&toy, "user-1"), ORDERS);
    toy.backend = mr_backend_memory_create(); /* toy_fini closes one */
    toy_fini(&toy);
    _exit(reached ? CHILD_REACHED : CHILD_NOT_REACHED);
}

static int run_child(long n, int error, bool for_good)
{
    char directory[] = "/tmp/millrace-disk-XXXXXX";
    char command[64];
    int status = 0;
    pid_t pid;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        child(directory, &(struct fault){n, error, for_good});
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(WIFEXITED(status), "call %ld: the process was ended by signal %d", n,
                  WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* DISK_STRIDE=1 tries every call; DISK_FIRST=N begins with that one, for a debugger. */
static long number_of(const char *name, long otherwise)
{
    const char *text = getenv(name);
    struct mr_err err;
    int64_t number;

    return text != NULL && mr_parse_int(text, &number, &err) == MR_OK ? (long)number : otherwise;
}

static void every_call(int error, bool for_good)
{
    const long stride = number_of("DISK_STRIDE", 7);
    int end = CHILD_REACHED;
    long n = number_of("DISK_FIRST", 1);

    for (; end == CHILD_REACHED; n += stride) {
        ck_assert_int_lt(n, CALLS_MAX);
        end = run_child(n, error, for_good);
        ck_assert_msg(end == CHILD_REACHED || end == CHILD_NOT_REACHED, "call %ld: exit code %d", n,
                      end);
    }
    ck_assert_int_gt(n, 40); /* or nothing was tried */
}

START_TEST(a_call_that_fails_loses_nothing)
{
    every_call(EIO, false);
}
END_TEST

START_TEST(a_disk_that_is_full_from_the_start_is_said)
{
    char directory[] = "/tmp/millrace-disk-XXXXXX";
    struct mr_backend *backend = NULL;
    struct mr_err err = {0};
    enum mr_status status;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    disk_fault_arm(2, ENOSPC, true); /* the first makes the lock's file */
    status = mr_backend_rocksdb_open(directory, "toy.main", MEMORY_BYTES, &backend, &err);
    (void)disk_fault_disarm();
    ck_assert_int_eq(status, MR_RESOURCE);
    ck_assert_msg(strstr(err.text, directory) != NULL && strstr(err.text, "No space") != NULL, "%s",
                  err.text);
    ck_assert_ptr_null(backend);
}
END_TEST

START_TEST(a_full_disk_loses_nothing)
{
    every_call(ENOSPC, true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk");
    TCase *tcase = tcase_create("disk");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, a_call_that_fails_loses_nothing);
    tcase_add_test(tcase, a_disk_that_is_full_from_the_start_is_said);
    tcase_add_test(tcase, a_full_disk_loses_nothing);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
