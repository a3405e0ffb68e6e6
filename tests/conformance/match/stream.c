/*
 * stream.c -- random flows by seed.
 *
 * How: orders close to each other, so that many trade; cancels and changes of ids that rest, have
 *      been filled or cancelled, or were never given out; ids come again after they are gone, and
 *      while they still rest. Phases of growth and decay: a book that only breathes stays small.
 */
#include "flow.h"

#define PHASE ((size_t)600)

const struct stream_kind stream_kinds[STREAM_KINDS] = {
    {.name = "queues", .prices = 4, .users = 5, .ids = 400, .cancels = 15},
    {.name = "dense", .prices = 60, .users = 9, .ids = 3000, .cancels = 20},
    {.name = "sparse", .prices = 5000, .users = 40, .ids = 1000000, .cancels = 30},
    {.name = "ceiling", .prices = 20, .users = 3, .ids = 200, .cancels = 20, .ceiling = true},
};

/* splitmix64: the same numbers everywhere. */
static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static enum flow_msg message(uint64_t *state, uint64_t cancels)
{
    static const enum flow_msg others[] = {FLOW_MODIFY, FLOW_MODIFY, FLOW_AMEND, FLOW_AMEND,
                                           FLOW_FOK,    FLOW_POST,   FLOW_POST};

    if (draw(state, 100) < cancels) {
        return FLOW_CANCEL;
    }
    if (draw(state, 400) == 0) {
        return FLOW_ALL;
    }
    return draw(state, 100) < 30 ? others[draw(state, 7)] : FLOW_NEW;
}

void stream_fill(uint64_t seed, const struct stream_kind *kind, struct flow_command *commands,
                 size_t count)
{
    uint64_t state = seed;
    const int64_t base = kind->ceiling ? FLOW_PRICE_MAX - (int64_t)kind->prices + 1 : 100;

    for (size_t i = 0; i < count; i++) {
        struct flow_command *command = &commands[i];
        const bool decay = i / PHASE % 2 == 1;
        /* An id given out lately, one from the whole range, or the next one. */
        const uint64_t lately = i < 60 ? i + 1 : 60;
        const uint64_t pick = draw(&state, 10);
        const uint64_t id = pick < 5   ? i - draw(&state, lately)
                            : pick < 7 ? draw(&state, kind->ids)
                                       : i;
        *command = (struct flow_command){
            .seq = (int64_t)i,
            .msg = message(&state, (uint64_t)kind->cancels + (decay ? 40 : 0)),
            .side = draw(&state, 2) == 0 ? ORD_BUY : ORD_SELL,
            .ioc = draw(&state, 5) == 0,
            .id = (int64_t)(id % kind->ids),
            .user = (int64_t)draw(&state, kind->users),
            .stp = draw(&state, 2) == 0 ? ORD_STP_NONE : (enum ord_stp)draw(&state, 4),
            .qty = (int64_t)draw(&state, 40), /* 0 now and then: refused */
            .price = base + (int64_t)draw(&state, kind->prices),
        };
        if (draw(&state, 500) == 0) {
            command->price = draw(&state, 2) == 0 ? 0 : FLOW_PRICE_MAX + 1;
        }
        if (command->msg == FLOW_MODIFY || command->msg == FLOW_AMEND) {
            command->ioc = false;
        }
        flow_texts(command);
    }
}
