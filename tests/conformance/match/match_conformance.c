/*
 * match_conformance -- answers a flow of commands with the order book's reports.
 *
 *   match-conformance [--book] [--audit] FLOW.commands.csv      "-" reads standard input
 *
 * How: flow.h tells both formats; a heading and empty lines are passed over. --book writes the
 *      orders that rest at the end instead of the reports, --audit checks the whole book after each
 *      command. A line "levels" is answered by
 *
 *          levels,bids,asks,best bid,best ask,sum      levels of each side, prices, sum of mix()
 *
 *      after a check of the whole book. Exit code 2: a line is no command. 3: the book broke one of
 * its rules.
 */
#include "flow.h"

#include <inttypes.h>
#include <stdlib.h>

struct arguments {
    const char *path;
    bool book;
    bool audit;
};

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--book") == 0) {
            arguments->book = true;
        } else if (strcmp(argv[i], "--audit") == 0) {
            arguments->audit = true;
        } else if (arguments->path == NULL) {
            arguments->path = argv[i];
        } else {
            return false;
        }
    }
    return arguments->path != NULL;
}

static void print(struct flow_reports *reports)
{
    char text[FLOW_LINE_MAX];

    for (size_t i = 0; i < reports->count; i++) {
        const size_t len = flow_report_text(&reports->items[i], text);
        (void)fwrite(text, 1, len, stdout);
        (void)fputc('\n', stdout);
    }
}

/* A level in one number, so that two sets of levels are compared by their sums. */
static uint64_t mix(uint64_t side, const struct book_level *level)
{
    const uint64_t price = (uint64_t)(level->price / FLOW_TICK);
    const uint64_t qty = (uint64_t)(level->qty / FLOW_LOT);
    const uint64_t value =
        (price * UINT64_C(0x9e3779b97f4a7c15) ^ (qty + side)) * UINT64_C(0xd6e8feb86659fd93);

    return value ^ value >> 32;
}

static void print_levels(const struct book *book)
{
    int64_t best[2] = {0};
    uint64_t sum = 0;

    for (int side = ORD_BUY; side <= ORD_SELL; side++) {
        struct book_level level;
        for (size_t i = 0; book_level_at(book, (enum ord_side)side, i, &level); i++) {
            best[side] = i == 0 ? (int64_t)(level.price / FLOW_TICK) : best[side];
            sum += mix((uint64_t)side, &level);
        }
    }
    (void)printf("levels,%zu,%zu,%" PRId64 ",%" PRId64 ",%" PRIu64 "\n", book_levels(book, ORD_BUY),
                 book_levels(book, ORD_SELL), best[ORD_BUY], best[ORD_SELL], sum);
}

/* 0, or 3 when the book broke a rule. */
static int audit(const struct book *book, const char *line)
{
    const char *defect = book_defect(book);

    if (defect != NULL) {
        (void)fprintf(stderr, "match-conformance: %s after: %s\n", defect, line);
    }
    return defect == NULL ? 0 : 3;
}

static int work(FILE *in, const struct arguments *arguments, struct book *book)
{
    struct flow_reports reports = {0};
    char line[FLOW_LINE_MAX];
    int status = 0;

    while (status == 0 && fgets(line, sizeof(line), in) != NULL) {
        struct flow_command command;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0' || strncmp(line, "seq,", 4) == 0) {
            continue;
        }
        if (strcmp(line, "levels") == 0) {
            print_levels(book);
            status = audit(book, line);
            continue;
        }
        if (!flow_parse(line, &command)) {
            (void)fprintf(stderr, "match-conformance: not a command: %s\n", line);
            status = 2;
            continue;
        }
        reports.count = 0;
        flow_apply(book, &command, &reports);
        if (!arguments->book) {
            print(&reports);
        }
        status = arguments->audit ? audit(book, line) : 0;
    }
    free(reports.items);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};

    if (!read_arguments(argc, argv, &arguments)) {
        (void)fprintf(stderr, "usage: match-conformance [--book] [--audit] FLOW.commands.csv\n");
        return 2;
    }
    FILE *in = strcmp(arguments.path, "-") == 0 ? stdin : fopen(arguments.path, "r");
    struct book *book = flow_book();
    if (in == NULL || book == NULL) {
        (void)fprintf(stderr, "match-conformance: cannot read %s\n", arguments.path);
        book_destroy(&book);
        return 2;
    }
    const int status = work(in, &arguments, book);
    if (arguments.book) {
        flow_print_book(book, stdout);
    }
    if (in != stdin) {
        (void)fclose(in);
    }
    book_destroy(&book);
    return status;
}
