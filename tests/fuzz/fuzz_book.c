/*
 * fuzz_book -- any sequence of commands on an order book.
 *
 * How: each command goes to the book and to the naive list; reports must be equal, and the book
 *      must find itself whole. A second set of levels is kept from nothing but the changes the
 *      book tells, and must be the book's levels at any time.
 */
#include "flow.h"
#include "fuzz.h"

#define LEVELS_MAX 512
#define COMMANDS_MAX 400

struct mirror {
    struct book_level levels[2][LEVELS_MAX];
    size_t count[2];
};

static struct flow_command command_from(struct fuzz_input *in, int64_t seq)
{
    const uint8_t kind = fuzz_byte(in);
    const uint8_t more = fuzz_byte(in);
    struct flow_command command = {
        .seq = seq,
        .msg = (enum flow_msg)(kind % 7),
        .side = (kind & 0x80) != 0 ? ORD_SELL : ORD_BUY,
        .stp = (enum ord_stp)(more % 5),
        .ioc = (kind & 0x40) != 0,
        .id = fuzz_byte(in) % 32,
        .user = more >> 4,
        .qty = fuzz_byte(in) % 64,
        .price = fuzz_byte(in),
    };

    if ((more & 0x08) != 0) { /* at the ceiling, and beyond */
        command.price = FLOW_PRICE_MAX - command.price + 1;
    }
    if (command.msg == FLOW_MODIFY || command.msg == FLOW_AMEND) {
        command.ioc = false;
    }
    flow_texts(&command);
    return command;
}

static void mirror_apply(struct mirror *mirror, int side, const struct book_level *level)
{
    struct book_level *levels = mirror->levels[side];
    size_t at = 0;

    while (at < mirror->count[side] && levels[at].price != level->price) {
        at++;
    }
    if (level->qty > 0) {
        FUZZ_CHECK(at < LEVELS_MAX);
        mirror->count[side] += at == mirror->count[side] ? 1 : 0;
        levels[at] = *level;
    } else if (at < mirror->count[side]) {
        levels[at] = levels[--mirror->count[side]];
    }
}

static void check_mirror(struct mirror *mirror, struct book *book)
{
    struct book_level level;
    struct book_level other;

    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; book_change_at(book, (enum ord_side)side, i, &level); i++) {
            mirror_apply(mirror, side, &level);
        }
        FUZZ_CHECK(mirror->count[side] == book_levels(book, (enum ord_side)side));
        for (size_t i = 0; i < mirror->count[side]; i++) {
            level = mirror->levels[side][i];
            book_level_find(book, (enum ord_side)side, level.price, &other);
            FUZZ_CHECK(other.qty == level.qty && other.orders == level.orders);
        }
    }
    book_changes_clear(book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mirror mirror;
    struct fuzz_input in = {.at = data, .left = size};
    struct flow_reports is = {0};
    struct flow_reports should = {0};
    struct naive_book naive = {0};
    struct book *book = flow_book();

    mirror.count[0] = mirror.count[1] = 0;
    for (int64_t seq = 0; seq < COMMANDS_MAX && in.left > 0; seq++) {
        const struct flow_command command = command_from(&in, seq);
        is.count = should.count = 0;
        flow_apply(book, &command, &is);
        naive_apply(&naive, &command, &should);
        FUZZ_CHECK(flow_reports_equal(&is, &should));
        FUZZ_CHECK(book_defect(book) == NULL);
        FUZZ_CHECK(book_orders(book) == naive.count);
        if (seq % 3 == 0) {
            check_mirror(&mirror, book);
        }
    }
    check_mirror(&mirror, book);
    book_clear(book);
    FUZZ_CHECK(book_orders(book) == 0 && book_defect(book) == NULL);
    book_destroy(&book);
    free(is.items);
    free(should.items);
    free(naive.orders);
    return 0;
}
