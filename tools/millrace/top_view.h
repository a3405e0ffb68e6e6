/* top_view.h -- rows of `millrace top` as text, and as JSON. */
#ifndef MILLRACE_TOOLS_TOP_VIEW_H
#define MILLRACE_TOOLS_TOP_VIEW_H

#include "millrace/buffer.h"
#include "top_rows.h"

struct top_view {
    int width;   /* of the terminal; lines are cut there; 0: not at all */
    int height;  /* 0: all rows */
    bool colour; /* ANSI */
    enum top_sort sort;
    bool tasks; /* a row for each task, too */
};

/* Appends the whole picture; each line ends with a newline. */
void top_view_write(const struct top_view *view, const struct top_table *table,
                    const struct see_status *status, struct mr_buffer *out);

/* top_json.c: {"totals", "units": [{..., "tasks"}], "unreachable"}; what is unknown is null. */
void top_json_write(const struct top_table *table, const struct see_status *status,
                    struct mr_buffer *out);

#endif
