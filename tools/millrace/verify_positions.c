/*
 * verify_positions.c -- positions equal the sum of the run's trade reports.
 *
 * Quantity and fees are summed; cost and profit are checked together by the cash that moved:
 *   what was received - what was paid - fees = realised profit - cost of what is still held.
 * with the cost of a short negative. That identity holds for any cost method, so it is independent
 * of the one that settle uses.
 */
#include "avro/execution_report.h"
#include "avro/position.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

struct traded { /* by user:symbol */
    mr_i128 qty, fees, cash;
};

struct held {
    mr_i128 qty, fees, cost, realised;
    int64_t version, offset;
    int32_t partition;
};

struct verify_positions {
    struct verify *verify;
    struct verify_map *traded, *held;
    struct verify_check *equal, *cash;
};

struct verify_positions *verify_positions_create(struct verify *verify)
{
    struct verify_positions *p = mr_xcalloc(1, sizeof *p);

    p->verify = verify;
    p->traded = verify_map_create(sizeof(struct traded));
    p->held = verify_map_create(sizeof(struct held));
    p->equal = verify_check_open(verify->report, "positions equal the executions");
    p->cash = verify_check_open(verify->report, "positions whose cost and profit are not the cash");
    return p;
}

static struct mr_slice position_key(char *buffer, size_t bytes, struct mr_slice user,
                                    struct mr_slice symbol)
{
    return load_text(buffer, bytes, "%.*s:%.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(symbol));
}

enum mr_status verify_positions_on_execution(void *arg, const struct load_record *record,
                                             struct mr_err *err)
{
    struct verify_positions *p = arg;
    const struct oms_execution_report *report = record->value;
    struct traded *traded;
    char key[128];
    mr_i128 notional = 0;

    (void)err;
    if (report == NULL || report->exec_type != OMS_EXEC_TYPE_TRADE ||
        !verify_is_user(p->verify, report->user_id)) {
        return MR_OK;
    }
    traded =
        verify_map_put(p->traded, position_key(key, sizeof key, report->user_id, report->symbol));
    if (!load_decimal_product(report->last_px, report->last_qty, &notional)) {
        verify_differ(p->cash, "%.*s at executions/%d@%" PRId64 ": price x quantity is not exact",
                      MR_SLICE_ARG(report->exec_id), record->partition, record->offset);
    }
    traded->qty += report->side == OMS_SIDE_BUY ? report->last_qty : -report->last_qty;
    traded->cash += report->side == OMS_SIDE_BUY ? -notional : notional;
    traded->cash -= report->fee_amount;
    traded->fees += report->fee_amount;
    return MR_OK;
}

enum mr_status verify_positions_on_position(void *arg, const struct load_record *record,
                                            struct mr_err *err)
{
    struct verify_positions *p = arg;
    const struct oms_position *position = record->value;
    struct held *held;
    char key[128];

    (void)err;
    if (position == NULL || !verify_is_user(p->verify, position->user_id)) {
        return MR_OK;
    }
    held =
        verify_map_put(p->held, position_key(key, sizeof key, position->user_id, position->symbol));
    if (position->version <= held->version) {
        verify_differ(p->equal,
                      "%s: version %" PRId64 " after %" PRId64 " at positions/%d@%" PRId64, key,
                      position->version, held->version, record->partition, record->offset);
    }
    *held = (struct held){.qty = position->qty,
                          .fees = position->fees_total,
                          .cost = position->cost_basis,
                          .realised = position->realised_total,
                          .version = position->version,
                          .partition = record->partition,
                          .offset = record->offset};
    return MR_OK;
}

static bool compare(struct verify_positions *p, struct mr_slice key, const struct traded *traded,
                    const struct held *held)
{
    char text[2][LOAD_DECIMAL_TEXT_MAX];

    if (held == NULL) {
        verify_differ(p->equal, "%.*s: no position, executions say %s", MR_SLICE_ARG(key),
                      load_decimal_format(traded->qty, text[0]));
        return false;
    }
    if (held->realised - held->cost != traded->cash) {
        verify_differ(p->cash, "%.*s at positions/%d@%" PRId64 ": %s, the cash is %s",
                      MR_SLICE_ARG(key), held->partition, held->offset,
                      load_decimal_format(held->realised - held->cost, text[0]),
                      load_decimal_format(traded->cash, text[1]));
    }
    if (held->qty != traded->qty || held->fees != traded->fees) {
        verify_differ(p->equal, "%.*s at positions/%d@%" PRId64 ": %s, executions say %s",
                      MR_SLICE_ARG(key), held->partition, held->offset,
                      load_decimal_format(held->qty, text[0]),
                      load_decimal_format(traded->qty, text[1]));
        return false;
    }
    return true;
}

void verify_positions_end(struct verify_positions **positions)
{
    struct verify_positions *p = *positions;
    int64_t equal = 0;

    for (size_t i = 0; i < verify_map_count(p->traded); i++) {
        struct mr_slice key;
        const struct traded *traded = verify_map_at(p->traded, i, &key);

        equal += compare(p, key, traded, verify_map_get(p->held, key));
    }
    for (size_t i = 0; i < verify_map_count(p->held); i++) {
        struct mr_slice key;
        const struct held *held = verify_map_at(p->held, i, &key);

        if (held->qty != 0 && verify_map_get(p->traded, key) == NULL) {
            verify_differ(p->equal, "%.*s at positions/%d@%" PRId64 " without any trade",
                          MR_SLICE_ARG(key), held->partition, held->offset);
        }
    }
    verify_check_close(p->equal, (int64_t)verify_map_count(p->traded), equal);
    verify_check_close(p->cash, 0, verify_check_differences(p->cash));
    verify_map_destroy(&p->traded);
    verify_map_destroy(&p->held);
    free(p);
    *positions = NULL;
}
