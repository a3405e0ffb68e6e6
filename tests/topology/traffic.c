/* traffic.c -- see traffic.h. */
#include "traffic.h"

#include <stdio.h>

#define FIRST_TS_US INT64_C(1723075200000000)

static const char *const symbols[] = {"ETHUSDT", "BTCUSDT"};

uint64_t traffic_pick(struct traffic *traffic, uint64_t bound)
{
    uint64_t z = traffic->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % bound;
}

static const char *one_of(struct traffic *traffic, const char *const *texts, size_t count)
{
    return texts[traffic_pick(traffic, count)];
}

static bool one_in(struct traffic *traffic, uint64_t bound)
{
    return traffic_pick(traffic, bound) == 0;
}

/* ---- the market ------------------------------------------------------------------------------ */

static void send_instrument(struct traffic *traffic, const char *symbol, const char *state)
{
    char json[900];

    snprintf(json, sizeof(json),
             "{\"symbol\": \"%s\", \"ts\": %lld, \"baseAsset\": \"%.3s\", \"quoteAsset\": "
             "\"USDT\", \"state\": \"%s\", \"tickSize\": \"0.5\", \"lotSize\": \"0.1\", "
             "\"minPrice\": \"1\", \"maxPrice\": \"100000\", \"minQty\": \"0.1\", \"maxQty\": "
             "\"1000\", \"minNotional\": \"5\", \"maxNotional\": \"100000\", \"makerFee\": "
             "\"%s\", \"takerFee\": \"0.00093\", \"rangeUp\": \"1.04\", \"rangeDown\": \"0.96\", "
             "\"version\": %d}",
             symbol, (long long)traffic->ts_us, symbol, state,
             symbol[0] == 'B' ? "-0.00017" : "0.00017", traffic->commands);
    mr_world_send_json(traffic->world, "instruments", NULL, json);
}

void traffic_send_price(struct traffic *traffic, const char *symbol)
{
    char json[256];

    snprintf(json, sizeof(json),
             "{\"symbol\": \"%s\", \"ts\": %lld, \"kind\": \"LAST\", \"price\": \"%d\", \"seq\": "
             "%d, \"source\": \"storm\"}",
             symbol, (long long)traffic->ts_us, 98 + (int)traffic_pick(traffic, 5),
             traffic->commands);
    mr_world_send_json(traffic->world, "prices", NULL, json);
}

static void change_state(struct traffic *traffic)
{
    static const char *const states[] = {"POST_ONLY", "LIMIT_ONLY", "CANCEL_ONLY", "HALT"};
    const char *symbol = one_of(traffic, symbols, MR_COUNT(symbols));
    const bool open = !one_in(traffic, 3);

    send_instrument(traffic, symbol, open ? "TRADING" : one_of(traffic, states, MR_COUNT(states)));
}

/* ---- accounts -------------------------------------------------------------------------------- */

static void send_transfer(struct traffic *traffic, int user, const char *action, const char *asset,
                          int amount)
{
    char json[300];

    snprintf(json, sizeof(json),
             "{\"eventId\": \"a%d\", \"ts\": %lld, \"userId\": \"user%d\", \"action\": \"%s\", "
             "\"asset\": \"%s\", \"amount\": \"%d.%d\"}",
             traffic->transfers++, (long long)traffic->ts_us, user, action, asset, amount,
             (int)traffic_pick(traffic, 10));
    mr_world_send_json(traffic->world, "accounts", NULL, json);
}

/* Of a transfer of anybody, of any kind: most of them are refused. */
static void follow_transfer(struct traffic *traffic)
{
    static const char *const actions[] = {"WITHDRAW_COMMIT", "WITHDRAW_CANCEL", "REVERSE"};
    const int target = (int)traffic_pick(traffic, (uint64_t)traffic->transfers);
    const char *action = one_of(traffic, actions, MR_COUNT(actions));

    for (int user = 0; user < TRAFFIC_USERS; user++) {
        char json[300];

        snprintf(json, sizeof(json),
                 "{\"eventId\": \"a%d\", \"ts\": %lld, \"userId\": \"user%d\", \"action\": "
                 "\"%s\", \"transferId\": \"a%d\"}",
                 traffic->transfers++, (long long)traffic->ts_us, user, action, target);
        mr_world_send_json(traffic->world, "accounts", NULL, json);
    }
}

