/* ocf_read.c -- reading containers. See ocf.h. */
#include "millrace/arena.h"
#include "millrace/wire.h"
#include "ocf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#define CHECKSUM_BYTES 4
#define INFLATE_FIRST_BYTES ((size_t)256 * 1024)

struct ocf_reader {
    FILE *file;
    char *name;
    int64_t size;
    int64_t at;
    struct mr_buffer meta_bytes; /* what meta points into */
    struct ocf_meta meta[OCF_META_MAX];
    size_t meta_count;
    enum ocf_codec codec;
    uint8_t sync[OCF_SYNC_BYTES];
    struct mr_buffer packed;
    struct mr_buffer unpacked;
};

static enum mr_status wrong(const struct ocf_reader *reader, int64_t at, const char *what,
                            struct mr_err *err)
{
    return mr_fail(err, MR_CORRUPT, "%s: byte %" PRId64 ": %s", reader->name, at, what);
}

static enum mr_status read_bytes(struct ocf_reader *reader, void *to, size_t bytes,
                                 struct mr_err *err)
{
    if ((uint64_t)bytes > (uint64_t)(reader->size - reader->at)) {
        return wrong(reader, reader->size, "the file ends too early", err);
    }
    if (bytes > 0 && fread(to, 1, bytes, reader->file) != bytes) {
        return mr_fail(err, MR_RESOURCE, "%s: cannot be read at byte %" PRId64, reader->name,
                       reader->at);
    }
    reader->at += (int64_t)bytes;
    return MR_OK;
}

static enum mr_status read_long(struct ocf_reader *reader, int64_t *value, struct mr_err *err)
{
    const int64_t begin = reader->at;
    uint8_t bytes[MR_WIRE_VARINT_BYTES_MAX];
    struct mr_wire_reader in = {.at = bytes};
    size_t count = 0;

    do {
        MR_TRY(read_bytes(reader, &bytes[count], 1, err));
        count++;
    } while (bytes[count - 1] >= 0x80 && count < sizeof bytes);
    in.end = bytes + count;
    return mr_wire_long(&in, 0, value) ? MR_OK : wrong(reader, begin, "not an Avro long", err);
}

/* A length of something that must be in the file. */
static enum mr_status read_size(struct ocf_reader *reader, size_t max, size_t *size,
                                struct mr_err *err)
{
    const int64_t begin = reader->at;
    int64_t value = 0;

    MR_TRY(read_long(reader, &value, err));
    if (value < 0) {
        return wrong(reader, begin, "a negative length", err);
    }
    if (value > reader->size - reader->at) {
        return mr_fail(err, MR_CORRUPT,
                       "%s: byte %" PRId64 ": the file ends too early: %" PRId64
                       " bytes should follow, %" PRId64 " do",
                       reader->name, reader->size, value, reader->size - reader->at);
    }
    if ((uint64_t)value > max) {
        return wrong(reader, begin, "a length beyond what is allowed", err);
    }
    *size = (size_t)value;
    return MR_OK;
}

/* ---- the header -------------------------------------------------------------------------------
 */

/* A string or bytes, behind what is in meta_bytes, with a NUL after it. */
static enum mr_status read_text(struct ocf_reader *reader, size_t *offset, size_t *len,
                                struct mr_err *err)
{
    struct mr_buffer *to = &reader->meta_bytes;

    MR_TRY(read_size(reader, OCF_META_BYTES_MAX - to->len, len, err));
    *offset = to->len;
    MR_TRY(read_bytes(reader, mr_buffer_reserve(to, *len + 1), *len, err));
    to->len += *len;
    mr_buffer_append(to, "", 1);
    return MR_OK;
}

struct places {
    size_t name[OCF_META_MAX];
    size_t name_len[OCF_META_MAX];
    size_t value[OCF_META_MAX];
    size_t value_len[OCF_META_MAX];
};

static enum mr_status read_pairs(struct ocf_reader *reader, struct places *places,
                                 struct mr_err *err)
{
    int64_t left = 0;

    for (;;) {
        const int64_t begin = reader->at;

        MR_TRY(read_long(reader, &left, err));
        if (left == 0) {
            return MR_OK;
        }
        if (left < 0) { /* then the bytes of the block stand before it, for those who skip it */
            int64_t ignored = 0;

            MR_TRY(read_long(reader, &ignored, err));
            left = left == INT64_MIN ? INT64_MAX : -left;
        }
        if (left > (int64_t)(OCF_META_MAX - reader->meta_count)) {
            return wrong(reader, begin, "more metadata than is allowed", err);
        }
        for (; left > 0; left--) {
            const size_t i = reader->meta_count++;

            MR_TRY(read_text(reader, &places->name[i], &places->name_len[i], err));
            MR_TRY(read_text(reader, &places->value[i], &places->value_len[i], err));
        }
    }
}

static enum mr_status read_codec(struct ocf_reader *reader, struct mr_err *err)
{
    struct mr_slice codec = mr_slice_str("null");

    (void)ocf_read_meta(reader, "avro.codec", &codec);
    if (mr_slice_equal(codec, mr_slice_str("deflate"))) {
        reader->codec = OCF_DEFLATE;
        return MR_OK;
    }
    reader->codec = OCF_NULL;
    return codec.len == 0 || mr_slice_equal(codec, mr_slice_str("null"))
               ? MR_OK
               : mr_fail(err, MR_CORRUPT, "%s: codec %.40s is neither null nor deflate",
                         reader->name, (const char *)codec.data);
}

