/*
 * Goal:   top shows what processes say: rates between two askings, totals once though several
 *         processes tell of the same group, tasks below their worker in the order asked for, and
 *         what is not known as such.
 * Method: two canned documents of each of two processes, one of which does not answer in the end.
 */
#include "top_view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define UNIT(name, kind, group, state, in, out, commits, more)                                     \
    "{\"name\":\"" name "\",\"kind\":\"" kind "\",\"group\":\"" group "\",\"state\":\"" state      \
    "\",\"waitsFor\":\"\",\"recordsIn\":" in ",\"recordsOut\":" out ",\"commits\":" commits        \
    "," more "}"
#define FIGURES                                                                                    \
    "\"aborts\":0,\"deadLetters\":2,\"restoreLeft\":500,\"restoreSecondsLeft\":7,"                 \
    "\"commitP50Us\":3400,\"commitP99Us\":21000,\"tasksAssigned\":2,\"tasksReady\":1"
#define TASK(partition, state, in, left, lag)                                                      \
    "{\"partition\":" partition ",\"state\":\"" state "\",\"recordsIn\":" in                       \
    ",\"restoreLeft\":" left ",\"lag\":" lag "}"
#define PROCESS(pid, instance, us, units, topics)                                                  \
    "{\"application\":\"shop\",\"version\":\"1\",\"instance\":\"" instance "\",\"pid\":" pid       \
    ",\"timeUs\":" us ",\"uptimeUs\":1,\"units\":[" units "],\"topics\":[" topics                  \
    "],\"lags\":[{\"consumer\":\"one\",\"topic\":\"in\",\"lag\":40},"                              \
    "{\"consumer\":\"one\",\"topic\":\"back\",\"lag\":2}]}"

#define WORKER(in, out, commits, in_of_first)                                                      \
    UNIT("one.0", "worker", "one", "running", in, out, commits,                                    \
         FIGURES ",\"tasks\":[" TASK("0", "ready", in_of_first, "0",                               \
                                     "3") "," TASK("1", "catching-up", "100", "500", "37") "]")
#define SHELF                                                                                      \
    UNIT("shelf", "connector", "shelf", "running", "50", "0", "5",                                 \
         "\"aborts\":0,\"deadLetters\":0,\"restoreLeft\":0,\"restoreSecondsLeft\":0,"              \
         "\"commitP50Us\":null,\"commitP99Us\":null,\"tasksAssigned\":2,\"tasksReady\":2,"         \
         "\"lag\":4,\"tasks\":[]")
#define TOPICS(in, out)                                                                            \
    "{\"topic\":\"in\",\"recordsIn\":" in ",\"recordsOut\":0},"                                    \
    "{\"topic\":\"out\",\"recordsIn\":0,\"recordsOut\":" out "}"

static const char *const before_texts[] = {
    PROCESS("11", "a", "1000000", WORKER("1000", "3000", "10", "900"), TOPICS("1000", "3000")),
    PROCESS("12", "b", "5000000", SHELF, ""),
};
static const char *const now_texts[] = {
    PROCESS("11", "a", "3000000", WORKER("1500", "3001", "14", "1400"), TOPICS("1500", "3001")),
    PROCESS("12", "b", "6000000", SHELF, ""),
};

static struct see_status *before;
static struct see_status *now;
static struct top_table table;
static struct mr_buffer text;

static void load(struct see_status *status, const char *const *texts)
{
    status->count = MR_COUNT(now_texts);
    for (size_t i = 0; i < status->count; i++) {
        json_error_t why;

        status->documents[i].root = json_loads(texts[i], 0, &why);
        ck_assert_msg(status->documents[i].root != NULL, "%s at %d", why.text, why.column);
        (void)snprintf(status->documents[i].address, SEE_ADDRESS_BYTES, "127.0.0.1:%zu", i);
    }
}

static void set_up(void)
{
    before = calloc(2, sizeof(*before));
    ck_assert_ptr_nonnull(before);
    now = before + 1;
    load(before, before_texts);
    load(now, now_texts);
    text = MR_BUFFER_EMPTY;
}

static void tear_down(void)
{
    see_status_fini(before);
    see_status_fini(now);
    free(before);
    mr_buffer_fini(&text);
    top_rows_fini(&table);
}

static const char *view(const struct top_view *how, const struct see_status *then)
{
    top_rows_make(then, now, how->sort, &table);
    top_view_write(how, &table, now, &text);
    mr_buffer_append(&text, "", 1);
    return (const char *)text.data;
}

