/*
 * test_replay_match.c -- what several tasks wrote against one partition of the log.
 *
 * Goal:   each record is found whatever the tasks' order was, and what differs is told once, for
 *         what it is.
 * Method: a record is two letters, key and value. Rows say what two tasks wrote, what is on record,
 *         and what must be counted.
 */
#include "millrace/log_ops.h"
#include "replay_match.h"

#include <check.h>
#include <stdlib.h>

#define SOURCES 2

struct tally {
    unsigned differ, only_recorded, only_replayed;
    size_t released;
};

static void differs(void *arg, const struct replay_difference *difference)
{
    struct tally *tally = arg;

    tally->differ += difference->kind == REPLAY_DIFFERS;
    tally->only_recorded += difference->kind == REPLAY_ONLY_RECORDED;
    tally->only_replayed += difference->kind == REPLAY_ONLY_REPLAYED;
}

static void released(void *arg, const struct replay_item *item)
{
    struct tally *tally = arg;

    tally->released += item->bytes;
}

static struct replay_item *item_of(const char *text, size_t source)
{
    const struct mr_replay_transaction transaction = {.sequence = 1};
    const struct mr_replay_output output = {
        .timestamp_ms = 7,
        .key = mr_slice_of(text, 1),
        .value = mr_slice_of(text + 1, 1),
        .has_value = true,
    };

    return replay_item_create(&transaction, &output, source);
}

static size_t no_headers(const struct mr_message *message, struct mr_header *headers, size_t max)
{
    (void)message;
    (void)headers;
    (void)max;
    return 0;
}

static struct mr_message message_of(const char *text)
{
    static const struct mr_log_ops ops = {.message_headers = no_headers};

    return (struct mr_message){
        .topic = "t",
        .timestamp_ms = 7,
        .key = mr_slice_of(text, 1),
        .value = mr_slice_of(text + 1, 1),
        .has_value = true,
        .ops = &ops,
    };
}

static const struct row {
    const char *why;
    bool compacted, cut;
    const char *wrote[SOURCES]; /* NULL: this task may not write here */
    const char *recorded;
    unsigned equal, gone, differ, only_recorded, only_replayed;
} rows[] = {
    {"one after the other", false, false, {"a1a2", "b1b2"}, "a1a2b1b2", 4, 0, 0, 0, 0},
    {"interleaved", false, false, {"a1a2", "b1b2"}, "b1a1b2a2", 4, 0, 0, 0, 0},
    {"a task's own order counts", false, false, {"a1a2", NULL}, "a2a1", 1, 0, 0, 1, 1},
    {"another value", false, false, {"a1a2a3", NULL}, "a1a9a3", 2, 0, 1, 0, 0},
    {"one too much", false, false, {"a1a2", NULL}, "a1z1a2", 2, 0, 0, 1, 0},
    {"one too much at the end", false, false, {"a1", NULL}, "a1z1", 1, 0, 0, 1, 0},
    {"twice", false, false, {"a1b1", NULL}, "a1a1b1", 2, 0, 0, 1, 0},
    {"one is missing", false, false, {"a1b1c1", NULL}, "a1c1", 2, 0, 0, 0, 1},
    {"the last is missing", false, false, {"a1b1", NULL}, "a1", 1, 0, 0, 0, 1},
    {"nothing is there", false, false, {"a1", "b1"}, "", 0, 0, 0, 0, 2},
    {"nothing was written", false, false, {"", ""}, "a1", 0, 0, 0, 1, 0},
    {"compacted: last values are enough", true, false, {"a1b1a2b2", NULL}, "a2b2", 2, 2, 0, 0, 0},
    {"compacted: and need not be", true, false, {"a1b1a2b2", NULL}, "a1b1a2b2", 4, 0, 0, 0, 0},
    {"compacted: a key is gone", true, false, {"a1b1a2", NULL}, "a1a2", 2, 0, 0, 0, 1},
    {"compacted: the last is not it", true, false, {"a1b1a2", NULL}, "a1b1", 2, 0, 0, 0, 1},
    {"compacted: of both", true, false, {"a1a2", "b1b2b3"}, "b3a2", 2, 3, 0, 0, 0},
    {"compacted: another value", true, false, {"a1", NULL}, "a2", 0, 0, 1, 0, 0},
    {"cut: the beginning is over", false, true, {"a1b1c1", NULL}, "c1", 1, 2, 0, 0, 0},
    {"cut: of each task", false, true, {"a1a2", "b1b2"}, "a2b2", 2, 2, 0, 0, 0},
    {"cut: what is missing later", false, true, {"a1b1c1d1", NULL}, "b1d1", 2, 1, 0, 0, 1},
};

