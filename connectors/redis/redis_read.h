/*
 * redis_read.h -- reading keys back, for verification.
 *
 * Shares the connection (redis_link.h) with the sink and nothing that forms a key or a value.
 * Thread: one owner.
 */
#ifndef CONNECTORS_REDIS_READ_H
#define CONNECTORS_REDIS_READ_H

#include "millrace/slice.h"
#include "millrace/status.h"

struct redis_reader;

/*
 * The value of keys[index] as JSON text, borrowed until it returns: a hash is an object of its
 * fields, all strings; a string is handed over as it is (orderbook:{symbol} holds JSON). found
 * false: no such key, json empty. Not MR_OK ends the visit.
 */
typedef enum mr_status redis_visit(void *arg, size_t index, bool found, struct mr_slice json,
                                   struct mr_err *err);

/* Returns MR_OK | MR_CONFIG | MR_UNAVAILABLE (with the address). Nothing to close on failure. */
MR_NODISCARD enum mr_status redis_reader_open(const char *url, struct redis_reader **reader,
                                              struct mr_err *err);
void redis_reader_close(struct redis_reader **reader);

/*
 * Visits keys[0..count) in order. Returns also MR_CORRUPT for a key that is neither hash nor
 * string. After a failure answers may be outstanding: close the reader.
 */
MR_NODISCARD enum mr_status redis_reader_fetch(struct redis_reader *reader, const char *const *keys,
                                               size_t count, redis_visit *visit, void *visit_arg,
                                               struct mr_err *err);

#endif
