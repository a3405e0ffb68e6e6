/*
 * codes.c -- see codes.h.
 */
#include "domain/codes.h"

#include <stdio.h>

static const struct code_row rows[] = {
#define CODE_ROW(name, number, stage, text, advice) {(number), #name, #stage, (text), (advice)},
    DOM_CODES(CODE_ROW)
#undef CODE_ROW
};

static const struct code_row ok = {.number = CODE_OK, .name = "OK", .text = ""};

const struct code_row *code_rows(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

static const struct code_row *find_row(int32_t number)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    return number == CODE_OK ? &ok : NULL;
}

const char *code_name(int32_t number)
{
    const struct code_row *row = find_row(number);

    return row == NULL ? NULL : row->name;
}

const char *code_text(int32_t number)
{
    const struct code_row *row = find_row(number);

    return row == NULL ? NULL : row->text;
}

void code_list_add(struct code_list *list, enum dom_code code)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == code) {
            return;
        }
    }
    if (list->count < CODE_LIST_MAX) {
        list->items[list->count++] = code;
    }
}

enum dom_code code_list_first(const struct code_list *list)
{
    return list->count == 0 ? CODE_OK : list->items[0];
}

size_t code_list_text(const struct code_list *list, char *buffer, size_t buffer_bytes)
{
    size_t len = 0;

    if (buffer_bytes == 0) {
        return 0;
    }
    buffer[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const int32_t number = (int32_t)list->items[i];
        const char *name = code_name(number);
        const int wrote = snprintf(buffer + len, buffer_bytes - len, "%s%d %s: %s",
                                   i == 0 ? "" : "; ", (int)number, name == NULL ? "?" : name,
                                   name == NULL ? "?" : code_text(number));
        if (wrote < 0 || (size_t)wrote >= buffer_bytes - len) {
            return buffer_bytes - 1; /* cut, and snprintf has put the zero */
        }
        len += (size_t)wrote;
    }
    return len;
}
