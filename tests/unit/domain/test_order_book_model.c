/*
 * test_order_book_model.c
 *
 * Goal:   the book does exactly what price-time priority says, whatever comes.
 * Method: random streams of orders, cancels (of live, filled and unknown ids), reductions, FOK
 *         questions and restores, run through the book and through a model that is a plain list
 *         searched from end to end. After each step both must agree; now and then everything is
 *         compared and the book audits itself.
 */
#include "domain/order_book.h"
#include "domain_test.h"

#define MODEL_MAX 4000
#define USERS 6

struct model_order {
    int64_t id;
    int user;
    enum ord_side side;
    dec_t price;
    dec_t leaves;
    int64_t sequence;
};

struct model {
    struct model_order orders[MODEL_MAX];
    size_t count;
};

struct world {
    struct book *book;
    struct model model;
    uint64_t seed;
    int64_t next_id;
    int64_t next_sequence;
    uint64_t trades;
    uint64_t prices; /* how many different ones */
};

static char id_text[32];
static char user_text[32];

static struct dom_text id_of(int64_t id)
{
    snprintf(id_text, sizeof(id_text), "order-%lld", (long long)id);
    return text_of(id_text);
}

static struct dom_text user_of(int user)
{
    snprintf(user_text, sizeof(user_text), "user%d", user);
    return text_of(user_text);
}

static void start(struct world *w, uint64_t seed, uint64_t prices)
{
    memset(w, 0, sizeof(*w));
    w->seed = seed;
    w->prices = prices;
    w->book = book_create(&(struct book_options){.data_bytes = sizeof(int64_t)});
    ck_assert_ptr_nonnull(w->book);
}

static bool better(const struct model_order *a, const struct model_order *b)
{
    if (a->price != b->price) {
        return a->side == ORD_BUY ? a->price > b->price : a->price < b->price;
    }
    return a->sequence < b->sequence;
}

/* The order that trades next with a taker of this side, or MODEL_MAX. */
static size_t model_best(const struct model *model, enum ord_side taker_side)
{
    size_t best = MODEL_MAX;

    for (size_t i = 0; i < model->count; i++) {
        const struct model_order *order = &model->orders[i];
        if (order->side != taker_side &&
            (best == MODEL_MAX || better(order, &model->orders[best]))) {
            best = i;
        }
    }
    return best;
}

static void model_drop(struct model *model, size_t at)
{
    model->orders[at] = model->orders[--model->count];
}

static size_t model_find(const struct model *model, int64_t id)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->orders[i].id == id) {
            return i;
        }
    }
    return MODEL_MAX;
}

static bool within(enum ord_side taker_side, dec_t limit, dec_t price)
{
    return taker_side == ORD_BUY ? price <= limit : price >= limit;
}

/* FOK on a copy of the model, trade by trade. */
static bool model_can_fill(const struct model *model, const struct model_order *taker,
                           enum ord_stp stp)
{
    static struct model copy;
    dec_t wanted = taker->leaves;

    copy.count = model->count;
    memcpy(copy.orders, model->orders, model->count * sizeof(model->orders[0]));
    while (wanted > 0) {
        const size_t at = model_best(&copy, taker->side);
        if (at == MODEL_MAX || !within(taker->side, taker->price, copy.orders[at].price)) {
            return false;
        }
        const bool self = copy.orders[at].user == taker->user && stp != ORD_STP_NONE;
        if (self && stp != ORD_STP_EXPIRE_MAKER) {
            return false;
        }
        wanted -= self ? 0 : dec_min(wanted, copy.orders[at].leaves);
        model_drop(&copy, at);
    }
    return true;
}

static void insert_both(struct world *w, const struct model_order *order)
{
    char user[32];
    struct book_order *out = NULL;

    snprintf(user, sizeof(user), "user%d", order->user);
    const struct book_new new_order = {.id = id_of(order->id),
                                       .user = text_of(user),
                                       .side = order->side,
                                       .price = order->price,
                                       .leaves = order->leaves,
                                       .sequence = order->sequence};
    ck_assert_int_eq(book_insert(w->book, &new_order, &out), BOOK_OK);
    ck_assert_int_eq(book_insert(w->book, &new_order, NULL), BOOK_DUPLICATE);
    /* The caller's data must follow the order through growth and reuse. */
    ck_assert_msg(*(int64_t *)out->data == 0, "data starts zeroed");
    *(int64_t *)out->data = order->id;
    ck_assert_uint_lt(w->model.count, MODEL_MAX);
    w->model.orders[w->model.count++] = *order;
}

