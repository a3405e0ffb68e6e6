/* module_load.c -- see module_load.h. The only place that opens shared objects. */
#include "module_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* What the linker says to files of another world, and what would be right. */
static const struct {
    const char *sign;
    const char *advice;
} reasons[] = {
    {"version `GLIBC_", "it was built for a newer C library; build it on a system like this one"},
    {"libc.musl", "it was built for another C library; build it on a system like this one"},
    {"ld-musl", "it was built for another C library; build it on a system like this one"},
    {"wrong ELF class", "it was built for another processor"},
    {"cannot open shared object file: No such file", "a library it needs is not on this system"},
    {"undefined symbol: mr_", "this program does not offer that function; build the module with "
                              "this program's SDK (make sdk)"},
    {"undefined symbol", "link the module with the library that has it"},
    {"file too short", "it is no shared object; build it with cc -shared"},
    {"invalid ELF header", "it is no shared object; build it with cc -shared"},
    {"cannot dynamically load", "it is a program; build it with cc -shared"},
    {"only ET_DYN and ET_EXEC", "it is no shared object; link it with cc -shared"},
};

static enum mr_status cannot_open(const char *path, const char *said, struct mr_err *err)
{
    const char *reason = said != NULL ? said : "no reason was given";
    const size_t len = strlen(path);

    if (strncmp(reason, path, len) == 0 && strncmp(reason + len, ": ", 2) == 0) {
        reason += len + 2;
    }
    for (size_t i = 0; i < MR_COUNT(reasons); i++) {
        if (strstr(reason, reasons[i].sign) != NULL) {
            return mr_fail(err, MR_CONFIG, "%s cannot be opened: %s (%s)", path, reasons[i].advice,
                           reason);
        }
    }
    return mr_fail(err, MR_CONFIG, "%s cannot be opened: %s", path, reason);
}

enum mr_status module_load(const char *path, const struct mr_stage_module **module,
                           struct mr_err *err)
{
    char place[4096];
    struct mr_err why = {0};
    /* Without a slash dlopen would look in the system's folders. */
    const int len = snprintf(place, sizeof(place), "%s%s", strchr(path, '/') ? "" : "./", path);

    if (len < 0 || (size_t)len >= sizeof(place)) {
        return mr_fail(err, MR_CONFIG, "the path of a stage module is longer than %zu bytes",
                       sizeof(place) - 1);
    }
    if (access(place, R_OK) != 0) {
        char reason[128];

        if (strerror_r(errno, reason, sizeof(reason)) != 0) {
            reason[0] = '\0';
        }
        return mr_fail(err, MR_CONFIG,
                       "%s cannot be read: %s; a path is relative to the topology's file", path,
                       reason);
    }
    void *handle = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        return cannot_open(place, dlerror(), err);
    }
    const struct mr_stage_module *found = dlsym(handle, MR_STAGE_MODULE_SYMBOL);
    if (found == NULL) {
        (void)dlclose(handle);
        return mr_fail(err, MR_CONFIG,
                       "%s is no stage module: it exports no %s; define it with MR_STAGE_MODULE of "
                       "millrace/module.h",
                       path, MR_STAGE_MODULE_SYMBOL);
    }
    if (mr_stage_module_check(found, &why) != MR_OK) {
        (void)dlclose(handle);
        return mr_fail(err, MR_CONFIG, "%s %s", path, why.text);
    }
    *module = found;
    return MR_OK;
}
