/*
 * sim_load.c -- see sim.h: clients, feeds and operators.
 *
 * Few users and symbols, prices near each other and little money, so that orders meet, and are
 * refused for every reason there is. A client whose answer is lost sends again; some send again
 * without a reason; some use one key for two requests; some send what is no record at all.
 */
#include "avro/account_command.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "avro/price_tick.h"
#include "millrace/partition.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 40
#define TEXT_BYTES 24
#define RECENT 16
#define FIRST_TS_US INT64_C(1723075200000000)
#define ATTEMPTS_MAX 50
#define OUTPUT_BYTES_MAX ((size_t)1000000) /* of a stage, key and value */
#define ASSET_BYTES_MIN 3
#define KEPT_BYTES_MAX ((size_t)4096) /* what is huge is sent once */

struct recent {
    struct mr_buffer bytes; /* of a command, framed */
    int user;
};

struct sim_load {
    struct mr_producer *producer;
    int orders_left, huge_left, users, symbols;
    uint8_t *padding;
    int orders;   /* ids given out */
    int commands; /* event ids given out */
    int64_t ts_us;
    struct recent recent[RECENT];
    size_t recent_count;
    bool halted[3];
    char texts[TEXTS_MAX][TEXT_BYTES]; /* of the record being made */
    size_t text_count;
};

static const char *const symbols[] = {"BTCUSDT", "ETHUSDT", "SOLUSDT"};
static const char *const assets[] = {"USDT", "BTC", "ETH", "SOL"};

static struct mr_slice text(struct sim_load *load, const char *prefix, int number)
{
    char *to = load->texts[load->text_count++ % TEXTS_MAX];

    return mr_slice_of(to, (size_t)snprintf(to, TEXT_BYTES, "%s%d", prefix, number));
}

