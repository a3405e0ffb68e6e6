/*
 * dedupe.h -- the stage that lets each request of a user pass once.
 */
#ifndef MILLRACE_STAGES_DEDUPE_H
#define MILLRACE_STAGES_DEDUPE_H

#include "millrace/stage.h"

extern const struct mr_stage dedupe_stage;

#endif
