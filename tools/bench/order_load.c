/*
 * order_load.c -- the benchmark's load: many orders for little CPU, and what became of each.
 *
 *   order_load --rate 5000 --duration 15s            open loop: every order has its time
 *   order_load --rate 0 --window 20000 --duration 15s closed loop: as fast as outcomes come back
 *
 * Why:  `millrace load` proves, order by order; this one measures. Both send through the log port
 *       with the generated codec.
 * How:  one thread sends, one reads `executions`. In the open loop the sender never waits for an
 * answer, and an order's latency counts from the time it was due. Ends when every order has an
 *       outcome and no report has come for --quiet; SIGTERM ends the sending early. One JSON object
 *       on stdout.
 * Exit: 0; 1 when orders are without outcome or something failed; 2 wrong usage.
 */
#include "connectors/registry/registry_http.h"
#include "flow.h"
#include "meter.h"
#include "millrace/log_open.h"
#include "millrace/option.h"
#include "prepare.h"
#include "tools/millrace/args.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PACE_US 500
#define STEP_ORDERS 256 /* of the closed loop, between two looks at the window */
#define PROGRESS_US MR_SECOND_US
/* What the closed loop has room for; far above anything that one machine does. */
#define CLOSED_PER_SECOND_MAX 200000

struct load_options_given {
    const char *kafka;
    const char *registry;
    int64_t rate;
    int64_t duration_us;
    int64_t window;
    int64_t skip_ppm;
    int64_t linger_us;
    int64_t quiet_us;
    int64_t wait_us;
    bool prepare;
    bool quiet;
};

#define ROW(member) .offset = offsetof(struct load_options_given, member)

static const struct mr_option options[] = {
    {.name = "kafka",
     .type = MR_OPTION_STRING,
     ROW(kafka),
     .fallback = "",
     .help = "bootstrap servers; default: KAFKA_BOOTSTRAP of the environment"},
    {.name = "registry",
     .type = MR_OPTION_STRING,
     ROW(registry),
     .fallback = "",
     .help = "schema registry; default: SCHEMA_REGISTRY_URL of the environment"},
    {.name = "rate",
     .type = MR_OPTION_INT,
     ROW(rate),
     .fallback = "0",
     .max = 1000000,
     .help = "orders a second, sent whatever happens; 0: closed loop"},
    {.name = "duration",
     .type = MR_OPTION_DURATION,
     ROW(duration_us),
     .fallback = "10s",
     .min = 1,
     .max = MR_HOUR_US,
     .help = "how long orders are sent"},
    {.name = "window",
     .type = MR_OPTION_INT,
     ROW(window),
     .fallback = "20000",
     .min = 1,
     .max = 10000000,
     .help = "closed loop: orders without an outcome at most"},
    {.name = "skip",
     .type = MR_OPTION_RATIO,
     ROW(skip_ppm),
     .fallback = "20%",
     .max = 900000,
     .help = "the first orders, left out of the percentiles (open loop)"},
    {.name = "linger",
     .type = MR_OPTION_DURATION,
     ROW(linger_us),
     .fallback = "1ms",
     .max = MR_SECOND_US,
     .help = "how long the sender waits to fill a batch"},
    {.name = "quiet-time",
     .type = MR_OPTION_DURATION,
     ROW(quiet_us),
     .fallback = "1s",
     .min = 1,
     .max = MR_MINUTE_US,
     .help = "no report for so long: nothing follows any more"},
    {.name = "wait",
     .type = MR_OPTION_DURATION,
     ROW(wait_us),
     .fallback = "60s",
     .min = 1,
     .max = MR_HOUR_US,
     .help = "how long is waited without any progress"},
    {.name = "prepare",
     .type = MR_OPTION_BOOL,
     ROW(prepare),
     .fallback = "false",
     .help = "first publish instruments and prices and give every user money"},
    {.name = "silent",
     .type = MR_OPTION_BOOL,
     ROW(quiet),
     .fallback = "false",
     .help = "no progress on stderr"},
};

static const struct args_spec spec = {
    .command = "order_load",
    .summary = "Sends the benchmark's orders and measures what becomes of them.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
};

struct session {
    const struct load_options_given *given;
    struct mr_topology topology; /* only what load_out looks at: the compression */
    struct mr_registry *registry;
    struct load_env env;
    struct load_out out;
    struct meter *meter;
    uint32_t run;
    int64_t sent;
    int64_t start_us; /* monotonic */
    int64_t start_wall_us;
    int64_t sent_all_us; /* monotonic: the last order was handed over */
    int64_t outcomes_then;
    int64_t progress_us;
};

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
    (void)number;
    asked_to_end = 1;
}

static int64_t now_us(const struct session *session)
{
    return mr_clock_monotonic_us(session->env.clock);
}

