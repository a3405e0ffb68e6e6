/*
 * traffic.h -- what clients, operators and feeds send, drawn at random: every kind of command.
 *
 * Why: the storm says what goes wrong and what must hold; this says what is on the way meanwhile.
 * How: one seed decides everything. Orders are of a few users in two symbols around one price, so
 *      that they meet; amendments and cancels aim at orders that may be open, over or somebody
 *      else's.
 */
#ifndef MILLRACE_TESTS_TRAFFIC_H
#define MILLRACE_TESTS_TRAFFIC_H

#include "world.h"

#define TRAFFIC_USERS 6

struct traffic {
    struct mr_world *world;
    uint64_t random;
    int orders;    /* ids given out */
    int commands;  /* event ids given out */
    int transfers; /* the same, of transfers */
    int64_t ts_us;
};

uint64_t traffic_pick(struct traffic *traffic, uint64_t bound);

/* Instruments, reference prices and money for everybody; settles the world. */
void traffic_begin(struct traffic *traffic, struct mr_world *world, uint64_t seed);
/* One command, tick, transfer, switch or piece of garbage. */
void traffic_send(struct traffic *traffic);
void traffic_send_price(struct traffic *traffic, const char *symbol);
/* Opens every symbol and user again, and cancels all orders; not settled. */
void traffic_end(struct traffic *traffic);

#endif
