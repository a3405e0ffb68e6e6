/*
 * order_report.h -- the rejection of a command as an ExecutionReport, for validate, risk and fill.
 *
 * Why: these stages refuse commands, and a reader must not have to know which one did.
 */
#ifndef MILLRACE_STAGES_ORDER_REPORT_H
#define MILLRACE_STAGES_ORDER_REPORT_H

#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "millrace/arena.h"

/*
 * A NEW becomes REJECTED, version 1, nothing filled, all of its quantity cancelled. Any other
 * action becomes CANCEL_REJECTED about the command itself; the text names its target.
 * exec_prefix  "V-", "R-" or "F-": execId is the prefix and the command's eventId
 * text         borrowed; arena receives what is put together
 */
void order_report_reject(struct oms_execution_report *report, struct mr_arena *arena,
                         const struct oms_order_command *command, const char *exec_prefix,
                         int32_t code, struct mr_slice text);

/* a and b, one after the other, in the arena. */
struct mr_slice order_report_join(struct mr_arena *arena, struct mr_slice a, struct mr_slice b);

#endif
