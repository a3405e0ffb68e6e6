/*
 * coalesce.h -- of several records of one batch for the same identity, the one that counts.
 *
 * Why: a batch holds many states of one order, position or candle. The outside system needs the
 * newest, and an unordered write of all of them could end with an old one. How: entries stand in
 * the order in which their identity was first seen. Of equal versions the first stays. A tombstone
 * forgets what was before it: versions may begin anew behind it. Thread: one owner.
 */
#ifndef CONNECTORS_COALESCE_H
#define CONNECTORS_COALESCE_H

#include "millrace/slice.h"

#define COALESCE_NONE SIZE_MAX

struct coalesced {
    struct mr_slice id; /* lives until coalesce_clear */
    int64_t version;
    size_t value;     /* index of the record to write, or COALESCE_NONE */
    size_t tombstone; /* index of the record that deletes what was before, or COALESCE_NONE */
};

struct coalesce;

struct coalesce *coalesce_create(void);
void coalesce_destroy(struct coalesce **coalesce);
void coalesce_clear(struct coalesce *coalesce);
/* Records must come in their order in the log. id is copied. */
void coalesce_value(struct coalesce *coalesce, struct mr_slice id, int64_t version, size_t record);
void coalesce_tombstone(struct coalesce *coalesce, struct mr_slice id, size_t record);
size_t coalesce_count(const struct coalesce *coalesce);
const struct coalesced *coalesce_at(const struct coalesce *coalesce, size_t index);

#endif
