/*
 * scenario.h -- a story in a file: what is given, what must come out, over the whole topology.
 *
 * One JSON object a line; lines that begin with # are comments. Fields left out of a value get the
 * plain ones of scenario.c (a LIMIT GTC buy of BTCUSDT, a USDT deposit, a trading instrument),
 * eventId is "c<number of the line's send>", ts rises by a millisecond a send.
 *
 *   {"send": TOPIC, "value": {..}}      one record; the world settles before the next line
 *       "key": K                        another key than the record's own
 *       "raw": HEX                      these bytes instead of a record
 *       "together": true                the next line follows at once
 *   {"pass": SECONDS}                   time passes, for the world and for what is sent
 *   {"expect": TOPIC, "records": [..]}  all that came to the topic since the last expect: of each
 *                                       key these and no others, in this order; fields not named
 *                                       are not looked at, null means absent
 *   {"last": TOPIC, "records": [..]}    the last record of each of these keys
 *   {"ignore": TOPIC}                   what came to it up to here is of no interest
 * Records of a dead-letter topic have the fields key and each header by its name.
 * What is not expected must not come: a file ends with nothing left in dead letters, nor in any
 * topic that it has expected something of.
 */
#ifndef MILLRACE_TESTS_SCENARIO_H
#define MILLRACE_TESTS_SCENARIO_H

#include "world.h"

#define SCENARIO_PATH_MAX 512

struct scenario_run {
    struct mr_world_options options;
    /* -1: undisturbed. Else this group crashes in that round. */
    int crash_round;
    size_t crash_group;
    bool lose_state;
};

/* All files, in order of names. */
size_t scenario_count(void);
const char *scenario_path(size_t index);
/*
 * Plays a file and checks it, with the invariants (invariants.h) at the end. Returns the world,
 * settled; the caller destroys it.
 */
struct mr_world *scenario_play(const char *path, const struct scenario_run *run);
/* When the last played file sent its records: rounds of its world. *count: how many. */
const int *scenario_send_rounds(size_t *count);
/* Everything that both worlds wrote, key by key; of conflated topics the last values. */
void scenario_compare(struct mr_world *want, struct mr_world *got, const char *what);

#endif
