/* problems.c -- see problems.h. Texts and file names are copies, freed by mr_problems_fini. */
#include "problems.h"

#include "millrace/arena.h"
#include "millrace/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_BYTES_MAX 600

/*
 * What a file says must not command a terminal, and the text must be UTF-8 to be JSON: control
 * characters and what was cut inside a character become '?'.
 */
static void clean(char *text)
{
    const size_t len = strlen(text);
    size_t at = 0;

    while (at < len) {
        const size_t step = mr_utf8_step(mr_slice_of(text + at, len - at));
        if (step == 0 || (uint8_t)text[at] < 0x20 || text[at] == 0x7f) {
            text[at] = '?';
        }
        at += step == 0 ? 1 : step;
    }
}

void problem_add(struct problem_list *list, struct mr_position position, const char *fmt, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list args;

    if (problems_full(list)) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    clean(text);
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        list->items = mr_xrealloc(list->items, list->capacity * sizeof(*list->items));
    }
    char *file = mr_xstrdup(position.file != NULL ? position.file : list->file);
    position.file = file;
    list->items[list->count++] =
        (struct mr_problem){.file = file, .position = position, .text = mr_xstrdup(text)};
}

static int compare_positions(const void *left, const void *right)
{
    const struct mr_position a = ((const struct mr_problem *)left)->position;
    const struct mr_position b = ((const struct mr_problem *)right)->position;

    const int order = strcmp(a.file, b.file);

    if (order != 0) {
        return order;
    }
    if (a.line != b.line) {
        return a.line < b.line ? -1 : 1;
    }
    return a.column < b.column ? -1 : a.column > b.column;
}

void problems_take(struct problem_list *list, struct mr_problems *out)
{
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof(*list->items), compare_positions);
    }
    *out = (struct mr_problems){.items = list->items, .count = list->count};
    *list = (struct problem_list){.file = list->file};
}

/* The copies are ours; the public struct shows them as const. */
static void free_text(const char *text)
{
    union {
        const char *borrowed;
        char *owned;
    } both = {.borrowed = text};

    free(both.owned);
}

void mr_problems_fini(struct mr_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free_text(problems->items[i].file);
        free_text(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct mr_problems){0};
}
