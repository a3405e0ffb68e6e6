/*
 * task.h -- the parts of a worker, shared by the files of this folder. Nothing outside includes it.
 *
 *   worker ---- member (inputs), producer (outputs), reader of tables, reader of changelogs
 *     | 1:n
 *   task ------ one partition number of the group's inputs; an input buffer for each topic
 *     | 1:n
 *   node ------ one stage's instance in the task, with its stores: struct mr_ctx, opaque to the
 * stage
 *
 * The way of a record: assignment.c (who owns it) -> inputs.c (polled, buffered) -> choose.c (which
 * is next) -> process.c (stages, savepoint, dead letter) -> context.c (emit, stores) -> outbox.c ->
 * transaction.c (commit, abort).
 */
#ifndef MILLRACE_TASK_TASK_H
#define MILLRACE_TASK_TASK_H

#include "flow.h"
#include "global_table.h"
#include "journal.h"
#include "mailbox.h"
#include "message_queue.h"
#include "millrace/runtime.h"
#include "millrace/task_store.h"
#include "outbox.h"
#include "tap_ring.h"

#include <pthread.h>
#include <stdatomic.h>

struct task;
struct batch; /* state.c */

/* What a stage's callbacks are given: their node. */
struct mr_ctx {
    struct task *task;
    const struct mr_stage_node *stage;
    void *self;
    struct mr_store **stores;
    struct mr_space **spaces;
    const struct mr_binding *store_bindings; /* the worker's */
    size_t timer_count;                      /* scheduled by this instance */
    struct mr_gauge **gauges;                /* of this instance; 0 when it goes */
    size_t gauge_count;
    int64_t changelog_next;     /* to be written with its stores; MR_OFFSET_NONE: no news */
    int64_t changelog_as_of_us; /* wall clock, of changelog_next */
};

struct timer {
    struct mr_ctx *owner;
    size_t id; /* as the stage knows it */
    enum mr_timer_clock clock;
    int64_t interval_us;
    int64_t next_us;        /* INT64_MIN: not yet set */
    int64_t next_before_us; /* as it was when the transaction began */
};

struct input {
    size_t topic; /* of the topology */
    struct mr_binding binding;
    const struct mr_reader_ref *readers; /* stages of this group, in their order */
    size_t reader_count;
    void *record; /* decoded value of the record being processed */
    struct message_queue queue;
    int64_t next_offset;      /* to commit; MR_OFFSET_NONE: nothing taken in this transaction */
    int64_t unwritten_offset; /* committed, not yet in the backend; MR_OFFSET_NONE: none */
    int64_t committed_offset; /* of the group; 0 when there is none */
    int32_t journal_source;   /* in the open transaction, plus 1; 0: nothing taken yet */
    bool assigned;
};

enum task_state {
    TASK_ASSIGNING,   /* not all its inputs are assigned */
    TASK_OPENING,     /* waiting for stable offsets, then for targets */
    TASK_CATCHING_UP, /* reading changelogs */
    TASK_READY,
};

/* One changelog being read. */
struct catch_up {
    struct mr_ctx *owner;
    size_t topic;
    int64_t target;
    bool done;
};

struct task {
    struct mr_worker *worker;
    int32_t partition;
    enum task_state state;
    struct mr_ctx *nodes; /* group->stage_count */
    struct input *inputs; /* group->input_count */
    struct timer *timers;
    size_t timer_count;
    struct mr_arena *arena; /* of the current record */
    int64_t stream_time_us;
    int64_t stream_time_before_us;
    bool touched;         /* in this transaction */
    uint64_t records_in;  /* committed */
    int64_t restore_left; /* records, while it catches up */
    struct journal journal;
    struct mr_buffer progress; /* beside the offsets of the transaction */
    char writer[300];          /* who committed last; "": nobody yet */
    int64_t opening_since_us;
    bool fenced;                  /* its former owner, or there is none */
    bool has_offsets;             /* the group has committed some of its inputs */
    struct mr_buffer kept_timers; /* as they were committed, until the stages have theirs */
    struct catch_up *catch_ups;
    size_t catch_up_count;
    /* The record being processed, and the first failure in its chain. */
    const struct mr_message *source;
    int64_t event_us;
    const struct mr_ctx *failed;
    enum mr_status chain_status;
    struct mr_err chain_err; /* meaningful when chain_status is not MR_OK */
};

