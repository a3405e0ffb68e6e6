/*
 * memory.h -- what the files of the in-memory log share.
 *
 * Why: the runtime's rules must be testable without a broker, so this log has Kafka's transactional
 *   meaning: offsets that markers take up, a last stable offset, epochs, generations, offsets in
 * the transaction. How: one mutex (memory_log.lock) protects everything reachable from memory_log.
 * Records are appended to blocks that never move and are never changed once the last stable offset
 * has passed them, so a delivered message points into the log without holding the lock. Not:
 * retention or compaction. Nothing is ever removed; a log lives as long as a test or a try.
 */
#ifndef MILLRACE_LOG_MEMORY_H
#define MILLRACE_LOG_MEMORY_H

#include "millrace/arena.h"
#include "millrace/log_open.h"
#include "millrace/log_ops.h"

#include <pthread.h>

#define MEMORY_MAGIC 0x4D454D4Cu
#define MEMORY_PRODUCER_MAGIC 0x4D454D50u
#define MEMORY_MEMBER_MAGIC 0x4D454D47u
#define MEMORY_READER_MAGIC 0x4D454D52u

#define MEMORY_BLOCK_ENTRIES ((size_t)256)
#define MEMORY_RECORD_BYTES_MAX ((size_t)1048576) /* a topic's max.message.bytes, about */
#define MEMORY_FOREVER_US INT64_MAX

/* ---- storage ----------------------------------------------------------------------------------
 */

enum memory_flag {
    MEMORY_TOMBSTONE = 1,
    MEMORY_MARKER = 2,  /* end of a transaction: takes an offset, is never delivered */
    MEMORY_ABORTED = 4, /* set when its transaction ends */
    MEMORY_SKIPPED = MEMORY_MARKER | MEMORY_ABORTED,
    MEMORY_COMPACTED = 8, /* by a test: compact.c */
};

struct memory_entry {
    const struct mr_header *headers;
    const uint8_t *data; /* key, then value */
    int64_t timestamp_ms;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint32_t producer; /* memory_producer.number of the writer */
    uint16_t header_count;
    uint8_t flags;
};

struct memory_id;

/* A transaction that has written here and is not over. */
struct memory_open {
    const struct memory_id *id;
    int64_t first_offset;
};

struct memory_partition {
    const char *topic;
    int32_t number;
    size_t index;          /* over all partitions of the log */
    const uint8_t *hidden; /* the log's */
    struct memory_entry **blocks;
    size_t block_capacity;
    int64_t end;
    struct memory_open *open; /* by first_offset */
    size_t open_count;
    size_t open_capacity;
};

struct memory_config {
    char *name;
    char *value;
};

struct memory_topic {
    char *name;
    struct memory_partition *partitions;
    int32_t partition_count;
    size_t record_bytes_max;
    struct memory_config *configs;
    size_t config_count;
};

/* ---- transactions -----------------------------------------------------------------------------
 */

struct memory_group;

/* A partition that a transaction has written to. */
struct memory_written {
    struct memory_partition *partition;
    int64_t marker_us; /* when the end of the transaction gets there, once it has ended */
};

/* An offset sent with a transaction: pending until the transaction ends. */
struct memory_pending {
    struct memory_group *group;
    const struct memory_partition *partition;
    int64_t offset;
    char *metadata; /* or NULL */
};

/* A transactional id: outlives the producers that hold it one after the other. */
struct memory_id {
    char *name;
    uint32_t epoch;    /* a producer with an older one is fenced */
    uint32_t producer; /* number of the holder */
    int64_t timeout_us;
    int64_t deadline_us; /* of the open transaction: MEMORY_FOREVER_US when nothing was written */
    struct memory_written *partitions; /* by the open transaction, or by one that is ending */
    size_t partition_count;
    size_t partition_capacity;
    struct memory_pending *pending;
    size_t pending_count;
    size_t pending_capacity;
    bool ending; /* its outcome is decided and not yet known everywhere */
    bool ending_committed;
    int64_t pending_us; /* when the group gets to know */
};

/* ---- groups -----------------------------------------------------------------------------------
 */

struct memory_offset {
    int64_t offset;
    char *metadata; /* or NULL */
    int pending;    /* open transactions that will change it */
};

