/*
 * options_doc.h -- docs/OPTIONS.md: every setting of topology.yaml, stage and connector, from the
 * same tables that read them.
 */
#ifndef MILLRACE_TOOLS_OPTIONS_DOC_H
#define MILLRACE_TOOLS_OPTIONS_DOC_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

/* "1s .. 7d", or the choices; "" when there are no bounds. */
void options_doc_range(const struct mr_option *option, struct mr_buffer *out);
void options_doc_write(const struct mr_catalog *catalog, struct mr_buffer *out);

#endif
