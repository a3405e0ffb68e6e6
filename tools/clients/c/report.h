/*
 * report.h -- what an execution report says: one line of text, and whether it is the order's last.
 */
#ifndef CLIENTS_REPORT_H
#define CLIENTS_REPORT_H

#include "avro/execution_report.h"
#include "millrace/buffer.h"

/* Appends the report's time in UTC and those of its fields that a client wants and that have a
 * value. */
void report_line(const struct oms_execution_report *report, struct mr_buffer *out);

/* An order that traded is over when its fills are settled, also one that was cancelled after them.
 */
bool report_is_final(const struct oms_execution_report *report);

#endif
