/* verify_books.c -- see verify_books.h. The report's table and JSON: verify_books_report.c. */
#include "verify_books.h"

#include "avro/balance.h"
#include "avro/execution_report.h"
#include "avro/ledger_entry.h"
#include "load_decimal.h"
#include "load_text.h"
#include "millrace/arena.h"
#include "verify_books_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define KEY_BYTES_MAX 600

static struct mr_slice pair(char *buffer, struct mr_slice a, struct mr_slice b)
{
    return load_text(buffer, KEY_BYTES_MAX, "%.*s:%.*s", MR_SLICE_ARG(a), MR_SLICE_ARG(b));
}

static struct told *told_of(struct verify_books *b, const struct oms_balance *balance)
{
    char key[KEY_BYTES_MAX];

    return verify_map_put(b->told, pair(key, balance->user_id, balance->asset));
}

static enum mr_status on_balance_before(void *arg, const struct load_record *record,
                                        struct mr_err *err)
{
    struct verify_books *b = arg;
    const struct oms_balance *balance = record->value;

    (void)err;
    if (balance != NULL) {
        told_of(b, balance)->before = (struct told_balance){
            .available = balance->available, .hold = balance->hold, .version = balance->version};
    }
    return MR_OK;
}

static enum mr_status on_balance_after(void *arg, const struct load_record *record,
                                       struct mr_err *err)
{
    struct verify_books *b = arg;
    const struct oms_balance *balance = record->value;

    (void)err;
    if (balance != NULL) {
        told_of(b, balance)->after = (struct told_balance){
            .available = balance->available, .hold = balance->hold, .version = balance->version};
    }
    return MR_OK;
}

/* --- entries ------------------------------------------------------------------------------ */

/* The sum that a posting belongs to; NULL: an account that is not this entry's to move. */
static mr_i128 *sum_of(struct books_asset *asset, struct told *told,
                       const struct oms_ledger_entry *entry, const struct oms_posting *posting)
{
    static const char *const names[] = {"clearing", "fees", "external"};
    mr_i128 *sums[] = {&asset->clearing, &asset->fees, &asset->external};
    char text[KEY_BYTES_MAX];

    for (size_t i = 0; i < MR_COUNT(sums); i++) {
        if (mr_slice_equal(posting->account, load_text(text, sizeof text, "%s:%.*s", names[i],
                                                       MR_SLICE_ARG(posting->asset)))) {
            return sums[i];
        }
    }
    if (mr_slice_equal(posting->account,
                       load_text(text, sizeof text, "user:%.*s:%.*s:avail",
                                 MR_SLICE_ARG(entry->user_id), MR_SLICE_ARG(posting->asset)))) {
        return &told->available;
    }
    if (mr_slice_equal(posting->account,
                       load_text(text, sizeof text, "user:%.*s:%.*s:hold",
                                 MR_SLICE_ARG(entry->user_id), MR_SLICE_ARG(posting->asset)))) {
        return &told->hold;
    }
    return NULL;
}

static void compare_at_version(struct verify_books *b, const struct told *told, const char *key,
                               const struct told_balance *balance)
{
    char text[4][LOAD_DECIMAL_TEXT_MAX];

    if (told->available != balance->available || told->hold != balance->hold) {
        verify_differ(
            b->equal, "%s, version %" PRId64 ": available %s, entries %s; hold %s, entries %s", key,
            balance->version, load_decimal_format(balance->available, text[0]),
            load_decimal_format(told->available, text[1]),
            load_decimal_format(balance->hold, text[2]), load_decimal_format(told->hold, text[3]));
    }
}

/* One asset of an entry: its postings into the sums, and the user's balance a version on. */
static void take_asset(struct verify_books *b, const struct oms_ledger_entry *entry,
                       struct mr_slice name)
{
    struct books_asset *asset = verify_map_put(b->assets, name);
    char key[KEY_BYTES_MAX];
    struct told *told = verify_map_put(b->told, pair(key, entry->user_id, name));
    bool moved = false;

