/*
 * units.c -- the one parser of durations, sizes, rates and ratios.
 *
 * Why: hand-written unit parsing in each component is how a year becomes 360 days. Here is one
 *      table per kind and one number reader; everything is integer arithmetic with overflow checks.
 */
#include "millrace/option.h"

#include <inttypes.h>
#include <stdio.h>

#define PPM_ONE INT64_C(1000000)

struct unit {
    const char *name;
    int64_t factor;
};

/* Reads digits with at most six decimals; *micro is the value times 10^6. */
static bool read_number(const char **at, int64_t *micro, bool *fraction)
{
    const char *p = *at;
    int64_t value = 0;
    int decimals = -1;

    if (*p < '0' || *p > '9') {
        return false;
    }
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && decimals < 0); p++) {
        if (*p == '.') {
            decimals = 0;
            continue;
        }
        if (decimals == 6 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value)) {
            return false;
        }
        decimals += decimals >= 0 ? 1 : 0;
    }
    if (decimals == 0) {
        return false;
    }
    *fraction = decimals > 0;
    for (int i = decimals < 0 ? 0 : decimals; i < 6; i++) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return false;
        }
    }
    *micro = value;
    *at = p;
    return true;
}

static const struct unit *find_unit(const char **at, const struct unit *units, size_t count)
{
    size_t len = 0;

    while ((*at)[len] != '\0' && ((*at)[len] < '0' || (*at)[len] > '9')) {
        len++;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, *at, len) == 0) {
            *at += len;
            return &units[i];
        }
    }
    return NULL;
}

/* value(micro) x factor / 10^6, exact or false. */
static bool scale(int64_t micro, int64_t factor, int64_t *out)
{
    const mr_i128 product = (mr_i128)micro * factor;

    if (product % PPM_ONE != 0 || product / PPM_ONE > INT64_MAX) {
        return false;
    }
    *out = (int64_t)(product / PPM_ONE);
    return true;
}

enum mr_status mr_parse_duration_us(const char *text, int64_t *us, struct mr_err *err)
{
    static const struct unit units[] = {
        {"us", 1},         {"ms", MR_MS_US}, {"s", MR_SECOND_US},  {"m", MR_MINUTE_US},
        {"h", MR_HOUR_US}, {"d", MR_DAY_US}, {"w", 7 * MR_DAY_US},
    };
    const char *at = text;
    int64_t total = 0;

    do {
        int64_t micro = 0;
        int64_t part = 0;
        bool fraction = false;
        const struct unit *unit = NULL;

        if (!read_number(&at, &micro, &fraction) ||
            (unit = find_unit(&at, units, MR_COUNT(units))) == NULL ||
            !scale(micro, unit->factor, &part) || __builtin_add_overflow(total, part, &total)) {
            return mr_fail(err, MR_CONFIG,
                           "\"%s\" is not a duration: number and unit us, ms, s, m, h, d or w, for "
                           "example 10ms or 1m30s",
                           text);
        }
    } while (*at != '\0');
    *us = total;
    return MR_OK;
}

enum mr_status mr_parse_bytes(const char *text, int64_t *bytes, struct mr_err *err)
{
    static const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"KiB", INT64_C(1) << 10},
        {"MiB", INT64_C(1) << 20},
        {"GiB", INT64_C(1) << 30},
    };
    const char *at = text;
    int64_t micro = 0;
    bool fraction = false;
    const struct unit *unit = NULL;

    if (!read_number(&at, &micro, &fraction) ||
        (unit = find_unit(&at, units, MR_COUNT(units))) == NULL || *at != '\0' ||
        !scale(micro, unit->factor, bytes)) {
        return mr_fail(err, MR_CONFIG,
                       "\"%s\" is not a size: number and unit B, kB, MB, GB, KiB, MiB or GiB, for "
                       "example 64MiB",
                       text);
    }
    return MR_OK;
}

enum mr_status mr_parse_rate_micro(const char *text, int64_t *micro_per_second, struct mr_err *err)
{
    static const struct unit units[] = {{"/s", 1}, {"/min", 60}, {"/h", 3600}};
    const char *at = text;
    int64_t micro = 0;
    bool fraction = false;
    const struct unit *unit = NULL;

    if (!read_number(&at, &micro, &fraction) ||
        (unit = find_unit(&at, units, MR_COUNT(units))) == NULL || *at != '\0') {
        return mr_fail(err, MR_CONFIG,
                       "\"%s\" is not a rate: number and unit /s, /min or /h, for example 50/s",
                       text);
    }
    *micro_per_second = micro / unit->factor;
    return MR_OK;
}

enum mr_status mr_parse_ppm(const char *text, int64_t *ppm, struct mr_err *err)
{
    const char *at = text;
    int64_t micro = 0;
    bool fraction = false;

    if (!read_number(&at, &micro, &fraction) || at[0] != '%' || at[1] != '\0' || micro % 100 != 0) {
        return mr_fail(
            err, MR_CONFIG,
            "\"%s\" is not a ratio: a percentage with at most four decimals, for example "
            "10%% or 0.5%%",
            text);
    }
    *ppm = micro / 100;
    return MR_OK;
}

enum mr_status mr_parse_int(const char *text, int64_t *value, struct mr_err *err)
{
    const bool negative = text[0] == '-';
    const char *at = text + (negative ? 1 : 0);
    int64_t magnitude = 0; /* kept negative: INT64_MIN has no positive twin */

    if (*at == '\0') {
        return mr_fail(err, MR_CONFIG, "\"%s\" is not a whole number", text);
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        const int digit = *at - '0';

        if (magnitude < (INT64_MIN + digit) / 10 ||
            (!negative && magnitude * 10 - digit == INT64_MIN)) {
            return mr_fail(err, MR_CONFIG, "\"%s\" is too large", text);
        }
        magnitude = magnitude * 10 - digit;
    }
    if (*at != '\0') {
        return mr_fail(err, MR_CONFIG, "\"%s\" is not a whole number", text);
    }
    *value = negative ? magnitude : -magnitude;
    return MR_OK;
}

const char *mr_format_duration(int64_t us, char *buffer, size_t bytes)
{
    static const struct unit units[] = {
        {"d", MR_DAY_US},    {"h", MR_HOUR_US}, {"m", MR_MINUTE_US},
        {"s", MR_SECOND_US}, {"ms", MR_MS_US},  {"us", 1},
    };
    size_t used = 0;

    MR_ASSERT(bytes >= 64);
    if (us <= 0) {
        (void)snprintf(buffer, bytes, "0s");
        return buffer;
    }
    for (size_t i = 0; i < MR_COUNT(units); i++) {
        const int64_t n = us / units[i].factor;
        if (n > 0) {
            used +=
                (size_t)snprintf(buffer + used, bytes - used, "%" PRId64 "%s", n, units[i].name);
            us -= n * units[i].factor;
        }
    }
    return buffer;
}
