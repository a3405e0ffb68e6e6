/* logger_line.c -- key=value and JSON forms of an event. See logger_line.h. */
#include "logger_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct writer {
    char *line;
    size_t bytes;
    size_t len;
};

const char *logger_level_name(enum mr_level level)
{
    static const char *const names[] = {[MR_LEVEL_ERROR] = "error",
                                        [MR_LEVEL_WARN] = "warn",
                                        [MR_LEVEL_INFO] = "info",
                                        [MR_LEVEL_DEBUG] = "debug"};

    MR_ASSERT((size_t)level < MR_COUNT(names));
    return names[level];
}

/* Keeps room for what ends the line. */
static void put(struct writer *w, const char *text, size_t len)
{
    const size_t room = w->bytes - w->len - 4;
    const size_t fits = len < room ? len : room;

    memcpy(w->line + w->len, text, fits);
    w->len += fits;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_time(struct writer *w, int64_t wall_us)
{
    const time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc = {0};
    char text[96];

    if (gmtime_r(&seconds, &utc) == NULL) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                   (int)(wall_us % 1000000));
    put_text(w, text);
}

static void put_count(struct writer *w, const char *before, uint64_t count)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s%" PRIu64, before, count);
    put_text(w, text);
}

size_t logger_line_text(const struct logger_event *event, char *line, size_t bytes)
{
    struct writer w = {.line = line, .bytes = bytes};

    put_text(&w, "ts=");
    put_time(&w, event->wall_us);
    put_text(&w, " level=");
    put_text(&w, logger_level_name(event->level));
    put_text(&w, " event=");
    put_text(&w, event->name);
    if (event->suppressed > 0) {
        put_count(&w, " suppressed=", event->suppressed);
    }
    if (event->pairs[0] != '\0') {
        put_text(&w, " ");
    }
    for (const char *c = event->pairs; *c != '\0'; c++) {
        const bool control = (unsigned char)*c < 0x20 || *c == 0x7f;
        put(&w, control ? " " : c, 1);
    }
    line[w.len++] = '\n';
    return w.len;
}

/* The inside of a JSON string; a quoted value's own \" and \\ come out as they went in. */
static void put_json(struct writer *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        char escaped[8];

        if (c == '"' || c == '\\') {
            escaped[0] = '\\';
            escaped[1] = (char)c;
            escaped[2] = '\0';
        } else if (c < 0x20 || c == 0x7f) {
            (void)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)c);
        } else {
            escaped[0] = (char)c;
            escaped[1] = '\0';
        }
        /* Half an escape would break the whole line. */
        if (w->bytes - w->len < strlen(escaped) + 16) {
            return;
        }
        put_text(w, escaped);
    }
}

static size_t key_length(const char *text)
{
    size_t len = 0;

    while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= 'A' && text[len] <= 'Z') ||
           (text[len] >= '0' && text[len] <= '9') || text[len] == '_' || text[len] == '.') {
        len++;
    }
    return text[len] == '=' ? len : 0;
}

/* Where a quoted value ends: at a quote that is followed by the end or by the next key=. */
static const char *closing_quote(const char *at)
{
    for (; *at != '\0'; at++) {
        if (*at == '"' && (at[1] == '\0' || (at[1] == ' ' && key_length(at + 2) > 0))) {
            return at;
        }
    }
    return NULL;
}

static bool is_number(const char *text, size_t len)
{
    const size_t sign = len > 0 && text[0] == '-' ? 1 : 0;

    if (len == sign || len > 15 + sign || (text[sign] == '0' && len > sign + 1)) {
        return false;
    }
    for (size_t i = sign; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

static void put_pair(struct writer *w, const char *key, size_t key_len, const char *value,
                     size_t value_len, bool bare)
{
    const bool number = bare && is_number(value, value_len);

    /* A member goes in whole or not at all: a cut one would not be JSON. */
    if (w->bytes - w->len < key_len + 32) {
        return;
    }
    put_text(w, ",\"");
    put(w, key, key_len);
    put_text(w, number ? "\":" : "\":\"");
    put_json(w, value, value_len);
    put_text(w, number ? "" : "\"");
}

static void put_pairs(struct writer *w, const char *at)
{
    while (*at != '\0') {
        const size_t key_len = key_length(at);
        const char *value = at + key_len + 1;
        const char *end = NULL;

        if (key_len == 0) {
            put_pair(w, "text", 4, at, strlen(at), false);
            return;
        }
        if (*value == '"' && (end = closing_quote(value + 1)) != NULL) {
            put_pair(w, at, key_len, value + 1, (size_t)(end - value) - 1, false);
            at = end + 1;
        } else {
            const size_t len = strcspn(value, " ");
            put_pair(w, at, key_len, value, len, true);
            at = value + len;
        }
        at += strspn(at, " ");
    }
}

size_t logger_line_json(const struct logger_event *event, char *line, size_t bytes)
{
    struct writer w = {.line = line, .bytes = bytes};

    put_text(&w, "{\"ts\":\"");
    put_time(&w, event->wall_us);
    put_text(&w, "\",\"level\":\"");
    put_text(&w, logger_level_name(event->level));
    put_text(&w, "\",\"event\":\"");
    put_json(&w, event->name, strlen(event->name));
    put_text(&w, "\"");
    if (event->suppressed > 0) {
        put_count(&w, ",\"suppressed\":", event->suppressed);
    }
    put_pairs(&w, event->pairs);
    line[w.len++] = '}';
    line[w.len++] = '\n';
    return w.len;
}
