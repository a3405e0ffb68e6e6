/*
 * documentdb_read.h -- reading documents back, for verification.
 *
 * Shares no code with the sink: what proves it must not repeat its mistakes.
 * Thread: one owner.
 */
#ifndef CONNECTORS_DOCUMENTDB_READ_H
#define CONNECTORS_DOCUMENTDB_READ_H

#include "millrace/slice.h"
#include "millrace/status.h"

struct documentdb_reader;

/* One document as relaxed extended JSON; borrowed until it returns. Not MR_OK ends the visit. */
typedef enum mr_status documentdb_visit(void *arg, struct mr_slice json, struct mr_err *err);

/*
 * Returns MR_OK | MR_CONFIG (no address) | MR_UNAVAILABLE (with the address).
 * Nothing to close on failure.
 */
MR_NODISCARD enum mr_status documentdb_reader_open(const char *uri, const char *database,
                                                   struct documentdb_reader **reader,
                                                   struct mr_err *err);
void documentdb_reader_close(struct documentdb_reader **reader);

/*
 * Visits every document of a collection whose string field begins with prefix; all when prefix is empty,
 * also those without the field. In no order. reader is a struct documentdb_reader; void so that the
 * function fits a table of callbacks.
 */
MR_NODISCARD enum mr_status documentdb_reader_each(void *reader, const char *collection,
                                                   const char *field, const char *prefix,
                                                   documentdb_visit *visit, void *visit_arg,
                                                   struct mr_err *err);

#endif