START_TEST(a_table_has_totals_units_and_tasks)
{
    const char *shown = view(&(struct top_view){.tasks = true}, before);
    const char *worker = strstr(shown, "one.0");
    const char *first = strstr(shown, "partition 0");
    const char *second = strstr(shown, "partition 1");

    ck_assert_msg(strstr(shown, "processes 2/2  tasks ready 3/4  lag 42  to restore 500") != NULL,
                  "%s", shown);
    ck_assert_msg(strstr(shown, "in 250/s  out 0.5/s  commits 2.0/s  worst P99 21ms") != NULL, "%s",
                  shown);
    ck_assert_ptr_nonnull(worker);
    ck_assert(worker < first && first < second && second < strstr(shown, "shelf"));
    ck_assert_ptr_nonnull(strstr(second, "catching-up"));
    ck_assert_ptr_null(strchr(shown, '\033'));
}
END_TEST

START_TEST(without_an_earlier_asking_there_are_no_rates)
{
    (void)view(&(struct top_view){.tasks = true}, NULL);
    for (size_t i = 0; i < table.count; i++) {
        ck_assert_int_eq(table.rows[i].in_milli, TOP_UNKNOWN);
    }
    ck_assert_int_eq(table.totals.in_milli, TOP_UNKNOWN);
}
END_TEST

/* Its counters began anew: a difference would be nonsense. */
START_TEST(a_process_that_was_started_again_has_no_rate_yet)
{
    ck_assert_int_eq(json_object_set_new(now->documents[0].root, "pid", json_integer(99)), 0);
    (void)view(&(struct top_view){0}, before);
    ck_assert_int_eq(table.rows[0].in_milli, TOP_UNKNOWN);
}
END_TEST

START_TEST(rows_come_in_the_order_asked_for)
{
    (void)view(&(struct top_view){.sort = TOP_BY_LAG, .tasks = true}, before);
    ck_assert_str_eq(table.rows[0].unit, "one.0");
    ck_assert_int_eq(table.rows[0].lag, 40);
    ck_assert_int_eq(table.rows[1].partition, 1); /* 37 before 3 */
    ck_assert_int_eq(table.rows[2].partition, 0);
    ck_assert_str_eq(table.rows[3].unit, "shelf");
}
END_TEST

START_TEST(a_narrow_window_cuts_lines_and_a_low_one_rows)
{
    const char *line = view(&(struct top_view){.tasks = true, .width = 40, .height = 7}, before);
    size_t lines = 0;

    while (*line != '\0') {
        const size_t len = strcspn(line, "\n");

        ck_assert_uint_le(len, 40);
        lines++;
        line += len + 1;
    }
    ck_assert_uint_le(lines, 7);
    ck_assert_ptr_nonnull(strstr((const char *)text.data, "rows more"));
}
END_TEST

START_TEST(who_does_not_answer_is_said)
{
    json_decref(now->documents[1].root);
    now->documents[1].root = NULL;
    (void)snprintf(now->documents[1].error, sizeof(now->documents[1].error),
                   "127.0.0.1:1 does not answer");
    ck_assert_ptr_nonnull(strstr(view(&(struct top_view){0}, before), "does not answer"));
    ck_assert_int_eq(table.totals.answered, 1);
}
END_TEST

START_TEST(json_has_the_same_facts_and_null_for_the_unknown)
{
    json_t *root;
    const json_t *worker;
    const json_t *shelf;

    top_rows_make(before, now, TOP_BY_NAME, &table);
    top_json_write(&table, now, &text);
    root = json_loadb((const char *)text.data, text.len, 0, NULL);
    ck_assert_ptr_nonnull(root);
    worker = json_array_get(json_object_get(root, "units"), 0);
    shelf = json_array_get(json_object_get(root, "units"), 1);
    ck_assert_int_eq((int)(json_real_value(json_object_get(worker, "inPerSecond")) * 1000), 250000);
    ck_assert_int_eq(see_number(worker, "lag"), 40);
    ck_assert_int_eq(see_number(worker, "restoreSecondsLeft"), 7);
    ck_assert_uint_eq(json_array_size(json_object_get(worker, "tasks")), 2);
    ck_assert(json_is_null(json_object_get(shelf, "commitP99Us")));
    ck_assert_int_eq(see_number(shelf, "lag"), 4);
    ck_assert_int_eq(see_number(json_object_get(root, "totals"), "lag"), 42);
    json_decref(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("top");
    TCase *tcase = tcase_create("top");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_table_has_totals_units_and_tasks);
    tcase_add_test(tcase, without_an_earlier_asking_there_are_no_rates);
    tcase_add_test(tcase, a_process_that_was_started_again_has_no_rate_yet);
    tcase_add_test(tcase, rows_come_in_the_order_asked_for);
    tcase_add_test(tcase, a_narrow_window_cuts_lines_and_a_low_one_rows);
    tcase_add_test(tcase, who_does_not_answer_is_said);
    tcase_add_test(tcase, json_has_the_same_facts_and_null_for_the_unknown);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