/* Trades until the taker is done; false when self-trade prevention ended it. */
static bool match_both(struct world *w, struct model_order *order, enum ord_stp stp)
{
    char user[32];
    struct book_match match = {0};
    enum book_step step = BOOK_EMPTY;

    snprintf(user, sizeof(user), "user%d", order->user);
    struct book_taker taker = {.user = text_of(user),
                               .side = order->side,
                               .stp = stp,
                               .limit = order->price,
                               .leaves = order->leaves};
    ck_assert_int_eq(book_can_fill(w->book, &taker), model_can_fill(&w->model, order, stp));
    while ((step = book_peek(w->book, &taker, &match)) == BOOK_MATCH || step == BOOK_SELF) {
        const size_t at = model_best(&w->model, order->side);
        ck_assert_uint_ne(at, MODEL_MAX);
        struct model_order *maker = &w->model.orders[at];
        ck_assert_int_eq(*(int64_t *)match.maker->data, maker->id);
        ck_assert(dom_text_equal(book_order_id(match.maker), id_of(maker->id)));
        assert_amount(match.price, maker->price, "the maker's price");
        assert_amount(match.qty, dec_min(order->leaves, maker->leaves), "quantity");
        ck_assert_int_eq(step == BOOK_SELF, maker->user == order->user && stp != ORD_STP_NONE);
        if (step == BOOK_SELF) {
            if (stp == ORD_STP_EXPIRE_MAKER || stp == ORD_STP_EXPIRE_BOTH) {
                book_remove(w->book, match.maker);
                model_drop(&w->model, at);
            }
            if (stp != ORD_STP_EXPIRE_MAKER) {
                return false;
            }
            continue;
        }
        book_fill(w->book, &taker, &match);
        order->leaves -= match.qty;
        maker->leaves -= match.qty;
        ck_assert_msg(match.maker->leaves == maker->leaves, "readable after it is gone");
        if (maker->leaves == 0) {
            model_drop(&w->model, at);
        }
        w->trades++;
    }
    const size_t at = model_best(&w->model, order->side);
    const enum book_step should = order->leaves == 0 ? BOOK_FILLED
                                  : at == MODEL_MAX  ? BOOK_EMPTY
                                                     : BOOK_LIMIT;
    ck_assert_int_eq(step, should);
    return true;
}

static void new_order(struct world *w)
{
    static const enum ord_stp modes[] = {ORD_STP_EXPIRE_TAKER, ORD_STP_EXPIRE_MAKER,
                                         ORD_STP_EXPIRE_BOTH, ORD_STP_NONE};
    struct model_order order = {
        .id = w->next_id++,
        .user = (int)random_below(&w->seed, USERS),
        .side = (enum ord_side)random_below(&w->seed, 2),
        .price = (dec_t)(1 + random_below(&w->seed, w->prices)) * (DEC_ONE / 100),
        .leaves = (dec_t)(1 + random_below(&w->seed, 50)) * (DEC_ONE / 1000),
        .sequence = w->next_sequence++,
    };
    const bool rests = random_below(&w->seed, 4) != 0;

    const size_t best = model_best(&w->model, order.side);
    ck_assert_int_eq(book_crosses(w->book, order.side, order.price),
                     best != MODEL_MAX &&
                         within(order.side, order.price, w->model.orders[best].price));
    if (match_both(w, &order, modes[random_below(&w->seed, 4)]) && order.leaves > 0 && rests) {
        insert_both(w, &order);
    }
}

