/*
 * logger_line.h -- one event as one line of text; pure, so that it is tested without a process.
 */
#ifndef MILLRACE_OBSERVE_LOGGER_LINE_H
#define MILLRACE_OBSERVE_LOGGER_LINE_H

#include "millrace/logger.h"
#include "millrace/slice.h"

#define LOGGER_LINE_BYTES_MAX ((size_t)2048)

struct logger_event {
    enum mr_level level;
    const char *name;
    const char *pairs;   /* key=value text of the caller */
    uint64_t suppressed; /* 0: not said */
    int64_t wall_us;
};

/* What stands on lines goes to `write`; both are replaced by tests only. NULL: back to stderr. */
typedef void logger_sink(void *arg, const char *line, size_t len);
void logger_set_sink(logger_sink *sink, void *arg);
/* The second that rate limiting and timestamps see; NULL: the machine's. For tests. */
void logger_set_clock(int64_t (*wall_us)(void));
void logger_set_json(bool json);

/* Ends with a newline, never holds another one. Returns the length; too long is cut. */
size_t logger_line_text(const struct logger_event *event, char *line, size_t bytes);
size_t logger_line_json(const struct logger_event *event, char *line, size_t bytes);

const char *logger_level_name(enum mr_level level);

#endif
