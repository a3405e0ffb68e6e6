/* document_write.h -- one batch into one collection. Private to connectors/documentdb. */
#ifndef CONNECTORS_DOCUMENT_WRITE_H
#define CONNECTORS_DOCUMENT_WRITE_H

#include "coalesce.h"
#include "document_plan.h"
#include "millrace/buffer.h"
#include "millrace/record.h"

#include <mongoc/mongoc.h>

struct document_writer {
    const char *address;
    const struct mr_schema *schema;
    struct coalesce *coalesce;
    struct mr_buffer identity;
    /* Entries of the coalescer that the current bulk holds, and those whose identity was taken. */
    size_t *sent, *taken;
    size_t sent_count, taken_count, capacity;
};

void document_writer_init(struct document_writer *writer, const char *address,
                          const struct mr_schema *schema);
void document_writer_fini(struct document_writer *writer);

struct document_batch {
    const struct mr_record *records;
    size_t count;
    size_t bad; /* POISON: the record that nobody can write */
};

/* As mr_sink_type.write, for one plan. */
MR_NODISCARD enum mr_status document_write(struct document_writer *writer,
                                           const struct document_plan *plan,
                                           mongoc_collection_t *collection,
                                           struct document_batch *batch, struct mr_err *err);

#endif
