/*
 * command.h -- one command of the program: `millrace topology check FILE`.
 *
 * Exit codes: 0 done; 1 the answer is no, or something failed (one line on stderr says what);
 *             2 misuse, or a file that is wrong.
 */
#ifndef MILLRACE_TOOLS_COMMAND_H
#define MILLRACE_TOOLS_COMMAND_H

#include "millrace/buffer.h"

#include <stddef.h>

#ifndef MILLRACE_VERSION
#define MILLRACE_VERSION "0.1.0"
#endif

#define EXIT_NO 1
#define EXIT_MISUSE 2

struct command {
    const char *name; /* one or two words: "run", "topology check" */
    const char *summary;
    /* argv[0] is the command's last word; arguments follow. Returns the exit code. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_topology_check;
extern const struct command command_topology_plan;
extern const struct command command_topology_apply;
extern const struct command command_topology_graph;
extern const struct command command_topology_describe;
extern const struct command command_topology_schema;
extern const struct command command_options;
extern const struct command command_codes;

/* The end of a command whose answer is a text: stdout gets it, the buffer is freed. The exit code.
 */
int command_print(struct mr_buffer *text);

/*
 * Finds the command that argv[1] (and argv[2]) name and runs it; `--help`, `help` and `--version`
 * are answered here, a wrong name with the nearest one. Returns the exit code.
 */
int command_dispatch(const struct command *const *commands, size_t count, int argc, char **argv);

#endif
