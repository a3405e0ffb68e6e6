/*
 * verify_run.c -- reads the topics in turn and hands each record to the checks that need it.
 */
#include "avro/balance.h"
#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "avro/candle.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "avro/order_command.h"
#include "avro/position.h"
#include "avro/risk_event.h"
#include "avro/trade.h"
#include "verify.h"

#define VISITORS_MAX 4

struct reading { /* of one topic */
    struct verify_visitor visitors[VISITORS_MAX];
};

struct checks {
    struct verify_outcomes *outcomes;
    struct verify_trades *trades;
    struct verify_candles *candles;
    struct verify_ledger *ledger;
    struct verify_positions *positions;
    struct verify_book *book;
    struct verify_sinks *sinks;
};

bool verify_is_user(const struct verify *verify, struct mr_slice user)
{
    if (verify->manifest == NULL) {
        return true;
    }
    const size_t run = strlen(verify->manifest->run);
    size_t at = run + 1;

    if (user.len < run + 3 || memcmp(user.data, verify->manifest->run, run) != 0 ||
        user.data[run] != '.') {
        return false;
    }
    while (at < user.len && user.data[at] >= '0' && user.data[at] <= '9') {
        at++;
    }
    return at < user.len && user.data[at] != 'q'; /* the probing user stands outside the proof */
}

bool verify_in_run(const struct verify *verify, const struct load_record *record)
{
    const struct load_start *start = load_manifest_start(verify->manifest, record->topic);

    return start == NULL || record->partition >= start->partitions ||
           record->offset >= start->offsets[record->partition];
}

static enum mr_status fan_out(void *arg, const struct load_record *record, struct mr_err *err)
{
    const struct reading *reading = arg;

    for (size_t i = 0; i < VISITORS_MAX && reading->visitors[i].visit != NULL; i++) {
        MR_TRY(reading->visitors[i].visit(reading->visitors[i].arg, record, err));
    }
    return MR_OK;
}

/* whole: from the topic's beginning and not from the run's start. */
static enum mr_status read_topic(const struct verify *verify, const char *topic,
                                 const struct mr_schema *schema, bool whole, struct reading reading,
                                 struct mr_err *err)
{
    const struct load_start *start = load_manifest_start(verify->manifest, topic);
    struct load_feed *feed = NULL;
    enum mr_status status;

    if (start == NULL) {
        return mr_fail(err, MR_CONFIG, "the manifest does not say where topic %s started", topic);
    }
    load_progress_detail(verify->env, "verify: reading %s", topic);
    MR_TRY(load_feed_open(verify->env, &feed, err));
    status = load_feed_add(feed,
                           &(struct load_source){.topic = topic,
                                                 .schema = schema,
                                                 .offsets = whole ? NULL : start->offsets,
                                                 .visit = fan_out,
                                                 .arg = &reading},
                           err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, verify->options->wait_us, err);
    }
    load_feed_close(&feed);
    return status;
}

static enum mr_status read_orders(const struct verify *verify, struct checks *c, struct mr_err *err)
{
    const struct mr_topology *topology = verify->env->topology;

    MR_TRY(read_topic(verify, "orders", &oms_order_command_schema, false,
                      (struct reading){{{verify_outcomes_on_order, c->outcomes},
                                        {verify_sinks_on_order, c->sinks}}},
                      err));
    MR_TRY(read_topic(verify, "orders.unique", &oms_order_command_schema, false,
                      (struct reading){{{verify_sinks_on_unique, c->sinks}}}, err));
    MR_TRY(read_topic(verify, "executions", &oms_execution_report_schema, false,
                      (struct reading){{{verify_outcomes_on_execution, c->outcomes},
                                        {verify_positions_on_execution, c->positions},
                                        {verify_sinks_on_execution, c->sinks}}},
                      err));
    MR_TRY(read_topic(verify, "risk-events", &oms_risk_event_schema, false,
                      (struct reading){{{verify_outcomes_on_risk_event, c->outcomes}}}, err));
    for (size_t t = 0; t < topology->topic_count; t++) {
        if (topology->topics[t].kind == MR_TOPIC_DEAD_LETTER && topology->topics[t].in_log) {
            MR_TRY(read_topic(verify, topology->topics[t].name, NULL, false,
                              (struct reading){{{verify_outcomes_on_dead_letter, c->outcomes}}},
                              err));
        }
    }
    return MR_OK;
}