/* An input record in the transaction, in the order of processing. */
struct taken {
    struct task *task;
    struct input *input;
    struct mr_message message;
};

struct worker_metrics {
    struct mr_counter *records_in;
    struct mr_counter *records_out;
    struct mr_counter *commits;
    struct mr_counter *aborts;
    struct mr_counter *dead_letters;
    struct mr_counter *restored;
    struct mr_counter *followed;
    struct mr_histogram *commit_us;
    struct mr_gauge *tasks;
    struct mr_gauge *tasks_ready;
    struct mr_gauge *restore_left;
    struct mr_gauge *standby_lag;
    struct mr_gauge *restore_seconds_left;
    struct mr_counter *wiped;
};

/* Since tasks began to wait for their changelogs. */
struct restore_progress {
    int64_t since_us; /* 0: none waits */
    int64_t said_us;
    uint64_t before; /* records restored until then */
};

struct mr_worker {
    struct mr_process process;
    const struct mr_topology *topology;
    const struct mr_group_node *group;
    int index;
    enum mr_worker_state state;
    _Atomic bool stopping;
    bool crashing; /* destroyed without stop: no goodbye */
    bool exactly_once;
    char group_id[256];
    char identity[300]; /* transactional id and static member id */

    struct mr_producer *producer;
    int *producer_topics; /* of each topic of the topology; -1: not written by this group */
    int32_t *topic_partitions;
    struct mr_binding *bindings;        /* of each topic; schema NULL: not used by this group */
    struct mr_binding **store_bindings; /* [stage of the group][store] */
    struct mr_member *member;
    struct mr_reader *table_reader;
    struct global_table **tables; /* group->table_count */
    bool tables_ready;            /* they have every key that they had at the start */
    int64_t tables_heard_us;      /* gap.c */
    bool tables_read_through;     /* they have been where they ended at the start */
    bool tables_followed;         /* table_reader is the second one */
    uint64_t tables_version;      /* counts changes, from 1 */
    struct mr_reader *restore_reader;
    int64_t restore_heard_us; /* gap.c */
    struct restore_progress restoring;
    struct mr_reader_ref *input_readers; /* storage of all inputs' readers */
    size_t *input_reader_first;          /* [input_count + 1] into it */
    size_t *node_of_stage;               /* position in the group of each stage of the topology */

    struct task **tasks;    /* by partition number; NULL: not ours */
    struct task **standbys; /* copies of those that are not ours; NULL: none */
    struct mr_reader *standby_reader;
    int64_t standby_heard_us; /* gap.c */
    int64_t standby_at_us;    /* not before */
    int64_t standby_lag_at_us;
    int32_t task_capacity;
    int32_t first_task; /* that choose_next looks at */
    struct mr_message *polled;

    /* The transaction. taken[0..done) have been processed in it; the rest waits for replay. */
    struct taken *taken;
    size_t taken_count, taken_done, taken_capacity;
    struct outbox outbox;
    int64_t behind_since_us; /* the backend lacks something; INT64_MAX: it is complete */
    size_t behind_bytes;
    struct batch *batch; /* while it is written */
    bool open;           /* something was done since the last outcome */
    bool begun;          /* the producer knows of it */
    /*
     * Its outcome is not known: the producer is gone, and a new one and the group's committed
     * offset of unsettled_at (its offset: as the transaction would leave it) will tell. topic NULL:
     * it took no input.
     */
    bool unsettled;
    struct mr_topic_partition unsettled_at;
    struct mr_err unsettled_why;
    size_t overlay_bytes;    /* written to stores by the transaction, about */
    size_t limit;            /* of inputs in the next transaction, after an abort; 0: none */
    bool inputs_held;        /* paused: too much is queued while nothing can be processed */
    int64_t last_commit_us;  /* monotonic, when the last outcome was known */
    int64_t commit_begun_us; /* wall clock, the last one's */
    int64_t reopen_at_us;    /* tasks that could not be opened are tried again */
    int64_t retry_at_us;     /* back-off: nothing is taken before */
    int aborts_in_a_row;
    struct mr_err revocation_err; /* what went wrong inside a rebalance callback */
    enum mr_status revocation_status;

