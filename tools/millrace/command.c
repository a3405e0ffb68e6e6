/* command.c -- finding and listing commands. See command.h. */
#include "command.h"

#include "suggest.h"

#include <stdio.h>
#include <string.h>

static void print_list(const struct command *const *commands, size_t count, FILE *out)
{
    (void)fprintf(out, "usage: millrace COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "  %-20s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)fprintf(out, "\nmillrace COMMAND --help says more.\n");
}

/* Words of the command line that the name takes: 1 or 2, 0 when it is another command. */
static int words_matched(const char *name, int argc, char **argv)
{
    const char *space = strchr(name, ' ');

    if (argc < 2) {
        return 0;
    }
    if (space == NULL) {
        return strcmp(name, argv[1]) == 0 ? 1 : 0;
    }
    const size_t first = (size_t)(space - name);
    if (argc < 3 || strlen(argv[1]) != first || strncmp(name, argv[1], first) != 0) {
        return 0;
    }
    return strcmp(space + 1, argv[2]) == 0 ? 2 : 0;
}

static int unknown(const struct command *const *commands, size_t count, int argc, char **argv)
{
    char given[128];
    struct suggest suggest;
    bool two_words = false;

    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(argv[1]);
        two_words = two_words || (strncmp(commands[i]->name, argv[1], len) == 0 &&
                                  commands[i]->name[len] == ' ');
    }
    (void)snprintf(given, sizeof(given), "%.60s%s%.60s", argv[1], two_words && argc > 2 ? " " : "",
                   two_words && argc > 2 ? argv[2] : "");
    suggest_init(&suggest, given);
    for (size_t i = 0; i < count; i++) {
        suggest_offer(&suggest, commands[i]->name);
    }
    (void)fprintf(stderr, "millrace: no command \"%s\"%s\n", given, suggest_text(&suggest));
    return EXIT_MISUSE;
}

int command_print(struct mr_buffer *text)
{
    const bool written = fwrite(text->data, 1, text->len, stdout) == text->len;

    mr_buffer_fini(text);
    return written ? 0 : EXIT_NO;
}

int command_dispatch(const struct command *const *commands, size_t count, int argc, char **argv)
{
    if (argc < 2) {
        print_list(commands, count, stderr);
        return EXIT_MISUSE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_list(commands, count, stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("millrace " MILLRACE_VERSION "\n");
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const int words = words_matched(commands[i]->name, argc, argv);
        if (words > 0) {
            return commands[i]->run(argc - words, argv + words);
        }
    }
    return unknown(commands, count, argc, argv);
}
