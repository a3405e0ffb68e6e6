/*
 * archive_import.h -- archive files into a topic: all checked, then written exactly once.
 *
 * How: files are put in the order of partition and offset; a first reading checks every byte of
 *   them, a second sends. The number of records sent is committed in the same transaction as they
 *   are, as the offset of partition 0 of the topic in a consumer group of the import's own, whose
 *   name is made of the digest of the files: the same command goes on where the last one ended.
 * Values are read as the topic's schema (resolution) and written with its id; bytes go as they are.
 */
#ifndef MILLRACE_ARCHIVE_IMPORT_H
#define MILLRACE_ARCHIVE_IMPORT_H

#include "archive_entry.h"
#include "archive_file.h"
#include "load_feed.h"

#define ARCHIVE_GROUP_BYTES ((size_t)256)

struct archive_import_options {
    const char *const *paths; /* files, or directories of an export */
    size_t path_count;
    const char *topic;  /* "": the one that the files name */
    const char *id;     /* of the import; "": made of the files' digest */
    bool append;        /* to a topic that has records */
    bool repartition;   /* by key, whatever partition a record was in */
    int64_t rate_micro; /* records per 1e6 s; 0: no limit */
};

struct archive_import_file {
    char *path;
    int32_t partition; /* of its first record; order of files */
    int64_t offset;
    int64_t records;
    char sha256[ARCHIVE_HEX_BYTES];
};

struct archive_import {
    const struct load_env *env;
    const struct archive_import_options *options;
    const struct mr_topic *topic;
    int32_t partitions;
    struct archive_import_file *files;
    size_t file_count;
    int64_t total;
    int64_t bytes_values; /* values that are bytes, though the topic has a schema */
    int64_t expired;      /* records that the topic's retention will take at once */
    char group[ARCHIVE_GROUP_BYTES];
    int64_t resumed_at; /* records that were there already */
    int64_t sent;
};

/*
 * Reads everything, writes nothing.
 * Returns MR_OK | MR_CORRUPT, MR_EXISTS, MR_CONFIG: refused, with file and place
 *       | what asking the log can return
 */
MR_NODISCARD enum mr_status archive_import_check(struct archive_import *import, struct mr_err *err);
/* After the check. What fails may be begun again with a new check. */
MR_NODISCARD enum mr_status archive_import_send(struct archive_import *import, struct mr_err *err);
void archive_import_fini(struct archive_import *import);

/* archive_paths.c: the files that the paths name; MR_CONFIG when there is none. */
MR_NODISCARD enum mr_status archive_paths_find(struct archive_import *import, struct mr_err *err);
/* MR_CORRUPT when a manifest beside the file says something else of it. */
MR_NODISCARD enum mr_status archive_paths_agree(const struct archive_import_file *file,
                                                struct mr_err *err);

/* archive_position.c: records that an import of that group has committed; 0: none. */
MR_NODISCARD enum mr_status archive_position(const struct archive_import *import, int64_t *position,
                                             struct mr_err *err);
MR_NODISCARD enum mr_status archive_topic_empty(const struct archive_import *import, bool *empty,
                                                struct mr_err *err);

/* ---- archive_open.c: one file, record by record -----------------------------------------------
 */

struct archive_source {
    const char *path;
    struct ocf_reader *reader;
    struct archive_shape shape;
    struct mr_resolution *values;
    struct mr_arena *arena;
    struct ocf_block block;
    struct mr_slice rest; /* of the block */
    int64_t left;         /* records in it */
};

/* schema: how values will be read; NULL: bytes only. path is borrowed. close in any case. */
MR_NODISCARD enum mr_status archive_source_open(struct archive_source *source, const char *path,
                                                const struct mr_schema *schema, struct mr_err *err);
/* The entry lives until the next call. MR_CORRUPT with file, byte, record and field. */
MR_NODISCARD enum mr_status archive_source_next(struct archive_source *source,
                                                struct archive_entry *entry, bool *end,
                                                struct mr_err *err);
/* Leaves out at most count records, whole blocks at once; *skipped of them. */
MR_NODISCARD enum mr_status archive_source_skip(struct archive_source *source, int64_t count,
                                                int64_t *skipped, struct mr_err *err);
/* The record of the last entry, as the topic's schema; strings live until the next entry. */
MR_NODISCARD enum mr_status archive_source_decode(struct archive_source *source,
                                                  const struct archive_entry *entry, void *value,
                                                  struct mr_err *err);
void archive_source_close(struct archive_source *source);

#endif
