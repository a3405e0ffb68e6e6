/*
 * domain_test.h -- what the domain's tests share: amounts as text, a seeded generator, a main.
 */
#ifndef TESTS_UNIT_DOMAIN_DOMAIN_TEST_H
#define TESTS_UNIT_DOMAIN_DOMAIN_TEST_H

#include "domain/decimal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* An amount from text; a typing mistake in a test ends it. */
static inline dec_t amount(const char *text)
{
    dec_t value = 0;

    if (dec_parse_signed(dom_text_str(text), &value) != DEC_PARSED) {
        ck_abort_msg("not an amount: %s", text);
    }
    return value;
}

static inline struct dom_text text_of(const char *text)
{
    return dom_text_str(text);
}

/* Fails with both numbers in decimal. */
static inline void assert_amount(dec_t is, dec_t should, const char *why)
{
    char a[DEC_TEXT_MAX];
    char b[DEC_TEXT_MAX];

    dec_format(is, a);
    dec_format(should, b);
    ck_assert_msg(is == should, "%s: is %s, should be %s", why, a, b);
}

/* An assertion of Check costs a system call, whatever it finds: too much for millions of them. */
static inline void must(bool holds, const char *what)
{
    if (!holds) {
        ck_abort_msg("%s", what);
    }
}

/* splitmix64: small, and the same everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return next_random(state) % bound;
}

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
