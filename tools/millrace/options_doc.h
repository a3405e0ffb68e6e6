/*
 * options_doc.h -- docs/OPTIONS.md: every setting of topology.yaml, stage and connector, from the
 * same tables that read them.
 */
#ifndef MILLRACE_TOOLS_OPTIONS_DOC_H
#define MILLRACE_TOOLS_OPTIONS_DOC_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

void options_doc_write(const struct mr_catalog *catalog, struct mr_buffer *out);

#endif
