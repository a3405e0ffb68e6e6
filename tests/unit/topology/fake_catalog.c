/* fake_catalog.c -- see fake_catalog.h. */
#include "fake_catalog.h"

#include <stdio.h>

static enum mr_status refuse_decode(struct mr_slice body, struct mr_arena *arena, void *out,
                                    struct mr_err *err)
{
    (void)body;
    (void)arena;
    (void)out;
    return mr_fail(err, MR_MALFORMED, "the fake schema holds nothing");
}

static size_t no_bytes_max(const void *value)
{
    (void)value;
    return 0;
}

static size_t no_bytes(const void *value, uint8_t *buffer)
{
    (void)value;
    (void)buffer;
    return 0;
}

static const struct mr_schema_field order_fields[] = {
    {.name = "userId"}, {.name = "symbol"}, {.name = "qty"}};
static const struct mr_schema_field fill_fields[] = {{.name = "userId"}, {.name = "symbol"}};
static const struct mr_schema_field price_fields[] = {{.name = "symbol"}};
static const struct mr_schema_field state_fields[] = {{.name = "x"}};

#define SCHEMA(label, rows)                                                                        \
    {                                                                                              \
        .name = label, .full_name = "fake." label,                                                 \
        .json =                                                                                    \
            "{\"type\":\"record\",\"namespace\":\"fake\",\"name\":\"" label "\",\"fields\":[]}",   \
        .event_us_offset = -1, .fields = rows, .field_count = MR_COUNT(rows),                      \
        .decode = refuse_decode, .encoded_bytes_max = no_bytes_max, .encode = no_bytes             \
    }

static const struct mr_schema order_schema = SCHEMA("Order", order_fields);
static const struct mr_schema fill_schema = SCHEMA("Fill", fill_fields);
static const struct mr_schema price_schema = SCHEMA("Price", price_fields);
static const struct mr_schema state_schema = SCHEMA("State", state_fields);

static enum mr_status no_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    (void)self;
    (void)ctx;
    (void)err;
    return MR_OK;
}

static enum mr_status no_process(void *self, struct mr_ctx *ctx, size_t port,
                                 const struct mr_record *record, struct mr_err *err)
{
    (void)self;
    (void)ctx;
    (void)port;
    (void)record;
    (void)err;
    return MR_OK;
}

static const char *const mode_symbols[] = {"fast", "careful", NULL};

#define FIELD(name) .offset = offsetof(struct fake_check_options, name)
static const struct mr_option check_options[] = {
    {.name = "window",
     .type = MR_OPTION_DURATION,
     FIELD(window_us),
     .fallback = "24h",
     .min = MR_SECOND_US,
     .max = 7 * MR_DAY_US,
     .help = "how long"},
    {.name = "velocity",
     .type = MR_OPTION_RATE,
     FIELD(velocity_micro),
     .fallback = "50/s",
     .help = "how fast"},
    {.name = "price-collar",
     .type = MR_OPTION_RATIO,
     FIELD(collar_ppm),
     .fallback = "10%",
     .min = 0,
     .max = 1000000,
     .help = "how far"},
    {.name = "open-orders",
     .type = MR_OPTION_INT,
     FIELD(open_max),
     .fallback = "200",
     .min = 1,
     .max = 1000,
     .help = "how many"},
    {.name = "strict",
     .type = MR_OPTION_BOOL,
     FIELD(strict),
     .fallback = "true",
     .help = "how strict"},
    {.name = "label",
     .type = MR_OPTION_STRING,
     FIELD(label),
     .fallback = "none",
     .help = "what to call it"},
    {.name = "mode",
     .type = MR_OPTION_ENUM,
     FIELD(mode),
     .fallback = "fast",
     .symbols = mode_symbols,
     .help = "how careful"},
    {.name = "intervals",
     .type = MR_OPTION_DURATIONS,
     FIELD(intervals),
     .fallback = "1m",
     .min = MR_SECOND_US,
     .max = MR_DAY_US,
     .help = "how often"},
};
#undef FIELD

static const struct mr_port check_in[] = {
    {.name = "orders", .schema = &order_schema},
    {.name = "prices", .schema = &price_schema, .flags = MR_PORT_TABLE},
};
static const struct mr_port check_out[] = {
    {.name = "good", .schema = &order_schema},
    {.name = "bad", .schema = &fill_schema, .flags = MR_PORT_OPTIONAL},
};
static const struct mr_store_spec check_stores[] = {{.name = "seen", .schema = &state_schema}};

