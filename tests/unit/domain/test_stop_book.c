/*
 * test_stop_book.c
 *
 * Goal:   which stop is due next, and that any can leave at any time.
 * Method: a table of who goes before whom; what is refused, memory too; broken stops that the
 *         self-check must name; then random inserts, removals, prices and clears beside a naive
 *         list that is searched whole, with the self-check after each step.
 */
#include "allocations.h"
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

static enum stop_result put_for(struct stop_book *stops, const char *id, const char *user,
                                struct stop_order **out)
{
    static int64_t arrivals;

    return stop_book_insert(stops,
                            &(struct stop_new){.id = text_of(id),
                                               .user = text_of(user),
                                               .side = ORD_SELL,
                                               .stop_price = 7,
                                               .sequence = ++arrivals},
                            out);
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
    ck_assert_int_eq(put_for(stops, "a", "", NULL), STOP_BAD_ORDER);
    ck_assert_int_eq(put_for(stops, "a", too_long, NULL), STOP_BAD_ORDER);
    ck_assert_int_eq(put_for(stops, too_long + 1, too_long + 1, NULL), STOP_OK);
    stop_book_remove(stops, stop_book_find(stops, text_of(too_long + 1)));
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

/* Two texts with the same FNV-1a hash of 64 bits. */
static const char *const twins[] = {"8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"};

START_TEST(ids_and_users_of_one_hash_are_kept_apart)
{
    struct stop_book *stops = stop_book_create(NULL);
    struct stop_order *orders[2] = {NULL};

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(put_for(stops, twins[i], twins[i], &orders[i]), STOP_OK);
    }
    ck_assert_msg(orders[0]->id_hash == orders[1]->id_hash, "another hash needs other twins");
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_eq(stop_book_find(stops, text_of(twins[i])), orders[i]);
        ck_assert_ptr_eq(stop_book_user_next(stops, text_of(twins[i]), NULL), orders[i]);
        ck_assert_ptr_null(stop_book_user_next(stops, text_of(twins[i]), orders[i]));
    }
    stop_book_remove(stops, orders[0]);
    ck_assert_ptr_null(stop_book_find(stops, text_of(twins[0])));
    ck_assert_ptr_null(stop_book_user_next(stops, text_of(twins[0]), NULL));
    ck_assert_ptr_eq(stop_book_find(stops, text_of(twins[1])), orders[1]);
    stop_book_destroy(&stops);
}
END_TEST

START_TEST(what_is_refused_leaves_nothing_behind)
{
    struct stop_book *stops = stop_book_create(NULL);
    struct stop_order *order = NULL;
    struct stop_order *refused = NULL;
    const struct stop_new given = {.id = text_of("a"),
                                   .user = text_of("u"),
                                   .side = ORD_SELL,
                                   .stop_price = 5,
                                   .sequence = 77};

    ck_assert_int_eq(stop_book_insert(stops, &given, &order), STOP_OK);
    ck_assert(order->stop_price == 5 && order->sequence == 77 && order->side == ORD_SELL);
    ck_assert(dom_text_equal(stop_order_user(order), text_of("u")));
    refused = order;
    ck_assert_int_eq(stop_book_insert(stops, &given, &refused), STOP_DUPLICATE);
    ck_assert_msg(refused == NULL, "no stop, where there was one before");
    ck_assert_ptr_null(stop_book_defect(stops));
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
    stop_book_clear(stops);
    ck_assert_msg(order->place == 0, "it waits no more");
    stop_book_destroy(&stops);
}
END_TEST

/* --- memory --- */

#define MANY 1000

static enum stop_result put_number(struct stop_book *stops, int number, struct stop_order **out)
{
    char id[16];
    char user[16];

    (void)snprintf(id, sizeof(id), "o%d", number);
    (void)snprintf(user, sizeof(user), "u%d", number / 3);
    return put_for(stops, id, user, out);
}

/* The number of stops one of the users has, each once and all of them their own. */
static int stops_of(const struct stop_book *stops, const char *user)
{
    const struct stop_order *order = NULL;
    int count = 0;

    while ((order = stop_book_user_next(stops, text_of(user), order)) != NULL) {
        ck_assert(dom_text_equal(stop_order_user(order), text_of(user)));
        ck_assert_int_le(++count, 3);
    }
    return count;
}

