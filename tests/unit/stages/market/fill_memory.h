/*
 * fill_memory.h -- all that fill keeps in memory, as text; and what must hold for its reports.
 *
 * Why: undo is right when memory made from the stores is memory that has grown. Two texts say it
 *      for every field of every order, and where they differ.
 */
#ifndef MILLRACE_TESTS_FILL_MEMORY_H
#define MILLRACE_TESTS_FILL_MEMORY_H

#include "fill_script.h"

#define MEMORY_USERS 10 /* u0..u9 */

static inline void print_dec(FILE *out, const char *name, mr_i128 value)
{
    char text[DEC_TEXT_MAX];

    (void)dec_format(value, text);
    (void)fprintf(out, " %s=%s", name, text);
}

static inline void print_live(FILE *out, struct live *live)
{
    const struct party party = party_of(live);

    (void)fprintf(
        out, "  %.*s of %.*s by %.*s client=%d:%.*s trace=%d:%.*s", MR_SLICE_ARG(party.order_id),
        MR_SLICE_ARG(party.user_id), MR_SLICE_ARG(party.command_id), party.has_client_order_id,
        MR_SLICE_ARG(party.client_order_id), party.has_trace_id, MR_SLICE_ARG(party.trace_id));
    (void)fprintf(out, " seq=%lld version=%d type=%d tif=%d stp=%d post=%d triggered=%d side=%d",
                  (long long)live->sequence, live->version, (int)live->type, (int)live->tif,
                  (int)live->stp, live->post_only, live->triggered, (int)live->hold.side);
    print_dec(out, "price", live->hold.price);
    print_dec(out, "leaves", live->hold.leaves);
    print_dec(out, "hold", live->hold.hold);
    print_dec(out, "maker", live->hold.maker_rate);
    print_dec(out, "taker", live->hold.taker_rate);
    print_dec(out, "qty", live->order_qty);
    print_dec(out, "cum", live->cum_qty);
    print_dec(out, "quote", live->cum_quote);
    print_dec(out, "prevented", live->prevented_qty);
    print_dec(out, "stop", live->stop_price);
    print_dec(out, "paid", live->hold.fee.paid);
    (void)fprintf(out, " fee=%lld,%lld,%lld expire=%lld\n", (long long)live->hold.fee.high,
                  (long long)live->hold.fee.mid, (long long)live->hold.fee.low,
                  (long long)(live->expiry_place == 0 ? 0 : live->expire_us));
    ck_assert((live->expiry_place != 0) == (live->tif == OMS_TIME_IN_FORCE_GTD));
}

static inline int memory_by_arrival(const void *a, const void *b)
{
    const struct live *left = *(struct live *const *)a;
    const struct live *right = *(struct live *const *)b;

    return left->sequence < right->sequence ? -1 : 1;
}

static inline void print_stops(FILE *out, const struct market *market)
{
    static struct live *stops[4096];
    size_t count = 0;

    for (int user = 0; user < MEMORY_USERS; user++) {
        struct stop_order *stop = NULL;
        char name[8];

        (void)snprintf(name, sizeof(name), "u%d", user);
        while ((stop = stop_book_user_next(market->stops, dom_text_str(name), stop)) != NULL) {
            ck_assert_uint_lt(count, MR_COUNT(stops));
            stops[count++] = stop->data;
        }
    }
    ck_assert_uint_eq(count, stop_book_orders(market->stops));
    qsort((void *)stops, count, sizeof(stops[0]), memory_by_arrival);
    for (size_t i = 0; i < count; i++) {
        print_live(out, stops[i]);
    }
}

static inline void print_book(FILE *out, const struct market *market, enum ord_side side)
{
    for (size_t level = 0; level < book_levels(market->book, side); level++) {
        for (const struct book_order *order = book_level_orders(market->book, side, level);
             order != NULL; order = order->newer) {
            const struct live *live = order->data;

            ck_assert(order->price == live->hold.price && order->leaves == live->hold.leaves);
            ck_assert_int_eq(order->sequence, live->sequence);
            print_live(out, order->data);
        }
    }
}

static inline void print_market(FILE *out, const struct market *market)
{
    const struct oms_book_state *state = &market->state;

    ck_assert_ptr_null(book_defect(market->book));
    ck_assert_ptr_null(stop_book_defect(market->stops));
    ck_assert_ptr_null(heap_defect(&market->expiry));
    (void)fprintf(out, "%.*s listed=%d trading=%d engine=%lld trade=%lld book=%lld arrival=%lld",
                  (int)market->symbol_len, (const char *)market->symbol, market->listed,
                  (int)market->trading, (long long)state->engine_seq, (long long)state->trade_id,
                  (long long)state->book_seq, (long long)state->arrival_seq);
    print_dec(out, "last", state->has_last_price ? state->last_price : 0);
    print_dec(out, "lot", market->market_lot);
    print_dec(out, "up", market->has_range_up ? market->range_up : 0);
    print_dec(out, "down", market->has_range_down ? market->range_down : 0);
    (void)fprintf(out, " expiring=%zu\n", market->expiry.count);
    print_book(out, market, ORD_BUY);
    print_book(out, market, ORD_SELL);
    (void)fprintf(out, " stops\n");
    print_stops(out, market);
}