static const struct mr_stage check_stage = {
    .name = "check",
    .help = "lets good orders pass",
    .state_size = sizeof(struct fake_check_options),
    .in = check_in,
    .in_count = MR_COUNT(check_in),
    .out = check_out,
    .out_count = MR_COUNT(check_out),
    .stores = check_stores,
    .store_count = MR_COUNT(check_stores),
    .options = check_options,
    .option_count = MR_COUNT(check_options),
    .init = no_init,
    .process = no_process,
};

static const struct mr_port book_in[] = {
    {.name = "orders", .schema = &order_schema},
    {.name = "control", .schema = &price_schema, .flags = MR_PORT_OPTIONAL},
};
static const struct mr_port book_out[] = {{.name = "fills", .schema = &fill_schema}};
static const struct mr_store_spec book_stores[] = {{.name = "orders", .schema = &state_schema},
                                                   {.name = "books", .schema = &state_schema}};

static const struct mr_stage book_stage = {
    .name = "book",
    .help = "matches",
    .state_size = 8,
    .in = book_in,
    .in_count = MR_COUNT(book_in),
    .out = book_out,
    .out_count = MR_COUNT(book_out),
    .stores = book_stores,
    .store_count = MR_COUNT(book_stores),
    .init = no_init,
    .process = no_process,
};

static const struct mr_port sum_in[] = {{.name = "fills", .schema = &fill_schema}};
static const struct mr_port sum_out[] = {
    {.name = "totals", .schema = &fill_schema, .flags = MR_PORT_OPTIONAL}};

static const struct mr_stage sum_stage = {
    .name = "sum",
    .help = "adds up",
    .state_size = 8,
    .in = sum_in,
    .in_count = MR_COUNT(sum_in),
    .out = sum_out,
    .out_count = MR_COUNT(sum_out),
    .init = no_init,
    .process = no_process,
};

static const struct mr_port pass_in[] = {{.name = "orders", .schema = &order_schema}};
static const struct mr_port pass_out[] = {{.name = "orders", .schema = &order_schema}};

static const struct mr_stage pass_stage = {
    .name = "pass",
    .help = "hands on",
    .state_size = 8,
    .in = pass_in,
    .in_count = MR_COUNT(pass_in),
    .out = pass_out,
    .out_count = MR_COUNT(pass_out),
    .init = no_init,
    .process = no_process,
};

static const struct mr_option shelf_options[] = {
    {.name = "uri", .type = MR_OPTION_STRING, .offset = 0, .help = "where it stands"}};
static const char *const shelf_schemas[] = {"Order", "Fill", NULL};

static const struct mr_sink_type shelf_sink = {
    .name = "shelf",
    .help = "puts records on a shelf",
    .state_size = sizeof(const char *),
    .options = shelf_options,
    .option_count = MR_COUNT(shelf_options),
    .schemas = shelf_schemas,
};

static const struct mr_stage *const stages[] = {&check_stage, &book_stage, &sum_stage, &pass_stage};
static const struct mr_sink_type *const sinks[] = {&shelf_sink};
static const struct mr_schema *const schemas[] = {&order_schema, &fill_schema, &price_schema};

const struct mr_catalog fake_catalog = {
    .stages = stages,
    .stage_count = MR_COUNT(stages),
    .sinks = sinks,
    .sink_count = MR_COUNT(sinks),
    .schemas = schemas,
    .schema_count = MR_COUNT(schemas),
};

enum mr_status fake_load(const char *text, struct mr_topology **topology,
                         struct mr_problems *problems)
{
    struct mr_err err = {0};

    return mr_topology_load_text("t.yaml", mr_slice_str(text), &fake_catalog, topology, problems,
                                 &err);
}

struct mr_topology *fake_load_good(const char *text)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    const enum mr_status status = fake_load(text, &topology, &problems);

    for (size_t i = 0; i < problems.count; i++) {
        (void)fprintf(stderr, "%d:%d: %s\n", problems.items[i].position.line,
                      problems.items[i].position.column, problems.items[i].text);
    }
    MR_ASSERT(status == MR_OK);
    mr_problems_fini(&problems);
    return topology;
}
