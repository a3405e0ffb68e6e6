/*
 * load_sweep.c -- empties the books before a run.
 *
 * Why: a run that was interrupted leaves resting orders; the first taker of the next run would meet
 * them instead of its maker. How: the last snapshot of a symbol says what rests; one IOC order a
 * side takes it; again until nothing rests. The topic is compacted, so its end is read first and
 * all of it only when a symbol is not found there.
 */
#include "avro/book_snapshot.h"
#include "load.h"
#include "load_drain.h"

#define TAIL 20000
#define ROUNDS_MAX 50
#define READ_TIMEOUT_US (30 * 1000 * 1000)

struct side_left {
    mr_i128 qty;
    mr_i128 worst; /* price of the last level */
};

struct sweeping {
    struct load_session *session;
    bool seen[LOAD_SYMBOLS_MAX];
    struct side_left bids[LOAD_SYMBOLS_MAX], asks[LOAD_SYMBOLS_MAX];
};

static struct side_left sum(const struct oms_book_level_items *levels)
{
    struct side_left left = {0};

    for (size_t i = 0; i < levels->count; i++) {
        left.qty += levels->items[i].qty;
        left.worst = levels->items[i].price;
    }
    return left;
}

static enum mr_status on_snapshot(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct sweeping *sweeping = arg;
    const struct oms_book_snapshot *snapshot = record->value;

    (void)err;
    for (size_t s = 0; snapshot != NULL && s < sweeping->session->tape.symbol_count; s++) {
        if (mr_slice_equal(snapshot->symbol, mr_slice_str(sweeping->session->desks[s].symbol))) {
            sweeping->seen[s] = true;
            sweeping->bids[s] = sum(&snapshot->bids);
            sweeping->asks[s] = sum(&snapshot->asks);
        }
    }
    return MR_OK;
}

static enum mr_status read_snapshots(struct sweeping *sweeping, bool all, struct mr_err *err)
{
    const struct load_env *env = sweeping->session->env;
    int64_t from[LOAD_PARTITIONS_MAX];
    int32_t partitions = 0;
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_ends(env, "book.snapshots", from, &partitions, err));
    for (int32_t p = 0; p < partitions; p++) {
        from[p] = all || from[p] < TAIL ? 0 : from[p] - TAIL;
    }
    MR_TRY(load_feed_open(env, &feed, err));
    status = load_feed_add(feed,
                           &(struct load_source){.topic = "book.snapshots",
                                                 .schema = &oms_book_snapshot_schema,
                                                 .offsets = from,
                                                 .visit = on_snapshot,
                                                 .arg = sweeping},
                           err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, READ_TIMEOUT_US, err);
    }
    load_feed_close(&feed);
    return status;
}

static enum mr_status take(struct sweeping *sweeping, size_t symbol, bool *taken,
                           struct mr_err *err)
{
    struct load_session *session = sweeping->session;
    const struct load_desk *desk = &session->desks[symbol];
    const struct side_left *sides[2] = {&sweeping->bids[symbol], &sweeping->asks[symbol]};
    char event_id[LOAD_ID_BYTES_MAX];

    for (int i = 0; i < 2; i++) {
        const mr_i128 qty =
            desk->max_qty > 0 && sides[i]->qty > desk->max_qty ? desk->max_qty : sides[i]->qty;

        if (qty > 0) {
            *taken = true;
            MR_TRY(load_send_probe(
                session, desk,
                &(struct load_probe_order){.side = i == 0 ? OMS_SIDE_SELL : OMS_SIDE_BUY,
                                           .price = sides[i]->worst,
                                           .qty = qty},
                event_id, err));
        }
    }
    return MR_OK;
}

enum mr_status load_sweep(struct load_session *session, struct mr_err *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct sweeping sweeping = {.session = session};
        bool all_seen = true;
        bool taken = false;

        MR_TRY(read_snapshots(&sweeping, false, err));
        for (size_t s = 0; s < session->tape.symbol_count; s++) {
            all_seen = all_seen && sweeping.seen[s];
        }
        if (!all_seen) {
            MR_TRY(read_snapshots(&sweeping, true, err));
        }
        for (size_t s = 0; s < session->tape.symbol_count; s++) {
            MR_TRY(take(&sweeping, s, &taken, err));
        }
        if (!taken) {
            return MR_OK;
        }
        load_progress(session->env, "taking leftovers of an interrupted run off the books");
        MR_TRY(load_drain(session->env, false, session->options->wait_us, err));
    }
    return mr_fail(err, MR_TIMEOUT,
                   "the books of the symbols cannot be emptied; who else trades "
                   "there?");
}