static enum mr_status read_money(const struct verify *verify, struct checks *c, struct mr_err *err)
{
    MR_TRY(read_topic(
        verify, "ledger", &oms_ledger_entry_schema, false,
        (struct reading){{{verify_ledger_on_entry, c->ledger}, {verify_sinks_on_entry, c->sinks}}},
        err));
    MR_TRY(read_topic(verify, "balances", &oms_balance_schema, false,
                      (struct reading){{{verify_ledger_on_balance, c->ledger}}}, err));
    return read_topic(verify, "positions", &oms_position_schema, false,
                      (struct reading){{{verify_positions_on_position, c->positions},
                                        {verify_sinks_on_position, c->sinks}}},
                      err);
}

static enum mr_status read_market(const struct verify *verify, struct checks *c, struct mr_err *err)
{
    MR_TRY(read_topic(verify, "trades", &oms_trade_schema, true,
                      (struct reading){{{verify_trades_on_trade, c->trades},
                                        {verify_candles_on_trade, c->candles}}},
                      err));
    MR_TRY(read_topic(verify, "candles", &oms_candle_schema, true,
                      (struct reading){{{verify_candles_on_candle, c->candles},
                                        {verify_sinks_on_candle, c->sinks}}},
                      err));
    MR_TRY(read_topic(verify, "book", &oms_book_delta_schema, false,
                      (struct reading){{{verify_book_on_delta, c->book}}}, err));
    return read_topic(verify, "book.snapshots", &oms_book_snapshot_schema, false,
                      (struct reading){{{verify_book_on_snapshot, c->book}}}, err);
}

static enum mr_status run_checks(struct verify *verify, struct mr_err *err)
{
    struct checks c = {.outcomes = verify_outcomes_create(verify),
                       .trades = verify_trades_create(verify),
                       .candles = verify_candles_create(verify),
                       .ledger = verify_ledger_create(verify),
                       .positions = verify_positions_create(verify),
                       .book = verify_book_create(verify),
                       .sinks = verify_sinks_create(verify)};
    enum mr_status status = read_orders(verify, &c, err);
    enum mr_status sinks_status;
    struct mr_err sinks_err;

    if (status == MR_OK) {
        status = read_money(verify, &c, err);
    }
    if (status == MR_OK) {
        status = read_market(verify, &c, err);
    }
    verify_trades_end(&c.trades);
    verify_outcomes_end(&c.outcomes);
    verify_ledger_end(&c.ledger);
    verify_positions_end(&c.positions);
    verify_candles_end(&c.candles);
    verify_book_end(&c.book);
    sinks_status = verify_sinks_end(&c.sinks, &sinks_err);
    if (status == MR_OK && sinks_status != MR_OK) {
        *err = sinks_err;
        status = sinks_status;
    }
    return status;
}

enum mr_status verify_run(const struct load_env *env, const struct load_manifest *manifest,
                          const struct verify_options *options, struct verify_report *report,
                          struct mr_err *err)
{
    struct verify verify = {.env = env, .manifest = manifest, .options = options, .report = report};
    const struct load_tape_filter filter = {
        .markets = manifest->markets,
        .symbols = manifest->symbols[0] == '\0' ? NULL : manifest->symbols,
        .limit = manifest->limit};
    enum mr_status status;

    load_progress(env, "verify: reading the tape and the topics");
    MR_TRY(load_tape_read(manifest->tape, &filter, &verify.tape, err));
    status = run_checks(&verify, err);
    load_tape_fini(&verify.tape);
    return status;
}
