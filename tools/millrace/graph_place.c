/*
 * graph_place.c -- see graph_place.h.
 *
 * How: within a column and band nodes stand one below the other. Their order comes from sweeps to
 *      the right and to the left: each by the mean of its neighbours' places in the column before.
 *      Then each is moved as near to that mean as its neighbours above and below and its band
 *      allow.
 */
#include "graph_place.h"

#include "millrace/arena.h"

#include <limits.h>
#include <stdlib.h>

#define SWEEPS 12
#define MARGIN 16
#define COLUMN_GAP 38
#define NODE_GAP 12
#define BAND_GAP 14
#define BAND_PADDING 14

/* The nodes of one column and band, in their order. */
struct cell {
    size_t *nodes;
    size_t count;
};

struct placing {
    struct graph_layout *layout;
    struct cell *cells; /* [column x bands + band] */
    size_t *storage;
};

static struct cell *cell_of(const struct placing *p, int column, size_t band)
{
    return &p->cells[(size_t)column * p->layout->band_count + band];
}

static void fill_cells(struct placing *p)
{
    const struct graph_layout *layout = p->layout;
    size_t used = 0;

    for (int column = 0; column < layout->columns; column++) {
        for (size_t band = 0; band < layout->band_count; band++) {
            struct cell *cell = cell_of(p, column, band);

            cell->nodes = p->storage + used;
            for (size_t n = 0; n < layout->node_count; n++) {
                if (layout->nodes[n].column == column && layout->nodes[n].band == (int)band) {
                    layout->nodes[n].order = (int)cell->count;
                    cell->nodes[cell->count++] = n;
                }
            }
            used += cell->count;
        }
    }
}

/* ---- neighbours ------------------------------------------------------------------------------ */

static int middle(const struct graph_node *node)
{
    return node->y + node->height / 2;
}

/* The mean height of a node's neighbours in the next column to one side; INT_MIN: it has none. */
static int neighbours(const struct graph_layout *layout, size_t node, int side)
{
    int64_t sum = 0;
    int count = 0;

    for (size_t e = 0; e < layout->edge_count; e++) {
        const struct graph_edge *edge = &layout->edges[e];

        for (size_t i = 0; i < edge->way_count; i++) {
            if (edge->way[i] == node && (side < 0 ? i > 0 : i + 1 < edge->way_count)) {
                sum += middle(&layout->nodes[edge->way[side < 0 ? i - 1 : i + 1]]);
                count++;
            }
        }
    }
    return count == 0 ? INT_MIN : (int)(sum / count);
}

/* ---- from top to bottom ---------------------------------------------------------------------- */

static int cell_height(const struct graph_layout *layout, const struct cell *cell)
{
    int height = 0;

    for (size_t i = 0; i < cell->count; i++) {
        height += layout->nodes[cell->nodes[i]].height + (i > 0 ? NODE_GAP : 0);
    }
    return height;
}

static void place_bands(struct placing *p)
{
    struct graph_layout *layout = p->layout;
    int y = MARGIN;

    for (size_t band = 0; band < layout->band_count; band++) {
        struct graph_band *at = &layout->bands[band];
        int height = 0;
        bool any = false;

        for (int column = 0; column < layout->columns; column++) {
            const struct cell *cell = cell_of(p, column, band);
            const int wanted = cell_height(layout, cell);

            any = any || cell->count > 0;
            height = wanted > height ? wanted : height;
        }
        at->y = y;
        at->height = any ? GRAPH_BAND_TITLE_HEIGHT + height + 2 * BAND_PADDING : 0;
        y += any ? at->height + BAND_GAP : 0;
    }
    layout->height = y - BAND_GAP + MARGIN;
}

