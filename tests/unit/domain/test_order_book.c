/*
 * test_order_book.c
 *
 * Goal:   each rule of matching is visible in one small scene.
 * Method: a book is set up order by order, a taker walks it, the trades are compared. The random
 *         comparison with a model stands in test_order_book_model.c.
 */
#include "domain/order_book.h"
#include "domain_test.h"

static struct book *book;
static int64_t sequence;

static void setup(void)
{
    book = book_create(NULL);
    sequence = 0;
    ck_assert_ptr_nonnull(book);
}

static void teardown(void)
{
    book_destroy(&book);
}

static struct book_order *rest(const char *id, const char *user, enum ord_side side,
                               const char *price, const char *qty)
{
    struct book_order *order = NULL;

    ck_assert_int_eq(book_insert(book,
                                 &(struct book_new){.id = text_of(id),
                                                    .user = text_of(user),
                                                    .side = side,
                                                    .price = amount(price),
                                                    .leaves = amount(qty),
                                                    .sequence = ++sequence},
                                 &order),
                     BOOK_OK);
    return order;
}

static struct book_taker taker_of(enum ord_side side, const char *limit, const char *qty)
{
    return (struct book_taker){.user = dom_text_str("taker"),
                               .side = side,
                               .stp = ORD_STP_EXPIRE_TAKER,
                               .limit = amount(limit),
                               .leaves = amount(qty)};
}

/* Trades as far as it goes; "maker price qty;" for each trade into tape. */
static enum book_step walk(struct book_taker *taker, char *tape, size_t tape_bytes)
{
    struct book_match match = {0};
    enum book_step step = BOOK_EMPTY;
    size_t len = 0;

    tape[0] = '\0';
    while ((step = book_peek(book, taker, &match)) == BOOK_MATCH) {
        char price[DEC_TEXT_MAX];
        char qty[DEC_TEXT_MAX];
        dec_format(match.price, price);
        dec_format(match.qty, qty);
        len += (size_t)snprintf(tape + len, tape_bytes - len, "%.*s %s %s;",
                                (int)match.maker->id_len, match.maker->id, price, qty);
        ck_assert_uint_lt(len, tape_bytes);
        book_fill(book, taker, &match);
    }
    return step;
}

static const struct {
    enum ord_side side;
    const char *limit;
    const char *qty;
    const char *tape;
    enum book_step step;
    const char *left;
    const char *why;
} sweep_rows[] = {
    {ORD_BUY, "101", "3", "a1 101 2;a2 101 1;", BOOK_FILLED, "0", "time decides within a price"},
    {ORD_BUY, "103", "4", "a1 101 2;a2 101 2;", BOOK_FILLED, "0", "trades at the maker's price"},
    {ORD_BUY, "102", "6", "a1 101 2;a2 101 2;a3 102 1;", BOOK_LIMIT, "1", "stops at its limit"},
    {ORD_BUY, "110", "9", "a1 101 2;a2 101 2;a3 102 1;a4 103 3;", BOOK_EMPTY, "1",
     "sweeps all levels and finds the end"},
    {ORD_BUY, "100.99", "1", "", BOOK_LIMIT, "1", "below the best ask"},
    {ORD_SELL, "99", "1", "b1 99 1;", BOOK_FILLED, "0", "at the bid exactly"},
    {ORD_SELL, "99.01", "1", "", BOOK_LIMIT, "1", "above the best bid"},
    {ORD_SELL, "1", "5", "b1 99 3;b2 98 2;", BOOK_FILLED, "0", "best bid first"},
};

START_TEST(a_taker_takes_price_then_time)
{
    char tape[256];
    struct book_taker taker =
        taker_of(sweep_rows[_i].side, sweep_rows[_i].limit, sweep_rows[_i].qty);

    rest("a4", "m", ORD_SELL, "103", "3");
    rest("a1", "m", ORD_SELL, "101", "2");
    rest("a3", "m", ORD_SELL, "102", "1");
    rest("a2", "m", ORD_SELL, "101", "2");
    rest("b2", "m", ORD_BUY, "98", "3");
    rest("b1", "m", ORD_BUY, "99", "3");
    ck_assert_int_eq(walk(&taker, tape, sizeof(tape)), sweep_rows[_i].step);
    ck_assert_msg(strcmp(tape, sweep_rows[_i].tape) == 0, "%s: %s", sweep_rows[_i].why, tape);
    assert_amount(taker.leaves, amount(sweep_rows[_i].left), sweep_rows[_i].why);
    ck_assert_ptr_null(book_defect(book));
}
END_TEST

