/* line_text.h -- any bytes inside a line of JSON: as text, as hex. */
#ifndef MILLRACE_TOOLS_LINE_TEXT_H
#define MILLRACE_TOOLS_LINE_TEXT_H

#include "millrace/buffer.h"

/* Quoted. Bytes that are no ASCII text are \u00xx, one by one. */
void line_text_append(struct mr_buffer *out, struct mr_slice text);
/* Quoted. */
void line_hex_append(struct mr_buffer *out, struct mr_slice bytes);
/* RFC 3339 in UTC with milliseconds, quoted; null when it cannot be written so. */
void line_time_append(struct mr_buffer *out, int64_t ms);
/* NUL-terminated into out; false: it did not fit and is cut. */
bool line_text_copy(struct mr_slice text, char *out, size_t bytes);
/* False: odd, too long for bytes, or no hex. */
bool line_hex_parse(const char *hex, uint8_t *bytes, size_t max, size_t *len);

#endif
