/*
 * risk_notice.h -- risk events: what is said of a user beside the reports of his orders.
 *
 * How: an event's id is a prefix and the id of what caused it, so a replay gives the same:
 *      "R-" a refused command and the answer to an account command, "B-" a daily loss reached,
 *      "M-" a margin call, "L-" a user halted by the loop guard. Events wait here until the row
 *      that they speak of is written.
 */
#ifndef MILLRACE_STAGES_RISK_NOTICE_H
#define MILLRACE_STAGES_RISK_NOTICE_H

#include "risk_facts.h"
#include "risk_state.h"

/* What an event is about. Absent texts are empty. */
struct risk_cause {
    struct mr_slice id; /* eventId of a command, execId of a report */
    int64_t ts_us;
    struct mr_slice trace_id;
    struct mr_slice user_id;
    struct mr_slice order_id;
    struct mr_slice command_id;
    struct mr_slice symbol;
};

struct risk_cause risk_cause_of_order(const struct oms_order_command *order);
struct risk_cause risk_cause_of_report(const struct oms_execution_report *report);
struct risk_cause risk_cause_of_account(const struct oms_account_command *command);

struct oms_risk_event risk_event_of(struct mr_arena *arena, const struct risk_cause *cause,
                                    const char *prefix, enum oms_risk_event_type type,
                                    const char *check);
/* Code, its sentence, and the numbers of a check that failed. */
void risk_event_result(struct oms_risk_event *event, const struct risk_result *result);

#define RISK_NOTICES_MAX 3
struct risk_notices {
    struct oms_risk_event items[RISK_NOTICES_MAX];
    size_t count;
};

/* Where it stands until it is emitted. */
struct oms_risk_event *risk_notice_add(struct risk_notices *notices, struct oms_risk_event event);
MR_NODISCARD enum mr_status
risk_notices_emit(struct mr_ctx *ctx, const struct risk_notices *notices, struct mr_err *err);

/* The day's loss in the asset is at its limit: latched until the day is over, and said once. */
void risk_watch_loss(struct risk_account *account, const struct oms_risk_account *all,
                     struct mr_slice asset, const struct risk_cause *cause,
                     struct risk_notices *notices);
/*
 * Equity below maintenance margin: the user may only reduce, and is told once. Says nothing
 * without the marks of all that he has.
 */
void risk_watch_margin(const struct risk_view *view, struct risk_account *account,
                       const struct risk_cause *cause, struct risk_notices *notices);

/* The view of this stage: its tables, the rows as given. */
struct risk_place {
    struct risk *risk;
    struct mr_ctx *ctx;
    struct instr instr; /* its texts are the table's */
};
/* False: the symbol is unknown or cannot be traded. */
bool risk_view_open(struct risk_view *view, struct risk_place *place,
                    const struct risk_account *account, const struct oms_risk_account *all,
                    struct mr_slice symbol, int64_t now_us);

#endif
