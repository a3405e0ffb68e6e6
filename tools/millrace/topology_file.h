/*
 * topology_file.h -- loading topology.yaml for a command: every problem on stderr, one a line.
 */
#ifndef MILLRACE_TOOLS_TOPOLOGY_FILE_H
#define MILLRACE_TOOLS_TOPOLOGY_FILE_H

#include "millrace/topology.h"

#include <stdio.h>

/* NULL when the file is wrong; then everything is said and the command ends with EXIT_MISUSE. */
struct mr_topology *topology_file_load(const char *path);
/* "file:line:column: text", a derived position without its numbers. */
void topology_problem_print(const struct mr_problem *problem, FILE *out);

#endif
