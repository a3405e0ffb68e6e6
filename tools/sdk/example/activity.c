/*
 * activity -- how many commands each user sent in each minute of event time.
 *
 * Why: an example of a stage outside of the program's tree, with records of its own.
 * How: store "minute" holds the minute that is being counted. The first command of a later minute
 *      ends it: its count is emitted, and a new one begins.
 * Not: a minute without commands is not reported, and the last one only when the next has begun. A
 *      late command counts where counting is now.
 */
#include "acme/user_activity.h"
#include "acme/user_minute.h"
#include "avro/order_command.h"
#include "millrace/module.h"

#define ACTIVITY_MAGIC UINT32_C(0x61637476)

struct activity {
    uint32_t magic;
    int64_t span_us;         /* option `span` */
    struct mr_store *minute; /* borrowed from the task */
};

enum { ACTIVITY_IN_ORDERS };
enum { ACTIVITY_OUT_ACTIVITY };
enum { ACTIVITY_STORE_MINUTE };

static enum mr_status activity_init(void *self, struct mr_ctx *ctx, struct mr_err *err)
{
    struct activity *a = self;

    (void)err;
    a->magic = ACTIVITY_MAGIC;
    a->minute = mr_ctx_store(ctx, ACTIVITY_STORE_MINUTE);
    return MR_OK;
}

static enum mr_status activity_process(void *self, struct mr_ctx *ctx, size_t port,
                                       const struct mr_record *record, struct mr_err *err)
{
    struct activity *a = MR_SELF(struct activity, self, ACTIVITY_MAGIC);
    const struct oms_order_command *order = record->value;
    struct acme_user_minute minute = {0};
    bool found = false;

    (void)port;
    if (order->user_id.len == 0 || order->user_id.len > MR_STORE_KEY_BYTES_MAX) {
        return mr_fail(err, MR_MALFORMED, "userId has %zu bytes", order->user_id.len);
    }
    if (record->event_us < 0 || record->event_us > INT64_MAX - a->span_us) {
        return mr_fail(err, MR_OUT_OF_RANGE, "ts is no time that can be counted");
    }
    const int64_t start_us = record->event_us - record->event_us % a->span_us;
    MR_TRY(mr_store_get(a->minute, order->user_id, &minute, &found, err));
    if (found && start_us > minute.start_ts_us) {
        const struct acme_user_activity activity = {.ts_us = minute.start_ts_us + a->span_us,
                                                    .user_id = order->user_id,
                                                    .commands = minute.commands};

        MR_TRY(mr_emit(ctx, ACTIVITY_OUT_ACTIVITY, order->user_id, &activity, err));
    }
    if (!found || start_us > minute.start_ts_us) {
        minute = (struct acme_user_minute){.start_ts_us = start_us};
    }
    minute.commands++;
    return mr_store_put(a->minute, order->user_id, &minute, err);
}

static const struct mr_port activity_in[] = {
    [ACTIVITY_IN_ORDERS] = {.name = "orders",
                            .schema = &oms_order_command_schema,
                            .help = "commands of users, keyed by userId"},
};
static const struct mr_port activity_out[] = {
    [ACTIVITY_OUT_ACTIVITY] = {.name = "activity",
                               .schema = &acme_user_activity_schema,
                               .help = "one record for each minute in which a user sent commands"},
};
static const struct mr_store_spec activity_stores[] = {
    [ACTIVITY_STORE_MINUTE] = {.name = "minute",
                               .schema = &acme_user_minute_schema,
                               .help = "userId -> the minute that is being counted"},
};
static const struct mr_option activity_options[] = {
    {.name = "span",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct activity, span_us),
     .fallback = "1m",
     .min = MR_MS_US,
     .max = MR_DAY_US,
     .help = "how long is counted; windows are aligned to the epoch, UTC"},
};

static const struct mr_stage activity_stage = {
    .name = "activity",
    .help = "counts the commands of each user in each minute",
    .state_size = sizeof(struct activity),
    .in = activity_in,
    .in_count = MR_COUNT(activity_in),
    .out = activity_out,
    .out_count = MR_COUNT(activity_out),
    .stores = activity_stores,
    .store_count = MR_COUNT(activity_stores),
    .options = activity_options,
    .option_count = MR_COUNT(activity_options),
    .init = activity_init,
    .process = activity_process,
};

static const struct mr_stage *const stages[] = {&activity_stage};
static const struct mr_schema *const schemas[] = {&acme_user_activity_schema,
                                                  &acme_user_minute_schema};
MR_STAGE_MODULE(.stages = stages, .stage_count = MR_COUNT(stages), .schemas = schemas,
                .schema_count = MR_COUNT(schemas));
