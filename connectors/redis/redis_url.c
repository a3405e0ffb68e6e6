/* redis_url.c -- see redis_url.h. */
#include "redis_url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "redis://"
#define TLS_SCHEME "rediss://"
#define PORT_DEFAULT 6379
#define PORT_MAX 65535
#define DATABASE_MAX 1023

static int hex_of(char c)
{
    static const char DIGITS[] = "0123456789abcdef";
    const char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    const char *at = lower == '\0' ? NULL : strchr(DIGITS, lower);

    return at == NULL ? -1 : (int)(at - DIGITS);
}

/* Decodes %41; false: a broken escape, a zero byte or no room. */
static bool decode(const char *text, size_t len, char *out, size_t bytes)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%') {
            const int high = i + 2 < len ? hex_of(text[i + 1]) : -1;
            const int low = i + 2 < len ? hex_of(text[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= bytes) {
            return false;
        }
        out[used++] = c;
    }
    out[used] = '\0';
    return true;
}

static bool parse_number(const char *text, size_t len, int max, int *number)
{
    int value = 0;

    if (len == 0 || len > 6) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    *number = value;
    return value <= max;
}

static bool parse_login(const char *text, size_t len, struct redis_url *url)
{
    const char *colon = memchr(text, ':', len);
    const size_t user = colon == NULL ? len : (size_t)(colon - text);

    if (!decode(text, user, url->user, sizeof(url->user))) {
        return false;
    }
    return colon == NULL || decode(colon + 1, len - user - 1, url->password, sizeof(url->password));
}

static bool parse_host(const char *text, size_t len, struct redis_url *url)
{
    const bool bracket = len > 0 && text[0] == '[';
    const char *end = bracket ? memchr(text, ']', len) : memchr(text, ':', len);
    const char *host = bracket ? text + 1 : text;
    size_t host_len, used;

    if (bracket && end == NULL) {
        return false;
    }
    host_len = end == NULL ? len : (size_t)(end - host);
    used = (size_t)(host - text) + host_len + (bracket ? 1 : 0);
    if (host_len == 0 || host_len >= sizeof(url->host)) {
        return false;
    }
    memcpy(url->host, host, host_len);
    url->host[host_len] = '\0';
    url->port = PORT_DEFAULT;
    if (used == len) {
        return true;
    }
    return text[used] == ':' &&
           parse_number(text + used + 1, len - used - 1, PORT_MAX, &url->port) && url->port > 0;
}

static bool parse(const char *text, struct redis_url *url)
{
    const size_t authority = strcspn(text, "/");
    const char *path = text + authority;
    size_t login = 0; /* bytes up to and with the last @ */

    for (size_t i = 0; i < authority; i++) {
        login = text[i] == '@' ? i + 1 : login;
    }
    if (login > 0 && !parse_login(text, login - 1, url)) {
        return false;
    }
    if (!parse_host(text + login, authority - login, url)) {
        return false;
    }
    return path[0] == '\0' || path[1] == '\0' ||
           parse_number(path + 1, strlen(path + 1), DATABASE_MAX, &url->database);
}

enum mr_status redis_url_parse(const char *text, struct redis_url *url, struct mr_err *err)
{
    *url = (struct redis_url){0};
    if (strncmp(text, TLS_SCHEME, strlen(TLS_SCHEME)) == 0) {
        return mr_fail(err, MR_CONFIG,
                       "option url: this build speaks to Redis without TLS; put a TLS proxy "
                       "in front and give its redis:// address");
    }
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 || !parse(text + strlen(SCHEME), url)) {
        return mr_fail(
            err, MR_CONFIG,
            "option url: not of the form redis://[user[:password]@]host[:port][/number]");
    }
    snprintf(url->address, sizeof(url->address), "%s:%d", url->host, url->port);
    return MR_OK;
}
