/*
 * Goal:   an address is understood or refused before anything connects, and never repeated with its
 * password; a server's refusal means the right thing. Method: tables.
 */
#include "connectors/redis/redis_link.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(addresses_are_understood)
{
    static const struct {
        const char *text, *user, *password, *host;
        int port, database;
        const char *address;
    } ROWS[] = {
        {"redis://h", "", "", "h", 6379, 0, "h:6379"},
        {"redis://h/", "", "", "h", 6379, 0, "h:6379"},
        {"redis://127.0.0.1:1", "", "", "127.0.0.1", 1, 0, "127.0.0.1:1"},
        {"redis://h:65535/15", "", "", "h", 65535, 15, "h:65535"},
        {"redis://:pw@h", "", "pw", "h", 6379, 0, "h:6379"},
        {"redis://u:p%40w%2F@h:7", "u", "p@w/", "h", 7, 0, "h:7"},
        {"redis://u:a@b@h", "u", "a@b", "h", 6379, 0, "h:6379"},
        {"redis://[::1]:6380/2", "", "", "::1", 6380, 2, "::1:6380"},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        struct redis_url url;
        struct mr_err err = {.text = ""};

        ck_assert_msg(redis_url_parse(ROWS[i].text, &url, &err) == MR_OK, "%s: %s", ROWS[i].text,
                      err.text);
        ck_assert_str_eq(url.user, ROWS[i].user);
        ck_assert_str_eq(url.password, ROWS[i].password);
        ck_assert_str_eq(url.host, ROWS[i].host);
        ck_assert_int_eq(url.port, ROWS[i].port);
        ck_assert_int_eq(url.database, ROWS[i].database);
        ck_assert_str_eq(url.address, ROWS[i].address);
    }
}
END_TEST

START_TEST(what_is_no_address_is_refused_without_its_password)
{
    static const struct {
        const char *why, *text;
    } ROWS[] = {
        {"nothing", ""},
        {"no scheme", "127.0.0.1:6379"},
        {"TLS, which this build has not", "rediss://:secret@h"},
        {"another scheme", "http://:secret@h"},
        {"no host", "redis://:secret@"},
        {"no host before the port", "redis://:6379"},
        {"no port behind the colon", "redis://:secret@h:"},
        {"port zero", "redis://:secret@h:0"},
        {"port too large", "redis://:secret@h:65536"},
        {"port of letters", "redis://:secret@h:http"},
        {"database of letters", "redis://:secret@h/zero"},
        {"something behind the database", "redis://:secret@h/1/2"},
        {"a broken escape", "redis://:secret%4@h"},
        {"an escape of no digits", "redis://:secret%zz@h"},
        {"an escaped zero byte", "redis://:secret%00@h"},
        {"an open bracket", "redis://[::1"},
        {"text behind the bracket", "redis://[::1]x"},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        struct redis_url url;
        struct mr_err err = {.text = ""};

        ck_assert_msg(redis_url_parse(ROWS[i].text, &url, &err) == MR_CONFIG, "%s", ROWS[i].why);
        ck_assert_ptr_null(strstr(err.text, "secret"));
        ck_assert_str_ne(err.text, "");
    }
}
END_TEST

START_TEST(parts_that_are_too_long_are_refused)
{
    char text[3 * REDIS_URL_PART_MAX];
    struct redis_url url;
    struct mr_err err;

    for (size_t len = REDIS_URL_PART_MAX - 1; len <= REDIS_URL_PART_MAX; len++) {
        memset(text, 'x', sizeof(text));
        memcpy(text, "redis://", 8);
        text[8 + len] = '\0';
        ck_assert_int_eq(redis_url_parse(text, &url, &err),
                         len < REDIS_URL_PART_MAX ? MR_OK : MR_CONFIG);
        text[8] = ':';
        text[8 + len] = 'x';
        memcpy(text + 9 + len, "@h", 3);
        ck_assert_int_eq(redis_url_parse(text, &url, &err),
                         len < REDIS_URL_PART_MAX ? MR_OK : MR_CONFIG);
    }
}
END_TEST

START_TEST(a_refusal_is_classified)
{
    static const struct {
        const char *why, *text;
        enum redis_fault fault;
    } ROWS[] = {
        {"script gone", "NOSCRIPT No matching script. Please use EVAL.", REDIS_NO_SCRIPT},
        {"another type", "WRONGTYPE Operation against a key", REDIS_DATA},
        {"inside a script of Redis 6",
         "ERR Error running script (call to f_ab): @user_script:6: WRONGTYPE Operation",
         REDIS_DATA},
        {"full, inside a script of Redis 6",
         "ERR Error running script (call to f_ab): @user_script:6: OOM command not allowed",
         REDIS_RETRY},
        {"loading its data", "LOADING Redis is loading the dataset in memory", REDIS_RETRY},
        {"a replica after a failover", "READONLY You can't write against a read only replica.",
         REDIS_RETRY},
        {"full", "OOM command not allowed when used memory > 'maxmemory'.", REDIS_RETRY},
        {"no password given", "NOAUTH Authentication required.", REDIS_FATAL},
        {"wrong password", "WRONGPASS invalid username-password pair", REDIS_FATAL},
        {"no right", "NOPERM this user has no permissions to run 'evalsha'", REDIS_FATAL},
        {"a cluster", "MOVED 3999 127.0.0.1:6381", REDIS_FATAL},
        {"unknown must not lose a record", "ERR something new", REDIS_RETRY},
    };

    for (size_t i = 0; i < MR_COUNT(ROWS); i++) {
        ck_assert_msg(redis_fault_of(ROWS[i].text) == ROWS[i].fault, "%s", ROWS[i].why);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis url");
    TCase *cases = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, addresses_are_understood);
    tcase_add_test(cases, what_is_no_address_is_refused_without_its_password);
    tcase_add_test(cases, parts_that_are_too_long_are_refused);
    tcase_add_test(cases, a_refusal_is_classified);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
