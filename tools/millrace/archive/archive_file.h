/*
 * archive_file.h -- what an archive file says about itself, and its digest.
 *
 * The metadata of the container: millrace.application, .topic, .subject, .schema-id,
 * .schema-sha256, .partition, .partitions, .from-offset, .to-offset, .from-time, .to-time; and what
 * is known only when it is whole, in twenty digits each: .records, .first-offset, .last-offset,
 * .resolved, .unreadable.
 */
#ifndef MILLRACE_ARCHIVE_FILE_H
#define MILLRACE_ARCHIVE_FILE_H

#include "domain/sha256.h"
#include "ocf.h"

#define ARCHIVE_PATH_BYTES ((size_t)1024)
#define ARCHIVE_NAME_BYTES ((size_t)272) /* of a file: topic, partition, suffix */
#define ARCHIVE_HEX_BYTES ((size_t)2 * SHA256_BYTES + 1)
#define ARCHIVE_MANIFEST "manifest.json"

/* What was counted while a file was written. */
struct archive_counts {
    int64_t records;
    int64_t first_offset; /* -1: no record */
    int64_t last_offset;
    int64_t resolved;   /* written with another schema id */
    int64_t unreadable; /* kept as bytes, though the topic has a schema */
};

/* The counts' places in the metadata, as they begin. Returns how many there are. */
size_t archive_counts_meta(struct ocf_meta *meta);
MR_NODISCARD enum mr_status archive_counts_write(struct ocf_writer *writer,
                                                 const struct archive_counts *counts,
                                                 struct mr_err *err);
/* False when the file has no such numbers: another tool wrote it. */
bool archive_counts_read(const struct ocf_reader *reader, struct archive_counts *counts);

/* A number of the metadata; false when there is none of that name. */
bool archive_meta_int(const struct ocf_reader *reader, const char *name, int64_t *value);

/* Digest, in hex, and size of a file. MR_CONFIG when it cannot be opened. */
MR_NODISCARD enum mr_status archive_digest(const char *path, char hex[ARCHIVE_HEX_BYTES],
                                           int64_t *bytes, struct mr_err *err);
void archive_hex(struct sha256 *sha, char hex[ARCHIVE_HEX_BYTES]);

/* directory/name; MR_CONFIG when that is too long. */
MR_NODISCARD enum mr_status archive_path(const char *directory, const char *name,
                                         char path[ARCHIVE_PATH_BYTES], struct mr_err *err);

#endif
