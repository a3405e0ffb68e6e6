/*
 * catalog.h -- the stage types, connector types and schemas this program was built with.
 *
 * Declared here, defined by the program: the real one lists everything, a test its own fakes.
 */
#ifndef MILLRACE_TOOLS_CATALOG_H
#define MILLRACE_TOOLS_CATALOG_H

#include "millrace/topology.h"

const struct mr_catalog *mr_cli_catalog(void);

#endif
