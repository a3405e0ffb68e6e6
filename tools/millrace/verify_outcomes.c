/*
 * verify_outcomes.c -- each command has exactly one outcome, the one it must have.
 *
 * Outcomes: the report that an order was accepted, rejected or cancelled by its user; a risk event
 * DUPLICATE or DUPLICATE_CONFLICT; a dead letter. Fills, settlement and the end of an IOC's
 * remainder follow an outcome and are none.
 */
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/risk_event.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

struct sent { /* by eventId */
    enum load_expect expect, got;
    int code, got_code;
    int64_t outcomes;
    int64_t offset; /* in orders */
    int32_t partition;
};

struct order { /* by orderId */
    int32_t version;
    bool accepted, ended;
};

struct letters { /* by topic */
    int64_t count;
    uint64_t digest;
};

struct verify_outcomes {
    struct verify *verify;
    struct verify_map *sent;
    struct verify_map *orders;
    struct verify_map *exec_ids;
    struct verify_map *letters;
    int64_t undecodable, executions, trade_reports;
    struct verify_check *in_topic, *once, *expected, *versions, *sums, *unique, *ended, *sourceless;
};

struct verify_outcomes *verify_outcomes_create(struct verify *verify)
{
    struct verify_outcomes *o = mr_xcalloc(1, sizeof *o);

    o->verify = verify;
    o->sent = verify_map_create(sizeof(struct sent));
    o->orders = verify_map_create(sizeof(struct order));
    o->exec_ids = verify_map_create(sizeof(int64_t));
    o->letters = verify_map_create(sizeof(struct letters));
    o->in_topic = verify_check_open(verify->report, "commands in `orders`");
    o->once = verify_check_open(verify->report, "commands with exactly one outcome");
    o->expected = verify_check_open(verify->report, "commands with the outcome they must have");
    o->unique = verify_check_open(verify->report, "execution ids, each once");
    o->versions = verify_check_open(verify->report, "reports out of version order");
    o->sums = verify_check_open(verify->report, "reports whose quantities do not add up");
    o->ended = verify_check_open(verify->report, "accepted orders settled or cancelled");
    o->sourceless = verify_check_open(verify->report, "dead letters without source or error class");
    return o;
}

enum mr_status verify_outcomes_on_order(void *arg, const struct load_record *record,
                                        struct mr_err *err)
{
    struct verify_outcomes *o = arg;
    const struct oms_order_command *command = record->value;
    struct sent parsed = {.partition = record->partition, .offset = record->offset};
    struct sent *sent;
    int64_t number = 0;

    (void)err;
    if (command == NULL) {
        o->undecodable++;
        return MR_OK;
    }
    if (!load_event_parse(command->event_id, o->verify->manifest->run, &number, &parsed.expect,
                          &parsed.code)) {
        return MR_OK; /* somebody else's */
    }
    if (verify_map_get(o->sent, command->event_id) != NULL) {
        verify_differ(o->in_topic, "%.*s stands twice, again at orders/%d@%" PRId64,
                      MR_SLICE_ARG(command->event_id), record->partition, record->offset);
        return MR_OK;
    }
    sent = verify_map_put(o->sent, command->event_id);
    *sent = parsed;
    return MR_OK;
}

static void note(struct verify_outcomes *o, const struct load_record *record,
                 struct mr_slice command_id, enum load_expect got, int code)
{
    struct sent *sent = verify_map_get(o->sent, command_id);
    enum load_expect expect;
    int64_t number = 0;
    int expect_code = 0;

    if (sent == NULL) {
        if (load_event_parse(command_id, o->verify->manifest->run, &number, &expect,
                             &expect_code)) {
            verify_differ(o->once, "%s/%d@%" PRId64 ": outcome of %.*s, which was never sent",
                          record->topic, record->partition, record->offset,
                          MR_SLICE_ARG(command_id));
        }
        return;
    }
    sent->outcomes++;
    sent->got = got;
    sent->got_code = code;
    if (sent->outcomes > 1) {
        verify_differ(o->once, "%s/%d@%" PRId64 ": outcome number %" PRId64 " of %.*s",
                      record->topic, record->partition, record->offset, sent->outcomes,
                      MR_SLICE_ARG(command_id));
    }
}

