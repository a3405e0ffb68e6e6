/*
 * Goal:   a picture that can be read: everything is in it, nothing lies over anything else, groups
 *         hold their stages, and it is well-formed XML whatever the figures are.
 * Method: topologies of different shapes (a chain, a cycle, many readers, two groups), laid out and
 *         drawn; boxes against boxes, tags against tags.
 */
#include "fake_catalog.h"
#include "graph_layout.h"
#include "graph_svg.h"
#include "tap_port.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                                       \
    "application: shop\n"                                                                          \
    "defaults: {partitions: 3, replication: 1}\n"                                                  \
    "topics:\n"                                                                                    \
    "  orders: {key: userId, value: Order}\n"                                                      \
    "  good: {key: userId, value: Order}\n"                                                        \
    "  bad: {key: userId, value: Order}\n"                                                         \
    "  prices: {key: symbol, value: Price, cleanup: compact}\n"                                    \
    "  fills: {key: userId, value: Fill}\n"
#define FIRST                                                                                      \
    "  first: {type: check, in: {orders: orders, prices: {table: prices}},\n"                      \
    "          out: {good: good}}\n"
#define BOOK "  book: {type: book, in: {orders: good}, out: {fills: fills}}\n"

static const struct {
    const char *why;
    const char *text;
} graphs[] = {
    {"a chain in one group with connectors",
     HEAD "stages:\n" FIRST BOOK "groups:\n  all: {stages: [first, book]}\n"
          "connectors:\n"
          "  shelf-fills: {type: shelf, in: fills, options: {uri: u}}\n"
          "  shelf-orders: {type: shelf, in: orders, options: {uri: u}}\n"
          "  shelf-good: {type: shelf, in: good, options: {uri: u}}\n"},
    {"two groups",
     HEAD "stages:\n" FIRST BOOK "groups:\n  one: {stages: [first]}\n  two: {stages: [book]}\n"},
    {"a cycle through the log between two groups",
     HEAD "stages:\n"
          "  round: {type: pass, in: {orders: good}, out: {orders: orders}}\n" FIRST
          "groups:\n  one: {stages: [first]}\n  two: {stages: [round]}\n"},
    {"many writers of one topic",
     HEAD "stages:\n" FIRST "  p1: {type: pass, in: {orders: orders}, out: {orders: bad}}\n"
          "  p2: {type: pass, in: {orders: good}, out: {orders: bad}}\n"
          "  p3: {type: pass, in: {orders: orders}, out: {orders: bad}}\n" BOOK
          "groups:\n  one: {stages: [first, p1, p2]}\n  two: {stages: [p3, book]}\n"},
};

static struct mr_topology *topology;
static struct graph_layout layout;

static void set_up(int graph)
{
    topology = fake_load_good(graphs[graph].text);
    graph_layout_make(topology, &layout);
}

static void tear_down(void)
{
    graph_layout_fini(&layout);
    mr_topology_destroy(&topology);
}

static bool apart(const struct graph_node *a, const struct graph_node *b)
{
    return a->x + a->width <= b->x || b->x + b->width <= a->x || a->y + a->height <= b->y ||
           b->y + b->height <= a->y;
}

START_TEST(nothing_lies_over_anything_else)
{
    set_up(_i);
    for (size_t a = 0; a < layout.node_count; a++) {
        for (size_t b = a + 1; b < layout.node_count; b++) {
            ck_assert_msg(apart(&layout.nodes[a], &layout.nodes[b]), "%s: %s (%zu) and %s (%zu)",
                          graphs[_i].why, layout.nodes[a].name, a, layout.nodes[b].name, b);
        }
    }
    tear_down();
}
END_TEST

