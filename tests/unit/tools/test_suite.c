/*
 * Goal:   a suite that is wrong says where and what would be right, before anything is played; a
 *         case whose expectation is wrong fails with the record that came beside it.
 * Method: a topology of one stage (dedupe) and suites over it, as files in a directory of the
 *         test's own. The suites of the production topology are tests/topology's.
 */
#include "avro/catalog.h"
#include "play.h"
#include "registry.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char topology_text[] =
    "application: shop\n"
    "kafka: {bootstrap.servers: memory}\n"
    "registry: {url: \"http://127.0.0.1:1\"}\n"
    "defaults: {partitions: \"${SHOP_PARTITIONS:-2}\", replication: 1}\n"
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  unique: {key: userId, value: OrderCommand}\n"
    "  events: {key: userId, value: RiskEvent}\n"
    "stages:\n"
    "  dedupe: {type: dedupe, in: {orders: orders}, out: {unique: unique, events: events}}\n"
    "groups:\n"
    "  shop: {stages: [dedupe]}\n";

/* What a suite begins with: five lines. */
#define HEAD                                                                                       \
    "topology: t.yaml\n"                                                                           \
    "defaults:\n"                                                                                  \
    "  orders: {eventId: \"c{n}\", ts: \"{now}\", action: NEW, symbol: S}\n"                       \
    "cases:\n"                                                                                     \
    "  - name: one\n"

static char directory[40];
static struct mr_problems problems;
static struct suite *suite;

static void path_of(const char *name, char path[80])
{
    (void)snprintf(path, 80, "%s/%s", directory, name);
}

static void write_file(const char *name, const char *text)
{
    char path[80];
    FILE *file;

    path_of(name, path);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/millrace-suite-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    write_file("t.yaml", topology_text);
    problems = (struct mr_problems){0};
    suite = NULL;
}

static void tear_down(void)
{
    static const char *const names[] = {"t.yaml", "s.yaml", "shared.yaml"};
    char path[80];

    mr_problems_fini(&problems);
    suite_close(&suite);
    for (size_t i = 0; i < MR_COUNT(names); i++) {
        path_of(names[i], path);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(directory), 0);
}

static enum mr_status open_text(const char *text)
{
    const struct mr_catalog catalog = {
        .stages = mr_stages,
        .stage_count = mr_stage_count,
        .schemas = oms_schemas,
        .schema_count = oms_schema_count,
    };
    char path[80];

