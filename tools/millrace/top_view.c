/* top_view.c -- see top_view.h. */
#include "top_view.h"

#include "graph_svg.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define REVERSE "\033[7m"
#define PLAIN "\033[0m"
#define LINE_BYTES_MAX 512
#define UNIT_WIDTH 26

/* One line: what is printed counts, how it is coloured does not. */
struct line {
    const struct top_view *view;
    struct mr_buffer *out;
    int column;
};

static void colour(struct line *line, const char *code)
{
    if (line->view->colour) {
        mr_buffer_printf(line->out, "%s", code);
    }
}

static void put(struct line *line, const char *fmt, ...) MR_PRINTF(2, 3);

static void put(struct line *line, const char *fmt, ...)
{
    char text[LINE_BYTES_MAX];
    const int room = line->view->width > 0 ? line->view->width - line->column : LINE_BYTES_MAX;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    len = len < room ? len : room;
    if (len > 0) {
        mr_buffer_append(line->out, text, (size_t)len);
        line->column += len;
    }
}

static void end(struct line *line)
{
    colour(line, PLAIN "\033[K");
    mr_buffer_append(line->out, "\n", 1);
    line->column = 0;
}

/* ---- figures --------------------------------------------------------------------------------- */

static void put_count(struct line *line, int width, int64_t count)
{
    char text[32];

    graph_count_text(count, text, sizeof(text));
    put(line, " %*s", width, text);
}

/* Without "/s": the heading says it. */
static void put_rate(struct line *line, int width, int64_t milli)
{
    char text[32];

    graph_rate_text(milli, text, sizeof(text));
    text[strcspn(text, "/")] = '\0';
    put(line, " %*s", width, text);
}

static void time_text(int64_t us, char *text, size_t bytes)
{
    if (us < 0) {
        (void)snprintf(text, bytes, "-");
    } else if (us < 1000) {
        (void)snprintf(text, bytes, "%" PRId64 "us", us);
    } else if (us < 10000) {
        (void)snprintf(text, bytes, "%" PRId64 ".%" PRId64 "ms", us / 1000, us % 1000 / 100);
    } else if (us < 10000000) {
        (void)snprintf(text, bytes, "%" PRId64 "ms", us / 1000);
    } else {
        (void)snprintf(text, bytes, "%" PRId64 "s", us / 1000000);
    }
}

static void put_time(struct line *line, int width, int64_t us)
{
    char text[32];

    time_text(us, text, sizeof(text));
    put(line, " %*s", width, text);
}

static void put_eta(struct line *line, int width, const struct top_row *row)
{
    char text[32] = "";

    if (row->restore_left > 0 && row->restore_seconds >= 0) {
        (void)snprintf(
            text, sizeof(text), row->restore_seconds < 120 ? "%" PRId64 "s" : "%" PRId64 "min",
            row->restore_seconds < 120 ? row->restore_seconds : row->restore_seconds / 60);
    }
    put(line, " %*s", width, text);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void write_totals(struct line *line, const struct top_totals *totals)
{
    char text[32];

    colour(line, BOLD);
    put(line, "millrace top");
    colour(line, PLAIN);
    put(line, "  processes %" PRId64 "/%" PRId64, totals->answered, totals->asked);
    colour(line, totals->tasks_ready < totals->tasks ? YELLOW : "");
    put(line, "  tasks ready %" PRId64 "/%" PRId64, totals->tasks_ready, totals->tasks);
    colour(line, PLAIN);
    graph_count_text(totals->lag, text, sizeof(text));
    put(line, "  lag %s", text);
    if (totals->restore_left > 0) {
        graph_count_text(totals->restore_left, text, sizeof(text));
        put(line, "  to restore %s", text);
    }
    end(line);
    graph_rate_text(totals->in_milli, text, sizeof(text));
    put(line, "in %s", text);
    graph_rate_text(totals->out_milli, text, sizeof(text));
    put(line, "  out %s", text);
    graph_rate_text(totals->commits_milli, text, sizeof(text));
    put(line, "  commits %s", text);
    time_text(totals->p99_us, text, sizeof(text));
    put(line, "  worst P99 %s", text);
    graph_count_text(totals->aborts, text, sizeof(text));
    put(line, "  aborts %s", text);
    graph_count_text(totals->dead_letters, text, sizeof(text));
    colour(line, totals->dead_letters > 0 ? RED : "");
    put(line, "  dead letters %s", text);
    end(line);
}

static void write_unreachable(struct line *line, const struct see_status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        if (status->documents[i].root == NULL) {
            colour(line, RED);
            put(line, "%s", status->documents[i].error);
            end(line);
        }
    }
}

static void write_heading(struct line *line)
{
    colour(line, REVERSE);
    put(line, "%-*s %-8s %-11s %7s %7s %7s %8s %7s %7s %6s %5s %7s %6s  %s", UNIT_WIDTH, "UNIT",
        "INSTANCE", "STATE", "LAG", "IN/s", "OUT/s", "COMMIT/s", "P50", "P99", "ABORTS", "DEAD",
        "RESTORE", "ETA", "WAITS FOR");
    end(line);
}

static void write_name(struct line *line, const struct top_row *row)
{
    if (row->partition >= 0) {
        put(line, "  partition %-*" PRId64, UNIT_WIDTH - 12, row->partition);
    } else {
        colour(line, BOLD);
        put(line, "%-*.*s", UNIT_WIDTH, UNIT_WIDTH, row->unit);
    }
    put(line, " %-8.8s", row->instance);
    colour(line, PLAIN);
}

static void write_row(struct line *line, const struct top_row *row)
{
    write_name(line, row);
    colour(line, row->ready ? GREEN : (strcmp(row->state, "failed") == 0 ? RED : YELLOW));
    put(line, " %-11.11s", row->state);
    colour(line, PLAIN);
    put_count(line, 7, row->lag);
    put_rate(line, 7, row->in_milli);
    put_rate(line, 7, row->out_milli);
    put_rate(line, 8, row->commits_milli);
    put_time(line, 7, row->p50_us);
    put_time(line, 7, row->p99_us);
    put_count(line, 6, row->aborts);
    colour(line, row->dead_letters > 0 ? RED : "");
    put_count(line, 5, row->dead_letters);
    colour(line, PLAIN);
    put_count(line, 7, row->restore_left);
    put_eta(line, 6, row);
    colour(line, YELLOW);
    put(line, "  %s", row->waits_for);
    end(line);
}

void top_view_write(const struct top_view *view, const struct top_table *table,
                    const struct see_status *status, struct mr_buffer *out)
{
    struct line line = {.view = view, .out = out};
    int left = view->height - 4; /* totals, an empty line, the heading */

    write_totals(&line, &table->totals);
    write_unreachable(&line, status);
    left -= (int)(table->totals.asked - table->totals.answered);
    end(&line);
    write_heading(&line);
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].partition >= 0 && !view->tasks) {
            continue;
        }
        if (view->height > 0 && left-- <= 1) {
            colour(&line, DIM);
            put(&line, "... %zu rows more: a taller window, or t", table->count - i);
            end(&line);
            return;
        }
        write_row(&line, &table->rows[i]);
    }
}
