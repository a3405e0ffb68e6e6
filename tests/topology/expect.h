/*
 * expect.h -- records that came out against records that were expected. Failures name file and line
 * of the scenario (expect_place).
 */
#ifndef MILLRACE_TESTS_EXPECT_H
#define MILLRACE_TESTS_EXPECT_H

#include "world.h"

#include <jansson.h>

struct expectations; /* how much of each topic has been expected */

struct expectations *expectations_create(void);
void expectations_destroy(struct expectations **expectations);
void expect_place(const char *path, int line);
void expect_records(struct expectations *expectations, struct mr_world *world, const char *topic,
                    json_t *records);
void expect_anything(struct expectations *expectations, struct mr_world *world, const char *topic);
void expect_last(struct mr_world *world, const char *topic, json_t *records);
/* Nothing unexpected in dead letters, nor in topics that were expected before. */
void expect_nothing_left(struct expectations *expectations, struct mr_world *world);

#endif