    for (size_t i = 0; i < entry->postings.count; i++) {
        const struct oms_posting *posting = &entry->postings.items[i];
        const bool credit = posting->direction == OMS_DIRECTION_CREDIT;
        const mr_i128 amount = credit ? posting->amount : -posting->amount;
        mr_i128 *sum =
            mr_slice_equal(posting->asset, name) ? sum_of(asset, told, entry, posting) : NULL;

        if (sum == NULL) {
            if (mr_slice_equal(posting->asset, name)) {
                verify_differ(b->strange, "%.*s: %.*s", MR_SLICE_ARG(entry->journal_id),
                              MR_SLICE_ARG(posting->account));
            }
            continue;
        }
        *sum += amount;
        if (sum == &told->available || sum == &told->hold) {
            asset->users += amount;
            moved = true;
        }
    }
    told->version += moved ? 1 : 0;
    if (moved && told->version == told->before.version) {
        compare_at_version(b, told, key, &told->before);
    }
}

static void take_reversal(struct verify_books *b, const struct oms_ledger_entry *entry)
{
    int64_t *times = NULL;

    if (!entry->has_reverses || verify_map_get(b->journals, entry->reverses) == NULL) {
        verify_differ(b->reversals, "%.*s undoes %.*s, which is not there",
                      MR_SLICE_ARG(entry->journal_id), MR_SLICE_ARG(entry->reverses));
        return;
    }
    times = verify_map_put(b->reversed, entry->reverses);
    *times += 1;
    if (*times > 1) {
        verify_differ(b->reversals, "%.*s undoes %.*s again", MR_SLICE_ARG(entry->journal_id),
                      MR_SLICE_ARG(entry->reverses));
    }
}

/* What the entry of a fill says it cost. */
static void take_trade(struct verify_books *b, const struct oms_ledger_entry *entry)
{
    struct posted *posted = verify_map_put(b->posted, entry->exec_id);

    for (size_t i = 0; i < entry->postings.count; i++) {
        const struct oms_posting *posting = &entry->postings.items[i];

        if (posting->account.len > 5 && memcmp(posting->account.data, "fees:", 5) == 0) {
            posted->fee +=
                posting->direction == OMS_DIRECTION_CREDIT ? posting->amount : -posting->amount;
        }
    }
    b->trades++;
}

static enum mr_status on_entry(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct verify_books *b = arg;
    const struct oms_ledger_entry *entry = record->value;

    if (entry == NULL) {
        return MR_OK;
    }
    MR_TRY(verify_ledger_on_entry(b->ledger, record, err));
    b->entries++;
    if (entry->entry_type == OMS_ENTRY_TYPE_REVERSAL) {
        take_reversal(b, entry);
    }
    (void)verify_map_put(b->journals, entry->journal_id);
    for (size_t i = 0; i < entry->postings.count; i++) {
        bool first = true;

        for (size_t k = 0; k < i; k++) {
            first = first &&
                    !mr_slice_equal(entry->postings.items[k].asset, entry->postings.items[i].asset);
        }
        if (first) {
            take_asset(b, entry, entry->postings.items[i].asset);
        }
    }
    if (entry->entry_type == OMS_ENTRY_TYPE_TRADE && entry->has_exec_id) {
        take_trade(b, entry);
    }
    return MR_OK;
}

/* --- executions --------------------------------------------------------------------------- */

/* A leg that is in the ledger leaves in clearing what the other leg takes out. */
static void take_leg(struct verify_books *b, const struct oms_execution_report *report)
{
    char text[KEY_BYTES_MAX];
    struct leg *leg =
        verify_map_put(b->legs, load_text(text, sizeof text, "%.*s %" PRId64,
                                          MR_SLICE_ARG(report->symbol), report->trade_id));

    leg->count++;
    if (leg->count == 1) {
        b->half++;
    } else if (leg->count == 2) {
        b->half--;
    }
}

