/*
 * flow.c -- see flow.h: lines to commands, reports to lines.
 */
#include "flow.h"

#include <inttypes.h>
#include <stdlib.h>

static const char msg_letters[] = "NCMAFPX";
static const char stp_letters[] = "TMBDN"; /* by enum ord_stp */

static uint8_t number_text(int64_t number, char prefix, char out[FLOW_TEXT_MAX])
{
    return (uint8_t)snprintf(out, FLOW_TEXT_MAX, "%c%" PRId64, prefix, number);
}

void flow_texts(struct flow_command *command)
{
    command->id_len = number_text(command->id, 'o', command->id_text);
    command->user_len = number_text(command->user, 'u', command->user_text);
}

static bool letter(const char *letters, char given, int *index)
{
    const char *at = given == '\0' ? NULL : strchr(letters, given);

    *index = at == NULL ? 0 : (int)(at - letters);
    return at != NULL;
}

bool flow_parse(const char *line, struct flow_command *command)
{
    char msg = 0;
    char side = 0;
    char stp = 'N';
    int ioc = 0;
    int msg_index = 0;
    int stp_index = 0;

    memset(command, 0, sizeof(*command));
    const int fields =
        sscanf(/* NOLINT(cert-err34-c): numbers out of range are a broken file */
               line, "%" SCNd64 ",%c,%c,%d,%" SCNd64 ",%" SCNd64 ",%" SCNd64 ",%" SCNd64 ",%c",
               &command->seq, &msg, &side, &ioc, &command->qty, &command->id, &command->price,
               &command->user, &stp);
    if (fields < 7 || !letter(msg_letters, msg, &msg_index) ||
        !letter(stp_letters, stp, &stp_index) || (side != 'B' && side != 'S')) {
        return false;
    }
    command->msg = (enum flow_msg)msg_index;
    command->stp = (enum ord_stp)stp_index;
    command->side = side == 'B' ? ORD_BUY : ORD_SELL;
    command->ioc = ioc != 0;
    flow_texts(command);
    return true;
}

size_t flow_command_text(const struct flow_command *command, char out[FLOW_LINE_MAX])
{
    return (size_t)snprintf(
        out, FLOW_LINE_MAX,
        "%" PRId64 ",%c,%c,%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%c", command->seq,
        msg_letters[command->msg], command->side == ORD_BUY ? 'B' : 'S', command->ioc ? 1 : 0,
        command->qty, command->id, command->price, command->user, stp_letters[command->stp]);
}

size_t flow_report_text(const struct flow_report *report, char out[FLOW_LINE_MAX])
{
    const int64_t price = (int64_t)(report->price / FLOW_TICK);
    const int64_t qty = (int64_t)(report->qty / FLOW_LOT);
    const int side = report->side == ORD_BUY ? 0 : 1;
    int len = snprintf(out, FLOW_LINE_MAX, "%d,%" PRId64, (int)report->type, report->seq);
    const size_t room = FLOW_LINE_MAX - (size_t)len;

    switch (report->type) {
    case FLOW_ACK:
    case FLOW_MODIFY_ACK:
        len += snprintf(out + len, room, ",%d,%" PRId64 ",%" PRId64 ",%" PRId64, side, report->id,
                        price, qty);
        break;
    case FLOW_TRADE:
    case FLOW_PREVENTED:
        len += snprintf(out + len, room, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, price,
                        qty, report->maker, report->id);
        break;
    case FLOW_CANCEL_ACK:
        len += snprintf(out + len, room, ",%d,%" PRId64 ",%" PRId64, side, report->id, price);
        break;
    case FLOW_CANCEL_REJECT:
    case FLOW_MODIFY_REJECT:
    case FLOW_REJECT:
        len += snprintf(out + len, room, ",%" PRId64, report->id);
        break;
    }
    return (size_t)len;
}

bool flow_reports_equal(const struct flow_reports *a, const struct flow_reports *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct flow_report *x = &a->items[i];
        const struct flow_report *y = &b->items[i];
        if (x->type != y->type || x->side != y->side || x->seq != y->seq || x->id != y->id ||
            x->maker != y->maker || x->price != y->price || x->qty != y->qty) {
            return false;
        }
    }
    return true;
}

void flow_report_add(struct flow_reports *reports, const struct flow_report *report)
{
    if (reports->count == reports->capacity) {
        const size_t capacity = reports->capacity == 0 ? 1024 : reports->capacity * 2;
        struct flow_report *grown = realloc(reports->items, capacity * sizeof(*grown));
        if (grown == NULL) {
            abort();
        }
        reports->items = grown;
        reports->capacity = capacity;
    }
    reports->items[reports->count++] = *report;
}
