/*
 * load_manifest.h -- what a load sent and where the topics stood before: all that verify is told.
 */
#ifndef MILLRACE_LOAD_MANIFEST_H
#define MILLRACE_LOAD_MANIFEST_H

#include "load_plan.h"

#define LOAD_CODES_MAX ((size_t)32)
#define LOAD_PATH_BYTES_MAX ((size_t)1024)
#define LOAD_STARTS_MAX ((size_t)64)

struct load_code_count {
    int code;
    int64_t count;
};

struct load_start { /* of one topic */
    char *topic;
    int64_t *offsets;
    int32_t partitions;
};

struct load_manifest {
    char run[LOAD_RUN_BYTES_MAX];
    char application[128];
    char tape[LOAD_PATH_BYTES_MAX];
    char markets[128];
    char symbols[512]; /* "": all */
    int64_t limit;
    char symbol_names[LOAD_SYMBOLS_MAX][LOAD_SYMBOL_BYTES_MAX];
    int64_t symbol_trades[LOAD_SYMBOLS_MAX];
    size_t symbol_count;
    /* Expected outcomes. */
    int64_t accepted, duplicates, conflicts, cancelled, dead_letters;
    struct load_code_count rejected[LOAD_CODES_MAX];
    size_t rejected_count;
    uint64_t dead_letter_digest; /* sum of the hashes of the malformed bytes sent */
    struct load_start starts[LOAD_STARTS_MAX];
    size_t start_count;
    /* What load measured. */
    int64_t sent;       /* records on `orders` */
    int64_t elapsed_us; /* first send to last outcome */
    int64_t send_us;    /* first send to last send */
    int64_t latency_samples, p50_us, p99_us, max_us;
};

/* FNV-1a, 64 bit. */
uint64_t load_hash(struct mr_slice bytes);
void load_manifest_reject(struct load_manifest *manifest, int code);
/* NULL when the topic is not in it. */
const struct load_start *load_manifest_start(const struct load_manifest *manifest,
                                             const char *topic);
MR_NODISCARD enum mr_status load_manifest_write(const struct load_manifest *manifest,
                                                const char *path, struct mr_err *err);
/* MR_CONFIG: no such file, not a manifest. */
MR_NODISCARD enum mr_status load_manifest_read(const char *path, struct load_manifest *manifest,
                                               struct mr_err *err);
void load_manifest_fini(struct load_manifest *manifest);
/* Creates the directories a file is to stand in. */
MR_NODISCARD enum mr_status load_make_parents(const char *path, struct mr_err *err);

#endif
