/* graph_svg.c -- see graph_svg.h. Where things stand: graph_layout.h. */
#include "graph_svg.h"

#include "graph_layout.h"
#include "millrace/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKWARD_ASIDE 8 /* pixels below the middle of a node */

static const char style[] =
    "<style>\n"
    ".g text{font:13px system-ui,'DejaVu Sans',sans-serif;fill:#1f2933}\n"
    ".g .band{fill:#f6f8fa;stroke:#d9e0e7}\n"
    ".g .band.group{fill:#eef4fb;stroke:#b9cde4}\n"
    ".g .title{font-weight:600;font-size:13px;fill:#52606d;letter-spacing:.02em}\n"
    ".g .stage rect{fill:#2f6fb3;stroke:#24578d}\n"
    ".g .stage text{fill:#fff;font-weight:600}\n"
    ".g .topic rect{fill:#fff;stroke:#9fb3c8}\n"
    ".g .topic .figure{fill:#52606d;font-size:11.5px}\n"
    ".g .topic.busy rect{stroke:#2f6fb3;stroke-width:1.6}\n"
    ".g .topic.behind rect{stroke:#c77700;stroke-width:1.8;fill:#fff8ec}\n"
    ".g .topic.behind .figure{fill:#9a5b00}\n"
    ".g .connector rect{fill:#e7f4ee;stroke:#7db8a0}\n"
    ".g .edge{fill:none;stroke:#829ab1;stroke-width:1.3;marker-end:url(#arrow)}\n"
    ".g .edge.memory{stroke-width:2.6;stroke:#627d98}\n"
    ".g .edge.table{stroke-dasharray:2 4}\n"
    ".g .edge.back{stroke:#b08bbf}\n"
    "#arrow path{fill:#829ab1}\n"
    "</style>\n"
    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
    "markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
    "<path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n";

/* ---- texts ----------------------------------------------------------------------------------- */

static void escaped(struct mr_buffer *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            mr_buffer_printf(out, "&amp;");
            break;
        case '<':
            mr_buffer_printf(out, "&lt;");
            break;
        case '>':
            mr_buffer_printf(out, "&gt;");
            break;
        case '"':
            mr_buffer_printf(out, "&quot;");
            break;
        default:
            mr_buffer_append(out, c, 1);
        }
    }
}

/* Three digits at most: 999, 1.2k, 34k, 5.6M. */
static void short_text(int64_t value, char *text, size_t bytes)
{
    static const struct {
        int64_t one;
        const char *unit;
    } units[] = {{1000000000, "G"}, {1000000, "M"}, {1000, "k"}};

    for (size_t i = 0; i < MR_COUNT(units); i++) {
        const int64_t tenths = value / (units[i].one / 10);

        if (tenths >= 100) {
            (void)snprintf(text, bytes, "%" PRId64 "%s", tenths / 10, units[i].unit);
            return;
        }
        if (tenths >= 10) {
            (void)snprintf(text, bytes, "%" PRId64 ".%" PRId64 "%s", tenths / 10, tenths % 10,
                           units[i].unit);
            return;
        }
    }
    (void)snprintf(text, bytes, "%" PRId64, value);
}

void graph_count_text(int64_t count, char *text, size_t bytes)
{
    if (count < 0) {
        (void)snprintf(text, bytes, "-");
        return;
    }
    short_text(count, text, bytes);
}

void graph_rate_text(int64_t rate_milli, char *text, size_t bytes)
{
    char number[24];

    if (rate_milli < 0) {
        (void)snprintf(text, bytes, "-");
    } else if (rate_milli > 0 && rate_milli < 10000) {
        /* Rounded, and never to nothing. */
        const int64_t tenths = rate_milli < 100 ? 1 : (rate_milli + 50) / 100;

        (void)snprintf(text, bytes, "%" PRId64 ".%" PRId64 "/s", tenths / 10, tenths % 10);
    } else {
        short_text((rate_milli + 500) / 1000, number, sizeof(number));
        (void)snprintf(text, bytes, "%s/s", number);
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static void write_box(struct mr_buffer *out, const struct graph_node *node, int radius)
{
    mr_buffer_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>", node->x,
                     node->y, node->width, node->height, radius);
}

static void write_label(struct mr_buffer *out, const struct graph_node *node, int below)
{
    mr_buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                     node->x + node->width / 2, node->y + below);
    escaped(out, node->name);
    mr_buffer_printf(out, "</text>");
}

