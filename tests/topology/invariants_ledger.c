/* invariants_ledger.c -- see invariants.h: ledger, balances, and what risk thinks of them. */
#include "avro/balance.h"
#include "avro/ledger_entry.h"
#include "avro/risk_balance.h"
#include "avro/settle_account.h"
#include "invariants.h"
#include "tally.h"

#include <check.h>

void invariants_check(struct mr_world *world)
{
    mr_world_check_state(world);
    invariants_ledger(world);
    invariants_outcomes(world);
    invariants_orders(world);
    invariants_trades(world);
    invariants_book(world);
    invariants_state(world);
}

static void check_entry(struct tally *accounts, struct tally *assets,
                        const struct oms_ledger_entry *entry)
{
    struct tally within = {0};

    WORLD_MUST(entry->postings.count > 0);
    for (size_t i = 0; i < entry->postings.count; i++) {
        const struct oms_posting *posting = &entry->postings.items[i];
        const mr_i128 amount =
            posting->direction == OMS_DIRECTION_CREDIT ? posting->amount : -posting->amount;
        struct tally_item *account = tally_at(accounts, "%.*s %.*s", MR_SLICE_ARG(posting->account),
                                              MR_SLICE_ARG(posting->asset));

        WORLD_MUST(posting->amount > 0);
        account->sum += amount;
        WORLD_MUST_MSG(!posting->has_balance_after || account->sum == posting->balance_after,
                       "%s: balanceAfter of journal %.*s is not the sum", account->name,
                       MR_SLICE_ARG(entry->journal_id));
        tally_at(assets, "%.*s", MR_SLICE_ARG(posting->asset))->sum += amount;
        tally_at(&within, "%.*s", MR_SLICE_ARG(posting->asset))->sum += amount;
    }
    for (size_t i = 0; i < within.capacity; i++) {
        WORLD_MUST_MSG(within.items[i].sum == 0, "journal %.*s does not balance in %s",
                       MR_SLICE_ARG(entry->journal_id), within.items[i].name);
    }
    tally_fini(&within);
}

static void check_balances(struct mr_world *world, struct tally *accounts)
{
    struct mr_world_records records;

    mr_world_read(world, "balances", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_balance balance;
        struct tally_item *item;

        mr_world_decode(world, "balances", &records, i, &balance);
        item = tally_at(accounts, "user:%.*s:%.*s:avail %.*s", MR_SLICE_ARG(balance.user_id),
                        MR_SLICE_ARG(balance.asset), MR_SLICE_ARG(balance.asset));
        WORLD_MUST_MSG(item->sum == balance.available, "%s is not the sum of its entries",
                       item->name);
        item->count++;
        item = tally_at(accounts, "user:%.*s:%.*s:hold %.*s", MR_SLICE_ARG(balance.user_id),
                        MR_SLICE_ARG(balance.asset), MR_SLICE_ARG(balance.asset));
        WORLD_MUST_MSG(item->sum == balance.hold, "%s is not the sum of its entries", item->name);
        item->count++;
    }
    for (size_t i = 0; i < accounts->capacity; i++) {
        WORLD_MUST_MSG(strncmp(accounts->items[i].name, "user:", 5) != 0 ||
                           accounts->items[i].count == 1,
                       "%s has entries and no balance", accounts->items[i].name);
    }
    mr_world_records_fini(&records);
}

void invariants_ledger(struct mr_world *world)
{
    struct mr_world_records records;
    struct tally accounts = {0};
    struct tally assets = {0};
    struct tally journals = {0};
    struct tally users = {0};

    mr_world_read(world, "ledger", &records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_ledger_entry entry;

        mr_world_decode(world, "ledger", &records, i, &entry);
        check_entry(&accounts, &assets, &entry);
        WORLD_MUST_MSG(++tally_at(&users, "%.*s", MR_SLICE_ARG(entry.user_id))->count == entry.seq,
                       "journals of %.*s are not numbered without gaps",
                       MR_SLICE_ARG(entry.user_id));
        WORLD_MUST_MSG(++tally_at(&journals, "%.*s", MR_SLICE_ARG(entry.journal_id))->count == 1,
                       "journal %.*s is there twice", MR_SLICE_ARG(entry.journal_id));
    }
    for (size_t i = 0; i < assets.capacity; i++) {
        WORLD_MUST_MSG(assets.items[i].sum == 0, "%s does not sum to zero", assets.items[i].name);
    }
    check_balances(world, &accounts);
    tally_fini(&accounts);
    tally_fini(&assets);
    tally_fini(&journals);
    tally_fini(&users);
    mr_world_records_fini(&records);
}

/* "user asset": available in sum, and 1 in count; "user asset hold" likewise. */
static void add_cash(struct tally *cash, struct mr_slice user, struct mr_slice asset,
                     mr_i128 available, mr_i128 hold)
{
    struct tally_item *item = tally_at(cash, "%.*s %.*s", MR_SLICE_ARG(user), MR_SLICE_ARG(asset));

    item->sum = available;
    item->count = 1;
    item = tally_at(cash, "%.*s %.*s hold", MR_SLICE_ARG(user), MR_SLICE_ARG(asset));
    item->sum = hold;
    item->count = 1;
}

static void risk_cash(struct mr_world *world, struct tally *cash)
{
    static const char topic[] = "crypto-oms-risk.balances-changelog";
    struct mr_world_records records;

    mr_world_read(world, topic, &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        /* user, 0, asset, 0 */
        const char *user = (const char *)records.items[i].key.data;
        struct oms_risk_balance balance;

        mr_world_decode(world, topic, &records, i, &balance);
        add_cash(cash, mr_slice_str(user), mr_slice_str(user + strlen(user) + 1), balance.available,
                 balance.hold);
    }
    mr_world_records_fini(&records);
}

static void settle_cash(struct mr_world *world, struct tally *cash)
{
    static const char topic[] = "crypto-oms-settle.accounts-changelog";
    struct mr_world_records records;

    mr_world_read(world, topic, &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        struct oms_settle_account account;

        mr_world_decode(world, topic, &records, i, &account);
        for (size_t k = 0; k < account.balances.count; k++) {
            const struct oms_settle_balance *balance = &account.balances.items[k];

            add_cash(cash, records.items[i].key, balance->asset, balance->available, balance->hold);
        }
    }
    mr_world_records_fini(&records);
}

/* Both keep what a user has of an asset, each from the reports on its own. */
void invariants_state(struct mr_world *world)
{
    struct tally risk = {0};
    struct tally settle = {0};

    risk_cash(world, &risk);
    settle_cash(world, &settle);
    for (size_t i = 0; i < risk.capacity; i++) {
        const struct tally_item *item = &risk.items[i];

        /* One that settle does not know yet is zero. */
        WORLD_MUST_MSG(item->count == 0 || item->sum == tally_at(&settle, "%s", item->name)->sum,
                       "risk and settle disagree on %s", item->name);
        WORLD_MUST(item->sum >= 0);
    }
    for (size_t i = 0; i < settle.capacity; i++) {
        const struct tally_item *item = &settle.items[i];

        WORLD_MUST_MSG(item->count == 0 || tally_at(&risk, "%s", item->name)->count == 1,
                       "settle has %s and risk has not", item->name);
    }
    tally_fini(&risk);
    tally_fini(&settle);
}
