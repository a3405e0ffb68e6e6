/*
 * test_fingerprint.c
 *
 * Goal:   SHA-256 is SHA-256, and a fingerprint changes with content and with nothing else.
 * Method: published vectors (FIPS 180-4 examples); one command changed field by field; one
 *         print that must never change.
 */
#include "domain/fingerprint.h"
#include "domain_test.h"

static void to_hex(const uint8_t digest[SHA256_BYTES], char hex[2 * SHA256_BYTES + 1])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

static const struct {
    const char *text;
    size_t repeat;
    const char *hex;
} vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnop"
     "qrsmnopqrstnopqrstu",
     1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

START_TEST(sha256_gives_the_published_digests)
{
    struct sha256 sha;
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    sha256_init(&sha);
    for (size_t i = 0; i < vectors[_i].repeat; i++) {
        sha256_add(&sha, vectors[_i].text, strlen(vectors[_i].text));
    }
    sha256_finish(&sha, digest);
    to_hex(digest, hex);
    ck_assert_str_eq(hex, vectors[_i].hex);
}
END_TEST

START_TEST(pieces_do_not_matter)
{
    uint8_t data[300];
    uint64_t seed = 3;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)next_random(&seed);
    }
    for (size_t len = 0; len <= sizeof(data); len++) {
        struct sha256 whole;
        struct sha256 pieces;
        uint8_t a[SHA256_BYTES];
        uint8_t b[SHA256_BYTES];
        sha256_init(&whole);
        sha256_add(&whole, data, len);
        sha256_finish(&whole, a);
        sha256_init(&pieces);
        for (size_t at = 0; at < len;) {
            size_t part = 1 + (size_t)random_below(&seed, 70);
            part = part < len - at ? part : len - at;
            sha256_add(&pieces, data + at, part);
            at += part;
        }
        sha256_finish(&pieces, b);
        ck_assert_mem_eq(a, b, sizeof(a));
    }
}
END_TEST

static struct ord_command command(void)
{
    return (struct ord_command){
        .ts_us = 1,
        .action = ORD_ACTION_NEW,
        .order_id = dom_text_str("o1"),
        .user_id = dom_text_str("u1"),
        .client_order_id = dom_text_str("c1"),
        .idempotency_key = dom_text_str("k1"),
        .symbol = dom_text_str("BTC-USD"),
        .has_qty = true,
        .qty = amount("1.5"),
        .has_price = true,
        .price = amount("100"),
    };
}

static void assert_print(const struct ord_command *changed, bool same, const char *why)
{
    const struct ord_command original = command();
    uint8_t a[FINGERPRINT_BYTES];
    uint8_t b[FINGERPRINT_BYTES];

    fingerprint_order(&original, a);
    fingerprint_order(changed, b);
    ck_assert_msg((memcmp(a, b, sizeof(a)) == 0) == same, "%s", why);
}

#define CHANGED(same, why, change)                                                                 \
    do {                                                                                           \
        struct ord_command c = command();                                                          \
        change;                                                                                    \
        assert_print(&c, same, why);                                                               \
    } while (0)

START_TEST(a_retry_has_the_same_print)
{
    CHANGED(true, "identical", (void)0);
    CHANGED(true, "1.50 is 1.5", c.qty = amount("1.50"));
    CHANGED(true, "event time", c.ts_us = 99);
    CHANGED(true, "order id: the gateway mints a new one", c.order_id = dom_text_str("o2"));
    CHANGED(true, "client clock", c.has_client_ts = true);
    CHANGED(true, "the key itself", c.idempotency_key = dom_text_str("k2"));
    CHANGED(true, "value behind an absent field", c.stop_price = 5);
}
END_TEST

