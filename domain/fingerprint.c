/*
 * fingerprint.c -- see fingerprint.h.
 */
#include "domain/fingerprint.h"

/* Changes when the serialisation below changes: old and new prints must never be equal. */
#define FINGERPRINT_VERSION 1

static void add_byte(struct sha256 *sha, unsigned value)
{
    const uint8_t byte = (uint8_t)value;

    sha256_add(sha, &byte, 1);
}

/* The lowest `bytes` bytes of value, big-endian. */
static void add_number(struct sha256 *sha, dec_u value, size_t bytes)
{
    uint8_t text[sizeof(value)];

    for (size_t i = 0; i < bytes; i++) {
        text[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    sha256_add(sha, text, bytes);
}

/* The length goes first: "ab","c" is not "a","bc". Records are far below 4 GiB. */
static void add_text(struct sha256 *sha, struct dom_text text)
{
    add_number(sha, text.len, 4);
    sha256_add(sha, text.data, text.len);
}

/* One byte when absent: most orders fit two blocks. */
static void add_amount(struct sha256 *sha, bool has, dec_t value)
{
    add_byte(sha, has ? 1 : 0);
    if (has) {
        add_number(sha, (dec_u)value, sizeof(value));
    }
}

void fingerprint_order(const struct ord_command *cmd, uint8_t out[FINGERPRINT_BYTES])
{
    struct sha256 sha;

    sha256_init(&sha);
    add_byte(&sha, FINGERPRINT_VERSION);
    add_byte(&sha, (unsigned)cmd->action);
    add_text(&sha, cmd->symbol);
    add_text(&sha, cmd->client_order_id);
    add_text(&sha, cmd->target_order_id);
    if (cmd->action != ORD_ACTION_CANCEL && cmd->action != ORD_ACTION_CANCEL_ALL) {
        add_byte(&sha, (unsigned)cmd->side);
        add_byte(&sha, (unsigned)cmd->type);
        add_byte(&sha, (unsigned)cmd->tif);
        add_byte(&sha, (unsigned)cmd->stp);
        add_byte(&sha, cmd->post_only ? 1 : 0);
        add_byte(&sha, cmd->reduce_only ? 1 : 0);
        add_amount(&sha, cmd->has_qty, cmd->qty);
        add_amount(&sha, cmd->has_quote_qty, cmd->quote_qty);
        add_amount(&sha, cmd->has_price, cmd->price);
        add_amount(&sha, cmd->has_stop_price, cmd->stop_price);
        add_amount(&sha, cmd->has_display_qty, cmd->display_qty);
        add_amount(&sha, cmd->has_expire, cmd->expire_us);
    }
    sha256_finish(&sha, out);
}
