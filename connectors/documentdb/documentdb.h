/*
 * documentdb.h -- records into the collections of a MongoDB-compatible store.
 *
 *   OrderCommand     orders       one document for each NEW command: the command and the order's
 * latest state ExecutionReport  executions   one document for each report; and the state of the
 * document in orders LedgerEntry      ledger       one document for each journal Position positions
 * the newest version of each user and symbol Balance          balances     the newest version of
 * each user and asset Candle           candles      the newest revision of each symbol, interval
 * and window
 *
 * Documents have the fields of the Avro record under their Avro names. A decimal is a Decimal128,
 * exact or refused (document_bson.h). A time X is a date (milliseconds) and beside it XUs, its
 * microseconds. Every document carries _src {p, o}, the record it came from.
 */
#ifndef CONNECTORS_DOCUMENTDB_H
#define CONNECTORS_DOCUMENTDB_H

#include "millrace/connector.h"

extern const struct mr_sink_type documentdb_sink;

#endif