/* A cancel or a reduction of any id ever issued, or of one that never was. */
static void touch_order(struct world *w)
{
    const int64_t id = (int64_t)random_below(&w->seed, (uint64_t)w->next_id + 3);
    const size_t at = model_find(&w->model, id);
    struct book_order *order = book_find(w->book, id_of(id));

    ck_assert_int_eq(order != NULL, at != MODEL_MAX);
    if (order == NULL) {
        return;
    }
    ck_assert(dom_text_equal(book_order_user(order), user_of(w->model.orders[at].user)));
    if (random_below(&w->seed, 3) == 0) {
        const dec_t less = (dec_t)(random_below(&w->seed, 30)) * (DEC_ONE / 1000);
        const bool possible = less > 0 && less <= order->leaves;
        ck_assert_int_eq(book_reduce(w->book, order, less), possible);
        w->model.orders[at].leaves -= possible ? less : 0;
        if (w->model.orders[at].leaves == 0) {
            model_drop(&w->model, at);
        }
        return;
    }
    book_remove(w->book, order);
    model_drop(&w->model, at);
}

static void compare_level(const struct world *w, enum ord_side side, size_t index)
{
    struct book_level level = {0};
    struct book_level same = {0};
    dec_t qty = 0;
    int32_t orders = 0;

    ck_assert(book_level_at(w->book, side, index, &level));
    for (size_t i = 0; i < w->model.count; i++) {
        const struct model_order *order = &w->model.orders[i];
        if (order->side == side && order->price == level.price) {
            qty += order->leaves;
            orders++;
        }
    }
    assert_amount(level.qty, qty, "level quantity");
    ck_assert_int_eq(level.orders, orders);
    book_level_find(w->book, side, level.price, &same);
    assert_amount(same.qty, qty, "found by price");
}

/* The user's orders, oldest first: as many as in the model, each later than the one before. */
static void compare_user(const struct world *w, int user)
{
    size_t orders = 0;
    int64_t sequence = -1;

    for (const struct book_order *order = book_user_first(w->book, user_of(user)); order != NULL;
         order = order->user_newer) {
        const size_t at = model_find(&w->model, *(const int64_t *)order->data);
        ck_assert_uint_ne(at, MODEL_MAX);
        ck_assert_int_eq(w->model.orders[at].user, user);
        ck_assert_int_gt(order->sequence, sequence);
        sequence = order->sequence;
        orders++;
    }
    for (size_t i = 0; i < w->model.count; i++) {
        orders -= w->model.orders[i].user == user ? 1 : 0;
    }
    ck_assert_uint_eq(orders, 0);
}

static void compare_all(const struct world *w)
{
    const char *defect = book_defect(w->book);
    int32_t orders = 0;

    ck_assert_msg(defect == NULL, "%s", defect == NULL ? "" : defect);
    ck_assert_uint_eq(book_orders(w->book), w->model.count);
    for (int side = ORD_BUY; side <= ORD_SELL; side++) {
        struct book_level level = {0};
        for (size_t i = 0; i < book_levels(w->book, (enum ord_side)side); i++) {
            compare_level(w, (enum ord_side)side, i);
            ck_assert(book_level_at(w->book, (enum ord_side)side, i, &level));
            orders += level.orders;
        }
    }
    ck_assert_int_eq(orders, (int)w->model.count);
    for (int user = 0; user <= USERS; user++) { /* the last one never had an order */
        compare_user(w, user);
    }
}

/* Everything out and in again, in another order: the book must come back the same. */
static void restore(struct world *w)
{
    static struct model saved;
    const uint32_t checksum = book_checksum(w->book);

    saved.count = w->model.count;
    memcpy(saved.orders, w->model.orders, saved.count * sizeof(saved.orders[0]));
    book_clear(w->book);
    ck_assert_uint_eq(book_orders(w->book), 0);
    w->model.count = 0;
    for (size_t i = saved.count; i > 1; i--) {
        const size_t k = (size_t)random_below(&w->seed, i);
        const struct model_order swap = saved.orders[i - 1];
        saved.orders[i - 1] = saved.orders[k];
        saved.orders[k] = swap;
    }
    for (size_t i = 0; i < saved.count; i++) {
        insert_both(w, &saved.orders[i]);
    }
    ck_assert_uint_eq(book_checksum(w->book), checksum);
}

