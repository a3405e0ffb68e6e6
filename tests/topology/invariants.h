/*
 * invariants.h -- what is true of every settled world, whatever happened in it.
 *
 * Why: scenarios say what must come out of a few stories; these say what must hold in all of them,
 *      crashed or not. They add up again from the topics, by other ways than the stages do.
 * How: ledger     each journal balances; accounts sum to zero per asset; balanceAfter, balances and
 *                 journal numbers follow from the entries
 *      outcomes   every command has exactly one outcome or one dead letter
 *      orders     versions without gaps, quantities that add up, SETTLED once after the last fill
 *      trades     numbers without gaps, two legs each, positions and candles that follow from them
 *      book       deltas without gaps that end in the snapshot, and both in the open orders
 *      state      risk and settle agree on every balance
 *      open       reports, fill, risk and settle have the same open orders and the same hold for
 *                 each; what risk counts as open and held is the sum of them
 */
#ifndef MILLRACE_TESTS_INVARIANTS_H
#define MILLRACE_TESTS_INVARIANTS_H

#include "world.h"

/* The world is settled: nothing is on its way. */
void invariants_check(struct mr_world *world);

void invariants_ledger(struct mr_world *world);
void invariants_outcomes(struct mr_world *world);
void invariants_orders(struct mr_world *world);
void invariants_trades(struct mr_world *world);
void invariants_book(struct mr_world *world);
void invariants_state(struct mr_world *world);
void invariants_open(struct mr_world *world);

/* Not always true: no order is open. With invariants_open nothing is held for any. */
void invariants_nothing_open(struct mr_world *world);

#endif
