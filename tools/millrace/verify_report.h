/*
 * verify_report.h -- the list of checks: what was expected, what was found, where they differ.
 */
#ifndef MILLRACE_VERIFY_REPORT_H
#define MILLRACE_VERIFY_REPORT_H

#include "load_manifest.h"

#include <stdio.h>

#define VERIFY_DIFFERENCES_SHOWN 10

struct verify_check;
struct verify_report;

struct verify_report *verify_report_create(void);
void verify_report_destroy(struct verify_report **report);

/* A new check; borrowed from the report. Unequal until it is closed. */
struct verify_check *verify_check_open(struct verify_report *report, const char *name);
/* One difference, with key and offset in its text. The first ones are kept, all are counted. */
void verify_differ(struct verify_check *check, const char *fmt, ...) MR_PRINTF(2, 3);
/* Equal when the numbers are and no difference was noted. */
void verify_check_close(struct verify_check *check, int64_t expected, int64_t actual);
void verify_check_close_text(struct verify_check *check, const char *expected, const char *actual);

size_t verify_report_count(const struct verify_report *report);
/* index < count. */
const struct verify_check *verify_report_at(const struct verify_report *report, size_t index);
bool verify_report_equal(const struct verify_report *report);
/* NULL when there is none of that name; for tests and summaries. */
const struct verify_check *verify_report_find(const struct verify_report *report, const char *name);
const char *verify_check_name(const struct verify_check *check);
bool verify_check_equal(const struct verify_check *check);
int64_t verify_check_differences(const struct verify_check *check);
/* The text of a kept difference; NULL beyond. */
const char *verify_check_difference(const struct verify_check *check, size_t index);

/* The table for people, differences below it. */
void verify_report_print(const struct verify_report *report, const struct load_manifest *manifest,
                         FILE *out);
/* report.json: checks, counts in and out, orders/s, latency, seconds. */
MR_NODISCARD enum mr_status verify_report_write(const struct verify_report *report,
                                                const struct load_manifest *manifest,
                                                int64_t verify_us, const char *path,
                                                struct mr_err *err);
/* A count to appear in the report, for example "trades". */
void verify_report_note(struct verify_report *report, const char *name, int64_t value);

#endif