static const struct {
    uint64_t prices;
    int steps;
    const char *why;
} stream_rows[] = {
    {3, 40000, "few prices: long queues"},
    {40, 40000, "a dense book"},
    {5000, 15000, "a sparse book: levels come and go"},
};

START_TEST(book_and_model_never_differ)
{
    static struct world w;

    start(&w, (uint64_t)_i + 1, stream_rows[_i].prices);
    for (int i = 0; i < stream_rows[_i].steps; i++) {
        /* Phases of growth and of decay: cancels are rare, then frequent. */
        const uint64_t cancels = (i / 2000) % 2 == 0 ? 15 : 70;
        if (random_below(&w.seed, 100) < cancels) {
            touch_order(&w);
        } else {
            new_order(&w);
        }
        if (i % 250 == 0) {
            compare_all(&w);
        }
        if (i % 5000 == 4999) {
            restore(&w);
            compare_all(&w);
        }
    }
    ck_assert_msg(w.trades > 1000, "%s", stream_rows[_i].why);
    book_destroy(&w.book);
    ck_assert_ptr_null(w.book);
}
END_TEST

/* A second book made of nothing but the deltas. */
struct mirror {
    struct book_level levels[2][512];
    size_t count[2];
};

static void mirror_apply(struct mirror *mirror, int side, const struct book_level *level)
{
    size_t at = 0;

    while (at < mirror->count[side] && mirror->levels[side][at].price != level->price) {
        at++;
    }
    if (level->qty == 0) {
        if (at < mirror->count[side]) {
            mirror->levels[side][at] = mirror->levels[side][--mirror->count[side]];
        }
        return;
    }
    mirror->count[side] += at == mirror->count[side] ? 1 : 0;
    mirror->levels[side][at] = *level;
}

static void mirror_compare(const struct mirror *mirror, const struct book *book, int side)
{
    ck_assert_uint_eq(mirror->count[side], book_levels(book, (enum ord_side)side));
    for (size_t i = 0; i < mirror->count[side]; i++) {
        struct book_level level = {0};
        book_level_find(book, (enum ord_side)side, mirror->levels[side][i].price, &level);
        assert_amount(level.qty, mirror->levels[side][i].qty, "mirrored quantity");
        ck_assert_int_eq(level.orders, mirror->levels[side][i].orders);
    }
}

START_TEST(the_changes_alone_rebuild_the_book)
{
    static struct world w;
    static struct mirror mirror;

    start(&w, 99, 100);
    mirror.count[0] = mirror.count[1] = 0;
    for (int round = 0; round < 3000; round++) {
        for (uint64_t n = random_below(&w.seed, 12); n > 0; n--) {
            if (random_below(&w.seed, 100) < 40) {
                touch_order(&w);
            } else {
                new_order(&w);
            }
        }
        for (int side = ORD_BUY; side <= ORD_SELL; side++) {
            struct book_level level = {0};
            struct book_level previous = {0};
            const size_t changes = book_changes(w.book, (enum ord_side)side);
            for (size_t i = 0; i < changes; i++) {
                ck_assert(book_change_at(w.book, (enum ord_side)side, i, &level));
                ck_assert_msg(i == 0 || (side == ORD_BUY ? level.price < previous.price
                                                         : level.price > previous.price),
                              "best first, each price once");
                mirror_apply(&mirror, side, &level);
                previous = level;
            }
            ck_assert(!book_change_at(w.book, (enum ord_side)side, changes, &level));
            mirror_compare(&mirror, w.book, side);
        }
        book_changes_clear(w.book);
        ck_assert_uint_eq(book_changes(w.book, ORD_BUY) + book_changes(w.book, ORD_SELL), 0);
    }
    book_destroy(&w.book);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_book_model");
    TCase *tcase = tcase_create("model");

    tcase_add_loop_test(tcase, book_and_model_never_differ, 0,
                        (int)(sizeof(stream_rows) / sizeof(stream_rows[0])));
    tcase_add_test(tcase, the_changes_alone_rebuild_the_book);
    tcase_set_timeout(tcase, 100);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
