/*
 * ask_http.h -- GET from a running process (millrace/http.h).
 *
 * Thread: one at a time. Errors: MR_UNAVAILABLE names the address; MR_CONFIG is what the process
 * refused, in its words.
 */
#ifndef MILLRACE_TOOLS_ASK_HTTP_H
#define MILLRACE_TOOLS_ASK_HTTP_H

#include "millrace/buffer.h"

/* One answer, appended. address: HOST:PORT; path with its query. */
MR_NODISCARD enum mr_status ask_http(const char *address, const char *path, struct mr_buffer *body,
                                     struct mr_err *err);

/* A line of a stream, without its newline; false: enough. Empty lines are left out. */
typedef bool ask_http_line(void *arg, struct mr_slice line);

/*
 * A stream line by line, until it ends or visit has enough. tick is called several times a second,
 * lines or not; false ends it too.
 */
struct ask_http_stream {
    ask_http_line *visit;
    bool (*tick)(void *arg);
    void *arg;
};
MR_NODISCARD enum mr_status ask_http_lines(const char *address, const char *path,
                                           const struct ask_http_stream *stream,
                                           struct mr_err *err);
/* Appends text, escaped for a query. */
void ask_http_escape(const char *text, struct mr_buffer *out);

#endif
