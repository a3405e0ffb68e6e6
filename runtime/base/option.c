/* option.c -- one option's text into its field. See millrace/option.h. */
#include "millrace/option.h"

#include <inttypes.h>

static enum mr_status check_bounds(const struct mr_option *option, const char *text, int64_t value,
                                   struct mr_err *err)
{
    if ((option->min != 0 || option->max != 0) && (value < option->min || value > option->max)) {
        char low[64];
        char high[64];

        if (option->type == MR_OPTION_DURATION || option->type == MR_OPTION_DURATIONS) {
            return mr_fail(err, MR_CONFIG, "option %s: \"%s\" is out of range %s .. %s",
                           option->name, text, mr_format_duration(option->min, low, sizeof(low)),
                           mr_format_duration(option->max, high, sizeof(high)));
        }
        return mr_fail(err, MR_CONFIG, "option %s: \"%s\" is out of range %" PRId64 " .. %" PRId64,
                       option->name, text, option->min, option->max);
    }
    return MR_OK;
}

static enum mr_status parse_enum(const struct mr_option *option, const char *text, int *index,
                                 struct mr_err *err)
{
    for (int i = 0; option->symbols[i] != NULL; i++) {
        if (strcmp(option->symbols[i], text) == 0) {
            *index = i;
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG, "option %s: \"%s\" is unknown, %s is one choice", option->name,
                   text, option->symbols[0]);
}

static enum mr_status parse_durations(const struct mr_option *option, const char *text,
                                      struct mr_durations *out, struct mr_err *err)
{
    const char *at = text;

    out->count = 0;
    while (*at != '\0') {
        char part[32];
        const size_t len = strcspn(at, ",");

        if (len >= sizeof(part) || out->count == MR_DURATIONS_MAX) {
            return mr_fail(err, MR_CONFIG, "option %s: at most %d durations, separated by commas",
                           option->name, MR_DURATIONS_MAX);
        }
        memcpy(part, at, len);
        part[len] = '\0';
        MR_TRY(mr_parse_duration_us(part, &out->us[out->count], err));
        MR_TRY(check_bounds(option, part, out->us[out->count], err));
        out->count++;
        at += len + (at[len] == ',' ? 1 : 0);
    }
    return MR_OK;
}

static enum mr_status parse_integer(const struct mr_option *option, const char *text,
                                    int64_t *value, struct mr_err *err)
{
    if (option->type == MR_OPTION_DURATION) {
        MR_TRY(mr_parse_duration_us(text, value, err));
    } else if (option->type == MR_OPTION_SIZE) {
        MR_TRY(mr_parse_bytes(text, value, err));
    } else if (option->type == MR_OPTION_RATE) {
        MR_TRY(mr_parse_rate_micro(text, value, err));
    } else if (option->type == MR_OPTION_RATIO) {
        MR_TRY(mr_parse_ppm(text, value, err));
    } else {
        MR_TRY(mr_parse_int(text, value, err));
    }
    return check_bounds(option, text, *value, err);
}

enum mr_status mr_option_parse(const struct mr_option *option, const char *text, void *target,
                               struct mr_err *err)
{
    void *field = (char *)target + option->offset;

    switch (option->type) {
    case MR_OPTION_DURATION:
    case MR_OPTION_SIZE:
    case MR_OPTION_RATE:
    case MR_OPTION_RATIO:
    case MR_OPTION_INT: {
        int64_t value = 0;
        MR_TRY(parse_integer(option, text, &value, err));
        memcpy(field, &value, sizeof(value));
        return MR_OK;
    }
    case MR_OPTION_BOOL: {
        const bool value = strcmp(text, "true") == 0;
        if (!value && strcmp(text, "false") != 0) {
            return mr_fail(err, MR_CONFIG, "option %s: \"%s\" is neither true nor false",
                           option->name, text);
        }
        memcpy(field, &value, sizeof(value));
        return MR_OK;
    }
    case MR_OPTION_STRING:
        memcpy(field, &text, sizeof(text));
        return MR_OK;
    case MR_OPTION_ENUM: {
        int index = 0;
        MR_TRY(parse_enum(option, text, &index, err));
        memcpy(field, &index, sizeof(index));
        return MR_OK;
    }
    case MR_OPTION_DURATIONS:
        return parse_durations(option, text, field, err);
    }
    return mr_fail(err, MR_CONFIG, "option %s has an unknown type", option->name);
}
