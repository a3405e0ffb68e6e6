/* redis_layout.c -- see redis_layout.h. */
#include "redis_layout.h"

#include "avro/book_snapshot.h"
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "domain/decimal.h"
#include "record_field.h"

#include <inttypes.h>

const char *const redis_schemas[] = {"ExecutionReport", "Position", "BookSnapshot", "OrderCommand",
                                     NULL};

/* Guards are compared as text: Lua's numbers are exact only up to 2^53. */
#define NEWER                                                                                      \
    "local function newer(a, b)\n"                                                                 \
    "  if #a ~= #b then return #a > #b end\n"                                                      \
    "  return a > b\n"                                                                             \
    "end\n"

/*
 * Fields that the new state lacks are removed after the new ones are written, not the key before: a
 * server out of memory refuses a script's first write only, and that must be the one that needs
 * room.
 */
const char redis_hash_script[] =
    NEWER "local old = redis.call('HGET', KEYS[1], ARGV[1])\n"
          "if old and not newer(ARGV[2], old) then return 0 end\n"
          "redis.call('HSET', KEYS[1], unpack(ARGV, 4))\n"
          "if old then\n"
          "  local kept = {}\n"
          "  for i = 4, #ARGV, 2 do kept[ARGV[i]] = true end\n"
          "  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do\n"
          "    if not kept[name] then redis.call('HDEL', KEYS[1], name) end\n"
          "  end\n"
          "end\n"
          "if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end\n"
          "return 1\n";

/* The same snapshot again is written again: it extends the book's life. */
const char redis_book_script[] =
    NEWER "local old = redis.call('HGET', KEYS[2], 'lastSeq')\n"
          "if old and newer(old, ARGV[1]) then return 0 end\n"
          "redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])\n"
          "redis.call('HSET', KEYS[2], 'lastSeq', ARGV[1], 'checksum', ARGV[4], 'ts', ARGV[5])\n"
          "return 1\n";

/* ---- shapes ---- */

static void append(struct mr_buffer *out, struct mr_slice text)
{
    mr_buffer_append(out, text.data, text.len);
}

static void append_pair(struct mr_buffer *out, struct mr_slice first, struct mr_slice second)
{
    if (first.len > 0 && second.len > 0) {
        append(out, first);
        mr_buffer_append(out, ":", 1);
        append(out, second);
    }
}

/* The refusal of a cancel is a report about the command that asked, not about an order. */
static bool is_about_order(const void *record)
{
    const struct oms_execution_report *report = record;

    return report->exec_type != OMS_EXEC_TYPE_CANCEL_REJECTED;
}

static void order_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_execution_report *report = record;

    append(out, report->order_id);
}

static int64_t order_version(const void *record)
{
    const struct oms_execution_report *report = record;

    return report->version;
}

static void position_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_position *position = record;

    append_pair(out, position->user_id, position->symbol);
}

static int64_t position_version(const void *record)
{
    const struct oms_position *position = record;

    return position->version;
}

/* The key that the dedupe stage uses: the client's, else the client's order id, else the order's
 * own. */
static void request_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_order_command *command = record;

    append_pair(out, command->user_id,
                command->has_idempotency_key   ? command->idempotency_key
                : command->has_client_order_id ? command->client_order_id
                                               : command->order_id);
}

/* A key is used again only when its window is over: the later command counts, a replay does not. */
static int64_t request_time(const void *record)
{
    const struct oms_order_command *command = record;

    return command->ts_us;
}

static const char *const REQUEST_FIELDS[] = {"eventId", "ts",          "action",
                                             "orderId", "fingerprint", NULL};

static void book_identity(const void *record, struct mr_buffer *out)
{
    const struct oms_book_snapshot *book = record;

    append(out, book->symbol);
}

static int64_t book_seq(const void *record)
{
    const struct oms_book_snapshot *book = record;

    return book->last_seq;
}

int64_t redis_book_checksum(const void *book)
{
    const struct oms_book_snapshot *snapshot = book;

    return snapshot->checksum;
}

static const struct redis_shape SHAPES[] = {
    {.schema = &oms_execution_report_schema,
     .kind = REDIS_HASH,
     .life = REDIS_ORDER_LIFE,
     .key_prefix = "order:",
     .wanted = is_about_order,
     .identity = order_identity,
     .guard = order_version,
     .guard_field = "version"},
    {.schema = &oms_position_schema,
     .kind = REDIS_HASH,
     .life = REDIS_KEPT,
     .key_prefix = "position:",
     .keyed = true,
     .identity = position_identity,
     .guard = position_version,
     .guard_field = "version"},
    {.schema = &oms_order_command_schema,
     .kind = REDIS_HASH,
     .life = REDIS_REQUEST_LIFE,
     .key_prefix = "idempotency:",
     .identity = request_identity,
     .guard = request_time,
     .guard_field = "ts",
     .fields = REQUEST_FIELDS},
    {.schema = &oms_book_snapshot_schema,
     .kind = REDIS_BOOK,
     .life = REDIS_BOOK_LIFE,
     .key_prefix = "orderbook:",
     .keyed = true,
     .identity = book_identity,
     .guard = book_seq,
     .guard_field = "lastSeq"},
};

const struct redis_shape *redis_shape_find(const struct mr_schema *schema)
{
    for (size_t i = 0; i < MR_COUNT(SHAPES); i++) {
        if (SHAPES[i].schema == schema) {
            return &SHAPES[i];
        }
    }
    return NULL;
}

/* ---- arguments ---- */

void redis_args_clear(struct redis_args *args)
{
    mr_buffer_clear(&args->text);
    args->begins[0] = 0;
    args->count = 0;
}

