/*
 * option.h -- options of stages and connectors as typed tables.
 *
 * A table row says where the value goes in the owner's state struct, its unit, bounds, default and
 * help. The loader parses topology.yaml through it (file:line:column on error, out of range
 * refuses, never clamps); docs/OPTIONS.md is generated from it.
 */
#ifndef MILLRACE_OPTION_H
#define MILLRACE_OPTION_H

#include "millrace/api.h"
#include "millrace/slice.h"
#include "millrace/status.h"

MR_API_BEGIN

#define MR_MS_US INT64_C(1000)
#define MR_SECOND_US INT64_C(1000000)
#define MR_MINUTE_US (60 * MR_SECOND_US)
#define MR_HOUR_US (60 * MR_MINUTE_US)
#define MR_DAY_US (24 * MR_HOUR_US)

enum mr_option_type {
    MR_OPTION_DURATION,  /* int64_t microseconds; "10ms", "24h", "1m30s" */
    MR_OPTION_SIZE,      /* int64_t bytes; "64MiB", "10MB", "512" */
    MR_OPTION_RATE,      /* int64_t micro-events per second; "50/s", "3000/min" */
    MR_OPTION_RATIO,     /* int64_t parts per million; "10%", "0.5%" */
    MR_OPTION_INT,       /* int64_t */
    MR_OPTION_BOOL,      /* bool */
    MR_OPTION_STRING,    /* const char *, owned by the topology */
    MR_OPTION_ENUM,      /* int, index into symbols */
    MR_OPTION_DURATIONS, /* struct mr_durations; a YAML list, or one text "1m,5m" */
};

#define MR_DURATIONS_MAX 16
struct mr_durations {
    int64_t us[MR_DURATIONS_MAX];
    size_t count;
};

struct mr_option {
    const char *name;
    enum mr_option_type type;
    size_t offset;              /* of the field in the owner's struct */
    const char *fallback;       /* parsed like a given value; NULL: required */
    int64_t min, max;           /* inclusive, in the stored unit; both 0: unbounded */
    const char *const *symbols; /* ENUM: NULL-terminated */
    const char *help;
};

/*
 * Parses text into *(field at target + option->offset). strings are kept by pointer: text must live
 * as long as target. Returns MR_OK | MR_CONFIG with a text that says what is wrong and what would
 * be right.
 */
MR_NODISCARD enum mr_status mr_option_parse(const struct mr_option *option, const char *text,
                                            void *target, struct mr_err *err);

/* The unit parsers behind it, for the loader and the command line. */
MR_NODISCARD enum mr_status mr_parse_duration_us(const char *text, int64_t *us, struct mr_err *err);
MR_NODISCARD enum mr_status mr_parse_bytes(const char *text, int64_t *bytes, struct mr_err *err);
MR_NODISCARD enum mr_status mr_parse_rate_micro(const char *text, int64_t *micro_per_second,
                                                struct mr_err *err);
MR_NODISCARD enum mr_status mr_parse_ppm(const char *text, int64_t *ppm, struct mr_err *err);
MR_NODISCARD enum mr_status mr_parse_int(const char *text, int64_t *value, struct mr_err *err);
/* 90000000 us -> "1m30s"; the shortest text that parses back to the same value. */
const char *mr_format_duration(int64_t us, char *buffer, size_t bytes);

MR_API_END

#endif
