/* vocabulary.c -- see vocabulary.h. */
#include "vocabulary.h"

#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "millrace/option.h"

#include <stdio.h>

#define ARENA_BYTES ((size_t)64 * 1024)
#define FIRST_TS_US (INT64_C(1700000000) * MR_SECOND_US)
#define STEP_US (7 * MR_SECOND_US)
#define ATOMS_PER_MILLI INT64_C(1000000000000000)

enum word_kind {
    WORD_TEXT,    /* one of `texts`, separated by blanks */
    WORD_POOL,    /* texts + number below `high` */
    WORD_SERIAL,  /* texts + index, rarely an earlier one */
    WORD_DECIMAL, /* low .. high thousandths, in steps of `step` */
    WORD_INDEX,   /* integer: index */
    WORD_INTEGER, /* low .. high */
};

struct word {
    const char *field;
    enum word_kind kind;
    int present; /* percent, of nullable fields */
    const char *texts;
    int64_t low, high, step;
};

static const struct word words[] = {
    {"userId", WORD_POOL, 100, "u", 0, 4, 1},
    {"symbol", WORD_TEXT, 100, "BTCUSDT ETHUSDT", 0, 0, 1},
    {"asset", WORD_TEXT, 98, "USDT BTC ETH", 0, 0, 1},
    {"baseAsset", WORD_TEXT, 98, "BTC", 0, 0, 1},
    {"quoteAsset", WORD_TEXT, 98, "USDT", 0, 0, 1},
    {"feeAsset", WORD_TEXT, 98, "USDT", 0, 0, 1},
    {"orderId", WORD_POOL, 100, "o", 0, 30, 1},
    {"targetOrderId", WORD_POOL, 15, "o", 0, 30, 1},
    {"eventId", WORD_SERIAL, 100, "e", 0, 0, 1},
    {"commandId", WORD_SERIAL, 100, "e", 0, 0, 1},
    {"execId", WORD_SERIAL, 100, "x", 0, 0, 1},
    {"clientOrderId", WORD_POOL, 50, "c", 0, 40, 1},
    {"idempotencyKey", WORD_POOL, 40, "k", 0, 40, 1},
    {"price", WORD_DECIMAL, 97, NULL, 96000, 104000, 1000},
    {"lastPx", WORD_DECIMAL, 97, NULL, 96000, 104000, 1000},
    {"collarPx", WORD_DECIMAL, 90, NULL, 104000, 110000, 1000},
    {"qty", WORD_DECIMAL, 97, NULL, 1000, 5000, 1000},
    {"orderQty", WORD_DECIMAL, 97, NULL, 1000, 5000, 1000},
    {"lastQty", WORD_DECIMAL, 97, NULL, 1000, 1000, 1000},
    {"quoteQty", WORD_DECIMAL, 2, NULL, 96000, 500000, 1000},
    {"stopPrice", WORD_DECIMAL, 2, NULL, 96000, 104000, 1000},
    {"displayQty", WORD_DECIMAL, 2, NULL, 1000, 2000, 1000},
    {"expireTs", WORD_INTEGER, 2, NULL, 0, INT64_C(2000000000000000), 1},
    {"reserved", WORD_DECIMAL, 97, NULL, 1000000, 2000000, 1000},
    {"holdAfter", WORD_DECIMAL, 97, NULL, 0, 300000, 150000},
    {"feeAmount", WORD_DECIMAL, 97, NULL, 0, 100, 10},
    {"feeMaker", WORD_DECIMAL, 97, NULL, 1, 1, 1},
    {"feeTaker", WORD_DECIMAL, 97, NULL, 1, 2, 1},
    {"makerFee", WORD_DECIMAL, 97, NULL, 1, 1, 1},
    {"takerFee", WORD_DECIMAL, 97, NULL, 1, 2, 1},
    {"amount", WORD_DECIMAL, 97, NULL, 1000, 100000000, 1000},
    {"tickSize", WORD_DECIMAL, 100, NULL, 1000, 1000, 1},
    {"lotSize", WORD_DECIMAL, 100, NULL, 1000, 1000, 1},
    {"minPrice", WORD_DECIMAL, 100, NULL, 1000, 1000, 1},
    {"maxPrice", WORD_DECIMAL, 100, NULL, 1000000000, 1000000000, 1},
    {"minQty", WORD_DECIMAL, 100, NULL, 1000, 1000, 1},
    {"maxQty", WORD_DECIMAL, 100, NULL, 1000000, 1000000, 1},
    {"minNotional", WORD_DECIMAL, 100, NULL, 1000, 1000, 1},
    {"maxNotional", WORD_DECIMAL, 100, NULL, 1000000000000, 1000000000000, 1},
    {"version", WORD_INDEX, 100, NULL, 0, 0, 1},
    {"tradeId", WORD_INDEX, 97, NULL, 0, 0, 1},
    {"engineSeq", WORD_INDEX, 100, NULL, 0, 0, 1},
    {"seq", WORD_INDEX, 100, NULL, 0, 0, 1},
    {"velocityPerSecond", WORD_INTEGER, 20, NULL, 1, 50, 1},
    {"velocityBurst", WORD_INTEGER, 20, NULL, 1, 50, 1},
    {"openOrdersMax", WORD_INTEGER, 20, NULL, 1, 50, 1},
    {"positionLimit", WORD_DECIMAL, 20, NULL, 1000, 100000, 1000},
    {"tradingState", WORD_INTEGER, 80, NULL, 0, 0, 1},
};
/* What a field without an entry gets. */
static const struct word plain_text = {"", WORD_POOL, 30, "t", 0, 10, 1};
static const struct word plain_decimal = {"", WORD_DECIMAL, 5, NULL, 0, 10000, 1};
static const struct word plain_integer = {"", WORD_INTEGER, 5, NULL, 0, 10, 1};

