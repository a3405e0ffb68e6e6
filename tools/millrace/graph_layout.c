/* graph_layout.c -- nodes, edges, columns and bands. Places in them: graph_place.c. */
#include "graph_layout.h"

#include "graph_place.h"
#include "millrace/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_WIDTH 8 /* of a character, rather more than less */
#define TOPIC_WIDTH_MIN 112
#define TOPIC_HEIGHT 40
#define STAGE_WIDTH_MIN 96
#define STAGE_HEIGHT 36
#define CONNECTOR_HEIGHT 26
#define BEND_HEIGHT 8

static size_t add_node(struct graph_layout *layout, const struct graph_node *node)
{
    if (layout->node_count == layout->node_capacity) {
        layout->node_capacity = layout->node_capacity == 0 ? 64 : layout->node_capacity * 2;
        layout->nodes = mr_xrealloc(layout->nodes, layout->node_capacity * sizeof(*layout->nodes));
    }
    layout->nodes[layout->node_count] = *node;
    return layout->node_count++;
}

static int text_width(const char *text, int least)
{
    const int width = (int)strlen(text) * TEXT_WIDTH + 18;

    return width < least ? least : width;
}

static bool is_drawn(const struct mr_topology *topology, size_t topic)
{
    return topology->topics[topic].kind == MR_TOPIC_DECLARED;
}

/* Stages before topics before connectors: node numbers follow from the topology's. */
struct building {
    const struct mr_topology *topology;
    struct graph_layout *layout;
    size_t *node_of_topic; /* SIZE_MAX: not drawn */
    size_t edge_capacity;
};

static void add_nodes(struct building *b)
{
    const struct mr_topology *topology = b->topology;

    for (size_t i = 0; i < topology->stage_count; i++) {
        const char *name = topology->stages[i].name;

        (void)add_node(b->layout, &(struct graph_node){.kind = GRAPH_STAGE,
                                                       .index = i,
                                                       .name = name,
                                                       .width = text_width(name, STAGE_WIDTH_MIN),
                                                       .height = STAGE_HEIGHT});
    }
    for (size_t i = 0; i < topology->topic_count; i++) {
        const char *name = topology->topics[i].name;

        b->node_of_topic[i] =
            !is_drawn(topology, i)
                ? SIZE_MAX
                : add_node(b->layout,
                           &(struct graph_node){.kind = GRAPH_TOPIC,
                                                .index = i,
                                                .name = name,
                                                .width = text_width(name, TOPIC_WIDTH_MIN),
                                                .height = TOPIC_HEIGHT});
    }
    for (size_t i = 0; i < topology->connector_count; i++) {
        const char *name = topology->connectors[i].name;

        (void)add_node(b->layout, &(struct graph_node){.kind = GRAPH_CONNECTOR,
                                                       .index = i,
                                                       .name = name,
                                                       .width = text_width(name, STAGE_WIDTH_MIN),
                                                       .height = CONNECTOR_HEIGHT});
    }
}

static void add_edge(struct building *b, size_t from, size_t to, enum graph_edge_kind kind,
                     const char *port)
{
    struct graph_layout *layout = b->layout;

    if (layout->edge_count == b->edge_capacity) {
        b->edge_capacity = b->edge_capacity == 0 ? 64 : b->edge_capacity * 2;
        layout->edges = mr_xrealloc(layout->edges, b->edge_capacity * sizeof(*layout->edges));
    }
    layout->edges[layout->edge_count++] =
        (struct graph_edge){.from = from, .to = to, .kind = kind, .port = port};
}

static void add_stage_edges(struct building *b, size_t s)
{
    const struct mr_stage_node *stage = &b->topology->stages[s];

    for (size_t i = 0; i < stage->type->in_count; i++) {
        const struct mr_in_binding *in = &stage->in[i];

        if (in->topic != MR_UNBOUND) {
            add_edge(b, b->node_of_topic[in->topic], s,
                     in->table ? GRAPH_TABLE : (in->in_memory ? GRAPH_MEMORY : GRAPH_WRITTEN),
                     stage->type->in[i].name);
        }
    }
    for (size_t i = 0; i < stage->type->out_count; i++) {
        const struct mr_out_binding *binding = &stage->out[i];

        if (binding->topic != MR_UNBOUND) {
            add_edge(b, s, b->node_of_topic[binding->topic],
                     binding->reader_count > 0 ? GRAPH_MEMORY : GRAPH_WRITTEN,
                     stage->type->out[i].name);
        }
    }
}

static void add_edges(struct building *b)
{
    const size_t first_connector = b->layout->node_count - b->topology->connector_count;

    for (size_t s = 0; s < b->topology->stage_count; s++) {
        add_stage_edges(b, s);
    }
    for (size_t c = 0; c < b->topology->connector_count; c++) {
        const struct mr_connector_node *connector = &b->topology->connectors[c];

        add_edge(b, b->node_of_topic[connector->topic], first_connector + c, GRAPH_WRITTEN,
                 connector->type->name);
    }
}

/* ---- cycles ---------------------------------------------------------------------------------- */

struct walk {
    struct graph_layout *layout;
    size_t *path, path_count; /* from where the walk began */
    size_t *next_edge;        /* of each node */
    enum { UNSEEN, ON_PATH, DONE } * seen;
};

