/*
 * redis_sink.h -- the newest state of things as Redis keys.
 *
 *   ExecutionReport  order:{orderId}               hash, option order-ttl (1h); guard: version
 *   Position         position:{userId}:{symbol}    hash, kept; guard: version
 *   OrderCommand     idempotency:{userId}:{key}    hash, option request-ttl (24h); guard: event
 * time BookSnapshot     orderbook:{symbol}            JSON text, option book-ttl (1s); guard:
 * lastSeq orderbook:{symbol}:seq        hash lastSeq, checksum, ts, kept
 *
 * Hashes have the present fields of the Avro record under their Avro names: decimals as canonical
 * text, times in microseconds, enums by name, fixed bytes as hex. The JSON text has the same,
 * numbers unquoted.
 *
 * The order book lives for one second after its last change: in an idle market the key is gone,
 * which tells a reader to ask elsewhere (topic book.snapshots), not that there is no book.
 * orderbook:{symbol}:seq stays and says which snapshot was the last one, so that it can be verified
 * afterwards.
 *
 * Not: cluster mode (a script of the book touches two keys). Replication of Redis is asynchronous:
 * after a failover the newest writes may be missing until the next one; the topics stay the truth.
 */
#ifndef CONNECTORS_REDIS_SINK_H
#define CONNECTORS_REDIS_SINK_H

#include "millrace/connector.h"

extern const struct mr_sink_type redis_sink;

#endif