void vocabulary_init(struct vocabulary *vocabulary, uint64_t seed)
{
    *vocabulary = (struct vocabulary){.random = seed, .arena = mr_arena_create(ARENA_BYTES)};
}

void vocabulary_fini(struct vocabulary *vocabulary)
{
    mr_arena_destroy(&vocabulary->arena);
}

uint64_t vocabulary_pick(struct vocabulary *vocabulary, uint64_t bound)
{
    /* splitmix64 */
    uint64_t z = vocabulary->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % bound;
}

static bool chance(struct vocabulary *vocabulary, int percent)
{
    const bool hit = vocabulary_pick(vocabulary, 100) < (uint64_t)percent;

    return vocabulary->tame ? percent >= 50 : hit;
}

static const struct word *find_word(const struct mr_schema_field *field)
{
    for (size_t i = 0; i < MR_COUNT(words); i++) {
        if (strcmp(words[i].field, field->name) == 0) {
            return &words[i];
        }
    }
    if (field->kind == MR_FIELD_STRING || field->kind == MR_FIELD_BYTES) {
        return &plain_text;
    }
    return field->kind == MR_FIELD_DECIMAL ? &plain_decimal : &plain_integer;
}

static int64_t between(struct vocabulary *vocabulary, const struct word *word)
{
    const uint64_t steps = (uint64_t)((word->high - word->low) / word->step) + 1;

    return word->low + (int64_t)vocabulary_pick(vocabulary, steps) * word->step;
}

static int64_t serial(struct vocabulary *vocabulary)
{
    const bool earlier = vocabulary->index > 3 && vocabulary_pick(vocabulary, 20) == 0;

    return vocabulary->index - (earlier && !vocabulary->tame ? 3 : 0);
}

static struct mr_slice text(struct vocabulary *vocabulary, const struct word *word)
{
    char buffer[64];

    if (word->kind == WORD_TEXT) {
        const char *at = word->texts;
        size_t choices = 1;

        for (const char *c = at; *c != '\0'; c++) {
            choices += *c == ' ';
        }
        for (size_t skip = (size_t)vocabulary_pick(vocabulary, choices); skip > 0; skip--) {
            at = strchr(at, ' ') + 1;
        }
        return mr_slice_of(at, strcspn(at, " "));
    }
    snprintf(buffer, sizeof(buffer), "%s%lld", word->texts,
             (long long)(word->kind == WORD_SERIAL
                             ? serial(vocabulary)
                             : (int64_t)vocabulary_pick(vocabulary, (uint64_t)word->high)));
    return mr_arena_copy(vocabulary->arena, mr_slice_str(buffer));
}

static int64_t integer(struct vocabulary *vocabulary, const struct word *word)
{
    return word->kind == WORD_INDEX ? vocabulary->index + 1 : between(vocabulary, word);
}