    struct mr_cache_budget cache; /* of its tasks' stores */
    struct worker_metrics metrics;
    struct mr_worker_status live; /* the owner's */
    pthread_mutex_t status_lock;
    struct mr_worker_status status;     /* what others may read: live, copied with each step */
    struct mr_task_status *task_status; /* likewise; task_capacity */
    size_t task_status_count;
    struct flow flow;
    struct mailbox mailbox;
};

static inline int64_t worker_now_us(const struct mr_worker *worker)
{
    return mr_clock_monotonic_us(worker->process.clock);
}
static inline const struct mr_topic *worker_topic(const struct mr_worker *worker, size_t topic)
{
    return &worker->topology->topics[topic];
}

/* ---- task.c: instances and their stores ------------------------------------------------------ */

struct task *task_create(struct mr_worker *worker, int32_t partition);
/* The task's spaces in the backend; what is there is left as it is. */
MR_NODISCARD enum mr_status task_open_spaces(struct task *task, struct mr_err *err);
MR_NODISCARD enum mr_status node_open_spaces(struct mr_ctx *node, struct mr_err *err);
/* Drops buffered inputs and the overlay; committed state is in the backend. */
void task_destroy(struct task **task);
/* Stores are caught up: open them, let the stages load, start. */
MR_NODISCARD enum mr_status task_start(struct task *task, struct mr_err *err);
/* Back to OPENING: instances, stores and overlay go, buffered inputs stay. */
void task_reopen(struct task *task);
/* Savepoints of all its stores at once. */
void task_release(struct task *task);
MR_NODISCARD enum mr_status task_rollback(struct task *task, struct mr_err *err);
MR_NODISCARD enum mr_status task_abort(struct task *task, struct mr_err *err);
/* Before the first record of a transaction touches it. */
void task_touch(struct task *task);

/* ---- choose.c: the one place where the next input is chosen ---------------------------------- */

/* False when no ready task has anything. */
bool choose_next(struct mr_worker *worker, struct taken *next);
struct queued {
    size_t count, bytes;
};
/* Of tasks that are ready. */
struct queued queued_inputs(const struct mr_worker *worker);

/* ---- inputs.c: how input comes in ------------------------------------------------------------ */

#define WORKER_POLL_MAX ((size_t)2000) /* room of worker->polled */

/* An undone transaction has inputs left, and the task of the next is ready for it. */
bool inputs_may_replay(const struct mr_worker *worker);
/* Nothing is processed: after a failure, or because the last transaction is in doubt. */
bool inputs_are_waiting(const struct mr_worker *worker);
/* Polls the member, at most timeout_us and not past what is due earlier. *busy: something came. */
MR_NODISCARD enum mr_status inputs_poll(struct mr_worker *worker, int64_t timeout_us, bool *busy,
                                        struct mr_err *err);

/* ---- process.c, dead_letter.c ---------------------------------------------------------------- */

/* One record through its stages, with a savepoint; poison becomes a dead letter and MR_OK. */
MR_NODISCARD enum mr_status process_taken(struct mr_worker *worker, const struct taken *taken,
                                          struct mr_err *err);
/* Fires what is due of one clock: of one task after a record, of all in each step. */
MR_NODISCARD enum mr_status process_timers(struct task *task, enum mr_timer_clock clock,
                                           struct mr_err *err);
/* The stages' own last word before a commit. */
MR_NODISCARD enum mr_status process_flush(struct mr_worker *worker, struct mr_err *err);
/* Hands a record to one stage; notes the first failure of the chain. */
MR_NODISCARD enum mr_status process_deliver(struct mr_ctx *to, size_t port,
                                            const struct mr_record *record, struct mr_err *err);
