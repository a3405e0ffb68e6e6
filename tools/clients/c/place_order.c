/*
 * place_order.c -- places a limit order and prints its execution reports until it is over.
 *
 * exit codes: 0 filled and settled; 1 rejected, cancelled, or not over in time; 2 misuse
 */
#include "client.h"
#include "connectors/registry/registry_http.h"
#include "domain/decimal.h"
#include "millrace/log_open.h"
#include "report.h"
#include "tools/millrace/args.h"
#include "tools/millrace/catalog.h"
#include "tools/millrace/command.h"

#include <stdio.h>

#define UUID_TEXT_BYTES 37

struct arguments {
    const char *bootstrap;
    const char *registry;
    const char *user;
    const char *symbol;
    const char *side;
    const char *qty;
    const char *price;
    const char *order_id;
    bool follow;
    int64_t timeout_s;
};

static const struct mr_option options[] = {
    {.name = "bootstrap",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, bootstrap),
     .help = "Kafka's bootstrap servers"},
    {.name = "registry",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, registry),
     .help = "schema registry, the URL where /subjects stands"},
    {.name = "user",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, user),
     .help = "whose order; the records' key"},
    {.name = "symbol",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, symbol),
     .fallback = "",
     .help = "for example BTCUSDT"},
    {.name = "side",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, side),
     .fallback = "",
     .help = "BUY or SELL"},
    {.name = "qty",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, qty),
     .fallback = "",
     .help = "in base asset"},
    {.name = "price",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, price),
     .fallback = "",
     .help = "in quote asset"},
    {.name = "order-id",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct arguments, order_id),
     .fallback = "",
     .help = "sent twice, it is one order; empty: a new UUID"},
    {.name = "follow",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct arguments, follow),
     .fallback = "false",
     .help = "send nothing: print the reports of --order-id from the first one on"},
    {.name = "timeout",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct arguments, timeout_s),
     .fallback = "30",
     .min = 1,
     .max = 86400,
     .help = "seconds until the order must be over"},
};

static const struct args_spec spec = {
    .command = "place_order",
    .summary = "Places a limit order and prints its execution reports until it is over. "
               "Exit codes: 0 filled and settled; 1 rejected, cancelled, or not over in time; "
               "2 misuse.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
};

static enum mr_status amount(const char *name, const char *text, mr_i128 *out, struct mr_err *err)
{
    if (dec_parse(dom_text_str(text), out) != DEC_PARSED || *out <= 0) {
        return mr_fail(err, MR_CONFIG,
                       "--%s: '%s' is no amount: above zero, 16 digits, 18 decimals at most", name,
                       text);
    }
    return MR_OK;
}

/* A random one (version 4). */
static enum mr_status new_uuid(char text[UUID_TEXT_BYTES], struct mr_err *err)
{
    uint8_t b[16];
    FILE *random = fopen("/dev/urandom", "rb");
    const size_t got = random == NULL ? 0 : fread(b, 1, sizeof(b), random);

    if (random != NULL) {
        (void)fclose(random);
    }
    if (got != sizeof(b)) {
        return mr_fail(err, MR_RESOURCE, "/dev/urandom gives no identity for the order");
    }
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof(b); i++) {
        const bool dash = i == 4 || i == 6 || i == 8 || i == 10;

        at += (size_t)snprintf(text + at, UUID_TEXT_BYTES - at, dash ? "-%02x" : "%02x", b[i]);
    }
    return MR_OK;
}

