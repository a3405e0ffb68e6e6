/* replay.h -- what the files of the replay share: sim_replay.c (running), replay_compare.c. */
#ifndef MILLRACE_TESTS_REPLAY_H
#define MILLRACE_TESTS_REPLAY_H

#include "avro/journal.h"
#include "replay_log.h"
#include "sim.h"

#define REPLAY_SOURCES_MAX 64

struct replay_list {
    struct mr_message *messages;
    size_t count;
};

/* A partition that a task takes from, or reads as a table. */
struct replay_source {
    const char *topic;
    int32_t partition;
    struct replay_list committed;
    size_t next;
};

struct replay {
    struct sim *sim;
    int64_t now_us;
    struct mr_clock clock;
    struct mr_topology topology; /* the world's, but for the size of transactions */
    struct mr_log *outputs;
    struct mr_codec *codec;
    struct mr_metrics *metrics;
    struct runtime_journal *journals; /* of the group, in the order of their tasks' sequences */
    size_t journal_count;
    /* The task that is being replayed. */
    struct replay_log log;
    struct mr_backend *backend;
    struct mr_worker *worker;
    struct replay_source sources[REPLAY_SOURCES_MAX];
    size_t source_count;
    /* After each task: one behind what all of them have written to each partition. */
    int64_t *ends;
    size_t task_count;
};

/* What is committed in a partition; the messages stay where they are, the caller frees the list. */
struct replay_list replay_read(struct mr_log *log, const char *topic, int32_t partition);
/* A task has been replayed. */
void replay_note_ends(struct replay *replay);
/* Everything that came out against everything that is there. */
void replay_compare(struct replay *replay);
/* The same for the steps of one group's journal. */
void replay_compare_journal(struct replay *replay, const struct mr_topic *topic);
/* Times from here on were not an input's. */
int64_t replay_start_ms(void);

#endif
