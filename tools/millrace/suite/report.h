/*
 * report.h -- what `millrace topology test` prints: a line a case as it is done, or one JSON
 * document at the end:
 *   {"files": [{"file", "doc", "cases": [{"name", "doc", "line", "ok", "ms", "plays",
 *     "failure": {"file", "line", "column", "text"}}]}], "ok", "failed", "ms"}
 * Of a case that was not played there are name, doc and line only.
 */
#ifndef MILLRACE_SUITE_REPORT_H
#define MILLRACE_SUITE_REPORT_H

#include "play.h"

#include <jansson.h>
#include <stdio.h>

struct suite_report {
    FILE *out;
    json_t *files; /* NULL: as text */
    json_t *cases; /* of the last file; borrowed */
    int passed;
    int failed;
    int64_t us;
};

void suite_report_begin(struct suite_report *report, FILE *out, bool json);
/* What follows is of this file. */
void suite_report_file(struct suite_report *report, const struct suite *suite);
/* result NULL: it is listed only. */
void suite_report_case(struct suite_report *report, const struct suite_case *played,
                       const struct suite_result *result);
void suite_report_end(struct suite_report *report);

#endif