/* Edges that lead back to where the walk came from go backward. */
static void walk_from(struct walk *walk, size_t start)
{
    walk->path[0] = start;
    walk->path_count = 1;
    walk->seen[start] = ON_PATH;
    while (walk->path_count > 0) {
        const size_t at = walk->path[walk->path_count - 1];
        size_t *edge = &walk->next_edge[at];

        while (*edge < walk->layout->edge_count && walk->layout->edges[*edge].from != at) {
            (*edge)++;
        }
        if (*edge == walk->layout->edge_count) {
            walk->seen[at] = DONE;
            walk->path_count--;
            continue;
        }
        struct graph_edge *taken = &walk->layout->edges[(*edge)++];
        if (walk->seen[taken->to] == ON_PATH) {
            taken->backward = true;
        } else if (walk->seen[taken->to] == UNSEEN) {
            walk->seen[taken->to] = ON_PATH;
            walk->path[walk->path_count++] = taken->to;
        }
    }
}

static bool has_writer(const struct graph_layout *layout, size_t node)
{
    for (size_t e = 0; e < layout->edge_count; e++) {
        if (layout->edges[e].to == node) {
            return true;
        }
    }
    return false;
}

static void find_backward(struct graph_layout *layout)
{
    struct walk walk = {
        .layout = layout,
        .path = mr_xcalloc(layout->node_count, sizeof(*walk.path)),
        .next_edge = mr_xcalloc(layout->node_count, sizeof(*walk.next_edge)),
        .seen = mr_xcalloc(layout->node_count, sizeof(*walk.seen)),
    };

    /* From outside first: so the main stream runs from left to right. */
    for (int outside = 1; outside >= 0; outside--) {
        for (size_t n = 0; n < layout->node_count; n++) {
            if (walk.seen[n] == UNSEEN && (outside == 0 || !has_writer(layout, n))) {
                walk_from(&walk, n);
            }
        }
    }
    free(walk.path);
    free(walk.next_edge);
    free(walk.seen);
}

/* ---- columns and bands ----------------------------------------------------------------------- */

static size_t left_of(const struct graph_edge *edge)
{
    return edge->backward ? edge->to : edge->from;
}

static size_t right_of(const struct graph_edge *edge)
{
    return edge->backward ? edge->from : edge->to;
}

static void find_columns(struct graph_layout *layout)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t e = 0; e < layout->edge_count; e++) {
            const struct graph_node *left = &layout->nodes[left_of(&layout->edges[e])];
            struct graph_node *right = &layout->nodes[right_of(&layout->edges[e])];

            if (right->column <= left->column) {
                right->column = left->column + 1;
                moved = true;
            }
        }
    }
    /* What comes from outside stands beside its first reader. */
    for (size_t n = 0; n < layout->node_count; n++) {
        int first = -1;

        for (size_t e = 0; e < layout->edge_count; e++) {
            const int column = layout->nodes[layout->edges[e].to].column;

            if (layout->edges[e].from == n && (first < 0 || column < first)) {
                first = column;
            }
        }
        if (!has_writer(layout, n) && first > 0) {
            layout->nodes[n].column = first - 1;
        }
        layout->columns = layout->nodes[n].column >= layout->columns ? layout->nodes[n].column + 1
                                                                     : layout->columns;
    }
}

static int band_of_topic(const struct building *b, size_t topic)
{
    for (size_t s = 0; s < b->topology->stage_count; s++) {
        const struct mr_stage_node *stage = &b->topology->stages[s];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic == topic) {
                return (int)stage->group + 1;
            }
        }
    }
    return 0;
}

static void find_bands(struct building *b)
{
    const struct mr_topology *topology = b->topology;
    struct graph_layout *layout = b->layout;

    layout->band_count = topology->group_count + 2;
    layout->bands = mr_xcalloc(layout->band_count, sizeof(*layout->bands));
    layout->bands[0].title = "from outside";
    for (size_t g = 0; g < topology->group_count; g++) {
        layout->bands[g + 1].title = topology->groups[g].name;
        layout->bands[g + 1].is_group = true;
    }
    layout->bands[layout->band_count - 1].title = "connectors";
    for (size_t n = 0; n < layout->node_count; n++) {
        struct graph_node *node = &layout->nodes[n];

        node->band = node->kind == GRAPH_STAGE   ? (int)topology->stages[node->index].group + 1
                     : node->kind == GRAPH_TOPIC ? band_of_topic(b, node->index)
                                                 : (int)layout->band_count - 1;
    }
}

/* A bend in each column between the ends, in the band that the edge comes from. */
static void add_bends(struct graph_layout *layout)
{
    for (size_t e = 0; e < layout->edge_count; e++) {
        struct graph_edge *edge = &layout->edges[e];
        const size_t left = left_of(edge);
        const size_t right = right_of(edge);
        const int from = layout->nodes[left].column;
        const int to = layout->nodes[right].column;

        edge->way = mr_xcalloc((size_t)(to - from) + 1, sizeof(*edge->way));
        edge->way[edge->way_count++] = left;
        for (int column = from + 1; column < to; column++) {
            edge->way[edge->way_count++] =
                add_node(layout, &(struct graph_node){.kind = GRAPH_BEND,
                                                      .name = "",
                                                      .band = layout->nodes[left].band,
                                                      .column = column,
                                                      .height = BEND_HEIGHT});
        }
        edge->way[edge->way_count++] = right;
    }
}

void graph_layout_make(const struct mr_topology *topology, struct graph_layout *layout)
{
    struct building b = {
        .topology = topology,
        .layout = layout,
        .node_of_topic = mr_xcalloc(topology->topic_count, sizeof(size_t)),
    };

    *layout = (struct graph_layout){0};
    add_nodes(&b);
    add_edges(&b);
    find_backward(layout);
    find_columns(layout);
    find_bands(&b);
    add_bends(layout);
    graph_place(layout);
    free(b.node_of_topic);
}

void graph_layout_fini(struct graph_layout *layout)
{
    for (size_t e = 0; e < layout->edge_count; e++) {
        free(layout->edges[e].way);
    }
    free(layout->nodes);
    free(layout->edges);
    free(layout->bands);
    *layout = (struct graph_layout){0};
}
