/*
 * graph_svg.h -- the declared graph as SVG, with figures when there are any.
 *
 * Bands with a title are groups; rounded boxes stages, pills topics, flat boxes connectors. Thick
 * edges are handed over in memory, dotted ones read as tables. A topic has its name and, below it,
 * records a second and how many its readers have not taken yet. Names are also attributes
 * (data-topic, data-stage, data-connector, data-consumer), so that a page can fill in what is new.
 */
#ifndef MILLRACE_TOOLS_GRAPH_SVG_H
#define MILLRACE_TOOLS_GRAPH_SVG_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

#define GRAPH_UNKNOWN INT64_C(-1)

/* By topic of the topology. */
struct graph_figures {
    int64_t *rate_milli; /* records a second, in thousandths; GRAPH_UNKNOWN */
    int64_t *lag;        /* records, of all readers together; GRAPH_UNKNOWN */
};

/* All unknown, so far. */
void graph_figures_init(const struct mr_topology *topology, struct graph_figures *figures);
void graph_figures_fini(struct graph_figures *figures);
/* figures NULL: the declared graph alone. Where they are unknown there is room for them. */
void graph_svg_write(const struct mr_topology *topology, const struct graph_figures *figures,
                     struct mr_buffer *out);
/* "1.2k/s", "38/s", "0.4/s"; "-" when unknown. */
void graph_rate_text(int64_t rate_milli, char *text, size_t bytes);
/* "12", "3.4k", "1.2M"; "-" when unknown. */
void graph_count_text(int64_t count, char *text, size_t bytes);

#endif
