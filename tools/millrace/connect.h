/*
 * connect.h -- the servers of a topology, opened for a command or a process.
 *
 * Opening connects to nothing; waiting does: it asks until there is an answer, says once which
 * address it waits for, and gives up after the time of `--wait`.
 */
#ifndef MILLRACE_TOOLS_CONNECT_H
#define MILLRACE_TOOLS_CONNECT_H

#include "millrace/clock.h"
#include "millrace/codec.h"
#include "millrace/log.h"
#include "millrace/topology.h"

#include <stdio.h>

struct connection {
    struct mr_log *log;
    struct mr_registry *registry;
    struct mr_codec *codec;
};

/* The row for a command's option table; `--wait 30s`. field: an int64_t of the options struct. */
#define CONNECT_WAIT_OPTION(type_name, field)                                                      \
    {                                                                                              \
        .name = "wait", .type = MR_OPTION_DURATION, .offset = offsetof(type_name, field),          \
        .fallback = "30s", .min = 0, .max = MR_DAY_US,                                             \
        .help = "how long a missing server is waited for"                                          \
    }

/* Kafka and the registry that the topology names. MR_CONFIG when it names none. */
MR_NODISCARD enum mr_status connection_open(const struct mr_topology *topology,
                                            struct connection *connection, struct mr_err *err);
/*
 * Returns MR_OK when both answered | MR_UNAVAILABLE naming the address that did not within wait_us.
 * Messages go to `progress` (NULL: none). log or registry may be NULL and is then not asked.
 */
MR_NODISCARD enum mr_status connection_wait(const struct connection *connection,
                                            const char *registry_url, int64_t wait_us,
                                            const struct mr_clock *clock, FILE *progress,
                                            struct mr_err *err);
/* Opens, and waits on the system's clock, saying on stderr for what. */
MR_NODISCARD enum mr_status connection_reach(const struct mr_topology *topology, int64_t wait_us,
                                             struct connection *connection, struct mr_err *err);
void connection_close(struct connection *connection);

#endif
