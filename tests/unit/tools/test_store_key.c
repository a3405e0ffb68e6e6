/*
 * Goal:   a key reads as a person would write it, and what is written so is found again.
 * Method: a table of keys as bytes and as text; and what one text may mean.
 */
#include "store_key.h"

#include <check.h>
#include <stdlib.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct {
    struct mr_slice key;
    const char *text;
    bool plain;
    const char *why;
} rows[] = {
    {BYTES("u-1"), "u-1", true, "a text"},
    {BYTES("a:b"), "a:b", true, "with a colon of its own"},
    {BYTES("BTCUSDT\0"), "BTCUSDT", false, "one part"},
    {BYTES("u-1\0c-2\0"), "u-1:c-2", false, "two parts"},
    {BYTES("u-1\0\x80\0\0\0\0\0\0\x07k\0"), "u-1:7:k", false, "an integer between"},
    {BYTES("X\0\x7f\xff\xff\xff\xff\xff\xff\xff"), "X:-1", false, "a negative one at the end"},
    {BYTES("\x80\0\0\0\0\0\0\0"), "0", false, "an integer alone"},
    {BYTES("u-1\0\0"), "u-1:", false, "an empty part"},
    {BYTES("\x01\x02"), "0x0102", false, "neither"},
    {BYTES("abc\0d"),
     "0x61626300"
     "64",
     false, "a part that does not end"},
    {BYTES("M\xc3\xbcller"), "M\xc3\xbcller", true, "UTF-8"},
};

START_TEST(a_key_reads_as_text)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    ck_assert_int_eq(store_key_text(rows[_i].key, &text), rows[_i].plain);
    ck_assert_msg(mr_slice_equal(mr_buffer_slice(&text), mr_slice_str(rows[_i].text)), "%s: %.*s",
                  rows[_i].why, MR_SLICE_ARG(mr_buffer_slice(&text)));
    mr_buffer_fini(&text);
}
END_TEST

START_TEST(its_text_means_the_key_again)
{
    struct mr_key forms[STORE_KEY_FORMS_MAX];
    const size_t count = store_key_forms(rows[_i].text, forms);
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        found = found || mr_slice_equal(mr_key_slice(&forms[i]), rows[_i].key);
    }
    ck_assert_msg(found, "%s: %s", rows[_i].why, rows[_i].text);
}
END_TEST

START_TEST(a_text_that_cannot_be_a_key_is_none)
{
    struct mr_key forms[STORE_KEY_FORMS_MAX];
    char long_text[MR_KEY_BYTES_MAX + 1];

    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    ck_assert_uint_eq(store_key_forms("", forms), 0);
    ck_assert_uint_eq(store_key_forms("0x123", forms), 0);
    ck_assert_uint_eq(store_key_forms("0xzz", forms), 0);
    ck_assert_uint_eq(store_key_forms(long_text, forms), 0);
    ck_assert_uint_eq(store_key_prefixes(long_text, forms), 0);
    /* As many numbers as one likes: no more forms than there is room for. */
    ck_assert_uint_le(store_key_forms("1:2:3:4:5:6:7:8", forms), STORE_KEY_FORMS_MAX);
}
END_TEST

START_TEST(a_prefix_is_a_beginning_in_either_form)
{
    struct mr_key forms[STORE_KEY_FORMS_MAX];

    ck_assert_uint_eq(store_key_prefixes("", forms), 1);
    ck_assert_uint_eq(forms[0].len, 0);
    ck_assert_uint_eq(store_key_prefixes("u-1", forms), 1);
    ck_assert_uint_eq(store_key_prefixes("u-1:c", forms), 2);
    ck_assert(mr_slice_equal(mr_key_slice(&forms[0]), mr_slice_str("u-1:c")));
    ck_assert(mr_slice_equal(mr_key_slice(&forms[1]), mr_slice_of("u-1\0c", 5)));
    ck_assert_uint_eq(store_key_prefixes("0x7500", forms), 1);
    ck_assert(mr_slice_equal(mr_key_slice(&forms[0]), mr_slice_of("u\0", 2)));
}
END_TEST

START_TEST(a_row_has_hex_where_text_does_not_say_it_all)
{
    struct mr_buffer json = MR_BUFFER_EMPTY;

    store_key_json(mr_slice_str("a\"b"), &json);
    mr_buffer_append(&json, " ", 1);
    store_key_json(mr_slice_of("u\0", 2), &json);
    ck_assert(mr_slice_equal(mr_buffer_slice(&json),
                             mr_slice_str("\"key\":\"a\\\"b\" \"key\":\"u\",\"keyHex\":\"7500\"")));
    mr_buffer_fini(&json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_key");
    TCase *tcase = tcase_create("store_key");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_key_reads_as_text, 0, (int)MR_COUNT(rows));
    tcase_add_loop_test(tcase, its_text_means_the_key_again, 0, (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_text_that_cannot_be_a_key_is_none);
    tcase_add_test(tcase, a_prefix_is_a_beginning_in_either_form);
    tcase_add_test(tcase, a_row_has_hex_where_text_does_not_say_it_all);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
