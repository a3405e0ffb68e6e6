/*
 * replay_report.h -- what `replay --verify` says: differences as decoded records, and a summary.
 *
 * Text goes to a file as it comes; JSON is one document at the end.
 */
#ifndef MILLRACE_REPLAY_REPORT_H
#define MILLRACE_REPLAY_REPORT_H

#include "replay_verify.h"

struct replay_report;

/* env is borrowed. out: where differences are told as they are found; NULL: only in the document.
 * shown_max: so many are told, the others counted. */
struct replay_report *replay_report_create(const struct load_env *env, FILE *out,
                                           int64_t shown_max);
void replay_report_destroy(struct replay_report **report);
/* As of replay_verify_options.differs. */
void replay_report_differs(void *report, const struct replay_difference *difference);
void replay_report_summary(const struct replay_report *report,
                           const struct replay_verify_result *result, FILE *out);
/* Appends the document, with its newline. */
void replay_report_json(const struct replay_report *report,
                        const struct replay_verify_result *result, struct mr_buffer *out);
/* Something was replayed, and nothing of the range differs. */
bool replay_verify_equal(const struct replay_verify_result *result);

#endif
