/*
 * archive_world.h -- a small topology on the log in memory, a directory, and topics compared.
 *
 * Topics: prices (PriceTick, 3 partitions), copy (the same), wide (PriceTick, 2 partitions),
 * orders and unique (OrderCommand), and what stage dedupe derives, as shop.dedupe.dlq.
 * Every function fails the test when something does not work.
 */
#ifndef ARCHIVE_WORLD_H
#define ARCHIVE_WORLD_H

#include "avro/price_tick.h"
#include "memory_env.h"

#define PARTITIONS 3

extern struct memory_env world;
extern char directory[64];

/* Fixture: a directory is made, and removed with what is in it. */
void world_set_up(void);
void world_tear_down(void);

/* directory/name; lives until the fourth call after. */
const char *at(const char *name);

/* count ticks into each partition of a topic, with keys, headers and times of their own; in each,
 * one tombstone, one without a key, and one that is no record. The transactions leave markers. */
void fill(const char *topic, int count);
/* One tick, framed as the topic's. */
void send_tick(const char *topic, int32_t partition, int number);
/* Every committed record as text, by partition: all but its offset. malloc'd. */
char *topic_text(const char *topic);
/* Records in a topic. */
int64_t topic_count(const char *topic);

#endif
