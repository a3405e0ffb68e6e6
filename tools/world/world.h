/*
 * world.h -- a whole topology in one thread: every group's workers over the in-memory log, with a
 * clock of their own.
 *
 * Why: what stages mean together (an order's life, exactly-once across two groups) must be testable
 *      in milliseconds and must come out the same every time: by `millrace topology test`, by
 *      `millrace try`, and by the tests of this repository.
 * How: creates the topology's topics and steps the workers one after the other; each round takes a
 *      millisecond of the world's time. An outside producer plays clients and feeds; what is read
 *      back is committed. Failed workers are started again as an orchestrator would.
 *      A group is one process, or several instances with a state directory each.
 * Not: connectors, which have nothing to write to here. The stage driver (tests/support), which
 *      runs one stage without the runtime.
 *
 * What must not fail in memory is asserted (WORLD_MUST), not returned. Thread: one.
 */
#ifndef MILLRACE_TOOLS_WORLD_H
#define MILLRACE_TOOLS_WORLD_H

#include "millrace/buffer.h"
#include "millrace/log_open.h"
#include "millrace/runtime.h"

/* What does not hold goes to whoever has asked for it; else it is printed and the process aborts.
 */
#define WORLD_MUST_MSG(expr, ...)                                                                  \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            mr_world_violated(__FILE__, __LINE__, __VA_ARGS__);                                    \
        }                                                                                          \
    } while (0)
#define WORLD_MUST(expr) WORLD_MUST_MSG(expr, "%s", #expr)

struct mr_world;

_Noreturn void mr_world_violated(const char *file, int line, const char *format, ...)
    MR_PRINTF(3, 4);
/* Must not return. For the whole process. */
void mr_world_on_violation(void (*handler)(const char *text));

struct mr_world_options {
    const struct mr_topology *topology; /* borrowed; or */
    struct mr_topology *owned;          /* taken over */
    const struct mr_clock *clock;       /* NULL: of its own, which only rounds and waits move */
    int64_t start_us;                   /* where its own clock begins; 0: some time */
    int instances; /* processes of each group, each with a state directory; 0: one */
    /* A state directory; NULL: in memory. Asked again when an instance has lost its own. */
    struct mr_backend *(*create_backend)(void *arg, size_t group, int instance);
    struct mr_registry *registry; /* taken over; NULL: in memory; or */
    struct mr_registry *lent;     /* borrowed: worlds of one topology may share what is in it */
    void *arg;
};

struct mr_world *mr_world_create(const struct mr_world_options *options);
void mr_world_destroy(struct mr_world **world);

/* Borrowed. */
const struct mr_topology *mr_world_topology(const struct mr_world *world);
struct mr_log *mr_world_log(struct mr_world *world);
struct mr_codec *mr_world_codec(struct mr_world *world);
int64_t mr_world_now_us(const struct mr_world *world);
void mr_world_pass_us(struct mr_world *world, int64_t us);

/* ---- running --------------------------------------------------------------------------------- */

/* Starts the workers that are not running: all of them the first time. */
void mr_world_start(struct mr_world *world);
/* Ends all workers of a group without a word; their state directories stay. */
void mr_world_crash(struct mr_world *world, size_t group);
/* Empty state directories. The group's workers must not be running. */
void mr_world_lose_state(struct mr_world *world, size_t group);
/* In round `round` (counted from the creation) the group crashes, and is started again in the next.
 */
void mr_world_plan_crash(struct mr_world *world, int round, size_t group, bool lose_state);
/*
 * Rounds until nothing happens any more, long enough for every back-off. MR_CONFIG: a group's
 * workers failed again and again; MR_TIMEOUT: it does not come to rest.
 */
MR_NODISCARD enum mr_status mr_world_try_settle(struct mr_world *world, struct mr_err *err);
/* The same where it must. */
void mr_world_settle(struct mr_world *world);
/* That many rounds; MR_CONFIG as above. */
MR_NODISCARD enum mr_status mr_world_try_rounds(struct mr_world *world, int rounds,
                                                struct mr_err *err);
void mr_world_rounds(struct mr_world *world, int rounds);
/* Finishes, commits and closes every worker. */
MR_NODISCARD enum mr_status mr_world_try_stop(struct mr_world *world, struct mr_err *err);
/* The same where it must work. */
void mr_world_stop(struct mr_world *world);
int mr_world_round(const struct mr_world *world);
/* How often a worker failed and was started again; planned crashes do not count. */
int mr_world_restarts(const struct mr_world *world);

/* ---- one instance of a group ----------------------------------------------------------------- */

struct mr_world_at {
    size_t group;
    int instance;
};

enum mr_world_step {
    MR_WORLD_IDLE,   /* nothing happened */
    MR_WORLD_BUSY,   /* or it is not ready yet */
    MR_WORLD_FAILED, /* a worker did, so the process has ended: mr_world_error */
};