void redis_args_fini(struct redis_args *args)
{
    mr_buffer_fini(&args->text);
}

void redis_args_close(struct redis_args *args)
{
    MR_ASSERT(args->count < REDIS_ARGS_MAX);
    args->count++;
    args->begins[args->count] = args->text.len;
}

void redis_args_add(struct redis_args *args, struct mr_slice value)
{
    mr_buffer_append(&args->text, value.data, value.len);
    redis_args_close(args);
}

void redis_args_number(struct redis_args *args, int64_t value)
{
    mr_buffer_printf(&args->text, "%" PRId64, value);
    redis_args_close(args);
}

/* ---- values ---- */

static void append_hex(struct mr_buffer *out, const uint8_t *data, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        mr_buffer_append(out, &DIGITS[data[i] >> 4], 1);
        mr_buffer_append(out, &DIGITS[data[i] & 15], 1);
    }
}

static void append_decimal(struct mr_buffer *out, mr_i128 atoms)
{
    char text[DEC_TEXT_MAX];

    mr_buffer_append(out, text, dec_format(atoms, text));
}

/* Plain text of any field but an array. */
static void append_value(struct mr_buffer *out, const struct mr_schema_field *field,
                         const void *record)
{
    struct mr_slice bytes;

    switch (field->kind) {
    case MR_FIELD_STRING:
        append(out, record_field_slice(field, record));
        break;
    case MR_FIELD_BYTES:
        bytes = record_field_slice(field, record);
        append_hex(out, bytes.data, bytes.len);
        break;
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US:
        mr_buffer_printf(out, "%" PRId64, record_field_int64(field, record));
        break;
    case MR_FIELD_INT:
        mr_buffer_printf(out, "%" PRId32, record_field_int32(field, record));
        break;
    case MR_FIELD_BOOL:
        append(out, mr_slice_str(record_field_bool(field, record) ? "true" : "false"));
        break;
    case MR_FIELD_DECIMAL:
        append_decimal(out, record_field_decimal(field, record));
        break;
    case MR_FIELD_FIXED:
        append_hex(out, record_field_at(field, record), field->fixed_bytes);
        break;
    case MR_FIELD_ENUM:
        append(out, mr_slice_str(record_field_symbol(field, record)));
        break;
    case MR_FIELD_ARRAY:
    default:
        MR_ASSERT(false);
    }
}

static bool is_among(const char *const *only, const char *name)
{
    for (size_t i = 0; only[i] != NULL; i++) {
        if (strcmp(only[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void redis_add_fields(struct redis_args *args, const struct redis_shape *shape, const void *record)
{
    for (size_t i = 0; i < shape->schema->field_count; i++) {
        const struct mr_schema_field *field = &shape->schema->fields[i];

        if (record_field_present(field, record) &&
            (shape->fields == NULL || is_among(shape->fields, field->name))) {
            redis_args_add(args, mr_slice_str(field->name));
            append_value(&args->text, field, record);
            redis_args_close(args);
        }
    }
}

/* ---- JSON ---- */

static void append_quoted(struct mr_buffer *out, struct mr_slice text)
{
    mr_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];

        if (c < 0x20) {
            mr_buffer_printf(out, "\\u%04x", (unsigned)c);
        } else {
            if (c == '"' || c == '\\') {
                mr_buffer_append(out, "\\", 1);
            }
            mr_buffer_append(out, &c, 1);
        }
    }
    mr_buffer_append(out, "\"", 1);
}

static void append_json_value(struct mr_buffer *out, const struct mr_schema_field *field,
                              const void *record)
{
    const bool bare = field->kind == MR_FIELD_LONG || field->kind == MR_FIELD_INT ||
                      field->kind == MR_FIELD_TIMESTAMP_US || field->kind == MR_FIELD_BOOL;

    if (field->kind == MR_FIELD_STRING) {
        append_quoted(out, record_field_slice(field, record));
        return;
    }
    mr_buffer_append(out, "\"", bare ? 0 : 1);
    append_value(out, field, record);
    mr_buffer_append(out, "\"", bare ? 0 : 1);
}

static void append_name(struct mr_buffer *out, const char *name, bool first)
{
    mr_buffer_printf(out, "%s\"%s\":", first ? "" : ",", name);
}

static void append_items(struct mr_buffer *out, const struct mr_schema_field *field,
                         const void *record)
{
    const struct record_items items = record_field_items(field, record);

    mr_buffer_append(out, "[", 1);
    for (size_t i = 0; i < items.count; i++) {
        const uint8_t *item = items.items + i * field->item_bytes;
        bool first = true;

        append(out, mr_slice_str(i == 0 ? "{" : ",{"));
        for (size_t f = 0; f < field->items->field_count; f++) {
            const struct mr_schema_field *inner = &field->items->fields[f];

            if (record_field_present(inner, item)) {
                append_name(out, inner->name, first);
                append_json_value(out, inner, item);
                first = false;
            }
        }
        mr_buffer_append(out, "}", 1);
    }
    mr_buffer_append(out, "]", 1);
}

void redis_append_json(struct mr_buffer *out, const struct mr_schema *schema, const void *record)
{
    bool first = true;

    mr_buffer_append(out, "{", 1);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (!record_field_present(field, record)) {
            continue;
        }
        append_name(out, field->name, first);
        first = false;
        if (field->kind == MR_FIELD_ARRAY) {
            append_items(out, field, record);
        } else {
            append_json_value(out, field, record);
        }
    }
    mr_buffer_append(out, "}", 1);
}
