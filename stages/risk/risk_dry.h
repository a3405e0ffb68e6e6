/*
 * risk_dry.h -- what risk would say to an order, without an order: all checks, nothing changed.
 *
 * Why: a user who is refused wants to know why, and how far away the other limits are, before he
 *      tries again.
 * How: the stage's own facts and the stage's own checks, on rows and tables that somebody has read.
 *      No token is taken, nothing is held. A margin call that the order would cause counts: its
 *      switch is what the order would meet.
 * Not: a promise: by the time an order is sent, rows and prices have moved.
 */
#ifndef MILLRACE_STAGES_RISK_DRY_H
#define MILLRACE_STAGES_RISK_DRY_H

#include "millrace/stage.h"
#include "order_map.h"
#include "risk_facts.h"

struct risk_dry {
    const struct risk_settings *settings;
    const struct oms_risk_account *user; /* NULL: risk has never heard of him */
    const struct oms_risk_account *all;  /* NULL: nothing is said of all */
    risk_instrument_of *instrument_of;
    risk_price_of *price_of;
    void *arg;
    const struct oms_order_command *order;
    int64_t now_us;
    bool client_id_taken;
    struct instrument_cache *instruments; /* the caller's; zeroed before */
};

struct risk_dry_result {
    struct code_list invalid; /* what validate would say; when not empty no check was run */
    bool allowed;
    struct risk_result checks[RISK_CHECK_COUNT];
};

/* False: the stage's options cannot be had from this image of a state; it is another stage's. */
bool risk_dry_settings(const struct mr_stage *stage, const void *options,
                       struct risk_settings *settings);

void risk_dry_run(const struct risk_dry *dry, struct risk_dry_result *result);

#endif
