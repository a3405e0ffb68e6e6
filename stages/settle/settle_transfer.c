/*
 * settle_transfer.c -- money in and out: at once, in two steps, and undone.
 *
 * How: store "transfers" keeps how far each transfer is, by the eventId of its first command; a
 * step that does not follow from there has been taken before, and is counted and skipped. DEPOSIT
 * -> DEPOSITED   Dr external, Cr avail WITHDRAW          -> WITHDRAWN   Dr avail, Cr external
 *        WITHDRAW_BEGIN    -> HELD        Dr avail, Cr hold
 *        WITHDRAW_COMMIT   HELD -> WITHDRAWN            Dr hold, Cr external
 *        WITHDRAW_CANCEL   HELD -> RELEASED             Dr hold, Cr avail
 *        REVERSE           DEPOSITED, WITHDRAWN -> REVERSED, the mirror image as an entry of its
 * own Later steps take asset and amount from the row: what was posted is what is undone. A step of
 * a transfer that the ledger does not know is poison: risk and ledger contradict each other, and
 *      somebody has to look.
 * Not: a decision. Risk let the command through. Rows are never dropped, as risk's are not.
 */
#include "avro/settle_transfer.h"

#include "settle_state.h"

typedef bool transfer_build(struct ledger_journal *journal, const struct ledger_party *party,
                            dec_t amount);

static bool is_first(enum oms_account_action action)
{
    return action == OMS_ACCOUNT_ACTION_DEPOSIT || action == OMS_ACCOUNT_ACTION_WITHDRAW ||
           action == OMS_ACCOUNT_ACTION_WITHDRAW_BEGIN;
}

static bool is_later(enum oms_account_action action)
{
    return action == OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT ||
           action == OMS_ACCOUNT_ACTION_WITHDRAW_CANCEL || action == OMS_ACCOUNT_ACTION_REVERSE;
}

/* What a first command does; the state that follows. */
static transfer_build *first_step(enum oms_account_action action,
                                  enum oms_settle_transfer_state *state)
{
    if (action == OMS_ACCOUNT_ACTION_DEPOSIT) {
        *state = OMS_SETTLE_TRANSFER_STATE_DEPOSITED;
        return ledger_deposit;
    }
    if (action == OMS_ACCOUNT_ACTION_WITHDRAW) {
        *state = OMS_SETTLE_TRANSFER_STATE_WITHDRAWN;
        return ledger_withdraw;
    }
    *state = OMS_SETTLE_TRANSFER_STATE_HELD;
    return ledger_hold;
}

/* What a later command does from this state; NULL: nothing, it was done before. */
static transfer_build *later_step(enum oms_account_action action,
                                  enum oms_settle_transfer_state *state)
{
    const enum oms_settle_transfer_state before = *state;

    if (action == OMS_ACCOUNT_ACTION_REVERSE) {
        *state = OMS_SETTLE_TRANSFER_STATE_REVERSED;
        return before == OMS_SETTLE_TRANSFER_STATE_DEPOSITED   ? ledger_reverse_deposit
               : before == OMS_SETTLE_TRANSFER_STATE_WITHDRAWN ? ledger_reverse_withdraw
                                                               : NULL;
    }
    if (before != OMS_SETTLE_TRANSFER_STATE_HELD) {
        return NULL;
    }
    if (action == OMS_ACCOUNT_ACTION_WITHDRAW_COMMIT) {
        *state = OMS_SETTLE_TRANSFER_STATE_WITHDRAWN;
        return ledger_withdraw_held;
    }
    *state = OMS_SETTLE_TRANSFER_STATE_RELEASED;
    return ledger_release;
}

/* A step: of which transfer, and what it posts. */
struct step {
    const struct oms_account_command *command;
    struct mr_key key;
    struct oms_settle_transfer transfer; /* as it is afterwards */
    transfer_build *build;               /* NULL: it was taken before */
};

/* Posts the step and writes how far the transfer is. */
static enum mr_status post(struct settle *s, struct mr_ctx *ctx, struct step *step,
                           struct mr_err *err)
{
    const struct oms_account_command *command = step->command;
    struct oms_settle_transfer *transfer = &step->transfer;
    struct ledger_party party;
    struct journal journal;

    MR_TRY(journal_begin(&journal, ctx, &s->journal, command->user_id, command->ts_us, err));
    journal.entry.journal_id = settle_id(ctx, "A-", command->event_id);
    journal.entry.trace_id = command->trace_id;
    journal.entry.has_trace_id = command->has_trace_id;
    if (command->action == OMS_ACCOUNT_ACTION_REVERSE) {
        journal.entry.reverses = transfer->journal_id;
        journal.entry.has_reverses = true;
    } else {
        transfer->journal_id = journal.entry.journal_id;
    }
    MR_TRY(journal_party(&journal, transfer->asset, &party, err));
    if (!step->build(&journal.ledger, &party, transfer->amount)) {
        return mr_fail(err, MR_OUT_OF_RANGE, "amount is negative or balance out of range");
    }
    MR_TRY(mr_store_put(s->transfers, mr_key_slice(&step->key), transfer, err));
    MR_TRY(journal_store(&journal, err));
    return journal_emit(&journal, err);
}

enum mr_status settle_transfer(struct settle *s, struct mr_ctx *ctx,
                               const struct oms_account_command *command, struct mr_err *err)
{
    const bool first = is_first(command->action);
    const struct mr_slice id = first ? command->event_id : command->transfer_id;
    struct step step = {.command = command};
    bool found = false;

    if (!first && !is_later(command->action)) {
        return MR_OK;
    }
    if (id.len == 0 || !settle_name_fits(command->user_id, id)) {
        return mr_fail(err, MR_MALFORMED, "transfer without a user or an id, or they are too long");
    }
    mr_key_begin(&step.key);
    mr_key_text(&step.key, command->user_id);
    mr_key_text(&step.key, id);
    MR_TRY(mr_store_get(s->transfers, mr_key_slice(&step.key), &step.transfer, &found, err));
    if (!first && !found) {
        return mr_fail(err, MR_OUT_OF_RANGE, "no such transfer in the ledger");
    }
    if (first && !found) {
        step.transfer.asset = command->asset;
        step.transfer.amount = command->amount;
        step.build = first_step(command->action, &step.transfer.state);
    } else if (!first) {
        step.build = later_step(command->action, &step.transfer.state);
    }
    if (step.build == NULL) {
        mr_counter_add(s->skipped, 1);
        return MR_OK;
    }
    return post(s, ctx, &step, err);
}
