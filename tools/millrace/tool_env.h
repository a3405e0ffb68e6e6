/*
 * tool_env.h -- topology, servers and progress of a command that reads or writes topics, opened
 * and closed in one place.
 */
#ifndef MILLRACE_TOOLS_TOOL_ENV_H
#define MILLRACE_TOOLS_TOOL_ENV_H

#include "connect.h"
#include "load_feed.h"

struct tool_env {
    struct load_env env;
    struct mr_topology *topology;
    struct connection connection;
};

/* False: the topology is wrong, all of it is said, and the command ends with EXIT_MISUSE. */
bool tool_env_load(struct tool_env *tool, const char *topology);
/* Servers, waited for; no progress lines when quiet. tool_env_close in any case. */
MR_NODISCARD enum mr_status tool_env_reach(struct tool_env *tool, int64_t wait_us, bool quiet,
                                           struct mr_err *err);
void tool_env_close(struct tool_env *tool);

#endif
