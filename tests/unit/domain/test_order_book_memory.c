/*
 * test_order_book_memory.c
 *
 * Goal:   a warm book costs no malloc per order, and a book that gets no memory stays whole.
 * Method: allocations are counted and refused (allocations.h).
 */
#include "allocations.h"
#include "domain/order_book.h"
#include "domain_test.h"

static char ids[4096][16];
static char users[4096][16];

static enum book_result put(struct book *book, int number, dec_t price)
{
    snprintf(ids[number], sizeof(ids[number]), "o%d", number);
    snprintf(users[number], sizeof(users[number]), "u%d", number / 2); /* two orders each */
    return book_insert(book,
                       &(struct book_new){.id = text_of(ids[number]),
                                          .user = text_of(users[number]),
                                          .side = ORD_SELL,
                                          .price = price,
                                          .leaves = 5,
                                          .sequence = number},
                       NULL);
}

START_TEST(a_warm_book_allocates_nothing)
{
    struct book *book =
        book_create(&(struct book_options){.orders_reserve = 1000, .data_bytes = 24});
    long warm = 0;

    ck_assert_ptr_nonnull(book);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 1000; i++) {
            ck_assert_int_eq(put(book, i, 1 + i % 500), BOOK_OK);
        }
        for (int i = 0; i < 1000; i++) {
            book_remove(book, book_find(book, text_of(ids[i])));
        }
        book_changes_clear(book);
        if (round == 0) {
            warm = calls;
        }
    }
    ck_assert_int_eq(calls, warm);
    book_destroy(&book);
}
END_TEST

START_TEST(a_cleared_book_keeps_its_memory_and_nothing_else)
{
    struct book *book = book_create(&(struct book_options){.data_bytes = 8});
    struct book_level level = {0};
    long warm = 0;

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4000; i++) {
            ck_assert_int_eq(put(book, i, 1 + i), BOOK_OK);
        }
        warm = round == 0 ? calls : warm;
        book_clear(book);
        ck_assert_uint_eq(book_orders(book) + book_levels(book, ORD_SELL), 0);
        ck_assert_uint_eq(book_changes(book, ORD_SELL), 0);
        ck_assert(!book_level_at(book, ORD_SELL, 0, &level));
        ck_assert_ptr_null(book_find(book, text_of(ids[0])));
        ck_assert_ptr_null(book_user_first(book, text_of(users[0])));
        ck_assert_ptr_null(book_defect(book));
    }
    ck_assert_int_eq(calls, warm);
    book_destroy(&book);
    book_destroy(&book); /* gone already: nothing happens */
    book_destroy(NULL);
}
END_TEST

/* More chunks than the first list of chunks holds; every order keeps its place. */
START_TEST(a_book_grows_far_beyond_its_first_memory)
{
    enum { MANY = 40000 };
    struct book *book = book_create(&(struct book_options){.data_bytes = 8});
    struct book_order *first = NULL;
    const long before = calls;
    char id[16];

    for (int i = 0; i < MANY; i++) {
        struct book_order *order = NULL;
        snprintf(id, sizeof(id), "g%d", i);
        ck_assert_int_eq(book_insert(book,
                                     &(struct book_new){.id = text_of(id),
                                                        .user = dom_text_str("u"),
                                                        .side = ORD_BUY,
                                                        .price = 1 + i,
                                                        .leaves = 1,
                                                        .sequence = i},
                                     &order),
                         BOOK_OK);
        *(int64_t *)order->data = i;
        first = i == 0 ? order : first;
    }
    ck_assert_msg(calls - before < 120, "%ld: what there is doubles", calls - before);
    ck_assert_ptr_eq(book_user_first(book, dom_text_str("u")), first);
    int64_t number = 0;
    for (const struct book_order *order = first; order != NULL; order = order->user_newer) {
        ck_assert_int_eq(*(const int64_t *)order->data, number);
        ck_assert_msg(order->price == 1 + number, "order %lld", (long long)number);
        number++;
    }
    ck_assert_int_eq(number, MANY);
    ck_assert_ptr_null(book_defect(book));
    book_destroy(&book);
}
END_TEST

START_TEST(a_reserved_book_allocates_no_order)
{
    struct book *book = book_create(&(struct book_options){.orders_reserve = 4000});

    const long created = calls;
    for (int i = 0; i < 4000; i++) {
        ck_assert_int_eq(put(book, i, 7), BOOK_OK);
    }
    ck_assert_msg(calls - created <= 3, "one level's arrays, no order: %ld calls", calls - created);
    book_destroy(&book);
}
END_TEST

START_TEST(a_refused_allocation_refuses_the_order_and_no_more)
{
    bool refused = true;

    /* The n-th allocation and all after it fail, for each n that is reached. */
    for (long n = 1; refused; n++) {
        struct book *book = NULL;
        int orders = 0;
        calls = 0;
        refuse_from = n;
        book = book_create(&(struct book_options){.data_bytes = 8});
        refused = book == NULL;
        for (int i = 0; i < 1500 && book != NULL; i++) {
            const enum book_result result = put(book, i, 1 + i);
            ck_assert(result == BOOK_OK || result == BOOK_NO_MEMORY);
            orders += result == BOOK_OK ? 1 : 0;
            if (result == BOOK_NO_MEMORY) {
                refused = true;
                break;
            }
        }
        refuse_from = -1;
        if (book == NULL) {
            continue;
        }
        const char *defect = book_defect(book);
        ck_assert_msg(defect == NULL, "n = %ld: %s", n, defect == NULL ? "" : defect);
        ck_assert_uint_eq(book_orders(book), (size_t)orders);
        /* Fills and the notes of changes never allocate: take everything, with all refused. */
        refuse_from = 0;
        struct book_match match = {0};
        struct book_taker taker = {.user = dom_text_str("t"), .limit = DEC_MAX, .leaves = DEC_MAX};
        while (book_peek(book, &taker, &match) == BOOK_MATCH) {
            book_fill(book, &taker, &match);
        }
        refuse_from = -1;
        ck_assert_uint_eq(book_orders(book), 0);
        ck_assert_uint_eq(book_changes(book, ORD_SELL), (size_t)orders);
        ck_assert_int_eq(put(book, 0, 3), BOOK_OK);
        book_destroy(&book);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_book_memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_test(tcase, a_warm_book_allocates_nothing);
    tcase_add_test(tcase, a_cleared_book_keeps_its_memory_and_nothing_else);
    tcase_add_test(tcase, a_book_grows_far_beyond_its_first_memory);
    tcase_add_test(tcase, a_reserved_book_allocates_no_order);
    tcase_add_test(tcase, a_refused_allocation_refuses_the_order_and_no_more);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
