/* invariants_ledger.c -- see invariants.h: ledger, balances, and what risk thinks of them. */
#include "avro/balance.h"
#include "avro/ledger_entry.h"
#include "avro/risk_account.h"
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
    invariants_open(world);
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

/* What risk has comes in, what settle has goes out: by user and asset, nothing is left. */
static void add_risk(struct mr_world *world, struct tally *difference)
{
    struct mr_world_records records;

    mr_world_read_state(world, "risk", "accounts", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        const struct mr_slice user = records.items[i].key;
        struct oms_risk_account account;

        mr_world_decode_state(world, "risk", "accounts", &records, i, &account);
        for (size_t at = 0; at < account.balances.count; at++) {
            const struct oms_risk_balance *cash = &account.balances.items[at];

            WORLD_MUST(cash->available >= 0 && cash->hold >= 0);
            tally_at(difference, "%.*s %.*s available", MR_SLICE_ARG(user),
                     MR_SLICE_ARG(cash->asset))
                ->sum += cash->available;
            tally_at(difference, "%.*s %.*s hold", MR_SLICE_ARG(user), MR_SLICE_ARG(cash->asset))
                ->sum += cash->hold;
        }
    }
    mr_world_records_fini(&records);
}

static void subtract_settle(struct mr_world *world, struct tally *difference)
{
    struct mr_world_records records;

    mr_world_read_state(world, "settle", "accounts", &records);
    mr_world_latest(&records);
    for (size_t i = 0; i < records.count; i++) {
        const struct mr_slice user = records.items[i].key;
        struct oms_settle_account account;

        mr_world_decode_state(world, "settle", "accounts", &records, i, &account);
        for (size_t at = 0; at < account.balances.count; at++) {
            const struct oms_settle_balance *cash = &account.balances.items[at];

            tally_at(difference, "%.*s %.*s available", MR_SLICE_ARG(user),
                     MR_SLICE_ARG(cash->asset))
                ->sum -= cash->available;
            tally_at(difference, "%.*s %.*s hold", MR_SLICE_ARG(user), MR_SLICE_ARG(cash->asset))
                ->sum -= cash->hold;
        }
    }
    mr_world_records_fini(&records);
}

/* Both keep what users have, each from the reports on its own. Zero may be left out. */
void invariants_state(struct mr_world *world)
{
    struct tally difference = {0};

    add_risk(world, &difference);
    subtract_settle(world, &difference);
    for (size_t i = 0; i < difference.capacity; i++) {
        WORLD_MUST_MSG(difference.items[i].sum == 0, "risk and settle disagree on %s",
                       difference.items[i].name);
    }
    tally_fini(&difference);
}
