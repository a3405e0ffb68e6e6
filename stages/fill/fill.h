/*
 * fill.h -- the matching stage: approved orders in, executions, trades and books out.
 */
#ifndef MILLRACE_STAGES_FILL_H
#define MILLRACE_STAGES_FILL_H

#include "millrace/stage.h"

extern const struct mr_stage fill_stage;

#endif
