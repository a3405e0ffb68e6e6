/*
 * see_processes.h -- where the running processes of an application listen.
 *
 * A process leaves a file <state-dir>/<application>.<group>.<instance>.http with its address and
 * takes it away when it ends; one that was killed leaves it, and whoever asks there is refused. So
 * commands on the same machine find it without being told. Elsewhere: --address.
 */
#ifndef MILLRACE_TOOLS_SEE_PROCESSES_H
#define MILLRACE_TOOLS_SEE_PROCESSES_H

#include "args.h"
#include "millrace/slice.h"
#include "millrace/status.h"

#define SEE_PROCESSES_MAX 48
#define SEE_ADDRESS_BYTES 128

struct see_process {
    const char *application;
    const char *part; /* group, all, or connectors */
    const char *instance;
};

MR_NODISCARD enum mr_status see_process_announce(const char *state_dir, struct see_process process,
                                                 const char *address, unsigned port,
                                                 struct mr_err *err);
void see_process_forget(const char *state_dir, struct see_process process);

struct see_processes {
    char addresses[SEE_PROCESSES_MAX][SEE_ADDRESS_BYTES]; /* HOST:PORT */
    size_t count;
};

/* Those given, or when there are none those announced; in order of their names. */
void see_processes_find(const struct args_texts *given, const char *state_dir,
                        const char *application, struct see_processes *processes);
/* "a, b, c" into text. */
const char *see_processes_text(const struct see_processes *processes, char *text, size_t bytes);

/* The rows of a command that looks at processes. */
#define SEE_STATE_DIR_OPTION(type_name, field)                                                     \
    {                                                                                              \
        .name = "state-dir", .type = MR_OPTION_STRING, .offset = offsetof(type_name, field),       \
        .fallback = "state",                                                                       \
        .help = "where processes of this machine keep state, and say where they listen"            \
    }
#define SEE_ADDRESS_REPEAT(type_name, field)                                                       \
    {                                                                                              \
        .name = "address", .offset = offsetof(type_name, field),                                   \
        .help = "HOST:PORT of a process (--http of run); may be given again; without: as "         \
                "--state-dir tells"                                                                \
    }

#endif
