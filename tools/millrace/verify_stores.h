/*
 * verify_stores.h -- opens the document store and Redis that a topology's connectors write to, for
 * reading.
 */
#ifndef MILLRACE_VERIFY_STORES_H
#define MILLRACE_VERIFY_STORES_H

#include "millrace/topology.h"
#include "verify_sink.h"

struct verify_stores {
    struct verify_documents documents;
    struct verify_keys keys;
    bool has_documents, has_keys;
    void *document_reader, *key_reader;
};

/*
 * has_*: a connector of that type is in the topology and this program can read its store.
 * MR_UNAVAILABLE when a store does not answer.
 */
MR_NODISCARD enum mr_status verify_stores_open(const struct mr_topology *topology,
                                               struct verify_stores *stores, struct mr_err *err);
void verify_stores_close(struct verify_stores *stores);

#endif
