/* dlq_show.h -- one letter for a person, or as JSON. */
#ifndef MILLRACE_DLQ_SHOW_H
#define MILLRACE_DLQ_SHOW_H

#include "dlq_letter.h"

/*
 * The value is decoded as its source topic's schema when it can be; else it is shown as hex with
 * the place where its decoding fails. Both append to out. Returns MR_OK | MR_UNAVAILABLE (the
 * registry is away)
 */
MR_NODISCARD enum mr_status dlq_show_text(const struct load_env *env,
                                          const struct dlq_letter *letter, struct mr_buffer *out,
                                          struct mr_err *err);
MR_NODISCARD enum mr_status dlq_show_json(const struct load_env *env,
                                          const struct dlq_letter *letter, struct mr_buffer *out,
                                          struct mr_err *err);

#endif