/* A member's place in its group. A static one outlives its handle until the session ends. */
struct memory_place {
    char *instance;  /* NULL: not static */
    uint64_t member; /* the handle that holds it; an earlier handle of the instance is fenced */
    char **topics;
    size_t topic_count;
    int64_t session_timeout_us;
    int64_t last_poll_us;
    bool held;    /* false: closed, waiting for its instance to come back */
    bool polling; /* the session does not run out inside of a poll */
    bool joined;  /* in the rebalance that is going on */
    struct memory_partition **assignment;
    size_t assignment_count;
    size_t assignment_capacity;
};

struct memory_group {
    char *name;
    uint64_t generation;
    bool rebalancing;
    struct memory_place **places; /* in the order of assignment */
    size_t place_count;
    struct memory_offset *offsets; /* by memory_partition.index */
    size_t offset_count;
};

/* ---- the log ----------------------------------------------------------------------------------
 */

struct memory_fault {
    int countdown;
    enum mr_status status;
    bool done;
};

/* Those to come of one call. */
struct memory_faults {
    struct memory_fault *list;
    size_t count;
    size_t capacity;
};

struct memory_log {
    struct mr_log base;
    uint32_t magic;
    const struct mr_clock *clock;
    pthread_mutex_t lock;   /* protects all that follows */
    pthread_cond_t changed; /* something to read, a group or a pending offset moved */
    int waiters;
    int handles;
    struct mr_arena *arena; /* records */
    struct memory_topic **topics;
    size_t topic_count;
    size_t partition_count;
    struct memory_id **ids;
    size_t id_count;
    struct memory_group **groups;
    size_t group_count;
    uint32_t last_producer;
    uint64_t last_member;
    int64_t next_expiry_us;  /* no transaction or session ends before */
    uint8_t hidden;          /* flags of what is not delivered */
    bool down;               /* nothing answers */
    int64_t marker_delay_us; /* at most, of each marker */
    uint64_t marker_random;
    struct memory_faults faults[MR_LOG_CALL_END];
};

struct memory_producer_topic {
    struct memory_topic *topic;
    int64_t *delivered;    /* by partition: last offset */
    uint64_t *transaction; /* by partition: the last transaction that wrote there */
};

enum memory_producer_state {
    MEMORY_IDLE,
    MEMORY_BEGUN,
    MEMORY_BEGUN_UNHEARD, /* begun, but the caller was told that it failed */
    MEMORY_MUST_ABORT,
    MEMORY_FENCED,
    MEMORY_FINISHED, /* an unknown outcome */
};

struct memory_producer {
    struct mr_producer base;
    uint32_t magic;
    struct memory_log *log;
    struct memory_id *id; /* NULL: not transactional */
    uint32_t epoch;
    uint32_t number;
    uint64_t transaction;
    enum memory_producer_state state;
    struct memory_producer_topic *topics;
    int topic_count;
};

/* A partition that somebody reads. */
struct memory_cursor {
    struct memory_partition *partition;
    int64_t position; /* or MR_OFFSET_NONE: the committed offset, once it is stable */
    bool paused;
};

struct memory_member {
    struct mr_member base;
    uint32_t magic;
    struct memory_log *log;
    struct memory_group *group;
    uint64_t number;
    uint64_t generation; /* of the cursors */
    char *instance;
    char **topics;
    size_t topic_count;
    int64_t session_timeout_us;
    struct mr_member_callbacks callbacks;
    struct memory_cursor *cursors;
    size_t cursor_count;
    size_t turn;
};

struct memory_reader {
    struct mr_reader base;
    uint32_t magic;
    struct memory_log *log;
    struct memory_cursor *cursors;
    size_t cursor_count;
    size_t turn;
};

extern const struct mr_log_ops memory_ops;

/* Everything below is called with the lock held, except what implements memory_ops. */

/* ---- log.c ------------------------------------------------------------------------------------
 */

struct memory_log *memory_log_of(struct mr_log *log);
/* Takes the lock and ends the transactions and sessions whose time is up; returns the time. */
int64_t memory_enter(struct memory_log *log);
void memory_leave(struct memory_log *log);
/* Ends what is due; returns the time. */
int64_t memory_tick(struct memory_log *log);
/* Something is to be looked at not later than at_us. */
void memory_expect(struct memory_log *log, int64_t at_us);
void memory_changed(struct memory_log *log);
/* Waits until something changes or deadline_us; false when the deadline has passed. */
bool memory_wait(struct memory_log *log, int64_t deadline_us);
int64_t memory_deadline(int64_t now_us, int64_t timeout_us);
/* Room for one more element behind count. */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);

