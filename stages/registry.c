/*
 * registry.c -- the catalog of stages, one line each, in the order of the pipeline.
 */
#include "registry.h"

#include "dedupe/dedupe.h"
#include "fill/fill.h"
#include "price-aggregate/price_aggregate.h"
#include "risk/risk.h"
#include "settle/settle.h"
#include "validate/validate.h"

const struct mr_stage *const mr_stages[] = {
    &validate_stage, &dedupe_stage, &risk_stage, &fill_stage, &settle_stage, &price_aggregate_stage,
};
const size_t mr_stage_count = MR_COUNT(mr_stages);
