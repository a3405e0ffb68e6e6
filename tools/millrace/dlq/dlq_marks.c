/* dlq_marks.c -- see dlq_marks.h. */
#include "dlq_marks.h"

#include "millrace/arena.h"

#include <inttypes.h>
#include <stdlib.h>

void dlq_marks_fini(struct dlq_marks *marks)
{
    free(marks->ranges);
    *marks = (struct dlq_marks){0};
}

bool dlq_marks_have(const struct dlq_marks *marks, int64_t offset)
{
    for (size_t i = 0; i < marks->count; i++) {
        if (offset >= marks->ranges[i].from && offset < marks->ranges[i].to) {
            return true;
        }
    }
    return false;
}

void dlq_marks_add(struct dlq_marks *marks, int64_t from, int64_t to)
{
    size_t first = 0;
    size_t last;

    while (first < marks->count && marks->ranges[first].to < from) {
        first++;
    }
    for (last = first; last < marks->count && marks->ranges[last].from <= to; last++) {
        from = marks->ranges[last].from < from ? marks->ranges[last].from : from;
        to = marks->ranges[last].to > to ? marks->ranges[last].to : to;
    }
    if (last == first) { /* touches none: room for one more */
        if (marks->count == marks->capacity) {
            marks->capacity = 2 * marks->capacity + 8;
            marks->ranges = mr_xrealloc(marks->ranges, marks->capacity * sizeof *marks->ranges);
        }
        memmove(marks->ranges + first + 1, marks->ranges + first,
                (marks->count - first) * sizeof *marks->ranges);
        marks->count++;
    } else {
        memmove(marks->ranges + first + 1, marks->ranges + last,
                (marks->count - last) * sizeof *marks->ranges);
        marks->count -= last - first - 1;
    }
    marks->ranges[first] = (struct dlq_range){.from = from, .to = to};
}

void dlq_marks_remove(struct dlq_marks *marks, int64_t from, int64_t to)
{
    const struct dlq_marks before = *marks;

    *marks = (struct dlq_marks){0};
    for (size_t i = 0; i < before.count; i++) {
        const struct dlq_range *range = &before.ranges[i];

        if (range->from < from) {
            dlq_marks_add(marks, range->from, range->to < from ? range->to : from);
        }
        if (range->to > to) {
            dlq_marks_add(marks, range->from > to ? range->from : to, range->to);
        }
    }
    free(before.ranges);
}

/* The next number of text, moving past it; false when there is none. */
static bool take_number(struct mr_slice *text, int64_t *value)
{
    size_t used = 0;

    *value = 0;
    while (used < text->len && text->data[used] >= '0' && text->data[used] <= '9') {
        if (*value > (INT64_MAX - 9) / 10) {
            return false;
        }
        *value = *value * 10 + (text->data[used] - '0');
        used++;
    }
    *text = mr_slice_of(text->data + used, text->len - used);
    return used > 0;
}

static bool take_char(struct mr_slice *text, uint8_t wanted)
{
    if (text->len == 0 || text->data[0] != wanted) {
        return false;
    }
    *text = mr_slice_of(text->data + 1, text->len - 1);
    return true;
}

enum mr_status dlq_marks_read(struct dlq_marks *marks, int64_t offset, struct mr_slice text,
                              struct mr_err *err)
{
    marks->count = 0;
    if (offset > 0) {
        dlq_marks_add(marks, 0, offset);
    }
    while (text.len > 0) {
        int64_t from = 0;
        int64_t to = 0;
        bool good = take_number(&text, &from);

        to = from;
        if (good && take_char(&text, '-')) {
            good = take_number(&text, &to);
        }
        if (!good || to < from || to == INT64_MAX ||
            (text.len > 0 && (!take_char(&text, ',') || text.len == 0))) {
            return mr_fail(err, MR_CORRUPT, "the text with the committed offset is not a replay's");
        }
        dlq_marks_add(marks, from, to + 1);
    }
    return MR_OK;
}

enum mr_status dlq_marks_write(const struct dlq_marks *marks, int64_t *offset,
                               struct mr_buffer *text, struct mr_err *err)
{
    const bool base = marks->count > 0 && marks->ranges[0].from == 0;

    *offset = base ? marks->ranges[0].to : 0;
    mr_buffer_clear(text);
    for (size_t i = base ? 1 : 0; i < marks->count; i++) {
        const struct dlq_range *range = &marks->ranges[i];

        mr_buffer_printf(text, "%s%" PRId64, text->len == 0 ? "" : ",", range->from);
        if (range->to - range->from > 1) {
            mr_buffer_printf(text, "-%" PRId64, range->to - 1);
        }
    }
    return text->len <= MR_OFFSET_METADATA_MAX
               ? MR_OK
               : mr_fail(err, MR_RESOURCE,
                         "the letters that were replayed have too many others between them to be "
                         "noted: choose more of them at once");
}