START_TEST(a_partly_filled_maker_keeps_its_place)
{
    char tape[128];
    struct book_taker first = taker_of(ORD_BUY, "101", "1");
    struct book_taker second = taker_of(ORD_BUY, "101", "2");

    rest("a1", "m", ORD_SELL, "101", "2");
    rest("a2", "m", ORD_SELL, "101", "2");
    walk(&first, tape, sizeof(tape));
    walk(&second, tape, sizeof(tape));
    ck_assert_str_eq(tape, "a1 101 1;a2 101 1;");
}
END_TEST

START_TEST(peeking_changes_nothing)
{
    struct book_match match = {0};
    const struct book_taker taker = taker_of(ORD_BUY, "101", "1");

    rest("a1", "m", ORD_SELL, "101", "2");
    book_changes_clear(book);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_MATCH);
        assert_amount(match.maker->leaves, amount("2"), "untouched");
    }
    ck_assert_uint_eq(book_changes(book, ORD_SELL), 0);
}
END_TEST

START_TEST(a_live_id_is_refused_and_free_again_when_gone)
{
    struct book_order *order = rest("x", "m", ORD_SELL, "101", "2");
    const struct book_new again = {.id = dom_text_str("x"),
                                   .user = dom_text_str("other"),
                                   .side = ORD_BUY,
                                   .price = DEC_ONE,
                                   .leaves = DEC_ONE,
                                   .sequence = 9};

    ck_assert_int_eq(book_insert(book, &again, NULL), BOOK_DUPLICATE);
    book_remove(book, order);
    ck_assert_ptr_null(book_find(book, text_of("x")));
    ck_assert_int_eq(book_insert(book, &again, NULL), BOOK_OK);
}
END_TEST

static const struct {
    struct book_new order;
    const char *why;
} bad_rows[] = {
    {{{"x", 1}, {"u", 1}, ORD_BUY, 0, 1, 1}, "price 0"},
    {{{"x", 1}, {"u", 1}, ORD_BUY, -1, 1, 1}, "negative price"},
    {{{"x", 1}, {"u", 1}, ORD_BUY, 1, 0, 1}, "no quantity"},
    {{{"x", 1}, {"u", 1}, ORD_BUY, 1, -1, 1}, "negative quantity"},
    {{{"", 0}, {"u", 1}, ORD_BUY, 1, 1, 1}, "no id"},
    {{{"x", 1}, {"", 0}, ORD_BUY, 1, 1, 1}, "no user"},
    {{{"0123456789012345678901234567890123456789012345678901234567890123X", 65},
      {"u", 1},
      ORD_BUY,
      1,
      1,
      1},
     "id one byte too long"},
    {{{"x", 1},
      {"0123456789012345678901234567890123456789012345678901234567890123X", 65},
      ORD_BUY,
      1,
      1,
      1},
     "user one byte too long"},
    {{{"x", 1}, {"u", 1}, ORD_BUY, DEC_MAX + 1, 1, 1}, "price out of range"},
    {{{"x", 1}, {"u", 1}, ORD_BUY, 1, DEC_MAX + 1, 1}, "quantity out of range"},
};

START_TEST(an_impossible_order_is_refused)
{
    ck_assert_msg(book_insert(book, &bad_rows[_i].order, NULL) == BOOK_BAD_ORDER, "%s",
                  bad_rows[_i].why);
    ck_assert_uint_eq(book_orders(book), 0);
}
END_TEST

START_TEST(a_full_book_says_so_and_takes_again_after_a_cancel)
{
    struct book *small = book_create(&(struct book_options){.orders_max = 2, .orders_reserve = 2});
    struct book_new order = {.user = dom_text_str("u"), .price = 1, .leaves = 1};
    struct book_order *first = NULL;

    order.id = dom_text_str("1");
    ck_assert_int_eq(book_insert(small, &order, &first), BOOK_OK);
    order.id = dom_text_str("2");
    ck_assert_int_eq(book_insert(small, &order, NULL), BOOK_OK);
    order.id = dom_text_str("3");
    ck_assert_int_eq(book_insert(small, &order, NULL), BOOK_FULL);
    book_remove(small, first);
    ck_assert_int_eq(book_insert(small, &order, NULL), BOOK_OK);
    book_destroy(&small);
}
END_TEST

