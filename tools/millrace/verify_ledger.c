/*
 * verify_ledger.c -- double entry: journals balance, everything sums to zero, balances are the
 * sums.
 *
 * A CREDIT increases an account. Only entries since the run's start are read; its users are new, so
 * their balances begin at zero there.
 */
#include "avro/balance.h"
#include "avro/ledger_entry.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

#define ASSETS_MAX 16 /* in one journal */

struct account {
    mr_i128 sum;
};

struct user {
    int64_t seq;
};

struct balance { /* last record of user:asset */
    mr_i128 available, hold;
    int64_t version, offset;
    int32_t partition;
};

struct verify_ledger {
    struct verify *verify;
    struct verify_map *accounts, *assets, *users, *balances, *journals;
    struct verify_check *balanced, *gapless, *after, *sums, *unique, *backwards;
    int64_t entries;
};

struct verify_ledger *verify_ledger_create(struct verify *verify)
{
    struct verify_ledger *l = mr_xcalloc(1, sizeof *l);

    l->verify = verify;
    l->accounts = verify_map_create(sizeof(struct account));
    l->assets = verify_map_create(sizeof(struct account));
    l->users = verify_map_create(sizeof(struct user));
    l->balances = verify_map_create(sizeof(struct balance));
    l->journals = verify_map_create(sizeof(int64_t));
    l->balanced = verify_check_open(verify->report, "journals that do not balance");
    l->unique = verify_check_open(verify->report, "journal ids, each once");
    l->gapless = verify_check_open(verify->report, "gaps in users' ledger sequences");
    l->after = verify_check_open(verify->report, "postings whose balanceAfter is wrong");
    if (verify->manifest == NULL) {
        return l; /* the entries alone: see verify_books.c */
    }
    l->backwards = verify_check_open(verify->report, "balances whose version goes back");
    l->sums = verify_check_open(verify->report, "balances equal the sum of their entries");
    return l;
}

/* Sum of one journal per asset; all must be zero. */
struct journal {
    struct mr_slice assets[ASSETS_MAX];
    mr_i128 sums[ASSETS_MAX];
    size_t count;
};

static void add_to_journal(struct journal *journal, struct mr_slice asset, mr_i128 amount)
{
    size_t i = 0;

    while (i < journal->count && !mr_slice_equal(journal->assets[i], asset)) {
        i++;
    }
    if (i == ASSETS_MAX) {
        return; /* no journal of ours has so many; the sum of the last stays unbalanced */
    }
    if (i == journal->count) {
        journal->assets[i] = asset;
        journal->sums[i] = 0;
        journal->count++;
    }
    journal->sums[i] += amount;
}

static void take_posting(struct verify_ledger *l, const struct load_record *record,
                         const struct oms_ledger_entry *entry, const struct oms_posting *posting,
                         struct journal *journal)
{
    const mr_i128 amount =
        posting->direction == OMS_DIRECTION_CREDIT ? posting->amount : -posting->amount;
    struct account *account = verify_map_put(l->accounts, posting->account);
    struct account *asset = verify_map_put(l->assets, posting->asset);

    account->sum += amount;
    asset->sum += amount;
    add_to_journal(journal, posting->asset, amount);
    if (posting->amount < 0) {
        verify_differ(l->balanced, "%.*s at ledger/%d@%" PRId64 " posts a negative amount",
                      MR_SLICE_ARG(entry->journal_id), record->partition, record->offset);
    }
    if (posting->has_balance_after && posting->balance_after != account->sum) {
        verify_differ(l->after, "%.*s, account %.*s at ledger/%d@%" PRId64,
                      MR_SLICE_ARG(entry->journal_id), MR_SLICE_ARG(posting->account),
                      record->partition, record->offset);
    }
}

enum mr_status verify_ledger_on_entry(void *arg, const struct load_record *record,
                                      struct mr_err *err)
{
    struct verify_ledger *l = arg;
    const struct oms_ledger_entry *entry = record->value;
    struct journal journal = {.count = 0};
    struct user *user;
    int64_t *times;

    (void)err;
    if (entry == NULL || !verify_is_user(l->verify, entry->user_id)) {
        return MR_OK;
    }
    l->entries++;
    for (size_t i = 0; i < entry->postings.count; i++) {
        take_posting(l, record, entry, &entry->postings.items[i], &journal);
    }
    for (size_t i = 0; i < journal.count; i++) {
        if (journal.sums[i] != 0) {
            char text[LOAD_DECIMAL_TEXT_MAX];

            verify_differ(l->balanced, "%.*s at ledger/%d@%" PRId64 ": %s %.*s too much",
                          MR_SLICE_ARG(entry->journal_id), record->partition, record->offset,
                          load_decimal_format(journal.sums[i], text),
                          MR_SLICE_ARG(journal.assets[i]));
        }
    }
    times = verify_map_put(l->journals, entry->journal_id);
    *times += 1;
    if (*times > 1) {
        verify_differ(l->unique, "%.*s again at ledger/%d@%" PRId64,
                      MR_SLICE_ARG(entry->journal_id), record->partition, record->offset);
    }
    user = verify_map_put(l->users, entry->user_id);
    if (entry->seq != user->seq + 1) {
        verify_differ(l->gapless, "%.*s: %" PRId64 " after %" PRId64 " at ledger/%d@%" PRId64,
                      MR_SLICE_ARG(entry->user_id), entry->seq, user->seq, record->partition,
                      record->offset);
    }
    user->seq = entry->seq;
    return MR_OK;
}

enum mr_status verify_ledger_on_balance(void *arg, const struct load_record *record,
                                        struct mr_err *err)
{
    struct verify_ledger *l = arg;
    const struct oms_balance *record_balance = record->value;
    struct balance *balance;
    char text[160];
    struct mr_slice key;

