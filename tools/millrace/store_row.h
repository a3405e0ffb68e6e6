/* store_row.h -- an entry of a store as one line of JSON: what `millrace store` prints. */
#ifndef MILLRACE_TOOLS_STORE_ROW_H
#define MILLRACE_TOOLS_STORE_ROW_H

#include "millrace/codec.h"
#include "millrace/topology.h"

struct store_row_format {
    const struct mr_stage_node *stage;
    size_t store;              /* of the stage's type */
    struct mr_codec *codec;    /* NULL: values are read with this program's schema, whatever id */
    struct mr_binding binding; /* of the store's changelog subject */
};

/* Store of a stage by name; SIZE_MAX: it has none of that name. */
size_t store_find(const struct mr_stage_node *stage, const char *name);

/* The id of the store's schema. MR_UNAVAILABLE: the registry is away; format reads without it. */
MR_NODISCARD enum mr_status store_row_format_init(struct store_row_format *format,
                                                  struct mr_codec *codec,
                                                  const struct mr_stage_node *stage, size_t store,
                                                  struct mr_err *err);
/*
 * Appends {"stage","store","partition","key","value"}, without a newline. What cannot be decoded
 * has "value": null, "bytes" in hex and "error".
 */
void store_row_write(const struct store_row_format *format, int32_t partition, struct mr_slice key,
                     struct mr_slice framed, struct mr_buffer *out);

#endif