static void move_money(struct traffic *traffic)
{
    static const char *const assets[] = {"USDT", "USDT", "BTC", "ETH"};
    const int user = (int)traffic_pick(traffic, TRAFFIC_USERS);
    const char *asset = one_of(traffic, assets, MR_COUNT(assets));

    switch (traffic_pick(traffic, 4)) {
    case 0:
        send_transfer(traffic, user, "DEPOSIT", asset, (int)traffic_pick(traffic, 50));
        break;
    case 1:
        send_transfer(traffic, user, "WITHDRAW", asset, (int)traffic_pick(traffic, 300));
        break;
    case 2:
        send_transfer(traffic, user, "WITHDRAW_BEGIN", asset, (int)traffic_pick(traffic, 20));
        break;
    default:
        follow_transfer(traffic);
        break;
    }
}

static void send_switch(struct traffic *traffic, const char *user, const char *state, bool cancel)
{
    char json[300];

    snprintf(json, sizeof(json),
             "{\"eventId\": \"s%d\", \"ts\": %lld, \"userId\": \"%s\", \"action\": "
             "\"SET_STATE\", \"tradingState\": \"%s\", \"cancelOrders\": %s}",
             traffic->commands++, (long long)traffic->ts_us, user, state,
             cancel ? "true" : "false");
    mr_world_send_json(traffic->world, "accounts", NULL, json);
}

