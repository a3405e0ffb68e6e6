/* invariants_orders.c -- see invariants.h: outcomes of commands, reports of orders. */
#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "avro/risk_event.h"
#include "invariants.h"
#include "tally.h"

#include <check.h>
#include <stdio.h>

static const char *const stage_names[] = {"validate", "dedupe", "risk", "fill", "settle"};

/* ---- every command, one outcome -------------------------------------------------------------- */

/* The end of a user's orders that a switch asked for: nobody's command. */
static bool is_risks_own(struct mr_slice command_id)
{
    return command_id.len > 2 && memcmp(command_id.data, "R-", 2) == 0;
}

static void count_reports(struct mr_world *world, struct tally *outcomes)
{
    struct mr_world_records records;

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;
        bool outcome;

        mr_world_decode(world, "executions", &records, i, &report);
        /* Ended by its own command (IOC, self-trade): that command's outcome was NEW. */
        outcome = report.exec_type == OMS_EXEC_TYPE_NEW ||
                  report.exec_type == OMS_EXEC_TYPE_REPLACED ||
                  report.exec_type == OMS_EXEC_TYPE_REJECTED ||
                  report.exec_type == OMS_EXEC_TYPE_CANCEL_REJECTED ||
                  (report.exec_type == OMS_EXEC_TYPE_CANCELED &&
                   report.cancel_reason == OMS_CANCEL_REASON_USER);
        if (outcome && !is_risks_own(report.command_id)) {
            tally_at(outcomes, "%.*s", MR_SLICE_ARG(report.command_id))->sum++;
        }
    }
    mr_world_records_fini(&records);
}

static void count_events(struct mr_world *world, struct tally *outcomes)
{
    struct mr_world_records records;

    mr_world_read(world, "risk-events", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_risk_event event;

        mr_world_decode(world, "risk-events", &records, i, &event);
        /* A transfer that came twice is no order command. */
        if ((event.type == OMS_RISK_EVENT_TYPE_DUPLICATE && event.has_order_id) ||
            event.type == OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT) {
            tally_at(outcomes, "%.*s", MR_SLICE_ARG(event.command_id))->sum++;
        }
    }
    mr_world_records_fini(&records);
}

/* Letters of records of `orders` by coordinates; of later topics (already validated) by eventId. */
static void count_letters(struct mr_world *world, struct tally *outcomes, struct tally *letters)
{
    for (size_t s = 0; s < MR_COUNT(stage_names); s++) {
        struct mr_world_records records;
        char topic[64];

        snprintf(topic, sizeof(topic), "crypto-oms.%s.dlq", stage_names[s]);
        mr_world_read(world, topic, &records);
        for (size_t i = 0; i < records.count; i++) {
            const struct mr_header *source =
                mr_world_header(&records.items[i], "millrace.source.topic");
            const struct mr_header *partition =
                mr_world_header(&records.items[i], "millrace.source.partition");
            const struct mr_header *offset =
                mr_world_header(&records.items[i], "millrace.source.offset");

            WORLD_MUST(source != NULL && partition != NULL && offset != NULL);
            /* Whoever cannot take a report keeps a hold for ever. */
            WORLD_MUST_MSG(!mr_slice_equal(source->value, mr_slice_str("executions")) &&
                               !mr_slice_equal(source->value, mr_slice_str("accounts.approved")),
                           "%s could not take a record of %.*s", stage_names[s],
                           MR_SLICE_ARG(source->value));
            tally_at(letters, "%.*s/%.*s/%.*s", MR_SLICE_ARG(source->value),
                     MR_SLICE_ARG(partition->value), MR_SLICE_ARG(offset->value))
                ->count++;
            if (mr_slice_equal(source->value, mr_slice_str("orders.approved"))) {
                struct oms_order_command order;

                mr_world_decode(world, "orders.approved", &records, i, &order);
                tally_at(outcomes, "%.*s", MR_SLICE_ARG(order.event_id))->sum++;
            }
        }
        mr_world_records_fini(&records);
    }
}

