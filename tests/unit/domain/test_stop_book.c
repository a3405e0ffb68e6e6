/*
 * test_stop_book.c
 *
 * Goal:   which stop is due next, and that any can leave at any time.
 * Method: a table of who goes before whom; then random inserts, removals, prices and clears beside
 *         a naive list that is searched whole, with the self-check after each step.
 */
#include "domain/heap.h"
#include "domain/stop_book.h"
#include "domain_test.h"

static enum stop_result put(struct stop_book *stops, const char *id, enum ord_side side,
                            dec_t price, int64_t sequence)
{
    return stop_book_insert(stops,
                            &(struct stop_new){.id = text_of(id),
                                               .user = text_of("u"),
                                               .side = side,
                                               .stop_price = price,
                                               .sequence = sequence},
                            NULL);
}

/* The ids of all that are due at a price, taken out one after another. */
static const char *due(struct stop_book *stops, dec_t last, char *buffer)
{
    struct stop_order *order = NULL;

    buffer[0] = '\0';
    while ((order = stop_book_due(stops, last)) != NULL) {
        (void)strncat(buffer, order->id, order->id_len);
        stop_book_remove(stops, order);
        ck_assert_ptr_null(stop_book_defect(stops));
    }
    return buffer;
}

static const struct {
    struct {
        const char *id;
        enum ord_side side;
        dec_t price;
    } stops[4]; /* by arrival */
    dec_t last;
    const char *due;
    const char *why;
} order_rows[] = {
    {{{"a", ORD_BUY, 100}}, 99, "", "a buy waits below its stop price"},
    {{{"a", ORD_BUY, 100}}, 100, "a", "at its stop price it is due"},
    {{{"a", ORD_BUY, 100}}, 101, "a", "and above"},
    {{{"a", ORD_SELL, 100}}, 101, "", "a sell waits above its stop price"},
    {{{"a", ORD_SELL, 100}}, 100, "a", "at its stop price it is due"},
    {{{"a", ORD_SELL, 100}}, 99, "a", "and below"},
    {{{"a", ORD_BUY, 102}, {"b", ORD_BUY, 100}, {"c", ORD_BUY, 101}},
     102,
     "bca",
     "buys from the lowest stop price up"},
    {{{"a", ORD_SELL, 100}, {"b", ORD_SELL, 102}, {"c", ORD_SELL, 101}},
     100,
     "bca",
     "sells from the highest down"},
    {{{"b", ORD_BUY, 100}, {"a", ORD_BUY, 100}, {"d", ORD_SELL, 100}, {"c", ORD_SELL, 100}},
     100,
     "badc",
     "equal prices by arrival, not by name; buys before sells"},
    {{{"s", ORD_SELL, 105}, {"b", ORD_BUY, 95}}, 100, "bs", "a buy first, though it came later"},
    {{{"a", ORD_BUY, 99}, {"b", ORD_BUY, 101}}, 100, "a", "the others wait"},
};

START_TEST(stops_are_due_by_price_and_arrival)
{
    struct stop_book *stops = stop_book_create(NULL);
    char ids[16];

    for (int i = 0; i < 4 && order_rows[_i].stops[i].id != NULL; i++) {
        ck_assert_int_eq(put(stops, order_rows[_i].stops[i].id, order_rows[_i].stops[i].side,
                             order_rows[_i].stops[i].price, i),
                         STOP_OK);
    }
    ck_assert_msg(strcmp(due(stops, order_rows[_i].last, ids), order_rows[_i].due) == 0, "%s: %s",
                  order_rows[_i].why, ids);
    stop_book_destroy(&stops);
    ck_assert_ptr_null(stops);
}
END_TEST