static enum mr_status read_header(struct ocf_reader *reader, struct mr_err *err)
{
    struct places places;
    struct mr_slice schema;
    uint8_t magic[4];

    MR_TRY(read_bytes(reader, magic, sizeof magic, err));
    if (memcmp(magic, "Obj\x01", sizeof magic) != 0) {
        return wrong(reader, 0, "not an Avro object container file", err);
    }
    MR_TRY(read_pairs(reader, &places, err));
    for (size_t i = 0; i < reader->meta_count; i++) {
        const uint8_t *base = reader->meta_bytes.data;

        reader->meta[i] =
            (struct ocf_meta){.name = (const char *)base + places.name[i],
                              .value = mr_slice_of(base + places.value[i], places.value_len[i])};
        if (strlen(reader->meta[i].name) != places.name_len[i]) {
            return wrong(reader, 4, "a name of the metadata holds a NUL byte", err);
        }
    }
    MR_TRY(read_bytes(reader, reader->sync, sizeof reader->sync, err));
    if (!ocf_read_meta(reader, "avro.schema", &schema)) {
        return wrong(reader, 4, "the metadata has no avro.schema", err);
    }
    return read_codec(reader, err);
}

enum mr_status ocf_read_open(FILE *file, const char *name, struct ocf_reader **out,
                             struct mr_err *err)
{
    struct ocf_reader *reader = mr_xcalloc(1, sizeof *reader);
    enum mr_status status;

    reader->file = file;
    reader->name = mr_xstrdup(name);
    if (fseek(file, 0, SEEK_END) != 0 || (reader->size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0) {
        status = mr_fail(err, MR_RESOURCE, "%s: its end cannot be found", name);
    } else {
        status = read_header(reader, err);
    }
    if (status != MR_OK) {
        ocf_read_close(&reader);
    }
    *out = reader;
    return status;
}

bool ocf_read_meta(const struct ocf_reader *reader, const char *name, struct mr_slice *value)
{
    for (size_t i = 0; i < reader->meta_count; i++) {
        if (strcmp(reader->meta[i].name, name) == 0) {
            *value = reader->meta[i].value;
            return true;
        }
    }
    return false;
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

/*
 * Raw deflate: no header, no checksum. Behind it may stand what is left of zlib's checksum: some
 * writers (fastavro) make raw deflate of zlib's format by cutting it off, and leave three bytes.
 */
static bool inflate_all(struct mr_slice packed, struct mr_buffer *out)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.len};
    size_t room = INFLATE_FIRST_BYTES;
    int rc = inflateInit2(&stream, -MAX_WBITS);

    MR_ASSERT(rc == Z_OK);
    mr_buffer_clear(out);
    while (rc == Z_OK && out->len < OCF_BLOCK_BYTES_MAX) {
        stream.next_out = mr_buffer_reserve(out, room);
        stream.avail_out = (uInt)room;
        rc = inflate(&stream, Z_NO_FLUSH);
        out->len += room - stream.avail_out;
        room = out->len < INFLATE_FIRST_BYTES ? INFLATE_FIRST_BYTES : out->len;
    }
    (void)inflateEnd(&stream);
    return rc == Z_STREAM_END && stream.avail_in <= CHECKSUM_BYTES &&
           out->len <= OCF_BLOCK_BYTES_MAX;
}

enum mr_status ocf_read_block(struct ocf_reader *reader, struct ocf_block *block, bool *end,
                              struct mr_err *err)
{
    uint8_t sync[OCF_SYNC_BYTES];
    size_t size = 0;
    int64_t data_at;

    *block = (struct ocf_block){.at = reader->at};
    *end = reader->at == reader->size;
    if (*end) {
        return MR_OK;
    }
    MR_TRY(read_long(reader, &block->count, err));
    if (block->count < 0) {
        return wrong(reader, block->at, "a block of a negative number of records", err);
    }
    MR_TRY(read_size(reader, OCF_BLOCK_BYTES_MAX, &size, err));
    data_at = reader->at;
    mr_buffer_clear(&reader->packed);
    MR_TRY(read_bytes(reader, mr_buffer_reserve(&reader->packed, size), size, err));
    reader->packed.len = size;
    MR_TRY(read_bytes(reader, sync, sizeof sync, err));
    if (memcmp(sync, reader->sync, sizeof sync) != 0) {
        return wrong(reader, reader->at - (int64_t)sizeof sync,
                     "the block does not end with the file's sync marker", err);
    }
    block->data = mr_buffer_slice(&reader->packed);
    if (reader->codec == OCF_DEFLATE) {
        if (!inflate_all(block->data, &reader->unpacked)) {
            return wrong(reader, data_at, "the block cannot be inflated", err);
        }
        block->data = mr_buffer_slice(&reader->unpacked);
    }
    return MR_OK;
}

void ocf_read_close(struct ocf_reader **reader)
{
    struct ocf_reader *old = *reader;

    if (old == NULL) {
        return;
    }
    (void)fclose(old->file);
    mr_buffer_fini(&old->meta_bytes);
    mr_buffer_fini(&old->packed);
    mr_buffer_fini(&old->unpacked);
    free(old->name);
    free(old);
    *reader = NULL;
}
