/*
 * buffer.h -- a growing byte buffer, kept and reused.
 */
#ifndef MILLRACE_BUFFER_H
#define MILLRACE_BUFFER_H

#include "millrace/api.h"
#include "millrace/slice.h"
#include "millrace/status.h"

MR_API_BEGIN

struct mr_buffer {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

#define MR_BUFFER_EMPTY ((struct mr_buffer){0})

void mr_buffer_fini(struct mr_buffer *buffer);
static inline void mr_buffer_clear(struct mr_buffer *buffer)
{
    buffer->len = 0;
}
/* Room for `more` bytes behind len; returns where they go, never NULL. */
uint8_t *mr_buffer_reserve(struct mr_buffer *buffer, size_t more);
void mr_buffer_append(struct mr_buffer *buffer, const void *data, size_t len);
void mr_buffer_printf(struct mr_buffer *buffer, const char *fmt, ...) MR_PRINTF(2, 3);
static inline struct mr_slice mr_buffer_slice(const struct mr_buffer *buffer)
{
    return mr_slice_of(buffer->data, buffer->len);
}

MR_API_END

#endif
