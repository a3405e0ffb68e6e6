/*
 * tour_report.h -- the steps of a tour as they are played. What is done with them: tour.h.
 */
#ifndef MILLRACE_TOUR_REPORT_H
#define MILLRACE_TOUR_REPORT_H

#include "tour.h"

#include <jansson.h>

struct tour_report *tour_report_create(const char *run);
/* A new step, which what follows belongs to. step: the line of the file, borrowed for the call. */
void tour_report_step(struct tour_report *report, const json_t *step);
/* One thing that is not as expected; want or got may be NULL. */
void tour_report_differ(struct tour_report *report, const char *what, const json_t *want,
                        const json_t *got);
/* A record that the step's line shows, if it is of its orders. */
void tour_report_show(struct tour_report *report, const char *topic, const json_t *record);

#endif
