/*
 * Goal:   everything that can be wrong with a topology is named at the place where it stands.
 * Method: one good file, and a table in which each row replaces one line of it and says which
 *         position and which words must come out, and that nothing else does.
 */
#include "fake_catalog.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const good[] = {
    /*  1 */ "application: shop",
    /*  2 */ "kafka: {bootstrap.servers: \"127.0.0.1:9092\"}",
    /*  3 */ "registry: {url: \"http://127.0.0.1:8081\"}",
    /*  4 */ "defaults: {partitions: 4, replication: 1}",
    /*  5 */ "topics:",
    /*  6 */ "  orders: {key: userId, value: Order}",
    /*  7 */ "  orders.good: {key: userId, value: Order}",
    /*  8 */ "  prices: {key: symbol, value: Price, cleanup: compact}",
    /*  9 */ "  fills: {key: userId, value: Fill}",
    /* 10 */ "stages:",
    /* 11 */ "  check:",
    /* 12 */ "    type: check",
    /* 13 */ "    in: {orders: orders, prices: {table: prices}}",
    /* 14 */ "    out: {good: orders.good}",
    /* 15 */ "    options: {window: 1h}",
    /* 16 */ "  book:",
    /* 17 */ "    type: book",
    /* 18 */ "    in: {orders: orders.good}",
    /* 19 */ "    out: {fills: fills}",
    /* 20 */ "groups:",
    /* 21 */ "  all: {stages: [check, book], workers: 2}",
    /* 22 */ "connectors:",
    /* 23 */ "  shelf-fills: {type: shelf, in: fills, options: {uri: \"x\"}}",
    /* 24 */ "",
};

