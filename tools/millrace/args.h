/*
 * args.h -- a command's arguments as an option table, the same kind as a stage's.
 *
 * --name VALUE or --name=VALUE through millrace/option.h with its units; a BOOL needs no value:
 * --json is --json=true. `--` ends the options. --help is generated. A misuse is one line on stderr
 * that names the argument, and exit code 2.
 *
 * Convention: a command with facts to tell takes `--json` and then prints one JSON document on
 * stdout.
 */
#ifndef MILLRACE_TOOLS_ARGS_H
#define MILLRACE_TOOLS_ARGS_H

#include "millrace/option.h"

#include <stdio.h>

#define ARGS_TEXTS_MAX ((size_t)64)
/* The values of an option that may be given again and again; borrowed from argv. */
struct args_texts {
    const char *items[ARGS_TEXTS_MAX];
    size_t count;
};

/* Such an option; offset: of a struct args_texts. */
struct args_repeat {
    const char *name;
    size_t offset;
    const char *help;
};

struct args_spec {
    const char *command;     /* "topology check" */
    const char *summary;     /* a sentence */
    const char *positionals; /* "FILE", "TOPIC [KEY]"; "" when none */
    size_t positional_min;
    size_t positional_max;
    const struct mr_option *options; /* names without the dashes; fallback NULL: required */
    size_t option_count;
    const struct args_repeat *repeats;
    size_t repeat_count;
};

/* The row of a command that shows progress; `--quiet`. field: a bool of the options struct. */
#define ARGS_QUIET_OPTION(type_name, field)                                                        \
    {                                                                                              \
        .name = "quiet", .type = MR_OPTION_BOOL, .offset = offsetof(type_name, field),             \
        .fallback = "false", .help = "no progress lines"                                           \
    }

#define ARGS_POSITIONALS_MAX ((size_t)256) /* as many files as a shell may name */

struct args {
    const char *positionals[ARGS_POSITIONALS_MAX]; /* borrowed from argv */
    size_t positional_count;
};

/*
 * argv[0] is skipped. Values go to target through the options' offsets, fallbacks first.
 * Returns true to go on; false: the command is over with *exit_code (0 after --help, else 2).
 */
bool args_parse(const struct args_spec *spec, int argc, char **argv, void *target,
                struct args *args, int *exit_code);

void args_help(const struct args_spec *spec, FILE *out);
/* "duration", "size" ... for help and docs/OPTIONS.md. */
const char *args_type_name(enum mr_option_type type);

#endif
