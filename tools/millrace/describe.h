/*
 * describe.h -- a topology in words and as JSON: what runs where, reads what, and is kept how.
 */
#ifndef MILLRACE_TOOLS_DESCRIBE_H
#define MILLRACE_TOOLS_DESCRIBE_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

struct json_t; /* jansson */

void topology_describe_text(const struct mr_topology *topology, struct mr_buffer *out);
void topology_describe_json(const struct mr_topology *topology, struct mr_buffer *out);

/* {"file", "line", "column"} where a part stands; null when it is derived. The caller owns it. */
struct json_t *topology_position_json(const struct mr_topology *topology,
                                      const struct mr_position *position);
/* describe_stages.c: the list under "stages" of the JSON. The caller owns it. */
struct json_t *topology_describe_stages(const struct mr_topology *topology);

#endif
