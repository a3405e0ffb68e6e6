/*
 * tour_inbox.h -- what came of a tour: the records of its users, as JSON without the run's prefix.
 */
#ifndef MILLRACE_TOUR_INBOX_H
#define MILLRACE_TOUR_INBOX_H

#include "load_feed.h"

#include <jansson.h>

struct tour_inbox;

/* From the present ends of the topics on. prefix: borrowed. */
MR_NODISCARD enum mr_status tour_inbox_open(const struct load_env *env, const char *prefix,
                                            struct tour_inbox **inbox, struct mr_err *err);
/* Takes what has come, waiting a moment when it is nothing. */
MR_NODISCARD enum mr_status tour_inbox_step(struct tour_inbox *inbox, struct mr_err *err);
/* Takes everything that is committed by now. */
MR_NODISCARD enum mr_status tour_inbox_catch_up(struct tour_inbox *inbox, int64_t wait_us,
                                                struct mr_err *err);
void tour_inbox_close(struct tour_inbox **inbox);

/* A topic whose records are kept. */
bool tour_inbox_has(const char *topic);
/* The first one of want's key that was not taken yet; NULL: none. Borrowed, as all below. */
json_t *tour_inbox_next(struct tour_inbox *inbox, const char *topic, const json_t *want);
/* The last one of want's key; NULL: none. */
json_t *tour_inbox_last(struct tour_inbox *inbox, const char *topic, const json_t *want);
/* It has been looked at. */
void tour_inbox_take(struct tour_inbox *inbox, const json_t *record);
/* One that nobody took, *topic its topic; NULL: none. Only of topics whose every record counts. */
json_t *tour_inbox_left(struct tour_inbox *inbox, const char **topic);

/* Is everything that want says true of got? */
bool tour_matches(const json_t *want, const json_t *got);

#endif