START_TEST(everything_is_inside_its_band_and_bands_are_apart)
{
    set_up(_i);
    for (size_t n = 0; n < layout.node_count; n++) {
        const struct graph_node *node = &layout.nodes[n];
        const struct graph_band *band = &layout.bands[node->band];

        ck_assert_int_ge(node->y, band->y + GRAPH_BAND_TITLE_HEIGHT);
        ck_assert_int_le(node->y + node->height, band->y + band->height);
        ck_assert_int_ge(node->x, band->x);
        ck_assert_int_le(node->x + node->width, band->x + band->width);
        if (node->kind == GRAPH_STAGE) {
            ck_assert_str_eq(band->title,
                             topology->groups[topology->stages[node->index].group].name);
        }
    }
    for (size_t b = 1; b < layout.band_count; b++) {
        ck_assert_int_ge(layout.bands[b].y, layout.bands[b - 1].y + layout.bands[b - 1].height);
    }
    tear_down();
}
END_TEST

START_TEST(edges_run_column_by_column_in_their_direction)
{
    set_up(_i);
    for (size_t e = 0; e < layout.edge_count; e++) {
        const struct graph_edge *edge = &layout.edges[e];
        const size_t first = edge->backward ? edge->to : edge->from;

        ck_assert_uint_eq(edge->way[0], first);
        ck_assert_uint_eq(edge->way[edge->way_count - 1], edge->backward ? edge->from : edge->to);
        for (size_t i = 1; i < edge->way_count; i++) {
            ck_assert_int_eq(layout.nodes[edge->way[i]].column,
                             layout.nodes[edge->way[i - 1]].column + 1);
        }
    }
    tear_down();
}
END_TEST

START_TEST(only_a_cycle_has_edges_against_the_stream)
{
    size_t backward = 0;

    set_up(_i);
    for (size_t e = 0; e < layout.edge_count; e++) {
        backward += layout.edges[e].backward;
    }
    ck_assert_uint_eq(backward, strstr(graphs[_i].why, "cycle") != NULL ? 1 : 0);
    tear_down();
}
END_TEST

/* ---- the drawing ----------------------------------------------------------------------------- */

