/*
 * risk_check.c -- `millrace risk check`: what risk would say to an order, and how far away each
 * limit is. Changes nothing; exit code 0 allowed, 1 not (or servers that
 * do not answer), 2 misuse.
 */
#include "args.h"
#include "commands.h"
#include "connect.h"
#include "risk_answer.h"
#include "risk_read.h"
#include "topology_file.h"

#include <stdio.h>
#include <stdlib.h>

struct risk_command {
    const char *user, *symbol, *client_order_id;
    const char *qty, *quote_qty, *price, *stop_price;
    int side, type, tif;
    bool reduce_only, post_only, json;
    int64_t wait_us;
};

/* Ordinals of the schema; DEFAULT is what the type usually has. */
static const char *const sides[] = {"BUY", "SELL", NULL};
static const char *const types[] = {"LIMIT", "MARKET", "STOP", "STOP_LIMIT", NULL};
static const char *const tifs[] = {"GTC", "IOC", "FOK", "DEFAULT", NULL};
#define TIF_DEFAULT 3

#define TEXT(option, field, without, what)                                                         \
    {                                                                                              \
        .name = (option), .type = MR_OPTION_STRING,                                                \
        .offset = offsetof(struct risk_command, field), .fallback = (without), .help = (what)      \
    }
#define CHOICE(option, field, without, choices, what)                                              \
    {                                                                                              \
        .name = (option), .type = MR_OPTION_ENUM, .offset = offsetof(struct risk_command, field),  \
        .fallback = (without), .symbols = (choices), .help = (what)                                \
    }
#define SWITCH(option, field, what)                                                                \
    {                                                                                              \
        .name = (option), .type = MR_OPTION_BOOL, .offset = offsetof(struct risk_command, field),  \
        .fallback = "false", .help = (what)                                                        \
    }

static const struct mr_option options[] = {
    TEXT("user", user, NULL, "whose order it would be"),
    TEXT("symbol", symbol, NULL, "what is traded"),
    CHOICE("side", side, NULL, sides, "BUY or SELL"),
    CHOICE("type", type, "LIMIT", types, "of the order"),
    CHOICE("tif", tif, "DEFAULT", tifs, "time in force; DEFAULT: IOC for MARKET, GTC else"),
    TEXT("qty", qty, "", "quantity in base asset"),
    TEXT("quote-qty", quote_qty, "", "MARKET: amount in quote asset instead"),
    TEXT("price", price, "", "limit price"),
    TEXT("stop-price", stop_price, "", "STOP, STOP_LIMIT"),
    TEXT("client-order-id", client_order_id, "", "must be free among the user's open orders"),
    SWITCH("reduce-only", reduce_only, "may only bring the position closer to zero"),
    SWITCH("post-only", post_only, "may not trade at once"),
    SWITCH("json", json, "one JSON document instead of a table"),
    CONNECT_WAIT_OPTION(struct risk_command, wait_us),
};

static const struct args_spec spec = {
    .command = "risk check",
    .summary = "Evaluates all checks of risk for an order that is not sent.",
    .positionals = "[TOPOLOGY]",
    .positional_min = 0,
    .positional_max = 1,
    .options = options,
    .option_count = MR_COUNT(options),
};

/* An absent amount is empty. False: it is no number, which is said. */
static bool read_amount(const char *name, const char *text, mr_i128 *value, bool *has)
{
    *has = text[0] != '\0';
    if (*has && dec_parse(dom_text_str(text), value) != DEC_PARSED) {
        (void)fprintf(stderr,
                      "millrace risk check: --%s: %s is no amount with at most 18 decimals\n", name,
                      text);
        return false;
    }
    return true;
}

static bool read_order(const struct risk_command *command, int64_t now_us,
                       struct oms_order_command *order)
{
    const bool market = command->type == OMS_ORDER_TYPE_MARKET;

