/* exact_send.c -- see exact_send.h. */
#include "exact_send.h"

#define OPEN_TIMEOUT_US (60 * MR_SECOND_US)
#define ATTEMPTS_MAX 5
#define BACK_OFF_US (200 * MR_MS_US)

enum mr_status exact_open(struct exact_sender *sender, const struct load_env *env,
                          const char *group, struct mr_err *err)
{
    const struct mr_topology_defaults *defaults = &env->topology->defaults;
    const struct mr_producer_options options = {.transactional_id = group,
                                                .transaction_timeout_us =
                                                    defaults->transaction_timeout_us,
                                                .compression = defaults->compression};

    *sender = (struct exact_sender){.env = env, .group = group};
    return mr_producer_open(env->log, &options, OPEN_TIMEOUT_US, &sender->producer, err);
}

static enum mr_status begin(struct exact_sender *sender, struct mr_err *err)
{
    MR_TRY(mr_producer_begin(sender->producer, err));
    sender->begun = true;
    sender->began_us = mr_clock_monotonic_us(sender->env->clock);
    sender->records = 0;
    sender->bytes = 0;
    return MR_OK;
}

enum mr_status exact_send(struct exact_sender *sender, const struct mr_outgoing *record,
                          struct mr_err *err)
{
    if (!sender->begun) {
        MR_TRY(begin(sender, err));
    }
    MR_TRY(mr_producer_send(sender->producer, record, err));
    mr_producer_poll(sender->producer);
    sender->records++;
    sender->bytes += record->key.len + record->value.len;
    return MR_OK;
}

bool exact_full(const struct exact_sender *sender)
{
    return sender->begun &&
           (sender->records >= EXACT_RECORDS_MAX || sender->bytes >= EXACT_BYTES_MAX ||
            mr_clock_monotonic_us(sender->env->clock) - sender->began_us >= EXACT_OPEN_US);
}

enum mr_status exact_commit(struct exact_sender *sender, const struct mr_topic_partition *offsets,
                            size_t count, struct mr_err *err)
{
    if (!sender->begun && count == 0) {
        return MR_OK;
    }
    if (!sender->begun) {
        MR_TRY(begin(sender, err));
    }
    MR_TRY(mr_producer_commit_as(sender->producer, sender->group, offsets, count, err));
    sender->begun = false;
    return MR_OK;
}

void exact_close(struct exact_sender *sender)
{
    struct mr_err ignored;

    if (sender->producer == NULL) {
        return;
    }
    if (sender->begun) { /* else readers wait for it until it times out */
        (void)!mr_producer_abort(sender->producer, &ignored);
    }
    mr_producer_close(&sender->producer);
}

static bool may_pass(enum mr_status status)
{
    const enum mr_class class = mr_status_class(status);

    return class == MR_CLASS_RETRY || class == MR_CLASS_ABORT || status == MR_INDETERMINATE;
}

enum mr_status exact_retry(const struct load_env *env,
                           enum mr_status (*attempt)(void *arg, struct mr_err *err), void *arg,
                           const int64_t *committed, struct mr_err *err)
{
    int64_t before = *committed;
    int failures = 0;

    for (;;) {
        const enum mr_status status = attempt(arg, err);

        if (status == MR_OK || !may_pass(status)) {
            return status;
        }
        failures = *committed > before ? 1 : failures + 1;
        before = *committed;
        if (failures == ATTEMPTS_MAX) {
            return status;
        }
        load_progress(env, "%.120s; going on at what is committed", err->text);
        mr_clock_wait_us(env->clock, failures * BACK_OFF_US);
    }
}