/* 0: not reserved, but used before. */
static const int reserved_rows[] = {0, 1, 2, 3, 63, 64, 65, 128, 129, 500};

START_TEST(a_warm_book_allocates_nothing)
{
    const int reserved = reserved_rows[_i];
    const int count = reserved == 0 ? MANY : reserved;
    struct stop_book *stops = stop_book_create(
        &(struct stop_options){.orders_reserve = (size_t)reserved, .data_bytes = 24});
    struct stop_order *order = NULL;
    long warm = calls;

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < count; i++) {
            ck_assert_int_eq(put_number(stops, i, &order), STOP_OK);
            memset(order->data, 0x5a, 24);
        }
        ck_assert_ptr_null(stop_book_defect(stops));
        ck_assert_int_eq(stops_of(stops, "u0"), count < 3 ? count : 3);
        warm = reserved == 0 && round == 0 ? calls : warm;
        if (round % 2 == 0) {
            stop_book_clear(stops);
            ck_assert_uint_eq(stop_book_orders(stops), 0);
            ck_assert_ptr_null(stop_book_due(stops, 1));
        } else {
            while ((order = stop_book_due(stops, 1)) != NULL) {
                stop_book_remove(stops, order);
            }
        }
        ck_assert_int_eq(stops_of(stops, "u0"), 0);
        ck_assert_ptr_null(stop_book_find(stops, text_of("o0")));
    }
    ck_assert_msg(calls == warm, "reserved or used before: no allocation");
    stop_book_destroy(&stops);
    stop_book_destroy(&stops); /* gone already: nothing happens */
    stop_book_destroy(NULL);
}
END_TEST

START_TEST(memory_grows_in_steps)
{
    struct stop_book *stops = stop_book_create(&(struct stop_options){.data_bytes = 1});
    const long before = calls;

    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(put_number(stops, i, NULL), STOP_OK);
    }
    /* Orders, data, two tables, two heaps; 64 and four times the double of it. */
    ck_assert_int_le(calls - before, 6 * 5);
    stop_book_destroy(&stops);
}
END_TEST

/* Each allocation is refused, from the first on, while orders come in: it alone, or it and all that
 * follow until the call is over. */
START_TEST(a_book_that_gets_no_memory_stays_whole)
{
    const struct stop_options options = {.orders_reserve = 10, .data_bytes = _i % 2 == 0 ? 0 : 8};
    long *refuse = _i < 2 ? &refuse_from : &refuse_only;
    struct stop_book *stops = NULL;
    long refused = 0;

    for (long n = 1; stops == NULL; n++) {
        *refuse = calls + n;
        stops = stop_book_create(&options);
        *refuse = -1;
        refused += stops == NULL;
    }
    ck_assert_int_eq(refused, _i % 2 == 0 ? 6 : 7); /* with data one more */
    for (int i = 0; i < MANY; i++) {
        enum stop_result result = STOP_NO_MEMORY;

        for (long n = 1; result == STOP_NO_MEMORY; n++) {
            struct stop_order *order = NULL;

            *refuse = calls + n;
            result = put_number(stops, i, &order);
            *refuse = -1;
            ck_assert((order == NULL) == (result == STOP_NO_MEMORY));
            ck_assert(order == NULL || (order->data == NULL) == (options.data_bytes == 0));
            ck_assert_uint_eq(stop_book_orders(stops), (size_t)i + (result == STOP_OK));
            if (result == STOP_NO_MEMORY || i % 100 == 0) {
                ck_assert_ptr_null(stop_book_defect(stops));
            }
        }
        ck_assert_int_eq(result, STOP_OK);
    }
    stop_book_destroy(&stops);
}
END_TEST

static const size_t data_rows[] = {1, 15, 16, 17, 32, 33};

START_TEST(every_order_has_its_own_data)
{
    static struct stop_order *orders[MANY];
    const size_t bytes = data_rows[_i];
    struct stop_book *stops = stop_book_create(&(struct stop_options){.data_bytes = bytes});

    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(put_number(stops, i, &orders[i]), STOP_OK);
        ck_assert_ptr_nonnull(orders[i]->data);
        ck_assert_uint_eq((uintptr_t)orders[i]->data % sizeof(dec_t), 0);
        memset(orders[i]->data, i % 251, bytes);
    }
    for (int i = 0; i < MANY; i++) {
        const uint8_t *data = orders[i]->data;

        ck_assert_msg(data[0] == i % 251 && data[bytes - 1] == i % 251, "data of %d", i);
    }
    stop_book_destroy(&stops);
}
END_TEST

