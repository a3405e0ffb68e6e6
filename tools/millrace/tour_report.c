/* tour_report.c -- see tour_report.h and tour.h. */
#include "tour_report.h"

#include "millrace/arena.h"

#include <stdlib.h>

struct step {
    char *name, *sent;
    json_t *orders;        /* whose reports it shows; empty: everything */
    struct mr_buffer came; /* text */
    char shown[64];        /* order or user of the last record in it */
    json_t *differences;   /* texts */
};

struct tour_report {
    char run[TOUR_RUN_BYTES_MAX];
    struct step *steps;
    size_t count;
};

struct tour_report *tour_report_create(const char *run)
{
    struct tour_report *report = mr_xcalloc(1, sizeof(*report));

    (void)snprintf(report->run, sizeof(report->run), "%s", run);
    return report;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

void tour_report_step(struct tour_report *report, const json_t *step)
{
    json_t *orders = json_object_get(step, "of");

    report->steps = mr_xrealloc(report->steps, (report->count + 1) * sizeof(*report->steps));
    report->steps[report->count++] =
        (struct step){.name = mr_xstrdup(text_of(step, "step")),
                      .sent = mr_xstrdup(text_of(step, "sent")),
                      .orders = orders == NULL ? json_array() : json_incref(orders),
                      .differences = json_array()};
}

static struct step *current(struct tour_report *report)
{
    MR_ASSERT(report->count > 0);
    return &report->steps[report->count - 1];
}

void tour_report_differ(struct tour_report *report, const char *what, const json_t *want,
                        const json_t *got)
{
    char *wanted = want == NULL ? NULL : json_dumps(want, JSON_COMPACT);
    char *gotten = got == NULL ? NULL : json_dumps(got, JSON_COMPACT);
    struct mr_buffer text = MR_BUFFER_EMPTY;

    mr_buffer_printf(&text, "%s: expected %s, got %s", what, wanted == NULL ? "nothing" : wanted,
                     gotten == NULL ? "nothing" : gotten);
    (void)json_array_append_new(current(report)->differences,
                                json_stringn((const char *)text.data, text.len));
    mr_buffer_fini(&text);
    free(wanted);
    free(gotten);
}

/* --- what came, in words ------------------------------------------------------------------ */

static bool is_among(const json_t *orders, const char *id)
{
    bool found = json_array_size(orders) == 0;

    for (size_t i = 0; i < json_array_size(orders); i++) {
        found = found || strcmp(json_string_value(json_array_get(orders, i)), id) == 0;
    }
    return found;
}

static void write_report(const json_t *report, struct mr_buffer *out)
{
    const char *type = text_of(report, "execType");
    const json_t *code = json_object_get(report, "rejectCode");

    mr_buffer_printf(out, "%s", type);
    if (strcmp(type, "TRADE") == 0) {
        mr_buffer_printf(out, " %s@%s", text_of(report, "lastQty"), text_of(report, "lastPx"));
    } else if (strcmp(type, "CANCELED") == 0) {
        mr_buffer_printf(out, " %s %s", text_of(report, "cancelReason"),
                         text_of(report, "cancelledQty"));
    } else if (strcmp(type, "REPLACED") == 0) {
        mr_buffer_printf(out, " %s@%s", text_of(report, "orderQty"), text_of(report, "price"));
    } else if (strcmp(type, "TRADE_PREVENTION") == 0) {
        mr_buffer_printf(out, " %s", text_of(report, "preventedQty"));
    } else if (json_is_integer(code)) {
        mr_buffer_printf(out, " %d", (int)json_integer_value(code));
    }
}

static void write_record(const char *topic, const json_t *record, struct mr_buffer *out)
{
    if (strcmp(topic, "executions") == 0) {
        write_report(record, out);
    } else if (strcmp(topic, "balances") == 0) {
        mr_buffer_printf(out, "%s %s", text_of(record, "available"), text_of(record, "asset"));
        if (strcmp(text_of(record, "hold"), "0") != 0) {
            mr_buffer_printf(out, " and %s held", text_of(record, "hold"));
        }
    } else if (strcmp(topic, "risk-events") == 0 &&
               strcmp(text_of(record, "type"), "STATE_CHANGE") == 0) {
        mr_buffer_printf(out, "%s", text_of(record, "stateTo"));
    } else if (strcmp(topic, "risk-events") == 0) {
        mr_buffer_printf(out, "%s %d", text_of(record, "type"),
                         (int)json_integer_value(json_object_get(record, "code")));
    } else if (strcmp(topic, "positions") == 0) {
        mr_buffer_printf(out, "%s in %s", text_of(record, "qty"), text_of(record, "symbol"));
    } else {
        mr_buffer_printf(out, "%s", text_of(record, "entryType"));
    }
}

void tour_report_show(struct tour_report *report, const char *topic, const json_t *record)
{
    struct step *step = current(report);
    const bool order = strcmp(topic, "executions") == 0;
    const char *who = text_of(record, order ? "orderId" : "userId");

    if (order ? !is_among(step->orders, who) : json_array_size(step->orders) > 0) {
        return;
    }
    if (strcmp(step->shown, who) != 0) {
        mr_buffer_printf(&step->came, "%s%s: ", step->came.len > 0 ? "; " : "", who);
        (void)snprintf(step->shown, sizeof(step->shown), "%s", who);
    } else {
        mr_buffer_printf(&step->came, ", ");
    }
    write_record(topic, record, &step->came);
}

/* --- the result ----------------------------------------------------------------------------- */

bool tour_report_equal(const struct tour_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (json_array_size(report->steps[i].differences) > 0) {
            return false;
        }
    }
    return report->count > 1;
}