START_TEST(a_level_whose_sum_would_leave_the_range_is_full)
{
    struct book_new order = {
        .id = dom_text_str("1"), .user = dom_text_str("u"), .price = 1, .leaves = DEC_MAX};

    ck_assert_int_eq(book_insert(book, &order, NULL), BOOK_OK);
    order.id = dom_text_str("2");
    order.leaves = 1;
    ck_assert_int_eq(book_insert(book, &order, NULL), BOOK_FULL);
    order.price = 2;
    ck_assert_int_eq(book_insert(book, &order, NULL), BOOK_OK);
    ck_assert_ptr_null(book_defect(book));
}
END_TEST

START_TEST(an_own_order_stops_the_walk_unless_told_otherwise)
{
    char tape[128];
    struct book_match match = {0};
    struct book_taker taker = taker_of(ORD_BUY, "101", "5");

    rest("a1", "m", ORD_SELL, "101", "1");
    rest("a2", "taker", ORD_SELL, "101", "1");
    ck_assert_int_eq(walk(&taker, tape, sizeof(tape)), BOOK_SELF);
    ck_assert_str_eq(tape, "a1 101 1;");
    ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_SELF);
    ck_assert(dom_text_equal(book_order_id(match.maker), text_of("a2")));
    taker.stp = ORD_STP_NONE;
    ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_MATCH);
    taker.stp = ORD_STP_EXPIRE_TAKER;
    taker.user = dom_text_str("take");
    ck_assert_msg(book_peek(book, &taker, &match) == BOOK_MATCH, "a prefix is another user");
}
END_TEST

static const struct {
    const char *limit;
    const char *qty;
    enum ord_stp stp;
    bool fills;
    const char *why;
} fok_rows[] = {
    {"102", "3", ORD_STP_NONE, true, "exactly what is there"},
    {"102", "3.1", ORD_STP_NONE, false, "a tenth too much"},
    {"101", "2", ORD_STP_NONE, true, "own order counts without prevention"},
    {"101", "1", ORD_STP_EXPIRE_TAKER, true, "filled before the own order is met"},
    {"101", "1.1", ORD_STP_EXPIRE_TAKER, false, "the own order would end it"},
    {"102", "2", ORD_STP_EXPIRE_MAKER, true, "the own order is passed over"},
    {"102", "2.1", ORD_STP_EXPIRE_MAKER, false, "and does not count"},
    {"102", "2", ORD_STP_EXPIRE_BOTH, false, "ends both"},
    {"102", "2", ORD_STP_DECREMENT, false, "decremented is not filled"},
    {"100", "1", ORD_STP_NONE, false, "nothing within the limit"},
};

START_TEST(fill_or_kill_looks_before_it_trades)
{
    struct book_taker taker = taker_of(ORD_BUY, fok_rows[_i].limit, fok_rows[_i].qty);

    rest("a1", "m", ORD_SELL, "101", "1");
    rest("a2", "taker", ORD_SELL, "101", "1");
    rest("a3", "m", ORD_SELL, "102", "1");
    taker.stp = fok_rows[_i].stp;
    ck_assert_msg(book_can_fill(book, &taker) == fok_rows[_i].fills, "%s", fok_rows[_i].why);
}
END_TEST

START_TEST(crossing_is_at_the_price_or_beyond)
{
    ck_assert_msg(!book_crosses(book, ORD_BUY, DEC_MAX), "an empty book crosses nothing");
    rest("a1", "m", ORD_SELL, "101", "1");
    rest("b1", "m", ORD_BUY, "99", "1");
    ck_assert(!book_crosses(book, ORD_BUY, amount("100.99")));
    ck_assert(book_crosses(book, ORD_BUY, amount("101")));
    ck_assert(!book_crosses(book, ORD_SELL, amount("99.01")));
    ck_assert(book_crosses(book, ORD_SELL, amount("99")));
}
END_TEST

