/*
 * document_plan.h -- what becomes of the records of one schema: which collection, which identity,
 * which guard. Private to connectors/documentdb.
 */
#ifndef CONNECTORS_DOCUMENT_PLAN_H
#define CONNECTORS_DOCUMENT_PLAN_H

#include "millrace/buffer.h"
#include "millrace/schema.h"

enum document_mode {
    DOCUMENT_ONCE,    /* never changes: the first of an identity stays */
    DOCUMENT_LATEST,  /* a whole document, replaced by one with a higher guard; a tombstone deletes
                         it */
    DOCUMENT_COMMAND, /* the command part of an order: the first stays; it meets DOCUMENT_STATE */
    DOCUMENT_STATE,   /* the state part of an order: replaced by one with a higher version */
};

struct document_index {
    const char *name;
    struct {
        const char *field;
        int32_t direction; /* 1 | -1 */
    } keys[3];             /* ends at the first without a field */
    bool unique;
};

struct document_plan {
    const char *collection;
    enum document_mode mode;
    bool (*wanted)(const void *record); /* NULL: every record */
    /* Appends the document's identity; nothing: the record has none. */
    void (*identity)(const void *record, struct mr_buffer *out);
    int64_t (*guard)(const void *record); /* NULL: 0 */
    /* STATE: what it sets, and what it sets when the command did not come yet; NULL-terminated. */
    const char *const *fields, *const *identity_fields;
    int64_t (*event_us)(const void *record); /* COMMAND: createdAt; STATE: updatedAt */
    const struct document_index *indexes;
    size_t index_count;
};

struct document_shape {
    const struct mr_schema *schema;
    struct document_plan plans[2];
    size_t plan_count;
};

/* NULL: records of this schema have no collection. */
const struct document_shape *document_shape_find(const struct mr_schema *schema);

/* Names of the schemas that have one, NULL-terminated. */
extern const char *const document_schemas[];

#endif