static void write_topic(struct mr_buffer *out, const struct graph_node *node,
                        const struct graph_figures *figures)
{
    const int64_t rate = figures == NULL ? GRAPH_UNKNOWN : figures->rate_milli[node->index];
    const int64_t lag = figures == NULL ? GRAPH_UNKNOWN : figures->lag[node->index];
    char rate_text[32];
    char lag_text[32];

    mr_buffer_printf(out, "<g class=\"topic%s\" data-topic=\"",
                     lag > 0 ? " behind" : (rate > 0 ? " busy" : ""));
    escaped(out, node->name);
    mr_buffer_printf(out, "\">");
    write_box(out, node, node->height / 2);
    if (figures == NULL) {
        write_label(out, node, node->height / 2 + 4);
        mr_buffer_printf(out, "</g>\n");
        return;
    }
    write_label(out, node, 17);
    graph_rate_text(rate, rate_text, sizeof(rate_text));
    graph_count_text(lag, lag_text, sizeof(lag_text));
    mr_buffer_printf(out, "<text class=\"figure\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                     node->x + node->width / 2, node->y + 32);
    if (rate >= 0 || lag >= 0) {
        mr_buffer_printf(out, "%s%s%s", rate >= 0 ? rate_text : "",
                         rate >= 0 && lag >= 0 ? " \xc2\xb7 lag " : (lag >= 0 ? "lag " : ""),
                         lag >= 0 ? lag_text : "");
    }
    mr_buffer_printf(out, "</text></g>\n");
}

static void write_nodes(struct mr_buffer *out, const struct graph_layout *layout,
                        const struct graph_figures *figures)
{
    for (size_t n = 0; n < layout->node_count; n++) {
        const struct graph_node *node = &layout->nodes[n];

        if (node->kind == GRAPH_TOPIC) {
            write_topic(out, node, figures);
        } else if (node->kind != GRAPH_BEND) {
            const bool stage = node->kind == GRAPH_STAGE;

            mr_buffer_printf(out, stage ? "<g class=\"stage\" data-stage=\""
                                        : "<g class=\"connector\" data-connector=\"");
            escaped(out, node->name);
            mr_buffer_printf(out, "\">");
            write_box(out, node, stage ? 9 : 3);
            write_label(out, node, node->height / 2 + 4);
            mr_buffer_printf(out, "</g>\n");
        }
    }
}

/* ---- edges ----------------------------------------------------------------------------------- */

struct point {
    int x, y;
};

static void curve_to(struct mr_buffer *out, struct point from, struct point to)
{
    const int half = (to.x - from.x) / 2;

    mr_buffer_printf(out, " C%d %d %d %d %d %d", from.x + half, from.y, to.x - half, to.y, to.x,
                     to.y);
}

/* From a node's right edge to the next one's left edge, or back; across bends straight. */
static void write_edge(struct mr_buffer *out, const struct graph_layout *layout,
                       const struct graph_edge *edge)
{
    static const char *const classes[] = {
        [GRAPH_WRITTEN] = "", [GRAPH_MEMORY] = " memory", [GRAPH_TABLE] = " table"};
    struct point at = {0};

    mr_buffer_printf(out, "<path class=\"edge%s%s\" data-from=\"", classes[edge->kind],
                     edge->backward ? " back" : "");
    escaped(out, layout->nodes[edge->from].name);
    mr_buffer_printf(out, "\" data-to=\"");
    escaped(out, layout->nodes[edge->to].name);
    mr_buffer_printf(out, "\" d=\"");
    for (size_t i = 0; i < edge->way_count; i++) {
        const size_t step = edge->backward ? edge->way_count - 1 - i : i;
        const struct graph_node *node = &layout->nodes[edge->way[step]];
        /* Beside the edge that runs the other way between the same two. */
        const int aside = edge->backward && node->kind != GRAPH_BEND ? BACKWARD_ASIDE : 0;
        const int y = node->y + node->height / 2 + aside;
        const int left = node->x;
        const int right = node->x + node->width;
        const struct point enter = {edge->backward ? right : left, y};
        const struct point leave = {edge->backward ? left : right, y};

        if (i == 0) {
            mr_buffer_printf(out, "M%d %d", leave.x, leave.y);
        } else {
            curve_to(out, at, enter);
            if (node->kind == GRAPH_BEND) {
                mr_buffer_printf(out, " L%d %d", leave.x, leave.y);
            }
        }
        at = leave;
    }
    mr_buffer_printf(out, "\"><title>%s</title></path>\n", edge->port);
}

static void write_bands(struct mr_buffer *out, const struct graph_layout *layout)
{
    for (size_t b = 0; b < layout->band_count; b++) {
        const struct graph_band *band = &layout->bands[b];

        if (band->height == 0) {
            continue;
        }
        mr_buffer_printf(out,
                         "<rect class=\"band%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                         "rx=\"10\"/><text class=\"title\" x=\"%d\" y=\"%d\">%s",
                         band->is_group ? " group" : "", band->x, band->y, band->width,
                         band->height, band->x + 14, band->y + 19, band->is_group ? "group " : "");
        escaped(out, band->title);
        mr_buffer_printf(out, "</text>\n");
    }
}

void graph_svg_write(const struct mr_topology *topology, const struct graph_figures *figures,
                     struct mr_buffer *out)
{
    struct graph_layout layout;

    graph_layout_make(topology, &layout);
    mr_buffer_printf(out,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"g\" viewBox=\"0 0 %d %d\" "
                     "width=\"%d\" height=\"%d\" role=\"img\">\n<title>",
                     layout.width, layout.height, layout.width, layout.height);
    escaped(out, topology->application);
    mr_buffer_printf(out, "</title>\n%s", style);
    write_bands(out, &layout);
    for (size_t e = 0; e < layout.edge_count; e++) {
        write_edge(out, &layout, &layout.edges[e]);
    }
    write_nodes(out, &layout, figures);
    mr_buffer_printf(out, "</svg>\n");
    graph_layout_fini(&layout);
}

void graph_figures_init(const struct mr_topology *topology, struct graph_figures *figures)
{
    figures->rate_milli = mr_xcalloc(topology->topic_count, sizeof(int64_t));
    figures->lag = mr_xcalloc(topology->topic_count, sizeof(int64_t));
    for (size_t t = 0; t < topology->topic_count; t++) {
        figures->rate_milli[t] = figures->lag[t] = GRAPH_UNKNOWN;
    }
}

void graph_figures_fini(struct graph_figures *figures)
{
    free(figures->rate_milli);
    free(figures->lag);
    *figures = (struct graph_figures){0};
}
