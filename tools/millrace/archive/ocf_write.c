/* ocf_write.c -- writing containers. See ocf.h. */
#include "domain/sha256.h"
#include "millrace/arena.h"
#include "millrace/wire.h"
#include "ocf.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK_BYTES ((size_t)256 * 1024) /* a block is full when it has as many */

struct place {
    char *name;
    long at;
    size_t len;
};

struct ocf_writer {
    FILE *file;
    char *name;
    enum ocf_codec codec;
    uint8_t sync[OCF_SYNC_BYTES];
    struct place *places; /* of the metadata values */
    size_t place_count;
    int64_t count; /* records in block */
    struct mr_buffer block;
    struct mr_buffer packed;
};

static void put_long(struct mr_buffer *out, int64_t value)
{
    uint8_t *at = mr_buffer_reserve(out, MR_WIRE_VARINT_BYTES_MAX);

    out->len += (size_t)(mr_wire_put_long(at, value) - at);
}

static void put_bytes(struct mr_buffer *out, struct mr_slice bytes)
{
    put_long(out, (int64_t)bytes.len);
    mr_buffer_append(out, bytes.data, bytes.len);
}

static enum mr_status write_bytes(struct ocf_writer *writer, struct mr_slice bytes,
                                  struct mr_err *err)
{
    return fwrite(bytes.data, 1, bytes.len, writer->file) == bytes.len
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write %s: %s", writer->name, strerror(errno));
}

static void put_meta(struct ocf_writer *writer, const struct ocf_meta *meta, struct mr_buffer *out)
{
    put_bytes(out, mr_slice_str(meta->name));
    put_bytes(out, meta->value);
    writer->places[writer->place_count++] = (struct place){.name = mr_xstrdup(meta->name),
                                                           .at = (long)(out->len - meta->value.len),
                                                           .len = meta->value.len};
}

static enum mr_status write_header(struct ocf_writer *writer,
                                   const struct ocf_write_options *options, struct mr_err *err)
{
    struct mr_buffer header = MR_BUFFER_EMPTY;
    struct sha256 sha;
    uint8_t digest[SHA256_BYTES];
    enum mr_status status;

    writer->places = mr_xcalloc(options->meta_count + 2, sizeof *writer->places);
    mr_buffer_append(&header, "Obj\x01", 4);
    put_long(&header, (int64_t)options->meta_count + 2);
    put_meta(
        writer,
        &(struct ocf_meta){.name = "avro.codec",
                           .value = mr_slice_str(writer->codec == OCF_NULL ? "null" : "deflate")},
        &header);
    put_meta(writer,
             &(struct ocf_meta){.name = "avro.schema", .value = mr_slice_str(options->schema)},
             &header);
    for (size_t i = 0; i < options->meta_count; i++) {
        put_meta(writer, &options->meta[i], &header);
    }
    put_long(&header, 0);
    sha256_init(&sha);
    sha256_add(&sha, header.data, header.len);
    sha256_finish(&sha, digest);
    memcpy(writer->sync, digest, sizeof writer->sync);
    mr_buffer_append(&header, writer->sync, sizeof writer->sync);
    status = write_bytes(writer, mr_buffer_slice(&header), err);
    mr_buffer_fini(&header);
    return status;
}

enum mr_status ocf_write_open(FILE *file, const char *name, const struct ocf_write_options *options,
                              struct ocf_writer **out, struct mr_err *err)
{
    struct ocf_writer *writer = mr_xcalloc(1, sizeof *writer);
    enum mr_status status;

    writer->file = file;
    writer->name = mr_xstrdup(name);
    writer->codec = options->codec;
    status = write_header(writer, options, err);
    if (status != MR_OK) {
        ocf_write_close(&writer);
    }
    *out = writer;
    return status;
}

/* Raw deflate: no header, no checksum. */
static void deflate_all(struct mr_slice data, struct mr_buffer *out)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data.data, .avail_in = (uInt)data.len};

    MR_ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
    const size_t room = deflateBound(&stream, (uLong)data.len);

    mr_buffer_clear(out);
    stream.next_out = mr_buffer_reserve(out, room);
    stream.avail_out = (uInt)room;
    MR_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out->len = room - stream.avail_out;
    (void)deflateEnd(&stream);
}

static enum mr_status write_block(struct ocf_writer *writer, struct mr_err *err)
{
    struct mr_slice data = mr_buffer_slice(&writer->block);
    struct mr_buffer head = MR_BUFFER_EMPTY;
    enum mr_status status;

    if (writer->count == 0) {
        return MR_OK;
    }
    if (writer->codec == OCF_DEFLATE) {
        deflate_all(data, &writer->packed);
        data = mr_buffer_slice(&writer->packed);
    }
    put_long(&head, writer->count);
    put_long(&head, (int64_t)data.len);
    status = write_bytes(writer, mr_buffer_slice(&head), err);
    mr_buffer_fini(&head);
    MR_TRY(status);
    MR_TRY(write_bytes(writer, data, err));
    mr_buffer_clear(&writer->block);
    writer->count = 0;
    return write_bytes(writer, mr_slice_of(writer->sync, sizeof writer->sync), err);
}

enum mr_status ocf_write_add(struct ocf_writer *writer, struct mr_slice record, struct mr_err *err)
{
    mr_buffer_append(&writer->block, record.data, record.len);
    writer->count++;
    return writer->block.len < BLOCK_BYTES ? MR_OK : write_block(writer, err);
}

enum mr_status ocf_write_meta(struct ocf_writer *writer, const char *name, struct mr_slice value,
                              struct mr_err *err)
{
    size_t i = 0;

    while (i < writer->place_count && strcmp(writer->places[i].name, name) != 0) {
        i++;
    }
    MR_ASSERT(i < writer->place_count && writer->places[i].len == value.len);
    if (fseek(writer->file, writer->places[i].at, SEEK_SET) != 0) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", writer->name, strerror(errno));
    }
    MR_TRY(write_bytes(writer, value, err));
    return fseek(writer->file, 0, SEEK_END) == 0
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write %s: %s", writer->name, strerror(errno));
}

enum mr_status ocf_write_finish(struct ocf_writer *writer, struct mr_err *err)
{
    MR_TRY(write_block(writer, err));
    return fflush(writer->file) == 0 && fsync(fileno(writer->file)) == 0
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write %s: %s", writer->name, strerror(errno));
}

void ocf_write_close(struct ocf_writer **writer)
{
    struct ocf_writer *old = *writer;

    if (old == NULL) {
        return;
    }
    (void)fclose(old->file);
    for (size_t i = 0; i < old->place_count; i++) {
        free(old->places[i].name);
    }
    free(old->places);
    mr_buffer_fini(&old->block);
    mr_buffer_fini(&old->packed);
    free(old->name);
    free(old);
    *writer = NULL;
}