struct dead_letter_place {
    const char *who;   /* stage or connector */
    size_t stage;      /* of the topology; 0 for a connector, which is none */
    size_t topic;      /* as the outbox has it */
    int32_t partition; /* of the dead-letter topic */
};
void dead_letter_add(struct outbox *outbox, const struct dead_letter_place *place,
                     const struct mr_message *message, const struct mr_err *err);
/* A timer is due, or a journal says that it was. */
MR_NODISCARD enum mr_status process_fire(struct task *task, struct timer *timer, int64_t now_us,
                                         struct mr_err *err);

/* ---- context.c ------------------------------------------------------------------------------- */

/* Encodes a record of an out port into the outbox. */
MR_NODISCARD enum mr_status context_write_out(struct mr_ctx *ctx, size_t port,
                                              struct mr_slice partition_key, struct mr_slice key,
                                              const void *value, struct mr_err *err);

/* ---- inspect.c ------------------------------------------------------------------------------- */

/* Notes the state of its tasks for others to read. With status_lock. */
void inspect_publish(struct mr_worker *worker);

/* ---- progress.c ------------------------------------------------------------------------------ */

/* What the open transaction's offsets shall say. */
void progress_write(struct task *task);
/* Takes over what was committed, when it is newer than what the task knows. */
void progress_read(struct task *task, const struct mr_buffer *text);
/* The writer that a text names, when its sequence is above *newest. */
void progress_writer(const struct mr_buffer *text, int64_t *newest, char *writer, size_t bytes);
/* The stages have scheduled their timers: they go on where they were. */
void progress_start_timers(struct task *task);

/* ---- tables.c -------------------------------------------------------------------------------- */

MR_NODISCARD enum mr_status tables_start(struct mr_worker *worker, struct mr_err *err);
/* Takes what is there; sets tables_ready. */
MR_NODISCARD enum mr_status tables_poll(struct mr_worker *worker, struct mr_err *err);

/* ---- standby.c ------------------------------------------------------------------------------- */

/* Follows the changelogs of tasks that are not ours, when the group has standbys. */
MR_NODISCARD enum mr_status standby_step(struct mr_worker *worker, struct mr_err *err);
/* The task becomes ours: its state is left as it is. */
void standby_end(struct mr_worker *worker, int32_t partition);
void standby_end_all(struct mr_worker *worker);

/* ---- takeover.c ------------------------------------------------------------------------------ */

/* The task cannot open: ends the transaction of a former owner that is gone, once. */
void takeover_help(struct task *task);

/* ---- transaction.c --------------------------------------------------------------------------- */

/* Where the next input of the transaction goes: taken[taken_count]. */
struct taken *transaction_room(struct mr_worker *worker);
/* Hands finished outputs to the producer once it may have them. */
MR_NODISCARD enum mr_status transaction_pump(struct mr_worker *worker, struct mr_err *err);
/* It has as many records or bytes as it may. */
bool transaction_full(const struct mr_worker *worker);
bool transaction_due(const struct mr_worker *worker);
/* When it will be due, monotonic; INT64_MAX when nothing is open. */
int64_t transaction_due_us(const struct mr_worker *worker);
/* MR_OK: committed, or aborted with the inputs waiting for replay. */
MR_NODISCARD enum mr_status transaction_commit(struct mr_worker *worker, struct mr_err *err);
/* What the tasks did is their state, and nothing is open. Part of a commit, and of a replay, which
 * has no log to commit to. */
void transaction_committed(struct mr_worker *worker);
/* why: logged. The inputs wait for replay. */
MR_NODISCARD enum mr_status transaction_abort(struct mr_worker *worker, const struct mr_err *why,
                                              struct mr_err *err);
/* Finds out what became of a transaction in doubt, when that can be asked; opens the producer. */
MR_NODISCARD enum mr_status transaction_settle(struct mr_worker *worker, struct mr_err *err);
/* It is in doubt and everything of it goes to somebody else. */
void transaction_give_up(struct mr_worker *worker);
/* The worker has failed: no message of the member is kept beyond its end. */
void transaction_drop_inputs(struct mr_worker *worker);
/* Forgets inputs of the task (it is no longer ours). Nothing may be open. */
void transaction_forget(struct mr_worker *worker, const struct task *task);