/* Tenths, at scale 18. */
static mr_i128 tenths(int64_t count)
{
    return (mr_i128)count * 100000000000000000;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* As a client does: until it is told that it was received. */
static void send(struct sim *sim, const char *topic, struct mr_slice key,
                 const struct mr_slice *value)
{
    struct sim_load *load = sim->load;
    struct mr_outgoing record = {
        .timestamp_ms = mr_world_now_us(sim->world) / 1000,
        .key = key,
        .value = value == NULL ? (struct mr_slice){0} : *value,
        .has_value = value != NULL,
    };
    struct mr_err err;
    int32_t partitions;

    WORLD_MUST(mr_producer_topic(load->producer, topic, &record.topic, &partitions, &err) == MR_OK);
    record.partition = mr_partition_of(key, partitions);
    for (int i = 0; mr_producer_send(load->producer, &record, &err) != MR_OK ||
                    mr_producer_flush(load->producer, MR_SECOND_US, &err) != MR_OK;
         i++) {
        WORLD_MUST(i < ATTEMPTS_MAX);
    }
    sim->result.records++;
}

static void send_value(struct sim *sim, const char *topic, struct mr_slice key, const void *value)
{
    const struct mr_slice bytes = mr_world_encode(sim->world, topic, value);

    send(sim, topic, key, &bytes);
}

static int some_user(struct sim *sim)
{
    return (int)sim_pick(&sim->random, (uint64_t)sim->load->users);
}

static int some_symbol(struct sim *sim)
{
    return (int)sim_pick(&sim->random, (uint64_t)sim->load->symbols);
}

/* ---- what is not an order -------------------------------------------------------------------- */

static void send_instrument(struct sim *sim, int symbol)
{
    struct sim_load *load = sim->load;
    const struct oms_instrument instrument = {
        .symbol = mr_slice_str(symbols[symbol]),
        .ts_us = load->ts_us,
        .base_asset = mr_slice_str(assets[symbol + 1]),
        .quote_asset = mr_slice_str("USDT"),
        .state = load->halted[symbol] ? OMS_SYMBOL_STATE_HALT : OMS_SYMBOL_STATE_TRADING,
        .tick_size = tenths(5),
        .lot_size = tenths(1),
        .min_price = tenths(10),
        .max_price = tenths(1000000),
        .min_qty = tenths(1),
        .max_qty = tenths(10000),
        .min_notional = tenths(50),
        .max_notional = tenths(1000000),
        .maker_fee = tenths(1) / 590,
        .taker_fee = tenths(1) / 110,
        .version = load->commands,
    };

    send_value(sim, "instruments", instrument.symbol, &instrument);
}

static void send_tick(struct sim *sim, int symbol)
{
    struct sim_load *load = sim->load;
    const struct oms_price_tick tick = {
        .symbol = mr_slice_str(symbols[symbol]),
        .ts_us = load->ts_us,
        .kind = OMS_PRICE_KIND_LAST,
        .price = tenths(sim_between(&sim->random, 98, 102) * 10),
        .seq = load->commands,
        .source = mr_slice_str("sim"),
    };

    send_value(sim, "prices", tick.symbol, &tick);
}

static void send_price(struct sim *sim, int symbol)
{
    struct sim_load *load = sim->load;

    if (load->commands > 0 && sim_chance(&sim->random, 6)) {
        send(sim, "prices", mr_slice_str(symbols[symbol]), NULL); /* there is none any more */
        return;
    }
    send_tick(sim, symbol);
}

static struct oms_account_command account_command(struct sim *sim, int user,
                                                  enum oms_account_action action)
{
    struct sim_load *load = sim->load;

    return (struct oms_account_command){
        .event_id = text(load, "a", load->commands++),
        .ts_us = load->ts_us,
        .user_id = text(load, "user", user),
        .action = action,
    };
}

static void send_transfer(struct sim *sim, int user, bool deposit, int asset, int64_t amount)
{
    struct oms_account_command command = account_command(
        sim, user, deposit ? OMS_ACCOUNT_ACTION_DEPOSIT : OMS_ACCOUNT_ACTION_WITHDRAW);

    command.asset = mr_slice_str(assets[asset]);
    command.has_asset = true;
    command.amount = tenths(amount);
    command.has_amount = true;
    send_value(sim, "accounts", command.user_id, &command);
    if (sim_chance(&sim->random, 10)) {
        send_value(sim, "accounts", command.user_id, &command); /* money once */
    }
}

static void send_limits(struct sim *sim)
{
    struct oms_account_command command =
        account_command(sim, some_user(sim), OMS_ACCOUNT_ACTION_SET_LIMITS);

    command.open_orders_max = (int32_t)sim_between(&sim->random, 2, 30);
    command.has_open_orders_max = true;
    command.notional_max = tenths(sim_between(&sim->random, 2000, 10000));
    command.has_notional_max = sim_chance(&sim->random, 2);
    command.velocity_per_second = (int32_t)sim_between(&sim->random, 1, 20);
    command.has_velocity_per_second = sim_chance(&sim->random, 2);
    send_value(sim, "accounts", command.user_id, &command);
}

static void send_state(struct sim *sim)
{
    struct oms_account_command command =
        account_command(sim, some_user(sim), OMS_ACCOUNT_ACTION_SET_STATE);

    command.trading_state =
        sim_chance(&sim->random, 3) ? OMS_TRADING_STATE_HALTED : OMS_TRADING_STATE_ACTIVE;
    command.has_trading_state = true;
    send_value(sim, "accounts", command.user_id, &command);
}

static void send_garbage(struct sim *sim)
{
    static const char *const topics[] = {"orders", "orders", "accounts", "instruments", "prices"};
    const char *topic = topics[sim_pick(&sim->random, MR_COUNT(topics))];
    const struct mr_slice key = text(sim->load, "user", some_user(sim));
    uint8_t bytes[16];
    struct mr_slice value;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)sim_pick(&sim->random, i < 4 ? 2 : 256);
    }
    value = mr_slice_of(bytes, (size_t)sim_pick(&sim->random, sizeof(bytes)));
    send(sim, topic, key, sim_chance(&sim->random, 8) ? NULL : &value);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void keep(struct sim_load *load, struct mr_slice bytes, int user)
{
    struct recent *recent = &load->recent[load->recent_count % RECENT];

    if (bytes.len > KEPT_BYTES_MAX) {
        return;
    }
    mr_buffer_clear(&recent->bytes);
    mr_buffer_append(&recent->bytes, bytes.data, bytes.len);
    recent->user = user;
    load->recent_count++;
}