/* patiently: the tasks end before anything is offered; else each record is offered as early as it
 * can be, and again. */
static void check(const struct row *row, bool patiently)
{
    struct tally tally = {0};
    const struct replay_match_options options = {.compacted = row->compacted,
                                                 .cut = row->cut,
                                                 .differs = differs,
                                                 .released = released,
                                                 .arg = &tally};
    struct replay_match *match = replay_match_create(&options, SOURCES);
    struct replay_match_counts counts;
    size_t offered = 0;
    size_t wrote[SOURCES] = {0};
    size_t bytes = 0;
    bool more = true;

    while (more) {
        more = false;
        for (size_t s = 0; s < SOURCES; s++) {
            if (row->wrote[s] == NULL || wrote[s] == strlen(row->wrote[s])) {
                replay_match_ended(match, s);
                continue;
            }
            more = true;
            {
                struct replay_item *item = item_of(row->wrote[s] + wrote[s], s);

                bytes += item->bytes;
                replay_match_wrote(match, s, item);
                wrote[s] += 2;
            }
        }
        while ((!patiently || !more) && offered < strlen(row->recorded)) {
            const struct mr_message message = message_of(row->recorded + offered);

            if (!replay_match_offer(match, &message, REPLAY_OFFER)) {
                break;
            }
            offered += 2;
        }
    }
    ck_assert_msg(offered == strlen(row->recorded), "%s: record %zu was never judged", row->why,
                  offered / 2);
    replay_match_finish(match);
    replay_match_counts(match, &counts);
    ck_assert_msg(counts.equal == row->equal && counts.gone == row->gone &&
                      tally.differ == row->differ && tally.only_recorded == row->only_recorded &&
                      tally.only_replayed == row->only_replayed,
                  "%s: %llu equal, %llu gone, %u differ, %u recorded, %u replayed", row->why,
                  (unsigned long long)counts.equal, (unsigned long long)counts.gone, tally.differ,
                  tally.only_recorded, tally.only_replayed);
    ck_assert_uint_eq(replay_match_bytes(match), 0);
    ck_assert_uint_eq(tally.released, bytes);
    replay_match_destroy(&match);
}

START_TEST(what_is_on_record_is_found_and_the_rest_is_told)
{
    check(&rows[_i], true);
    check(&rows[_i], false);
}
END_TEST

START_TEST(a_record_waits_for_a_task_that_may_still_write_it)
{
    struct tally tally = {0};
    struct replay_match *match = replay_match_create(
        &(struct replay_match_options){.differs = differs, .arg = &tally}, SOURCES);
    const struct mr_message message = message_of("b1");

    replay_match_wrote(match, 0, item_of("a1", 0));
    ck_assert(!replay_match_offer(match, &message, REPLAY_OFFER));
    ck_assert(replay_match_offer(match, &message, REPLAY_OFFER_FORCED));
    ck_assert_uint_eq(tally.only_recorded, 1);
    replay_match_destroy(&match);
}
END_TEST

START_TEST(a_record_of_a_later_transaction_is_passed_over)
{
    struct tally tally = {0};
    struct replay_match *match = replay_match_create(
        &(struct replay_match_options){.differs = differs, .arg = &tally}, SOURCES);
    const struct mr_message later = message_of("a9");
    const struct mr_message wanted = message_of("a1");
    struct replay_match_counts counts;

    replay_match_wrote(match, 0, item_of("a1", 0));
    ck_assert(!replay_match_offer(match, &later, REPLAY_OFFER_LATER));
    for (size_t s = 0; s < SOURCES; s++) {
        replay_match_ended(match, s);
    }
    ck_assert(replay_match_offer(match, &later, REPLAY_OFFER_LATER));
    ck_assert(replay_match_offer(match, &wanted, REPLAY_OFFER_LATER));
    replay_match_finish(match);
    replay_match_counts(match, &counts);
    ck_assert_uint_eq(counts.equal, 1);
    ck_assert_uint_eq(tally.differ + tally.only_recorded + tally.only_replayed, 0);
    replay_match_destroy(&match);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay match");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, what_is_on_record_is_found_and_the_rest_is_told, 0,
                        (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_record_waits_for_a_task_that_may_still_write_it);
    tcase_add_test(tcase, a_record_of_a_later_transaction_is_passed_over);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