static void show_progress(struct session *session, const char *what)
{
    const int64_t now = now_us(session);

    if (now - session->progress_us >= PROGRESS_US) {
        session->progress_us = now;
        load_progress(&session->env, "%s: %lld sent, %lld with an outcome, %.0f s", what,
                      (long long)session->sent, (long long)meter_outcomes(session->meter),
                      (double)(now - session->start_us) / 1e6);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* due_us: offset from the start. */
static enum mr_status send_one(struct session *session, int64_t due_us, struct mr_err *err)
{
    struct flow_text text;
    struct oms_order_command command;

    flow_order(session->run, session->sent, session->start_wall_us + due_us, &text, &command);
    meter_due(session->meter, session->sent, session->start_us + due_us);
    session->sent++;
    return load_out_send(&session->out, LOAD_ORDERS, command.user_id, &command, err);
}

/* a * b / c without overflow for what occurs here: counts and times below 2^53 together. */
static int64_t scaled(int64_t a, int64_t b, int64_t c)
{
    return (int64_t)((mr_i128)a * b / c);
}

static enum mr_status send_open(struct session *session, struct mr_err *err)
{
    const int64_t rate = session->given->rate;
    const int64_t total = scaled(rate, session->given->duration_us, MR_SECOND_US);

    while (session->sent < total && asked_to_end == 0) {
        const int64_t due_now = scaled(now_us(session) - session->start_us, rate, MR_SECOND_US);
        const int64_t until = due_now < total ? due_now : total;

        while (session->sent < until) {
            MR_TRY(send_one(session, scaled(session->sent, MR_SECOND_US, rate), err));
        }
        mr_producer_poll(session->out.producer);
        show_progress(session, "open loop");
        mr_clock_wait_us(session->env.clock, PACE_US);
    }
    return MR_OK;
}

static enum mr_status send_closed(struct session *session, struct mr_err *err)
{
    const int64_t end_us = session->start_us + session->given->duration_us;

    while (now_us(session) < end_us && asked_to_end == 0 && !meter_failed(session->meter)) {
        const int64_t open = session->sent - meter_outcomes(session->meter);
        const int64_t room = session->given->window - open;
        const int64_t now = now_us(session) - session->start_us;

        for (int64_t i = 0; i < room && i < STEP_ORDERS; i++) {
            MR_TRY(send_one(session, now, err));
        }
        mr_producer_poll(session->out.producer);
        show_progress(session, "closed loop");
        if (room < STEP_ORDERS) {
            mr_clock_wait_us(session->env.clock, PACE_US);
        }
    }
    return MR_OK;
}

/* Until every order has an outcome and the reports that follow (trades, settlement) have come. */
static void await_outcomes(struct session *session)
{
    int64_t reports = meter_reports(session->meter);
    int64_t since_us = now_us(session);

    while (!meter_failed(session->meter)) {
        const int64_t idle_us = now_us(session) - since_us;
        const bool all = meter_outcomes(session->meter) == session->sent;

        if (meter_reports(session->meter) != reports) {
            reports = meter_reports(session->meter);
            since_us = now_us(session);
        } else if (idle_us > (all ? session->given->quiet_us : session->given->wait_us)) {
            return;
        }
        show_progress(session, "draining");
        mr_clock_wait_us(session->env.clock, 10 * MR_MS_US);
    }
}

/* ---- what is told ---------------------------------------------------------------------------- */

static json_t *milliseconds(int64_t us)
{
    return json_real((double)us / 1000);
}

static json_t *latency_json(const struct histogram *histogram)
{
    json_t *latency = json_object();

    json_object_set_new(latency, "samples", json_integer(histogram->count));
    json_object_set_new(latency, "p50_ms", milliseconds(histogram_at(histogram, 500)));
    json_object_set_new(latency, "p90_ms", milliseconds(histogram_at(histogram, 900)));
    json_object_set_new(latency, "p99_ms", milliseconds(histogram_at(histogram, 990)));
    json_object_set_new(latency, "p999_ms", milliseconds(histogram_at(histogram, 999)));
    json_object_set_new(latency, "max_ms", milliseconds(histogram->max_us));
    return latency;
}

static double per_second(int64_t count, int64_t us)
{
    return us <= 0 ? 0 : (double)count * 1e6 / (double)us;
}

static double own_cpu_s(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_result(const struct session *session)
{
    struct meter_counts counts;
    json_t *root = json_object();

    meter_counts(session->meter, &counts);
    json_object_set_new(root, "rate", json_integer(session->given->rate));
    json_object_set_new(root, "sent", json_integer(session->sent));
    json_object_set_new(root, "outcomes", json_integer(counts.outcomes));
    json_object_set_new(root, "rejected", json_integer(counts.rejected));
    json_object_set_new(root, "reports", json_integer(counts.reports));
    json_object_set_new(root, "trade_legs", json_integer(counts.trades));
    json_object_set_new(root, "cancelled", json_integer(counts.cancelled));
    json_object_set_new(root, "settled", json_integer(counts.settled));
    json_object_set_new(root, "send_s",
                        json_real((double)(session->sent_all_us - session->start_us) / 1e6));
    json_object_set_new(root, "first_s",
                        json_real((double)(counts.first_us - session->start_us) / 1e6));
    json_object_set_new(root, "all_s",
                        json_real((double)(counts.report_us - session->start_us) / 1e6));
    json_object_set_new(
        root, "orders_per_s",
        json_real(per_second(counts.outcomes, counts.first_us - session->start_us)));
    json_object_set_new(
        root, "drained_orders_per_s",
        json_real(per_second(counts.outcomes, counts.report_us - session->start_us)));
    json_object_set_new(root, "outcomes_while_sending", json_integer(session->outcomes_then));
    json_object_set_new(root, "cpu_s", json_real(own_cpu_s()));
    json_object_set_new(root, "latency", latency_json(meter_histogram(session->meter)));
    (void)json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)printf("\n");
    json_decref(root);
}

/* ---- the way through ------------------------------------------------------------------------- */

static enum mr_status open_servers(struct session *session, struct mr_err *err)
{
    const struct load_options_given *given = session->given;
    const char *kafka = given->kafka[0] != '\0' ? given->kafka : getenv("KAFKA_BOOTSTRAP");
    const char *registry =
        given->registry[0] != '\0' ? given->registry : getenv("SCHEMA_REGISTRY_URL");
    struct mr_topic_config properties[] = {{"bootstrap.servers", kafka}};

    if (kafka == NULL || registry == NULL) {
        return mr_fail(err, MR_CONFIG,
                       "give --kafka and --registry, or KAFKA_BOOTSTRAP and SCHEMA_REGISTRY_URL");
    }
    session->topology.defaults.compression = "none";
    session->env.topology = &session->topology;
    session->env.clock = mr_clock_system();
    session->env.progress = given->quiet ? NULL : stderr;
    MR_TRY(mr_log_kafka_open(properties, MR_COUNT(properties), &session->env.log, err));
    MR_TRY(mr_registry_http_create(registry, &session->registry, err));
    session->env.codec = mr_codec_create(session->registry);
    session->run = (uint32_t)(mr_clock_wall_us(session->env.clock) / (100 * MR_MS_US));
    return load_out_open(&session->env, given->linger_us, &session->out, err);
}

static enum mr_status measure(struct session *session, struct mr_err *err)
{
    const struct load_options_given *given = session->given;
    const bool closed = given->rate == 0;
    const int64_t orders_max =
        scaled(closed ? CLOSED_PER_SECOND_MAX : given->rate, given->duration_us, MR_SECOND_US) +
        given->window + STEP_ORDERS;
    const int64_t skip = closed ? 0 : scaled(orders_max - given->window, given->skip_ppm, 1000000);

    MR_TRY(meter_open(&session->env, session->run, orders_max, skip, &session->meter, err));
    /* The reader finds its partitions first; what it has not asked for yet would count as latency.
     */
    mr_clock_wait_us(session->env.clock, 2 * MR_SECOND_US);
    session->start_us = now_us(session);
    session->start_wall_us = mr_clock_wall_us(session->env.clock);
    session->progress_us = session->start_us;
    MR_TRY(closed ? send_closed(session, err) : send_open(session, err));
    session->sent_all_us = now_us(session);
    session->outcomes_then = meter_outcomes(session->meter);
    MR_TRY(load_out_flush(&session->out, err));
    await_outcomes(session);
    load_progress_end(&session->env);
    return meter_stop(session->meter, err);
}

static enum mr_status run(struct session *session, struct mr_err *err)
{
    const struct prepare prepare = {.env = &session->env,
                                    .out = &session->out,
                                    .run = session->run,
                                    .wait_us = session->given->wait_us};
    struct meter_counts counts;

    if (session->given->prepare) {
        MR_TRY(prepare_market(&prepare, err));
    }
    MR_TRY(measure(session, err));
    print_result(session);
    meter_counts(session->meter, &counts);
    if (counts.outcomes < session->sent) {
        return mr_fail(err, MR_TIMEOUT, "%lld of %lld orders have no outcome",
                       (long long)(session->sent - counts.outcomes), (long long)session->sent);
    }
    return MR_OK;
}

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct load_options_given given = {0};
    struct session session = {.given = &given};
    struct mr_err err = {0};
    struct args args;
    enum mr_status status;
    int exit_code;

    if (!args_parse(&spec, argc, argv, &given, &args, &exit_code)) {
        return exit_code;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    status = open_servers(&session, &err);
    if (status == MR_OK) {
        status = run(&session, &err);
    }
    meter_close(&session.meter);
    load_out_close(&session.out);
    mr_codec_destroy(&session.env.codec);
    mr_registry_destroy(&session.registry);
    if (session.env.log != NULL) {
        mr_log_close(&session.env.log);
    }
    if (status != MR_OK) {
        (void)fprintf(stderr, "order_load: %s\n", err.text);
    }
    return status == MR_OK ? 0 : 1;
}