static const struct row {
    const char *why;
    int replaced;
    const char *with;
    int line, column;
    const char *words;
} rows[] = {
    {"key nobody knows", 1, "aplication: shop", 1, 1, "unknown key \"aplication\""},
    {"and what it misses", 1, "aplication: shop", 1, 1, "has no \"application\""},
    {"near name is offered", 4, "default: {partitions: 4}", 4, 1, "did you mean \"defaults\"?"},
    {"setting nobody knows", 4, "defaults: {partition: 4}", 4, 12, "did you mean \"partitions\"?"},
    {"number out of range", 4, "defaults: {partitions: 0}", 4, 24, "out of range 1 .. 1024"},
    {"bad unit", 4, "defaults: {commit-interval: 10 parsecs}", 4, 29,
     "commit-interval: \"10 parsecs\" is not a duration"},
    {"duration out of range", 4, "defaults: {commit-interval: 2m}", 4, 29,
     "out of range 1ms .. 1m"},
    {"choice that is none", 4, "defaults: {guarantee: exactly-onse}", 4, 23,
     "did you mean \"exactly-once\"?"},
    {"retention that is none", 4, "defaults: {retention: long}", 4, 23,
     "retention: \"long\" is not a duration"},
    {"what the runtime sets itself", 2, "kafka: {group.id: mine}", 2, 9, "is set by the runtime"},
    {"map where a value belongs", 2, "kafka: {a: {b: c}}", 2, 12, "a is a map"},
    {"a key twice", 3, "application: again", 3, 1, "given twice, first in line 1"},
    {"variable without value", 3, "registry: {url: \"http://${MR_TEST_UNSET}/x\"}", 3, 25,
     "environment variable MR_TEST_UNSET has no value"},
    {"reference without end", 3, "registry: {url: \"${MR_TEST\"}", 3, 18, "without its \"}\""},
    {"reference that is none", 3, "registry: {url: \"${a b}\"}", 3, 18, "is no reference"},
    {"schema nobody knows", 9, "  fills: {key: userId, value: Fil}", 9, 31,
     "no schema \"Fil\", did you mean \"Fill\"?"},
    {"key field the record lacks", 9, "  fills: {key: userID, value: Fill}", 9, 16,
     "schema Fill has no field \"userID\", did you mean \"userId\"?"},
    {"second key field too", 9, "  fills: {key: \"userId, nix\", value: Fill}", 9, 16,
     "no field \"nix\""},
    {"topic without key", 9, "  fills: {value: Fill}", 9, 3, "has no \"key\""},
    {"topic that is a list", 9, "  fills: [a]", 9, 10, "a topic is a list"},
    {"name no log accepts", 9,
     "  fills: {key: userId, value: Fill}\n  a b: {key: userId, value: Fill}", 10, 3,
     "\"a b\" is no name of a topic"},
    {"boundary that is none", 9, "  fills: {key: userId, value: Fill, boundary: wire}", 9, 47,
     "boundary: \"wire\" is no choice; known: tee, memory, topic"},
    {"stage type nobody knows", 12, "    type: chek", 12, 11, "did you mean \"check\"?"},
    {"stage without type", 12, "    # type: check", 11, 3, "has no \"type\""},
    {"in port nobody knows", 13, "    in: {orders: orders, prices: {table: prices}, extra: orders}",
     13, 51, "stage type check has no in port \"extra\""},
    {"dangling in port", 13, "    in: {prices: {table: prices}}", 13, 9,
     "in port orders of stage check is not bound; it carries Order: topics that fit: orders"},
    {"dangling out port", 14, "    out: {}", 14, 10, "out port good of stage check is not bound"},
    {"topic nobody declared", 14, "    out: {good: order.good}", 14, 17,
     "no topic \"order.good\" under topics, did you mean \"orders.good\"?"},
    {"schema that does not fit", 14, "    out: {good: prices}", 14, 17,
     "port good carries Order, topic prices carries Price; topics that fit: orders, orders.good"},
    {"table read as a stream", 13, "    in: {orders: orders, prices: prices}", 13, 34,
     "read as a table: write {table: prices}"},
    {"stream read as a table", 18, "    in: {orders: {table: orders.good}}", 18, 18,
     "is a stream and no table"},
    {"written as a table", 19, "    out: {fills: {table: fills}}", 19, 18,
     "is written, not read as a table"},
    {"table that forgets", 8, "  prices: {key: symbol, value: Price}", 13, 34,
     "give it cleanup: compact"},
    {"binding key", 13, "    in: {orders: orders, prices: {tabel: prices}}", 13, 35,
     "unknown key \"tabel\" of a binding"},
    {"option nobody knows", 15, "    options: {windou: 1h}", 15, 15,
     "unknown option \"windou\" of check, did you mean \"window\"?"},
    {"option below its range", 15, "    options: {window: 1ms}", 15, 23,
     "window: \"1ms\" is out of range 1s .. 7d"},
    {"option with a wrong unit", 15, "    options: {velocity: 50}", 15, 25,
     "velocity: \"50\" is not a rate"},
    {"ratio without percent", 15, "    options: {price-collar: 0.1}", 15, 29, "is not a ratio"},
    {"option without value", 15, "    options: {window: }", 15, 23, "window has no value"},
    {"neither true nor false", 15, "    options: {strict: yes}", 15, 23, "neither true nor false"},
    {"choice of an option", 15, "    options: {mode: carefull}", 15, 21,
     "did you mean \"careful\"?"},
    {"one bad duration in a list", 15, "    options: {intervals: [1m, 5x]}", 15, 26,
     "\"5x\" is not a duration"},
    {"option of a stage without any", 18, "    in: {orders: orders.good}\n    options: {a: b}", 19,
     15, "unknown option \"a\": book has none"},
    {"inputs keyed differently", 18, "    in: {orders: orders.good, control: prices}", 18, 40,
     "topic prices is keyed by symbol, the stage's input orders.good by userId"},
    {"stage nobody declared", 21, "  all: {stages: [check, book, bok]}", 21, 31,
     "no stage \"bok\" under stages, did you mean \"book\"?"},
    {"stage in no group", 21, "  all: {stages: [check]}", 16, 3, "stage book is in no group"},
    {"stage in two groups", 21, "  all: {stages: [check, book]}\n  too: {stages: [book]}", 22, 18,
     "stage book is in group all already"},
    {"standbys of many", 21, "  all: {stages: [check, book], replicas: 4, standby: true}", 21, 54,
     "standby is for groups of at most 3 replicas with one worker each"},
    {"standbys and workers", 21, "  all: {stages: [check, book], workers: 2, standby: true}", 21,
     53, "standby is for groups"},
    {"group without stages", 21, "  all: {stages: [check, book]}\n  too: {replicas: 2}", 22, 3,
     "group too needs its stages as a list"},
    {"too many workers", 21, "  all: {stages: [check, book], workers: 65}", 21, 41,
     "workers: \"65\" is out of range 1 .. 64"},
    {"different partition counts", 7, "  orders.good: {key: userId, value: Order, partitions: 8}",
     18, 18, "orders.good has 8 partitions and topic orders"},
    {"connector type nobody knows", 23, "  s: {type: shelv, in: fills, options: {uri: x}}", 23, 13,
     "no connector type \"shelv\", did you mean \"shelf\"?"},
    {"record a sink cannot write", 23, "  s: {type: shelf, in: prices, options: {uri: x}}", 23, 24,
     "topic prices carries Price, which a connector of type shelf cannot write; it writes Order, "
     "Fill"},
    {"required option", 23, "  s: {type: shelf, in: fills}", 23, 3,
     "option \"uri\" of shelf is required: where it stands"},
    {"two owners of one dead-letter topic", 23,
     "  check: {type: shelf, in: fills, options: {uri: x}}", 23, 3,
     "the name shop.check.dlq is taken"},
    {"topic with a derived name", 9,
     "  fills: {key: userId, value: Fill}\n  shop-check-changelog: {key: userId, value: Order}", 10,
     3, "the name shop-check-changelog is taken"},
    {"sink of what is never written", 9, "  fills: {key: userId, value: Fill, boundary: memory}",
     23, 3, "connector shelf-fills reads topic fills, which has boundary: memory"},
    {"configuration said twice", 9,
     "  fills: {key: userId, value: Fill, config: {retention.ms: 5}}", 9, 46,
     "is said by the topic's own settings"},
};