/* ---- fault.c ----------------------------------------------------------------------------------
 */

/* True when this call is to fail: with fault->status, after its effect when fault->done. */
bool memory_fault_due(struct memory_log *log, enum mr_log_call call, struct memory_fault *fault);
enum mr_status memory_fault_fail(const struct memory_fault *fault, struct mr_err *err);

/* ---- topics.c ---------------------------------------------------------------------------------
 */

struct memory_topic *memory_topic_find(const struct memory_log *log, const char *name);
/* NULL when there is no such topic or partition. */
struct memory_partition *memory_partition_find(const struct memory_log *log, const char *topic,
                                               int32_t partition);
enum mr_status memory_unknown(struct mr_err *err, const char *topic, int32_t partition);
void memory_topic_destroy(struct memory_topic *topic);

/* ---- partition.c ------------------------------------------------------------------------------
 */

struct memory_entry *memory_partition_entry(const struct memory_partition *partition,
                                            int64_t offset);
struct memory_entry *memory_partition_append(struct memory_partition *partition);
/* The last stable offset. */
int64_t memory_partition_stable(const struct memory_partition *partition);
void memory_partition_open(struct memory_partition *partition, const struct memory_id *id);
void memory_partition_end(struct memory_partition *partition, const struct memory_id *id,
                          bool committed, int64_t timestamp_ms);
/* Takes what is there from the cursors that may be read, at most max; *turn makes it fair. */
size_t memory_take(struct memory_cursor *cursors, size_t count, size_t *turn,
                   struct mr_message *messages, size_t max);

/* ---- transaction.c ----------------------------------------------------------------------------
 */

struct memory_id *memory_id_get(struct memory_log *log, const char *name);
void memory_id_destroy(struct memory_id *id);
/* Decides the outcome; markers and offsets follow at once, or when they are due. */
void memory_transaction_end(struct memory_log *log, struct memory_id *id, bool committed);
/* Writes the markers and settles the offsets that are due. */
void memory_transaction_mark(struct memory_log *log, struct memory_id *id, int64_t now_us);
void memory_transaction_write(struct memory_log *log, struct memory_id *id,
                              struct memory_partition *partition);
void memory_transaction_offset(struct memory_log *log, struct memory_id *id,
                               const struct memory_pending *pending);

/* ---- group.c, place.c, committed.c -------------------------------------------------------------
 */

struct memory_group *memory_group_get(struct memory_log *log, const char *name);
void memory_group_destroy(struct memory_group *group);
struct memory_place *memory_group_find(const struct memory_group *group, uint64_t member);
bool memory_group_has_instance(const struct memory_group *group, const char *instance);
/* Puts the member in, or in the place of the former holder of its instance. */
void memory_group_join(struct memory_log *log, struct memory_member *member);
void memory_group_remove(struct memory_log *log, struct memory_group *group, size_t place);
void memory_group_leave(struct memory_log *log, struct memory_member *member);
/* Everybody has to join again before the next generation. */
void memory_group_rebalance(struct memory_log *log, struct memory_group *group);
/* Starts the next generation when everybody has joined. */
void memory_group_complete(struct memory_log *log, struct memory_group *group);
/* Ends the sessions that are over; expects the next. */
void memory_group_expire(struct memory_log *log, struct memory_group *group, int64_t now_us);

struct memory_place *memory_place_create(const struct memory_member *member, int64_t now_us);
void memory_place_destroy(struct memory_place *place);
bool memory_place_subscribes(const struct memory_place *place, const char *topic);
bool memory_place_same_topics(const struct memory_place *place, char *const *topics, size_t count);
/* Order of assignment: static members by instance, then the others as they came. */
int memory_place_compare(const struct memory_place *a, const struct memory_place *b);
/* Range: of each topic, neighbouring partitions to each subscriber, the rest to the first ones. */
void memory_places_assign(struct memory_log *log, struct memory_place **places, size_t count);
char **memory_names_copy(const char *const *names, size_t count);
void memory_names_free(char **names, size_t count);

struct memory_offset *memory_group_offset(struct memory_group *group, size_t index);
/* Takes metadata over. */
void memory_offset_set(struct memory_offset *offset, int64_t value, char *metadata);
/* A copy of a buffer's text; NULL when there is none. */
char *memory_metadata(const struct mr_buffer *metadata);
enum mr_status memory_committed(struct mr_log *, const char *, struct mr_topic_partition *, size_t,
                                int64_t, struct mr_err *);
