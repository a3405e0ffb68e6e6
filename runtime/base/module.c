/* module.c -- whether a module was built for this program. See millrace/module.h. */
#include "millrace/module.h"

static const struct mr_stage_abi own = MR_STAGE_ABI;

static enum mr_status check_structs(const struct mr_stage_abi *theirs, struct mr_err *err)
{
#define X(name) {#name, offsetof(struct mr_stage_abi, bytes_##name)},
    static const struct {
        const char *name;
        size_t at;
    } structs[] = {MR_STAGE_ABI_STRUCTS(X)};
#undef X

    for (size_t i = 0; i < MR_COUNT(structs); i++) {
        uint32_t has = 0;
        uint32_t wants = 0;

        memcpy(&has, (const uint8_t *)theirs + structs[i].at, sizeof(has));
        memcpy(&wants, (const uint8_t *)&own + structs[i].at, sizeof(wants));
        if (has != wants) {
            return mr_fail(err, MR_CONFIG,
                           "was built with other headers: its struct %s has %u bytes, this "
                           "program's %u; build it with this program's SDK (make sdk)",
                           structs[i].name, (unsigned)has, (unsigned)wants);
        }
    }
    return MR_OK;
}

static enum mr_status check_stage(const struct mr_stage *stage, size_t index, struct mr_err *err)
{
    if (stage == NULL || stage->name == NULL || stage->process == NULL || stage->in_count == 0) {
        return mr_fail(err, MR_CONFIG, "has no name, process or in port in stage %zu", index);
    }
    for (size_t i = 0; i < stage->in_count + stage->out_count; i++) {
        const struct mr_port *port =
            i < stage->in_count ? &stage->in[i] : &stage->out[i - stage->in_count];

        if (port->name == NULL || port->schema == NULL) {
            return mr_fail(err, MR_CONFIG, "has a port without name or schema in stage %s",
                           stage->name);
        }
    }
    for (size_t i = 0; i < stage->store_count; i++) {
        if (stage->stores[i].name == NULL || stage->stores[i].schema == NULL) {
            return mr_fail(err, MR_CONFIG, "has a store without name or schema in stage %s",
                           stage->name);
        }
    }
    return MR_OK;
}

enum mr_status mr_stage_module_check(const struct mr_stage_module *module, struct mr_err *err)
{
    const struct mr_stage_abi *theirs = &module->abi;

    if (theirs->magic != MR_STAGE_ABI_MAGIC) {
        return mr_fail(err, MR_CONFIG,
                       "exports a %s that is no stage module: define it with MR_STAGE_MODULE of "
                       "millrace/module.h",
                       MR_STAGE_MODULE_SYMBOL);
    }
    if (theirs->major != own.major || theirs->minor > own.minor) {
        return mr_fail(err, MR_CONFIG,
                       "was built for stage ABI %u.%u, this program has %u.%u; build it with this "
                       "program's SDK (make sdk)",
                       (unsigned)theirs->major, (unsigned)theirs->minor, (unsigned)own.major,
                       (unsigned)own.minor);
    }
    MR_TRY(check_structs(theirs, err));
    if (module->stage_count == 0 || module->stages == NULL) {
        return mr_fail(err, MR_CONFIG, "holds no stage");
    }
    for (size_t i = 0; i < module->stage_count; i++) {
        MR_TRY(check_stage(module->stages[i], i, err));
    }
    return MR_OK;
}