static char *with_line(int replaced, const char *with)
{
    char *text = calloc(1, 8192);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < MR_COUNT(good); i++) {
        const char *line = (int)i + 1 == replaced ? with : good[i];
        (void)snprintf(text + strlen(text), 8192 - strlen(text), "%s\n", line);
    }
    return text;
}

START_TEST(a_problem_is_named_where_it_stands)
{
    const struct row *row = &rows[_i];
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    bool found = false;
    char *text = with_line(row->replaced, row->with);

    ck_assert_msg(fake_load(text, &topology, &problems) == MR_CONFIG, "%s: accepted", row->why);
    ck_assert_ptr_null(topology);
    for (size_t i = 0; i < problems.count; i++) {
        const struct mr_problem *p = &problems.items[i];
        ck_assert_str_eq(p->file, "t.yaml");
        found = found || (p->position.line == row->line && p->position.column == row->column &&
                          strstr(p->text, row->words) != NULL);
    }
    ck_assert_msg(found, "%s: want %d:%d: %s\ngot %zu, first %d:%d: %s", row->why, row->line,
                  row->column, row->words, problems.count, problems.items[0].position.line,
                  problems.items[0].position.column, problems.items[0].text);
    /* One mistake, one problem (the misspelt application is a mistake of two faces). */
    if (row->replaced != 1) {
        ck_assert_msg(problems.count == 1, "%s: %zu problems, second %d:%d: %s", row->why,
                      problems.count, problems.items[1].position.line,
                      problems.items[1].position.column, problems.items[1].text);
    }
    mr_problems_fini(&problems);
    free(text);
}
END_TEST

START_TEST(the_unchanged_file_is_right)
{
    char *text = with_line(0, "");
    struct mr_topology *topology = fake_load_good(text);

    mr_topology_destroy(&topology);
    ck_assert_ptr_null(topology);
    free(text);
}
END_TEST

START_TEST(all_problems_come_at_once_and_in_order)
{
    static const char text[] = "application: shop\n"
                               "topics:\n"
                               "  a: {key: userId, value: Nope}\n"
                               "  b: {key: userId, value: Order, partitions: x}\n"
                               "stages:\n"
                               "  s: {type: sum, in: {fills: c}, out: {totals: d}}\n"
                               "groups:\n"
                               "  g: {stages: [s, t]}\n"
                               "connectors:\n"
                               "  k: {type: nope, in: e}\n";
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};

    ck_assert_int_eq(fake_load(text, &topology, &problems), MR_CONFIG);
    ck_assert_uint_eq(problems.count, 7);
    for (size_t i = 1; i < problems.count; i++) {
        const struct mr_position a = problems.items[i - 1].position;
        const struct mr_position b = problems.items[i].position;
        ck_assert(a.line < b.line || (a.line == b.line && a.column <= b.column));
    }
    mr_problems_fini(&problems);
}
END_TEST

START_TEST(err_holds_the_first_problem)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(
        mr_topology_load_file("/nonexistent/t.yaml", &fake_catalog, &topology, &problems, &err),
        MR_CONFIG);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/t.yaml: cannot be read"));
    mr_problems_fini(&problems);

    ck_assert_int_eq(mr_topology_load_text("x.yaml", mr_slice_str("[]"), &fake_catalog, &topology,
                                           &problems, &err),
                     MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "x.yaml:1:1: a list and must be a map"));
    mr_problems_fini(&problems);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology problems");
    TCase *tcase = tcase_create("problems");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_problem_is_named_where_it_stands, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, the_unchanged_file_is_right);
    tcase_add_test(tcase, all_problems_come_at_once_and_in_order);
    tcase_add_test(tcase, err_holds_the_first_problem);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