START_TEST(what_cannot_wait_is_refused)
{
    struct stop_book *stops = stop_book_create(&(struct stop_options){.orders_max = 2});
    const char *too_long = "0123456789012345678901234567890123456789012345678901234567890123x";

    ck_assert_ptr_null(stop_book_find(stops, text_of("a")));
    ck_assert_int_eq(put(stops, "a", ORD_BUY, 0, 1), STOP_BAD_ORDER);
    ck_assert_int_eq(put(stops, "a", ORD_BUY, DEC_MAX + 1, 1), STOP_BAD_ORDER);
    ck_assert_int_eq(put(stops, "", ORD_BUY, 1, 1), STOP_BAD_ORDER);
    ck_assert_int_eq(put(stops, too_long, ORD_BUY, 1, 1), STOP_BAD_ORDER);
    ck_assert_int_eq(put(stops, "a", ORD_BUY, 1, 1), STOP_OK);
    ck_assert_int_eq(put(stops, "a", ORD_SELL, 2, 2), STOP_DUPLICATE);
    ck_assert(!stop_book_full(stops));
    ck_assert_int_eq(put(stops, "b", ORD_BUY, DEC_MAX, 2), STOP_OK);
    ck_assert(stop_book_full(stops));
    ck_assert_msg(put(stops, "c", ORD_BUY, 1, 3) == STOP_FULL, "a cap, never silent");
    stop_book_remove(stops, stop_book_find(stops, text_of("a")));
    ck_assert_int_eq(put(stops, "c", ORD_BUY, 1, 3), STOP_OK);
    stop_book_destroy(&stops);
}
END_TEST

START_TEST(a_removed_stop_can_still_be_read_and_data_starts_at_zero)
{
    struct stop_book *stops =
        stop_book_create(&(struct stop_options){.orders_reserve = 1, .data_bytes = 20});
    struct stop_order *order = NULL;
    const struct stop_new given = {
        .id = text_of("a"), .user = text_of("u"), .side = ORD_BUY, .stop_price = 5};

    ck_assert_int_eq(stop_book_insert(stops, &given, &order), STOP_OK);
    memset(order->data, 7, 20);
    stop_book_remove(stops, order);
    ck_assert_int_eq(((const char *)order->data)[19], 7);
    ck_assert(dom_text_equal(stop_order_id(order), text_of("a")));
    ck_assert_int_eq(stop_book_insert(stops, &given, &order), STOP_OK);
    ck_assert_int_eq(((const char *)order->data)[19], 0);
    stop_book_destroy(&stops);
}
END_TEST

/* --- naive model --- */

#define IDS 300
#define USERS 4

static struct model {
    struct {
        bool waits;
        enum ord_side side;
        dec_t price;
        int64_t sequence;
        int user;
    } stops[IDS];
    size_t count;
} model;

static char names[IDS][8];

static int model_due(dec_t last)
{
    int best = -1;

    for (int side = 0; side < 2 && best < 0; side++) {
        for (int i = 0; i < IDS; i++) {
            const dec_t sign = side == 0 ? 1 : -1;

            if (!model.stops[i].waits || (int)model.stops[i].side != side ||
                sign * last < sign * model.stops[i].price) {
                continue;
            }
            if (best < 0 || sign * model.stops[i].price < sign * model.stops[best].price ||
                (model.stops[i].price == model.stops[best].price &&
                 model.stops[i].sequence < model.stops[best].sequence)) {
                best = i;
            }
        }
    }
    return best;
}

static void model_insert(struct stop_book *stops, uint64_t *seed, int64_t sequence)
{
    const int i = (int)random_below(seed, IDS);
    const int user = (int)random_below(seed, USERS);
    const struct stop_new order = {
        .id = text_of(names[i]),
        .user = text_of(names[user]),
        .side = (enum ord_side)random_below(seed, 2),
        .stop_price = 1 + (dec_t)random_below(seed, 40),
        .sequence = sequence,
    };
    const enum stop_result result = stop_book_insert(stops, &order, NULL);

    ck_assert_int_eq(result, model.stops[i].waits ? STOP_DUPLICATE : STOP_OK);
    if (result == STOP_OK) {
        model.stops[i].waits = true;
        model.stops[i].side = order.side;
        model.stops[i].price = order.stop_price;
        model.stops[i].sequence = sequence;
        model.stops[i].user = user;
        model.count++;
    }
}

static void model_remove(struct stop_book *stops, int i)
{
    struct stop_order *order = stop_book_find(stops, text_of(names[i]));

    ck_assert_msg((order != NULL) == model.stops[i].waits, "found is what waits");
    if (order != NULL) {
        stop_book_remove(stops, order);
        model.stops[i].waits = false;
        model.count--;
    }
}

