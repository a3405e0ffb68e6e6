/*
 * graph.h -- the declared graph as a drawing: Mermaid (README, pull requests) or DOT.
 *
 * Stages are boxes in their group's frame, topics are cylinders, connectors hexagons. A thick arrow
 * is handed over in memory, a dotted one is read as a table.
 */
#ifndef MILLRACE_TOOLS_GRAPH_H
#define MILLRACE_TOOLS_GRAPH_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

enum graph_format { GRAPH_MERMAID, GRAPH_DOT };

/* derived: changelog and dead-letter topics as well. */
void topology_graph_write(const struct mr_topology *topology, enum graph_format format,
                          bool derived, struct mr_buffer *out);

#endif