static int64_t time_us(struct vocabulary *vocabulary)
{
    const int64_t ts_us = FIRST_TS_US + vocabulary->index * STEP_US;

    /* Now and then late. */
    return chance(vocabulary, 5) ? ts_us - 10 * MR_MINUTE_US : ts_us;
}

static unsigned symbol_of(struct vocabulary *vocabulary, const struct mr_schema_field *field)
{
    const bool even = strcmp(field->name, "side") == 0 || strcmp(field->name, "execType") == 0;

    if (vocabulary->tame || (!even && chance(vocabulary, 80))) {
        return 0;
    }
    return (unsigned)vocabulary_pick(vocabulary, field->symbol_count);
}

/* ---- wild ------------------------------------------------------------------------------------ */

static struct mr_slice wild_text(struct vocabulary *vocabulary)
{
    static const char *const texts[] = {
        "", " ", "u1", "BTCUSDT", "USDT", "o1", "\xff\xfe", "\"\\\n", "%s%n", "../x", "k\x01",
    };
    const size_t pick = (size_t)vocabulary_pick(vocabulary, MR_COUNT(texts) + 1);

    if (pick < MR_COUNT(texts)) {
        return mr_slice_str(texts[pick]);
    }
    /* Longer than any identifier and than a store's key may be. */
    const size_t len = 60 + (size_t)vocabulary_pick(vocabulary, 1200);
    uint8_t *bytes = mr_arena_alloc(vocabulary->arena, len);

    memset(bytes, 'x', len);
    return mr_slice_of(bytes, len);
}

static int64_t wild_integer(struct vocabulary *vocabulary)
{
    static const int64_t extremes[] = {
        0, 1, -1, INT64_MIN, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1, INT32_MIN, INT32_MAX,
    };
    const size_t pick = (size_t)vocabulary_pick(vocabulary, MR_COUNT(extremes) + 3);

    return pick < MR_COUNT(extremes) ? extremes[pick]
                                     : FIRST_TS_US + (int64_t)vocabulary_pick(vocabulary, 1u << 30);
}

/* Up to the 38 digits that a record can hold. */
static mr_i128 wild_decimal(struct vocabulary *vocabulary)
{
    mr_i128 value = 1;

    for (uint64_t digits = vocabulary_pick(vocabulary, 39); digits > 0; digits--) {
        value *= 10;
    }
    value -= (mr_i128)vocabulary_pick(vocabulary, 2);
    return vocabulary_pick(vocabulary, 3) == 0 ? -value : value;
}