START_TEST(other_content_has_another_print)
{
    CHANGED(false, "symbol", c.symbol = dom_text_str("BTC-EUR"));
    CHANGED(false, "side", c.side = ORD_SELL);
    CHANGED(false, "type", c.type = ORD_MARKET);
    CHANGED(false, "tif", c.tif = ORD_IOC);
    CHANGED(false, "stp", c.stp = ORD_STP_NONE);
    CHANGED(false, "post only", c.post_only = true);
    CHANGED(false, "reduce only", c.reduce_only = true);
    CHANGED(false, "an atom of quantity", c.qty += 1);
    CHANGED(false, "price", c.price = amount("100.01"));
    CHANGED(false, "stop price of 0 is not an absent one", c.has_stop_price = true);
    CHANGED(false, "price absent", c.has_price = false);
    CHANGED(false, "quote quantity", c.has_quote_qty = true);
    CHANGED(false, "display quantity", c.has_display_qty = true);
    CHANGED(false, "expiry", c.has_expire = true);
    CHANGED(false, "action", c.action = ORD_ACTION_CANCEL);
    CHANGED(false, "client order id", c.client_order_id = dom_text_str("c2"));
    CHANGED(false, "target", c.target_order_id = dom_text_str("t"));
    CHANGED(false, "text moved between neighbours",
            (c.symbol = dom_text_str("BTC-USDc"), c.client_order_id = dom_text_str("1")));
    CHANGED(false, "quantity and price exchanged",
            (c.qty = amount("100"), c.price = amount("1.5")));
}
END_TEST

START_TEST(a_cancel_is_its_target)
{
    struct ord_command a = command();
    struct ord_command b = command();
    uint8_t print_a[FINGERPRINT_BYTES];
    uint8_t print_b[FINGERPRINT_BYTES];

    a.action = b.action = ORD_ACTION_CANCEL;
    a.target_order_id = b.target_order_id = dom_text_str("t1");
    b.side = ORD_SELL;
    fingerprint_order(&a, print_a);
    fingerprint_order(&b, print_b);
    ck_assert_mem_eq(print_a, print_b, sizeof(print_a));
    b.target_order_id = dom_text_str("t2");
    fingerprint_order(&b, print_b);
    ck_assert_mem_ne(print_a, print_b, sizeof(print_a));
}
END_TEST

/* Prints are stored and compared by later releases. The digest was made outside of this program, of
 * 01 00, "BTC-USD", "c-1" and "" each behind 32 bits of length, 01 03 00 01 01 01, and six amounts:
 * 00, or 01 and 128 bits, big-endian. */
START_TEST(a_print_is_the_same_in_every_release)
{
    const struct ord_command cmd = {
        .action = ORD_ACTION_NEW,
        .symbol = dom_text_str("BTC-USD"),
        .client_order_id = dom_text_str("c-1"),
        .side = ORD_SELL,
        .type = ORD_STOP_LIMIT,
        .stp = ORD_STP_EXPIRE_MAKER,
        .post_only = true,
        .reduce_only = true,
        .has_qty = true,
        .qty = amount("0.5"),
        .has_price = true,
        .price = amount("60000"),
        .has_stop_price = true,
        .stop_price = 1,
        .has_expire = true,
        .expire_us = INT64_C(1700000000000000),
    };
    uint8_t print[FINGERPRINT_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    fingerprint_order(&cmd, print);
    to_hex(print, hex);
    ck_assert_str_eq(hex, "fe60af3a858ac28cb0f2157c469cf801e29270d0483d1d007c29d20441e7515c");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fingerprint");
    TCase *tcase = tcase_create("fingerprint");

    tcase_add_loop_test(tcase, sha256_gives_the_published_digests, 0,
                        (int)(sizeof(vectors) / sizeof(vectors[0])));
    tcase_add_test(tcase, pieces_do_not_matter);
    tcase_add_test(tcase, a_retry_has_the_same_print);
    tcase_add_test(tcase, other_content_has_another_print);
    tcase_add_test(tcase, a_print_is_the_same_in_every_release);
    tcase_add_test(tcase, a_cancel_is_its_target);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
