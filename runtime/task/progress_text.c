/* progress_text.c -- see progress_text.h. */
#include "progress_text.h"

#include <inttypes.h>
#include <string.h>

#define FORMAT "2"

/* Up to the separator, which is taken off too. */
static struct mr_slice word(struct mr_slice *rest, char separator)
{
    if (rest->len == 0) {
        return *rest; /* without bytes there is nothing to count from */
    }
    const uint8_t *end = memchr(rest->data, separator, rest->len);
    const size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    const struct mr_slice taken = mr_slice_of(rest->data, len);
    const size_t off = end == NULL ? len : len + 1;

    *rest = mr_slice_of(rest->data + off, rest->len - off);
    return taken;
}

static bool number_of(struct mr_slice text, int64_t *number)
{
    const bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t value = 0;

    if (text.len == (size_t)negative || text.len > 20) {
        return false;
    }
    for (size_t i = negative; i < text.len; i++) {
        const unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (value > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool progress_text_read(struct mr_slice text, struct progress_text *progress)
{
    if (!mr_slice_equal(word(&text, ' '), mr_slice_str(FORMAT)) ||
        !number_of(word(&text, ' '), &progress->sequence) ||
        !number_of(word(&text, ' '), &progress->stream_time_us)) {
        return false;
    }
    progress->writer = word(&text, ' ');
    progress->timers = text;
    return true;
}

struct mr_slice progress_text_timers(const struct progress_text *progress, const char *stage)
{
    struct mr_slice rest = progress->timers;

    while (rest.len > 0) {
        struct mr_slice timers = word(&rest, ' ');

        if (mr_slice_equal(word(&timers, ':'), mr_slice_str(stage))) {
            return timers;
        }
    }
    return mr_slice_of(NULL, 0);
}

bool progress_text_next(struct mr_slice *timers, int64_t *next_us)
{
    return timers->len > 0 && number_of(word(timers, ','), next_us);
}

void progress_text_write(struct mr_buffer *text, const struct progress_text *progress)
{
    mr_buffer_printf(text, FORMAT " %" PRId64 " %" PRId64 " %.*s", progress->sequence,
                     progress->stream_time_us, (int)progress->writer.len,
                     (const char *)progress->writer.data);
}