START_TEST(a_reduction_keeps_the_place_and_ends_at_nothing)
{
    char tape[128];
    struct book_taker taker = taker_of(ORD_BUY, "101", "1");
    struct book_order *first = rest("a1", "m", ORD_SELL, "101", "3");

    rest("a2", "m", ORD_SELL, "101", "3");
    ck_assert(!book_reduce(book, first, amount("3.1")));
    ck_assert(!book_reduce(book, first, 0));
    ck_assert(book_reduce(book, first, amount("2")));
    walk(&taker, tape, sizeof(tape));
    ck_assert_str_eq(tape, "a1 101 1;");
    ck_assert_ptr_null(book_find(book, text_of("a1")));
    ck_assert_uint_eq(book_orders(book), 1);
}
END_TEST

/* The ids of a user's orders in the order in which the book tells them. */
static const char *orders_of(const char *user)
{
    static char tape[128];
    size_t len = 0;

    tape[0] = '\0';
    for (const struct book_order *order = book_user_first(book, text_of(user)); order != NULL;
         order = order->user_newer) {
        len += (size_t)snprintf(tape + len, sizeof(tape) - len, "%.*s;", (int)order->id_len,
                                order->id);
    }
    ck_assert_ptr_null(book_defect(book));
    return tape;
}

START_TEST(a_users_orders_are_told_oldest_first)
{
    struct book_match match = {0};
    struct book_taker taker = taker_of(ORD_BUY, "103", "2");

    ck_assert_str_eq(orders_of("m"), "");
    rest("m1", "m", ORD_SELL, "103", "1");
    rest("n1", "n", ORD_SELL, "102", "2");
    struct book_order *middle = rest("m2", "m", ORD_BUY, "99", "1");
    rest("m3", "m", ORD_SELL, "101", "1");
    struct book_order *newest = rest("m4", "m", ORD_BUY, "98", "1");
    ck_assert_str_eq(orders_of("m"), "m1;m2;m3;m4;");
    ck_assert_str_eq(orders_of("n"), "n1;");
    ck_assert_msg(orders_of("")[0] == '\0', "a prefix is another user");
    book_remove(book, middle);
    ck_assert_str_eq(orders_of("m"), "m1;m3;m4;");
    book_remove(book, newest);
    ck_assert_str_eq(orders_of("m"), "m1;m3;");
    while (book_peek(book, &taker, &match) == BOOK_MATCH) { /* m3 whole, n1 in part */
        book_fill(book, &taker, &match);
    }
    ck_assert_str_eq(orders_of("m"), "m1;");
    ck_assert_str_eq(orders_of("n"), "n1;");
    sequence = -1; /* restored late: older than all */
    rest("m0", "m", ORD_BUY, "97", "1");
    ck_assert_str_eq(orders_of("m"), "m0;m1;");
    book_remove(book, book_find(book, text_of("m0")));
    ck_assert_str_eq(orders_of("m"), "m1;");
    book_clear(book);
    ck_assert_str_eq(orders_of("m"), "");
}
END_TEST

/* Order i of a loaded book: few levels, few users, `at` is its place in time. */
static struct book_new loaded_order(char *id, size_t bytes, int i, int64_t at)
{
    static const char *const users[] = {"u0", "u1", "u2"};
    const bool buys = i % 2 == 0;

    (void)snprintf(id, bytes, "o%03d", i);
    return (struct book_new){.id = text_of(id),
                             .user = text_of(users[i % 3]),
                             .side = buys ? ORD_BUY : ORD_SELL,
                             .price = amount(buys ? "99" : "101") - i % 5 * amount("0.1"),
                             .leaves = amount("1"),
                             .sequence = at};
}

