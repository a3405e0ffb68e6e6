/*
 * play.h -- plays a case of a suite on a world of its own (world/world.h).
 *
 * Sending settles lazily: the world comes to rest before the next record is sent, before anything
 * is looked at and before time passes, but not before a crash, which so meets it at work.
 * {now} is a clock of the case and not the world's: it rises by a millisecond a record and by what
 * passes, so records are the same however long the world takes.
 */
#ifndef MILLRACE_SUITE_PLAY_H
#define MILLRACE_SUITE_PLAY_H

#include "suite.h"
#include "world.h"

/* A group ends without a word in that round of the world. */
struct suite_crash {
    int round; /* -1: none does */
    size_t group;
    bool lose_state;
};

struct suite_play_options {
    struct suite_crash crash;
    size_t crash_step; /* suite_play_everywhere: of its crashes every so manieth; 0, 1: all */
    /* More that must hold of the world when the case has passed. NULL: nothing. */
    void (*check)(void *arg, const struct suite_case *played, struct mr_world *world);
    void *arg;
};

/* suite_result_fini when done. */
struct suite_result {
    bool passed;
    struct suite_place place; /* of what failed */
    struct mr_buffer text;    /* lines that say why */
    int plays;
    int64_t us;   /* of the computer's time, over all plays */
    int *sent_in; /* in which round of the world each record was sent, of the last play */
    size_t sent_count;
};

/* Returns the world, settled when the case has passed; the caller destroys it. */
struct mr_world *suite_play(const struct suite *suite, const struct suite_case *played,
                            const struct suite_play_options *options, struct suite_result *result);
/*
 * Once undisturbed, then once for each record that is sent and each group, which crashes a few
 * rounds later, every other time with its state: expectations must hold each time, and all topics
 * come out as they did undisturbed. options->crash is not looked at.
 */
void suite_play_everywhere(const struct suite *suite, const struct suite_case *played,
                           const struct suite_play_options *options, struct suite_result *result);
void suite_result_fini(struct suite_result *result);

/*
 * Both worlds wrote the same, key by key; of topics that are conflated or vary the last values.
 * False: text says what differs.
 */
bool suite_compare(const struct suite *suite, struct mr_world *want, struct mr_world *got,
                   struct mr_buffer *text);

#endif
