/* settle_account.c -- see settle_account.h. */
#include "settle_account.h"

/* What both arrays look like to the search. */
struct entries {
    const void *items;
    size_t count;
    size_t item_bytes;
    size_t name_offset; /* of a struct mr_slice */
};

/* Where a name is, or where it belongs. */
struct place {
    size_t index;
    bool found;
};

static struct entries entries_of_balances(const struct settle_account *account)
{
    return (struct entries){.items = account->value.balances.items,
                            .count = account->value.balances.count,
                            .item_bytes = sizeof(struct oms_settle_balance),
                            .name_offset = offsetof(struct oms_settle_balance, asset)};
}

static struct entries entries_of_positions(const struct settle_account *account)
{
    return (struct entries){.items = account->value.positions.items,
                            .count = account->value.positions.count,
                            .item_bytes = sizeof(struct oms_settle_position),
                            .name_offset = offsetof(struct oms_settle_position, symbol)};
}

static struct place place_of(struct entries entries, struct mr_slice name)
{
    size_t low = 0;
    size_t high = entries.count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const uint8_t *item = (const uint8_t *)entries.items + mid * entries.item_bytes;
        struct mr_slice other;
        int order;

        memcpy(&other, item + entries.name_offset, sizeof(other));
        order = mr_slice_compare(other, name);
        if (order == 0) {
            return (struct place){.index = mid, .found = true};
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return (struct place){.index = low};
}

/* A copy that may be written, with a gap at the place when the name is new. */
static void *copy_with(struct mr_arena *arena, struct entries entries, struct place place)
{
    uint8_t *copy = mr_arena_alloc(arena, (entries.count + 1) * entries.item_bytes);
    const size_t before = place.index * entries.item_bytes;
    const size_t gap = place.found ? 0 : entries.item_bytes;

    if (entries.count > 0) {
        memcpy(copy, entries.items, before);
        memcpy(copy + before + gap, (const uint8_t *)entries.items + before,
               entries.count * entries.item_bytes - before);
    }
    return copy;
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
    const struct place place = place_of(entries_of_balances(account), asset);

    return place.found ? &account->value.balances.items[place.index] : NULL;
}

const struct oms_settle_position *settle_account_position(const struct settle_account *account,
                                                          struct mr_slice symbol)
{
    const struct place place = place_of(entries_of_positions(account), symbol);

    return place.found ? &account->value.positions.items[place.index] : NULL;
}

void settle_account_set_balance(struct settle_account *account,
                                const struct oms_settle_balance *balance)
{
    const struct entries entries = entries_of_balances(account);
    const struct place place = place_of(entries, balance->asset);
    struct oms_settle_balance *items = copy_with(account->arena, entries, place);

    items[place.index] = *balance;
    account->value.balances.items = items;
    account->value.balances.count += !place.found;
}

void settle_account_set_position(struct settle_account *account,
                                 const struct oms_settle_position *position)
{
    const struct entries entries = entries_of_positions(account);
    const struct place place = place_of(entries, position->symbol);
    struct oms_settle_position *items = copy_with(account->arena, entries, place);

    items[place.index] = *position;
    account->value.positions.items = items;
    account->value.positions.count += !place.found;
}
