/*
 * load_text.c -- see load_text.h.
 */
#include "load_text.h"

#include <stdarg.h>
#include <stdio.h>

struct mr_slice load_text(char *buffer, size_t bytes, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(buffer, bytes, fmt, args);
    va_end(args);
    return mr_slice_of(buffer, len < 0 ? 0 : (size_t)len < bytes ? (size_t)len : bytes - 1);
}
