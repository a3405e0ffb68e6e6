/* totals.c -- see totals.h. */
#include "totals.h"

#include "avro/settle_total.h"
#include "order_map.h"

#include <stdlib.h>

#define ATOMS_PER_MICRO ((dec_t)INT64_C(1000000000000))

struct totals_asset {
    struct mr_gauge *micro[TOTALS_CLASSES];
    struct mr_gauge *residue[TOTALS_CLASSES];
    bool changed; /* since it was shown */
    size_t len;
    uint8_t name[];
};

void totals_init(struct totals *totals, struct mr_ctx *ctx, struct mr_store *store)
{
    totals->ctx = ctx;
    totals->store = store;
}

void totals_fini(struct totals *totals)
{
    for (size_t i = 0; i < totals->count; i++) {
        free(totals->assets[i]);
    }
    free(totals->assets);
    totals->assets = NULL;
    totals->count = 0;
}

static struct totals_asset *new_asset(struct mr_ctx *ctx, struct mr_slice name)
{
    static const char *const classes[TOTALS_CLASSES] = {"available", "hold", "clearing", "fees",
                                                        "external"};
    struct totals_asset *asset = mr_xcalloc(1, sizeof(*asset) + name.len);
    struct mr_label labels[] = {{.name = "asset", .value = name}, {.name = "account"}};

    asset->len = name.len;
    memcpy(asset->name, name.data, name.len);
    for (size_t i = 0; i < TOTALS_CLASSES; i++) {
        labels[1].value = mr_slice_str(classes[i]);
        asset->micro[i] = mr_ctx_gauge(ctx, "ledger_micro", labels, MR_COUNT(labels));
        asset->residue[i] = mr_ctx_gauge(ctx, "ledger_residue", labels, MR_COUNT(labels));
    }
    return asset;
}

/* The asset's gauges, made when it is new; NULL beyond the bound. */
static struct totals_asset *find(struct totals *totals, struct mr_slice name)
{
    for (size_t i = 0; i < totals->count; i++) {
        struct totals_asset *asset = totals->assets[i];

        if (mr_slice_equal(mr_slice_of(asset->name, asset->len), name)) {
            return asset;
        }
    }
    if (totals->count == TOTALS_ASSETS_MAX) {
        return NULL;
    }
    totals->assets =
        mr_xrealloc(totals->assets, (totals->count + 1) * sizeof(struct totals_asset *));
    totals->assets[totals->count] = new_asset(totals->ctx, name);
    return totals->assets[totals->count++];
}

static dec_t *class_of(struct oms_settle_total *total, enum ledger_account account)
{
    switch (account) {
    case LEDGER_ACCOUNT_AVAILABLE:
        return &total->available;
    case LEDGER_ACCOUNT_HOLD:
        return &total->hold;
    case LEDGER_ACCOUNT_CLEARING:
        return &total->clearing;
    case LEDGER_ACCOUNT_FEES:
        return &total->fees;
    case LEDGER_ACCOUNT_EXTERNAL:
    default:
        return &total->external;
    }
}

static void show(struct totals_asset *asset, const struct oms_settle_total *total)
{
    const dec_t sums[TOTALS_CLASSES] = {total->available, total->hold, total->clearing, total->fees,
                                        total->external};

    for (size_t i = 0; i < TOTALS_CLASSES; i++) {
        const dec_t micro = sums[i] / ATOMS_PER_MICRO;
        const int64_t rest = (int64_t)(sums[i] % TOTALS_RESIDUE_MODULUS);

        mr_gauge_set(asset->micro[i], (int64_t)dec_max(INT64_MIN, dec_min(INT64_MAX, micro)));
        mr_gauge_set(asset->residue[i], rest < 0 ? rest + TOTALS_RESIDUE_MODULUS : rest);
    }
    asset->changed = false;
}

static bool visit(void *arg, struct mr_slice key, const void *value)
{
    struct totals *totals = arg;
    struct totals_asset *asset = find(totals, key);

    if (asset != NULL) {
        show(asset, value);
    }
    return true;
}

enum mr_status totals_reload(struct totals *totals, struct mr_err *err)
{
    const struct oms_settle_total nothing = {0};

    /* An asset whose first entry was undone has no row. */
    for (size_t i = 0; i < totals->count; i++) {
        show(totals->assets[i], &nothing);
    }
    return mr_store_scan(totals->store, (struct mr_slice){0}, (struct mr_slice){0}, visit, totals,
                         err);
}

/* All postings of one asset into its row. */
static enum mr_status add_asset(struct totals *totals, const struct ledger_journal *journal,
                                struct dom_text name, struct mr_err *err)
{
    const struct mr_slice key = slice_of(name);
    struct totals_asset *asset = find(totals, key);
    struct oms_settle_total total = {0};
    bool found = false;

    MR_TRY(mr_store_get(totals->store, key, &total, &found, err));
    for (size_t i = 0; i < journal->count; i++) {
        const struct ledger_posting *posting = &journal->postings[i];
        dec_t *sum = class_of(&total, posting->account);
        const dec_t amount =
            posting->direction == LEDGER_CREDIT ? posting->amount : -posting->amount;

        if (dom_text_equal(posting->asset, name) && !dec_add(*sum, amount, sum)) {
            return mr_fail(err, MR_OUT_OF_RANGE, "total of an asset out of range");
        }
    }
    if (asset != NULL) {
        asset->changed = true;
    }
    return mr_store_put(totals->store, key, &total, err);
}

enum mr_status totals_add(struct totals *totals, const struct ledger_journal *journal,
                          struct mr_err *err)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct dom_text name = journal->postings[i].asset;
        bool first = true;

        for (size_t k = 0; k < i; k++) {
            first = first && !dom_text_equal(journal->postings[k].asset, name);
        }
        if (first) {
            MR_TRY(add_asset(totals, journal, name, err));
        }
    }
    return MR_OK;
}

enum mr_status totals_show(struct totals *totals, struct mr_err *err)
{
    for (size_t i = 0; i < totals->count; i++) {
        struct totals_asset *asset = totals->assets[i];
        struct oms_settle_total total = {0};
        bool found = false;

        if (asset->changed) {
            MR_TRY(mr_store_get(totals->store, mr_slice_of(asset->name, asset->len), &total, &found,
                                err));
            show(asset, &total);
        }
    }
    return MR_OK;
}
