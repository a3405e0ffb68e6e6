/* crashes.c -- see play.h: a case with a crash of each group behind each of its records. */
#include "play.h"

#include <stdlib.h>

/* What happens to a record happens within that many rounds; which one is struck goes around. */
#define PHASES 19
#define STRIDE 7

static struct suite_crash crash_at(const int *rounds, size_t record, size_t group)
{
    return (struct suite_crash){
        .round = rounds[record] + (int)((record * STRIDE + group) % PHASES),
        .group = group,
        .lose_state = (record + group) % 2 == 1,
    };
}

/* Puts before the text which crash it was. */
static void explain(const struct suite *suite, const struct suite_crash *crash, size_t record,
                    int sent_in, struct suite_result *result)
{
    struct mr_buffer why = result->text;

    result->text = MR_BUFFER_EMPTY;
    mr_buffer_printf(&result->text, "with a crash of group %s%s, %d rounds after record %zu:\n",
                     suite->topology->groups[crash->group].name,
                     crash->lose_state ? ", which loses its state" : "", crash->round - sent_in,
                     record + 1);
    mr_buffer_append(&result->text, why.data, why.len);
    mr_buffer_fini(&why);
}

static void play_crashed(const struct suite *suite, const struct suite_case *played,
                         const struct suite_play_options *options, struct mr_world *want,
                         struct suite_result *result)
{
    struct mr_world *got = suite_play(suite, played, options, result);

    if (result->passed && !suite_compare(suite, want, got, &result->text)) {
        result->passed = false;
        result->place = played->place;
    }
    mr_world_destroy(&got);
}

void suite_play_everywhere(const struct suite *suite, const struct suite_case *played,
                           const struct suite_play_options *options, struct suite_result *result)
{
    struct suite_play_options one = *options;
    const size_t step = options->crash_step == 0 ? 1 : options->crash_step;
    struct mr_world *want;
    size_t count;
    int *rounds;

    one.crash.round = -1;
    want = suite_play(suite, played, &one, result);
    count = result->sent_count;
    rounds = result->sent_in;
    result->sent_in = NULL; /* each play notes its own */
    for (size_t i = 0; i < count * suite->topology->group_count && result->passed; i += step) {
        const size_t record = i / suite->topology->group_count;

        one.crash = crash_at(rounds, record, i % suite->topology->group_count);
        play_crashed(suite, played, &one, want, result);
        if (!result->passed) {
            explain(suite, &one.crash, record, rounds[record], result);
        }
    }
    free(rounds);
    mr_world_destroy(&want);
}
