/*
 * template.h -- the example stage that a new one is copied from. Not in the catalog.
 */
#ifndef MILLRACE_STAGES_TEMPLATE_H
#define MILLRACE_STAGES_TEMPLATE_H

#include "millrace/stage.h"

extern const struct mr_stage template_stage;

#endif
