/*
 * order.c -- see order.h.
 */
#include "domain/order.h"

static bool id_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '-';
}

bool ord_id_valid(struct dom_text id)
{
    if (id.len == 0 || id.len > ORD_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        if (!id_char(id.data[i])) {
            return false;
        }
    }
    return true;
}

bool ord_status_follows(enum ord_status from, enum ord_status to)
{
    switch (from) {
    case ORD_STATUS_NEW:
        return to == ORD_STATUS_ACCEPTED || to == ORD_STATUS_REJECTED || to == ORD_STATUS_CANCELLED;
    case ORD_STATUS_ACCEPTED:
        return to == ORD_STATUS_ACCEPTED || to == ORD_STATUS_FILLED || to == ORD_STATUS_CANCELLED;
    case ORD_STATUS_FILLED:
        return to == ORD_STATUS_SETTLED;
    case ORD_STATUS_SETTLED:
    case ORD_STATUS_REJECTED:
    case ORD_STATUS_CANCELLED:
    default:
        return false;
    }
}

bool ord_status_terminal(enum ord_status status)
{
    return status == ORD_STATUS_SETTLED || status == ORD_STATUS_REJECTED ||
           status == ORD_STATUS_CANCELLED;
}