static void wild_scalar(struct vocabulary *vocabulary, const struct mr_schema_field *field,
                        uint8_t *at)
{
    switch (field->kind) {
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES: {
        const struct mr_slice value = wild_text(vocabulary);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_LONG:
    case MR_FIELD_TIMESTAMP_US: {
        const int64_t value = wild_integer(vocabulary);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_INT: {
        const int64_t wide = wild_integer(vocabulary);
        const int32_t value = wide > INT32_MAX ? INT32_MAX : wide < 0 ? INT32_MIN : (int32_t)wide;

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_BOOL: {
        const bool value = vocabulary_pick(vocabulary, 2) == 0;

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_DECIMAL: {
        const mr_i128 value = wild_decimal(vocabulary);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_FIXED:
        for (size_t i = 0; i < field->fixed_bytes; i++) {
            at[i] = (uint8_t)vocabulary_pick(vocabulary, 256);
        }
        break;
    case MR_FIELD_ENUM: {
        const unsigned value = (unsigned)vocabulary_pick(vocabulary, field->symbol_count);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_ARRAY:
        break;
    }
}

static bool wild_present(struct vocabulary *vocabulary, const struct mr_schema_field *field,
                         uint8_t *value)
{
    const bool has = !field->nullable || vocabulary_pick(vocabulary, 2) == 0;

    if (field->nullable) {
        memcpy(value + field->has_offset, &has, sizeof(has));
    }
    return has;
}

/* Records nest one level. */
static void wild_array(struct vocabulary *vocabulary, const struct mr_schema_field *field,
                       uint8_t *at)
{
    const size_t count = (size_t)vocabulary_pick(vocabulary, 4);
    uint8_t *items = mr_arena_alloc(vocabulary->arena, (count + 1) * field->item_bytes);
    const void *start = items;

    memset(items, 0, (count + 1) * field->item_bytes);
    for (size_t i = 0; i < count * field->items->field_count; i++) {
        const struct mr_schema_field *part = &field->items->fields[i % field->items->field_count];
        uint8_t *item = items + i / field->items->field_count * field->item_bytes;

        if (wild_present(vocabulary, part, item)) {
            wild_scalar(vocabulary, part, item + part->offset);
        }
    }
    memcpy(at, &start, sizeof(start));
    memcpy(at + sizeof(start), &count, sizeof(count));
}

static void wild_record(struct vocabulary *vocabulary, const struct mr_schema *schema,
                        uint8_t *value)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (!wild_present(vocabulary, field, value)) {
            continue;
        }
        if (field->kind == MR_FIELD_ARRAY) {
            wild_array(vocabulary, field, value + field->offset);
        } else {
            wild_scalar(vocabulary, field, value + field->offset);
        }
    }
}

/* ---- likely ---------------------------------------------------------------------------------- */

static void fill(struct vocabulary *vocabulary, const struct mr_schema_field *field, uint8_t *at)
{
    const struct word *word = find_word(field);

    switch (field->kind) {
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES: {
        const struct mr_slice value = text(vocabulary, word);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_LONG: {
        const int64_t value = integer(vocabulary, word);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_TIMESTAMP_US: {
        const int64_t value =
            word == &plain_integer ? time_us(vocabulary) : integer(vocabulary, word);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_INT: {
        const int32_t value = (int32_t)integer(vocabulary, word);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_BOOL: {
        const bool value = chance(vocabulary, 4);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_DECIMAL: {
        const mr_i128 value = (mr_i128)between(vocabulary, word) * ATOMS_PER_MILLI;

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_FIXED:
        for (size_t i = 0; i < field->fixed_bytes; i++) {
            at[i] = (uint8_t)vocabulary_pick(vocabulary, 256);
        }
        break;
    case MR_FIELD_ENUM: {
        const unsigned value = symbol_of(vocabulary, field);

        memcpy(at, &value, sizeof(value));
        break;
    }
    case MR_FIELD_ARRAY:
        break; /* empty */
    }
}

/* What no single field can say. */
static void agree(struct vocabulary *vocabulary, const struct mr_schema *schema, void *value)
{
    if (schema == &oms_order_command_schema && !chance(vocabulary, 5)) {
        struct oms_order_command *order = value;

        order->has_target_order_id = order->action == OMS_ACTION_CANCEL;
        if (order->has_target_order_id) {
            order->target_order_id = mr_slice_str("o1");
        } else {
            order->target_order_id = (struct mr_slice){0};
        }
    }
    if (schema == &oms_execution_report_schema && !chance(vocabulary, 20)) {
        static const enum oms_exec_type usual[] = {OMS_EXEC_TYPE_NEW, OMS_EXEC_TYPE_TRADE,
                                                   OMS_EXEC_TYPE_TRADE, OMS_EXEC_TYPE_CANCELED};
        struct oms_execution_report *report = value;

        report->exec_type =
            vocabulary->tame ? OMS_EXEC_TYPE_NEW : usual[vocabulary_pick(vocabulary, 4)];
        if (report->exec_type == OMS_EXEC_TYPE_TRADE) {
            report->status =
                report->hold_after == 0 ? OMS_ORDER_STATUS_FILLED : OMS_ORDER_STATUS_ACCEPTED;
        }
    }
}

void vocabulary_record(struct vocabulary *vocabulary, const struct mr_schema *schema, void *value)
{
    memset(value, 0, schema->struct_bytes);
    if (vocabulary->wild) {
        wild_record(vocabulary, schema, value);
        vocabulary->index++;
        return;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (field->nullable) {
            const bool has = chance(vocabulary, find_word(field)->present);

            memcpy((uint8_t *)value + field->has_offset, &has, sizeof(has));
            if (!has) {
                continue;
            }
        }
        fill(vocabulary, field, (uint8_t *)value + field->offset);
    }
    agree(vocabulary, schema, value);
    vocabulary->index++;
}

struct mr_slice vocabulary_key(const struct mr_schema *schema, const char *name, const void *value,
                               const char *none)
{
    struct mr_slice key = {0};

    for (size_t i = 0; i < schema->field_count; i++) {
        const struct mr_schema_field *field = &schema->fields[i];

        if (strcmp(field->name, name) == 0 && field->kind == MR_FIELD_STRING) {
            memcpy(&key, (const uint8_t *)value + field->offset, sizeof(key));
        }
    }
    return key.len > 0 ? key : mr_slice_str(none);
}
