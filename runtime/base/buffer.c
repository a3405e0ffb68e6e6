/* buffer.c -- see millrace/buffer.h. Capacity doubles, so appending is amortised constant. */
#include "millrace/buffer.h"

#include "millrace/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_MIN ((size_t)256)

void mr_buffer_fini(struct mr_buffer *buffer)
{
    free(buffer->data);
    *buffer = MR_BUFFER_EMPTY;
}

uint8_t *mr_buffer_reserve(struct mr_buffer *buffer, size_t more)
{
    const size_t need = buffer->len + more;

    MR_ASSERT(need >= more);
    if (need > buffer->capacity || buffer->data == NULL) {
        size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
        while (capacity < need) {
            capacity *= 2;
        }
        buffer->data = mr_xrealloc(buffer->data, capacity);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->len;
}

void mr_buffer_append(struct mr_buffer *buffer, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    memcpy(mr_buffer_reserve(buffer, len), data, len);
    buffer->len += len;
}

void mr_buffer_printf(struct mr_buffer *buffer, const char *fmt, ...)
{
    va_list args;
    va_list again;

    va_start(args, fmt);
    va_copy(again, args);
    const int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    MR_ASSERT(len >= 0);
    char *at = (char *)mr_buffer_reserve(buffer, (size_t)len + 1);
    (void)vsnprintf(at, (size_t)len + 1, fmt, again);
    va_end(again);
    buffer->len += (size_t)len;
}