/* Every tag is closed by its own, in order, and nothing is left of & and < that is not markup. */
static void check_xml(const char *xml, const char *why)
{
    char open[32][32];
    size_t depth = 0;

    for (const char *at = xml; *at != '\0'; at++) {
        if (*at == '&') {
            ck_assert_msg(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                              strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0,
                          "%s: %.20s", why, at);
        }
        if (*at != '<') {
            continue;
        }
        const char *close = strchr(at, '>');
        const size_t name = strcspn(at + 1, " />\n") + (at[1] == '/' ? 1 : 0);

        ck_assert_msg(close != NULL && memchr(at + 1, '<', (size_t)(close - at - 1)) == NULL,
                      "%s: %.30s", why, at);
        if (at[1] == '/') {
            const size_t len = strcspn(at + 2, ">");

            ck_assert_uint_gt(depth, 0);
            depth--;
            ck_assert_msg(strlen(open[depth]) == len && strncmp(open[depth], at + 2, len) == 0,
                          "%s: %s closed by %.20s", why, open[depth], at);
        } else if (close[-1] != '/') {
            ck_assert_uint_lt(depth, MR_COUNT(open));
            ck_assert_uint_lt(name, sizeof(open[0]));
            memcpy(open[depth], at + 1, name);
            open[depth++][name] = '\0';
        }
        at = close;
    }
    ck_assert_uint_eq(depth, 0);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

START_TEST(every_part_is_drawn_once_in_well_formed_xml)
{
    struct mr_buffer svg = MR_BUFFER_EMPTY;
    struct graph_figures figures;
    char mark[128];

    set_up(_i);
    graph_figures_init(topology, &figures);
    figures.rate_milli[0] = 1234000;
    figures.lag[0] = 7;
    graph_svg_write(topology, &figures, &svg);
    mr_buffer_append(&svg, "", 1);
    check_xml((const char *)svg.data, graphs[_i].why);
    for (size_t n = 0; n < layout.node_count; n++) {
        static const char *const kinds[] = {
            [GRAPH_TOPIC] = "topic", [GRAPH_STAGE] = "stage", [GRAPH_CONNECTOR] = "connector"};

        if (layout.nodes[n].kind != GRAPH_BEND) {
            (void)snprintf(mark, sizeof(mark), "data-%s=\"%s\"", kinds[layout.nodes[n].kind],
                           layout.nodes[n].name);
            ck_assert_msg(count((const char *)svg.data, mark) == 1, "%s", mark);
        }
    }
    ck_assert_uint_eq(count((const char *)svg.data, "<path class=\"edge"), layout.edge_count);
    ck_assert_uint_eq(count((const char *)svg.data, "1.2k/s \xc2\xb7 lag 7<"), 1);
    graph_figures_fini(&figures);
    mr_buffer_fini(&svg);
    tear_down();
}
END_TEST

static const struct {
    int64_t rate_milli;
    const char *text;
} rates[] = {
    {-1, "-"},           {0, "0/s"},          {1, "0.1/s"},           {449, "0.4/s"},
    {9999, "10.0/s"},    {10000, "10/s"},     {999499, "999/s"},      {999500, "1.0k/s"},
    {1240000, "1.2k/s"}, {34000000, "34k/s"}, {5600000000, "5.6M/s"},
};

START_TEST(a_rate_is_short)
{
    char text[32];

    graph_rate_text(rates[_i].rate_milli, text, sizeof(text));
    ck_assert_str_eq(text, rates[_i].text);
}
END_TEST

/* ---- what tap is pointed at ------------------------------------------------------------------ */

static const struct {
    const char *name, *stage, *port;
    const char *topic; /* NULL: refused */
    const char *says;
} ports[] = {
    {"good", "", "", "good", ""},
    {"first.good", "", "", "good", ""},
    {"book.orders", "", "", "good", ""},
    {"", "book", "fills", "fills", ""},
    {"first.godo", "", "", NULL, "stage first has no port godo, did you mean \"good\"?"},
    {"goood", "", "", NULL, "did you mean \"good\"?"},
    {"frist.good", "", "", NULL, "has no topic and no port frist.good"},
    {"", "frist", "good", NULL, "has no stage frist, did you mean \"first\"?"},
    {"book.control", "", "", NULL, "port control of stage book is bound to nothing"},
};

START_TEST(a_port_is_its_topic)
{
    struct mr_err err = {0};
    size_t topic = SIZE_MAX;
    enum mr_status status;

    set_up(0);
    status = tap_port_find(topology, ports[_i].name, ports[_i].stage, ports[_i].port, &topic, &err);
    if (ports[_i].topic != NULL) {
        ck_assert_msg(status == MR_OK, "%s", err.text);
        ck_assert_str_eq(topology->topics[topic].name, ports[_i].topic);
    } else {
        ck_assert_int_eq(status, MR_CONFIG);
        ck_assert_msg(strstr(err.text, ports[_i].says) != NULL, "%s", err.text);
    }
    tear_down();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph_svg");
    TCase *tcase = tcase_create("graph_svg");
    SRunner *runner = srunner_create(suite);
    const int all = (int)MR_COUNT(graphs);

    tcase_add_loop_test(tcase, nothing_lies_over_anything_else, 0, all);
    tcase_add_loop_test(tcase, everything_is_inside_its_band_and_bands_are_apart, 0, all);
    tcase_add_loop_test(tcase, edges_run_column_by_column_in_their_direction, 0, all);
    tcase_add_loop_test(tcase, only_a_cycle_has_edges_against_the_stream, 0, all);
    tcase_add_loop_test(tcase, every_part_is_drawn_once_in_well_formed_xml, 0, all);
    tcase_add_loop_test(tcase, a_rate_is_short, 0, (int)MR_COUNT(rates));
    tcase_add_loop_test(tcase, a_port_is_its_topic, 0, (int)MR_COUNT(ports));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