/* Only what a client sets; zero is what the other fields have by default. */
static enum mr_status make_command(const struct arguments *given, int64_t now_us,
                                   const char *event_id, struct oms_order_command *command,
                                   struct mr_err *err)
{
    if (given->symbol[0] == '\0') {
        return mr_fail(err, MR_CONFIG, "--symbol is missing");
    }
    if (strcmp(given->side, "BUY") != 0 && strcmp(given->side, "SELL") != 0) {
        return mr_fail(err, MR_CONFIG, "--side is BUY or SELL, not '%s'", given->side);
    }
    *command = (struct oms_order_command){
        .event_id = mr_slice_str(event_id),
        .ts_us = now_us,
        .client_ts_us = now_us,
        .has_client_ts_us = true,
        .action = OMS_ACTION_NEW,
        .order_id = mr_slice_str(given->order_id),
        .idempotency_key = mr_slice_str(given->order_id),
        .has_idempotency_key = true,
        .user_id = mr_slice_str(given->user),
        .symbol = mr_slice_str(given->symbol),
        .side = strcmp(given->side, "BUY") == 0 ? OMS_SIDE_BUY : OMS_SIDE_SELL,
        .ord_type = OMS_ORDER_TYPE_LIMIT,
        .tif = OMS_TIME_IN_FORCE_GTC,
        .has_qty = true,
        .has_price = true,
        .source = mr_slice_str("client-c"),
    };
    MR_TRY(amount("qty", given->qty, &command->qty, err));
    return amount("price", given->price, &command->price, err);
}

static void print_report(void *arg, const struct oms_execution_report *report)
{
    struct mr_buffer line = MR_BUFFER_EMPTY;

    (void)arg;
    report_line(report, &line);
    (void)printf("%.*s\n", MR_SLICE_ARG(mr_buffer_slice(&line)));
    (void)fflush(stdout);
    mr_buffer_fini(&line);
}

static enum mr_status run(const struct arguments *given, const struct oms_order_command *command,
                          enum oms_order_status *last, struct mr_err *err)
{
    const struct mr_topic_config kafka[] = {{"bootstrap.servers", given->bootstrap}};
    struct client_options with = {.clock = mr_clock_system(),
                                  .user = given->user,
                                  .timeout_us = given->timeout_s * MR_SECOND_US};
    struct client *client = NULL;
    enum mr_status status = mr_log_kafka_open(kafka, MR_COUNT(kafka), &with.log, err);

    if (status == MR_OK) {
        status = mr_registry_http_create(given->registry, &with.registry, err);
    }
    if (status == MR_OK) {
        status = client_open(&with, given->follow, &client, err);
    }
    if (status == MR_OK && !given->follow) {
        status = client_send(client, command, err);
    }
    if (status == MR_OK) {
        status = client_follow(client, given->order_id, print_report, NULL, last, err);
    }
    client_close(&client);
    mr_registry_destroy(&with.registry);
    if (with.log != NULL) {
        mr_log_close(&with.log);
    }
    return status;
}

static bool check(struct arguments *given, char order_id[UUID_TEXT_BYTES],
                  char event_id[UUID_TEXT_BYTES], struct oms_order_command *command,
                  struct mr_err *err)
{
    enum mr_status status = new_uuid(event_id, err);

    if (status == MR_OK && given->order_id[0] == '\0') {
        status = given->follow ? mr_fail(err, MR_CONFIG, "--order-id is missing")
                               : new_uuid(order_id, err);
        given->order_id = order_id;
    }
    if (status == MR_OK && !given->follow) {
        status = given->symbol[0] == '\0' ? mr_fail(err, MR_CONFIG, "--symbol is missing")
                                          : make_command(given, mr_clock_wall_us(mr_clock_system()),
                                                         event_id, command, err);
    }
    return status == MR_OK;
}

/* The arguments' parser belongs to the program `millrace`; this one has no topology to check. */
const struct mr_catalog *mr_cli_catalog(void)
{
    return NULL;
}

int main(int argc, char **argv)
{
    struct arguments given = {0};
    struct oms_order_command command = {0};
    enum oms_order_status last = OMS_ORDER_STATUS_NEW;
    char order_id[UUID_TEXT_BYTES];
    char event_id[UUID_TEXT_BYTES];
    struct mr_err err = {0};
    struct args args;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &given, &args, &exit_code)) {
        return exit_code;
    }
    if (!check(&given, order_id, event_id, &command, &err)) {
        (void)fprintf(stderr, "place_order: %s\n", err.text);
        return EXIT_MISUSE;
    }
    if (run(&given, &command, &last, &err) != MR_OK) {
        (void)fprintf(stderr, "place_order: %s\n", err.text);
        return EXIT_NO;
    }
    return last == OMS_ORDER_STATUS_SETTLED ? 0 : EXIT_NO;
}