START_TEST(orders_loaded_in_any_order_come_to_stand_in_theirs)
{
    enum { ORDERS = 240, STRIDE = 77 }; /* without a common divisor: each place once */
    struct book_taker taker = taker_of(ORD_BUY, "102", "240");
    struct book_match match = {0};
    int64_t last_sequence = -1;
    dec_t last_price = 0;
    char id[8];

    for (int i = 0; i < ORDERS; i++) {
        const struct book_new order =
            loaded_order(id, sizeof(id), i, _i == 0 ? i : i * STRIDE % ORDERS);

        ck_assert_int_eq(book_load(book, &order, NULL), BOOK_OK);
        ck_assert_int_eq(book_load(book, &order, NULL), BOOK_DUPLICATE);
    }
    book_loaded(book);
    ck_assert_msg(book_defect(book) == NULL, "%s", book_defect(book));
    ck_assert_uint_eq(book_orders(book), ORDERS);
    for (int i = 0; i < ORDERS / 2; i++) {
        ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_MATCH);
        ck_assert(match.price > last_price ||
                  (match.price == last_price && match.maker->sequence > last_sequence));
        last_price = match.price;
        last_sequence = match.maker->sequence;
        book_fill(book, &taker, &match);
    }
    ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_EMPTY);
    ck_assert_msg(book_defect(book) == NULL, "%s", book_defect(book));
}
END_TEST

START_TEST(equals_stay_in_the_order_they_were_loaded_in)
{
    char id[8];

    for (int i = 0; i < 30; i += 6) { /* one user, one side */
        (void)snprintf(id, sizeof(id), "o%02d", i);
        ck_assert_int_eq(book_load(book,
                                   &(struct book_new){.id = text_of(id),
                                                      .user = text_of("u"),
                                                      .side = ORD_BUY,
                                                      .price = amount("1"),
                                                      .leaves = amount("1"),
                                                      .sequence = i == 0 ? 9 : 5},
                                   NULL),
                         BOOK_OK);
    }
    book_loaded(book);
    ck_assert_str_eq(orders_of("u"), "o06;o12;o18;o24;o00;");
}
END_TEST

START_TEST(the_longest_texts_and_the_smallest_amounts_are_taken)
{
    static const char longest[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    struct book_taker taker = taker_of(ORD_BUY, "1", "1");
    struct book_match match = {0};

    ck_assert_uint_eq(strlen(longest), ORD_ID_MAX);
    ck_assert_int_eq(book_insert(book,
                                 &(struct book_new){.id = text_of(longest),
                                                    .user = text_of(longest),
                                                    .side = ORD_SELL,
                                                    .price = 1,
                                                    .leaves = 1},
                                 NULL),
                     BOOK_OK);
    ck_assert_ptr_nonnull(book_find(book, text_of(longest)));
    taker.limit = taker.leaves = 1;
    ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_MATCH);
    assert_amount(match.qty, 1, "an atom for an atom");
    book_fill(book, &taker, &match);
    ck_assert_int_eq(book_peek(book, &taker, &match), BOOK_FILLED);
    ck_assert_uint_eq(book_orders(book), 0);
}
END_TEST

START_TEST(equals_stay_in_the_order_they_were_inserted_in)
{
    const char *const ids[] = {"a", "b", "c"};

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(book_insert(book,
                                     &(struct book_new){.id = text_of(ids[i]),
                                                        .user = text_of("u"),
                                                        .side = ORD_BUY,
                                                        .price = 1 + i,
                                                        .leaves = 1,
                                                        .sequence = 5},
                                     NULL),
                         BOOK_OK);
    }
    ck_assert_str_eq(orders_of("u"), "a;b;c;");
}
END_TEST

/* So many that every slot of the users' table is one of theirs in some round. */
START_TEST(the_orders_of_every_user_are_sorted)
{
    enum { ROUNDS = 8, USERS = 512 };

    for (int round = 0; round < ROUNDS; round++) {
        struct book *many = book_create(NULL);

        for (int i = 0; i < 2 * USERS; i++) { /* the later one first */
            char id[16];
            char user[32];

            (void)snprintf(id, sizeof(id), "o%d", i);
            (void)snprintf(user, sizeof(user), "r%du%d", round, i / 2);
            ck_assert_int_eq(book_load(many,
                                       &(struct book_new){.id = text_of(id),
                                                          .user = text_of(user),
                                                          .side = ORD_BUY,
                                                          .price = 1 + i,
                                                          .leaves = 1,
                                                          .sequence = 2 * USERS - i},
                                       NULL),
                             BOOK_OK);
        }
        book_loaded(many);
        ck_assert_msg(book_defect(many) == NULL, "%s", book_defect(many));
        book_destroy(&many);
    }
}
END_TEST

