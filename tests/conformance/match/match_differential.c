/*
 * match_differential -- random flows through the order book and through the naive list.
 *
 *   match-differential [--seed N] [--seeds N] [--commands N] [--kind NAME] [--print]
 *
 * How: reports are compared after every command and held against the rules; now and then the book
 * checks itself and both say what rests. A flow that differs is made smaller: commands are left out
 * while it still differs. What remains is printed as a file for match-conformance, with the command
 * that repeats it. --print writes the flow of one seed and compares nothing.
 */
#include "flow.h"

#include <inttypes.h>
#include <stdlib.h>

#define AUDIT_EVERY ((size_t)64)
#define IDS_MAX ((size_t)1000000) /* stream_kinds has none above */

struct options {
    uint64_t seed;
    uint64_t seeds;
    size_t commands;
    const char *kind;
    bool print;
};

static const char *texts(const struct flow_reports *reports)
{
    static char out[2000];
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < reports->count && len + FLOW_LINE_MAX < sizeof(out); i++) {
        len += flow_report_text(&reports->items[i], out + len);
        len += (size_t)snprintf(out + len, 2, " ");
    }
    return out;
}

/* Everything that rests in the one rests in the other. */
static const char *resting_difference(const struct book *book, const struct naive_book *naive)
{
    const char *defect = book_defect(book);

    if (defect != NULL) {
        return defect;
    }
    if (book_orders(book) != naive->count) {
        return "not as many orders rest";
    }
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_order *is = &naive->orders[i];
        struct flow_command name = {.id = is->id, .user = is->user};
        flow_texts(&name);
        const struct book_order *order = book_find(book, dom_text_of(name.id_text, name.id_len));
        if (order == NULL || order->leaves != is->leaves || order->price != is->price ||
            order->side != is->side ||
            !dom_text_equal(book_order_user(order), dom_text_of(name.user_text, name.user_len))) {
            return "an order rests otherwise";
        }
    }
    return NULL;
}

/* The commands whose `keep` is set (NULL: all). Index of the one that shows a difference, or count.
 */
static size_t run(const struct flow_command *commands, size_t count, const bool *keep, bool tell)
{
    struct book *book = flow_book();
    struct naive_book naive = {0};
    struct flow_reports is = {0};
    struct flow_reports should = {0};
    struct flow_rules rules = {0};
    size_t at = 0;

    flow_rules_start(&rules, IDS_MAX);
    for (; at < count; at++) {
        if (keep != NULL && !keep[at]) {
            continue;
        }
        is.count = should.count = 0;
        flow_apply(book, &commands[at], &is);
        naive_apply(&naive, &commands[at], &should);
        const bool equal = flow_reports_equal(&is, &should);
        const char *why = flow_rules_defect(&rules, &commands[at], &is, book);
        if (why == NULL && !equal) {
            why = "reports differ";
        }
        if (why == NULL && (keep != NULL || at % AUDIT_EVERY == 0 || at + 1 == count)) {
            why = resting_difference(book, &naive);
        }
        if (why != NULL) {
            if (tell) {
                (void)fprintf(stderr, "%s\n  book:  %s\n", why, texts(&is));
                (void)fprintf(stderr, "  model: %s\n", texts(&should));
            }
            break;
        }
    }
    free(is.items);
    free(should.items);
    free(naive.orders);
    free(rules.users);
    book_destroy(&book);
    return at;
}

/* Leaves out ever smaller runs of commands while the rest still differs. */
static void shrink(const struct flow_command *commands, size_t count, bool *keep)
{
    for (size_t chunk = count / 2; chunk > 0; chunk /= 2) {
        for (size_t from = 0; from < count; from += chunk) {
            const size_t to = from + chunk < count ? from + chunk : count;
            bool *saved = malloc(count);
            if (saved == NULL) {
                abort();
            }
            memcpy(saved, keep, count);
            memset(keep + from, 0, to - from);
            if (memcmp(saved, keep, count) != 0 && run(commands, count, keep, false) == count) {
                memcpy(keep, saved, count);
            }
            free(saved);
        }
    }
}

static void print(const struct flow_command *commands, size_t count, const bool *keep)
{
    char line[FLOW_LINE_MAX];

    for (size_t i = 0; i < count; i++) {
        if (keep == NULL || keep[i]) {
            (void)flow_command_text(&commands[i], line);
            (void)puts(line);
        }
    }
}

static void explain(const struct flow_command *commands, size_t count, uint64_t seed,
                    const struct stream_kind *kind)
{
    bool *keep = malloc(count);

    if (keep == NULL) {
        abort();
    }
    (void)printf("kind %s, seed %" PRIu64 ": differs at command %zu. Again:\n"
                 "  match-differential --kind %s --seed %" PRIu64 " --seeds 1 --commands %zu\n"
                 "The least that differs (a file for match-conformance):\n",
                 kind->name, seed, count - 1, kind->name, seed, count);
    memset(keep, 1, count);
    shrink(commands, count, keep);
    print(commands, count, keep);
    (void)fflush(stdout);
    (void)run(commands, count, keep, true);
    free(keep);
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end = NULL;

    *out = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

static bool read_options(int argc, char **argv, struct options *options)
{
    uint64_t number = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--print") == 0) {
            options->print = true;
            continue;
        }
        if (i + 1 >= argc) {
            return false;
        }
        if (strcmp(argv[i], "--kind") == 0) {
            options->kind = argv[++i];
            continue;
        }
        const char *name = argv[i];
        if (!read_number(argv[++i], &number)) {
            return false;
        }
        if (strcmp(name, "--seed") == 0) {
            options->seed = number;
        } else if (strcmp(name, "--seeds") == 0) {
            options->seeds = number;
        } else if (strcmp(name, "--commands") == 0) {
            options->commands = (size_t)number;
        } else {
            return false;
        }
    }
    return options->commands > 0;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1, .seeds = 50, .commands = 6000};
    uint64_t flows = 0;
    int status = 0;

    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: match-differential [--seed N] [--seeds N] [--commands N] "
                              "[--kind NAME] [--print]\n");
        return 2;
    }
    struct flow_command *commands = calloc(options.commands, sizeof(*commands));
    if (commands == NULL) {
        return 2;
    }
    for (size_t k = 0; k < STREAM_KINDS; k++) {
        if (options.kind != NULL && strcmp(options.kind, stream_kinds[k].name) != 0) {
            continue;
        }
        for (uint64_t i = 0; i < options.seeds && status == 0; i++) {
            stream_fill(options.seed + i, &stream_kinds[k], commands, options.commands);
            if (options.print) {
                print(commands, options.commands, NULL);
                continue;
            }
            const size_t at = run(commands, options.commands, NULL, false);
            flows++;
            if (at < options.commands) {
                explain(commands, at + 1, options.seed + i, &stream_kinds[k]);
                status = 1;
            }
        }
    }
    if (!options.print && status == 0) {
        (void)printf("%" PRIu64 " flows of %zu commands, seeds %" PRIu64 " to %" PRIu64
                     ": book and model agree\n",
                     flows, options.commands, options.seed, options.seed + options.seeds - 1);
    }
    free(commands);
    return status;
}
