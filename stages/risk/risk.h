/*
 * risk.h -- the stage that holds a user's money and limits against each order.
 */
#ifndef MILLRACE_STAGES_RISK_H
#define MILLRACE_STAGES_RISK_H

#include "millrace/stage.h"

extern const struct mr_stage risk_stage;

#endif