START_TEST(the_changes_tell_absolute_levels_once)
{
    struct book_level level = {0};
    struct book_order *gone = rest("b1", "m", ORD_BUY, "99", "1");

    rest("b2", "m", ORD_BUY, "98", "1");
    rest("b3", "m", ORD_BUY, "98", "2");
    book_remove(book, gone);
    ck_assert_uint_eq(book_changes(book, ORD_BUY), 2);
    ck_assert(book_change_at(book, ORD_BUY, 0, &level));
    assert_amount(level.price, amount("99"), "best first");
    ck_assert_msg(level.qty == 0 && level.orders == 0, "came and went");
    ck_assert(book_change_at(book, ORD_BUY, 1, &level));
    assert_amount(level.qty, amount("3"), "sum of the level");
    ck_assert_int_eq(level.orders, 2);
}
END_TEST

START_TEST(a_sweep_of_five_thousand_orders_empties_the_book)
{
    struct book_match match = {0};
    struct book_taker taker = taker_of(ORD_BUY, "10000", "5000");
    char id[16];
    int trades = 0;

    for (int i = 0; i < 5000; i++) {
        char price[16];
        snprintf(id, sizeof(id), "a%d", i);
        snprintf(price, sizeof(price), "%d", 5000 - i % 2500);
        rest(id, "m", ORD_SELL, price, "1");
    }
    while (book_peek(book, &taker, &match) == BOOK_MATCH) {
        book_fill(book, &taker, &match);
        trades++;
    }
    ck_assert_int_eq(trades, 5000);
    ck_assert_uint_eq(book_orders(book) + book_levels(book, ORD_SELL), 0);
    ck_assert_uint_eq(book_changes(book, ORD_SELL), 2500);
    ck_assert_ptr_null(book_defect(book));
}
END_TEST

START_TEST(the_checksum_is_the_crc_of_the_ten_best_levels)
{
    ck_assert_msg(book_checksum(book) == 0, "CRC32 of nothing");
    rest("a", "m", ORD_SELL, "1.5", "2");
    rest("b", "m", ORD_BUY, "1", "0.25");
    /* zlib's crc32 of "1.5:2;1:0.25;" */
    ck_assert_uint_eq(book_checksum(book), UINT32_C(0xa4fbd8d4));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_book");
    TCase *tcase = tcase_create("book");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_taker_takes_price_then_time, 0,
                        (int)(sizeof(sweep_rows) / sizeof(sweep_rows[0])));
    tcase_add_test(tcase, a_partly_filled_maker_keeps_its_place);
    tcase_add_test(tcase, peeking_changes_nothing);
    tcase_add_test(tcase, a_live_id_is_refused_and_free_again_when_gone);
    tcase_add_loop_test(tcase, an_impossible_order_is_refused, 0,
                        (int)(sizeof(bad_rows) / sizeof(bad_rows[0])));
    tcase_add_test(tcase, a_full_book_says_so_and_takes_again_after_a_cancel);
    tcase_add_test(tcase, a_level_whose_sum_would_leave_the_range_is_full);
    tcase_add_test(tcase, an_own_order_stops_the_walk_unless_told_otherwise);
    tcase_add_loop_test(tcase, fill_or_kill_looks_before_it_trades, 0,
                        (int)(sizeof(fok_rows) / sizeof(fok_rows[0])));
    tcase_add_test(tcase, crossing_is_at_the_price_or_beyond);
    tcase_add_test(tcase, a_reduction_keeps_the_place_and_ends_at_nothing);
    tcase_add_test(tcase, a_users_orders_are_told_oldest_first);
    tcase_add_loop_test(tcase, orders_loaded_in_any_order_come_to_stand_in_theirs, 0, 2);
    tcase_add_test(tcase, the_longest_texts_and_the_smallest_amounts_are_taken);
    tcase_add_test(tcase, equals_stay_in_the_order_they_were_inserted_in);
    tcase_add_test(tcase, the_orders_of_every_user_are_sorted);
    tcase_add_test(tcase, equals_stay_in_the_order_they_were_loaded_in);
    tcase_add_test(tcase, the_changes_tell_absolute_levels_once);
    tcase_add_test(tcase, a_sweep_of_five_thousand_orders_empties_the_book);
    tcase_add_test(tcase, the_checksum_is_the_crc_of_the_ten_best_levels);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
