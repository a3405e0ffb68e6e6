/* dlq_place.c -- see dlq_place.h. */
#include "dlq_place.h"

#include "millrace/codec.h"
#include "millrace/wire.h"

#define LINE_BYTES ((size_t)16)
#define HEAD_LINES ((size_t)8)   /* shown of every value */
#define AROUND_LINES ((size_t)2) /* shown before and behind the mark */

static bool skip_scalar(struct mr_wire_reader *in, const struct mr_schema_field *field)
{
    struct mr_slice bytes;
    mr_i128 decimal = 0;
    int64_t wide = 0;
    int32_t narrow = 0;
    unsigned ordinal = 0;
    bool flag = false;

    switch (field->kind) {
    case MR_FIELD_STRING:
        return mr_wire_string(in, 0, &bytes);
    case MR_FIELD_BYTES:
        return mr_wire_bytes(in, 0, &bytes);
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        return mr_wire_long(in, 0, &wide);
    case MR_FIELD_INT:
        return mr_wire_int(in, 0, &narrow);
    case MR_FIELD_BOOL:
        return mr_wire_bool(in, 0, &flag);
    case MR_FIELD_DECIMAL:
        return mr_wire_decimal(in, 0, &decimal);
    case MR_FIELD_ENUM:
        return mr_wire_ordinal(in, 0, (unsigned)field->symbol_count, &ordinal);
    case MR_FIELD_FIXED:
        if ((size_t)(in->end - in->at) < field->fixed_bytes) {
            return mr_wire_fail(in, 0, MR_WIRE_TRUNCATED);
        }
        in->at += field->fixed_bytes;
        return true;
    case MR_FIELD_ARRAY:
        break;
    }
    return mr_wire_fail(in, 0, MR_WIRE_BLOCK); /* arrays stand only at the top */
}

static bool skip_present(struct mr_wire_reader *in, const struct mr_schema_field *field,
                         bool *present)
{
    *present = true;
    return !field->nullable || mr_wire_present(in, 0, present);
}

static bool skip_items(struct mr_wire_reader *in, const struct mr_schema *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < items->field_count; f++) {
            bool present = false;

            if (!skip_present(in, &items->fields[f], &present) ||
                (present && !skip_scalar(in, &items->fields[f]))) {
                return false;
            }
        }
    }
    return true;
}

static bool skip_array(struct mr_wire_reader *in, const struct mr_schema *items)
{
    size_t seen = 0;
    size_t count = 0;

    do {
        const uint8_t *block_end = NULL;

        if (!mr_wire_block(in, 0, 1, seen, &count, &block_end) || !skip_items(in, items, count) ||
            !mr_wire_block_close(in, 0, block_end)) {
            return false;
        }
        seen += count;
    } while (count > 0);
    return true;
}

size_t dlq_place_find(const struct mr_schema *schema, struct mr_slice framed, const char **field)
{
    struct mr_wire_reader in = {0};

    *field = "";
    if (framed.len == 0 || framed.data[0] != 0) {
        return 0;
    }
    if (framed.len < MR_WIRE_HEADER_BYTES) {
        return framed.len;
    }
    in.at = framed.data + MR_WIRE_HEADER_BYTES;
    in.end = framed.data + framed.len;
    for (size_t i = 0; i < schema->field_count; i++) {
        const uint8_t *begin = in.at;
        bool present = false;
        bool good = skip_present(&in, &schema->fields[i], &present);

        if (good && present) {
            good = schema->fields[i].kind == MR_FIELD_ARRAY
                       ? skip_array(&in, schema->fields[i].items)
                       : skip_scalar(&in, &schema->fields[i]);
        }
        if (!good) {
            *field = schema->fields[i].name;
            return (size_t)(begin - framed.data);
        }
    }
    return (size_t)(in.at - framed.data);
}

static void dump_line(struct mr_slice bytes, size_t from, const char *indent, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%s%08zx ", indent, from);
    for (size_t i = from; i < from + LINE_BYTES; i++) {
        if (i < bytes.len) {
            mr_buffer_printf(out, " %02x", bytes.data[i]);
        } else {
            mr_buffer_printf(out, "   ");
        }
    }
    mr_buffer_printf(out, "  |");
    for (size_t i = from; i < from + LINE_BYTES && i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];

        mr_buffer_printf(out, "%c", c >= 0x20 && c < 0x7f ? (char)c : '.');
    }
    mr_buffer_printf(out, "|\n");
}

void dlq_place_dump(struct mr_slice bytes, size_t at, const char *word, const char *indent,
                    struct mr_buffer *out)
{
    const size_t lines = at >= bytes.len && at != SIZE_MAX
                             ? bytes.len / LINE_BYTES + 1
                             : (bytes.len + LINE_BYTES - 1) / LINE_BYTES;
    const size_t marked = at == SIZE_MAX ? SIZE_MAX : at / LINE_BYTES;
    bool gap = false;

    for (size_t line = 0; line < lines; line++) {
        const bool near =
            marked != SIZE_MAX && line + AROUND_LINES >= marked && line <= marked + AROUND_LINES;

        if (line >= HEAD_LINES && !near) {
            gap = true;
            continue;
        }
        if (gap) {
            mr_buffer_printf(out, "%s...\n", indent);
            gap = false;
        }
        dump_line(bytes, line * LINE_BYTES, indent, out);
        if (line == marked) {
            mr_buffer_printf(out, "%s%*s^^ byte %zu%s%s\n", indent,
                             (int)(10 + 3 * (at % LINE_BYTES)), "", at, word[0] == '\0' ? "" : ": ",
                             word);
        }
    }
    if (gap) {
        mr_buffer_printf(out, "%s... %zu bytes in all\n", indent, bytes.len);
    }
}
