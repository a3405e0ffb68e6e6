/*
 * memory_env.h -- a topology applied to the log in memory, without workers: what tools read is put
 * into its topics by hand.
 *
 * Every function fails the test when something does not work. One at a time; not from several
 * threads.
 */
#ifndef MEMORY_ENV_H
#define MEMORY_ENV_H

#include "load_feed.h"
#include "millrace/registry.h"

struct memory_env {
    struct load_env env; /* topology, log, codec */
    struct mr_registry *registry;
    struct mr_topology *topology;
};

/* yaml: a topology file's text. */
void memory_env_open(struct memory_env *self, const char *yaml);
void memory_env_close(struct memory_env *self);

/* record->topic is filled in. */
void memory_env_send(struct memory_env *self, const char *topic, const struct mr_outgoing *record);

/* value: of the binding's schema; NULL: a tombstone. */
void memory_env_send_value(struct memory_env *self, const char *topic,
                           const struct mr_binding *binding, const struct mr_outgoing *record,
                           const void *value);

#endif
