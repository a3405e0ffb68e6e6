/*
 * archive_export.h -- committed records of topics into files, one a partition.
 *
 * How: each file is written under a temporary name, flushed to the disk and renamed, so that a file
 *   that is there is whole; the manifest comes last. A run that finds files of an earlier one and
 * no manifest keeps those that it would write the same way, and writes the others. Values become
 * records of the schema that the topology gives the topic (docs/adr/0023).
 */
#ifndef MILLRACE_ARCHIVE_EXPORT_H
#define MILLRACE_ARCHIVE_EXPORT_H

#include "archive_file.h"
#include "archive_range.h"

struct archive_export_options {
    const char *directory; /* made when it is not there */
    struct archive_bound from;
    struct archive_bound to; /* exclusive */
    const bool *partitions;  /* LOAD_PARTITIONS_MAX */
    enum ocf_codec codec;
    bool raw; /* values as bytes, with their wire header, whatever the topic is */
};

/* One file of an export. */
struct archive_written {
    size_t topic; /* of the topology */
    int32_t partition;
    int32_t partitions;
    int64_t from_offset;
    int64_t to_offset;
    char name[ARCHIVE_NAME_BYTES];
    bool kept; /* of an earlier run */
    struct archive_counts counts;
    char sha256[ARCHIVE_HEX_BYTES];
    int64_t bytes;
};

struct archive_export {
    const struct load_env *env;
    const struct archive_export_options *options;
    struct archive_written *files;
    size_t file_count;
};

/*
 * topics: names; each must be of env's topology. export is filled in; fini in any case.
 * Returns MR_OK | MR_CONFIG, MR_EXISTS (the directory holds a finished export) before anything is
 * written | what reading and writing can return
 */
MR_NODISCARD enum mr_status archive_export_run(struct archive_export *export,
                                               const char *const *topics, size_t count,
                                               struct mr_err *err);
void archive_export_fini(struct archive_export *export);

/* archive_manifest.c: what was exported, as JSON. */
void archive_manifest_text(const struct archive_export *export, struct mr_buffer *out);
MR_NODISCARD enum mr_status archive_manifest_write(const struct archive_export *export,
                                                   struct mr_err *err);

/* archive_partition.c: writes one file; its name, place and range are filled in. */
MR_NODISCARD enum mr_status archive_partition_write(const struct archive_export *export,
                                                    struct archive_written *file,
                                                    void (*moved)(void *arg, int64_t offset),
                                                    void *arg, struct mr_err *err);
/* Whether the file is there, whole and as this run would write it; counts are read then. */
bool archive_partition_kept(const struct archive_export *export, struct archive_written *file);

#endif