enum mr_status memory_member_present(struct mr_log *base, const char *group_name,
                                     const char *instance, bool *present, struct mr_err *err);
enum mr_status memory_group_members(struct mr_log *base, const char *group_name, size_t *count,
                                    struct mr_err *err);
enum mr_status memory_group_commit(struct mr_log *base, const char *group_name,
                                   const struct mr_topic_partition *positions, size_t count,
                                   struct mr_err *err);
enum mr_status memory_topic_names(struct mr_log *base, void (*visit)(void *arg, const char *topic),
                                  void *arg, struct mr_err *err);

/* ---- member.c ---------------------------------------------------------------------------------
 */

struct memory_member *memory_member_of(struct mr_member *member);
/* MR_OK while the member's offsets may be committed, else MR_FENCED or MR_TXN_ABORT. */
enum mr_status memory_member_check(const struct memory_member *member, struct mr_err *err);

/* ---- memory_ops -------------------------------------------------------------------------------
 */

enum mr_status memory_topic_partitions(struct mr_log *, const char *, int32_t *, struct mr_err *);
enum mr_status memory_topic_config(struct mr_log *, const char *, const char *, char *, size_t,
                                   struct mr_err *);
enum mr_status memory_topic_create(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);
enum mr_status memory_topic_alter(struct mr_log *, const struct mr_topic_spec *, struct mr_err *);
enum mr_status memory_end(struct mr_log *, const char *, int32_t, int64_t *, struct mr_err *);
enum mr_status memory_watermarks(struct mr_log *, const char *, int32_t, int64_t *, int64_t *,
                                 struct mr_err *);

enum mr_status memory_producer_open(struct mr_log *, const struct mr_producer_options *, int64_t,
                                    struct mr_producer **, struct mr_err *);
enum mr_status memory_producer_topic(struct mr_producer *, const char *, int *, int32_t *,
                                     struct mr_err *);
enum mr_status memory_producer_begin(struct mr_producer *, struct mr_err *);
enum mr_status memory_producer_send(struct mr_producer *, const struct mr_outgoing *,
                                    struct mr_err *);
enum mr_status memory_producer_commit(struct mr_producer *, struct mr_member *,
                                      const struct mr_topic_partition *, size_t, struct mr_err *);
enum mr_status memory_producer_commit_as(struct mr_producer *, const char *,
                                         const struct mr_topic_partition *, size_t,
                                         struct mr_err *);
enum mr_status memory_producer_abort(struct mr_producer *, struct mr_err *);
enum mr_status memory_producer_flush(struct mr_producer *, int64_t, struct mr_err *);
void memory_producer_poll(struct mr_producer *);
int64_t memory_producer_delivered(const struct mr_producer *, int, int32_t);
void memory_producer_close(struct mr_producer *);

enum mr_status memory_member_open(struct mr_log *, const struct mr_member_options *,
                                  struct mr_member **, struct mr_err *);
enum mr_status memory_member_poll(struct mr_member *, int64_t, struct mr_message *, size_t,
                                  size_t *, struct mr_err *);
enum mr_status memory_member_pause(struct mr_member *, const char *, int32_t, struct mr_err *);
enum mr_status memory_member_resume(struct mr_member *, const char *, int32_t, int64_t,
                                    struct mr_err *);
enum mr_status memory_member_seek(struct mr_member *, const char *, int32_t, int64_t,
                                  struct mr_err *);
enum mr_status memory_member_commit(struct mr_member *, const struct mr_topic_partition *, size_t,
                                    struct mr_err *);
void memory_member_close(struct mr_member *);

enum mr_status memory_reader_open(struct mr_log *, int64_t, struct mr_reader **, struct mr_err *);
enum mr_status memory_reader_add(struct mr_reader *, const char *, int32_t, int64_t,
                                 struct mr_err *);
enum mr_status memory_reader_remove(struct mr_reader *, const char *, int32_t, struct mr_err *);
enum mr_status memory_reader_poll(struct mr_reader *, int64_t, struct mr_message *, size_t,
                                  size_t *, struct mr_err *);
int64_t memory_reader_position(const struct mr_reader *, const char *, int32_t);
void memory_reader_close(struct mr_reader *);

size_t memory_message_headers(const struct mr_message *, struct mr_header *, size_t);
void memory_message_release(struct mr_message *);
void memory_message_fill(struct mr_message *message, const struct memory_partition *partition,
                         struct memory_entry *entry, int64_t offset);

#endif
