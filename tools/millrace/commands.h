/* commands.h -- the commands that need servers, or the whole program. The others: command.h. */
#ifndef MILLRACE_TOOLS_COMMANDS_H
#define MILLRACE_TOOLS_COMMANDS_H

#include "command.h"

extern const struct command command_run;
extern const struct command command_load;
extern const struct command command_tour;
extern const struct command command_verify;
extern const struct command command_tap;
extern const struct command command_produce;
extern const struct command command_replay;
extern const struct command command_try;
extern const struct command command_risk_check;
extern const struct command command_archive_export;
extern const struct command command_archive_import;
extern const struct command command_dlq_list;
extern const struct command command_dlq_show;
extern const struct command command_dlq_replay;
extern const struct command command_topology_test;
extern const struct command command_top;
extern const struct command command_store_get;
extern const struct command command_store_scan;
extern const struct command command_store_stats;

#endif
