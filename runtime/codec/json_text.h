/* json_text.h -- the texts inside JSON: decimals, times. Private to runtime/codec. */
#ifndef MILLRACE_CODEC_JSON_TEXT_H
#define MILLRACE_CODEC_JSON_TEXT_H

#include "millrace/buffer.h"
#include "millrace/schema.h"

#define MR_JSON_DECIMAL_BYTES ((size_t)48) /* "-", 39 digits, ".", NUL and room */
#define MR_JSON_TIME_BYTES                                                                         \
    ((size_t)96) /* "2024-08-08T00:00:00.123456Z"; room for any seven ints                         \
                  */

/* The layout of every generated array member. */
struct mr_json_items {
    const void *items;
    size_t count;
};

/* Shortest text of a decimal of scale 18: "0.5", "-12", "3.000000000000000001". */
void mr_json_decimal_format(mr_i128 atoms, char text[MR_JSON_DECIMAL_BYTES]);
/* False unless text is a plain decimal with at most 18 digits behind the point, below 10^38 atoms.
 */
bool mr_json_decimal_parse(const char *text, mr_i128 *atoms);

/* RFC 3339 in UTC with six digits; false for years outside 0000..9999. */
bool mr_json_time_format(int64_t us, char text[MR_JSON_TIME_BYTES]);
/* The same form with 0 to 6 digits of seconds and Z; false for anything else. */
bool mr_json_time_parse(const char *text, int64_t *us);

#endif
