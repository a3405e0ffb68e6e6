/*
 * load_probe.c -- is everything in place for a symbol, on the way its orders will take?
 *
 * Why: instruments and prices reach the stages as tables, beside the stream of orders; nothing
 * orders the two. An order that comes first would be rejected and the proof would fail through no
 * fault of the pipeline. How: a MARKET order of one lot needs both tables. It is sent again until
 * it was not rejected and was checked against the price that was published.
 */
#include "avro/execution_report.h"
#include "load.h"

#include <stdio.h>

#define POLL_US (20 * 1000)
#define PAUSE_US (100 * 1000)
#define ANSWER_US (2 * 1000 * 1000)

struct probing {
    char event_id[LOAD_ID_BYTES_MAX];
    bool answered;
    bool rejected;
    bool priced; /* with the published price */
    mr_i128 reference;
};

enum mr_status load_send_probe(struct load_session *session, const struct load_desk *desk,
                               const struct load_probe_order *order, char *event_id,
                               struct mr_err *err)
{
    struct oms_order_command command = {0};

    (void)snprintf(event_id, LOAD_ID_BYTES_MAX, "%s.probe%lld", session->run,
                   (long long)session->probes);
    session->probes++;
    command.event_id = mr_slice_str(event_id);
    command.order_id = command.event_id;
    command.client_order_id = command.event_id;
    command.has_client_order_id = true;
    command.idempotency_key = command.event_id;
    command.has_idempotency_key = true;
    command.ts_us = session->first_ts_us;
    command.action = OMS_ACTION_NEW;
    command.user_id = mr_slice_str(desk->probe);
    command.symbol = mr_slice_str(desk->symbol);
    command.side = order->side;
    command.ord_type = order->price == 0 ? OMS_ORDER_TYPE_MARKET : OMS_ORDER_TYPE_LIMIT;
    command.tif = OMS_TIME_IN_FORCE_IOC;
    command.stp_mode = OMS_STP_MODE_EXPIRE_TAKER;
    command.price = order->price;
    command.has_price = order->price != 0;
    command.qty = order->qty;
    command.has_qty = true;
    command.source = mr_slice_str("load");
    MR_TRY(load_out_send(&session->out, LOAD_ORDERS, command.user_id, &command, err));
    return load_out_flush(&session->out, err);
}

static enum mr_status on_execution(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct probing *probing = arg;
    const struct oms_execution_report *report = record->value;

    (void)err;
    if (report != NULL && mr_slice_equal(report->command_id, mr_slice_str(probing->event_id))) {
        probing->answered = true;
        probing->rejected |= report->exec_type == OMS_EXEC_TYPE_REJECTED;
    }
    return MR_OK;
}

static enum mr_status on_approved(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct probing *probing = arg;
    const struct oms_order_command *command = record->value;

    (void)err;
    if (command != NULL && mr_slice_equal(command->event_id, mr_slice_str(probing->event_id))) {
        probing->priced = command->has_ref_px && command->ref_px == probing->reference;
    }
    return MR_OK;
}

/* From the present end of the topic. */
static enum mr_status add(const struct load_env *env, struct load_feed *feed,
                          struct load_source source, struct mr_err *err)
{
    int64_t ends[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;

    MR_TRY(load_ends(env, source.topic, ends, &partitions, err));
    source.offsets = ends;
    return load_feed_add(feed, &source, err);
}

/* Sends one probe and waits for its answer. */
static enum mr_status try_once(struct load_session *session, const struct load_desk *desk,
                               struct load_feed *feed, struct probing *probing, struct mr_err *err)
{
    const struct load_env *env = session->env;
    const int64_t limit_us = mr_clock_monotonic_us(env->clock) + ANSWER_US;

    probing->answered = false;
    probing->rejected = false;
    probing->priced = false;
    probing->reference = desk->reference;
    MR_TRY(load_send_probe(session, desk,
                           &(struct load_probe_order){.side = OMS_SIDE_BUY, .qty = desk->lot},
                           probing->event_id, err));
    while (!(probing->answered && (probing->rejected || probing->priced)) &&
           mr_clock_monotonic_us(env->clock) < limit_us) {
        size_t delivered = 0;

        MR_TRY(load_feed_step(feed, env->pump == NULL ? POLL_US : 0, &delivered, err));
        if (delivered == 0) {
            MR_TRY(load_idle(env, 0, err));
        }
    }
    return MR_OK;
}

static enum mr_status probe_desk(struct load_session *session, const struct load_desk *desk,
                                 struct load_feed *feed, struct probing *probing,
                                 struct mr_err *err)
{
    const struct load_env *env = session->env;
    const int64_t limit_us = mr_clock_monotonic_us(env->clock) + session->options->wait_us;

    for (;;) {
        MR_TRY(try_once(session, desk, feed, probing, err));
        if (probing->answered && !probing->rejected && probing->priced) {
            return MR_OK;
        }
        if (mr_clock_monotonic_us(env->clock) > limit_us) {
            return mr_fail(err, MR_TIMEOUT, "%s: a probing order was %s; are all groups running?",
                           desk->symbol,
                           !probing->answered  ? "not answered"
                           : probing->rejected ? "rejected"
                                               : "checked against another price");
        }
        MR_TRY(load_idle(env, PAUSE_US, err));
    }
}

enum mr_status load_probe(struct load_session *session, struct mr_err *err)
{
    struct probing probing = {0};
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_feed_open(session->env, &feed, err));
    status = add(session->env, feed,
                 (struct load_source){.topic = "executions",
                                      .schema = &oms_execution_report_schema,
                                      .visit = on_execution,
                                      .arg = &probing},
                 err);
    if (status == MR_OK) {
        status = add(session->env, feed,
                     (struct load_source){.topic = "orders.approved",
                                          .schema = &oms_order_command_schema,
                                          .visit = on_approved,
                                          .arg = &probing},
                     err);
    }
    for (size_t s = 0; s < session->tape.symbol_count && status == MR_OK; s++) {
        status = probe_desk(session, &session->desks[s], feed, &probing, err);
    }
    load_feed_close(&feed);
    return status;
}
