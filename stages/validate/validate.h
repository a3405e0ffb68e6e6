/*
 * validate.h -- the stage that checks a command on its own and against its instrument.
 */
#ifndef MILLRACE_STAGES_VALIDATE_H
#define MILLRACE_STAGES_VALIDATE_H

#include "millrace/stage.h"

extern const struct mr_stage validate_stage;

#endif
