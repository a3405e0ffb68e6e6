/* journal.c -- see journal.h. */
#include "journal.h"

#include "avro/balance.h"
#include "avro/settle_user.h"
#include "order_map.h"

/* Words and colons of the longest account name, and the terminating zero. */
#define ACCOUNT_WORDS_MAX 32

_Static_assert((int)LEDGER_CREDIT == (int)OMS_DIRECTION_CREDIT, "ordinals are the schema's");
_Static_assert((int)LEDGER_REVERSAL == (int)OMS_ENTRY_TYPE_REVERSAL, "ordinals are the schema's");

void journal_begin(struct journal *journal, struct mr_ctx *ctx, const struct journal_stores *stores,
                   struct mr_slice user_id, int64_t ts_us)
{
    journal->ctx = ctx;
    journal->stores = stores;
    journal->entry = (struct oms_ledger_entry){.user_id = user_id, .ts_us = ts_us};
    journal->ledger.count = 0;
    journal->balance_count = 0;
}

enum mr_status journal_party(struct journal *journal, struct mr_slice asset,
                             struct ledger_party *party, struct mr_err *err)
{
    struct journal_balance *balance = &journal->balances[journal->balance_count];
    bool found = false;

    MR_ASSERT(journal->balance_count < JOURNAL_ASSETS_MAX);
    mr_key_begin(&balance->key);
    mr_key_text(&balance->key, journal->entry.user_id);
    mr_key_text(&balance->key, asset);
    if (balance->key.overflow || asset.len == 0 || journal->entry.user_id.len == 0) {
        return mr_fail(err, MR_MALFORMED, "userId or asset is empty or too long");
    }
    balance->value = (struct oms_settle_balance){0};
    MR_TRY(mr_store_get(journal->stores->balances, mr_key_slice(&balance->key), &balance->value,
                        &found, err));
    balance->asset = asset;
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

static enum mr_status post_balance(struct journal *journal, struct journal_balance *balance,
                                   struct mr_err *err)
{
    struct oms_balance out = {
        .user_id = journal->entry.user_id,
        .asset = balance->asset,
        .ts_us = journal->entry.ts_us,
        .available = balance->amounts.available,
        .hold = balance->amounts.hold,
        .version = balance->value.version + 1,
    };

    balance->value.available = out.available;
    balance->value.hold = out.hold;
    balance->value.version = out.version;
    MR_TRY(
        mr_store_put(journal->stores->balances, mr_key_slice(&balance->key), &balance->value, err));
    return mr_emit_by(journal->ctx, journal->stores->balances_port, out.user_id,
                      journal_pair(journal->ctx, out.user_id, out.asset), &out, err);
}

enum mr_status journal_post(struct journal *journal, struct mr_err *err)
{
    struct oms_settle_user user = {0};
    bool found = false;

    if (journal->ledger.count == 0) {
        return MR_OK;
    }
    MR_ASSERT(ledger_balanced(&journal->ledger));
    mr_counter_add(journal->stores->journals, 1);
    mr_counter_add(journal->stores->overdrawn, journal->ledger.overdrawn ? 1 : 0);
    MR_TRY(mr_store_get(journal->stores->users, journal->entry.user_id, &user, &found, err));
    user.journal_seq++;
    MR_TRY(mr_store_put(journal->stores->users, journal->entry.user_id, &user, err));
    for (size_t i = 0; i < journal->balance_count; i++) {
        MR_TRY(post_balance(journal, &journal->balances[i], err));
    }
    journal->entry.entry_type = (enum oms_entry_type)journal->ledger.entry;
    journal->entry.seq = user.journal_seq;
    journal->entry.postings.items = journal_postings(journal);
    journal->entry.postings.count = journal->ledger.count;
    return mr_emit(journal->ctx, journal->stores->ledger_port, journal->entry.user_id,
                   &journal->entry, err);
}
