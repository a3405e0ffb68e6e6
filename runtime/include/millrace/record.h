/*
 * record.h -- one input record as a stage sees it.
 */
#ifndef MILLRACE_RECORD_H
#define MILLRACE_RECORD_H

#include "millrace/slice.h"

struct mr_record {
    struct mr_slice key;
    const void *value; /* struct of the port's schema; NULL: a tombstone (ports that allow it) */
    int64_t event_us;  /* event time: the field `ts` of the value, else the log's timestamp */
    /* Where it came from. For a record handed over in memory: the coordinates of the log record
     * that started the chain. */
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* the log's own */
};

#endif
