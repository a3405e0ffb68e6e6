/*
 * codec_bench -- the generated codec against avro-c's generic value.
 *
 * Why: the generated code exists for speed (at least ten times avro-c's on OrderCommand and
 *      ExecutionReport); this prints by how much.
 * How: one record of typical content, decoded and encoded over and over; the best of several
 * rounds, as anything else that ran on the machine only adds time. avro-c keeps its value between
 *      records, as a careful user of it would. The generated side includes the wire header.
 * Not: a test. It fails only when an answer is wrong.
 */
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "millrace/arena.h"
#include "millrace/clock.h"
#include "millrace/codec.h"
#include "millrace/wire.h"

#include <avro.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 7
#define OPERATIONS 100000
#define OPERATIONS_AVRO 20000
#define TARGET_TIMES 10

static const mr_i128 UNIT = (mr_i128)1000000000000000000;

struct subject {
    const struct mr_schema *schema;
    const void *record;
    struct mr_binding binding;
    struct mr_slice framed;
    struct mr_arena *arena;
    struct mr_codec *codec;
    avro_value_t value;
    avro_reader_t reader;
    avro_writer_t writer;
    uint8_t *scratch;
    size_t scratch_bytes;
    void *out;
};

static struct mr_slice text(const char *value)
{
    return mr_slice_str(value);
}

/* A limit order as it leaves risk: everything that is set there is set. */
static struct oms_order_command order_command(void)
{
    return (struct oms_order_command){
        .event_id = text("0190f1a2-7b3c-7d4e-8f50-617283940001"),
        .ts_us = INT64_C(1723075200123456),
        .has_trace_id = true,
        .trace_id = text("4bf92f3577b34da6a3ce929d0e0e4736"),
        .action = OMS_ACTION_NEW,
        .order_id = text("0190f1a2-7b3c-7d4e-8f50-617283940002"),
        .user_id = text("user-000123"),
        .has_idempotency_key = true,
        .idempotency_key = text("tape-000000123-m"),
        .has_fingerprint = true,
        .symbol = text("BTCUSDT"),
        .has_qty = true,
        .qty = UNIT / 8,
        .has_price = true,
        .price = 57000 * UNIT,
        .source = text("load"),
        .has_ingest_ts_us = true,
        .ingest_ts_us = INT64_C(1723075200123999),
        .has_fee_maker = true,
        .fee_maker = UNIT / 1000,
        .has_fee_taker = true,
        .fee_taker = UNIT / 500,
        .has_reserved = true,
        .reserved = 7125 * UNIT,
        .has_reserve_asset = true,
        .reserve_asset = text("USDT"),
    };
}

/* A fill of that order. */
static struct oms_execution_report execution_report(void)
{
    return (struct oms_execution_report){
        .exec_id = text("0190f1a2-7b3c-7d4e-8f50-617283940002:2"),
        .ts_us = INT64_C(1723075200123456),
        .has_trace_id = true,
        .trace_id = text("4bf92f3577b34da6a3ce929d0e0e4736"),
        .exec_type = OMS_EXEC_TYPE_TRADE,
        .status = OMS_ORDER_STATUS_FILLED,
        .order_id = text("0190f1a2-7b3c-7d4e-8f50-617283940002"),
        .command_id = text("0190f1a2-7b3c-7d4e-8f50-617283940001"),
        .user_id = text("user-000123"),
        .symbol = text("BTCUSDT"),
        .has_price = true,
        .price = 57000 * UNIT,
        .has_order_qty = true,
        .order_qty = UNIT / 8,
        .has_last_qty = true,
        .last_qty = UNIT / 8,
        .has_last_px = true,
        .last_px = 57000 * UNIT,
        .has_trade_id = true,
        .trade_id = 123456,
        .has_liquidity = true,
        .liquidity = OMS_LIQUIDITY_MAKER,
        .cum_qty = UNIT / 8,
        .cum_quote = 7125 * UNIT,
        .has_fee_amount = true,
        .fee_amount = 7 * UNIT,
        .has_fee_total = true,
        .fee_total = 7 * UNIT,
        .has_fee_asset = true,
        .fee_asset = text("USDT"),
        .has_base_asset = true,
        .base_asset = text("BTC"),
        .has_quote_asset = true,
        .quote_asset = text("USDT"),
        .has_hold_after = true,
        .has_counter_order_id = true,
        .counter_order_id = text("0190f1a2-7b3c-7d4e-8f50-617283940003"),
        .engine_seq = 4242,
        .has_book_seq = true,
        .book_seq = 4243,
        .version = 2,
    };
}

static void generated_decode(struct subject *s)
{
    struct mr_err err;

    MR_ASSERT(mr_codec_decode(s->codec, &s->binding, s->framed, s->arena, s->out, &err) == MR_OK);
}

