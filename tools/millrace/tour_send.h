/*
 * tour_send.h -- the commands of a tour: completed, with the run's prefix, sent.
 */
#ifndef MILLRACE_TOUR_SEND_H
#define MILLRACE_TOUR_SEND_H

#include "load_out.h"
#include "millrace/arena.h"
#include "tour.h"

#include <jansson.h>

struct tour_sender {
    const struct load_env *env;
    const char *prefix; /* borrowed */
    struct load_out out;
    struct mr_arena *arena;
    int64_t ts_us; /* of the next command */
    int64_t sends; /* so far: they name the events */
};

/* Commands are dated after what stands on `orders`: the pipeline goes by event time. */
MR_NODISCARD enum mr_status tour_sender_open(const struct load_env *env, const char *prefix,
                                             int64_t wait_us, struct tour_sender *sender,
                                             struct mr_err *err);
/* A "send" line of the file. */
MR_NODISCARD enum mr_status tour_send(struct tour_sender *sender, const json_t *line,
                                      struct mr_err *err);
/* An order that finds nobody: what it needs is both tables and money. Its id without the prefix. */
MR_NODISCARD enum mr_status tour_send_probe(struct tour_sender *sender, const char *user,
                                            const char *symbol, char *order_id, size_t bytes,
                                            struct mr_err *err);
void tour_sender_close(struct tour_sender *sender);

#endif
