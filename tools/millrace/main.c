/* main.c -- the program: a list of commands. */
#include "command.h"
#include "commands.h"
#include "millrace/status.h"

static const struct command *const commands[] = {
    &command_run,
    &command_topology_check,
    &command_topology_plan,
    &command_topology_apply,
    &command_topology_graph,
    &command_topology_describe,
    &command_topology_test,
    &command_topology_schema,
    &command_load,
    &command_tour,
    &command_verify,
    &command_tap,
    &command_store_get,
    &command_store_scan,
    &command_store_stats,
    &command_top,
    &command_produce,
    &command_replay,
    &command_try,
    &command_risk_check,
    &command_archive_export,
    &command_archive_import,
    &command_dlq_list,
    &command_dlq_show,
    &command_dlq_replay,
    &command_options,
    &command_codes,
};

int main(int argc, char **argv)
{
    return command_dispatch(commands, MR_COUNT(commands), argc, argv);
}
