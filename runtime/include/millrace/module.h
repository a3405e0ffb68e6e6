/*
 * module.h -- stages in a shared object of their own: `type: ./throttle.so` in topology.yaml.
 *
 * Why: a stage can be written, built and delivered without the program's source.
 * How: the object defines one symbol, millrace_stage_module, with MR_STAGE_MODULE. It begins with
 *      the ABI it was built for: the version and the size of every struct that both sides look
 *      into. The program reads that before anything else and refuses what differs, with both
 *      sides' numbers. Then the schemas are compared by fingerprint. Only then does a stage run,
 *      through the same contract as one of the program (millrace/stage.h).
 * Not: a protection against a module that means harm; it runs in the process.
 *
 * The major version changes when something that was there means something else; a module must have
 * the program's. The minor version rises when functions are added; a module may have an older one.
 * What is promised, and what is not: docs/adr/0022-stages-from-shared-objects.md.
 */
#ifndef MILLRACE_MODULE_H
#define MILLRACE_MODULE_H

#include "millrace/api.h"
#include "millrace/stage.h"

#define MR_STAGE_ABI_MAGIC UINT32_C(0x4d525354)
#define MR_STAGE_ABI_MAJOR 1
#define MR_STAGE_ABI_MINOR 0
#define MR_STAGE_MODULE_SYMBOL "millrace_stage_module"

MR_API_BEGIN

/* The structs that both sides look into. Rows are only added, at the end, with a new major. */
#define MR_STAGE_ABI_STRUCTS(X)                                                                    \
    X(mr_stage_module)                                                                             \
    X(mr_stage)                                                                                    \
    X(mr_port)                                                                                     \
    X(mr_store_spec)                                                                               \
    X(mr_option)                                                                                   \
    X(mr_record)                                                                                   \
    X(mr_slice)                                                                                    \
    X(mr_label)                                                                                    \
    X(mr_err)                                                                                      \
    X(mr_key)                                                                                      \
    X(mr_schema)                                                                                   \
    X(mr_schema_field)

/* The first three fields stand where they are in every version. */
struct mr_stage_abi {
    uint32_t magic;
    uint16_t major;
    uint16_t minor;
#define X(name) uint32_t bytes_##name;
    MR_STAGE_ABI_STRUCTS(X)
#undef X
};

struct mr_stage_module {
    struct mr_stage_abi abi; /* first */
    const struct mr_stage *const *stages;
    size_t stage_count;
    /* Records that the program does not have: what `value:` of a topic may then name. */
    const struct mr_schema *const *schemas;
    size_t schema_count;
};

#define MR_STAGE_ABI_BYTES(name) .bytes_##name = (uint32_t)sizeof(struct name),
#define MR_STAGE_ABI                                                                               \
    {                                                                                              \
        .magic = MR_STAGE_ABI_MAGIC, .major = MR_STAGE_ABI_MAJOR, .minor = MR_STAGE_ABI_MINOR,     \
        MR_STAGE_ABI_STRUCTS(MR_STAGE_ABI_BYTES)                                                   \
    }

/*
 * Once in a module, at file scope:
 *     static const struct mr_stage *const stages[] = {&throttle_stage};
 *     MR_STAGE_MODULE(.stages = stages, .stage_count = MR_COUNT(stages));
 */
#define MR_STAGE_MODULE(...)                                                                       \
    extern const struct mr_stage_module millrace_stage_module;                                     \
    __attribute__((visibility("default")))                                                         \
    const struct mr_stage_module millrace_stage_module = {.abi = MR_STAGE_ABI, __VA_ARGS__}

/*
 * Whether this program can use what a module says of itself; reads beyond the head only when the
 * head fits. Returns MR_OK | MR_CONFIG (the text names both sides, not the file).
 */
MR_NODISCARD enum mr_status mr_stage_module_check(const struct mr_stage_module *module,
                                                  struct mr_err *err);

MR_API_END

#endif
