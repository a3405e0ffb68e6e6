/*
 * tour.h -- plays a file of commands, one order type after the other, and compares what comes.
 *
 * Why: recorded trades are LIMIT and MARKET orders. What else the order domain knows has to be seen
 * on the same servers, with outcomes that were written down before.
 * How: lines of JSON, those that begin with # are comments. Before the first step they prepare.
 *
 *   {"step": NAME, "sent": TEXT, "of": [ORDER..]}  a line of the table; it shows the reports of
 *                                       these orders, or all that was compared where none is named
 *   {"send": TOPIC, "value": {..}}      orders, accounts, prices or instruments. Left out: eventId
 *                                       (counted), orderId (the eventId), ts (a millisecond a send)
 *       "expireIn": SECONDS             sets expireTs
 *   {"pass": SECONDS}                   moves the ts of what follows
 *   {"probe": [USER..], "symbols": [..]}  waits until an order of each gets through: tables reach
 *                                       the stages beside the stream of orders
 *   {"expect": TOPIC, "records": [..]}  waits; of each key the next ones, in this order. Fields
 * that are not named are not looked at, null means absent
 *   {"last": TOPIC, "records": [..]}    waits until the last record of a key is this one
 *
 * Users, symbols and ids get the run's prefix, so that tours do not meet; it is taken off again
 * before anything is compared. At the end the pipeline is drained, and a report that nobody
 * expected is a difference. Thread: one.
 */
#ifndef MILLRACE_TOUR_H
#define MILLRACE_TOUR_H

#include "load_feed.h"
#include "millrace/buffer.h"

#define TOUR_RUN_BYTES_MAX ((size_t)24)

struct tour_options {
    const char *file;
    const char *run; /* NULL: made from the clock */
    int64_t wait_us; /* for one expectation, before giving up */
};

struct tour_report;

/* MR_OK also when outcomes differ; they are in the report, which the caller destroys. */
MR_NODISCARD enum mr_status tour_run(const struct load_env *env, const struct tour_options *options,
                                     struct tour_report **report, struct mr_err *err);

/* tour_report.c */
bool tour_report_equal(const struct tour_report *report);
/* One line a step, differences below it. */
void tour_report_table(const struct tour_report *report, struct mr_buffer *out);
void tour_report_json(const struct tour_report *report, struct mr_buffer *out);
void tour_report_destroy(struct tour_report **report);

#endif
