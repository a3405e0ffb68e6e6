/*
 * describe.h -- a topology in words and as JSON: what runs where, reads what, and is kept how.
 */
#ifndef MILLRACE_TOOLS_DESCRIBE_H
#define MILLRACE_TOOLS_DESCRIBE_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

void topology_describe_text(const struct mr_topology *topology, struct mr_buffer *out);
void topology_describe_json(const struct mr_topology *topology, struct mr_buffer *out);

#endif
