/*
 * replay_journal.c -- see sim_replay.c: the replay's own journals against those that are there.
 *
 * What may differ is who wrote and when, and what says nothing: a task that opens again notes every
 * table anew, moved or not.
 */
#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 64

struct step {
    enum runtime_journal_source_kind kind;
    struct mr_slice name;
    int32_t partition;
    int64_t offset; /* of the source: of an input where it begins */
    int64_t value;
};

struct steps {
    struct step *list;
    size_t count, capacity;
};

/* Where a task stands in its tables. */
struct tables {
    struct step at[TABLES_MAX];
    size_t count;
};

/* True when the step moves a table. */
static bool moves(struct tables *tables, const struct step *step)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct step *at = &tables->at[i];

        if (at->partition == step->partition && mr_slice_equal(at->name, step->name)) {
            const bool moved = at->value != step->value;

            at->value = step->value;
            return moved;
        }
    }
    WORLD_MUST(tables->count < TABLES_MAX);
    tables->at[tables->count++] = *step;
    return step->value != 0;
}

static void add(struct steps *steps, const struct step *step)
{
    struct step *last = steps->count == 0 ? NULL : &steps->list[steps->count - 1];

    if (last != NULL && step->kind == RUNTIME_JOURNAL_SOURCE_KIND_INPUT &&
        last->kind == step->kind && mr_slice_equal(last->name, step->name)) {
        last->value += step->value;
        return;
    }
    if (steps->count == steps->capacity) {
        steps->capacity = steps->capacity == 0 ? 64 : steps->capacity * 2;
        steps->list = mr_xrealloc(steps->list, steps->capacity * sizeof(*steps->list));
    }
    steps->list[steps->count++] = *step;
}

static void normalise(const struct runtime_journal *record, struct tables *tables,
                      struct steps *steps)
{
    steps->count = 0;
    for (size_t i = 0; i < record->steps.count; i++) {
        const struct runtime_journal_step *from = &record->steps.items[i];
        const struct runtime_journal_source *source = &record->sources.items[from->source];
        const struct step step = {.kind = source->kind,
                                  .name = source->name,
                                  .partition = source->partition,
                                  .offset = source->offset,
                                  .value = from->value};

        if (step.kind != RUNTIME_JOURNAL_SOURCE_KIND_TABLE || moves(tables, &step)) {
            add(steps, &step);
        }
    }
}

/* For the trace. */
static void show(FILE *trace, const char *what, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];

        (void)fprintf(trace, "%s kind=%d %.*s[%d] offset=%" PRId64 " value=%" PRId64 "\n", what,
                      (int)step->kind, MR_SLICE_ARG(step->name), (int)step->partition, step->offset,
                      step->value);
    }
}

static void compare(const struct replay *replay, const struct runtime_journal *record,
                    const struct steps *there, const struct steps *replayed)
{
    bool equal = there->count == replayed->count;

    for (size_t i = 0; equal && i < there->count; i++) {
        const struct step *a = &there->list[i];
        const struct step *b = &replayed->list[i];

        equal = a->kind == b->kind && mr_slice_equal(a->name, b->name) &&
                a->partition == b->partition && a->offset == b->offset && a->value == b->value;
    }
    if (!equal && replay->sim->trace != NULL) {
        show(replay->sim->trace, "there:", there);
        show(replay->sim->trace, "replay:", replayed);
    }
    WORLD_MUST_MSG(equal,
                   "group %.*s, task %d, transaction %" PRId64
                   ": a replay of the journal takes other steps (%zu, not %zu)",
                   MR_SLICE_ARG(record->group), (int)record->partition, record->sequence,
                   replayed->count, there->count);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct journals {
    struct runtime_journal *list;
    size_t count;
    struct mr_arena *arena;
};

static int by_task_then_sequence(const void *a, const void *b)
{
    const struct runtime_journal *left = a;
    const struct runtime_journal *right = b;

    return left->partition != right->partition
               ? left->partition - right->partition
               : (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static void read_journals(struct replay *replay, struct mr_log *log, const struct mr_topic *topic,
                          struct journals *journals)
{
    struct mr_binding binding;
    struct mr_err err;

    *journals = (struct journals){.arena = mr_arena_create((size_t)16 * 1024)};
    WORLD_MUST(mr_codec_bind(replay->codec, topic->schema, topic->subject, &binding, &err) ==
               MR_OK);
    for (int32_t p = 0; p < topic->partitions; p++) {
        struct replay_list list = replay_read(log, topic->name, p);

        journals->list = mr_xrealloc(journals->list,
                                     (journals->count + list.count + 1) * sizeof(*journals->list));
        for (size_t i = 0; i < list.count; i++) {
            WORLD_MUST_MSG(mr_codec_decode(replay->codec, &binding, list.messages[i].value,
                                           journals->arena, &journals->list[journals->count++],
                                           &err) == MR_OK,
                           "%s", err.text);
        }
        free(list.messages);
    }
    if (journals->count > 0) {
        qsort(journals->list, journals->count, sizeof(*journals->list), by_task_then_sequence);
    }
}

void replay_compare_journal(struct replay *replay, const struct mr_topic *topic)
{
    struct journals there;
    struct journals replayed;
    struct tables tables[2] = {0};
    struct steps steps[2] = {0};

    read_journals(replay, mr_world_log(replay->sim->world), topic, &there);
    read_journals(replay, replay->outputs, topic, &replayed);
    WORLD_MUST_MSG(there.count == replayed.count, "%s: %zu transactions, and %zu in a replay",
                   topic->name, there.count, replayed.count);
    for (size_t i = 0; i < there.count; i++) {
        if (i == 0 || there.list[i].partition != there.list[i - 1].partition) {
            memset(tables, 0, sizeof(tables));
        }
        WORLD_MUST(there.list[i].partition == replayed.list[i].partition &&
                   there.list[i].sequence == replayed.list[i].sequence);
        normalise(&there.list[i], &tables[0], &steps[0]);
        normalise(&replayed.list[i], &tables[1], &steps[1]);
        compare(replay, &there.list[i], &steps[0], &steps[1]);
    }
    for (size_t i = 0; i < 2; i++) {
        free(steps[i].list);
    }
    free(there.list);
    free(replayed.list);
    mr_arena_destroy(&there.arena);
    mr_arena_destroy(&replayed.arena);
}
