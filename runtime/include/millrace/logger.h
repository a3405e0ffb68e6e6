/*
 * logger.h -- one line per event on stderr: key=value, or JSON with MILLRACE_LOG_FORMAT=json.
 *
 * Constant event name first, then format-checked key=value text. Log where an error is handled,
 * once. Never a payload, never a secret. The same event is limited to 10 lines a second; what was
 * suppressed is counted in the next line (suppressed=N).
 * Levels: error = a human must act; warn = degraded; info = state change; debug = off by default
 * (MILLRACE_LOG_LEVEL).
 * Thread: any.
 */
#ifndef MILLRACE_LOGGER_H
#define MILLRACE_LOGGER_H

#include "millrace/status.h"

enum mr_level { MR_LEVEL_ERROR, MR_LEVEL_WARN, MR_LEVEL_INFO, MR_LEVEL_DEBUG };

void mr_logger_write(enum mr_level level, const char *event, const char *fmt, ...) MR_PRINTF(3, 4);
/* Overrides the environment; for the command line. */
void mr_logger_set_level(enum mr_level level);

/* Quote a value that may hold spaces: error="%s". */
#define mr_error(event, ...) mr_logger_write(MR_LEVEL_ERROR, event, __VA_ARGS__)
#define mr_warn(event, ...) mr_logger_write(MR_LEVEL_WARN, event, __VA_ARGS__)
#define mr_info(event, ...) mr_logger_write(MR_LEVEL_INFO, event, __VA_ARGS__)
#define mr_debug(event, ...) mr_logger_write(MR_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