static void generated_encode(struct subject *s)
{
    MR_ASSERT(mr_codec_framed_bytes_max(&s->binding, s->record) <= s->scratch_bytes);
    MR_ASSERT(mr_codec_encode(&s->binding, s->record, s->scratch) == s->framed.len);
}

static void avro_decode(struct subject *s)
{
    avro_reader_memory_set_source(s->reader, (const char *)s->framed.data + MR_WIRE_HEADER_BYTES,
                                  (int64_t)(s->framed.len - MR_WIRE_HEADER_BYTES));
    MR_ASSERT(avro_value_reset(&s->value) == 0);
    MR_ASSERT(avro_value_read(s->reader, &s->value) == 0);
}

static void avro_encode(struct subject *s)
{
    avro_writer_memory_set_dest(s->writer, (const char *)s->scratch, (int64_t)s->scratch_bytes);
    MR_ASSERT(avro_value_write(s->writer, &s->value) == 0);
}

/* Best time of one operation in picoseconds. */
static int64_t measure_ps(struct subject *s, void (*operation)(struct subject *), int64_t count)
{
    const struct mr_clock *clock = mr_clock_system();
    int64_t best_us = INT64_MAX;

    for (int round = 0; round < ROUNDS; round++) {
        const int64_t start_us = mr_clock_monotonic_us(clock);
        int64_t took_us = 0;

        for (int64_t i = 0; i < count; i++) {
            operation(s);
        }
        took_us = mr_clock_monotonic_us(clock) - start_us;
        best_us = took_us < best_us ? took_us : best_us;
    }
    return best_us * 1000000 / count;
}

static void print_line(const struct subject *s, const char *what, int64_t ours_ps, int64_t avro_ps)
{
    const int64_t tenths = avro_ps * 10 / (ours_ps == 0 ? 1 : ours_ps);

    printf("%-16s %-6s %5zu bytes   generated %4" PRId64 ".%" PRId64 " ns   avro-c %5" PRId64
           ".%" PRId64 " ns   %3" PRId64 ".%" PRId64 " times%s\n",
           s->schema->name, what, s->framed.len, ours_ps / 1000, ours_ps / 100 % 10, avro_ps / 1000,
           avro_ps / 100 % 10, tenths / 10, tenths % 10,
           tenths >= 10 * TARGET_TIMES ? "" : "  (target: 10)");
}

static void run(struct mr_registry *registry, const struct mr_schema *schema, const void *record)
{
    struct subject s = {.schema = schema, .record = record};
    avro_schema_t avro = NULL;
    avro_value_iface_t *type = NULL;
    struct mr_err err;
    uint8_t *framed = NULL;

    s.codec = mr_codec_create(registry);
    s.arena = mr_arena_create(4096);
    MR_ASSERT(mr_codec_bind(s.codec, schema, schema->name, &s.binding, &err) == MR_OK);
    s.scratch_bytes = mr_codec_framed_bytes_max(&s.binding, record);
    s.scratch = mr_xcalloc(1, s.scratch_bytes);
    framed = mr_xcalloc(1, s.scratch_bytes);
    s.framed = mr_slice_of(framed, mr_codec_encode(&s.binding, record, framed));
    s.out = mr_arena_alloc(s.arena, schema->struct_bytes);
    MR_ASSERT(avro_schema_from_json_length(schema->json, strlen(schema->json), &avro) == 0);
    type = avro_generic_class_from_schema(avro);
    MR_ASSERT(avro_generic_value_new(type, &s.value) == 0);
    s.reader = avro_reader_memory(NULL, 0);
    s.writer = avro_writer_memory((const char *)s.scratch, (int64_t)s.scratch_bytes);

    print_line(&s, "decode", measure_ps(&s, generated_decode, OPERATIONS),
               measure_ps(&s, avro_decode, OPERATIONS_AVRO));
    print_line(&s, "encode", measure_ps(&s, generated_encode, OPERATIONS),
               measure_ps(&s, avro_encode, OPERATIONS_AVRO));

    avro_reader_free(s.reader);
    avro_writer_free(s.writer);
    avro_value_decref(&s.value);
    avro_value_iface_decref(type);
    avro_schema_decref(avro);
    free(framed);
    free(s.scratch);
    mr_arena_destroy(&s.arena);
    mr_codec_destroy(&s.codec);
}

int main(void)
{
    struct mr_registry *registry = mr_registry_memory_create();
    const struct oms_order_command command = order_command();
    const struct oms_execution_report report = execution_report();

    run(registry, &oms_order_command_schema, &command);
    run(registry, &oms_execution_report_schema, &report);
    mr_registry_destroy(&registry);
    return EXIT_SUCCESS;
}
