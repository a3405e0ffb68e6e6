/* tour_send.c -- see tour_send.h. */
#include "tour_send.h"

#include "avro/account_command.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "millrace/option.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 * 1024)
#define TAIL_RECORDS 64 /* of each partition of `orders`, to learn the time there */

static const struct {
    enum load_topic topic;
    const struct mr_schema *schema;
    const char *key;
    const char *plain; /* what a value has unless it says otherwise */
} targets[] = {
    {LOAD_ORDERS, &oms_order_command_schema, "userId",
     "{\"action\": \"NEW\", \"symbol\": \"\", \"side\": \"BUY\", \"ordType\": \"LIMIT\","
     " \"tif\": \"GTC\", \"postOnly\": false, \"reduceOnly\": false,"
     " \"stpMode\": \"EXPIRE_TAKER\", \"source\": \"tour\"}"},
    {LOAD_ACCOUNTS, &oms_account_command_schema, "userId", "{}"},
    {LOAD_PRICES, &oms_price_tick_schema, "symbol",
     "{\"kind\": \"LAST\", \"seq\": 1, \"source\": \"tour\"}"},
    {LOAD_INSTRUMENTS, &oms_instrument_schema, "symbol", "{\"state\": \"TRADING\"}"},
};

static const char *const names[] = {"orders", "accounts", "prices", "instruments"};

/* --- the time ------------------------------------------------------------------------------- */

static enum mr_status on_order(void *arg, const struct load_record *record, struct mr_err *err)
{
    int64_t *newest_us = arg;
    const struct oms_order_command *order = record->value;

    (void)err;
    if (order != NULL && order->ts_us > *newest_us) {
        *newest_us = order->ts_us;
    }
    return MR_OK;
}

/* A command that is dated before the others would find GTD orders expired and candles closed; one
 * dated far after them would close those of the others. */
static enum mr_status learn_time(struct tour_sender *sender, int64_t wait_us, struct mr_err *err)
{
    int64_t offsets[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;
    int64_t newest_us = INT64_MIN;
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_ends(sender->env, "orders", offsets, &partitions, err));
    for (int32_t p = 0; p < partitions; p++) {
        offsets[p] = offsets[p] > TAIL_RECORDS ? offsets[p] - TAIL_RECORDS : 0;
    }
    MR_TRY(load_feed_open(sender->env, &feed, err));
    status = load_feed_add(feed,
                           &(struct load_source){.topic = "orders",
                                                 .schema = &oms_order_command_schema,
                                                 .offsets = offsets,
                                                 .visit = on_order,
                                                 .arg = &newest_us},
                           err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, wait_us, err);
    }
    load_feed_close(&feed);
    sender->ts_us =
        newest_us == INT64_MIN ? mr_clock_wall_us(sender->env->clock) : newest_us + MR_SECOND_US;
    return status;
}

enum mr_status tour_sender_open(const struct load_env *env, const char *prefix, int64_t wait_us,
                                struct tour_sender *sender, struct mr_err *err)
{
    *sender =
        (struct tour_sender){.env = env, .prefix = prefix, .arena = mr_arena_create(ARENA_BYTES)};
    MR_TRY(learn_time(sender, wait_us, err));
    return load_out_open(env, 0, &sender->out, err);
}

void tour_sender_close(struct tour_sender *sender)
{
    load_out_close(&sender->out);
    if (sender->arena != NULL) {
        mr_arena_destroy(&sender->arena);
    }
}

/* --- a value -------------------------------------------------------------------------------- */

/* What must not meet that of another tour. An empty symbol means all of them. */
static void add_prefix(const struct tour_sender *sender, json_t *value)
{
    static const char *const own[] = {"eventId",       "orderId",       "userId",    "symbol",
                                      "clientOrderId", "targetOrderId", "transferId"};

    for (size_t i = 0; i < MR_COUNT(own); i++) {
        const char *text = json_string_value(json_object_get(value, own[i]));

        if (text != NULL && text[0] != '\0') {
            (void)json_object_set_new(value, own[i], json_sprintf("%s%s", sender->prefix, text));
        }
    }
}

static void set_default(json_t *value, const char *name, json_t *field)
{
    if (json_object_get(value, name) == NULL) {
        (void)json_object_set(value, name, field);
    }
    json_decref(field);
}

static json_t *completed(struct tour_sender *sender, size_t target, const json_t *line)
{
    json_t *value = json_loads(targets[target].plain, 0, NULL);
    const json_t *expire = json_object_get(line, "expireIn");
    char id[32];

    MR_ASSERT(value != NULL);
    (void)json_object_update(value, json_object_get(line, "value"));
    (void)snprintf(id, sizeof(id), "e%" PRId64, sender->sends);
    if (targets[target].topic == LOAD_ORDERS || targets[target].topic == LOAD_ACCOUNTS) {
        set_default(value, "eventId", json_string(id));
    }
    if (targets[target].topic == LOAD_ORDERS) {
        set_default(value, "orderId", json_incref(json_object_get(value, "eventId")));
    }
    (void)json_object_set_new(value, "ts", json_integer(sender->ts_us));
    if (json_is_integer(expire)) {
        (void)json_object_set_new(
            value, "expireTs",
            json_integer(sender->ts_us + json_integer_value(expire) * MR_SECOND_US));
    }
    add_prefix(sender, value);
    return value;
}

static enum mr_status send_value(struct tour_sender *sender, size_t target, const json_t *value,
                                 struct mr_err *err)
{
    const struct mr_schema *schema = targets[target].schema;
    const char *key = json_string_value(json_object_get(value, targets[target].key));
    char *text = json_dumps(value, JSON_COMPACT);
    void *record;
    enum mr_status status;

    MR_ASSERT(text != NULL);
    mr_arena_reset(sender->arena);
    record = mr_arena_alloc(sender->arena, schema->struct_bytes);
    memset(record, 0, schema->struct_bytes);
    status = mr_json_read_record(schema, mr_slice_str(text), sender->arena, record, err);
    if (status == MR_OK && key == NULL) {
        status = mr_fail(err, MR_MALFORMED, "no %s", targets[target].key);
    }
    if (status == MR_OK) {
        status = load_out_send(&sender->out, targets[target].topic, mr_slice_str(key), record, err);
    }
    free(text);
    MR_TRY(status);
    sender->sends++;
    sender->ts_us += MR_MS_US;
    return load_out_flush(&sender->out, err);
}

enum mr_status tour_send(struct tour_sender *sender, const json_t *line, struct mr_err *err)
{
    const char *topic = json_string_value(json_object_get(line, "send"));

    for (size_t t = 0; t < MR_COUNT(targets); t++) {
        if (topic != NULL && strcmp(names[targets[t].topic], topic) == 0) {
            json_t *value = completed(sender, t, line);
            const enum mr_status status = send_value(sender, t, value, err);

            json_decref(value);
            return status;
        }
    }
    return mr_fail(err, MR_CONFIG, "\"send\" is not one of orders, accounts, prices, instruments");
}

enum mr_status tour_send_probe(struct tour_sender *sender, const char *user, const char *symbol,
                               char *order_id, size_t bytes, struct mr_err *err)
{
    json_t *line =
        json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "send", "orders", "value", "userId", user,
                  "symbol", symbol, "ordType", "MARKET", "tif", "IOC", "qty", "1");
    enum mr_status status;

    MR_ASSERT(line != NULL);
    (void)snprintf(order_id, bytes, "e%" PRId64, sender->sends);
    status = tour_send(sender, line, err);
    json_decref(line);
    return status;
}
