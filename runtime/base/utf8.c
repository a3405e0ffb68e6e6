/* utf8.c -- see millrace/utf8.h. */
#include "millrace/utf8.h"

size_t mr_utf8_step(struct mr_slice text)
{
    const uint8_t lead = text.data[0];
    const size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;

    if (len == 0 || lead > 0xf4 || len > text.len) {
        return 0;
    }
    if (len == 1) {
        return 1;
    }
    /* The second byte keeps overlong forms, surrogates and what is beyond U+10FFFF out. */
    low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : low;
    high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : high;
    if (text.data[1] < low || text.data[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (text.data[i] < 0x80 || text.data[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}
