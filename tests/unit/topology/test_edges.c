/*
 * Goal:   an edge travels in memory exactly when that means the same as through the log.
 * Method: a table of small graphs over the stage type `pass` (Order in, Order out) and, per graph,
 *         which inputs are in memory and what the groups consume; then what is refused.
 */
#include "fake_catalog.h"
#include "millrace/buffer.h"

#include <check.h>
#include <stdlib.h>

#define HEAD                                                                                       \
    "application: e\n"                                                                             \
    "defaults: {partitions: 2, replication: 1}\n"                                                  \
    "topics:\n"                                                                                    \
    "  in: {key: userId, value: Order}\n"
#define MID(boundary) "  mid: {key: userId, value: Order" boundary "}\n"
#define A "  a: {type: pass, in: {orders: in}, out: {orders: mid}}\n"
#define B "  b: {type: pass, in: {orders: mid}, out: {orders: end}}\n"
#define END "  end: {key: userId, value: Order}\nstages:\n"

static const struct row {
    const char *why;
    const char *text;
    bool b_in_memory;
    bool mid_written;
    const char *inputs; /* of the group of stage b */
} rows[] = {
    {"same group: tee by default", HEAD MID("") END A B "groups:\n  g: {stages: [b, a]}\n", true,
     true, "in"},
    {"memory only", HEAD MID(", boundary: memory") END A B "groups:\n  g: {stages: [a, b]}\n", true,
     false, "in"},
    {"boundary topic", HEAD MID(", boundary: topic") END A B "groups:\n  g: {stages: [a, b]}\n",
     false, true, "in mid"},
    {"other group", HEAD MID("") END A B "groups:\n  g: {stages: [a]}\n  h: {stages: [b]}\n", false,
     true, "mid"},
    {"a second writer in another group",
     HEAD MID("") END A B "  c: {type: pass, in: {orders: in}, out: {orders: mid}}\n"
                          "groups:\n  g: {stages: [a, b]}\n  h: {stages: [c]}\n",
     false, true, "in mid"},
    {"a second writer in the same group",
     HEAD MID("") END A B "  c: {type: pass, in: {orders: in}, out: {orders: mid}}\n"
                          "groups:\n  g: {stages: [a, b, c]}\n",
     true, true, "in"},
    {"nobody here writes it",
     HEAD MID("") END "  a: {type: pass, in: {orders: in}, out: {orders: end}}\n" B
                      "groups:\n  g: {stages: [a, b]}\n",
     false, true, "in mid"},
    {"another key: another task",
     HEAD "  mid: {key: symbol, value: Order}\n" END A B "groups:\n  g: {stages: [a, b]}\n", false,
     true, "in mid"},
    {"same first field of a longer key: same task",
     HEAD "  mid: {key: \"userId, symbol\", value: Order}\n" END A B
          "groups:\n  g: {stages: [a, b]}\n",
     true, true, "in"},
    {"a reader in another group does not matter",
     HEAD MID("") END A B "  c: {type: pass, in: {orders: mid}, out: {orders: end}}\n"
                          "groups:\n  g: {stages: [a, b]}\n  h: {stages: [c]}\n",
     true, true, "in"},
};

START_TEST(an_edge_is_in_memory_or_not)
{
    const struct row *row = &rows[_i];
    struct mr_topology *t = fake_load_good(row->text);
    const struct mr_stage_node *a = &t->stages[mr_topology_find_stage(t, "a")];
    const struct mr_stage_node *b = &t->stages[mr_topology_find_stage(t, "b")];
    const struct mr_group_node *group = &t->groups[b->group];
    const struct mr_topic *mid = &t->topics[mr_topology_find_topic(t, "mid")];
    struct mr_buffer names = MR_BUFFER_EMPTY;

    for (size_t i = 0; i < group->input_count; i++) {
        mr_buffer_printf(&names, "%s%s", i == 0 ? "" : " ", t->topics[group->inputs[i]].name);
    }
    mr_buffer_append(&names, "", 1);
    const char *inputs = (const char *)names.data;
    ck_assert_msg(b->in[0].in_memory == row->b_in_memory, "%s", row->why);
    ck_assert_msg(mid->in_log == row->mid_written, "%s", row->why);
    ck_assert_msg(strcmp(inputs, row->inputs) == 0, "%s: consumes %s", row->why, inputs);
    if (row->b_in_memory) {
        ck_assert_msg(a->out[0].reader_count >= 1, "%s", row->why);
        ck_assert_msg(a->out[0].written == row->mid_written, "%s", row->why);
    } else {
        ck_assert_msg(a->out[0].reader_count == 0, "%s", row->why);
    }
    mr_buffer_fini(&names);
    mr_topology_destroy(&t);
}
END_TEST