/* Soon over, or nobody would trade any more. */
static void throw_switch(struct traffic *traffic)
{
    static const char *const states[] = {"ACTIVE", "REDUCING", "HALTED"};
    const char *state = one_of(traffic, states, MR_COUNT(states));
    char user[20] = "*";

    if (!one_in(traffic, 4)) {
        snprintf(user, sizeof(user), "user%d", (int)traffic_pick(traffic, TRAFFIC_USERS));
    }
    send_switch(traffic, user, state, one_in(traffic, 2));
    if (!one_in(traffic, 3)) {
        send_switch(traffic, user, "ACTIVE", false);
    }
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* The fields that every command has, whatever it does with them. */
static void send_command(struct traffic *traffic, const char *action, const char *id, int user,
                         const char *symbol, const char *fields)
{
    char json[1000];

    snprintf(json, sizeof(json),
             "{\"eventId\": \"c%d\", \"ts\": %lld, \"action\": \"%s\", \"orderId\": \"%s\", "
             "\"userId\": \"user%d\", \"symbol\": \"%s\", \"source\": \"storm\", %s}",
             traffic->commands++, (long long)traffic->ts_us, action, id, user, symbol, fields);
    mr_world_send_json(traffic->world, "orders", NULL, json);
}

static const char *const no_order = "\"side\": \"BUY\", \"ordType\": \"LIMIT\", \"tif\": \"GTC\", "
                                    "\"postOnly\": false, \"reduceOnly\": false, \"stpMode\": "
                                    "\"EXPIRE_TAKER\"";

/* Order n belongs to user n % TRAFFIC_USERS and to symbol n % 2. Mostly one of the newest. */
static int target_of(struct traffic *traffic)
{
    const int recent = traffic->orders < 40 ? traffic->orders : 40;

    if (traffic->orders == 0) {
        return 0;
    }
    return one_in(traffic, 5) ? (int)traffic_pick(traffic, (uint64_t)traffic->orders)
                              : traffic->orders - 1 - (int)traffic_pick(traffic, (uint64_t)recent);
}

static void send_about(struct traffic *traffic, const char *action, const char *changes)
{
    const int target = target_of(traffic);
    char id[20];
    char fields[400];

    snprintf(id, sizeof(id), "x%d", traffic->commands);
    snprintf(fields, sizeof(fields), "%s, %s\"targetOrderId\": \"o%d\"", no_order, changes, target);
    send_command(traffic, action, id,
                 one_in(traffic, 8) ? (int)traffic_pick(traffic, TRAFFIC_USERS)
                                    : target % TRAFFIC_USERS,
                 symbols[target % 2], fields);
}

/* `"qty": "2.5", `. One draw at a time: the order in which arguments are evaluated is the
 * compiler's, and the same seed should be the same storm everywhere. */
static size_t add_number(char *at, size_t room, const char *name, uint64_t whole, uint64_t tenths)
{
    return (size_t)snprintf(at, room, "\"%s\": \"%d.%d\", ", name, (int)whole, (int)tenths);
}

static void send_amend(struct traffic *traffic)
{
    const uint64_t what = traffic_pick(traffic, 3);
    const uint64_t qty = traffic_pick(traffic, 6);
    const uint64_t qty_tenths = 1 + traffic_pick(traffic, 9);
    const uint64_t price = 96 + traffic_pick(traffic, 9);
    const uint64_t price_tenths = 5 * traffic_pick(traffic, 2);
    char changes[120] = "";
    size_t len = 0;

    if (what != 0) {
        len = add_number(changes, sizeof(changes), "qty", qty, qty_tenths);
    }
    if (what != 1) {
        (void)add_number(changes + len, sizeof(changes) - len, "price", price, price_tenths);
    }
    send_about(traffic, "AMEND", changes);
}

static void send_cancel_all(struct traffic *traffic, int user, const char *symbol)
{
    char id[20];

    snprintf(id, sizeof(id), "x%d", traffic->commands);
    send_command(traffic, "CANCEL_ALL", id, user, symbol, no_order);
}

struct kind {
    const char *type;
    const char *tif;
    bool by_amount, priced, stop;
};

static struct kind kind_of(struct traffic *traffic)
{
    static const char *const tifs[] = {"GTC", "GTC", "GTC", "GTD", "IOC", "FOK"};
    struct kind kind = {.type = "LIMIT", .tif = one_of(traffic, tifs, MR_COUNT(tifs))};

    switch (traffic_pick(traffic, 10)) {
    case 0:
        kind = (struct kind){.type = "MARKET", .tif = "IOC"};
        break;
    case 1:
        kind = (struct kind){.type = "MARKET", .tif = "IOC", .by_amount = true};
        break;
    case 2:
        kind =
            (struct kind){.type = "STOP", .tif = one_in(traffic, 3) ? "GTD" : "GTC", .stop = true};
        break;
    case 3:
        kind.type = "STOP_LIMIT";
        kind.stop = true;
        kind.priced = true;
        break;
    default:
        kind.priced = true;
        break;
    }
    return kind;
}

/* `"price": "97.5", `; now and then off the tick. */
static size_t add_price(struct traffic *traffic, char *at, size_t room, const char *name)
{
    const uint64_t whole = 96 + traffic_pick(traffic, 9);
    const uint64_t half = 5 * traffic_pick(traffic, 2);

    return add_number(at, room, name, whole, one_in(traffic, 25) ? 3 : half);
}

static size_t add_amounts(struct traffic *traffic, const struct kind *kind, char *at, size_t room)
{
    const uint64_t whole =
        kind->by_amount ? 20 + traffic_pick(traffic, 300) : 1 + traffic_pick(traffic, 4);
    const uint64_t tenths = traffic_pick(traffic, 10);
    size_t len = add_number(at, room, kind->by_amount ? "quoteQty" : "qty", whole, tenths);

    if (kind->priced) {
        len += add_price(traffic, at + len, room - len, "price");
    }
    if (kind->stop) {
        len += add_price(traffic, at + len, room - len, "stopPrice");
    }
    if (strcmp(kind->tif, "GTD") == 0) {
        len += (size_t)snprintf(
            at + len, room - len, "\"expireTs\": %lld, ",
            (long long)(traffic->ts_us + (int64_t)traffic_pick(traffic, MR_MINUTE_US)));
    }
    if (one_in(traffic, 6)) {
        len += (size_t)snprintf(at + len, room - len, "\"clientOrderId\": \"n%d\", ",
                                (int)traffic_pick(traffic, 4));
    }
    return len;
}

static void send_order(struct traffic *traffic)
{
    static const char *const modes[] = {"EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT",
                                        "NONE"};
    const int n = traffic->orders++;
    const struct kind kind = kind_of(traffic);
    const bool lasts = strcmp(kind.tif, "GTC") == 0 && strcmp(kind.type, "LIMIT") == 0;
    const bool buy = traffic_pick(traffic, 2) != 0;
    const bool post_only = lasts && one_in(traffic, 10);
    const bool reduce_only = one_in(traffic, 15);
    const char *mode = one_of(traffic, modes, MR_COUNT(modes));
    /* Now and then the key of an earlier order of the same user. */
    const int key = one_in(traffic, 12) && n >= TRAFFIC_USERS ? n - TRAFFIC_USERS : n;
    char fields[600];
    char id[20];
    const size_t len = add_amounts(traffic, &kind, fields, sizeof(fields));

    snprintf(fields + len, sizeof(fields) - len,
             "\"side\": \"%s\", \"ordType\": \"%s\", \"tif\": \"%s\", \"postOnly\": %s, "
             "\"reduceOnly\": %s, \"stpMode\": \"%s\", \"idempotencyKey\": \"k%d\"",
             buy ? "BUY" : "SELL", kind.type, kind.tif, post_only ? "true" : "false",
             reduce_only ? "true" : "false", mode, key);
    snprintf(id, sizeof(id), "o%d", n);
    send_command(traffic, "NEW", id, n % TRAFFIC_USERS, symbols[n % 2], fields);
}

static void send_garbage(struct traffic *traffic)
{
    static const char *const topics[] = {"orders", "accounts", "instruments", "prices"};
    const char *topic = one_of(traffic, topics, MR_COUNT(topics));
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)traffic_pick(traffic, i < 4 ? 2 : 256);
    }
    mr_world_send(traffic->world, topic, mr_slice_str("user1"),
                  mr_slice_of(bytes, (size_t)traffic_pick(traffic, sizeof(bytes))));
}

