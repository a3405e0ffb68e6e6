/* prepare.c -- see prepare.h. */
#include "prepare.h"

#include "avro/account_command.h"
#include "avro/balance.h"
#include "avro/execution_report.h"
#include "flow.h"
#include "millrace/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define ASSETS (FLOW_SYMBOLS + 1)
#define UNLIMITED 2000000000
#define DEPOSIT ((mr_i128)1000000000 * (mr_i128)1000000000000000000)
#define POLL_US (20 * 1000)
#define PROBE_PAUSE_US (200 * 1000)

struct awaiting {
    const struct prepare *prepare;
    uint8_t seen[FLOW_USERS][ASSETS];
    int64_t seen_count;
    uint8_t answered[FLOW_SYMBOLS];
    int answered_count;
};

static void asset_name(int asset, char name[FLOW_NAME_BYTES_MAX])
{
    if (asset == FLOW_SYMBOLS) {
        (void)snprintf(name, FLOW_NAME_BYTES_MAX, FLOW_QUOTE);
    } else {
        flow_base_name(asset, name);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static enum mr_status publish(const struct prepare *prepare, struct mr_err *err)
{
    const int64_t now_us = mr_clock_wall_us(prepare->env->clock);

    for (int i = 0; i < FLOW_SYMBOLS; i++) {
        char symbol[FLOW_NAME_BYTES_MAX];
        char base[FLOW_NAME_BYTES_MAX];
        struct oms_instrument instrument;
        struct oms_price_tick tick;

        flow_symbol_name(i, symbol);
        flow_base_name(i, base);
        flow_instrument(symbol, base, now_us, &instrument);
        flow_price(symbol, now_us, &tick);
        MR_TRY(load_out_send(prepare->out, LOAD_INSTRUMENTS, instrument.symbol, &instrument, err));
        MR_TRY(load_out_send(prepare->out, LOAD_PRICES, tick.symbol, &tick, err));
    }
    return load_out_flush(prepare->out, err);
}

static enum mr_status send_account(const struct prepare *prepare, const char *user,
                                   const char *what, struct oms_account_command *command,
                                   struct mr_err *err)
{
    char event_id[64];

    (void)snprintf(event_id, sizeof(event_id), "%08x-%s-%s", (unsigned)prepare->run, user, what);
    command->event_id = mr_slice_str(event_id);
    command->ts_us = mr_clock_wall_us(prepare->env->clock);
    command->user_id = mr_slice_str(user);
    return load_out_send(prepare->out, LOAD_ACCOUNTS, command->user_id, command, err);
}

static enum mr_status fund_user(const struct prepare *prepare, int number, struct mr_err *err)
{
    struct oms_account_command limits = {.action = OMS_ACCOUNT_ACTION_SET_LIMITS,
                                         .open_orders_max = UNLIMITED,
                                         .has_open_orders_max = true,
                                         .velocity_per_second = UNLIMITED,
                                         .has_velocity_per_second = true,
                                         .velocity_burst = UNLIMITED,
                                         .has_velocity_burst = true};
    char user[FLOW_NAME_BYTES_MAX];

    flow_user_name(number, user);
    MR_TRY(send_account(prepare, user, "limits", &limits, err));
    for (int a = 0; a < ASSETS; a++) {
        char asset[FLOW_NAME_BYTES_MAX];
        struct oms_account_command deposit = {.action = OMS_ACCOUNT_ACTION_DEPOSIT,
                                              .has_asset = true,
                                              .amount = DEPOSIT,
                                              .has_amount = true};

        asset_name(a, asset);
        deposit.asset = mr_slice_str(asset);
        MR_TRY(send_account(prepare, user, asset, &deposit, err));
    }
    return MR_OK;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static enum mr_status on_balance(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct awaiting *awaiting = arg;
    const struct oms_balance *balance = record->value;
    char text[FLOW_NAME_BYTES_MAX];
    int user;

    (void)err;
    if (balance == NULL || balance->user_id.len >= sizeof(text)) {
        return MR_OK;
    }
    memcpy(text, balance->user_id.data, balance->user_id.len);
    text[balance->user_id.len] = '\0';
    if (strncmp(text, "user-", 5) != 0) {
        return MR_OK;
    }
    user = (int)strtol(text + 5, NULL, 10);
    for (int a = 0; user >= 0 && user < FLOW_USERS && a < ASSETS; a++) {
        asset_name(a, text);
        if (mr_slice_equal(balance->asset, mr_slice_str(text)) && balance->available >= DEPOSIT &&
            awaiting->seen[user][a] == 0) {
            awaiting->seen[user][a] = 1;
            awaiting->seen_count++;
        }
    }
    return MR_OK;
}

static enum mr_status on_answer(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct awaiting *awaiting = arg;
    const struct oms_execution_report *report = record->value;

    (void)err;
    if (report == NULL || report->exec_type == OMS_EXEC_TYPE_REJECTED ||
        flow_number(awaiting->prepare->run, report->order_id) != -2) {
        return MR_OK;
    }
    for (int s = 0; s < FLOW_SYMBOLS; s++) {
        char symbol[FLOW_NAME_BYTES_MAX];

        flow_symbol_name(s, symbol);
        if (awaiting->answered[s] == 0 && mr_slice_equal(report->symbol, mr_slice_str(symbol))) {
            awaiting->answered[s] = 1;
            awaiting->answered_count++;
        }
    }
    return MR_OK;
}

/* source: topic, schema and visitor; begins at the present ends. */
static enum mr_status listen(struct awaiting *awaiting, struct load_source source,
                             struct load_feed **feed, struct mr_err *err)
{
    const struct load_env *env = awaiting->prepare->env;
    int64_t ends[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;

    MR_TRY(load_ends(env, source.topic, ends, &partitions, err));
    MR_TRY(load_feed_open(env, feed, err));
    source.offsets = ends;
    source.arg = awaiting;
    return load_feed_add(*feed, &source, err);
}

static enum mr_status await_money(struct awaiting *awaiting, struct load_feed *feed,
                                  struct mr_err *err)
{
    const struct prepare *prepare = awaiting->prepare;
    const int64_t wanted = (int64_t)FLOW_USERS * ASSETS;
    int64_t since_us = mr_clock_monotonic_us(prepare->env->clock);

    while (awaiting->seen_count < wanted) {
        size_t delivered = 0;

        MR_TRY(load_feed_step(feed, POLL_US, &delivered, err));
        if (delivered > 0) {
            since_us = mr_clock_monotonic_us(prepare->env->clock);
        } else if (mr_clock_monotonic_us(prepare->env->clock) - since_us > prepare->wait_us) {
            return mr_fail(err, MR_TIMEOUT,
                           "%lld of %lld deposits do not show in `balances`; does group account "
                           "run?",
                           (long long)(wanted - awaiting->seen_count), (long long)wanted);
        }
    }
    return MR_OK;
}

static enum mr_status fund(struct awaiting *awaiting, struct mr_err *err)
{
    struct load_feed *feed = NULL;
    enum mr_status status =
        listen(awaiting,
               (struct load_source){
                   .topic = "balances", .schema = &oms_balance_schema, .visit = on_balance},
               &feed, err);

    for (int i = 0; i < FLOW_USERS && status == MR_OK; i++) {
        status = fund_user(awaiting->prepare, i, err);
    }
    if (status == MR_OK) {
        status = load_out_flush(awaiting->prepare->out, err);
    }
    if (status == MR_OK) {
        status = await_money(awaiting, feed, err);
    }
    load_feed_close(&feed);
    return status;
}

static enum mr_status send_probes(struct awaiting *awaiting, int64_t *number, struct mr_err *err)
{
    const struct prepare *prepare = awaiting->prepare;

    for (int s = 0; s < FLOW_SYMBOLS; s++) {
        struct flow_text text;
        struct oms_order_command command;

        /* Every partition of users has tables of its own kind: several users ask. */
        for (int i = 0; awaiting->answered[s] == 0 && i < 4; i++) {
            flow_probe(prepare->run, *number, s, mr_clock_wall_us(prepare->env->clock), &text,
                       &command);
            *number += 1;
            MR_TRY(load_out_send(prepare->out, LOAD_ORDERS, command.user_id, &command, err));
        }
    }
    return load_out_flush(prepare->out, err);
}

static enum mr_status probe(struct awaiting *awaiting, struct mr_err *err)
{
    const struct load_env *env = awaiting->prepare->env;
    const int64_t limit_us = mr_clock_monotonic_us(env->clock) + awaiting->prepare->wait_us;
    struct load_feed *feed = NULL;
    int64_t number = 0;
    enum mr_status status = listen(awaiting,
                                   (struct load_source){.topic = "executions",
                                                        .schema = &oms_execution_report_schema,
                                                        .visit = on_answer},
                                   &feed, err);

    while (status == MR_OK && awaiting->answered_count < FLOW_SYMBOLS) {
        const int64_t again_us = mr_clock_monotonic_us(env->clock) + PROBE_PAUSE_US;

        if (mr_clock_monotonic_us(env->clock) > limit_us) {
            status = mr_fail(err, MR_TIMEOUT,
                             "orders of %d symbols are not accepted; do both groups run?",
                             FLOW_SYMBOLS - awaiting->answered_count);
            break;
        }
        status = send_probes(awaiting, &number, err);
        while (status == MR_OK && awaiting->answered_count < FLOW_SYMBOLS &&
               mr_clock_monotonic_us(env->clock) < again_us) {
            size_t delivered = 0;

            status = load_feed_step(feed, POLL_US, &delivered, err);
        }
    }
    load_feed_close(&feed);
    return status;
}

enum mr_status prepare_market(const struct prepare *prepare, struct mr_err *err)
{
    struct awaiting *awaiting = mr_xcalloc(1, sizeof(*awaiting));
    enum mr_status status;

    awaiting->prepare = prepare;
    status = publish(prepare, err);
    if (status == MR_OK) {
        status = fund(awaiting, err);
    }
    if (status == MR_OK) {
        status = probe(awaiting, err);
    }
    free(awaiting);
    return status;
}