    (void)err;
    if (record_balance == NULL || !verify_is_user(l->verify, record_balance->user_id)) {
        return MR_OK;
    }
    key = load_text(text, sizeof text, "%.*s:%.*s", MR_SLICE_ARG(record_balance->user_id),
                    MR_SLICE_ARG(record_balance->asset));
    balance = verify_map_put(l->balances, key);
    if (record_balance->version <= balance->version) {
        verify_differ(l->backwards, "%s: %" PRId64 " after %" PRId64 " at balances/%d@%" PRId64,
                      text, record_balance->version, balance->version, record->partition,
                      record->offset);
    }
    *balance = (struct balance){.available = record_balance->available,
                                .hold = record_balance->hold,
                                .version = record_balance->version,
                                .partition = record->partition,
                                .offset = record->offset};
    return MR_OK;
}

static mr_i128 account_sum(const struct verify_ledger *l, struct mr_slice user_asset,
                           const char *kind)
{
    char account[192];
    const struct account *found =
        verify_map_get(l->accounts, load_text(account, sizeof account, "user:%.*s:%s",
                                              MR_SLICE_ARG(user_asset), kind));

    return found == NULL ? 0 : found->sum;
}

static void close_balances(struct verify_ledger *l)
{
    struct verify_check *flat = verify_check_open(l->verify->report, "holds left at the end");
    int64_t equal = 0;

    for (size_t i = 0; i < verify_map_count(l->balances); i++) {
        struct mr_slice key;
        const struct balance *balance = verify_map_at(l->balances, i, &key);
        const mr_i128 available = account_sum(l, key, "avail");
        const mr_i128 hold = account_sum(l, key, "hold");
        char text[4][LOAD_DECIMAL_TEXT_MAX];

        if (balance->available == available && balance->hold == hold) {
            equal++;
        } else {
            verify_differ(
                l->sums,
                "%.*s at balances/%d@%" PRId64 ": available %s, entries %s; hold %s, entries %s",
                MR_SLICE_ARG(key), balance->partition, balance->offset,
                load_decimal_format(balance->available, text[0]),
                load_decimal_format(available, text[1]),
                load_decimal_format(balance->hold, text[2]), load_decimal_format(hold, text[3]));
        }
        if (balance->hold != 0) {
            verify_differ(flat, "%.*s holds %s", MR_SLICE_ARG(key),
                          load_decimal_format(balance->hold, text[0]));
        }
    }
    verify_check_close(flat, 0, verify_check_differences(flat));
    verify_check_close(l->sums, (int64_t)verify_map_count(l->balances), equal);
}

/* Users' accounts in the ledger whose balance never showed. */
static void close_missing(struct verify_ledger *l)
{
    struct verify_check *check =
        verify_check_open(l->verify->report, "accounts without a balance record");

    for (size_t i = 0; i < verify_map_count(l->accounts); i++) {
        struct mr_slice key;
        size_t end;

        (void)verify_map_at(l->accounts, i, &key);
        if (key.len < 5 || memcmp(key.data, "user:", 5) != 0) {
            continue;
        }
        end = key.len;
        while (end > 5 && key.data[end - 1] != ':') {
            end--;
        }
        if (end <= 6 || verify_map_get(l->balances, mr_slice_of(key.data + 5, end - 6)) == NULL) {
            verify_differ(check, "%.*s", MR_SLICE_ARG(key));
        }
    }
    verify_check_close(check, 0, verify_check_differences(check));
}

static void close_sums(struct verify_ledger *l)
{
    for (size_t i = 0; i < verify_map_count(l->assets); i++) {
        struct mr_slice asset;
        const struct account *total = verify_map_at(l->assets, i, &asset);
        char name[64], account[64], text[LOAD_DECIMAL_TEXT_MAX];
        const struct account *clearing;

        (void)load_text(name, sizeof name, "ledger sum %.*s", MR_SLICE_ARG(asset));
        verify_check_close_text(verify_check_open(l->verify->report, name), "0",
                                load_decimal_format(total->sum, text));
        clearing = verify_map_get(
            l->accounts, load_text(account, sizeof account, "clearing:%.*s", MR_SLICE_ARG(asset)));
        (void)load_text(name, sizeof name, "clearing account %.*s", MR_SLICE_ARG(asset));
        verify_check_close_text(verify_check_open(l->verify->report, name), "0",
                                load_decimal_format(clearing == NULL ? 0 : clearing->sum, text));
    }
}

void verify_ledger_end(struct verify_ledger **ledger)
{
    struct verify_ledger *l = *ledger;
    struct verify_check *some =
        verify_check_open(l->verify->report, "ledger entries, at least one");

    verify_check_close(some, 1, l->entries > 0 ? 1 : 0);
    verify_check_close(l->balanced, 0, verify_check_differences(l->balanced));
    verify_check_close(l->unique, l->entries, (int64_t)verify_map_count(l->journals));
    verify_check_close(l->gapless, 0, verify_check_differences(l->gapless));
    verify_check_close(l->after, 0, verify_check_differences(l->after));
    if (l->verify->manifest != NULL) {
        verify_check_close(l->backwards, 0, verify_check_differences(l->backwards));
        close_balances(l);
        close_missing(l);
        close_sums(l);
    }
    verify_report_note(l->verify->report, "ledgerEntries", l->entries);
    verify_map_destroy(&l->accounts);
    verify_map_destroy(&l->assets);
    verify_map_destroy(&l->users);
    verify_map_destroy(&l->balances);
    verify_map_destroy(&l->journals);
    free(l);
    *ledger = NULL;
}
