/* args.c -- see args.h. */
#include "args.h"

#include "command.h"
#include "suggest.h"

#include <stdarg.h>
#include <stdlib.h>

static bool misuse(const struct args_spec *spec, int *exit_code, const char *fmt, ...)
    MR_PRINTF(3, 4);

static bool misuse(const struct args_spec *spec, int *exit_code, const char *fmt, ...)
{
    char text[512];
    va_list list;

    va_start(list, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, list);
    va_end(list);
    (void)fprintf(stderr, "millrace %s: %s (--help says more)\n", spec->command, text);
    *exit_code = EXIT_MISUSE;
    return false;
}

static const struct mr_option *find_option(const struct args_spec *spec, const char *name,
                                           size_t len)
{
    for (size_t i = 0; i < spec->option_count; i++) {
        if (strlen(spec->options[i].name) == len &&
            strncmp(spec->options[i].name, name, len) == 0) {
            return &spec->options[i];
        }
    }
    return NULL;
}

static const struct args_repeat *find_repeat(const struct args_spec *spec, const char *name,
                                             size_t len)
{
    for (size_t i = 0; i < spec->repeat_count; i++) {
        if (strlen(spec->repeats[i].name) == len &&
            strncmp(spec->repeats[i].name, name, len) == 0) {
            return &spec->repeats[i];
        }
    }
    return NULL;
}

static bool unknown_option(const struct args_spec *spec, int *exit_code, const char *name,
                           size_t len)
{
    char given[64];
    struct suggest suggest;

    (void)snprintf(given, sizeof(given), "%.*s", len < 60 ? (int)len : 60, name);
    suggest_init(&suggest, given);
    for (size_t i = 0; i < spec->option_count; i++) {
        suggest_offer(&suggest, spec->options[i].name);
    }
    for (size_t i = 0; i < spec->repeat_count; i++) {
        suggest_offer(&suggest, spec->repeats[i].name);
    }
    return misuse(spec, exit_code, "no option --%s%s", given, suggest_text(&suggest));
}

/* The message of the parser begins "option NAME: "; here it is --NAME. */
static bool wrong_value(const struct args_spec *spec, int *exit_code,
                        const struct mr_option *option, const struct mr_err *err)
{
    const char *text = err->text;
    const size_t len = strlen(option->name);

    if (strncmp(text, "option ", 7) == 0 && strncmp(text + 7, option->name, len) == 0 &&
        strncmp(text + 7 + len, ": ", 2) == 0) {
        text += 7 + len + 2;
    }
    return misuse(spec, exit_code, "--%s: %s", option->name, text);
}

struct cursor {
    int argc;
    char **argv;
    int at;
};

/* One more value; moves the cursor past it. */
static bool read_repeat(const struct args_spec *spec, const struct args_repeat *repeat,
                        const char *value, struct cursor *cursor, void *target, int *exit_code)
{
    struct args_texts *texts = (void *)((char *)target + repeat->offset);

    if (value == NULL && cursor->at + 1 >= cursor->argc) {
        return misuse(spec, exit_code, "--%s needs a value", repeat->name);
    }
    if (texts->count == ARGS_TEXTS_MAX) {
        return misuse(spec, exit_code, "--%s: at most %zu times", repeat->name, ARGS_TEXTS_MAX);
    }
    texts->items[texts->count++] = value != NULL ? value : cursor->argv[++cursor->at];
    cursor->at++;
    return true;
}

/* One "--..." argument; moves the cursor past it and its value. */
static bool read_option(const struct args_spec *spec, struct cursor *cursor, void *target,
                        bool *given, int *exit_code)
{
    const char *name = cursor->argv[cursor->at] + 2;
    const size_t len = strcspn(name, "=");
    const struct mr_option *option = find_option(spec, name, len);
    const struct args_repeat *repeat = find_repeat(spec, name, len);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    struct mr_err err = {0};

    if (repeat != NULL) {
        return read_repeat(spec, repeat, value, cursor, target, exit_code);
    }
    if (option == NULL) {
        return unknown_option(spec, exit_code, name, len);
    }
    if (value == NULL && option->type == MR_OPTION_BOOL) {
        value = "true";
    } else if (value == NULL) {
        if (cursor->at + 1 >= cursor->argc) {
            return misuse(spec, exit_code, "--%s needs a value", option->name);
        }
        value = cursor->argv[++cursor->at];
    }
    cursor->at++;
    given[option - spec->options] = true;
    if (mr_option_parse(option, value, target, &err) != MR_OK) {
        return wrong_value(spec, exit_code, option, &err);
    }
    return true;
}

static bool read_all(const struct args_spec *spec, struct cursor *cursor, void *target,
                     struct args *args, bool *given, int *exit_code)
{
    bool options = true;

    while (cursor->at < cursor->argc) {
        const char *arg = cursor->argv[cursor->at];

        if (options && strcmp(arg, "--") == 0) {
            options = false;
            cursor->at++;
        } else if (options && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            args_help(spec, stdout);
            *exit_code = 0;
            return false;
        } else if (options && strncmp(arg, "--", 2) == 0) {
            if (!read_option(spec, cursor, target, given, exit_code)) {
                return false;
            }
        } else if (options && arg[0] == '-' && arg[1] != '\0') {
            return misuse(spec, exit_code, "no option %s: options begin with --", arg);
        } else if (args->positional_count == spec->positional_max) {
            return misuse(spec, exit_code, "\"%s\" is one argument too many", arg);
        } else {
            args->positionals[args->positional_count++] = arg;
            cursor->at++;
        }
    }
    return true;
}

bool args_parse(const struct args_spec *spec, int argc, char **argv, void *target,
                struct args *args, int *exit_code)
{
    struct cursor cursor = {.argc = argc, .argv = argv, .at = 1};
    bool given[64] = {false};

    MR_ASSERT(spec->option_count <= MR_COUNT(given));
    MR_ASSERT(spec->positional_max <= ARGS_POSITIONALS_MAX);
    *args = (struct args){0};
    for (size_t i = 0; i < spec->option_count; i++) {
        struct mr_err err = {0};
        if (spec->options[i].fallback != NULL &&
            mr_option_parse(&spec->options[i], spec->options[i].fallback, target, &err) != MR_OK) {
            return wrong_value(spec, exit_code, &spec->options[i], &err);
        }
    }
    if (!read_all(spec, &cursor, target, args, given, exit_code)) {
        return false;
    }
    if (args->positional_count < spec->positional_min) {
        return misuse(spec, exit_code, "needs %s", spec->positionals);
    }
    for (size_t i = 0; i < spec->option_count; i++) {
        if (spec->options[i].fallback == NULL && !given[i]) {
            return misuse(spec, exit_code, "--%s is required", spec->options[i].name);
        }
    }
    return true;
}
