/*
 * test_order_book_audit.c
 *
 * Goal:   book_defect sees each way in which a book can be broken, and says which; the checksum is
 *         over ten levels of each side; ids that differ little lie far apart in the index.
 * Method: a whole book is broken in one place, inside, where no caller can reach.
 */
#include "domain/book_priv.h"
#include "domain_test.h"

static struct book *book;

static struct book_order *rest(const char *id, const char *user, enum ord_side side, int price,
                               int qty, int64_t sequence)
{
    struct book_order *order = NULL;

    ck_assert_int_eq(book_insert(book,
                                 &(struct book_new){.id = text_of(id),
                                                    .user = text_of(user),
                                                    .side = side,
                                                    .price = price * DEC_ONE,
                                                    .leaves = qty * DEC_ONE,
                                                    .sequence = sequence},
                                 &order),
                     BOOK_OK);
    return order;
}

static void setup(void)
{
    book = book_create(NULL);
    ck_assert_ptr_nonnull(book);
    rest("b1", "m", ORD_BUY, 99, 3, 1);
    rest("b2", "n", ORD_BUY, 98, 2, 2);
    rest("a1", "m", ORD_SELL, 101, 1, 3);
    rest("a2", "n", ORD_SELL, 101, 2, 4);
    rest("a3", "m", ORD_SELL, 102, 1, 5);
    ck_assert_ptr_null(book_defect(book));
}

static void teardown(void)
{
    book_destroy(&book);
}

static struct book_order *order(const char *id)
{
    return book_find(book, text_of(id));
}

static struct book_ladder *asks(void)
{
    return &book->sides[1];
}

/* The slot of a user's oldest order; of NULL: a free one. */
static struct book_slot *slot_of(const struct book_order *oldest)
{
    for (size_t i = 0; i < book->users.capacity; i++) {
        if (book->users.slots[i].order == oldest) {
            return &book->users.slots[i];
        }
    }
    ck_abort_msg("no such user");
    return NULL;
}

/* One way of breaking each; the number is the row's. */
static void break_queue(int way)
{
    struct book_order *a1 = order("a1");
    struct book_order *a2 = order("a2");

    switch (way) {
    case 0:
        a2->older = NULL;
        break;
    case 1:
        a1->older = a2;
        break;
    case 2:
        a1->sequence = 5;
        break;
    case 3:
        a2->level = order("a3")->level;
        break;
    case 4:
        a2->price++;
        break;
    case 5:
        a2->side = ORD_BUY;
        break;
    case 6:
        a1->leaves = 0;
        break;
    case 7:
        a1->leaves = -1;
        break;
    case 8:
        a2->id[1] = '9';
        break;
    case 9:
        a1->level->newest = a1;
        break;
    case 10:
        a1->level->oldest = NULL;
        a1->level->newest = NULL;
        break;
    case 11:
        a1->level->qty++;
        break;
    default:
        a1->level->orders++;
        break;
    }
}

static const struct {
    int way;
    const char *says;
    const char *why;
} queue_rows[] = {
    {0, "queue broken or not in order of arrival", "no way back"},
    {1, "queue broken or not in order of arrival", "the oldest has an older one"},
    {2, "queue broken or not in order of arrival", "the older arrived later"},
    {3, "order at a wrong level", "another level"},
    {4, "order at a wrong level", "another price"},
    {5, "order at a wrong level", "another side"},
    {6, "order without quantity", "nothing"},
    {7, "order without quantity", "less than nothing"},
    {8, "order not in the index", "another id"},
    {9, "level without orders, or its end is wrong", "its end is not the end"},
    {10, "level without orders, or its end is wrong", "nobody there"},
    {11, "level's sums are wrong", "quantity"},
    {12, "level's sums are wrong", "orders"},
};

START_TEST(a_broken_queue_is_found)
{
    break_queue(queue_rows[_i].way);
    const char *says = book_defect(book);
    ck_assert_msg(says != NULL && strcmp(says, queue_rows[_i].says) == 0, "%s: %s",
                  queue_rows[_i].why, says == NULL ? "nothing found" : says);
}
END_TEST

/* keys are -102, -101: the best last. */
static void break_ladder(int way)
{
    switch (way) {
    case 0:
        asks()->keys.keys[0] = asks()->keys.keys[1];
        asks()->nodes[0] = asks()->nodes[1];
        break;
    case 1: {
        struct book_level_node *best = asks()->nodes[1];
        asks()->nodes[1] = asks()->nodes[0];
        asks()->nodes[0] = best;
        asks()->keys.keys[0] = book_key(ORD_SELL, asks()->nodes[0]->price);
        asks()->keys.keys[1] = book_key(ORD_SELL, asks()->nodes[1]->price);
        break;
    }
    case 2:
        asks()->keys.keys[1]++;
        break;
    case 3:
        book->sides[0].nodes[0]->side = ORD_SELL;
        break;
    default:
        book->index.count++;
        break;
    }
}

START_TEST(a_broken_ladder_is_found)
{
    break_ladder(_i);
    const char *says = book_defect(book);
    ck_assert_msg(says != NULL && strcmp(says, _i < 4 ? "levels not sorted"
                                                      : "index has orders that no level has") == 0,
                  "%d: %s", _i, says == NULL ? "nothing found" : says);
}
END_TEST

