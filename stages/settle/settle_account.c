/* settle_account.c -- see settle_account.h. */
#include "settle_account.h"

#include "row_entries.h"

static struct entries balances_of(const struct settle_account *account)
{
    return (struct entries){.items = account->value.balances.items,
                            .count = account->value.balances.count,
                            .item_bytes = sizeof(struct oms_settle_balance),
                            .name_offset = offsetof(struct oms_settle_balance, asset)};
}

static struct entries positions_of(const struct settle_account *account)
{
    return (struct entries){.items = account->value.positions.items,
                            .count = account->value.positions.count,
                            .item_bytes = sizeof(struct oms_settle_position),
                            .name_offset = offsetof(struct oms_settle_position, symbol)};
}

bool settle_name_fits(struct mr_slice user_id, struct mr_slice name)
{
    /* A zero byte ends each part (mr_key_text). */
    return user_id.len > 0 && user_id.len + 1 + name.len + 1 <= MR_KEY_BYTES_MAX;
}

enum mr_status settle_account_get(struct settle_account *account, struct mr_ctx *ctx,
                                  struct mr_store *store, struct mr_slice user_id,
                                  struct mr_err *err)
{
    bool found = false;

    if (!settle_name_fits(user_id, mr_slice_str(""))) {
        return mr_fail(err, MR_MALFORMED, "userId or asset is empty or too long");
    }
    *account =
        (struct settle_account){.store = store, .arena = mr_ctx_arena(ctx), .user_id = user_id};
    return mr_store_get(store, user_id, &account->value, &found, err);
}

enum mr_status settle_account_put(const struct settle_account *account, struct mr_err *err)
{
    return mr_store_put(account->store, account->user_id, &account->value, err);
}

const struct oms_settle_balance *settle_account_balance(const struct settle_account *account,
                                                        struct mr_slice asset)
{
    const struct entries entries = balances_of(account);

    return entries_find(&entries, asset);
}

const struct oms_settle_position *settle_account_position(const struct settle_account *account,
                                                          struct mr_slice symbol)
{
    const struct entries entries = positions_of(account);

    return entries_find(&entries, symbol);
}

void settle_account_set_balance(struct settle_account *account,
                                const struct oms_settle_balance *balance)
{
    struct entries entries = balances_of(account);

    entries_put(&entries, account->arena, balance);
    account->value.balances.items = entries.items;
    account->value.balances.count = entries.count;
}

void settle_account_set_position(struct settle_account *account,
                                 const struct oms_settle_position *position)
{
    struct entries entries = positions_of(account);

    entries_put(&entries, account->arena, position);
    account->value.positions.items = entries.items;
    account->value.positions.count = entries.count;
}

/* Index of the first lot whose symbol is not below. */
static size_t first_lot(const struct settle_account *account, struct mr_slice symbol)
{
    size_t at = 0;

    while (at < account->value.lots.count &&
           mr_slice_compare(account->value.lots.items[at].symbol, symbol) < 0) {
        at++;
    }
    return at;
}

size_t settle_account_lots(const struct settle_account *account, struct mr_slice symbol,
                           const struct oms_settle_lot **lots)
{
    const size_t first = first_lot(account, symbol);
    size_t end = first;

    while (end < account->value.lots.count &&
           mr_slice_equal(account->value.lots.items[end].symbol, symbol)) {
        end++;
    }
    *lots = end > first ? &account->value.lots.items[first] : NULL;
    return end - first;
}

void settle_account_set_lots(struct settle_account *account, struct mr_slice symbol,
                             const struct pos_lot *lots, size_t count)
{
    const struct oms_settle_lot *old = NULL;
    const size_t removed = settle_account_lots(account, symbol, &old);
    const size_t first = first_lot(account, symbol);
    const size_t behind = account->value.lots.count - first - removed;
    struct oms_settle_lot *copy = NULL;

    if (removed == 0 && count == 0) {
        return;
    }
    copy = mr_arena_alloc(account->arena, (first + count + behind + 1) * sizeof(*copy));
    if (first > 0) {
        memcpy(copy, account->value.lots.items, first * sizeof(*copy));
    }
    for (size_t i = 0; i < count; i++) {
        copy[first + i] =
            (struct oms_settle_lot){.symbol = symbol, .qty = lots[i].qty, .cost = lots[i].cost};
    }
    if (behind > 0) {
        memcpy(copy + first + count, account->value.lots.items + first + removed,
               behind * sizeof(*copy));
    }
    account->value.lots.items = copy;
    account->value.lots.count = first + count + behind;
}
