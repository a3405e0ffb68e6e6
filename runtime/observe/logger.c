/*
 * logger.c -- levels, rate limit and the write itself. See millrace/logger.h.
 *
 * One mutex protects the settings and the table of events; the line is built outside of it and
 * leaves in one write, so lines of different threads do not mix.
 */
#include "millrace/logger.h"

#include "logger_line.h"
#include "millrace/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINES_PER_SECOND_MAX 10
#define EVENTS_MAX 128
#define EVENT_NAME_BYTES_MAX 48

struct rate {
    char event[EVENT_NAME_BYTES_MAX];
    int64_t second;
    int lines;
    uint64_t suppressed;
};

static struct {
    pthread_mutex_t mutex; /* protects everything below but `level` */
    pthread_once_t once;
    atomic_int level;
    bool json;
    logger_sink *sink;
    void *sink_arg;
    int64_t (*wall_us)(void);
    struct rate rates[EVENTS_MAX];
} logger = {.mutex = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT, .level = MR_LEVEL_INFO};

static void read_environment(void)
{
    const char *format = getenv("MILLRACE_LOG_FORMAT");
    const char *level = getenv("MILLRACE_LOG_LEVEL");

    logger.json = format != NULL && strcmp(format, "json") == 0;
    for (int i = MR_LEVEL_ERROR; level != NULL && i <= MR_LEVEL_DEBUG; i++) {
        if (strcmp(level, logger_level_name((enum mr_level)i)) == 0) {
            atomic_store(&logger.level, i);
        }
    }
}

static void prepare(void)
{
    (void)pthread_once(&logger.once, read_environment);
}

void mr_logger_set_level(enum mr_level level)
{
    prepare();
    atomic_store(&logger.level, (int)level);
}

void logger_set_sink(logger_sink *sink, void *arg)
{
    prepare();
    (void)pthread_mutex_lock(&logger.mutex);
    logger.sink = sink;
    logger.sink_arg = arg;
    memset(logger.rates, 0, sizeof(logger.rates));
    (void)pthread_mutex_unlock(&logger.mutex);
}

void logger_set_clock(int64_t (*wall_us)(void))
{
    (void)pthread_mutex_lock(&logger.mutex);
    logger.wall_us = wall_us;
    (void)pthread_mutex_unlock(&logger.mutex);
}

void logger_set_json(bool json)
{
    prepare();
    (void)pthread_mutex_lock(&logger.mutex);
    logger.json = json;
    (void)pthread_mutex_unlock(&logger.mutex);
}

/* The row of an event; NULL when the table is full of others (then nothing is limited). */
static struct rate *find_rate(const char *event)
{
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        struct rate *rate = &logger.rates[i];
        if (rate->event[0] == '\0') {
            (void)snprintf(rate->event, sizeof(rate->event), "%s", event);
            return rate;
        }
        if (strncmp(rate->event, event, sizeof(rate->event) - 1) == 0) {
            return rate;
        }
    }
    return NULL;
}

/* False: this line is suppressed. *suppressed: how many were since the last one of the event. */
static bool admit(const char *event, int64_t now_us, uint64_t *suppressed)
{
    struct rate *rate = find_rate(event);

    *suppressed = 0;
    if (rate == NULL) {
        return true;
    }
    if (rate->second != now_us / 1000000) {
        rate->second = now_us / 1000000;
        rate->lines = 0;
    }
    if (rate->lines == LINES_PER_SECOND_MAX) {
        rate->suppressed++;
        return false;
    }
    rate->lines++;
    *suppressed = rate->suppressed;
    rate->suppressed = 0;
    return true;
}

static void write_all(const char *line, size_t len)
{
    while (len > 0) {
        const ssize_t done = write(STDERR_FILENO, line, len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return; /* nobody is left to be told */
        }
        line += done;
        len -= (size_t)done;
    }
}

void mr_logger_write(enum mr_level level, const char *event, const char *fmt, ...)
{
    char pairs[LOGGER_LINE_BYTES_MAX - 256];
    char line[LOGGER_LINE_BYTES_MAX];
    const int saved_errno = errno;
    va_list args;

    prepare();
    if ((int)level > atomic_load(&logger.level)) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(pairs, sizeof(pairs), fmt, args);
    va_end(args);

    struct logger_event row = {.level = level, .name = event, .pairs = pairs};
    (void)pthread_mutex_lock(&logger.mutex);
    row.wall_us = logger.wall_us != NULL ? logger.wall_us() : mr_clock_wall_us(mr_clock_system());
    const bool admitted = admit(event, row.wall_us, &row.suppressed);
    const bool json = logger.json;
    logger_sink *sink = logger.sink;
    void *sink_arg = logger.sink_arg;
    (void)pthread_mutex_unlock(&logger.mutex);

    if (admitted) {
        const size_t len = json ? logger_line_json(&row, line, sizeof(line))
                                : logger_line_text(&row, line, sizeof(line));
        if (sink != NULL) {
            sink(sink_arg, line, len);
        } else {
            write_all(line, len);
        }
    }
    errno = saved_errno;
}