/* The first step is the preparation: it has no line unless something is wrong with it. */
static bool has_line(const struct tour_report *report, size_t i)
{
    return i > 0 || json_array_size(report->steps[0].differences) > 0;
}

void tour_report_table(const struct tour_report *report, struct mr_buffer *out)
{
    mr_buffer_printf(out, "%-19s | what was sent | what came of it | as expected\n", "order type");
    for (size_t i = 0; i < report->count; i++) {
        const struct step *step = &report->steps[i];
        const size_t wrong = json_array_size(step->differences);

        if (!has_line(report, i)) {
            continue;
        }
        mr_buffer_printf(out, "%-19s | %s | %.*s | %s\n", step->name, step->sent,
                         (int)step->came.len,
                         step->came.len == 0 ? "" : (const char *)step->came.data,
                         wrong == 0 ? "ok" : "DIFFERS");
        for (size_t d = 0; d < wrong; d++) {
            mr_buffer_printf(out, "    %s\n",
                             json_string_value(json_array_get(step->differences, d)));
        }
    }
    mr_buffer_printf(out, "%s\n",
                     tour_report_equal(report) ? "the tour: every outcome is as expected"
                                               : "the tour: not every outcome is as expected");
}

void tour_report_json(const struct tour_report *report, struct mr_buffer *out)
{
    json_t *steps = json_array();
    json_t *whole;
    char *text;

    for (size_t i = 0; i < report->count; i++) {
        const struct step *step = &report->steps[i];

        if (has_line(report, i)) {
            (void)json_array_append_new(
                steps,
                json_pack("{s:s, s:s, s:s%, s:b, s:O}", "type", step->name, "sent", step->sent,
                          "came", step->came.len == 0 ? "" : (const char *)step->came.data,
                          step->came.len, "asExpected", json_array_size(step->differences) == 0,
                          "differences", step->differences));
        }
    }
    whole = json_pack("{s:s, s:b, s:o}", "run", report->run, "equal", tour_report_equal(report),
                      "steps", steps);
    MR_ASSERT(whole != NULL);
    text = json_dumps(whole, JSON_INDENT(1));
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(whole);
}

void tour_report_destroy(struct tour_report **report)
{
    struct tour_report *old = *report;

    if (old == NULL) {
        return;
    }
    for (size_t i = 0; i < old->count; i++) {
        free(old->steps[i].name);
        free(old->steps[i].sent);
        json_decref(old->steps[i].orders);
        json_decref(old->steps[i].differences);
        mr_buffer_fini(&old->steps[i].came);
    }
    free(old->steps);
    free(old);
    *report = NULL;
}
