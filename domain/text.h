/*
 * text.h -- borrowed text, as the domain sees it.
 *
 * Why: the domain includes nothing but libc, so it has its own pair of pointer and length. A stage
 *      converts the runtime's slice field by field at its border.
 */
#ifndef DOMAIN_TEXT_H
#define DOMAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Never owns, never ends in a zero byte by promise; data may be NULL only together with len 0. */
struct dom_text {
    const char *data;
    size_t len;
};

static inline struct dom_text dom_text_of(const void *data, size_t len)
{
    return (struct dom_text){.data = (const char *)data, .len = len};
}

static inline struct dom_text dom_text_str(const char *text)
{
    return dom_text_of(text, strlen(text));
}

static inline bool dom_text_equal(struct dom_text a, struct dom_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
