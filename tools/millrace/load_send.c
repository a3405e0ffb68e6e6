/*
 * load_send.c -- sends the plan at its pace, watches what comes of it.
 */
#include "load.h"
#include "load_watch.h"
#include "millrace/option.h"

#include <inttypes.h>

#define ITEMS_PER_TRADE_MAX 16
#define POLL_EVERY 128
#define LOOK_US (10 * MR_MS_US)

struct sending {
    struct load_session *session;
    struct load_manifest *manifest;
    struct load_watch *watch;
    int64_t start_us;
    int64_t shown_us;
    int64_t total; /* order commands of the tape alone, for progress */
};

static void count(struct load_manifest *manifest, const struct load_item *item)
{
    manifest->sent++;
    switch (item->expect) {
    case LOAD_ACCEPTED:
        manifest->accepted++;
        break;
    case LOAD_DUPLICATE:
        manifest->duplicates++;
        break;
    case LOAD_CONFLICT:
        manifest->conflicts++;
        break;
    case LOAD_CANCELLED:
        manifest->cancelled++;
        break;
    case LOAD_REJECTED:
        load_manifest_reject(manifest, item->code);
        break;
    case LOAD_DEAD_LETTER:
        manifest->dead_letters++;
        manifest->dead_letter_digest +=
            load_hash(mr_slice_of(item->malformed, item->malformed_bytes));
        break;
    }
}

static enum mr_status send_item(struct sending *sending, const struct load_item *item,
                                struct mr_err *err)
{
    struct load_out *out = &sending->session->out;
    struct oms_order_command command = item->command;
    const struct mr_slice key = mr_slice_str(item->user);

    count(sending->manifest, item);
    load_watch_sent(sending->watch, item->number);
    if (item->malformed_bytes > 0) {
        return load_out_send_bytes(out, LOAD_ORDERS, key,
                                   mr_slice_of(item->malformed, item->malformed_bytes), err);
    }
    command.ingest_ts_us = mr_clock_wall_us(sending->session->env->clock);
    command.has_ingest_ts_us = true;
    return load_out_send(out, LOAD_ORDERS, key, &command, err);
}

/* When the next record is due, on the monotonic clock. */
static int64_t due_us(const struct sending *sending, const struct load_item *item)
{
    const struct load_options *options = sending->session->options;

    if (options->rate_micro > 0) {
        const mr_i128 since =
            (mr_i128)sending->manifest->sent * MR_SECOND_US * MR_SECOND_US / options->rate_micro;

        return sending->start_us + (int64_t)since;
    }
    if (options->speed_ppm > 0) {
        const mr_i128 since = (mr_i128)(item->tape_us - sending->session->first_ts_us) * LOAD_PPM /
                              options->speed_ppm;

        return sending->start_us + (int64_t)since;
    }
    return 0;
}

static void show(struct sending *sending, const char *what)
{
    const int64_t now_us = mr_clock_monotonic_us(sending->session->env->clock);

    if (now_us - sending->shown_us >= load_progress_every_us(sending->session->env)) {
        sending->shown_us = now_us;
        load_progress(sending->session->env,
                      "%s: %" PRId64 " of about %" PRId64 " orders sent, %" PRId64
                      " with an outcome, %" PRId64 " executions",
                      what, sending->manifest->sent, sending->total,
                      load_watch_outcomes(sending->watch), load_watch_executions(sending->watch));
    }
}

static enum mr_status look(struct sending *sending, int64_t wait_us, struct mr_err *err)
{
    const struct load_env *env = sending->session->env;

    mr_producer_poll(sending->session->out.producer);
    MR_TRY(load_idle(env, wait_us, err));
    return env->pump == NULL ? MR_OK : load_watch_step(sending->watch, 0, err);
}

/* What was asked to end early has played a shorter tape, which is what the proof must know. */
static void note_played(struct sending *sending, size_t trades)
{
    const struct load_tape *tape = &sending->session->tape;
    struct load_manifest *manifest = sending->manifest;

    if (trades == tape->count) {
        return;
    }
    manifest->limit = (int64_t)trades;
    memset(manifest->symbol_trades, 0, sizeof manifest->symbol_trades);
    for (size_t i = 0; i < trades; i++) {
        manifest->symbol_trades[tape->trades[i].symbol]++;
    }
}

