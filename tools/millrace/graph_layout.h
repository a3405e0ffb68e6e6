/*
 * graph_layout.h -- where the parts of a topology stand in a picture, from left to right.
 *
 * Why: a drawing that any browser shows, without another program to compute it.
 * How: layers. What has no writer begins on the left, everything else stands one column behind the
 *      last thing it follows; edges that close a cycle are laid out the other way round. Bands from
 *      top to bottom: what comes from outside, each group, the connectors. A topic is in the band
 *      of its first writer. An edge over several columns gets a bend in each, with a place of its
 *      own, so that it crosses no box. Columns are put in order by the mean of their neighbours.
 * Not: a drawing. graph_svg.h draws it. Derived topics are not in it.
 *
 * Units: pixels. Everything follows from the topology alone: the same every time.
 */
#ifndef MILLRACE_TOOLS_GRAPH_LAYOUT_H
#define MILLRACE_TOOLS_GRAPH_LAYOUT_H

#include "millrace/topology.h"

enum graph_node_kind { GRAPH_TOPIC, GRAPH_STAGE, GRAPH_CONNECTOR, GRAPH_BEND };

struct graph_node {
    enum graph_node_kind kind;
    size_t index; /* of the topology's topics, stages or connectors */
    const char *name;
    int band, column;
    int x, y, width, height;
    int order;  /* within (column, band), from the top */
    int weight; /* where its neighbours are: the layout's own */
};

enum graph_edge_kind { GRAPH_WRITTEN, GRAPH_MEMORY, GRAPH_TABLE };

struct graph_edge {
    size_t from, to; /* nodes */
    enum graph_edge_kind kind;
    const char *port;
    bool backward; /* to stands left of from */
    size_t *way;   /* nodes by column, both ends included: bends between them */
    size_t way_count;
};

struct graph_band {
    const char *title; /* "group account", ... */
    bool is_group;
    int x, y, width, height;
};

struct graph_layout {
    struct graph_node *nodes;
    size_t node_count, node_capacity;
    struct graph_edge *edges;
    size_t edge_count;
    struct graph_band *bands;
    size_t band_count;
    int columns;
    int width, height;
};

#define GRAPH_BAND_TITLE_HEIGHT 26

void graph_layout_make(const struct mr_topology *topology, struct graph_layout *layout);
void graph_layout_fini(struct graph_layout *layout);

#endif
