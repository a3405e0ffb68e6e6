/*
 * sim_replay.c -- see sim.h: what was committed follows from the inputs in the journals' order.
 *
 * How: every task of every group is run again on its own: fresh stores, the real runtime, no fault.
 *      It is given what its journal says (runs of inputs, tables moved on, ends of transactions)
 * and writes into a log of its own. Then (replay_compare.c) each topic must be an interleaving of
 *      what its tasks wrote, the changelogs must come to the same state, and the journals must be
 *      the same: timers fired when they did.
 */
#include "avro/journal.h"
#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* At most what a worker takes in one turn (its slice). */
#define FEED_MAX 100
#define STEPS_MAX 10
/* Far from every time in the world: what is stamped with it was stamped at the commit. */
#define START_US (INT64_C(4102444800) * MR_SECOND_US)

static int64_t time_us(void *arg)
{
    return *(int64_t *)arg;
}

static void wait_us(void *arg, int64_t us)
{
    *(int64_t *)arg += us;
}

int64_t replay_start_ms(void)
{
    return START_US / MR_MS_US;
}

/* ---- what is given --------------------------------------------------------------------------- */

static const struct mr_message *next_message(struct replay_source *source)
{
    return source->next < source->committed.count ? &source->committed.messages[source->next]
                                                  : NULL;
}

/* Messages of the in-memory log stay where they are. */
static struct replay_source *find_source(struct replay *replay, struct mr_slice name,
                                         int32_t partition)
{
    const struct mr_topology *topology = mr_world_topology(replay->sim->world);
    struct replay_source *source;

    for (size_t i = 0; i < replay->source_count; i++) {
        source = &replay->sources[i];
        if (source->partition == partition && mr_slice_equal(mr_slice_str(source->topic), name)) {
            return source;
        }
    }
    WORLD_MUST(replay->source_count < MR_COUNT(replay->sources));
    source = &replay->sources[replay->source_count++];
    *source = (struct replay_source){.partition = partition};
    for (size_t t = 0; t < topology->topic_count; t++) {
        if (mr_slice_equal(mr_slice_str(topology->topics[t].name), name)) {
            source->topic = topology->topics[t].name;
        }
    }
    WORLD_MUST_MSG(source->topic != NULL, "the journal names %.*s, which is no topic",
                   MR_SLICE_ARG(name));
    source->committed = replay_read(mr_world_log(replay->sim->world), source->topic, partition);
    return source;
}

/* ---- one task -------------------------------------------------------------------------------- */

static void turn(struct replay *replay)
{
    struct mr_err err;
    bool busy;

    WORLD_MUST_MSG(mr_worker_step(replay->worker, 0, &busy, &err) == MR_OK, "a replay failed: %s",
                   err.text);
}

static uint64_t commits(struct replay *replay)
{
    struct mr_worker_status status;

    mr_worker_status(replay->worker, &status);
    return status.commits;
}

static void feed_inputs(struct replay *replay, struct replay_source *source, int64_t count)
{
    while (count > 0) {
        for (int i = 0; i < FEED_MAX && count > 0; i++, count--) {
            const struct mr_message *message = next_message(source);

            WORLD_MUST_MSG(message != NULL, "the journal tells more of %s[%d] than there is",
                           source->topic, (int)source->partition);
            replay_log_input(&replay->log, message);
            source->next++;
            replay->sim->result.replayed++;
        }
        /* A commit that came too early was refused: then they are taken once more. */
        for (int i = 0; i < 2; i++) {
            turn(replay);
        }
    }
}

/* The last value of a key before an offset, or a tombstone. */
static struct mr_message value_before(const struct replay_source *source, struct mr_slice key,
                                      int64_t offset)
{
    struct mr_message found = {.topic = source->topic,
                               .partition = source->partition,
                               .key = key,
                               .ops = source->committed.messages[0].ops};

    for (size_t i = 0; i < source->committed.count && source->committed.messages[i].offset < offset;
         i++) {
        if (mr_slice_equal(source->committed.messages[i].key, key)) {
            found = source->committed.messages[i];
        }
    }
    return found;
}

/* A task that went to another worker may have gone back in a table: not every worker is as far. */
static void feed_table(struct replay *replay, struct replay_source *source, int64_t to)
{
    while (source->next > 0 && source->committed.messages[source->next - 1].offset >= to) {
        const struct mr_message *undone = &source->committed.messages[--source->next];
        const struct mr_message before = value_before(source, undone->key, to);

        replay_log_table(&replay->log, &before);
    }
    for (const struct mr_message *message = next_message(source);
         message != NULL && message->offset < to; message = next_message(source)) {
        replay_log_table(&replay->log, message);
        source->next++;
    }
    replay_log_position(&replay->log, source->topic, source->partition)->next = to;
}