    write_file("s.yaml", text);
    path_of("s.yaml", path);
    return suite_open(path, &(struct suite_options){.catalog = &catalog}, &suite, &problems);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int line;
    int column;
    const char *says;
    const char *why;
} wrong[] = {
    {"", 1, 1, "empty", "a file of nothing"},
    {"- one\n", 1, 1, "a suite must be a map", "a list"},
    {"cases: []\n", 1, 1, "no topology", "no topology"},
    {"topology: [t.yaml]\ncases: []\n", 1, 11, "topology must be one value", "two topologies"},
    {"topology: u.yaml\ncases: []\n", 1, 11, "u.yaml cannot be read: No such file", "not there"},
    {"topology: t.yaml\n", 1, 1, "no cases", "nothing to play"},
    {"topology: t.yaml\ncases: []\n", 2, 8, "no cases: the list is empty", "nothing to play"},
    {"topology: t.yaml\ncase: []\n", 2, 1, "unknown key \"case\", did you mean \"cases\"?",
     "a typing error"},
    {"topology: t.yaml\nshare: nix.yaml\ncases: []\n", 2, 8, "cannot be read",
     "shares what is not there"},
    {"topology: t.yaml\nstart: noon\ncases: []\n", 2, 8, "\"noon\" is no time",
     "a start that is none"},
    {"topology: t.yaml\nvarying: [order]\ncases: []\n", 2, 11,
     "no topic \"order\", did you mean \"orders\"?", "varying of nothing"},
    {"topology: t.yaml\nenv: {SHOP_PARTITIONS: many}\ncases: []\n", 4, 24, "partitions",
     "the environment makes the topology wrong"},
    {"topology: t.yaml\ndefaults: {order: {}}\ncases: []\n", 2, 12, "no topic \"order\"",
     "defaults of no topic"},
    {"topology: t.yaml\ndefaults:\n  orders: {prise: 1}\ncases: []\n", 3, 12,
     "OrderCommand has no field \"prise\", did you mean \"price\"?", "a default of no field"},
    {"topology: t.yaml\ndefaults:\n  orders: {price: dear}\ncases: []\n", 3, 19, "a decimal",
     "a default that is no number"},
    {"topology: t.yaml\ndefaults:\n  shop.dedupe.dlq: {a: 1}\ncases: []\n", 3, 20,
     "nobody sends to it", "defaults of dead letters"},
    {"topology: t.yaml\ncases: [one]\n", 2, 9, "a case must be a map", "a case that is a word"},
    {"topology: t.yaml\ncases:\n  - steps: []\n", 3, 5, "a case needs a name", "nameless"},
    {HEAD, 5, 5, "a case needs steps", "nothing happens"},
    {HEAD "    steps: []\n  - name: one\n    steps: []\n", 7, 5,
     "two cases are called \"one\", the first in line 5", "twice the same name"},
    {HEAD "    step: []\n", 6, 5, "unknown key \"step\", did you mean \"steps\"?",
     "a typing error"},
    {HEAD "    steps:\n      - sent: {}\n", 7, 9, "no step \"sent\", did you mean \"send\"?",
     "no such step"},
    {HEAD "    steps:\n      - {}\n", 7, 9, "no step \"\"; known: given, send", "an empty step"},
    {HEAD "    steps:\n      - send: {}\n        pass: 5s\n", 8, 9, "unknown key \"pass\"",
     "two steps in one"},
    {HEAD "    steps:\n      - send: {}\n        lose-state: true\n", 8, 9,
     "unknown key \"lose-state\"", "a key of another step"},
    {HEAD "    steps:\n      - send: {}\n        together: yes\n", 8, 19, "neither true nor false",
     "a flag that is none"},
    {HEAD "    steps:\n      - pass: 5\n", 7, 15, "not a duration", "a time without its unit"},
    {HEAD "    steps:\n      - crash: shup\n", 7, 16, "no group \"shup\", did you mean \"shop\"?",
     "no such group"},
    {HEAD "    steps:\n      - crash: shop\n        after: soon\n", 8, 16, "not a duration",
     "when?"},
    {HEAD "    steps:\n      - ignore: events\n", 7, 17, "ignore must be a list",
     "one topic, not a list"},
    {HEAD "    steps:\n      - ignore: [event]\n", 7, 18, "did you mean \"events\"?",
     "no such topic"},
    {HEAD "    steps:\n      - send: [1]\n", 7, 15, "records by topic must be a map",
     "records of no topic"},
    {HEAD "    steps:\n      - send: {order: []}\n", 7, 16,
     "no topic \"order\", did you mean \"orders\"?", "no such topic"},
    {HEAD "    steps:\n      - send: {shop.dedupe.dlq: []}\n", 7, 16, "the runtime's own",
     "sent to dead letters"},
    {HEAD "    steps:\n      - expect: {shop-dedupe-changelog: []}\n", 7, 18, "the runtime's own",
     "a changelog is looked at as a store"},
    {HEAD "    steps:\n      - send: {orders: {userId: u}}\n", 7, 24, "orders must be a list",
     "one record, not a list"},
    {HEAD "    steps:\n      - send: {orders: [u]}\n", 7, 25, "a record must be a map",
     "a word for a record"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u}]}\n", 7, 25,
     "OrderCommand.orderId: missing, and it has no default", "a field that is needed"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderID: o}]}\n", 7, 37,
     "did you mean \"orderId\"?", "a typing error"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: o, side: BYE}]}\n", 7, 55,
     "side: \"BYE\" is none of its symbols; known: BUY, SELL", "no such symbol"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: o, qty: 1.5x}]}\n", 7, 54,
     "a decimal", "no number"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: o, postOnly: yes}]}\n", 7, 59,
     "neither true nor false", "no truth"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: o, expireTs: noon}]}\n", 7, 59,
     "a time like", "no time"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: o, expireTs: \"{now+1}\"}]}\n",
     7, 59, "not a duration", "how much later?"},
    {HEAD "    steps:\n      - send: {orders: [{userId: u, orderId: [o]}]}\n", 7, 46,
     "orderId is one value", "a list for a text"},
    {HEAD "    steps:\n      - send: {orders: [{userId: null, orderId: o}]}\n", 7, 34, "not null",
     "no user"},
    {HEAD "    steps:\n      - send: {orders: [{$raw: \"00\"}]}\n", 7, 25, "say its $key",
     "bytes of whom?"},
    {HEAD "    steps:\n      - send: {orders: [{$key: u, $raw: 0x}]}\n", 7, 41, "pairs of 0-9a-f",
     "no bytes"},
    {HEAD "    steps:\n      - send: {orders: [{$key: u, $raw: \"00\", userId: u}]}\n", 7, 25,
     "so it has no fields", "bytes and fields"},
    {HEAD "    steps:\n      - send: {orders: [{$kay: u, userId: u, orderId: o}]}\n", 7, 26,
     "no \"$kay\" here, did you mean \"$key\"?", "a typing error"},
    {HEAD "    steps:\n      - expect: {unique: [{$key: u, $raw: \"00\"}]}\n", 7, 37,
     "no \"$raw\" here", "bytes are not looked at"},
    {HEAD "    steps:\n      - expect: {unique: [{orderId: o}]}\n", 7, 27,
     "of whom? say its userId", "a record without its key"},
    {HEAD "    steps:\n      - expect: {shop.dedupe.dlq: [{millrace.error: X}]}\n", 7, 36,
     "which one? say its $key", "a dead letter without its key"},
    {HEAD "    steps:\n      - expect: {events: [{userId: u, code: KEY_REUSD}]}\n", 7, 45,
     "no reject code, did you mean \"KEY_REUSED\"?", "no such code"},
    {HEAD "    stores: {dedup: {}}\n    steps: []\n", 6, 14,
     "no stage \"dedup\", did you mean \"dedupe\"?", "no such stage"},
    {HEAD "    stores: {dedupe: {seem: []}}\n    steps: []\n", 6, 23,
     "no store \"seem\", did you mean \"seen\"?", "no such store"},
    {HEAD "    stores: {dedupe: {seen: [{$key: k, orderId: o}]}}\n    steps: []\n", 6, 30,
     "missing, and it has no default", "half an entry"},
    {HEAD "    stores: {dedupe: {seen: {count: 1}}}\n    steps: []\n", 6, 29, "seen must be a list",
     "a number of entries to begin with"},
    {HEAD "    steps:\n      - expect-store: {dedupe: {seen: [{orderId: o}]}}\n", 7, 40,
     "say its $key", "which entry?"},
    {HEAD "    steps:\n      - expect-store: {dedupe: {seen: {count: few}}}\n", 7, 47,
     "no number of entries", "how many?"},
    {HEAD "    steps:\n      - expect-store: {dedupe: {seen: [{$key: [u, {it: 0}]}]}}\n", 7, 51,
     "a part of a key is a text, or {int: NUMBER}", "half a key"},
};

