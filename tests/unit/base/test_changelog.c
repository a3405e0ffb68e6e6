/*
 * Goal:   a record key of a changelog says the store and gives its key back, whatever bytes that
 *         has; keys of somebody else's are told apart.
 * Method: keys there and back for two stores of which one's name begins with the other's; record
 *         keys that no store of the stage has written.
 */
#include "millrace/changelog.h"

#include <check.h>
#include <stdlib.h>

static const struct mr_store_spec stores[] = {{.name = "book"}, {.name = "books"}};
static const struct mr_stage type = {.stores = stores, .store_count = MR_COUNT(stores)};

static const struct {
    const char *key;
    size_t len;
    const char *why;
} keys[] = {
    {"u1", 2, "the common one"},
    {"", 0, "a store may have one row, under the empty key"},
    {"a\0b", 3, "composite keys hold NUL"},
    {"\0", 1, "a NUL first is the key's, not the name's end"},
    {"\xff\xff", 2, "any byte"},
};

START_TEST(a_key_comes_back_with_its_store)
{
    const struct mr_slice key = mr_slice_of(keys[_i].key, keys[_i].len);

    for (size_t s = 0; s < MR_COUNT(stores); s++) {
        uint8_t bytes[MR_CHANGELOG_KEY_BYTES_MAX];
        const size_t len = mr_changelog_key(&stores[s], key, bytes);
        struct mr_slice back = {0};

        ck_assert_uint_eq(len, strlen(stores[s].name) + 1 + key.len);
        ck_assert_msg(mr_changelog_store(&type, mr_slice_of(bytes, len), &back) == s, "%s",
                      keys[_i].why);
        ck_assert_msg(mr_slice_equal(back, key), "%s", keys[_i].why);
    }
}
END_TEST

START_TEST(the_longest_key_fits)
{
    static uint8_t longest[MR_STORE_KEY_BYTES_MAX];
    uint8_t bytes[MR_CHANGELOG_KEY_BYTES_MAX];

    ck_assert_uint_le(mr_changelog_key(&stores[1], mr_slice_of(longest, sizeof(longest)), bytes),
                      sizeof(bytes));
}
END_TEST

static const struct {
    const char *key;
    size_t len;
    const char *why;
} strangers[] = {
    {"", 0, "no name"},
    {"book", 4, "the name does not end"},
    {"boo\0k", 5, "no store's name"},
    {"bookshelf\0k", 11, "a store's name is only its beginning"},
    {"\0book", 5, "an empty name"},
};

START_TEST(a_key_of_no_store_is_told)
{
    struct mr_slice key;

    ck_assert_msg(mr_changelog_store(&type, mr_slice_of(strangers[_i].key, strangers[_i].len),
                                     &key) == SIZE_MAX,
                  "%s", strangers[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("changelog");
    TCase *tcase = tcase_create("changelog");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_key_comes_back_with_its_store, 0, (int)MR_COUNT(keys));
    tcase_add_test(tcase, the_longest_key_fits);
    tcase_add_loop_test(tcase, a_key_of_no_store_is_told, 0, (int)MR_COUNT(strangers));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
