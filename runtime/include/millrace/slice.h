/*
 * slice.h -- borrowed bytes, and the few things everybody does with them.
 *
 * A slice never owns. It is valid as long as its owner says: a record's until the transaction
 * ends, a store value's until the key is next written or the callback returns.
 */
#ifndef MILLRACE_SLICE_H
#define MILLRACE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mr_slice {
    const uint8_t *data; /* NULL only together with len 0 */
    size_t len;
};

/* A 128-bit integer: amounts at scale 18 on the wire and in records. */
__extension__ typedef __int128 mr_i128;
__extension__ typedef unsigned __int128 mr_u128;

static inline struct mr_slice mr_slice_of(const void *data, size_t len)
{
    return (struct mr_slice){.data = (const uint8_t *)data, .len = len};
}

static inline struct mr_slice mr_slice_str(const char *text)
{
    return mr_slice_of(text, strlen(text));
}

static inline bool mr_slice_equal(struct mr_slice a, struct mr_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Byte order, shorter first on a common prefix: the order of store keys. */
static inline int mr_slice_compare(struct mr_slice a, struct mr_slice b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* For printf: printf("%.*s", MR_SLICE_ARG(s)). */
#define MR_SLICE_ARG(s) (int)(s).len, (const char *)(s).data

#endif
