/*
 * see_status.h -- /status of some processes, asked together; twice, for rates.
 */
#ifndef MILLRACE_TOOLS_SEE_STATUS_H
#define MILLRACE_TOOLS_SEE_STATUS_H

#include "see_processes.h"

#include <jansson.h>

struct see_document {
    char address[SEE_ADDRESS_BYTES];
    json_t *root;    /* as run_status.c writes it; NULL: no answer */
    char error[256]; /* why not */
};

struct see_status {
    struct see_document documents[SEE_PROCESSES_MAX];
    size_t count;
};

/* Asks each. Returns how many answered. */
size_t see_status_ask(const struct see_processes *processes, struct see_status *status);
void see_status_fini(struct see_status *status);
/* The same process's document in an earlier status; NULL: it was not there, or another one was. */
const json_t *see_status_before(const struct see_status *before, const struct see_document *now);

/* Members of a document. Absent and null are unknown: -1, and "". */
int64_t see_number(const json_t *object, const char *name);
const char *see_text(const json_t *object, const char *name);
/* The element of an array whose member has that text; NULL: none. */
const json_t *see_find(const json_t *array, const char *member, const char *text);
/*
 * What a consumer has not taken of a topic; -1: not known. Each process of a group tells it for the
 * whole group: the largest counts, once.
 */
int64_t see_lag(const struct see_document *documents, size_t count, const char *topic,
                const char *consumer);
/* Per second, in thousandths, of a counter between two documents; -1: not known. */
int64_t see_rate_milli(const json_t *before, const json_t *now, int64_t was, int64_t is);

#endif