static enum mr_status on_execution(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct verify_books *b = arg;
    const struct oms_execution_report *report = record->value;
    struct posted *posted = NULL;
    char text[2][LOAD_DECIMAL_TEXT_MAX];

    (void)err;
    if (report == NULL || report->exec_type != OMS_EXEC_TYPE_TRADE) {
        return MR_OK;
    }
    posted = verify_map_get(b->posted, report->exec_id);
    if (posted == NULL) {
        b->waiting++;
        if (!b->options.live) {
            verify_differ(b->fills, "%.*s at executions/%d@%" PRId64 " has no entry",
                          MR_SLICE_ARG(report->exec_id), record->partition, record->offset);
        }
        return MR_OK;
    }
    posted->found = true;
    take_leg(b, report);
    if (report->has_fee_asset) {
        struct books_asset *asset = verify_map_put(b->assets, report->fee_asset);

        asset->executed_fees += report->fee_amount;
    }
    if (posted->fee != report->fee_amount) {
        verify_differ(b->fees, "%.*s: %s, the entry has %s", MR_SLICE_ARG(report->exec_id),
                      load_decimal_format(report->fee_amount, text[0]),
                      load_decimal_format(posted->fee, text[1]));
    }
    return MR_OK;
}

/* --- the end ------------------------------------------------------------------------------ */

static void close_balances(struct verify_books *b)
{
    int64_t accounts = 0;
    int64_t told_count = 0;

    for (size_t i = 0; i < verify_map_count(b->told); i++) {
        struct mr_slice key;
        const struct told *told = verify_map_at(b->told, i, &key);
        char text[KEY_BYTES_MAX];

        (void)load_text(text, sizeof text, "%.*s", MR_SLICE_ARG(key));
        accounts += told->version > 0 ? 1 : 0;
        told_count += told->after.version > 0 ? 1 : 0;
        if (told->before.version > told->version || told->after.version < told->version) {
            verify_differ(b->equal, "%s: %" PRId64 " entries, the balance has %" PRId64, text,
                          told->version, told->after.version);
        } else if (told->after.version == told->version) {
            compare_at_version(b, told, text, &told->after);
        } else if (!b->options.live) {
            verify_differ(b->equal, "%s: the balance is %" PRId64 " entries ahead", text,
                          told->after.version - told->version);
        }
    }
    verify_check_close(b->equal, accounts, b->options.live ? accounts : told_count);
}

static void close_fills(struct verify_books *b)
{
    for (size_t i = 0; i < verify_map_count(b->posted); i++) {
        struct mr_slice key;
        const struct posted *posted = verify_map_at(b->posted, i, &key);

        if (!posted->found && !b->executions_trimmed) {
            verify_differ(b->fills, "the entry of %.*s has no execution", MR_SLICE_ARG(key));
        }
    }
    verify_check_close(b->fills, 0, verify_check_differences(b->fills));
    verify_check_close(b->fees, 0, verify_check_differences(b->fees));
}

static void close_assets(struct verify_books *b)
{
    for (size_t i = 0; i < verify_map_count(b->assets); i++) {
        struct mr_slice name;
        const struct books_asset *asset = verify_map_at(b->assets, i, &name);
        const mr_i128 sum = asset->users + asset->clearing + asset->fees + asset->external;
        char text[2][LOAD_DECIMAL_TEXT_MAX];

        if (sum != 0) {
            verify_differ(b->sums, "%.*s: %s too much", MR_SLICE_ARG(name),
                          load_decimal_format(sum, text[0]));
        }
        if (asset->clearing != 0 && !(b->options.live && b->half > 0)) {
            verify_differ(b->clearing, "%.*s: %s", MR_SLICE_ARG(name),
                          load_decimal_format(asset->clearing, text[0]));
        }
        if (asset->fees != asset->executed_fees && !b->executions_trimmed) {
            verify_differ(b->fees, "%.*s: the ledger has %s, the executions %s", MR_SLICE_ARG(name),
                          load_decimal_format(asset->fees, text[0]),
                          load_decimal_format(asset->executed_fees, text[1]));
        }
    }
    verify_check_close(b->sums, 0, verify_check_differences(b->sums));
    verify_check_close(b->clearing, 0, verify_check_differences(b->clearing));
}

