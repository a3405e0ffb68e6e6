/*
 * tour_play.c -- the lines of a tour, one after the other. See tour.h.
 *
 * A mismatch is a difference of its step and the tour goes on; what does not come at all within the
 * time ends it, because what follows was built on it.
 */
#include "load_drain.h"
#include "millrace/option.h"
#include "tour_inbox.h"
#include "tour_report.h"
#include "tour_send.h"

#include <errno.h>
#include <stdlib.h>

#define PROBES_MAX 32
#define PROBE_PAUSE_US (50 * MR_MS_US)

struct tour {
    const struct load_env *env;
    const struct tour_options *options;
    char prefix[TOUR_RUN_BYTES_MAX + 1];
    struct tour_sender sender;
    struct tour_inbox *inbox;
    struct tour_report *report;
    bool over; /* something did not come */
};

/* --- expectations --------------------------------------------------------------------------- */

static bool is_late(const struct tour *tour, int64_t since_us)
{
    return mr_clock_monotonic_us(tour->env->clock) - since_us > tour->options->wait_us;
}

/* The next record of want's key; NULL when none came in time. */
static enum mr_status await_next(struct tour *tour, const char *topic, const json_t *want,
                                 json_t **got, struct mr_err *err)
{
    const int64_t since_us = mr_clock_monotonic_us(tour->env->clock);

    while ((*got = tour_inbox_next(tour->inbox, topic, want)) == NULL && !is_late(tour, since_us)) {
        MR_TRY(tour_inbox_step(tour->inbox, err));
    }
    return MR_OK;
}

/* The last record of want's key when it matches; else, in the end, whatever it is. */
static enum mr_status await_last(struct tour *tour, const char *topic, const json_t *want,
                                 json_t **got, struct mr_err *err)
{
    const int64_t since_us = mr_clock_monotonic_us(tour->env->clock);

    for (;;) {
        *got = tour_inbox_last(tour->inbox, topic, want);
        if ((*got != NULL && tour_matches(want, *got)) || is_late(tour, since_us)) {
            return MR_OK;
        }
        MR_TRY(tour_inbox_step(tour->inbox, err));
    }
}

static enum mr_status expect_one(struct tour *tour, const char *topic, const json_t *want,
                                 bool last, struct mr_err *err)
{
    json_t *got = NULL;

    MR_TRY((last ? await_last : await_next)(tour, topic, want, &got, err));
    if (got == NULL || !tour_matches(want, got)) {
        tour_report_differ(tour->report, topic, want, got);
    }
    tour->over = tour->over || got == NULL;
    if (got != NULL) {
        tour_inbox_take(tour->inbox, got);
        tour_report_show(tour->report, topic, got);
    }
    return MR_OK;
}

static enum mr_status play_expect(struct tour *tour, const json_t *line, bool last,
                                  struct mr_err *err)
{
    const char *topic = json_string_value(json_object_get(line, last ? "last" : "expect"));
    const json_t *records = json_object_get(line, "records");

    if (topic == NULL || !tour_inbox_has(topic) || !json_is_array(records)) {
        return mr_fail(err, MR_CONFIG, "nothing of that topic can be expected, or no records");
    }
    for (size_t i = 0; i < json_array_size(records) && !tour->over; i++) {
        MR_TRY(expect_one(tour, topic, json_array_get(records, i), last, err));
    }
    return MR_OK;
}

/* --- probes --------------------------------------------------------------------------------- */

struct probe {
    const char *user, *symbol;
    char id[32]; /* of the order that asks now */
    bool passed;
};

struct probes {
    struct probe items[PROBES_MAX];
    size_t count, passed;
};

static enum mr_status list_probes(const json_t *line, struct probes *probes, struct mr_err *err)
{
    const json_t *users = json_object_get(line, "probe");
    const json_t *symbols = json_object_get(line, "symbols");

    if (json_array_size(users) * json_array_size(symbols) > PROBES_MAX) {
        return mr_fail(err, MR_CONFIG, "more than %d probes", PROBES_MAX);
    }
    for (size_t u = 0; u < json_array_size(users); u++) {
        for (size_t s = 0; s < json_array_size(symbols); s++) {
            probes->items[probes->count++] =
                (struct probe){.user = json_string_value(json_array_get(users, u)),
                               .symbol = json_string_value(json_array_get(symbols, s))};
        }
    }
    return MR_OK;
}

/* Its first report decides; one that got through has its end as well. */
static enum mr_status await_probe(struct tour *tour, struct probe *probe, struct mr_err *err)
{
    json_t *want = json_pack("{s:s}", "orderId", probe->id);
    enum mr_status status = MR_OK;

    for (int reports = 0; status == MR_OK && reports < (probe->passed ? 2 : 1); reports++) {
        json_t *got = NULL;
        const char *type;

        status = await_next(tour, "executions", want, &got, err);
        if (status == MR_OK && got == NULL) {
            tour_report_differ(tour->report, "a probing order is not answered", want, NULL);
            tour->over = true;
            break;
        }
        type = json_string_value(json_object_get(got, "execType"));
        probe->passed = type != NULL && strcmp(type, "REJECTED") != 0;
        tour_inbox_take(tour->inbox, got);
    }
    json_decref(want);
    return status;
}

/* All that have not passed at once. */
static enum mr_status probe_round(struct tour *tour, struct probes *probes, struct mr_err *err)
{
    for (size_t i = 0; i < probes->count; i++) {
        struct probe *probe = &probes->items[i];

        if (!probe->passed) {
            MR_TRY(tour_send_probe(&tour->sender, probe->user, probe->symbol, probe->id,
                                   sizeof(probe->id), err));
        }
    }
    for (size_t i = 0; i < probes->count && !tour->over; i++) {
        if (!probes->items[i].passed) {
            MR_TRY(await_probe(tour, &probes->items[i], err));
            probes->passed += probes->items[i].passed ? 1 : 0;
        }
    }
    return MR_OK;
}

