/*
 * settle.h -- the stage that writes the ledger, positions and balances.
 */
#ifndef MILLRACE_STAGES_SETTLE_H
#define MILLRACE_STAGES_SETTLE_H

#include "millrace/stage.h"

extern const struct mr_stage settle_stage;

#endif
