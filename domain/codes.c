/*
 * codes.c -- see codes.h.
 */
#include "domain/codes.h"

#include "domain/order.h"

#include <stdio.h>

static const struct code_row rows[] = {
#define CODE_ROW(name, number, stage, text, advice) {(number), #name, #stage, (text), (advice)},
    DOM_CODES(CODE_ROW)
#undef CODE_ROW
};

static const struct reason_row reasons[] = {
    [ORD_CANCEL_USER] = {"USER", "the user asked for it",
                         "nothing: CANCEL, CANCEL_ALL or AMEND did"},
    [ORD_CANCEL_IOC] = {"IOC", "what could not trade at once was not to rest",
                        "send GTC to let the rest wait in the book"},
    [ORD_CANCEL_FOK] = {"FOK", "all of it could not trade at once", "send a smaller order, or IOC"},
    [ORD_CANCEL_GTD] = {"GTD", "its expireTs has come", "send a new order with a later expireTs"},
    [ORD_CANCEL_STP] = {"STP", "it would have traded with an order of the same user",
                        "cancel the resting order first, or choose another stpMode"},
    [ORD_CANCEL_INSUFFICIENT_LIQUIDITY] = {"INSUFFICIENT_LIQUIDITY",
                                           "the other side of the book was empty within the collar",
                                           "wait for orders, or send a LIMIT order"},
    [ORD_CANCEL_PRICE_RANGE] = {"PRICE_RANGE",
                                "the next price lay outside the execution range of the instrument",
                                "send a LIMIT order within the range, or wait"},
    [ORD_CANCEL_RISK] = {"RISK", "a limit or a switch of risk ended it",
                         "risk-events say which one: see the codes 3xxx"},
    [ORD_CANCEL_HALT] = {"HALT", "trading in the symbol was halted",
                         "wait until the state of the instrument is TRADING"},
};

static const struct code_row ok = {.number = CODE_OK, .name = "OK", .text = ""};

const struct code_row *code_rows(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct reason_row *code_reasons(size_t *count)
{
    *count = sizeof(reasons) / sizeof(reasons[0]);
    return reasons;
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