/* A refused probe may have left a risk event. */
static void forget_events(struct tour *tour, const char *user)
{
    json_t *want = json_pack("{s:s}", "userId", user);
    json_t *got;

    while ((got = tour_inbox_next(tour->inbox, "risk-events", want)) != NULL) {
        tour_inbox_take(tour->inbox, got);
    }
    json_decref(want);
}

static enum mr_status play_probe(struct tour *tour, const json_t *line, struct mr_err *err)
{
    const int64_t since_us = mr_clock_monotonic_us(tour->env->clock);
    struct probes probes = {.count = 0};

    MR_TRY(list_probes(line, &probes, err));
    while (probes.passed < probes.count) {
        MR_TRY(probe_round(tour, &probes, err));
        if (probes.passed == probes.count || tour->over) {
            break;
        }
        if (is_late(tour, since_us)) {
            return mr_fail(err, MR_TIMEOUT, "%zu of %zu probing orders are rejected",
                           probes.count - probes.passed, probes.count);
        }
        MR_TRY(load_idle(tour->env, PROBE_PAUSE_US, err));
    }
    if (tour->over) {
        return MR_OK;
    }
    MR_TRY(load_drain(tour->env, false, tour->options->wait_us, err));
    MR_TRY(tour_inbox_catch_up(tour->inbox, tour->options->wait_us, err));
    for (size_t i = 0; i < probes.count; i++) {
        forget_events(tour, probes.items[i].user);
    }
    return MR_OK;
}

/* --- the file ------------------------------------------------------------------------------- */

static enum mr_status play_line(struct tour *tour, const json_t *line, struct mr_err *err)
{
    if (json_object_get(line, "step") != NULL) {
        load_progress_detail(tour->env, "tour: %s",
                             json_string_value(json_object_get(line, "step")));
        tour_report_step(tour->report, line);
        return MR_OK;
    }
    if (json_object_get(line, "send") != NULL) {
        return tour_send(&tour->sender, line, err);
    }
    if (json_object_get(line, "pass") != NULL) {
        tour->sender.ts_us += json_integer_value(json_object_get(line, "pass")) * MR_SECOND_US;
        return MR_OK;
    }
    if (json_object_get(line, "probe") != NULL) {
        return play_probe(tour, line, err);
    }
    return play_expect(tour, line, json_object_get(line, "last") != NULL, err);
}

static enum mr_status play_file(struct tour *tour, FILE *file, struct mr_err *err)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    int number = 0;
    enum mr_status status = MR_OK;

    while (status == MR_OK && !tour->over && (len = getline(&text, &capacity, file)) > 0) {
        json_error_t problem;
        struct mr_err why = {0};
        json_t *line;

        number++;
        if (text[0] == '#' || text[0] == '\n') {
            continue;
        }
        line = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &problem);
        status = json_is_object(line) ? play_line(tour, line, &why)
                                      : mr_fail(&why, MR_MALFORMED, "%.200s", problem.text);
        if (status != MR_OK) {
            status = mr_fail(err, status, "%s:%d: %.300s", tour->options->file, number, why.text);
        }
        json_decref(line);
    }
    free(text);
    return status;
}

/* When all is through, nothing may be there that nobody expected. */
static enum mr_status look_for_more(struct tour *tour, struct mr_err *err)
{
    const char *topic = NULL;
    const json_t *left;

    MR_TRY(load_drain(tour->env, false, tour->options->wait_us, err));
    MR_TRY(tour_inbox_catch_up(tour->inbox, tour->options->wait_us, err));
    while ((left = tour_inbox_left(tour->inbox, &topic)) != NULL) {
        tour_report_differ(tour->report, topic, NULL, left);
    }
    return MR_OK;
}

static enum mr_status play(struct tour *tour, FILE *file, struct mr_err *err)
{
    json_t *preparation = json_pack("{s:s, s:s}", "step", "preparation", "sent", "");

    tour_report_step(tour->report, preparation);
    json_decref(preparation);
    MR_TRY(tour_sender_open(tour->env, tour->prefix, tour->options->wait_us, &tour->sender, err));
    MR_TRY(tour_inbox_open(tour->env, tour->prefix, &tour->inbox, err));
    MR_TRY(play_file(tour, file, err));
    return tour->over ? MR_OK : look_for_more(tour, err);
}

enum mr_status tour_run(const struct load_env *env, const struct tour_options *options,
                        struct tour_report **report, struct mr_err *err)
{
    struct tour tour = {.env = env, .options = options};
    char run[TOUR_RUN_BYTES_MAX];
    FILE *file = fopen(options->file, "r");
    enum mr_status status;

    *report = NULL;
    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", options->file, strerror(errno));
    }
    if (options->run != NULL) {
        (void)snprintf(run, sizeof(run), "%s", options->run);
    } else {
        (void)snprintf(run, sizeof(run), "t%llx",
                       (unsigned long long)mr_clock_wall_us(env->clock) / 1000);
    }
    (void)snprintf(tour.prefix, sizeof(tour.prefix), "%s.", run);
    tour.report = tour_report_create(run);
    status = play(&tour, file, err);
    tour_inbox_close(&tour.inbox);
    tour_sender_close(&tour.sender);
    (void)fclose(file);
    *report = tour.report;
    return status;
}