START_TEST(a_wrong_suite_says_where)
{
    ck_assert_msg(open_text(wrong[_i].text) == MR_CONFIG, "%s", wrong[_i].why);
    ck_assert_ptr_null(suite);
    for (size_t i = 0; i < problems.count; i++) {
        if (problems.items[i].position.line == wrong[_i].line &&
            problems.items[i].position.column == wrong[_i].column &&
            strstr(problems.items[i].text, wrong[_i].says) != NULL) {
            return;
        }
    }
    ck_abort_msg("%s: not %d:%d: %s, but %d:%d: %s", wrong[_i].why, wrong[_i].line,
                 wrong[_i].column, wrong[_i].says, problems.items[0].position.line,
                 problems.items[0].position.column, problems.items[0].text);
}
END_TEST

START_TEST(a_problem_names_the_file_it_is_in)
{
    write_file("shared.yaml", "topology: t.yaml\nstart: noon\n");
    ck_assert_int_eq(open_text("share: shared.yaml\ncases: [{name: one, steps: []}]\n"), MR_CONFIG);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(problems.items[0].file, "/shared.yaml"));
    ck_assert_int_eq(problems.items[0].position.line, 2);
}
END_TEST

START_TEST(what_a_file_says_itself_outranks_what_it_shares)
{
    write_file("shared.yaml", "topology: t.yaml\nstart: 2024-01-01T00:00:00Z\n"
                              "env: {SHOP_PARTITIONS: 3}\n"
                              "before: [{pass: 1s}]\n");
    ck_assert_int_eq(open_text("share: shared.yaml\nstart: 1970-01-01T00:00:01Z\n"
                               "before: [{pass: 2s}]\n"
                               "cases: [{name: one, steps: [{pass: 3s}]}]\n"),
                     MR_OK);
    ck_assert_int_eq(suite->start_us, MR_SECOND_US);
    ck_assert_int_eq(suite->topology->topics[0].partitions, 3);
    ck_assert_ptr_null(getenv("SHOP_PARTITIONS")); /* for the reading only */
    ck_assert_uint_eq(suite->cases[0].step_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(suite->cases[0].steps[i].duration_us, (int64_t)(i + 1) * MR_SECOND_US);
    }
}
END_TEST