/* As near to where each wants to be as order, gaps and band allow. */
static void settle_cell(struct graph_layout *layout, const struct cell *cell,
                        const struct graph_band *band)
{
    int least = band->y + GRAPH_BAND_TITLE_HEIGHT + BAND_PADDING;
    int below = band->y + band->height - BAND_PADDING;

    for (size_t i = 0; i < cell->count; i++) {
        struct graph_node *node = &layout->nodes[cell->nodes[i]];
        const int wanted = node->weight - node->height / 2;

        node->y = wanted > least ? wanted : least;
        least = node->y + node->height + NODE_GAP;
    }
    for (size_t i = cell->count; i-- > 0;) {
        struct graph_node *node = &layout->nodes[cell->nodes[i]];

        if (node->y + node->height > below) {
            node->y = below - node->height;
        }
        below = node->y - NODE_GAP;
    }
}

/* In the order of the weights; those with the same stay as they are. */
static void sort_cell(struct graph_layout *layout, struct cell *cell)
{
    for (size_t i = 1; i < cell->count; i++) {
        const size_t node = cell->nodes[i];
        size_t at = i;

        while (at > 0 && layout->nodes[cell->nodes[at - 1]].weight > layout->nodes[node].weight) {
            cell->nodes[at] = cell->nodes[at - 1];
            at--;
        }
        cell->nodes[at] = node;
    }
    for (size_t i = 0; i < cell->count; i++) {
        layout->nodes[cell->nodes[i]].order = (int)i;
    }
}

static void place_column(struct placing *p, int column, int side, bool reorder)
{
    for (size_t band = 0; band < p->layout->band_count; band++) {
        struct cell *cell = cell_of(p, column, band);

        for (size_t i = 0; i < cell->count; i++) {
            struct graph_node *node = &p->layout->nodes[cell->nodes[i]];
            const int mean = neighbours(p->layout, cell->nodes[i], side);

            node->weight = mean == INT_MIN ? middle(node) : mean;
        }
        if (reorder) {
            sort_cell(p->layout, cell);
        }
        settle_cell(p->layout, cell, &p->layout->bands[band]);
    }
}

static void place_rows(struct placing *p)
{
    place_bands(p);
    for (int column = 0; column < p->layout->columns; column++) {
        for (size_t band = 0; band < p->layout->band_count; band++) {
            const struct cell *cell = cell_of(p, column, band);

            for (size_t i = 0; i < cell->count; i++) {
                p->layout->nodes[cell->nodes[i]].weight = 0;
            }
            settle_cell(p->layout, cell, &p->layout->bands[band]);
        }
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        const bool right = sweep % 2 == 0;

        for (int i = 1; i < p->layout->columns; i++) {
            place_column(p, right ? i : p->layout->columns - 1 - i, right ? -1 : 1,
                         sweep < SWEEPS - 2);
        }
    }
}

/* ---- from left to right ---------------------------------------------------------------------- */

static void place_columns(struct graph_layout *layout)
{
    int x = MARGIN + BAND_PADDING;

    for (int column = 0; column < layout->columns; column++) {
        int width = 0;

        for (size_t n = 0; n < layout->node_count; n++) {
            if (layout->nodes[n].column == column && layout->nodes[n].width > width) {
                width = layout->nodes[n].width;
            }
        }
        for (size_t n = 0; n < layout->node_count; n++) {
            struct graph_node *node = &layout->nodes[n];

            if (node->column == column) {
                node->width = node->kind == GRAPH_BEND ? width : node->width;
                node->x = x + (width - node->width) / 2;
            }
        }
        x += width + COLUMN_GAP;
    }
    layout->width = x - COLUMN_GAP + BAND_PADDING + MARGIN;
    for (size_t band = 0; band < layout->band_count; band++) {
        layout->bands[band].x = MARGIN;
        layout->bands[band].width = layout->width - 2 * MARGIN;
    }
}

void graph_place(struct graph_layout *layout)
{
    struct placing p = {
        .layout = layout,
        .cells = mr_xcalloc((size_t)layout->columns * layout->band_count, sizeof(*p.cells)),
        .storage = mr_xcalloc(layout->node_count, sizeof(*p.storage)),
    };

    fill_cells(&p);
    place_rows(&p);
    place_columns(layout);
    free(p.cells);
    free(p.storage);
}
