/*
 * Goal:   the RocksDB backend passes the contract of backends, and keeps its state to itself.
 * Method: the shared suite, reopened in between, and what only a backend with files can do wrong.
 */
#include "state_directory.h"

static void setup(void)
{
    backend = state_create();
}

static void teardown(void)
{
    mr_backend_close(&backend);
    state_remove();
}

START_TEST(data_and_metadata_of_every_space_are_there_after_reopening)
{
    put(space_open("a.b", 0), BYTES("k"), BYTES("0"));
    put(space_open("a.b", 1), BYTES("k"), BYTES("1"));
    put_meta(space_open("a.b", 1), BYTES("offset"), BYTES("17"));
    (void)space_open("a.empty", 0);
    for (int i = 0; i < 2; i++) {
        backend = state_reopen(backend);
        expect_text(space_open("a.b", 0), "k", "0");
        expect_text(space_open("a.b", 1), "k", "1");
        expect_meta(space_open("a.b", 1), "offset", "17");
        expect_text(space_open("a.empty", 0), "k", NULL);
    }
}
END_TEST

START_TEST(a_wipe_outlives_reopening)
{
    put(space_open("a.b", 0), BYTES("k"), BYTES("0"));
    put_meta(space_open("a.b", 0), BYTES("offset"), BYTES("17"));
    backend = state_reopen(backend);
    wipe(space_open("a.b", 0));
    backend = state_reopen(backend);
    expect_text(space_open("a.b", 0), "k", NULL);
    expect_meta(space_open("a.b", 0), "offset", NULL);
}
END_TEST

int main(void)
{
    static const struct backend_fixture fixture = {
        .open = state_create, .reopen = state_reopen, .clean = state_remove};
    Suite *suite = suite_create("backend rocksdb");
    TCase *reopening = tcase_create("reopening");
    TCase *const tcases[] = {reopening, rocksdb_refusal_cases(), rocksdb_damage_cases()};

    tcase_add_test(reopening, data_and_metadata_of_every_space_are_there_after_reopening);
    tcase_add_test(reopening, a_wipe_outlives_reopening);
    /* First: where tests share a process, RocksDB must not have threads yet when it forks. */
    suite_add_tcase(suite, rocksdb_process_cases());
    backend_contract_add(suite, &fixture);
    for (size_t i = 0; i < MR_COUNT(tcases); i++) {
        tcase_add_checked_fixture(tcases[i], setup, teardown);
        tcase_set_timeout(tcases[i], 60);
        suite_add_tcase(suite, tcases[i]);
    }
    return backend_contract_run(suite);
}
