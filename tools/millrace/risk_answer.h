/* risk_answer.h -- what `millrace risk check` prints: a table, or one JSON document. */
#ifndef MILLRACE_TOOLS_RISK_ANSWER_H
#define MILLRACE_TOOLS_RISK_ANSWER_H

#include "millrace/buffer.h"
#include "risk/risk_dry.h"

void risk_answer_table(const struct risk_dry_result *result, struct mr_buffer *out);
/* {"allowed", "asOf", "invalid": [{code, text}], "checks": [{name, passed, limit, ..., code}]} */
void risk_answer_json(const struct risk_dry_result *result, int64_t as_of_us,
                      struct mr_buffer *out);

#endif
