/*
 * risk_commands.h -- the commands about orders, each in a file of its own, and what they share.
 */
#ifndef MILLRACE_STAGES_RISK_COMMANDS_H
#define MILLRACE_STAGES_RISK_COMMANDS_H

#include "risk_notice.h"

/* One command under examination. */
struct risk_case {
    const struct oms_order_command *order;
    int64_t now_us;
    struct risk_account account;
    struct oms_risk_account all;
    struct risk_place place;
    struct risk_view view;
    struct risk_terms terms;
    struct risk_facts facts;
    struct risk_notices notices;
};

/* Rows, day, instrument and watches. *known: the symbol can be traded. */
MR_NODISCARD enum mr_status risk_case_open(struct risk *risk, struct mr_ctx *ctx,
                                           struct risk_case *c, struct mr_slice symbol, bool *known,
                                           struct mr_err *err);
/*
 * Runs the checks on c->facts and takes what they cost: tokens, and a place in the loop guard.
 * Returns the check that failed, RISK_CHECK_COUNT for none.
 */
enum risk_check_id risk_case_judge(struct risk_case *c, struct risk_result *failed);
/* Adds what the command is worth to the sum of the minute, where one is kept. */
void risk_case_count(struct risk_case *c);
/* Writes the row when it changed, then the events, the report and the reason with its numbers. */
MR_NODISCARD enum mr_status risk_case_refuse(struct risk *risk, struct mr_ctx *ctx,
                                             const struct risk_case *c, enum risk_check_id id,
                                             const struct risk_result *failed, struct mr_err *err);
/* REJECTED or CANCEL_REJECTED, nothing else. */
MR_NODISCARD enum mr_status risk_reject(struct risk *risk, struct mr_ctx *ctx,
                                        const struct oms_order_command *order, enum dom_code code,
                                        struct mr_err *err);

MR_NODISCARD enum mr_status risk_new(struct risk *risk, struct mr_ctx *ctx,
                                     const struct oms_order_command *order, int64_t now_us,
                                     struct mr_err *err);
MR_NODISCARD enum mr_status risk_amend(struct risk *risk, struct mr_ctx *ctx,
                                       const struct oms_order_command *order, int64_t now_us,
                                       struct mr_err *err);
MR_NODISCARD enum mr_status risk_cancel_all(struct risk *risk, struct mr_ctx *ctx,
                                            const struct oms_order_command *order,
                                            struct mr_err *err);

/*
 * One CANCEL_ALL with cancelReason RISK for each symbol in which the user has open orders; symbol
 * empty: all of them. id: of each command.
 */
MR_NODISCARD enum mr_status risk_cancel_orders(struct mr_ctx *ctx,
                                               const struct oms_account_command *cause,
                                               struct mr_slice user_id, struct mr_slice id,
                                               const struct oms_risk_account *row,
                                               struct mr_err *err);

#endif