/* ---- playing --------------------------------------------------------------------------------- */

#define ORDER "{userId: u, orderId: o, idempotencyKey: k, qty: 1}"
#define SENT "    steps:\n      - send: {orders: [" ORDER "]}\n"

static const struct {
    const char *steps;
    const char *says; /* NULL: it passes */
    int line;
    const char *why;
} plays[] = {
    {SENT "      - expect: {unique: [{userId: u, orderId: o}]}\n", NULL, 0, "as expected"},
    {SENT "      - expect: {unique: [{userId: u, qty: 1.000, price: null}]}\n", NULL, 0,
     "an amount is what it is worth, null is absent"},
    {SENT "      - expect: {unique: [{userId: u, eventId: c1, ts: 2024-01-01T00:00:00Z}]}\n", NULL,
     0, "{n} and {now} of the first record"},
    {SENT "      - expect: {unique: [{userId: u, orderId: o, qty: 2}]}\n",
     "a record of unique is not as expected\n"
     "             expected  got\n"
     "    userId   u         u\n"
     "    orderId  o         o\n"
     "  ! qty      2         1\n",
     8, "another amount"},
    {SENT "      - expect: {unique: [{userId: u, orderId: o}, {userId: v, orderId: p}]}\n",
     "a record of unique was expected, and did not come\n"
     "    userId   v\n"
     "    orderId  p\n",
     8, "one too many is expected"},
    {SENT "      - expect: {unique: []}\n",
     "a record of unique came, and was not expected\n    $key", 8, "none is expected"},
    {SENT "      - expect: {events: []}\n      - expect: {unique: [{userId: u}]}\n"
          "      - send: {orders: [{$key: w, userId: w, orderId: o2}]}\n",
     "a record of unique came, and was not expected\n    $key", 5,
     "what is watched must be expected to the end"},
    {SENT "      - ignore: [unique]\n", NULL, 0, "ignored up to here"},
    {SENT, NULL, 0, "what was never looked at is of no interest"},
    {"    steps:\n      - send: {orders: [{$key: u, $raw: \"00\"}]}\n",
     "a record of shop.dedupe.dlq came, and was not expected", 5, "dead letters always are"},
    {"    steps:\n      - given: {orders: [{$key: u, $raw: \"00\"}]}\n",
     "a record of shop.dedupe.dlq came, and was not expected", 5, "of given records too"},
    {"    steps:\n      - given: {orders: [" ORDER "]}\n      - expect: {unique: []}\n", NULL, 0,
     "what comes of given records is not looked at"},
    {"    steps:\n      - send: {orders: [{$key: u, $raw: \"00\"}]}\n"
     "      - expect: {shop.dedupe.dlq: [{$key: u, millrace.error: SCHEMA}]}\n",
     "  ! millrace.error  SCHEMA    MALFORMED\n", 8, "the header of a dead letter"},
    {SENT "      - last: {unique: [{userId: u, orderId: o}]}\n", NULL, 0, "the last of a key"},
    {SENT "      - last: {unique: [{userId: v}]}\n",
     "a record of unique was expected, and did not come", 8, "of a key that never came"},
    {SENT "      - send: {orders: [" ORDER
          ", {userId: u, orderId: o, idempotencyKey: k, qty: 2}]}\n"
          "      - expect: {events: [{userId: u, code: 0}, {userId: u, code: VELOCITY}]}\n",
     "  ! code    3501 VELOCITY  2002 KEY_REUSED\n", 9, "codes have names"},
    {SENT "      - expect-store: {dedupe: {seen: [{$key: [u, {int: 0}, k], orderId: o}]}}\n", NULL,
     0, "an entry of a store"},
    {SENT "      - expect-store: {dedupe: {seen: [{$key: [u, {int: 0}, k], orderId: p}]}}\n",
     "a record of store dedupe.seen is not as expected", 8, "another entry"},
    {SENT "      - expect-store: {dedupe: {seen: [{$key: nix, orderId: p}]}}\n",
     "a record of store dedupe.seen was expected, and did not come", 8, "no entry"},
    {SENT "      - expect-store: {dedupe: {seen: [{$key: [u, {int: 0}, k], $absent: true}]}}\n",
     "a record of store dedupe.seen came, and was not expected", 8, "an entry too many"},
    {SENT "      - expect-store: {dedupe: {seen: {count: 2}}}\n",
     "store dedupe.seen holds 1 entries, and 2 were expected", 8, "a number of entries"},
    {SENT "      - crash: shop\n        after: 3ms\n        lose-state: true\n"
          "      - send: {orders: [" ORDER "]}\n"
          "      - expect: {unique: [{userId: u}], events: [{userId: u, type: DUPLICATE}]}\n",
     NULL, 0, "a crash that loses the state forgets no key"},
    {SENT "      - pass: 25h\n      - send: {orders: [" ORDER "]}\n"
          "      - expect: {unique: [{userId: u}, {userId: u, ts: 2024-01-02T01:00:00.001Z}]}\n",
     NULL, 0, "time passes, for records too"},
    {"    stores:\n      dedupe:\n        seen:\n"
     "          - $key: [u, {int: 0}, k]\n"
     "            firstTs: \"{now-1h}\"\n"
     "            fingerprint: "
     "\"0000000000000000000000000000000000000000000000000000000000000000\"\n"
     "            orderId: before\n            commandId: c0\n" SENT
     "      - expect: {events: [{userId: u, orderId: before, code: KEY_REUSED}]}\n",
     NULL, 0, "a store begins with what it is given"},
    {"    stores:\n      dedupe:\n        seen:\n"
     "          - $key: [u, {int: 0}, k]\n"
     "            firstTs: \"{now-25h}\"\n"
     "            fingerprint: "
     "\"0000000000000000000000000000000000000000000000000000000000000000\"\n"
     "            orderId: before\n            commandId: c0\n" SENT
     "      - expect: {events: [], unique: [{userId: u}]}\n",
     NULL, 0, "a time that is past"},
};

