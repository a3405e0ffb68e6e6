/*
 * registry.h -- every connector type that topology.yaml may name.
 */
#ifndef MILLRACE_CONNECTORS_REGISTRY_H
#define MILLRACE_CONNECTORS_REGISTRY_H

#include "millrace/connector.h"

extern const struct mr_sink_type *const mr_sinks[];
extern const size_t mr_sink_count;

#endif