static void check_report(struct verify_outcomes *o, const struct load_record *record,
                         const struct oms_execution_report *report)
{
    struct order *order = verify_map_put(o->orders, report->order_id);
    int64_t *seen = verify_map_put(o->exec_ids, report->exec_id);

    o->executions++;
    *seen += 1;
    if (*seen > 1) {
        verify_differ(o->unique, "%.*s again at executions/%d@%" PRId64,
                      MR_SLICE_ARG(report->exec_id), record->partition, record->offset);
    }
    if (report->version != order->version + 1) {
        verify_differ(o->versions, "order %.*s: version %d after %d at executions/%d@%" PRId64,
                      MR_SLICE_ARG(report->order_id), report->version, order->version,
                      record->partition, record->offset);
    }
    order->version = report->version;
    order->accepted |= report->exec_type == OMS_EXEC_TYPE_NEW;
    order->ended |=
        report->status == OMS_ORDER_STATUS_SETTLED || report->status == OMS_ORDER_STATUS_CANCELLED;
    o->trade_reports += report->exec_type == OMS_EXEC_TYPE_TRADE;
    if (report->has_order_qty && report->exec_type != OMS_EXEC_TYPE_REJECTED &&
        report->exec_type != OMS_EXEC_TYPE_CANCEL_REJECTED &&
        report->order_qty !=
            report->cum_qty + report->leaves_qty + report->prevented_qty + report->cancelled_qty) {
        verify_differ(o->sums, "%.*s at executions/%d@%" PRId64, MR_SLICE_ARG(report->exec_id),
                      record->partition, record->offset);
    }
}

enum mr_status verify_outcomes_on_execution(void *arg, const struct load_record *record,
                                            struct mr_err *err)
{
    struct verify_outcomes *o = arg;
    const struct oms_execution_report *report = record->value;
    const int code = report != NULL && report->has_reject_code ? report->reject_code : 0;

    (void)err;
    if (report == NULL || !verify_is_user(o->verify, report->user_id)) {
        return MR_OK;
    }
    check_report(o, record, report);
    if (report->exec_type == OMS_EXEC_TYPE_NEW) {
        note(o, record, report->command_id, LOAD_ACCEPTED, 0);
    } else if (report->exec_type == OMS_EXEC_TYPE_REJECTED ||
               report->exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED) {
        note(o, record, report->command_id, LOAD_REJECTED, code);
    } else if (report->exec_type == OMS_EXEC_TYPE_CANCELED && report->has_cancel_reason &&
               report->cancel_reason == OMS_CANCEL_REASON_USER) {
        note(o, record, report->command_id, LOAD_CANCELLED, 0);
    }
    return MR_OK;
}

enum mr_status verify_outcomes_on_risk_event(void *arg, const struct load_record *record,
                                             struct mr_err *err)
{
    struct verify_outcomes *o = arg;
    const struct oms_risk_event *event = record->value;

    (void)err;
    if (event == NULL || !event->has_command_id || !verify_is_user(o->verify, event->user_id)) {
        return MR_OK;
    }
    if (event->type == OMS_RISK_EVENT_TYPE_DUPLICATE) {
        note(o, record, event->command_id, LOAD_DUPLICATE, 0);
    } else if (event->type == OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT) {
        note(o, record, event->command_id, LOAD_CONFLICT, event->code);
    }
    return MR_OK;
}

