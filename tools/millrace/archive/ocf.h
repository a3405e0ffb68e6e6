/*
 * ocf.h -- Avro object container files: the container, whatever records are in it.
 *
 *   "Obj" 0x01 | metadata: map of bytes | sync, 16 bytes
 *   block: count long | size long | data, deflated or not | sync, 16 bytes
 *   ...
 *
 * Why ours: avro-c 1.11 writes no metadata besides schema and codec and trusts every length it
 *   reads; an archive is checked whole, and what is wrong has a byte of the file as its place.
 * How: a reader knows the size of its file, so that no length is believed that goes beyond it.
 * Not: codecs besides null and deflate, which every implementation has; schemas (archive_shape.h).
 * Thread: a reader or writer has one owner.
 */
#ifndef MILLRACE_OCF_H
#define MILLRACE_OCF_H

#include "millrace/buffer.h"

#include <stdio.h>

#define OCF_SYNC_BYTES ((size_t)16)
#define OCF_META_MAX ((size_t)64)
#define OCF_META_BYTES_MAX ((size_t)4 << 20) /* of all of it: schemas are long */
#define OCF_BLOCK_BYTES_MAX ((size_t)64 << 20)

enum ocf_codec { OCF_NULL, OCF_DEFLATE };

struct ocf_meta {
    const char *name;
    struct mr_slice value;
};

/* ---- reading ----------------------------------------------------------------------------------
 */

struct ocf_reader;

/*
 * Takes file over, which must have an end to seek to; name is for messages and is copied. The
 * header is read.
 * Returns MR_OK | MR_CORRUPT "NAME: byte N: ..." | MR_RESOURCE (the file cannot be read)
 */
MR_NODISCARD enum mr_status ocf_read_open(FILE *file, const char *name, struct ocf_reader **reader,
                                          struct mr_err *err);
/* False when there is none of that name. Lives as long as the reader. */
bool ocf_read_meta(const struct ocf_reader *reader, const char *name, struct mr_slice *value);

struct ocf_block {
    int64_t at;           /* byte of the file where it begins */
    int64_t count;        /* records that it says are in it */
    struct mr_slice data; /* unpacked; until the next call */
};

/* *end: the file is at its end, behind a whole block. Otherwise as ocf_read_open. */
MR_NODISCARD enum mr_status ocf_read_block(struct ocf_reader *reader, struct ocf_block *block,
                                           bool *end, struct mr_err *err);
void ocf_read_close(struct ocf_reader **reader);

/* ---- writing ----------------------------------------------------------------------------------
 */

struct ocf_writer;

struct ocf_write_options {
    enum ocf_codec codec;
    const char *schema;          /* JSON */
    const struct ocf_meta *meta; /* besides avro.schema and avro.codec */
    size_t meta_count;
};

/*
 * Takes file over, which must be seekable. The sync marker is made of the metadata, so that equal
 * records under equal metadata are equal files.
 */
MR_NODISCARD enum mr_status ocf_write_open(FILE *file, const char *name,
                                           const struct ocf_write_options *options,
                                           struct ocf_writer **writer, struct mr_err *err);
/* One record's Avro binary. */
MR_NODISCARD enum mr_status ocf_write_add(struct ocf_writer *writer, struct mr_slice record,
                                          struct mr_err *err);
/* Replaces a metadata value by another of the same length: what is known only at the end. */
MR_NODISCARD enum mr_status ocf_write_meta(struct ocf_writer *writer, const char *name,
                                           struct mr_slice value, struct mr_err *err);
/* The last block, and everything on the disk. */
MR_NODISCARD enum mr_status ocf_write_finish(struct ocf_writer *writer, struct mr_err *err);
void ocf_write_close(struct ocf_writer **writer);

#endif
