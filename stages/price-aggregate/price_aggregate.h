/*
 * price_aggregate.h -- the stage that turns trades into candles and tickers.
 */
#ifndef MILLRACE_STAGES_PRICE_AGGREGATE_H
#define MILLRACE_STAGES_PRICE_AGGREGATE_H

#include "millrace/stage.h"

extern const struct mr_stage price_aggregate_stage;

#endif
