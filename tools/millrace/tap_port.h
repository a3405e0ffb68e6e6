/* tap_port.h -- what `millrace tap` is pointed at: a topic by its name, or by a port bound to it.
 */
#ifndef MILLRACE_TOOLS_TAP_PORT_H
#define MILLRACE_TOOLS_TAP_PORT_H

#include "millrace/topology.h"

/*
 * name: a topic, or "<stage>.<port>"; or stage and port, not empty, instead of it. A topic of the
 * name goes before a port. MR_CONFIG: no such thing, with the nearest one.
 */
MR_NODISCARD enum mr_status tap_port_find(const struct mr_topology *topology, const char *name,
                                          const char *stage, const char *port, size_t *topic,
                                          struct mr_err *err);

#endif
