/* registry.c -- the catalog of connectors, one line each. */
#include "registry.h"

#include "documentdb/documentdb.h"
#include "redis/redis_sink.h"

const struct mr_sink_type *const mr_sinks[] = {&documentdb_sink, &redis_sink};
const size_t mr_sink_count = MR_COUNT(mr_sinks);