static const struct bad {
    const char *why;
    const char *text;
    int line, column;
    const char *words;
} bads[] = {
    {"a cycle of two",
     HEAD MID("") END "  a: {type: pass, in: {orders: end}, out: {orders: mid}}\n" B
                      "  c: {type: pass, in: {orders: in}, out: {orders: mid}}\n"
                      "groups:\n  g: {stages: [a, b, c]}\n",
     8, 32,
     "a cycle that never leaves memory, through stages a, b: give one of its topics, for "
     "example end, boundary: topic"},
    {"a stage that feeds itself",
     HEAD MID("") END A "  b: {type: pass, in: {orders: mid}, out: {orders: mid}}\n"
                        "groups:\n  g: {stages: [a, b]}\n",
     9, 32, "a cycle that never leaves memory, through stages b"},
    {"memory with a reader elsewhere",
     HEAD MID(", boundary: memory") END A B "groups:\n  g: {stages: [a]}\n  h: {stages: [b]}\n", 9,
     32,
     "cannot be handed over in memory here, because stage a, which writes it, is in another "
     "group"},
    {"memory that nobody writes",
     HEAD MID(", boundary: memory") END
     "  a: {type: pass, in: {orders: in}, out: {orders: end}}\n" B
     "groups:\n  g: {stages: [a, b]}\n",
     9, 32, "because no stage writes it"},
    {"memory across keys",
     HEAD "  mid: {key: symbol, value: Order, boundary: memory}\n" END A B
          "groups:\n  g: {stages: [a, b]}\n",
     9, 32, "because stage a, which writes it, reads by another key"},
    {"partitions differ within a group, in memory or not",
     HEAD MID(", partitions: 3") END A B "groups:\n  g: {stages: [a, b]}\n", 9, 32,
     "topic mid has 3 partitions and topic in"},
    {"a group that reads nothing from outside",
     HEAD MID("") END "  a: {type: pass, in: {orders: mid}, out: {orders: mid}}\n"
                      "groups:\n  g: {stages: [a]}\n",
     10, 3, "group g reads nothing from the log"},
};

START_TEST(what_cannot_work_is_refused)
{
    const struct bad *row = &bads[_i];
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};

    ck_assert_msg(fake_load(row->text, &topology, &problems) == MR_CONFIG, "%s: accepted",
                  row->why);
    ck_assert_msg(problems.items[0].position.line == row->line &&
                      problems.items[0].position.column == row->column &&
                      strstr(problems.items[0].text, row->words) != NULL,
                  "%s: %d:%d: %s", row->why, problems.items[0].position.line,
                  problems.items[0].position.column, problems.items[0].text);
    ck_assert_msg(problems.count == 1, "%s: also %s", row->why, problems.items[1].text);
    mr_problems_fini(&problems);
}
END_TEST

START_TEST(a_cycle_through_the_log_is_right)
{
    struct mr_topology *t =
        fake_load_good(HEAD MID("") "  end: {key: userId, value: Order, boundary: topic}\nstages:\n"
                                    "  a: {type: pass, in: {orders: end}, out: {orders: mid}}\n" B
                                    "groups:\n  g: {stages: [b, a]}\n");

    ck_assert_uint_eq(t->groups[0].input_count, 1);
    ck_assert_str_eq(t->stages[t->groups[0].stages[0]].name, "a");
    mr_topology_destroy(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology edges");
    TCase *tcase = tcase_create("edges");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, an_edge_is_in_memory_or_not, 0, (int)MR_COUNT(rows));
    tcase_add_loop_test(tcase, what_cannot_work_is_refused, 0, (int)MR_COUNT(bads));
    tcase_add_test(tcase, a_cycle_through_the_log_is_right);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
