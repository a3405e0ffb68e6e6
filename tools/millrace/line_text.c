/* line_text.c -- see line_text.h. */
#include "line_text.h"

#include <stdio.h>
#include <time.h>

void line_text_append(struct mr_buffer *out, struct mr_slice text)
{
    mr_buffer_printf(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];

        if (c == '"' || c == '\\') {
            mr_buffer_printf(out, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            mr_buffer_printf(out, "\\u%04x", c); /* bytes as they are, one by one */
        } else {
            mr_buffer_append(out, &c, 1);
        }
    }
    mr_buffer_printf(out, "\"");
}

void line_hex_append(struct mr_buffer *out, struct mr_slice bytes)
{
    mr_buffer_printf(out, "\"");
    for (size_t i = 0; i < bytes.len; i++) {
        mr_buffer_printf(out, "%02x", bytes.data[i]);
    }
    mr_buffer_printf(out, "\"");
}

void line_time_append(struct mr_buffer *out, int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        mr_buffer_printf(out, "null");
        return;
    }
    mr_buffer_printf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

bool line_text_copy(struct mr_slice text, char *out, size_t bytes)
{
    const size_t len = text.len < bytes ? text.len : bytes - 1;

    if (len > 0) {
        memcpy(out, text.data, len);
    }
    out[len] = '\0';
    return len == text.len;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool line_hex_parse(const char *hex, uint8_t *bytes, size_t max, size_t *len)
{
    const size_t digits = strlen(hex);

    if (digits % 2 != 0 || digits / 2 > max) {
        return false;
    }
    for (size_t i = 0; i < digits; i += 2) {
        const int high = digit(hex[i]);
        const int low = digit(hex[i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    *len = digits / 2;
    return true;
}
