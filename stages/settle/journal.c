/* journal.c -- see journal.h. */
#include "journal.h"

#include "avro/balance.h"
#include "order_map.h"

/* Words and colons of the longest account name, and the terminating zero. */
#define ACCOUNT_WORDS_MAX 32

_Static_assert((int)LEDGER_CREDIT == (int)OMS_DIRECTION_CREDIT, "ordinals are the schema's");
_Static_assert((int)LEDGER_REVERSAL == (int)OMS_ENTRY_TYPE_REVERSAL, "ordinals are the schema's");

enum mr_status journal_begin(struct journal *journal, struct mr_ctx *ctx,
                             const struct journal_stores *stores, struct mr_slice user_id,
                             int64_t ts_us, struct mr_err *err)
{
    journal->ctx = ctx;
    journal->stores = stores;
    journal->entry = (struct oms_ledger_entry){.user_id = user_id, .ts_us = ts_us};
    journal->ledger.count = 0;
    journal->balance_count = 0;
    journal->account_changed = false;
    return settle_account_get(&journal->account, ctx, stores->accounts, user_id, err);
}

enum mr_status journal_party(struct journal *journal, struct mr_slice asset,
                             struct ledger_party *party, struct mr_err *err)
{
    struct journal_balance *balance = &journal->balances[journal->balance_count];
    const struct oms_settle_balance *stored = settle_account_balance(&journal->account, asset);

    MR_ASSERT(journal->balance_count < JOURNAL_ASSETS_MAX);
    if (asset.len == 0 || !settle_name_fits(journal->entry.user_id, asset)) {
        return mr_fail(err, MR_MALFORMED, "userId or asset is empty or too long");
    }
    balance->value = stored != NULL ? *stored : (struct oms_settle_balance){.asset = asset};
    balance->amounts.available = balance->value.available;
    balance->amounts.hold = balance->value.hold;
    journal->balance_count++;
    *party = (struct ledger_party){.user = text_of(journal->entry.user_id),
                                   .asset = text_of(asset),
                                   .balance = &balance->amounts};
    return MR_OK;
}

struct mr_slice journal_pair(struct mr_ctx *ctx, struct mr_slice a, struct mr_slice b)
{
    uint8_t *text = mr_arena_alloc(mr_ctx_arena(ctx), a.len + 1 + b.len);

    memcpy(text, a.data, a.len);
    text[a.len] = ':';
    memcpy(text + a.len + 1, b.data, b.len);
    return mr_slice_of(text, a.len + 1 + b.len);
}

static struct oms_posting *journal_postings(struct journal *journal)
{
    const size_t count = journal->ledger.count;
    struct mr_arena *arena = mr_ctx_arena(journal->ctx);
    struct oms_posting *postings = mr_arena_alloc(arena, count * sizeof(*postings));

    for (size_t i = 0; i < count; i++) {
        const struct ledger_posting *from = &journal->ledger.postings[i];
        const size_t bytes = from->user.len + from->asset.len + ACCOUNT_WORDS_MAX;
        char *name = mr_arena_alloc(arena, bytes);
        const size_t len = ledger_account_text(from, name, bytes);

        MR_ASSERT(len > 0);
        postings[i] = (struct oms_posting){
            .account = mr_slice_of(name, len),
            .asset = slice_of(from->asset),
            .direction = (enum oms_direction)from->direction,
            .amount = from->amount,
            .balance_after = from->balance_after,
            .has_balance_after = from->has_balance_after,
        };
    }
    return postings;
}

enum mr_status journal_store(struct journal *journal, struct mr_err *err)
{
    if (journal->ledger.count == 0) {
        return journal->account_changed ? settle_account_put(&journal->account, err) : MR_OK;
    }
    MR_ASSERT(ledger_balanced(&journal->ledger));
    mr_counter_add(journal->stores->journals, 1);
    mr_counter_add(journal->stores->overdrawn, journal->ledger.overdrawn ? 1 : 0);
    for (size_t i = 0; i < journal->balance_count; i++) {
        struct journal_balance *balance = &journal->balances[i];

        balance->value.available = balance->amounts.available;
        balance->value.hold = balance->amounts.hold;
        balance->value.version++;
        settle_account_set_balance(&journal->account, &balance->value);
    }
    journal->account.value.journal_seq++;
    MR_TRY(totals_add(journal->stores->totals, &journal->ledger, err));
    return settle_account_put(&journal->account, err);
}

static enum mr_status emit_balance(struct journal *journal, const struct oms_settle_balance *value,
                                   struct mr_err *err)
{
    const struct oms_balance out = {
        .user_id = journal->entry.user_id,
        .asset = value->asset,
        .ts_us = journal->entry.ts_us,
        .available = value->available,
        .hold = value->hold,
        .version = value->version,
    };

    return mr_emit_by(journal->ctx, journal->stores->balances_port, out.user_id,
                      journal_pair(journal->ctx, out.user_id, out.asset), &out, err);
}

enum mr_status journal_emit(struct journal *journal, struct mr_err *err)
{
    if (journal->ledger.count == 0) {
        return MR_OK;
    }
    for (size_t i = 0; i < journal->balance_count; i++) {
        MR_TRY(emit_balance(journal, &journal->balances[i].value, err));
    }
    journal->entry.entry_type = (enum oms_entry_type)journal->ledger.entry;
    journal->entry.seq = journal->account.value.journal_seq;
    journal->entry.postings.items = journal_postings(journal);
    journal->entry.postings.count = journal->ledger.count;
    return mr_emit(journal->ctx, journal->stores->ledger_port, journal->entry.user_id,
                   &journal->entry, err);
}
