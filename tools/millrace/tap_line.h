/*
 * tap_line.h -- a record of any topic as one line of JSON: what tap prints and a dump consists of.
 *
 * A line: {"topic", "partition", "offset", "timestamp", "key", "value"}. What cannot be decoded,
 * and records of topics without a schema, have "value": null and "bytes" in hex. Where a record has
 * headers, and for dead letters always, there are "headers". Records of a changelog have "store",
 * and the key they have in it.
 */
#ifndef MILLRACE_TAP_LINE_H
#define MILLRACE_TAP_LINE_H

#include "load_feed.h"
#include "millrace/arena.h"
#include "millrace/buffer.h"

/* What the lines of one topic are made with. */
struct tap_format {
    const struct mr_schema *schema;    /* of the topic; NULL: it has none, or several */
    const struct mr_stage_node *stage; /* whose changelog the topic is; NULL: of none */
    struct mr_codec *codec;
    struct mr_binding *bindings; /* of the stage's stores */
    struct mr_arena *arena;      /* of a value of a changelog */
};

/* What a record says, its key and value as the store has them when the topic is a changelog. */
struct tap_entry {
    const char *store;
    struct mr_slice key;
    const struct mr_schema *schema;
    const void *value; /* NULL: a tombstone, or it cannot be decoded */
};

/* topic: of env's topology. tap_format_fini in any case. */
MR_NODISCARD enum mr_status tap_format_init(struct tap_format *format, const struct load_env *env,
                                            size_t topic, struct mr_err *err);
void tap_format_fini(struct tap_format *format);

/* entry borrows from record and, until the next call, from format. */
MR_NODISCARD enum mr_status tap_entry_read(struct tap_format *format,
                                           const struct load_record *record,
                                           struct tap_entry *entry, struct mr_err *err);
/* Replaces line by the record's, with its newline. */
void tap_line_write(const struct tap_format *format, const struct load_record *record,
                    const struct tap_entry *entry, struct mr_buffer *line);

#endif
