/*
 * describe_type.h -- a stage or connector type without a topology: what it takes, gives and keeps.
 */
#ifndef MILLRACE_TOOLS_DESCRIBE_TYPE_H
#define MILLRACE_TOOLS_DESCRIBE_TYPE_H

#include "millrace/buffer.h"
#include "millrace/topology.h"

/* Both NULL: there is no such type. A stage and a connector may have the same name. */
struct type_found {
    const struct mr_stage *stage;
    const struct mr_sink_type *sink;
};

struct type_found type_find(const struct mr_catalog *catalog, const char *name);
/* ", did you mean ..." for a name that is none. buffer: at least 256 bytes. */
const char *type_suggest(const struct mr_catalog *catalog, const char *name, char *buffer,
                         size_t bytes);
void type_describe_text(const struct type_found *found, struct mr_buffer *out);
/* One object, or both as {"stage": ..., "connector": ...}. */
void type_describe_json(const struct type_found *found, struct mr_buffer *out);

#endif
