/*
 * order_book_audit.c -- a book checked against its own rules, and its checksum.
 */
#include "domain/book_priv.h"

#define CHECKSUM_LEVELS ((size_t)10)

static const char *queue_defect(const struct book *book, const struct book_level_node *level,
                                size_t *orders)
{
    const struct book_order *older = NULL;
    dec_t qty = 0;
    int32_t count = 0;

    for (const struct book_order *order = level->oldest; order != NULL; order = order->newer) {
        if (order->older != older || (older != NULL && older->sequence > order->sequence)) {
            return "queue broken or not in order of arrival";
        }
        if (order->level != level || order->price != level->price || order->side != level->side) {
            return "order at a wrong level";
        }
        if (order->leaves <= 0) {
            return "order without quantity";
        }
        if (book_find(book, book_order_id(order)) != order) {
            return "order not in the index";
        }
        qty += order->leaves;
        count++;
        older = order;
    }
    *orders += (size_t)count;
    if (level->newest != older || count == 0) {
        return "level without orders, or its end is wrong";
    }
    return qty == level->qty && count == level->orders ? NULL : "level's sums are wrong";
}

static const char *ladder_defect(const struct book *book, enum ord_side side, size_t *orders)
{
    const struct book_ladder *ladder = &book->sides[side == ORD_BUY ? 0 : 1];

    for (size_t i = 0; i < ladder->keys.count; i++) {
        const struct book_level_node *level = ladder->nodes[i];
        if (level->side != side || ladder->keys.keys[i] != book_key(side, level->price) ||
            (i > 0 && ladder->keys.keys[i - 1] >= ladder->keys.keys[i])) {
            return "levels not sorted";
        }
        const char *defect = queue_defect(book, level, orders);
        if (defect != NULL) {
            return defect;
        }
    }
    return NULL;
}

/* One user's list from its oldest order on. */
static const char *user_defect(const struct book *book, const struct book_order *oldest,
                               size_t *orders)
{
    const struct book_order *older = oldest->user_older;

    if (older == NULL || older->user_newer != NULL) {
        return "a user's list does not end at its newest order";
    }
    for (const struct book_order *order = oldest; order != NULL; order = order->user_newer) {
        if (order->user_older != older || (order != oldest && older->sequence > order->sequence)) {
            return "a user's list broken or not in order of arrival";
        }
        if (!dom_text_equal(book_order_user(order), book_order_user(oldest)) ||
            book_find(book, book_order_id(order)) != order) {
            return "a user's list has an order that is not the user's";
        }
        (*orders)++;
        older = order;
    }
    return book_user_first(book, book_order_user(oldest)) == oldest ? NULL : "a user has two lists";
}

static const char *users_defect(const struct book *book)
{
    size_t orders = 0;
    size_t users = 0;

    for (size_t i = 0; i < book->users.capacity; i++) {
        if (book->users.slots[i].order != NULL) {
            const char *defect = user_defect(book, book->users.slots[i].order, &orders);
            if (defect != NULL) {
                return defect;
            }
            users++;
        }
    }
    return orders == book->index.count && users == book->users.count
               ? NULL
               : "users' lists do not hold every order once";
}

const char *book_defect(const struct book *book)
{
    size_t orders = 0;
    const char *defect = ladder_defect(book, ORD_BUY, &orders);

    if (defect == NULL) {
        defect = ladder_defect(book, ORD_SELL, &orders);
    }
    if (defect != NULL) {
        return defect;
    }
    if (orders != book->index.count) {
        return "index has orders that no level has";
    }
    defect = users_defect(book);
    if (defect != NULL) {
        return defect;
    }
    const struct book_level_node *bid = book_ladder_best(&book->sides[0]);
    const struct book_level_node *ask = book_ladder_best(&book->sides[1]);
    return bid != NULL && ask != NULL && bid->price >= ask->price ? "book is crossed" : NULL;
}

/* CRC32, reflected polynomial 0xedb88320, four bits at a time. */
static uint32_t crc32_add(uint32_t crc, const char *data, size_t len)
{
    static const uint32_t table[16] = {0x00000000U, 0x1db71064U, 0x3b6e20c8U, 0x26d930acU,
                                       0x76dc4190U, 0x6b6b51f4U, 0x4db26158U, 0x5005713cU,
                                       0xedb88320U, 0xf00f9344U, 0xd6d6a3e8U, 0xcb61b38cU,
                                       0x9b64c2b0U, 0x86d3d2d4U, 0xa00ae278U, 0xbdbdf21cU};

    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)data[i];
        crc = (crc >> 4) ^ table[crc & 15U];
        crc = (crc >> 4) ^ table[crc & 15U];
    }
    return crc;
}

static uint32_t add_side(uint32_t crc, const struct book *book, enum ord_side side)
{
    struct book_level level;
    char text[DEC_TEXT_MAX];

    for (size_t i = 0; i < CHECKSUM_LEVELS && book_level_at(book, side, i, &level); i++) {
        crc = crc32_add(crc, text, dec_format(level.price, text));
        crc = crc32_add(crc, ":", 1);
        crc = crc32_add(crc, text, dec_format(level.qty, text));
        crc = crc32_add(crc, ";", 1);
    }
    return crc;
}

uint32_t book_checksum(const struct book *book)
{
    const uint32_t asks = add_side(UINT32_MAX, book, ORD_SELL);

    return ~add_side(asks, book, ORD_BUY);
}