static enum mr_status send_all(struct sending *sending, struct load_plan *plan, struct mr_err *err)
{
    const struct load_env *env = sending->session->env;
    const volatile sig_atomic_t *stop = sending->session->options->stop;
    const struct load_item *item = NULL;

    sending->start_us = mr_clock_monotonic_us(env->clock);
    while (load_plan_next(plan, &item)) {
        const int64_t due = due_us(sending, item);
        int64_t now_us = mr_clock_monotonic_us(env->clock);

        while (due > now_us && env->pump == NULL) {
            const int64_t wait_us = due - now_us;

            show(sending, "playing");
            MR_TRY(look(sending, wait_us > LOOK_US ? LOOK_US : wait_us, err));
            now_us = mr_clock_monotonic_us(env->clock);
        }
        MR_TRY(send_item(sending, item, err));
        if (stop != NULL && *stop != 0) {
            load_plan_stop(plan);
        }
        if (sending->manifest->sent % POLL_EVERY == 0) {
            show(sending, "playing");
            MR_TRY(look(sending, 0, err));
        }
    }
    note_played(sending, load_plan_trades(plan));
    MR_TRY(load_out_flush(&sending->session->out, err));
    sending->manifest->send_us = mr_clock_monotonic_us(env->clock) - sending->start_us;
    return MR_OK;
}

static enum mr_status await_outcomes(struct sending *sending, int64_t *missing, struct mr_err *err)
{
    const struct load_env *env = sending->session->env;
    int64_t since_us = mr_clock_monotonic_us(env->clock);
    int64_t before = -1;

    for (;;) {
        const int64_t outcomes = load_watch_outcomes(sending->watch);

        *missing = sending->manifest->sent - outcomes;
        if (*missing <= 0) {
            return MR_OK;
        }
        if (outcomes != before) {
            before = outcomes;
            since_us = mr_clock_monotonic_us(env->clock);
        } else if (mr_clock_monotonic_us(env->clock) - since_us >
                   sending->session->options->wait_us) {
            return MR_OK; /* verify says what is missing */
        }
        show(sending, "waiting");
        MR_TRY(look(sending, LOOK_US, err));
    }
}

static void fill_measures(struct sending *sending)
{
    struct load_manifest *manifest = sending->manifest;
    struct load_latency latency;

    load_watch_latency(sending->watch, &latency);
    manifest->latency_samples = latency.samples;
    manifest->p50_us = latency.p50_us;
    manifest->p99_us = latency.p99_us;
    manifest->max_us = latency.max_us;
    manifest->elapsed_us = load_watch_last_us(sending->watch) - sending->start_us;
    if (manifest->elapsed_us < 0) {
        manifest->elapsed_us = 0;
    }
}

enum mr_status load_send(struct load_session *session, struct load_manifest *manifest,
                         int64_t *missing, struct mr_err *err)
{
    struct sending sending = {
        .session = session, .manifest = manifest, .total = 2 * (int64_t)session->tape.count};
    struct load_plan *plan = load_plan_create(
        &session->tape, session->desks, &session->options->shares, session->run,
        session->out.ports[LOAD_ORDERS].binding.id, (uint64_t)session->options->seed);
    enum mr_status status =
        load_watch_open(session->env, session->run,
                        (int64_t)session->tape.count * ITEMS_PER_TRADE_MAX, &sending.watch, err);

    if (status == MR_OK && session->env->pump == NULL) {
        status = load_watch_start(sending.watch, err);
    }
    if (status == MR_OK) {
        status = send_all(&sending, plan, err);
    }
    if (status == MR_OK) {
        status = await_outcomes(&sending, missing, err);
    }
    if (status == MR_OK) {
        status = load_watch_stop(sending.watch, err);
    }
    if (status == MR_OK) {
        fill_measures(&sending);
    }
    load_watch_close(&sending.watch);
    load_plan_destroy(&plan);
    return status;
}