START_TEST(data_that_nobody_asked_for_is_not_there)
{
    struct stop_book *stops = stop_book_create(NULL);
    struct stop_order *order = NULL;

    stop_book_clear(stops); /* of nothing */
    ck_assert_int_eq(put_number(stops, 0, &order), STOP_OK);
    ck_assert_msg(order->data == NULL, "none was asked for");
    stop_book_destroy(&stops);
}
END_TEST

/* --- self-check --- */

START_TEST(the_self_check_names_what_is_broken)
{
    struct stop_book *stops = stop_book_create(NULL);
    struct stop_order *orders[3];

    for (int i = 0; i < 3; i++) { /* all of one user */
        const char id[] = {(char)('a' + i), '\0'};

        ck_assert_int_eq(put(stops, id, (enum ord_side)_i, 7, i), STOP_OK);
        orders[i] = stop_book_find(stops, text_of(id));
    }
    for (int i = 0; i < 3; i++) {
        struct stop_order good = *orders[i];

        orders[i]->place++;
        ck_assert_msg(stop_book_defect(stops) != NULL, "place in the heap");
        *orders[i] = good;
        orders[i]->id[0] = 'x';
        ck_assert_msg(stop_book_defect(stops) != NULL, "not found by its id");
        *orders[i] = good;
        orders[i]->side = (enum ord_side)(1 - _i);
        ck_assert_msg(stop_book_defect(stops) != NULL, "in the heap of the other side");
        *orders[i] = good;
        orders[i]->user_next = NULL; /* the last has none */
        ck_assert_msg((stop_book_defect(stops) != NULL) == (i > 0), "not reached from its user");
        *orders[i] = good;
        orders[i]->user_before = orders[i];
        ck_assert_msg(stop_book_defect(stops) != NULL, "what stands before it");
        *orders[i] = good;
        ck_assert_ptr_null(stop_book_defect(stops));
    }
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

    must(stop_book_defect(stops) == NULL, "self-check");
    must(stop_book_orders(stops) == model.count, "number of stops");
    must((first == NULL) == (expected < 0), "is one due?");
    must(first == NULL || dom_text_equal(stop_order_id(first), text_of(names[expected])),
         "the one that is due");
    for (int i = 0; i < IDS; i++) {
        count += model.stops[i].waits && model.stops[i].user == user;
    }
    while ((order = stop_book_user_next(stops, text_of(names[user]), order)) != NULL) {
        must(dom_text_equal(stop_order_user(order), text_of(names[user])), "of this user");
        must(count-- > 0, "no more than the user has");
    }
    must(count == 0, "all that the user has");
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

int main(void)
{
    Suite *suite = suite_create("stop book");
    TCase *tcase = tcase_create("stop book");

    tcase_add_loop_test(tcase, stops_are_due_by_price_and_arrival, 0,
                        (int)(sizeof(order_rows) / sizeof(order_rows[0])));
    tcase_add_test(tcase, what_cannot_wait_is_refused);
    tcase_add_test(tcase, ids_and_users_of_one_hash_are_kept_apart);
    tcase_add_test(tcase, what_is_refused_leaves_nothing_behind);
    tcase_add_test(tcase, a_removed_stop_can_still_be_read_and_data_starts_at_zero);
    tcase_add_loop_test(tcase, a_warm_book_allocates_nothing, 0,
                        (int)(sizeof(reserved_rows) / sizeof(reserved_rows[0])));
    tcase_add_test(tcase, memory_grows_in_steps);
    tcase_add_loop_test(tcase, a_book_that_gets_no_memory_stays_whole, 0, 4);
    tcase_add_loop_test(tcase, every_order_has_its_own_data, 0,
                        (int)(sizeof(data_rows) / sizeof(data_rows[0])));
    tcase_add_test(tcase, data_that_nobody_asked_for_is_not_there);
    tcase_add_loop_test(tcase, the_self_check_names_what_is_broken, 0, 2);
    tcase_add_loop_test(tcase, a_stop_book_is_what_a_naive_list_says, 0, 4);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
