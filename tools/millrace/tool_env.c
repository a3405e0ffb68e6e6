/* tool_env.c -- see tool_env.h. */
#include "tool_env.h"

#include "topology_file.h"

bool tool_env_load(struct tool_env *tool, const char *topology)
{
    *tool = (struct tool_env){.topology = topology_file_load(topology)};
    return tool->topology != NULL;
}

enum mr_status tool_env_reach(struct tool_env *tool, int64_t wait_us, bool quiet,
                              struct mr_err *err)
{
    MR_TRY(connection_reach(tool->topology, wait_us, &tool->connection, err));
    tool->env = (struct load_env){.topology = tool->topology,
                                  .log = tool->connection.log,
                                  .codec = tool->connection.codec,
                                  .clock = mr_clock_system(),
                                  .progress = quiet ? NULL : stderr};
    return MR_OK;
}

void tool_env_close(struct tool_env *tool)
{
    connection_close(&tool->connection);
    mr_topology_destroy(&tool->topology);
}