static struct suite_result play(const char *steps)
{
    const struct suite_play_options undisturbed = {.crash = {.round = -1}};
    struct suite_result result = {0};
    struct mr_world *world;
    char text[2000];

    (void)snprintf(text, sizeof(text), HEAD "%s", steps);
    ck_assert_msg(open_text(text) == MR_OK, "%d:%d: %s", problems.items[0].position.line,
                  problems.items[0].position.column, problems.items[0].text);
    world = suite_play(suite, &suite->cases[0], &undisturbed, &result);
    mr_world_destroy(&world);
    mr_buffer_append(&result.text, "", 1);
    return result;
}

START_TEST(a_case_passes_or_says_what_is_different)
{
    struct suite_result result = play(plays[_i].steps);
    const char *text = (const char *)result.text.data;

    ck_assert_msg(result.passed == (plays[_i].says == NULL), "%s\n%s", plays[_i].why, text);
    if (plays[_i].says != NULL) {
        ck_assert_msg(strstr(text, plays[_i].says) != NULL, "%s: not\n%s, but\n%s", plays[_i].why,
                      plays[_i].says, text);
        ck_assert_msg(result.place.at.line == plays[_i].line, "%s: line %d", plays[_i].why,
                      result.place.at.line);
    }
    suite_result_fini(&result);
}
END_TEST

