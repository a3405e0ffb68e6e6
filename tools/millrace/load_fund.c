/*
 * load_fund.c -- limits and deposits, and the wait until they are booked.
 *
 * Why the wait: a deposit travels risk, then settle; an order that overtakes it is rejected. What
 * `balances` shows has passed both.
 */
#include "avro/account_command.h"
#include "avro/balance.h"
#include "load.h"
#include "load_decimal.h"
#include "millrace/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define WANTED_MAX (LOAD_SYMBOLS_MAX * (2 * LOAD_USERS_EACH_MAX + 1) * 2)
#define UNLIMITED 2000000000 /* orders a second; open orders */
#define POLL_US (20 * 1000)

struct wanted {
    const char *user;
    const char *asset;
    mr_i128 amount;
    bool seen;
};

struct funding {
    struct load_session *session;
    struct wanted wanted[WANTED_MAX];
    size_t count;
    size_t seen;
    int64_t commands;
};

static enum mr_status send(struct funding *funding, const char *user, const char *kind,
                           struct oms_account_command *command, struct mr_err *err)
{
    char event_id[LOAD_ID_BYTES_MAX];

    (void)snprintf(event_id, sizeof event_id, "%s-%s%lld", user, kind,
                   (long long)funding->commands);
    funding->commands++;
    command->event_id = mr_slice_str(event_id);
    command->ts_us = funding->session->first_ts_us;
    command->user_id = mr_slice_str(user);
    return load_out_send(&funding->session->out, LOAD_ACCOUNTS, command->user_id, command, err);
}

static enum mr_status set_limits(struct funding *funding, const char *user, struct mr_err *err)
{
    struct oms_account_command command = {0};

    command.action = OMS_ACCOUNT_ACTION_SET_LIMITS;
    command.open_orders_max = UNLIMITED;
    command.has_open_orders_max = true;
    command.velocity_per_second = UNLIMITED;
    command.has_velocity_per_second = true;
    command.velocity_burst = UNLIMITED;
    command.has_velocity_burst = true;
    return send(funding, user, "limits", &command, err);
}

static enum mr_status deposit(struct funding *funding, const char *user, const char *asset,
                              mr_i128 amount, struct mr_err *err)
{
    struct oms_account_command command = {0};

    MR_ASSERT(funding->count < WANTED_MAX);
    funding->wanted[funding->count] =
        (struct wanted){.user = user, .asset = asset, .amount = amount};
    funding->count++;
    command.action = OMS_ACCOUNT_ACTION_DEPOSIT;
    command.asset = mr_slice_str(asset);
    command.has_asset = true;
    command.amount = amount;
    command.has_amount = true;
    return send(funding, user, "deposit", &command, err);
}

/* Three times what the whole tape needs: nothing runs short when all holds stand at once. */
static enum mr_status fund_user(struct funding *funding, size_t symbol, const char *user,
                                struct mr_err *err)
{
    const struct load_desk *desk = &funding->session->desks[symbol];
    const struct load_tape_symbol *tape = &funding->session->tape.symbols[symbol];

    MR_TRY(set_limits(funding, user, err));
    MR_TRY(deposit(funding, user, desk->base, tape->qty_total * 3 + 1000 * LOAD_DECIMAL_ONE, err));
    return deposit(funding, user, desk->quote,
                   tape->notional_total * 3 + 10000000 * LOAD_DECIMAL_ONE, err);
}

static enum mr_status fund_all(struct funding *funding, bool probes, struct mr_err *err)
{
    struct load_session *session = funding->session;

    for (size_t s = 0; s < session->tape.symbol_count; s++) {
        const struct load_desk *desk = &session->desks[s];

        for (size_t i = 0; !probes && i < desk->users_each; i++) {
            MR_TRY(fund_user(funding, s, desk->makers[i], err));
            MR_TRY(fund_user(funding, s, desk->takers[i], err));
        }
        if (probes) {
            MR_TRY(fund_user(funding, s, desk->probe, err));
        }
    }
    return load_out_flush(&session->out, err);
}

static enum mr_status on_balance(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct funding *funding = arg;
    const struct oms_balance *balance = record->value;

    (void)err;
    for (size_t i = 0; balance != NULL && i < funding->count; i++) {
        struct wanted *wanted = &funding->wanted[i];

        if (!wanted->seen && balance->available >= wanted->amount &&
            mr_slice_equal(balance->user_id, mr_slice_str(wanted->user)) &&
            mr_slice_equal(balance->asset, mr_slice_str(wanted->asset))) {
            wanted->seen = true;
            funding->seen++;
        }
    }
    return MR_OK;
}

static enum mr_status await_balances(struct funding *funding, struct load_feed *feed,
                                     struct mr_err *err)
{
    const struct load_env *env = funding->session->env;
    int64_t since_us = mr_clock_monotonic_us(env->clock);

    while (funding->seen < funding->count) {
        size_t delivered = 0;

        MR_TRY(load_feed_step(feed, env->pump == NULL ? POLL_US : 0, &delivered, err));
        if (delivered > 0) {
            since_us = mr_clock_monotonic_us(env->clock);
            continue;
        }
        if (mr_clock_monotonic_us(env->clock) - since_us > funding->session->options->wait_us) {
            return mr_fail(err, MR_TIMEOUT,
                           "%zu of %zu deposits do not show in `balances`; is group account "
                           "running?",
                           funding->count - funding->seen, funding->count);
        }
        MR_TRY(load_idle(env, 0, err));
    }
    return MR_OK;
}

enum mr_status load_fund(struct load_session *session, bool probes, struct mr_err *err)
{
    struct funding *funding = mr_xcalloc(1, sizeof *funding);
    struct load_feed *feed = NULL;
    int64_t ends[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;
    enum mr_status status;

    funding->session = session;
    status = load_ends(session->env, "balances", ends, &partitions, err);
    if (status == MR_OK) {
        status = load_feed_open(session->env, &feed, err);
    }
    if (status == MR_OK) {
        status = load_feed_add(feed,
                               &(struct load_source){.topic = "balances",
                                                     .schema = &oms_balance_schema,
                                                     .offsets = ends,
                                                     .visit = on_balance,
                                                     .arg = funding},
                               err);
    }
    if (status == MR_OK) {
        status = fund_all(funding, probes, err);
    }
    if (status == MR_OK) {
        status = await_balances(funding, feed, err);
    }
    load_feed_close(&feed);
    free(funding);
    return status;
}