static void close_all(struct verify_books *b)
{
    verify_ledger_end(&b->ledger);
    verify_check_close(b->strange, 0, verify_check_differences(b->strange));
    verify_check_close(b->reversals, 0, verify_check_differences(b->reversals));
    close_balances(b);
    close_assets(b);
    close_fills(b);
}

/* --- reading ------------------------------------------------------------------------------ */

static enum mr_status read_topic(struct verify_books *b, const char *topic,
                                 const struct mr_schema *schema, load_visit *visit,
                                 struct mr_err *err)
{
    struct load_feed *feed = NULL;
    enum mr_status status = MR_OK;

    load_progress_detail(b->env, "verify: reading %s", topic);
    MR_TRY(load_feed_open(b->env, &feed, err));
    status = load_feed_add(
        feed, &(struct load_source){.topic = topic, .schema = schema, .visit = visit, .arg = b},
        err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, b->options.wait_us, err);
    }
    load_feed_close(&feed);
    return status;
}

/* Did retention take the first of a topic? */
static enum mr_status is_trimmed(struct verify_books *b, const char *topic, bool *trimmed,
                                 struct mr_err *err)
{
    int32_t partitions = 0;

    *trimmed = false;
    MR_TRY(mr_log_topic_partitions(b->env->log, topic, &partitions, err));
    for (int32_t p = 0; p < partitions; p++) {
        int64_t low = 0;
        int64_t end = 0;

        MR_TRY(mr_log_watermarks(b->env->log, topic, p, &low, &end, err));
        *trimmed = *trimmed || low > 0;
    }
    return MR_OK;
}

static enum mr_status read_all(struct verify_books *b, struct mr_err *err)
{
    MR_TRY(is_trimmed(b, "executions", &b->executions_trimmed, err));
    MR_TRY(read_topic(b, "balances", &oms_balance_schema, on_balance_before, err));
    MR_TRY(read_topic(b, "ledger", &oms_ledger_entry_schema, on_entry, err));
    MR_TRY(read_topic(b, "balances", &oms_balance_schema, on_balance_after, err));
    return read_topic(b, "executions", &oms_execution_report_schema, on_execution, err);
}

static struct verify_books *create(const struct load_env *env,
                                   const struct verify_books_options *options,
                                   struct verify_report *report)
{
    struct verify_books *b = mr_xcalloc(1, sizeof *b);

    b->env = env;
    b->options = *options;
    b->report = report;
    b->verify = (struct verify){.env = env, .report = report};
    b->ledger = verify_ledger_create(&b->verify);
    b->told = verify_map_create(sizeof(struct told));
    b->assets = verify_map_create(sizeof(struct books_asset));
    b->journals = verify_map_create(sizeof(int64_t));
    b->reversed = verify_map_create(sizeof(int64_t));
    b->posted = verify_map_create(sizeof(struct posted));
    b->legs = verify_map_create(sizeof(struct leg));
    b->strange = verify_check_open(report, "accounts that are not the entry's");
    b->reversals = verify_check_open(report, "reversals of nothing, or again");
    b->equal = verify_check_open(report, "balances equal the sum of their entries");
    b->sums = verify_check_open(report, "assets whose accounts do not add up to 0");
    b->clearing = verify_check_open(report, "assets left in clearing");
    b->fills = verify_check_open(report, "fills without entry, entries without fill");
    b->fees = verify_check_open(report, "fees that are not those of the executions");
    return b;
}

enum mr_status verify_books_run(const struct load_env *env,
                                const struct verify_books_options *options,
                                struct verify_report *report, struct verify_books **books,
                                struct mr_err *err)
{
    struct verify_books *b = create(env, options, report);
    const enum mr_status status = read_all(b, err);

    *books = b;
    close_all(b);
    return status;
}

void verify_books_destroy(struct verify_books **books)
{
    struct verify_books *b = *books;

    if (b == NULL) {
        return;
    }
    verify_map_destroy(&b->told);
    verify_map_destroy(&b->assets);
    verify_map_destroy(&b->journals);
    verify_map_destroy(&b->reversed);
    verify_map_destroy(&b->posted);
    verify_map_destroy(&b->legs);
    free(b);
    *books = NULL;
}