/* Text of a header as a whole number; false: absent or none. */
static bool header_number(const struct mr_header *header, int64_t *number)
{
    char text[24];
    char *end = NULL;

    (void)load_text(text, sizeof text, "%.*s", MR_SLICE_ARG(header->value));
    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

struct source { /* where a dead letter says it comes from */
    char topic[256];
    int64_t partition, offset;
    bool known; /* with the class of its error */
};

static struct source source_of(const struct mr_message *message)
{
    struct mr_header headers[MR_HEADERS_MAX];
    size_t count = mr_message_headers(message, headers, MR_HEADERS_MAX);
    struct source source = {.partition = -1, .offset = -1};
    bool has_class = false;

    for (size_t i = 0; i < count && i < MR_HEADERS_MAX; i++) {
        if (strcmp(headers[i].name, "millrace.source.topic") == 0) {
            (void)load_text(source.topic, sizeof source.topic, "%.*s",
                            MR_SLICE_ARG(headers[i].value));
        } else if (strcmp(headers[i].name, "millrace.source.partition") == 0) {
            (void)header_number(&headers[i], &source.partition);
        } else if (strcmp(headers[i].name, "millrace.source.offset") == 0) {
            (void)header_number(&headers[i], &source.offset);
        } else if (strcmp(headers[i].name, "millrace.error.class") == 0) {
            has_class = headers[i].value.len > 0;
        }
    }
    source.known =
        source.topic[0] != '\0' && source.partition >= 0 && source.offset >= 0 && has_class;
    return source;
}

/* A connector that was away dead-letters what an earlier run sent only now. */
static bool of_earlier_run(const struct verify *verify, const struct source *source)
{
    const struct load_start *start = load_manifest_start(verify->manifest, source->topic);

    return start != NULL && source->partition >= 0 && source->partition < start->partitions &&
           source->offset >= 0 && source->offset < start->offsets[source->partition];
}

enum mr_status verify_outcomes_on_dead_letter(void *arg, const struct load_record *record,
                                              struct mr_err *err)
{
    struct verify_outcomes *o = arg;
    const struct source source = source_of(record->message);
    struct letters *letters;

    (void)err;
    if (of_earlier_run(o->verify, &source)) {
        return MR_OK;
    }
    if (!source.known) {
        verify_differ(o->sourceless, "%s/%d@%" PRId64, record->topic, record->partition,
                      record->offset);
    }
    letters = verify_map_put(o->letters, mr_slice_str(record->topic));
    letters->count++;
    letters->digest += load_hash(record->bytes);
    return MR_OK;
}

struct tally {
    int64_t accepted, duplicates, conflicts, cancelled, once, as_expected;
    int64_t rejected[LOAD_CODES_MAX];
    int64_t rejected_other;
};

static void tally_rejected(const struct load_manifest *manifest, int code, struct tally *tally)
{
    for (size_t i = 0; i < manifest->rejected_count; i++) {
        if (manifest->rejected[i].code == code) {
            tally->rejected[i]++;
            return;
        }
    }
    tally->rejected_other++;
}

static void tally_one(struct verify_outcomes *o, const struct sent *sent, struct mr_slice id,
                      struct tally *tally)
{
    if (sent->outcomes == 0) {
        verify_differ(o->once, "%.*s at orders/%d@%" PRId64 " has no outcome", MR_SLICE_ARG(id),
                      sent->partition, sent->offset);
        return;
    }
    tally->once += sent->outcomes == 1;
    if (sent->got == sent->expect &&
        (sent->expect != LOAD_REJECTED || sent->got_code == sent->code)) {
        tally->as_expected++;
    } else {
        verify_differ(o->expected, "%.*s at orders/%d@%" PRId64 " came to outcome %d code %d",
                      MR_SLICE_ARG(id), sent->partition, sent->offset, (int)sent->got,
                      sent->got_code);
    }
    tally->accepted += sent->got == LOAD_ACCEPTED;
    tally->duplicates += sent->got == LOAD_DUPLICATE;
    tally->conflicts += sent->got == LOAD_CONFLICT;
    tally->cancelled += sent->got == LOAD_CANCELLED;
    if (sent->got == LOAD_REJECTED) {
        tally_rejected(o->verify->manifest, sent->got_code, tally);
    }
}

static void close_count(struct verify_outcomes *o, const char *name, int64_t expected,
                        int64_t actual)
{
    verify_check_close(verify_check_open(o->verify->report, name), expected, actual);
}

static void close_counts(struct verify_outcomes *o, const struct tally *tally)
{
    const struct load_manifest *manifest = o->verify->manifest;
    char name[64];

    close_count(o, "accepted", manifest->accepted, tally->accepted);
    close_count(o, "duplicates", manifest->duplicates, tally->duplicates);
    close_count(o, "conflicts", manifest->conflicts, tally->conflicts);
    close_count(o, "cancelled", manifest->cancelled, tally->cancelled);
    for (size_t i = 0; i < manifest->rejected_count; i++) {
        (void)snprintf(name, sizeof name, "rejected with %d", manifest->rejected[i].code);
        close_count(o, name, manifest->rejected[i].count, tally->rejected[i]);
    }
    close_count(o, "rejected with another code", 0, tally->rejected_other);
}

/* Whoever reads `orders` from the log dead-letters what cannot be read; nobody else anything. */
static bool reads_orders(const struct mr_topology *topology, size_t dead_letter, bool *connector)
{
    const size_t orders = mr_topology_find_topic(topology, "orders");

    *connector = false;
    for (size_t s = 0; s < topology->stage_count; s++) {
        for (size_t i = 0; i < topology->stages[s].type->in_count; i++) {
            if (topology->stages[s].dead_letter == dead_letter &&
                topology->stages[s].in[i].topic == orders) {
                return true;
            }
        }
    }
    for (size_t c = 0; c < topology->connector_count; c++) {
        if (topology->connectors[c].dead_letter == dead_letter) {
            *connector = true;
            return topology->connectors[c].topic == orders;
        }
    }
    return false;
}

static void close_letters(struct verify_outcomes *o)
{
    const struct mr_topology *topology = o->verify->env->topology;
    const struct load_manifest *manifest = o->verify->manifest;
    const bool sinks = o->verify->options->documents != NULL;
    int64_t unexpected = 0;

    for (size_t t = 0; t < topology->topic_count; t++) {
        const char *topic = topology->topics[t].name;
        const struct letters *found = verify_map_get(o->letters, mr_slice_str(topic));
        const struct letters letters = found == NULL ? (struct letters){0} : *found;
        bool connector = false;
        char name[64], expected[24], actual[24];

        if (topology->topics[t].kind != MR_TOPIC_DEAD_LETTER) {
            continue;
        }
        if (!reads_orders(topology, t, &connector)) {
            unexpected += letters.count;
            continue;
        }
        if (connector && !sinks) {
            continue;
        }
        (void)snprintf(name, sizeof name, "dead letters %.48s", topic);
        close_count(o, name, manifest->dead_letters, letters.count);
        (void)snprintf(name, sizeof name, "dead letters' bytes %.42s", topic);
        (void)snprintf(expected, sizeof expected, "%016" PRIx64, manifest->dead_letter_digest);
        (void)snprintf(actual, sizeof actual, "%016" PRIx64, letters.digest);
        verify_check_close_text(verify_check_open(o->verify->report, name), expected, actual);
    }
    close_count(o, "dead letters elsewhere", 0, unexpected);
    verify_check_close(o->sourceless, 0, verify_check_differences(o->sourceless));
}

static void close_orders(struct verify_outcomes *o)
{
    int64_t accepted = 0;
    int64_t ended = 0;

    for (size_t i = 0; i < verify_map_count(o->orders); i++) {
        struct mr_slice id;
        const struct order *order = verify_map_at(o->orders, i, &id);

        accepted += order->accepted;
        ended += order->accepted && order->ended;
        if (order->accepted && !order->ended) {
            verify_differ(o->ended, "order %.*s stands at version %d", MR_SLICE_ARG(id),
                          order->version);
        }
    }
    verify_check_close(o->ended, accepted, ended);
}

void verify_outcomes_end(struct verify_outcomes **outcomes)
{
    struct verify_outcomes *o = *outcomes;
    const struct load_manifest *manifest = o->verify->manifest;
    struct tally tally = {0};
    const int64_t commands = (int64_t)verify_map_count(o->sent);

    for (size_t i = 0; i < verify_map_count(o->sent); i++) {
        struct mr_slice id;
        const struct sent *sent = verify_map_at(o->sent, i, &id);

        tally_one(o, sent, id, &tally);
    }
    verify_check_close(o->in_topic, manifest->sent, commands + o->undecodable);
    verify_check_close(o->once, commands, tally.once);
    verify_check_close(o->expected, commands, tally.as_expected);
    verify_check_close(o->unique, o->executions, (int64_t)verify_map_count(o->exec_ids));
    verify_check_close(o->versions, 0, verify_check_differences(o->versions));
    verify_check_close(o->sums, 0, verify_check_differences(o->sums));
    close_orders(o);
    close_counts(o, &tally);
    close_letters(o);
    verify_report_note(o->verify->report, "executions", o->executions);
    verify_report_note(o->verify->report, "tradeReports", o->trade_reports);
    verify_map_destroy(&o->sent);
    verify_map_destroy(&o->orders);
    verify_map_destroy(&o->exec_ids);
    verify_map_destroy(&o->letters);
    free(o);
    *outcomes = NULL;
}