static void send_command(struct sim *sim, int user, const struct oms_order_command *command)
{
    const struct mr_slice bytes = mr_world_encode(sim->world, "orders", command);

    keep(sim->load, bytes, user);
    send(sim, "orders", command->user_id, &bytes);
}

static void send_again(struct sim *sim)
{
    struct sim_load *load = sim->load;
    const size_t count = load->recent_count < RECENT ? load->recent_count : RECENT;
    const struct recent *recent = &load->recent[sim_pick(&sim->random, RECENT) % count];
    const struct mr_slice bytes = mr_buffer_slice(&recent->bytes);

    send(sim, "orders", text(load, "user", recent->user), &bytes);
}

static void send_cancel(struct sim *sim)
{
    struct sim_load *load = sim->load;
    const int target = load->orders == 0 ? 0 : (int)sim_pick(&sim->random, (uint64_t)load->orders);
    /* Order n is user n % users', for symbol n % symbols: mostly one's own. */
    const int user = sim_chance(&sim->random, 10) ? some_user(sim) : target % load->users;
    const struct oms_order_command command = {
        .event_id = text(load, "c", load->commands++),
        .ts_us = load->ts_us,
        .action = sim_chance(&sim->random, 15) ? OMS_ACTION_AMEND : OMS_ACTION_CANCEL,
        .order_id = text(load, "x", load->commands),
        .user_id = text(load, "user", user),
        .symbol = mr_slice_str(symbols[target % load->symbols]),
        .target_order_id = text(load, "o", target),
        .has_target_order_id = true,
        .source = mr_slice_str("sim"),
    };

    send_command(sim, user, &command);
}

/*
 * It can be written as it is, and not any more with the name of an asset that risk adds: poison
 * that has been handed over twice and has written state before it is found out.
 */
static void make_huge(struct sim *sim, struct oms_order_command *command)
{
    size_t len = OUTPUT_BYTES_MAX - (size_t)sim_pick(&sim->random, ASSET_BYTES_MIN) -
                 MR_WIRE_HEADER_BYTES - command->user_id.len;

    command->source.len = 0;
    len -= oms_order_command_schema.encoded_bytes_max(command);
    sim->load->padding = mr_xrealloc(sim->load->padding, len);
    memset(sim->load->padding, 'x', len);
    command->source = mr_slice_of(sim->load->padding, len);
}

static void send_order(struct sim *sim)
{
    static const enum oms_stp_mode modes[] = {OMS_STP_MODE_EXPIRE_TAKER, OMS_STP_MODE_EXPIRE_MAKER,
                                              OMS_STP_MODE_EXPIRE_BOTH, OMS_STP_MODE_NONE};
    static const enum oms_time_in_force tifs[] = {
        OMS_TIME_IN_FORCE_GTC, OMS_TIME_IN_FORCE_GTC, OMS_TIME_IN_FORCE_GTC,
        OMS_TIME_IN_FORCE_IOC, OMS_TIME_IN_FORCE_FOK,
    };
    struct sim_load *load = sim->load;
    const int id = load->orders++;
    const bool market = sim_chance(&sim->random, 6);
    struct oms_order_command command = {
        .event_id = text(load, "c", load->commands++),
        .ts_us = load->ts_us,
        .action = OMS_ACTION_NEW,
        .order_id = text(load, "o", id),
        .user_id = text(load, "user", id % load->users),
        .symbol = mr_slice_str(symbols[id % load->symbols]),
        .side = sim_chance(&sim->random, 2) ? OMS_SIDE_BUY : OMS_SIDE_SELL,
        .ord_type = market ? OMS_ORDER_TYPE_MARKET : OMS_ORDER_TYPE_LIMIT,
        .tif = market ? OMS_TIME_IN_FORCE_IOC : tifs[sim_pick(&sim->random, MR_COUNT(tifs))],
        .qty = tenths(sim_between(&sim->random, 1, 50)),
        .has_qty = true,
        .stp_mode = modes[sim_pick(&sim->random, MR_COUNT(modes))],
        .source = mr_slice_str("sim"),
        /* Now and then the key of an earlier order of the same user: a conflict. */
        .idempotency_key = text(
            load, "k", sim_chance(&sim->random, 14) && id >= load->users ? id - load->users : id),
        .has_idempotency_key = true,
    };

    if (!market) {
        /* Now and then not on a tick. */
        command.price = tenths(sim_between(&sim->random, 192, 208) * 5 +
                               (sim_chance(&sim->random, 25) ? 3 : 0));
        command.has_price = true;
        command.post_only = command.tif == OMS_TIME_IN_FORCE_GTC && sim_chance(&sim->random, 8);
    }
    if (load->huge_left > 0 && sim_chance(&sim->random, 40)) {
        load->huge_left--;
        make_huge(sim, &command);
    }
    send_command(sim, id % load->users, &command);
    load->orders_left--;
    sim->result.orders++;
}

