/* archive_file.c -- see archive_file.h. */
#include "archive_file.h"

#include "millrace/option.h"

#include <errno.h>
#include <inttypes.h>

#define COUNT_DIGITS 20

static const struct {
    const char *name;
    size_t offset;
} counted[] = {
    {"millrace.records", offsetof(struct archive_counts, records)},
    {"millrace.first-offset", offsetof(struct archive_counts, first_offset)},
    {"millrace.last-offset", offsetof(struct archive_counts, last_offset)},
    {"millrace.resolved", offsetof(struct archive_counts, resolved)},
    {"millrace.unreadable", offsetof(struct archive_counts, unreadable)},
};

size_t archive_counts_meta(struct ocf_meta *meta)
{
    for (size_t i = 0; i < MR_COUNT(counted); i++) {
        meta[i] = (struct ocf_meta){.name = counted[i].name,
                                    .value = mr_slice_str("00000000000000000000")};
    }
    return MR_COUNT(counted);
}

enum mr_status archive_counts_write(struct ocf_writer *writer, const struct archive_counts *counts,
                                    struct mr_err *err)
{
    for (size_t i = 0; i < MR_COUNT(counted); i++) {
        char digits[COUNT_DIGITS + 1];
        int64_t value = 0;

        memcpy(&value, (const uint8_t *)counts + counted[i].offset, sizeof value);
        (void)snprintf(digits, sizeof digits, "%0*" PRId64, COUNT_DIGITS, value);
        MR_TRY(ocf_write_meta(writer, counted[i].name, mr_slice_of(digits, COUNT_DIGITS), err));
    }
    return MR_OK;
}

bool archive_meta_int(const struct ocf_reader *reader, const char *name, int64_t *value)
{
    struct mr_slice text;
    struct mr_err ignored;

    /* Every value of a reader has a NUL behind it. */
    return ocf_read_meta(reader, name, &text) && text.len > 0 &&
           strlen((const char *)text.data) == text.len &&
           mr_parse_int((const char *)text.data, value, &ignored) == MR_OK;
}

bool archive_counts_read(const struct ocf_reader *reader, struct archive_counts *counts)
{
    for (size_t i = 0; i < MR_COUNT(counted); i++) {
        int64_t value = 0;

        if (!archive_meta_int(reader, counted[i].name, &value)) {
            return false;
        }
        memcpy((uint8_t *)counts + counted[i].offset, &value, sizeof value);
    }
    return true;
}

void archive_hex(struct sha256 *sha, char hex[ARCHIVE_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];

    sha256_finish(sha, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)digest[i]);
    }
}

enum mr_status archive_digest(const char *path, char hex[ARCHIVE_HEX_BYTES], int64_t *bytes,
                              struct mr_err *err)
{
    FILE *file = fopen(path, "rb");
    struct sha256 sha;
    uint8_t part[8192];
    size_t got;
    bool good;

    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", path, strerror(errno));
    }
    sha256_init(&sha);
    *bytes = 0;
    while ((got = fread(part, 1, sizeof part, file)) > 0) {
        sha256_add(&sha, part, got);
        *bytes += (int64_t)got;
    }
    good = ferror(file) == 0;
    (void)fclose(file);
    if (!good) {
        return mr_fail(err, MR_RESOURCE, "%s: cannot be read", path);
    }
    archive_hex(&sha, hex);
    return MR_OK;
}

enum mr_status archive_path(const char *directory, const char *name, char path[ARCHIVE_PATH_BYTES],
                            struct mr_err *err)
{
    return snprintf(path, ARCHIVE_PATH_BYTES, "%s/%s", directory, name) < (int)ARCHIVE_PATH_BYTES
               ? MR_OK
               : mr_fail(err, MR_CONFIG, "%.200s: the name is too long", directory);
}