/* One that is missing in the middle is one line of difference, not all that follow. */
START_TEST(a_missing_record_does_not_make_the_next_ones_wrong)
{
    struct suite_result result =
        play("    steps:\n"
             "      - send: {orders: [{userId: u, orderId: o1}, {userId: u, orderId: o3}]}\n"
             "      - expect: {unique: [{userId: u, orderId: o1}, {userId: u, orderId: o2},"
             " {userId: u, orderId: o3}]}\n");
    const char *text = (const char *)result.text.data;

    ck_assert(!result.passed);
    ck_assert_ptr_nonnull(strstr(text, "was expected, and did not come\n    userId   u\n"
                                       "    orderId  o2\n"));
    ck_assert_ptr_null(strstr(text, "o3"));
    suite_result_fini(&result);
}
END_TEST

START_TEST(crashes_everywhere_are_a_play_for_each_record_and_group)
{
    const struct suite_play_options options = {.crash = {.round = -1}};
    struct suite_result result = {0};

    ck_assert_int_eq(open_text(HEAD SENT "      - send: {orders: [" ORDER "]}\n"
                                         "      - expect: {unique: [{userId: u}]}\n"),
                     MR_OK);
    suite_play_everywhere(suite, &suite->cases[0], &options, &result);
    ck_assert(result.passed);
    ck_assert_int_eq(result.plays, 3);
    suite_result_fini(&result);
}
END_TEST

/* Of what a crash must not change, this is what would be: worlds of two cases are not equal. */
START_TEST(worlds_that_differ_are_told_apart)
{
    const struct suite_play_options options = {.crash = {.round = -1}};
    struct suite_result result = {0};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_world *worlds[2];

    ck_assert_int_eq(open_text(HEAD SENT "  - name: two\n    steps: []\n"), MR_OK);
    for (size_t i = 0; i < 2; i++) {
        worlds[i] = suite_play(suite, &suite->cases[i], &options, &result);
    }
    ck_assert(suite_compare(suite, worlds[0], worlds[0], &text));
    ck_assert_uint_eq(text.len, 0);
    ck_assert(!suite_compare(suite, worlds[0], worlds[1], &text));
    mr_buffer_append(&text, "", 1);
    ck_assert_ptr_nonnull(strstr((const char *)text.data,
                                 "topic unique: 0 records, undisturbed 1; the first that differs "
                                 "has key u\n"));
    mr_buffer_fini(&text);
    suite_result_fini(&result);
    mr_world_destroy(&worlds[0]);
    mr_world_destroy(&worlds[1]);
}
END_TEST

int main(void)
{
    Suite *all = suite_create("tools: suites");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_wrong_suite_says_where, 0, (int)MR_COUNT(wrong));
    tcase_add_test(tcase, a_problem_names_the_file_it_is_in);
    tcase_add_test(tcase, what_a_file_says_itself_outranks_what_it_shares);
    tcase_add_loop_test(tcase, a_case_passes_or_says_what_is_different, 0, (int)MR_COUNT(plays));
    tcase_add_test(tcase, a_missing_record_does_not_make_the_next_ones_wrong);
    tcase_add_test(tcase, crashes_everywhere_are_a_play_for_each_record_and_group);
    tcase_add_test(tcase, worlds_that_differ_are_told_apart);
    suite_add_tcase(all, tcase);
    runner = srunner_create(all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
