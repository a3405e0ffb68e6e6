/*
 * utf8.h -- is it UTF-8? One character at a time, without locale.
 */
#ifndef MILLRACE_UTF8_H
#define MILLRACE_UTF8_H

#include "millrace/slice.h"

/* Bytes of the character that text starts with; 0 when it is no UTF-8. text is not empty. */
size_t mr_utf8_step(struct mr_slice text);

#endif
