/*
 * registry.h -- every stage type that topology.yaml may name.
 */
#ifndef MILLRACE_STAGES_REGISTRY_H
#define MILLRACE_STAGES_REGISTRY_H

#include "millrace/stage.h"

extern const struct mr_stage *const mr_stages[];
extern const size_t mr_stage_count;

#endif
