/*
 * load_text.h -- formatted text in a caller's buffer, cut when it does not fit.
 */
#ifndef MILLRACE_LOAD_TEXT_H
#define MILLRACE_LOAD_TEXT_H

#include "millrace/slice.h"
#include "millrace/status.h"

/* Zero-terminated; the slice is without the zero. */
struct mr_slice load_text(char *buffer, size_t bytes, const char *fmt, ...) MR_PRINTF(3, 4);

#endif