/* To be freed. Memory that knows itself to be ahead of the stores is made good first, as the next
 * callback would do it. */
static inline char *memory_text(struct mr_driver *driver)
{
    struct fill *fill = mr_driver_self(driver);
    struct mr_err err = {0};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert(!fill->stale || reload_markets(fill, &err) == MR_OK);

    for (size_t i = 0; i < fill->market_count; i++) {
        const struct heap_entry *first = heap_first(&fill->markets[i]->expiry);

        ck_assert(first == NULL || fill->due_us <= first->key);
        print_market(out, fill->markets[i]);
    }
    (void)fclose(out);
    return text;
}

static inline void memory_is(struct mr_driver *driver, const char *expected, const char *when)
{
    char *text = memory_text(driver);

    ck_assert_msg(strcmp(text, expected) == 0, "%s: memory is\n%sand was\n%s", when, text,
                  expected);
    free(text);
}

/* A restart makes everything from the stores. Commits. */
static inline void memory_survives_a_restart(struct mr_driver *driver, const char *when)
{
    char *text = NULL;

    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
    text = memory_text(driver);
    mr_driver_restart(driver);
    memory_is(driver, text, when);
    free(text);
}

/* --- reports -------------------------------------------------------------------------------- */

struct told {
    struct mr_slice id;
    mr_i128 cum_qty, cum_quote, fee, hold;
    int32_t version;
    bool over;
};

static inline struct told *told_of(struct told *orders, size_t count, struct mr_slice id)
{
    /* The newest first: an id may come again when its order is over. */
    for (size_t i = count; i > 0; i--) {
        if (mr_slice_equal(orders[i - 1].id, id)) {
            return &orders[i - 1];
        }
    }
    return NULL;
}

static inline void check_leg(struct told *order, const struct oms_execution_report *report)
{
    const bool buy = report->side == OMS_SIDE_BUY;
    mr_i128 notional = 0;
    mr_i128 spent = 0;

    ck_assert(report->last_qty > 0);
    ck_assert(dec_mul_exact(report->last_qty, report->last_px, &notional));
    order->cum_qty += report->last_qty;
    order->cum_quote += notional;
    order->fee += report->fee_amount;
    spent = buy ? notional + report->fee_amount : report->last_qty;
    ck_assert_msg(order->hold - report->hold_after - spent >= 0, "a release is negative");
    ck_assert(buy || report->has_order_quote_qty || order->hold - report->hold_after == spent);
    if (report->has_price) {
        ck_assert(buy ? report->last_px <= report->price : report->last_px >= report->price);
    }
}

static inline bool ends(const struct oms_execution_report *one)
{
    return one->status == OMS_ORDER_STATUS_FILLED || one->status == OMS_ORDER_STATUS_CANCELLED;
}

static inline void check_report(struct told *order, const struct oms_execution_report *one)
{
    ck_assert_msg(order != NULL && !order->over, "%.*s after its end", MR_SLICE_ARG(one->exec_id));
    ck_assert_int_eq(one->version, order->version + 1);
    if (one->exec_type == OMS_EXEC_TYPE_TRADE) {
        check_leg(order, one);
    }
    ck_assert(one->cum_qty == order->cum_qty && one->cum_quote == order->cum_quote);
    ck_assert(one->fee_total == order->fee);
    ck_assert_msg(!ends(one) || (one->hold_after == 0 && one->leaves_qty == 0), "%.*s leaves some",
                  MR_SLICE_ARG(one->exec_id));
    ck_assert(one->exec_type != OMS_EXEC_TYPE_TRADE_PREVENTION || one->hold_after <= order->hold);
    order->version = one->version;
    order->hold = one->hold_after;
    order->over = ends(one);
}

/* Sums, versions, numbers and ends of all orders that were reported. */
static inline void check_all_reports(struct mr_driver *driver)
{
    const size_t total = reports(driver);
    struct told *orders = mr_xcalloc(total + 1, sizeof(*orders));
    size_t count = 0;
    int64_t engine_seq = 0;

    for (size_t i = 0; i < total; i++) {
        const struct oms_execution_report *one = report(driver, i);

        ck_assert_int_ge(one->engine_seq, engine_seq);
        ck_assert_int_le(one->engine_seq, engine_seq + 1);
        engine_seq = one->engine_seq;
        ck_assert(!one->has_order_qty || one->order_qty == one->cum_qty + one->leaves_qty +
                                                               one->prevented_qty +
                                                               one->cancelled_qty);
        ck_assert(one->has_reject_code || one->has_order_qty != one->has_order_quote_qty);
        ck_assert(one->cancelled_qty >= 0 && one->leaves_qty >= 0 && one->prevented_qty >= 0);
        if (one->has_reject_code) {
            continue;
        }
        if (one->exec_type == OMS_EXEC_TYPE_NEW) {
            ck_assert_int_eq(one->version, 1);
            orders[count++] =
                (struct told){.id = one->order_id, .version = 1, .hold = one->hold_after};
        } else {
            check_report(told_of(orders, count, one->order_id), one);
        }
    }
    for (size_t i = 0; i < trades(driver); i++) {
        ck_assert_int_eq(trade(driver, i)->trade_id, (int64_t)i + 1);
    }
    free(orders);
}

#endif