static void feed(struct replay *replay, const struct runtime_journal *record)
{
    const uint64_t before = commits(replay);

    for (size_t i = 0; i < record->steps.count; i++) {
        const struct runtime_journal_step *step = &record->steps.items[i];
        const struct runtime_journal_source *from = &record->sources.items[step->source];

        if (from->kind == RUNTIME_JOURNAL_SOURCE_KIND_INPUT) {
            feed_inputs(replay, find_source(replay, from->name, from->partition), step->value);
        } else if (from->kind == RUNTIME_JOURNAL_SOURCE_KIND_TABLE) {
            feed_table(replay, find_source(replay, from->name, from->partition), step->value);
        }
    }
    replay->log.may_commit = true;
    replay->now_us += MR_SECOND_US;
    for (int i = 0; i < STEPS_MAX && commits(replay) == before; i++) {
        turn(replay);
    }
    replay->log.may_commit = false;
    WORLD_MUST_MSG(commits(replay) == before + 1,
                   "transaction %" PRId64 " of task %d: its replay committed %" PRIu64
                   " transactions",
                   record->sequence, (int)record->partition, commits(replay) - before);
}

static void open_task(struct replay *replay, size_t group, int32_t partition)
{
    const struct mr_process process = {
        .topology = &replay->topology,
        .log = &replay->log.base,
        .codec = replay->codec,
        .backend = replay->backend = mr_backend_memory_create(),
        .metrics = replay->metrics,
        .clock = &replay->clock,
        .instance = "replay",
    };
    struct mr_worker_status status;

    replay_log_init(&replay->log, replay->outputs);
    replay->log.partition = partition;
    replay->worker = mr_worker_create(&process, group, 0);
    for (int i = 0; i < STEPS_MAX; i++) {
        turn(replay);
    }
    mr_worker_status(replay->worker, &status);
    WORLD_MUST(status.tasks == 1 && status.tasks_ready == 1);
}

static void close_task(struct replay *replay)
{
    mr_worker_destroy(&replay->worker);
    mr_backend_close(&replay->backend);
    replay_log_fini(&replay->log);
    for (size_t i = 0; i < replay->source_count; i++) {
        free(replay->sources[i].committed.messages);
    }
    replay->source_count = 0;
}

static void replay_task(struct replay *replay, size_t group, int32_t partition)
{
    open_task(replay, group, partition);
    for (size_t i = 0; i < replay->journal_count; i++) {
        if (replay->journals[i].partition == partition) {
            feed(replay, &replay->journals[i]);
        }
    }
    close_task(replay);
}

static int by_sequence(const void *a, const void *b)
{
    const struct runtime_journal *left = a;
    const struct runtime_journal *right = b;

    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static void replay_group(struct replay *replay, size_t group)
{
    struct mr_world *world = replay->sim->world;
    const struct mr_topology *topology = mr_world_topology(world);
    const char *topic = topology->topics[topology->groups[group].journal].name;
    struct mr_world_records records;

    mr_world_read(world, topic, &records);
    replay->journal_count = records.count;
    replay->journals = mr_xcalloc(records.count, sizeof(*replay->journals));
    for (size_t i = 0; i < records.count; i++) {
        mr_world_decode(world, topic, &records, i, &replay->journals[i]);
    }
    qsort(replay->journals, records.count, sizeof(*replay->journals), by_sequence);
    for (int32_t p = 0; p < topology->groups[group].partitions; p++) {
        replay_task(replay, group, p);
        replay_note_ends(replay);
    }
    free(replay->journals);
    mr_world_records_fini(&records);
}

void sim_check_replay(struct sim *sim)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);
    struct replay *replay = mr_xcalloc(1, sizeof(*replay));
    struct mr_err err;

    replay->sim = sim;
    replay->now_us = START_US;
    replay->topology = *topology;
    /*
     * The journal says when a transaction ends, and no limit of the world's. A replay that meets
     * one itself is refused and takes its inputs again, with the tables where they are by then:
     * before the step at which the journal says that they moved.
     */
    replay->topology.defaults.commit_records_max = INT64_MAX;
    replay->topology.defaults.commit_bytes_max = INT64_MAX;
    replay->clock = (struct mr_clock){
        .wall_us = time_us, .monotonic_us = time_us, .wait_us = wait_us, .arg = &replay->now_us};
    replay->outputs = mr_log_memory_create(&replay->clock);
    replay->codec = mr_codec_create(mr_world_registry(sim->world));
    replay->metrics = mr_metrics_create();
    for (size_t t = 0; t < topology->topic_count; t++) {
        const struct mr_topic_spec spec = {.name = topology->topics[t].name,
                                           .partitions = topology->topics[t].partitions,
                                           .replication = 1};

        WORLD_MUST(!topology->topics[t].in_log ||
                   mr_log_topic_create(replay->outputs, &spec, &err) == MR_OK);
    }
    for (size_t g = 0; g < topology->group_count; g++) {
        replay_group(replay, g);
    }
    replay_compare(replay);
    free(replay->ends);
    mr_log_close(&replay->outputs);
    mr_codec_destroy(&replay->codec);
    mr_metrics_destroy(&replay->metrics);
    free(replay);
}
