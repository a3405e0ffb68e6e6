/*
 * invariants_open.c -- see invariants.h: open orders, as the reports, fill, risk and settle have
 * them, and what is held for them.
 */
#include "avro/execution_report.h"
#include "avro/resting_order.h"
#include "avro/risk_account.h"
#include "avro/risk_order.h"
#include "avro/risk_transfer.h"
#include "avro/settle_order.h"
#include "invariants.h"
#include "tally.h"

#include <check.h>

/* What the last report of each order says: sum is its hold, count is 1 while it is open. */
static size_t open_by_reports(struct mr_world *world, struct tally *orders)
{
    struct mr_world_records records;
    size_t open = 0;

    mr_world_read(world, "executions", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_execution_report report;

        mr_world_decode(world, "executions", &records, i, &report);
        if (report.exec_type != OMS_EXEC_TYPE_REJECTED &&
            report.exec_type != OMS_EXEC_TYPE_CANCEL_REJECTED) {
            struct tally_item *item = tally_at(orders, "%.*s", MR_SLICE_ARG(report.order_id));

            item->sum = report.hold_after;
            item->count = report.status == OMS_ORDER_STATUS_ACCEPTED;
        }
    }
    for (size_t i = 0; i < orders->capacity; i++) {
        open += orders->items[i].count == 1;
    }
    mr_world_records_fini(&records);
    return open;
}

static void check_hold(struct tally *orders, struct mr_slice id, mr_i128 hold, const char *stage)
{
    const struct tally_item *item = tally_at(orders, "%.*s", MR_SLICE_ARG(id));

    WORLD_MUST_MSG(item->count == 1 && item->sum == hold,
                   "%s holds for %.*s what no open order needs", stage, MR_SLICE_ARG(id));
}

static void check_fill(struct mr_world *world, struct tally *orders, size_t open)
{
    struct mr_world_records records;

    mr_world_read_state(world, "fill", "orders", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_resting_order order;

        mr_world_decode_state(world, "fill", "orders", &records, i, &order);
        check_hold(orders, order.order_id, order.hold, "fill");
    }
    WORLD_MUST(records.count == open);
    mr_world_records_fini(&records);
}

static void check_settle(struct mr_world *world, struct tally *orders, size_t open)
{
    struct mr_world_records records;

    mr_world_read_state(world, "settle", "orders", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_settle_order order;

        mr_world_decode_state(world, "settle", "orders", &records, i, &order);
        check_hold(orders, records.items[i].key, order.hold, "settle");
    }
    WORLD_MUST(records.count == open);
    mr_world_records_fini(&records);
}

/* What risk knows of its orders comes into `rows`, by user, to be taken out again. */
static void check_risk(struct mr_world *world, struct tally *orders, size_t open,
                       struct tally *rows)
{
    struct mr_world_records records;
    struct mr_world_records names;
    size_t named = 0;

    mr_world_read_state(world, "risk", "orders", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_risk_order order;

        mr_world_decode_state(world, "risk", "orders", &records, i, &order);
        check_hold(orders, records.items[i].key, order.hold, "risk");
        WORLD_MUST_MSG(!order.has_amend_command_id, "%.*s waits for an amendment",
                       MR_SLICE_ARG(records.items[i].key));
        named += order.client_order_id.len > 0;
        tally_at(rows, "%.*s open", MR_SLICE_ARG(order.user_id))->sum++;
        tally_at(rows, "%.*s open %.*s", MR_SLICE_ARG(order.user_id), MR_SLICE_ARG(order.symbol))
            ->sum++;
        tally_at(rows, "%.*s %s %.*s", MR_SLICE_ARG(order.user_id),
                 order.side == OMS_SIDE_BUY ? "buys" : "sells", MR_SLICE_ARG(order.symbol))
            ->sum += order.leaves_qty;
        tally_at(rows, "%.*s holds %.*s", MR_SLICE_ARG(order.user_id), MR_SLICE_ARG(order.asset))
            ->sum += order.hold;
    }
    WORLD_MUST(records.count == open);
    mr_world_read_state(world, "risk", "client-ids", &names);
    mr_world_latest(&names);
    WORLD_MUST_MSG(names.count == named, "%zu names of orders, %zu open orders have one",
                   names.count, named);
    mr_world_records_fini(&names);
    mr_world_records_fini(&records);
}

/* A withdrawal that has begun holds too. The key is userId, zero, eventId, zero. */
static void add_withdrawals(struct mr_world *world, struct tally *rows)
{
    struct mr_world_records records;

    mr_world_read_state(world, "risk", "transfers", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_risk_transfer transfer;

        mr_world_decode_state(world, "risk", "transfers", &records, i, &transfer);
        if (transfer.state == OMS_TRANSFER_STATE_BEGUN) {
            tally_at(rows, "%s holds %.*s", (const char *)records.items[i].key.data,
                     MR_SLICE_ARG(transfer.asset))
                ->sum += transfer.amount;
        }
    }
    mr_world_records_fini(&records);
}

static void subtract_accounts(struct mr_world *world, struct tally *rows)
{
    struct mr_world_records records;

    mr_world_read_state(world, "risk", "accounts", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        const struct mr_slice user = records.items[i].key;
        struct oms_risk_account account;

        mr_world_decode_state(world, "risk", "accounts", &records, i, &account);
        tally_at(rows, "%.*s open", MR_SLICE_ARG(user))->sum -= account.open_orders;
        for (size_t e = 0; e < account.exposures.count; e++) {
            const struct oms_risk_exposure *exposure = &account.exposures.items[e];

            tally_at(rows, "%.*s open %.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(exposure->symbol))
                ->sum -= exposure->open_orders;
            tally_at(rows, "%.*s buys %.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(exposure->symbol))
                ->sum -= exposure->open_buy;
            tally_at(rows, "%.*s sells %.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(exposure->symbol))
                ->sum -= exposure->open_sell;
        }
        for (size_t b = 0; b < account.balances.count; b++) {
            const struct oms_risk_balance *balance = &account.balances.items[b];

            tally_at(rows, "%.*s holds %.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(balance->asset))
                ->sum -= balance->hold;
        }
    }
    mr_world_records_fini(&records);
}

void invariants_open(struct mr_world *world)
{
    struct tally orders = {0};
    struct tally rows = {0};
    const size_t open = open_by_reports(world, &orders);

    check_fill(world, &orders, open);
    check_settle(world, &orders, open);
    check_risk(world, &orders, open, &rows);
    add_withdrawals(world, &rows);
    subtract_accounts(world, &rows);
    for (size_t i = 0; i < rows.capacity; i++) {
        WORLD_MUST_MSG(rows.items[i].sum == 0, "risk's row is not the sum of its orders: %s",
                       rows.items[i].name);
    }
    tally_fini(&orders);
    tally_fini(&rows);
}

void invariants_nothing_open(struct mr_world *world)
{
    struct tally orders = {0};

    WORLD_MUST(open_by_reports(world, &orders) == 0);
    tally_fini(&orders);
}
