/*
 * fill_mirror.h -- a book that is made of nothing but fill's deltas, held against its snapshots.
 */
#ifndef MILLRACE_TESTS_FILL_MIRROR_H
#define MILLRACE_TESTS_FILL_MIRROR_H

#include "fill_fixture.h"

#define MIRROR_LEVELS 4096

struct mirror {
    struct oms_book_level levels[2][MIRROR_LEVELS]; /* unordered; qty 0 is a free place */
    size_t count[2];
    int64_t last_seq;
};

static inline void mirror_set(struct mirror *mirror, enum ord_side side,
                              const struct oms_book_level *level)
{
    for (size_t i = 0; i < mirror->count[side]; i++) {
        if (mirror->levels[side][i].price == level->price) {
            mirror->levels[side][i] = *level;
            return;
        }
    }
    ck_assert_uint_lt(mirror->count[side], MIRROR_LEVELS);
    mirror->levels[side][mirror->count[side]++] = *level;
}

static inline void mirror_apply(struct mirror *mirror, const struct oms_book_delta *delta)
{
    ck_assert_int_eq(delta->first_seq, mirror->last_seq + 1);
    ck_assert_int_ge(delta->last_seq, delta->first_seq);
    mirror->last_seq = delta->last_seq;
    for (size_t i = 0; i < delta->bids.count; i++) {
        mirror_set(mirror, ORD_BUY, &delta->bids.items[i]);
    }
    for (size_t i = 0; i < delta->asks.count; i++) {
        mirror_set(mirror, ORD_SELL, &delta->asks.items[i]);
    }
}

/* The snapshot's level number n of a side must be the mirror's nth best. */
static inline void mirror_matches(const struct mirror *mirror, enum ord_side side,
                                  const struct oms_book_level_items *top)
{
    mr_i128 last = 0;
    size_t found = 0;

    for (; found < top->count; found++) {
        const struct oms_book_level *best = NULL;

        for (size_t i = 0; i < mirror->count[side]; i++) {
            const struct oms_book_level *level = &mirror->levels[side][i];
            const bool behind =
                found == 0 || (side == ORD_BUY ? level->price < last : level->price > last);

            if (level->qty > 0 && behind &&
                (best == NULL ||
                 (side == ORD_BUY ? level->price > best->price : level->price < best->price))) {
                best = level;
            }
        }
        ck_assert_ptr_nonnull(best);
        ck_assert(best->price == top->items[found].price && best->qty == top->items[found].qty);
        ck_assert_int_eq(best->orders, top->items[found].orders);
        last = best->price;
    }
}

static inline void check_books(struct mr_driver *driver)
{
    static struct mirror mirror;
    size_t deltas = mr_driver_emit_count(driver, "book");

    mirror.count[ORD_BUY] = 0;
    mirror.count[ORD_SELL] = 0;
    mirror.last_seq = 0;
    ck_assert_uint_eq(deltas, mr_driver_emit_count(driver, "snapshots"));
    ck_assert_uint_gt(deltas, 0);
    for (size_t i = 0; i < deltas; i++) {
        const struct oms_book_delta *delta = mr_driver_emit(driver, "book", i);
        const struct oms_book_snapshot *snapshot = mr_driver_emit(driver, "snapshots", i);

        mirror_apply(&mirror, delta);
        ck_assert_int_eq(snapshot->last_seq, delta->last_seq);
        ck_assert_int_eq(snapshot->checksum, delta->checksum);
        mirror_matches(&mirror, ORD_BUY, &snapshot->bids);
        mirror_matches(&mirror, ORD_SELL, &snapshot->asks);
        if (snapshot->bids.count > 0 && snapshot->asks.count > 0) {
            ck_assert(snapshot->bids.items[0].price < snapshot->asks.items[0].price);
        }
    }
}

#endif
