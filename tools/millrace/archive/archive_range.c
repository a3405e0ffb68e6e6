/* archive_range.c -- see archive_range.h. */
#include "archive_range.h"

#include "millrace/option.h"
#include "runtime/codec/json_text.h"

#include <stdlib.h>

enum mr_status archive_bound_parse(const char *name, const char *text, struct archive_bound *bound,
                                   struct mr_err *err)
{
    struct mr_err ignored;
    int64_t us = 0;

    *bound = (struct archive_bound){.kind = ARCHIVE_OPEN};
    if (text[0] == '\0') {
        return MR_OK;
    }
    if (mr_json_time_parse(text, &us)) {
        *bound = (struct archive_bound){.kind = ARCHIVE_TIME, .value = us / MR_MS_US};
        return MR_OK;
    }
    bound->kind = ARCHIVE_OFFSET;
    return mr_parse_int(text, &bound->value, &ignored) == MR_OK && bound->value >= 0
               ? MR_OK
               : mr_fail(err, MR_CONFIG, "--%s is an offset or a time like 2026-01-31T12:00:00Z",
                         name);
}

enum mr_status archive_partitions_parse(const char *text, bool *wanted, struct mr_err *err)
{
    const char *at = text;

    for (size_t i = 0; i < LOAD_PARTITIONS_MAX; i++) {
        wanted[i] = text[0] == '\0';
    }
    while (*at != '\0') {
        char *end = NULL;
        const long first = strtol(at, &end, 10);
        long last = first;
        bool good = end != at && *at != '-' && *at != '+';

        if (good && *end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
            good = end != at && *at != '-' && *at != '+';
        }
        if (!good || last < first || last >= LOAD_PARTITIONS_MAX || (*end != ',' && *end != '\0') ||
            (*end == ',' && end[1] == '\0')) {
            return mr_fail(err, MR_CONFIG, "--partitions is a list like 0,3,5-7, each below %d",
                           LOAD_PARTITIONS_MAX);
        }
        for (long p = first; p <= last; p++) {
            wanted[p] = true;
        }
        at = *end == ',' ? end + 1 : end;
    }
    return MR_OK;
}
