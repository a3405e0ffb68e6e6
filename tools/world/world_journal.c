/*
 * world_journal.c -- the journal tells the whole story: every committed input of every task, once,
 * in its order, in transactions that are numbered without gaps.
 */
#include "avro/journal.h"
#include "world_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One input of one task: what is in the log, and how far the journal has told it. */
struct told {
    struct mr_slice topic;
    int32_t partition;
    struct mr_world_records records; /* all partitions */
    size_t next;                     /* into records */
};

struct story {
    struct mr_world *world;
    const struct mr_group_node *group;
    struct told *inputs; /* [input of the group][partition] */
};

static struct runtime_journal *decode_all(struct mr_world *world, const char *topic,
                                          struct mr_world_records *records)
{
    struct runtime_journal *list = mr_xcalloc(records->count, sizeof(*list));

    for (size_t i = 0; i < records->count; i++) {
        mr_world_decode(world, topic, records, i, &list[i]);
    }
    return list;
}

static int by_task_then_sequence(const void *a, const void *b)
{
    const struct runtime_journal *left = a;
    const struct runtime_journal *right = b;

    return left->partition != right->partition
               ? left->partition - right->partition
               : (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static size_t first_of(const struct mr_world_records *records, int32_t partition)
{
    size_t at = 0;

    while (at < records->count && records->items[at].partition != partition) {
        at++;
    }
    return at;
}

static bool has_more(const struct told *told)
{
    return told->next < told->records.count &&
           told->records.items[told->next].partition == told->partition;
}

static struct told *find_input(struct story *story, const struct runtime_journal_source *source)
{
    for (size_t i = 0; i < story->group->input_count; i++) {
        struct told *told =
            &story->inputs[i * (size_t)story->group->partitions + (size_t)source->partition];

        if (mr_slice_equal(told->topic, source->name)) {
            return told;
        }
    }
    mr_world_violated(__FILE__, __LINE__, "the journal names %.*s, which is no input",
                      MR_SLICE_ARG(source->name));
}

/* Each source of the record goes on where the one before it ended; each step takes what is next. */
static void tell(struct story *story, const struct runtime_journal *record)
{
    for (size_t i = 0; i < record->sources.count; i++) {
        const struct runtime_journal_source *source = &record->sources.items[i];

        if (source->kind == RUNTIME_JOURNAL_SOURCE_KIND_INPUT) {
            const struct told *told = find_input(story, source);

            WORLD_MUST_MSG(has_more(told) &&
                               told->records.items[told->next].offset == source->offset,
                           "%s task %d transaction %" PRId64 ": %.*s is taken from offset %" PRId64
                           ", which is not the next",
                           story->group->name, (int)record->partition, record->sequence,
                           MR_SLICE_ARG(source->name), source->offset);
        }
    }
    for (size_t i = 0; i < record->steps.count; i++) {
        const struct runtime_journal_step *step = &record->steps.items[i];
        const struct runtime_journal_source *source;

        WORLD_MUST((size_t)step->source < record->sources.count);
        source = &record->sources.items[step->source];
        for (int64_t n = 0; source->kind == RUNTIME_JOURNAL_SOURCE_KIND_INPUT && n < step->value;
             n++) {
            struct told *told = find_input(story, source);

            WORLD_MUST(has_more(told));
            told->next++;
        }
    }
}

static void open_inputs(struct story *story)
{
    const size_t partitions = (size_t)story->group->partitions;

    story->inputs = mr_xcalloc(story->group->input_count * partitions, sizeof(*story->inputs));
    for (size_t i = 0; i < story->group->input_count; i++) {
        const char *topic = story->world->topology->topics[story->group->inputs[i]].name;

        for (size_t p = 0; p < partitions; p++) {
            struct told *told = &story->inputs[i * partitions + p];

            told->topic = mr_slice_str(topic);
            told->partition = (int32_t)p;
            mr_world_read(story->world, topic, &told->records);
            told->next = first_of(&told->records, told->partition);
        }
    }
}

static void check_end(struct story *story)
{
    for (size_t i = 0; i < story->group->input_count * (size_t)story->group->partitions; i++) {
        struct told *told = &story->inputs[i];
        struct mr_topic_partition at = {.topic = (const char *)told->topic.data,
                                        .partition = told->partition};
        char group[256];

        (void)snprintf(group, sizeof(group), "%.100s.%.100s", story->world->topology->application,
                       story->group->name);
        WORLD_MUST(mr_log_committed(story->world->log, group, &at, 1, MR_SECOND_US,
                                    &story->world->err) == MR_OK);
        WORLD_MUST_MSG(!has_more(told) || told->records.items[told->next].offset >= at.offset,
                       "%s: the journal does not tell %s[%d] offset %" PRId64, story->group->name,
                       at.topic, (int)at.partition, told->records.items[told->next].offset);
        mr_world_records_fini(&told->records);
    }
    free(story->inputs);
}

void world_check_journal(struct mr_world *world, size_t group)
{
    struct story story = {.world = world, .group = &world->topology->groups[group]};
    struct mr_world_records records;
    struct runtime_journal *list;
    const char *topic;

    if (story.group->journal == MR_UNBOUND) {
        return;
    }
    topic = world->topology->topics[story.group->journal].name;
    mr_world_read(world, topic, &records);
    list = decode_all(world, topic, &records);
    qsort(list, records.count, sizeof(*list), by_task_then_sequence);
    open_inputs(&story);
    for (size_t i = 0; i < records.count; i++) {
        const bool first = i == 0 || list[i - 1].partition != list[i].partition;

        WORLD_MUST_MSG(list[i].sequence == (first ? 1 : list[i - 1].sequence + 1),
                       "%s task %d: transaction %" PRId64 " is out of sequence", story.group->name,
                       (int)list[i].partition, list[i].sequence);
        tell(&story, &list[i]);
    }
    check_end(&story);
    free(list);
    mr_world_records_fini(&records);
}
