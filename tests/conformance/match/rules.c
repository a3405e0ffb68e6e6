/*
 * rules.c -- what must hold for the answers to any command, whatever the model says.
 *
 * Why: book and model could be wrong alike; these are the rules themselves, one by one.
 */
#include "flow.h"

#include <stdlib.h>

void flow_rules_start(struct flow_rules *rules, size_t ids)
{
    rules->users = realloc(rules->users, ids * sizeof(*rules->users));
    if (rules->users == NULL) {
        abort();
    }
    rules->ids = ids;
    memset(rules->users, 0, ids * sizeof(*rules->users));
}

/* One trade of a command; NULL when it may be. */
static const char *trade_defect(const struct flow_rules *rules, const struct flow_command *command,
                                const struct flow_report *trade, enum ord_side side)
{
    const dec_t limit = command->price * FLOW_TICK;

    if (trade->qty <= 0) {
        return "a trade of nothing";
    }
    if (side == ORD_BUY ? trade->price > limit : trade->price < limit) {
        return "a trade beyond the limit";
    }
    if (command->stp != ORD_STP_NONE && rules->users[trade->id] == rules->users[trade->maker]) {
        return "a trade of a user with itself";
    }
    return command->msg == FLOW_POST ? "a post-only order took" : NULL;
}

const char *flow_rules_defect(struct flow_rules *rules, const struct flow_command *command,
                              const struct flow_reports *reports, const struct book *book)
{
    const struct flow_report *last =
        reports->count == 0 ? NULL : &reports->items[reports->count - 1];
    dec_t traded = 0;

    if (last == NULL) {
        return "a command without an answer";
    }
    if (last->type == FLOW_REJECT) {
        return reports->count == 1 ? NULL : "refused, and more";
    }
    if (reports->items[0].type == FLOW_ACK) {
        rules->users[command->id] = command->user;
    }
    const struct book_order *rests =
        book_find(book, dom_text_of(command->id_text, command->id_len));
    /* A modification keeps the side of its order; its answer tells it. */
    enum ord_side side = command->side;
    for (size_t i = 0; i < reports->count; i++) {
        side = reports->items[i].type == FLOW_MODIFY_ACK ? reports->items[i].side : side;
    }
    for (size_t i = 0; i < reports->count; i++) {
        const struct flow_report *report = &reports->items[i];
        const char *defect =
            report->type == FLOW_TRADE ? trade_defect(rules, command, report, side) : NULL;
        if (defect != NULL) {
            return defect;
        }
        traded += report->type == FLOW_TRADE ? report->qty : 0;
    }
    if (traded > command->qty * FLOW_LOT) {
        return "more traded than ordered";
    }
    if (command->msg == FLOW_FOK && traded != 0 && traded != command->qty * FLOW_LOT) {
        return "a fill-or-kill order traded in part";
    }
    const bool immediate = command->msg == FLOW_FOK || (command->msg == FLOW_NEW && command->ioc);
    if (immediate && rests != NULL) {
        return "an immediate order rests";
    }
    return command->msg == FLOW_CANCEL && rests != NULL ? "a cancelled order rests" : NULL;
}