int mr_world_instances(const struct mr_world *world);
/* A turn of each of its workers, which are started when they are not running and may. */
enum mr_world_step mr_world_step(struct mr_world *world, struct mr_world_at at);
/* It ends without a word; its next step starts it again. */
void mr_world_kill(struct mr_world *world, struct mr_world_at at);
/* The same in the middle of its step, which will not be gone on with: nothing of it is freed. */
void mr_world_abandon(struct mr_world *world, struct mr_world_at at);
/* It finishes, commits and closes in its next steps, and stays away. */
void mr_world_retire(struct mr_world *world, struct mr_world_at at);
/* It has workers. */
bool mr_world_is_running(const struct mr_world *world, struct mr_world_at at);
/* Away: it is not started when it is not running. */
void mr_world_keep_away(struct mr_world *world, struct mr_world_at at, bool away);
bool mr_world_is_away(const struct mr_world *world, struct mr_world_at at);
/* An empty state directory. It must not be running. */
void mr_world_wipe(struct mr_world *world, struct mr_world_at at);
/* The next process of this instance asks the registry for every schema again. */
void mr_world_forget_schemas(struct mr_world *world, struct mr_world_at at);
/*
 * It is started a second time, elsewhere and with no state, while the first goes on: a ghost, with
 * the state directory it had. It must be running.
 */
void mr_world_haunt(struct mr_world *world, struct mr_world_at at);
size_t mr_world_ghost_count(const struct mr_world *world);
/* A turn of one of them. MR_WORLD_FAILED: it is gone, and another has its place in the list. */
enum mr_world_step mr_world_step_ghost(struct mr_world *world, size_t ghost);
/* Everything of every worker that runs is ready. */
bool mr_world_all_ready(struct mr_world *world);
/* A line for each worker that runs: what it does, what it waits for. */
void mr_world_describe(struct mr_world *world, struct mr_buffer *out);
const struct mr_err *mr_world_error(const struct mr_world *world);
struct mr_metrics *mr_world_metrics(struct mr_world *world);
struct mr_registry *mr_world_registry(struct mr_world *world);

/* ---- records --------------------------------------------------------------------------------- */

#define MR_WORLD_HEADERS_MAX 12

struct mr_world_record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct mr_slice key;
    struct mr_slice value; /* framed */
    bool has_value;
    struct mr_header headers[MR_WORLD_HEADERS_MAX];
    size_t header_count;
};

struct mr_world_records {
    struct mr_world_record *items; /* partition by partition, in order of offsets */
    size_t count;
    struct mr_arena *arena;
};

/* From the outside world, to the partition of the key, stamped with the world's time. */
void mr_world_send(struct mr_world *world, const char *topic, struct mr_slice key,
                   struct mr_slice value);
/* The same to a partition of the sender's choice; value NULL: a tombstone. */
void mr_world_put(struct mr_world *world, const char *topic, int32_t partition, struct mr_slice key,
                  const struct mr_slice *value);
void mr_world_send_tombstone(struct mr_world *world, const char *topic, struct mr_slice key);
/* key NULL: the value of the topic's key field. */
void mr_world_send_json(struct mr_world *world, const char *topic, const char *key,
                        const char *json);
/* Of the topic's schema under its subject. */
struct mr_binding mr_world_bind(struct mr_world *world, const char *topic);
/* A struct of the topic's schema as a framed record; borrowed until the next call. */
struct mr_slice mr_world_encode(struct mr_world *world, const char *topic, const void *value);
/* Into a struct of the topic's schema; strings borrow from the record, arrays live in its arena. */
void mr_world_decode(struct mr_world *world, const char *topic, struct mr_world_records *records,
                     size_t index, void *value);
/* Appends the value as JSON; MR_CLASS_POISON when it is none of the topic's schema. */
MR_NODISCARD enum mr_status mr_world_try_json(struct mr_world *world, const char *topic,
                                              struct mr_slice value, struct mr_buffer *out,
                                              struct mr_err *err);
/* The same where it must be one. */
void mr_world_json(struct mr_world *world, const char *topic, struct mr_slice value,
                   struct mr_buffer *out);

/* What is committed in a topic. */
void mr_world_read(struct mr_world *world, const char *topic, struct mr_world_records *records);
/* What is committed of one store in its stage's changelog, with the keys of the store. */
void mr_world_read_state(struct mr_world *world, const char *stage, const char *store,
                         struct mr_world_records *records);
/* Into a struct of the store's schema; as mr_world_decode. */
void mr_world_decode_state(struct mr_world *world, const char *stage, const char *store,
                           struct mr_world_records *records, size_t index, void *value);
/* Keeps the last record of each key, without tombstones, ordered by (partition, key). */
void mr_world_latest(struct mr_world_records *records);
void mr_world_records_fini(struct mr_world_records *records);
const struct mr_header *mr_world_header(const struct mr_world_record *record, const char *name);

/*
 * Every state directory holds of every store and partition what the changelog says below the offset
 * that is kept with it, one of them up to the end; and the journals tell every input that was
 * taken.
 */
void mr_world_check_state(struct mr_world *world);
/* The two halves of it. */
void mr_world_check_stores(struct mr_world *world);
void mr_world_check_journals(struct mr_world *world);

#endif