    *order = (struct oms_order_command){
        .event_id = mr_slice_str("dry-run"),
        .ts_us = now_us,
        .action = OMS_ACTION_NEW,
        .order_id = mr_slice_str("dry-run"),
        .user_id = mr_slice_str(command->user),
        .client_order_id = mr_slice_str(command->client_order_id),
        .has_client_order_id = command->client_order_id[0] != '\0',
        .symbol = mr_slice_str(command->symbol),
        .side = (enum oms_side)command->side,
        .ord_type = (enum oms_order_type)command->type,
        .tif = command->tif != TIF_DEFAULT ? (enum oms_time_in_force)command->tif
               : market                    ? OMS_TIME_IN_FORCE_IOC
                                           : OMS_TIME_IN_FORCE_GTC,
        .reduce_only = command->reduce_only,
        .post_only = command->post_only,
    };
    return read_amount("qty", command->qty, &order->qty, &order->has_qty) &&
           read_amount("quote-qty", command->quote_qty, &order->quote_qty, &order->has_quote_qty) &&
           read_amount("price", command->price, &order->price, &order->has_price) &&
           read_amount("stop-price", command->stop_price, &order->stop_price,
                       &order->has_stop_price);
}

static const struct mr_stage_node *risk_node(const struct mr_topology *topology,
                                             struct risk_settings *settings)
{
    for (size_t i = 0; i < topology->stage_count; i++) {
        if (risk_dry_settings(topology->stages[i].type, topology->stages[i].options, settings)) {
            return &topology->stages[i];
        }
    }
    return NULL;
}

static enum mr_status answer(const struct load_env *env, const struct risk_command *command,
                             const struct oms_order_command *order, struct risk_dry_result *result,
                             struct mr_err *err)
{
    struct risk_settings settings;
    const struct risk_question question = {.stage = risk_node(env->topology, &settings),
                                           .user = command->user,
                                           .client_order_id = command->client_order_id,
                                           .wait_us = command->wait_us};
    struct risk_rows *rows = NULL;

    if (question.stage == NULL) {
        return mr_fail(err, MR_CONFIG, "%s has no stage of type risk", env->topology->file);
    }
    MR_TRY(risk_rows_read(env, &question, &rows, err));
    const struct risk_dry dry = {
        .settings = &settings,
        .user = risk_rows_user(rows),
        .all = risk_rows_all(rows),
        .instrument_of = risk_rows_instrument,
        .price_of = risk_rows_price,
        .arg = rows,
        .order = order,
        .now_us = order->ts_us,
        .client_id_taken = risk_rows_client_id_taken(rows),
        .instruments = mr_xcalloc(1, sizeof(struct instrument_cache)),
    };

    risk_dry_run(&dry, result);
    free(dry.instruments);
    risk_rows_close(&rows);
    return MR_OK;
}

static bool print_answer(const struct risk_command *command, const struct risk_dry_result *result,
                         int64_t now_us)
{
    struct mr_buffer out = {0};
    bool written = false;

    if (command->json) {
        risk_answer_json(result, now_us, &out);
    } else {
        risk_answer_table(result, &out);
    }
    written = fwrite(out.data, 1, out.len, stdout) == out.len;
    mr_buffer_fini(&out);
    return written;
}

static enum mr_status check(struct mr_topology *topology, const struct risk_command *command,
                            const struct oms_order_command *order, struct risk_dry_result *result,
                            struct mr_err *err)
{
    struct connection connection = {0};
    struct load_env env = {.clock = mr_clock_system(), .topology = topology};
    enum mr_status status = connection_reach(topology, command->wait_us, &connection, err);

    if (status == MR_OK) {
        env.log = connection.log;
        env.codec = connection.codec;
        status = answer(&env, command, order, result, err);
    }
    connection_close(&connection);
    return status;
}

static int run(int argc, char **argv)
{
    const int64_t now_us = mr_clock_wall_us(mr_clock_system());
    struct risk_command command = {0};
    struct oms_order_command order;
    struct risk_dry_result result = {0};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    if (!read_order(&command, now_us, &order)) {
        return EXIT_MISUSE;
    }
    topology =
        topology_file_load(args.positional_count == 0 ? "topology.yaml" : args.positionals[0]);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    status = check(topology, &command, &order, &result, &err);
    mr_topology_destroy(&topology);
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace risk check: %s\n", err.text);
        return EXIT_NO;
    }
    return print_answer(&command, &result, now_us) && result.allowed ? 0 : EXIT_NO;
}

const struct command command_risk_check = {
    .name = "risk check",
    .summary = "what risk would say to an order, all checks",
    .run = run,
};
