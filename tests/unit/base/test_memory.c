/*
 * Goal:   arenas, buffers and slices hold what was put in, aligned and without growing for ever.
 * Method: patterns that would show an overlap; sizes around the chunk and capacity bounds.
 */
#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <check.h>
#include <stdlib.h>

#define CHUNK ((size_t)256)

START_TEST(allocations_are_aligned_and_do_not_overlap)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 255, 256, 257, 5000, 3};
    struct mr_arena *arena = mr_arena_create(CHUNK);
    uint8_t *at[MR_COUNT(sizes)];

    for (size_t i = 0; i < MR_COUNT(sizes); i++) {
        at[i] = mr_arena_alloc(arena, sizes[i]);
        ck_assert_uint_eq((uintptr_t)at[i] % 16, 0);
        memset(at[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < MR_COUNT(sizes); i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            ck_assert_uint_eq(at[i][k], i + 1);
        }
    }
    mr_arena_destroy(&arena);
    ck_assert_ptr_null(arena);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(a_reset_arena_does_not_grow_for_the_same_work)
{
    struct mr_arena *arena = mr_arena_create(CHUNK);
    size_t after_first = 0;

    for (int round = 0; round < 100; round++) {
        for (size_t bytes = 1; bytes < 600; bytes += 37) {
            (void)mr_arena_alloc(arena, bytes);
        }
        if (round == 0) {
            after_first = mr_arena_bytes(arena);
        }
        mr_arena_reset(arena);
    }
    ck_assert_uint_eq(mr_arena_bytes(arena), after_first);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(a_copy_is_independent)
{
    struct mr_arena *arena = mr_arena_create(CHUNK);
    char text[] = "hello";
    const struct mr_slice copy = mr_arena_copy(arena, mr_slice_of(text, 5));

    text[0] = 'j';
    ck_assert(mr_slice_equal(copy, mr_slice_str("hello")));
    ck_assert_ptr_null(mr_arena_copy(arena, (struct mr_slice){0}).data);
    mr_arena_destroy(&arena);
}
END_TEST

START_TEST(a_buffer_grows_and_keeps_its_content)
{
    struct mr_buffer buffer = MR_BUFFER_EMPTY;

    ck_assert_ptr_nonnull(mr_buffer_reserve(&buffer, 0));
    for (uint32_t i = 0; i < 10000; i++) {
        mr_buffer_append(&buffer, &i, sizeof(i));
    }
    mr_buffer_append(&buffer, NULL, 0);
    ck_assert_uint_eq(buffer.len, 40000);
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t value = 0;
        memcpy(&value, buffer.data + i * sizeof(value), sizeof(value));
        ck_assert_uint_eq(value, i);
    }
    const size_t capacity = buffer.capacity;
    mr_buffer_clear(&buffer);
    mr_buffer_printf(&buffer, "%s-%d", "x", 7);
    ck_assert(mr_slice_equal(mr_buffer_slice(&buffer), mr_slice_str("x-7")));
    ck_assert_uint_eq(buffer.capacity, capacity);
    mr_buffer_fini(&buffer);
    ck_assert_ptr_null(buffer.data);
}
END_TEST

static const struct order {
    const char *a, *b;
    int sign;
} orders[] = {{"", "", 0},   {"", "a", -1},   {"a", "a", 0},       {"a", "b", -1},
              {"b", "a", 1}, {"a", "aa", -1}, {"\x7f", "\x80", -1}};

START_TEST(slices_compare_as_bytes)
{
    const struct order *row = &orders[_i];
    const int order = mr_slice_compare(mr_slice_str(row->a), mr_slice_str(row->b));

    ck_assert_int_eq((order > 0) - (order < 0), row->sign);
    ck_assert(mr_slice_equal(mr_slice_str(row->a), mr_slice_str(row->b)) == (row->sign == 0));
}
END_TEST

START_TEST(every_status_has_a_name_a_text_and_a_class)
{
#define X(name, class, text)                                                                       \
    ck_assert_str_eq(mr_status_name(MR_##name), #name);                                            \
    ck_assert_str_eq(mr_status_text(MR_##name), text);                                             \
    ck_assert_int_eq(mr_status_class(MR_##name), MR_CLASS_##class);
    MR_STATUS_MAP(X)
#undef X
    ck_assert_str_eq(mr_class_name(MR_CLASS_POISON), "poison");
}
END_TEST

START_TEST(fail_fills_the_error_and_cuts_what_is_too_long)
{
    struct mr_err err = {0};
    char text[1000];

    memset(text, 'x', sizeof(text));
    text[999] = '\0';
    ck_assert_int_eq(mr_fail(&err, MR_TIMEOUT, "%s", text), MR_TIMEOUT);
    ck_assert_int_eq(err.status, MR_TIMEOUT);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tcase, allocations_are_aligned_and_do_not_overlap);
    tcase_add_test(tcase, a_reset_arena_does_not_grow_for_the_same_work);
    tcase_add_test(tcase, a_copy_is_independent);
    tcase_add_test(tcase, a_buffer_grows_and_keeps_its_content);
    tcase_add_loop_test(tcase, slices_compare_as_bytes, 0, (int)MR_COUNT(orders));
    tcase_add_test(tcase, every_status_has_a_name_a_text_and_a_class);
    tcase_add_test(tcase, fail_fills_the_error_and_cuts_what_is_too_long);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