static void send_something(struct sim *sim)
{
    struct sim_load *load = sim->load;
    const uint64_t what = sim_pick(&sim->random, 1000);
    const int symbol = some_symbol(sim);

    load->ts_us += sim_between(&sim->random, 0, 3 * MR_SECOND_US);
    if (what < 660 || load->recent_count == 0) {
        send_order(sim);
    } else if (what < 800) {
        send_cancel(sim);
    } else if (what < 840) {
        send_again(sim);
    } else if (what < 880) {
        send_transfer(sim, some_user(sim), true, (int)sim_pick(&sim->random, 3),
                      sim_between(&sim->random, 1, 500));
    } else if (what < 920) {
        send_transfer(sim, some_user(sim), false, (int)sim_pick(&sim->random, 3),
                      sim_between(&sim->random, 1, 3000));
    } else if (what < 932) {
        send_limits(sim);
    } else if (what < 940) {
        send_state(sim);
    } else if (what < 955) {
        load->halted[symbol] = !load->halted[symbol];
        send_instrument(sim, symbol);
    } else if (what < 975) {
        send_price(sim, symbol);
    } else {
        send_garbage(sim);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

void sim_load_open(struct sim *sim)
{
    const struct mr_producer_options options = {.transaction_timeout_us = MR_SECOND_US};
    struct sim_load *load = mr_xcalloc(1, sizeof(*load));
    struct mr_err err;

    sim->load = load;
    load->users = (int)sim_between(&sim->random, 2, 9);
    load->symbols = (int)sim_between(&sim->random, 1, MR_COUNT(symbols));
    /* Mostly few, so that there are many seeds. */
    load->orders_left =
        (int)sim_between(&sim->random, 100, sim_chance(&sim->random, 8) ? 1000 : 300);
    load->huge_left = sim_chance(&sim->random, 6) ? 2 : 0;
    load->ts_us = FIRST_TS_US;
    WORLD_MUST(mr_producer_open(mr_world_log(sim->world), &options, MR_SECOND_US, &load->producer,
                                &err) == MR_OK);
    /* Their schemas are known before the registry goes away. */
    (void)mr_world_encode(sim->world, "orders", &(struct oms_order_command){0});
    (void)mr_world_encode(sim->world, "accounts", &(struct oms_account_command){0});
    (void)mr_world_encode(sim->world, "prices", &(struct oms_price_tick){0});
    (void)mr_world_encode(sim->world, "instruments", &(struct oms_instrument){0});
    sim_say(sim, "load orders=%d users=%d symbols=%d huge=%d", load->orders_left, load->users,
            load->symbols, load->huge_left);
}

void sim_load_begin(struct sim *sim)
{
    for (int symbol = 0; symbol < sim->load->symbols; symbol++) {
        send_instrument(sim, symbol);
        send_price(sim, symbol);
    }
    for (int user = 0; user < sim->load->users; user++) {
        send_transfer(sim, user, true, 0, 20000);
        for (int symbol = 0; symbol < sim->load->symbols; symbol++) {
            send_transfer(sim, user, true, symbol + 1, 300);
        }
    }
}

void sim_load_send(struct sim *sim, int rounds_left)
{
    struct sim_load *load = sim->load;
    /* Clients wait while nobody answers. In bursts: nothing in most rounds. */
    int64_t count = sim_chance(&sim->random, 4)
                        ? 1 + sim_between(&sim->random, 0, 8 * load->orders_left / rounds_left)
                        : 0;

    count = rounds_left == 1 ? INT64_MAX : count;
    for (; count > 0 && load->orders_left > 0 && !sim->log_down; count--) {
        send_something(sim);
    }
}