void invariants_outcomes(struct mr_world *world)
{
    struct mr_world_records records;
    struct tally outcomes = {0};
    struct tally letters = {0};
    struct tally many = {0}; /* CANCEL_ALL: one outcome or more */

    count_reports(world, &outcomes);
    count_events(world, &outcomes);
    count_letters(world, &outcomes, &letters);
    mr_world_read(world, "orders", &records);
    for (size_t i = 0; i < records.count; i++) {
        const int64_t dead = tally_at(&letters, "orders/%d/%lld", (int)records.items[i].partition,
                                      (long long)records.items[i].offset)
                                 ->count;
        struct oms_order_command order;

        WORLD_MUST(dead <= 1);
        if (dead == 0) {
            mr_world_decode(world, "orders", &records, i, &order);
            tally_at(&outcomes, "%.*s", MR_SLICE_ARG(order.event_id))->count++;
            tally_at(&many, "%.*s", MR_SLICE_ARG(order.event_id))->count +=
                order.action == OMS_ACTION_CANCEL_ALL;
        }
    }
    for (size_t i = 0; i < outcomes.capacity; i++) {
        const struct tally_item *item = &outcomes.items[i];

        WORLD_MUST_MSG(item->sum == item->count || (item->sum > item->count &&
                                                    tally_at(&many, "%s", item->name)->count > 0),
                       "%s: %lld commands, %lld outcomes", item->name, (long long)item->count,
                       (long long)item->sum);
    }
    tally_fini(&outcomes);
    tally_fini(&letters);
    tally_fini(&many);
    mr_world_records_fini(&records);
}

/* ---- reports of one order -------------------------------------------------------------------- */

static void check_report(const struct oms_execution_report *report, struct tally *versions,
                         struct tally *states)
{
    struct tally_item *version = tally_at(versions, "%.*s", MR_SLICE_ARG(report->order_id));

    WORLD_MUST_MSG(++version->count == report->version, "%.*s: version %d comes as number %lld",
                   MR_SLICE_ARG(report->order_id), (int)report->version, (long long)version->count);
    WORLD_MUST_MSG(!report->has_order_qty ||
                       report->order_qty == report->cum_qty + report->leaves_qty +
                                                report->prevented_qty + report->cancelled_qty,
                   "%.*s: quantities do not add up", MR_SLICE_ARG(report->exec_id));
    WORLD_MUST(report->leaves_qty >= 0 && report->cancelled_qty >= 0 && report->hold_after >= 0);
    if (report->exec_type == OMS_EXEC_TYPE_SETTLED) {
        WORLD_MUST(report->settled && report->hold_after == 0);
        tally_at(states, "settled %.*s", MR_SLICE_ARG(report->order_id))->count++;
    }
    if (report->status != OMS_ORDER_STATUS_ACCEPTED) {
        WORLD_MUST(report->leaves_qty == 0 && report->hold_after == 0);
    }
    if (report->exec_type != OMS_EXEC_TYPE_SETTLED &&
        (report->status == OMS_ORDER_STATUS_FILLED ||
         (report->status == OMS_ORDER_STATUS_CANCELLED && report->cum_qty > 0))) {
        tally_at(states, "over %.*s", MR_SLICE_ARG(report->order_id))->count++;
    }
}

void invariants_orders(struct mr_world *world)
{
    struct mr_world_records records;
    struct tally versions = {0};
    struct tally states = {0};
    struct tally ids = {0};

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;

        mr_world_decode(world, "executions", &records, i, &report);
        if (report.exec_type != OMS_EXEC_TYPE_REJECTED &&
            report.exec_type != OMS_EXEC_TYPE_CANCEL_REJECTED) {
            WORLD_MUST_MSG(++tally_at(&ids, "%.*s", MR_SLICE_ARG(report.exec_id))->count == 1,
                           "%.*s is there twice", MR_SLICE_ARG(report.exec_id));
            check_report(&report, &versions, &states);
        } else {
            /* May be there twice when the command was: invariants_outcomes counts them. */
            WORLD_MUST(report.has_reject_code && report.reject_code > 0);
        }
    }
    for (size_t i = 0; i < states.capacity; i++) {
        if (strncmp(states.items[i].name, "over ", 5) == 0) {
            char id[TALLY_NAME_MAX];

            memcpy(id, states.items[i].name, sizeof(id));
            WORLD_MUST_MSG(tally_at(&states, "settled %.100s", id + 5)->count == 1,
                           "%.100s: not SETTLED once", id);
        }
    }
    tally_fini(&versions);
    tally_fini(&states);
    tally_fini(&ids);
    mr_world_records_fini(&records);
}