/* ---- all of it ------------------------------------------------------------------------------- */

void traffic_send(struct traffic *traffic)
{
    const uint64_t what = traffic_pick(traffic, 100);

    traffic->ts_us += (int64_t)traffic_pick(traffic, 3 * MR_SECOND_US);
    if (what < 60) {
        send_order(traffic);
    } else if (what < 70) {
        send_amend(traffic);
    } else if (what < 79) {
        send_about(traffic, "CANCEL", "");
    } else if (what < 82) {
        const char *symbol = one_in(traffic, 2) ? "" : one_of(traffic, symbols, MR_COUNT(symbols));

        send_cancel_all(traffic, (int)traffic_pick(traffic, TRAFFIC_USERS), symbol);
    } else if (what < 90) {
        move_money(traffic);
    } else if (what < 92) {
        throw_switch(traffic);
    } else if (what < 95) {
        change_state(traffic);
    } else if (what < 97) {
        traffic_send_price(traffic, one_of(traffic, symbols, MR_COUNT(symbols)));
    } else {
        send_garbage(traffic);
    }
    mr_world_pass_us(traffic->world, MR_MS_US);
}

void traffic_begin(struct traffic *traffic, struct mr_world *world, uint64_t seed)
{
    *traffic = (struct traffic){.world = world, .random = seed, .ts_us = FIRST_TS_US};
    send_instrument(traffic, "BTCUSDT", "TRADING");
    send_instrument(traffic, "ETHUSDT", "TRADING");
    traffic_send_price(traffic, "BTCUSDT");
    for (int user = 0; user < TRAFFIC_USERS; user++) {
        send_transfer(traffic, user, "DEPOSIT", "USDT", 2000);
        send_transfer(traffic, user, "DEPOSIT", "BTC", 10);
        send_transfer(traffic, user, "DEPOSIT", "ETH", 10);
    }
    mr_world_settle(world);
    traffic_send_price(traffic, "ETHUSDT");
}

void traffic_end(struct traffic *traffic)
{
    for (size_t i = 0; i < MR_COUNT(symbols); i++) {
        send_instrument(traffic, symbols[i], "CANCEL_ONLY");
    }
    for (int user = 0; user < TRAFFIC_USERS; user++) {
        send_cancel_all(traffic, user, "");
    }
}
