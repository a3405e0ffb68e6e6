/*
 * module_load.h -- opens a shared object with stages: `load_module` of a catalog.
 *
 * A module stays in the process until its end: topologies, tasks and metrics point into it. Opening
 * one runs its constructors, if it has any; nothing else of it is called before its ABI was found
 * to be this program's.
 */
#ifndef MILLRACE_TOOLS_MODULE_LOAD_H
#define MILLRACE_TOOLS_MODULE_LOAD_H

#include "millrace/module.h"

/*
 * path     of the file; without a slash it is looked for in the working directory
 * *module  lives as long as the process
 * Returns MR_OK | MR_CONFIG: missing, no shared object, built for another system or program, no
 * module; the text names the file and what would be right.
 */
MR_NODISCARD enum mr_status module_load(const char *path, const struct mr_stage_module **module,
                                        struct mr_err *err);

#endif
