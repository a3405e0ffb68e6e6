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

struct documentdb_query {
    const char *collection;
    /* Documents whose string field begins with prefix; all, also those without it, when prefix is
     * empty. */
    const char *field, *prefix;
};

/* Visits the documents in no order. */
MR_NODISCARD enum mr_status documentdb_reader_each(struct documentdb_reader *reader,
                                                   const struct documentdb_query *query,
                                                   documentdb_visit *visit, void *visit_arg,
                                                   struct mr_err *err);

#endif
