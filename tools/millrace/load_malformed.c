/*
 * load_malformed.c -- see load_malformed.h.
 */
#include "load_malformed.h"

#include "millrace/status.h"

#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 5
#define UNKNOWN_ID INT32_C(0x7ffffff0)

enum kind { BAD_MAGIC, UNKNOWN_SCHEMA, CUT_SHORT, BAD_ENUM, TEXT, HEADER_ONLY, KIND_COUNT };

static void write_header(uint8_t *bytes, uint8_t magic, int32_t id)
{
    const uint32_t value = (uint32_t)id;

    bytes[0] = magic;
    for (int i = 0; i < 4; i++) {
        bytes[1 + i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* An Avro string shorter than 64 bytes: one length byte, then the text. */
static size_t write_string(uint8_t *bytes, const char *text)
{
    const size_t len = strlen(text);

    MR_ASSERT(len < 64);
    bytes[0] = (uint8_t)(2 * len);
    memcpy(bytes + 1, text, len);
    return len + 1;
}

size_t load_malformed_write(int64_t kind, int32_t schema_id, const char *mark, uint8_t *bytes,
                            size_t bytes_max)
{
    size_t used = HEADER_BYTES;

    MR_ASSERT(bytes_max >= 96 && kind >= 0);
    write_header(bytes, 0, schema_id);
    switch ((enum kind)(kind % KIND_COUNT)) {
    case BAD_MAGIC:
        write_header(bytes, 7, schema_id);
        return used + write_string(bytes + used, mark);
    case UNKNOWN_SCHEMA:
        write_header(bytes, 0, UNKNOWN_ID);
        return used + write_string(bytes + used, mark);
    case CUT_SHORT: /* the eventId announces more bytes than there are */
        used += write_string(bytes + used, mark);
        bytes[HEADER_BYTES] = 126;
        return used;
    case BAD_ENUM:
        used += write_string(bytes + used, mark);
        bytes[used++] = 0;  /* ts 0 */
        bytes[used++] = 0;  /* no traceId */
        bytes[used++] = 98; /* action 49 */
        return used;
    case TEXT:
        return (size_t)snprintf((char *)bytes, bytes_max,
                                "{\"note\": \"not Avro\", \"id\": \"%s\"}", mark);
    case HEADER_ONLY:
    case KIND_COUNT:
    default:
        return used;
    }
}