/* ---- state.c: changelogs before the commit, the backend behind it ---------------------------- */

/* Produces the changelog records of every touched task. */
MR_NODISCARD enum mr_status state_send_changes(struct mr_worker *worker, struct mr_err *err);
/* The transaction is committed: overlays become the committed state. */
void state_committed(struct mr_worker *worker);
/* What the transaction has written to stores. */
size_t state_overlay_bytes(struct mr_worker *worker);
bool state_due(const struct mr_worker *worker);
/* Writes what the backend lacks, with changelog offsets and input offsets, in one batch. FATAL. */
MR_NODISCARD enum mr_status state_write(struct mr_worker *worker, struct mr_err *err);

/* ---- gap.c ----------------------------------------------------------------------------------- */

/* Kafka keeps tombstones for delete.retention.ms, a day by default; an hour of margin. */
#define STATE_AGE_MAX_US (23 * MR_HOUR_US)

/* Before the log is asked where its partitions end, for a new reader. */
void gap_begin(const struct mr_worker *worker, int64_t *heard_us);
/*
 * Polls without waiting; messages: room for WORKER_POLL_MAX. *heard_us: wall clock, when what has
 * been read was there. Returns MR_OUT_OF_RANGE, and nothing, when tombstones may have been missed.
 */
MR_NODISCARD enum mr_status gap_poll(const struct mr_worker *worker, struct mr_reader *reader,
                                     int64_t *heard_us, struct mr_message *messages, size_t *count,
                                     struct mr_err *err);

/* ---- restore_plan.c, restore.c --------------------------------------------------------------- */

#define META_CHANGELOG "changelog-offset"

/* Finds out what an OPENING task must read; MR_OK and still OPENING: the log cannot say yet. */
MR_NODISCARD enum mr_status restore_open(struct task *task, struct mr_err *err);
/* Moves every task that is not ready one step on. *busy: records were read. */
MR_NODISCARD enum mr_status restore_step(struct mr_worker *worker, bool *busy, struct mr_err *err);
void restore_forget(struct mr_worker *worker, const struct task *task);
/* The stores are caught up: whether state and offsets can be of one history. */
MR_NODISCARD enum mr_status restore_check_history(struct task *task, struct mr_err *err);
/* Where the changelogs of a task begin and end, in the order of its stages. extents: room for each
 * stage of the group; *count says how many have one. */
MR_NODISCARD enum mr_status restore_extents(const struct task *task, struct mr_extent *extents,
                                            size_t *count, struct mr_err *err);
/* The reader follows the task's changelogs from where its state stands. */
MR_NODISCARD enum mr_status restore_follow(struct task *task, struct mr_reader *reader,
                                           struct mr_err *err);
/* Applies what the reader has to the state of the tasks, by partition number. */
MR_NODISCARD enum mr_status restore_read(struct mr_worker *worker, struct mr_reader *reader,
                                         int64_t *heard_us, struct task *const *tasks,
                                         struct mr_err *err);
/* as_of_us: wall clock, when what is below the offset was read or committed. */
void meta_offset_write(uint8_t bytes[16], int64_t offset, int64_t as_of_us);

/* ---- assignment.c, producing.c --------------------------------------------------------------- */

void assignment_assigned(void *arg, const struct mr_topic_partition *partitions, size_t count);
void assignment_revoked(void *arg, const struct mr_topic_partition *partitions, size_t count,
                        bool lost);
/* Pauses or resumes the task's inputs. */
MR_NODISCARD enum mr_status assignment_pause(struct task *task, bool pause, struct mr_err *err);
/* Opens the producer and finds its topics. Errors of class RETRY: call again. */
MR_NODISCARD enum mr_status producing_open(struct mr_worker *worker, int64_t timeout_us,
                                           struct mr_err *err);

/* ---- worker.c -------------------------------------------------------------------------------- */

void worker_blocked_on(struct mr_worker *worker, const char *what);
/* Finds the schema ids of all that the group reads, writes and stores. */
MR_NODISCARD enum mr_status worker_bind_topics(struct mr_worker *worker, struct mr_err *err);

#endif
