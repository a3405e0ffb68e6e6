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