/* m has b1, a1, a3; n has b2, a2. */
static void break_user(int way)
{
    switch (way) {
    case 0:
        order("b1")->user_older = NULL;
        break;
    case 1:
        order("b1")->user_older = order("a1");
        break;
    case 2:
        order("a3")->user_older = order("b1");
        break;
    case 3:
        order("b1")->sequence = 4; /* alone at its level */
        break;
    case 4:
        order("a1")->user[0] = 'x';
        break;
    case 5: /* b1 alone, the others in a list of their own */
        order("b1")->user_newer = NULL;
        order("b1")->user_older = order("b1");
        order("a1")->user_older = order("a3");
        *slot_of(NULL) = (struct book_slot){.hash = 1, .order = order("a1")};
        break;
    case 6:
        book->users.count++;
        break;
    case 7:
        book->users.count--;
        break;
    case 8: /* b1 in no list */
        order("a1")->user_older = order("a3");
        slot_of(order("b1"))->order = order("a1");
        break;
    default: { /* an order that the book does not have */
        static struct book_order stranger;
        struct book_order *a1 = order("a1");
        stranger = *a1;
        a1->user_older->user_newer = &stranger;
        a1->user_newer->user_older = &stranger;
        break;
    }
    }
}

static const struct {
    const char *says;
    const char *why;
} user_rows[] = {
    {"a user's list does not end at its newest order", "the oldest knows no newest"},
    {"a user's list does not end at its newest order", "the oldest names another"},
    {"a user's list broken or not in order of arrival", "a step back over one"},
    {"a user's list broken or not in order of arrival", "the older arrived later"},
    {"a user's list has an order that is not the user's", "another user"},
    {"a user has two lists", "only one of them is found"},
    {"users' lists do not hold every order once", "more users than lists"},
    {"users' lists do not hold every order once", "fewer users than lists"},
    {"users' lists do not hold every order once", "an order in no list"},
    {"a user's list has an order that is not the user's", "not in the book"},
};

START_TEST(a_broken_list_of_a_user_is_found)
{
    break_user(_i);
    const char *says = book_defect(book);
    ck_assert_msg(says != NULL && strcmp(says, user_rows[_i].says) == 0, "%s: %s",
                  user_rows[_i].why, says == NULL ? "nothing found" : says);
}
END_TEST

static const struct {
    int price;
    bool crossed;
    const char *why;
} crossed_rows[] = {
    {100, false, "one below the best ask"},
    {101, true, "at the best ask"},
    {103, true, "above all asks"},
};

START_TEST(a_crossed_book_is_found)
{
    rest("b3", "m", ORD_BUY, crossed_rows[_i].price, 1, 6);
    const char *says = book_defect(book);
    ck_assert_msg((says != NULL) == crossed_rows[_i].crossed, "%s", crossed_rows[_i].why);
    ck_assert(says == NULL || strcmp(says, "book is crossed") == 0);
    book_clear(book);
    rest("b3", "m", ORD_BUY, 103, 1, 6);
    ck_assert_msg(book_defect(book) == NULL, "nothing to cross with");
}
END_TEST

START_TEST(the_checksum_is_over_ten_levels)
{
    char id[16];
    uint32_t ten = 0;

    book_clear(book);
    for (int i = 0; i < 12; i++) {
        snprintf(id, sizeof(id), "a%d", i);
        rest(id, "m", ORD_SELL, 200 + i, i + 1, i);
        snprintf(id, sizeof(id), "b%d", i);
        rest(id, "m", ORD_BUY, 100 - i, i + 1, i);
        if (i == 9) {
            ten = book_checksum(book);
        }
    }
    /* zlib's crc32 of "200:1;201:2; ... 209:10;100:1;99:2; ... 91:10;" */
    ck_assert_uint_eq(ten, UINT32_C(0xd6d5a4e));
    ck_assert_uint_eq(book_checksum(book), ten);
}
END_TEST

/* How many of the buckets are hit by ids made from a pattern; a bucket for each id on average. */
static size_t buckets_hit(size_t len, size_t at)
{
    enum { IDS = 256 };
    bool hit[IDS] = {false};
    char id[ORD_ID_MAX];
    size_t count = 0;

    memset(id, 'x', sizeof(id));
    for (int i = 0; i < IDS; i++) {
        id[at] = (char)i;
        const uint64_t bucket = book_hash(dom_text_of(id, len)) % IDS;
        count += hit[bucket] ? 0 : 1;
        hit[bucket] = true;
    }
    return count;
}

START_TEST(each_byte_of_an_id_reaches_its_place_in_the_index)
{
    size_t hit = 0;
    size_t patterns = 0;

    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            const size_t buckets = buckets_hit(len, at);
            /* By chance alone 162 of 256 are hit, give or take 6. */
            ck_assert_msg(buckets > 110, "length %zu, byte %zu: %zu", len, at, buckets);
            hit += buckets;
            patterns++;
        }
    }
    ck_assert_uint_gt(hit / patterns, 155);
    /* Lengths alone tell ids apart too. */
    ck_assert(book_hash(text_of("xxxx")) != book_hash(text_of("xxxxx")));
    ck_assert(book_hash(text_of("")) != book_hash(text_of("x")));
    ck_assert_msg(book_hash(text_of("")) != 0, "an empty text is mixed too");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_book_audit");
    TCase *tcase = tcase_create("audit");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_broken_queue_is_found, 0,
                        (int)(sizeof(queue_rows) / sizeof(queue_rows[0])));
    tcase_add_loop_test(tcase, a_broken_ladder_is_found, 0, 5);
    tcase_add_loop_test(tcase, a_broken_list_of_a_user_is_found, 0,
                        (int)(sizeof(user_rows) / sizeof(user_rows[0])));
    tcase_add_loop_test(tcase, a_crossed_book_is_found, 0,
                        (int)(sizeof(crossed_rows) / sizeof(crossed_rows[0])));
    tcase_add_test(tcase, each_byte_of_an_id_reaches_its_place_in_the_index);
    tcase_add_test(tcase, the_checksum_is_over_ten_levels);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
