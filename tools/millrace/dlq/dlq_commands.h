/* dlq_commands.h -- rows that the commands about dead letters share. */
#ifndef MILLRACE_DLQ_COMMANDS_H
#define MILLRACE_DLQ_COMMANDS_H

#include "args.h"
#include "tool_env.h"

/* The letters that are meant; each field a const char * of the options struct. */
#define DLQ_TOPOLOGY_OPTION(type_name, field)                                                      \
    {                                                                                              \
        .name = "topology", .type = MR_OPTION_STRING, .offset = offsetof(type_name, field),        \
        .fallback = "topology.yaml", .help = "which servers and schemas"                           \
    }
#define DLQ_OFFSET_OPTION(type_name, field)                                                        \
    {                                                                                              \
        .name = "offset", .type = MR_OPTION_STRING, .offset = offsetof(type_name, field),          \
        .fallback = "", .help = "the letter at PARTITION:OFFSET of its topic"                      \
    }
#define DLQ_STAGE_OPTION(type_name, field)                                                         \
    {                                                                                              \
        .name = "stage", .type = MR_OPTION_STRING, .offset = offsetof(type_name, field),           \
        .fallback = "", .help = "letters of this stage or connector"                               \
    }
#define DLQ_CODE_OPTION(type_name, field)                                                          \
    {                                                                                              \
        .name = "code", .type = MR_OPTION_STRING, .offset = offsetof(type_name, field),            \
        .fallback = "", .help = "letters of this error, like MALFORMED"                            \
    }
#define DLQ_JSON_OPTION(type_name, field)                                                          \
    {                                                                                              \
        .name = "json", .type = MR_OPTION_BOOL, .offset = offsetof(type_name, field),              \
        .fallback = "false", .help = "one JSON document on stdout"                                 \
    }

#endif