static void model_compare(const struct stop_book *stops, dec_t last, int user)
{
    const struct stop_order *first = stop_book_due(stops, last);
    const struct stop_order *order = NULL;
    const int expected = model_due(last);
    size_t count = 0;

    ck_assert_ptr_null(stop_book_defect(stops));
    ck_assert_uint_eq(stop_book_orders(stops), model.count);
    ck_assert((first == NULL) == (expected < 0));
    if (first != NULL) {
        ck_assert(dom_text_equal(stop_order_id(first), text_of(names[expected])));
    }
    for (int i = 0; i < IDS; i++) {
        count += model.stops[i].waits && model.stops[i].user == user;
    }
    while ((order = stop_book_user_next(stops, text_of(names[user]), order)) != NULL) {
        ck_assert(dom_text_equal(stop_order_user(order), text_of(names[user])));
        ck_assert_uint_gt(count--, 0);
    }
    ck_assert_uint_eq(count, 0);
}

START_TEST(a_stop_book_is_what_a_naive_list_says)
{
    struct stop_book *stops = stop_book_create(NULL);
    uint64_t seed = (uint64_t)_i;

    memset(&model, 0, sizeof(model));
    for (int i = 0; i < IDS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%d", i);
    }
    for (int step = 0; step < 20000; step++) {
        const dec_t last = (dec_t)random_below(&seed, 42);

        switch (random_below(&seed, step % 2000 < 1000 ? 8 : 3)) {
        case 0:
            model_remove(stops, (int)random_below(&seed, IDS));
            break;
        case 1:
            if (model_due(last) >= 0) {
                model_remove(stops, model_due(last));
            }
            break;
        default:
            /* Restored stops come in any order of arrival. */
            model_insert(stops, &seed, (int64_t)(random_below(&seed, 3) << 32) + step);
            break;
        }
        model_compare(stops, last, (int)random_below(&seed, USERS));
        if (random_below(&seed, 5000) == 0) {
            stop_book_clear(stops);
            memset(&model, 0, sizeof(model));
        }
    }
    stop_book_destroy(&stops);
}
END_TEST

/* --- the heap alone --- */

START_TEST(a_heap_gives_the_first_and_lets_any_go)
{
    struct heap heap = {0};
    static size_t places[64];
    static dec_t keys[64];
    uint64_t seed = 5;

    memset(places, 0, sizeof(places));
    for (int step = 0; step < 30000; step++) {
        const size_t at = (size_t)random_below(&seed, 64);
        size_t best = 64;

        if (places[at] == 0) {
            keys[at] = (dec_t)random_below(&seed, 9);
            ck_assert(heap_push(&heap, &(struct heap_entry){.key = keys[at],
                                                            .sequence = (int64_t)at,
                                                            .item = &keys[at],
                                                            .place = &places[at]}));
        } else {
            heap_remove(&heap, &places[at]);
            ck_assert_uint_eq(places[at], 0);
            heap_remove(&heap, &places[at]); /* of what is not there: nothing */
        }
        ck_assert_ptr_null(heap_defect(&heap));
        for (size_t i = 0; i < 64; i++) {
            best = places[i] != 0 && (best == 64 || keys[i] < keys[best]) ? i : best;
        }
        ck_assert(best == 64 ? heap_first(&heap) == NULL : heap_first(&heap)->item == &keys[best]);
    }
    heap_clear(&heap);
    ck_assert_ptr_null(heap_first(&heap));
    heap_fini(&heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stop book");
    TCase *tcase = tcase_create("stop book");

    tcase_add_loop_test(tcase, stops_are_due_by_price_and_arrival, 0,
                        (int)(sizeof(order_rows) / sizeof(order_rows[0])));
    tcase_add_test(tcase, what_cannot_wait_is_refused);
    tcase_add_test(tcase, a_removed_stop_can_still_be_read_and_data_starts_at_zero);
    tcase_add_loop_test(tcase, a_stop_book_is_what_a_naive_list_says, 0, 4);
    tcase_add_test(tcase, a_heap_gives_the_first_and_lets_any_go);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
