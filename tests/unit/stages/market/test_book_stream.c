/*
 * Goal: whoever takes the snapshot of any moment and the deltas after it has the book of any later
 *       moment, checksum included.
 * Method: random orders and cancels through fill; a reader that begins at each snapshot in turn,
 * keeps levels of its own from absolute quantities, and computes the CRC of its ten best by zlib
 * over text that it writes itself. The books stay within the depth of a snapshot, so a reader
 * misses nothing. A failing seed prints the command that repeats it.
 */
#include "fill_fixture.h"

#include <zlib.h>

#define STEPS 120
#define LEVELS_MAX 64
#define SEED_NAME "BOOK_STREAM_SEED"

struct reader {
    struct oms_book_level levels[2][LEVELS_MAX];
    size_t count[2];
    int64_t seq;
};

static void set_level(struct reader *reader, size_t side, const struct oms_book_level *level)
{
    size_t at = 0;

    while (at < reader->count[side] && reader->levels[side][at].price != level->price) {
        at++;
    }
    if (at == reader->count[side]) {
        ck_assert_uint_lt(at, LEVELS_MAX);
        reader->count[side]++;
    }
    reader->levels[side][at] = *level;
    if (level->qty == 0) {
        reader->levels[side][at] = reader->levels[side][--reader->count[side]];
    }
}

static void begin(struct reader *reader, const struct oms_book_snapshot *snapshot)
{
    *reader = (struct reader){.seq = snapshot->last_seq};
    for (size_t i = 0; i < snapshot->bids.count; i++) {
        set_level(reader, 0, &snapshot->bids.items[i]);
    }
    for (size_t i = 0; i < snapshot->asks.count; i++) {
        set_level(reader, 1, &snapshot->asks.items[i]);
    }
}

static void apply(struct reader *reader, const struct oms_book_delta *delta)
{
    ck_assert_int_eq(delta->first_seq, reader->seq + 1);
    reader->seq = delta->last_seq;
    for (size_t i = 0; i < delta->bids.count; i++) {
        set_level(reader, 0, &delta->bids.items[i]);
    }
    for (size_t i = 0; i < delta->asks.count; i++) {
        set_level(reader, 1, &delta->asks.items[i]);
    }
}

static int dearest_first(const void *left, const void *right)
{
    const struct oms_book_level *a = left;
    const struct oms_book_level *b = right;

    return a->price > b->price ? -1 : a->price < b->price;
}

static int cheapest_first(const void *left, const void *right)
{
    return -dearest_first(left, right);
}

static void sort(struct reader *reader)
{
    qsort(reader->levels[0], reader->count[0], sizeof(struct oms_book_level), dearest_first);
    qsort(reader->levels[1], reader->count[1], sizeof(struct oms_book_level), cheapest_first);
}

/* CRC32 over "price:qty;" of the ten best asks, then of the ten best bids. */
static int64_t checksum(const struct reader *reader)
{
    uLong crc = crc32(0, NULL, 0);

    for (size_t side = 2; side > 0; side--) {
        for (size_t i = 0; i < reader->count[side - 1] && i < 10; i++) {
            char price[DEC_TEXT_MAX];
            char qty[DEC_TEXT_MAX];
            char text[2 * DEC_TEXT_MAX + 4];

            (void)dec_format(reader->levels[side - 1][i].price, price);
            (void)dec_format(reader->levels[side - 1][i].qty, qty);
            const int len = snprintf(text, sizeof(text), "%s:%s;", price, qty);
            crc = crc32(crc, (const Bytef *)text, (uInt)len);
        }
    }
    return (int64_t)crc;
}

static void expect_side(const struct reader *reader, size_t side,
                        const struct oms_book_level_items *top)
{
    ck_assert_uint_eq(reader->count[side], top->count);
    for (size_t i = 0; i < top->count; i++) {
        ck_assert(reader->levels[side][i].price == top->items[i].price);
        ck_assert(reader->levels[side][i].qty == top->items[i].qty);
        ck_assert_int_eq(reader->levels[side][i].orders, top->items[i].orders);
    }
}

static uint64_t roll(uint64_t *state, uint64_t sides)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % sides;
}

/* Orders at nine prices a side, so that no book is deeper than a snapshot. */
static void flow(struct mr_driver *driver, uint64_t seed)
{
    static char ids[STEPS][16];
    char price[16];
    char qty[16];

    list(driver, SYMBOL, OMS_SYMBOL_STATE_TRADING);
    for (size_t i = 0; i < STEPS; i++) {
        struct oms_order_command command;

        (void)snprintf(ids[i], sizeof(ids[i]), "o%zu", i);
        (void)snprintf(price, sizeof(price), "%d", 100 + (int)roll(&seed, 9));
        (void)snprintf(qty, sizeof(qty), "%d", 1 + (int)roll(&seed, 5));
        command = limit_of(ids[i], roll(&seed, 2) == 0 ? "u1" : "u2",
                           roll(&seed, 2) == 0 ? 'B' : 'S', price, qty);
        if (i > 0 && roll(&seed, 3) == 0) {
            command = cancel_of(ids[i], "u1", ids[roll(&seed, i)]);
        }
        ck_assert_int_eq(mr_driver_push(driver, "orders", command.symbol, &command), MR_OK);
        if (roll(&seed, 3) == 0) {
            ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
        }
        if (roll(&seed, 20) == 0) {
            ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
            mr_driver_restart(driver);
        }
    }
    ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
}

static uint64_t seed_of(int index)
{
    const char *given = getenv(SEED_NAME);

    return given != NULL ? strtoull(given, NULL, 10) : (uint64_t)index + 1;
}

START_TEST(a_snapshot_and_the_deltas_after_it_are_the_book)
{
    const uint64_t seed = seed_of(_i);
    struct mr_driver *driver = mr_driver_create(&fill_stage, NULL, 0);
    static struct reader reader;
    size_t count = 0;

    (void)printf("# " SEED_NAME "=%llu ctest -R test_book_stream\n", (unsigned long long)seed);
    flow(driver, seed);
    count = mr_driver_emit_count(driver, "book");
    ck_assert_uint_gt(count, 10);
    ck_assert_uint_eq(count, mr_driver_emit_count(driver, "snapshots"));
    for (size_t n = 0; n < count; n++) {
        begin(&reader, mr_driver_emit(driver, "snapshots", n));
        for (size_t m = n + 1; m < count; m++) {
            const struct oms_book_delta *delta = mr_driver_emit(driver, "book", m);
            const struct oms_book_snapshot *then = mr_driver_emit(driver, "snapshots", m);

            apply(&reader, delta);
            sort(&reader);
            ck_assert_int_eq(reader.seq, then->last_seq);
            expect_side(&reader, 0, &then->bids);
            expect_side(&reader, 1, &then->asks);
            ck_assert_int_eq(checksum(&reader), delta->checksum);
            ck_assert_int_eq(delta->checksum, then->checksum);
        }
    }
    mr_driver_destroy(&driver);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill: the book as a stream");
    TCase *tcase = tcase_create("stream");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_snapshot_and_the_deltas_after_it_are_the_book, 0,
                        getenv(SEED_NAME) != NULL ? 1 : 20);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
