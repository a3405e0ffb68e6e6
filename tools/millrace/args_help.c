/* args_help.c -- the text of --help from an option table. */
#include "args.h"

const char *args_type_name(enum mr_option_type type)
{
    static const char *const names[] = {
        [MR_OPTION_DURATION] = "duration",   [MR_OPTION_SIZE] = "size",
        [MR_OPTION_RATE] = "rate",           [MR_OPTION_RATIO] = "ratio",
        [MR_OPTION_INT] = "number",          [MR_OPTION_BOOL] = "true or false",
        [MR_OPTION_STRING] = "text",         [MR_OPTION_ENUM] = "choice",
        [MR_OPTION_DURATIONS] = "durations",
    };

    MR_ASSERT((size_t)type < MR_COUNT(names));
    return names[type];
}

static void print_option(const struct mr_option *option, FILE *out)
{
    char left[64];

    if (option->type == MR_OPTION_BOOL) {
        (void)snprintf(left, sizeof(left), "--%s", option->name);
    } else {
        (void)snprintf(left, sizeof(left), "--%s <%s>", option->name, args_type_name(option->type));
    }
    (void)fprintf(out, "  %-26s %s", left, option->help);
    if (option->type == MR_OPTION_ENUM) {
        (void)fprintf(out, ":");
        for (size_t i = 0; option->symbols[i] != NULL; i++) {
            (void)fprintf(out, "%s %s", i == 0 ? "" : ",", option->symbols[i]);
        }
    }
    if (option->fallback == NULL) {
        (void)fprintf(out, " (required)");
    } else if (option->fallback[0] != '\0' && option->type != MR_OPTION_BOOL) {
        (void)fprintf(out, " (default %s)", option->fallback);
    }
    (void)fprintf(out, "\n");
}

void args_help(const struct args_spec *spec, FILE *out)
{
    (void)fprintf(out, "usage: millrace %s%s%s%s\n\n%s\n", spec->command,
                  spec->option_count + spec->repeat_count > 0 ? " [OPTIONS]" : "",
                  spec->positionals[0] != '\0' ? " " : "", spec->positionals, spec->summary);
    if (spec->option_count + spec->repeat_count > 0) {
        (void)fprintf(out, "\n");
    }
    for (size_t i = 0; i < spec->repeat_count; i++) {
        char left[64];

        (void)snprintf(left, sizeof(left), "--%s <text> ...", spec->repeats[i].name);
        (void)fprintf(out, "  %-26s %s\n", left, spec->repeats[i].help);
    }
    for (size_t i = 0; i < spec->option_count; i++) {
        print_option(&spec->options[i], out);
    }
}
