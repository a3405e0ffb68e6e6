/*
 * log.h -- the log port: partitioned, offset-addressed records with Kafka's transactional meaning.
 *
 * Why a port: the runtime's rules (what is visible when, who is fenced, what an abort undoes) must
 *   be testable without a broker and must be the same with one. Two implementations stand behind
 *   it: runtime/log/kafka (production) and runtime/log/memory (tests, `make try`, simulation). One
 *   contract suite runs over both.
 * Handles: mr_log (one cluster) opens producers, members of consumer groups, and plain readers.
 *   mr_log calls are safe from any thread; every other handle belongs to one thread.
 * Visibility: members and readers are read_committed: records of open and aborted transactions are
 *   never delivered, and nothing behind the last stable offset (LSO) is.
 * Time: *_ms and *_us as named; timeouts of 0 poll without waiting.
 */
#ifndef MILLRACE_LOG_H
#define MILLRACE_LOG_H

#include "millrace/buffer.h"
#include "millrace/option.h"
#include "millrace/slice.h"
#include "millrace/status.h"

struct mr_log;
struct mr_producer;
struct mr_member;
struct mr_reader;

#define MR_OFFSET_NONE INT64_C(-1)
#define MR_TIMESTAMP_NOW INT64_C(-1)
#define MR_HEADERS_MAX 32

struct mr_header {
    const char *name;
    struct mr_slice value;
};

/* One delivered record. All slices are borrowed until mr_message_release. */
struct mr_message {
    const char *topic; /* lives as long as the handle that delivered it */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct mr_slice key;
    struct mr_slice value;
    bool has_value; /* false: a tombstone */
    void *owner;    /* implementation's */
    const struct mr_log_ops *ops;
};

/* Fills at most max headers; returns how many there are. Borrowed like the message. */
size_t mr_message_headers(const struct mr_message *message, struct mr_header *headers, size_t max);
void mr_message_release(struct mr_message *message);

struct mr_topic_partition {
    const char *topic;
    int32_t partition;
    int64_t offset; /* meaning given by each call */
    /*
     * A text kept with a committed offset, at most MR_OFFSET_METADATA_MAX bytes: committed when
     * not NULL; replaced by what is kept when mr_log_committed is given one. Borrowed.
     */
    struct mr_buffer *metadata;
};
/* Kafka's offset.metadata.max.bytes, unless the broker says otherwise. */
#define MR_OFFSET_METADATA_MAX ((size_t)4096)

/* ---- topics ---------------------------------------------------------------------------------- */

struct mr_topic_config {
    const char *name; /* Kafka's own names: retention.ms, cleanup.policy ... */
    const char *value;
};

struct mr_topic_spec {
    const char *name;
    int32_t partitions;
    int32_t replication;
    const struct mr_topic_config *configs;
    size_t config_count;
};

/* *partitions: 0 when the topic does not exist. Errors: MR_UNAVAILABLE (names the address). */
MR_NODISCARD enum mr_status mr_log_topic_partitions(struct mr_log *log, const char *topic,
                                                    int32_t *partitions, struct mr_err *err);
/* Current value of one topic configuration, NUL-terminated into buffer; empty when unset. */
MR_NODISCARD enum mr_status mr_log_topic_config(struct mr_log *log, const char *topic,
                                                const char *name, char *buffer, size_t bytes,
                                                struct mr_err *err);
/* MR_EXISTS when it is there already. Waits until the topic can be used. */
MR_NODISCARD enum mr_status
mr_log_topic_create(struct mr_log *log, const struct mr_topic_spec *spec, struct mr_err *err);
/* Sets the given configurations of an existing topic, leaving its others as they are. */
MR_NODISCARD enum mr_status mr_log_topic_alter(struct mr_log *log, const struct mr_topic_spec *spec,
                                               struct mr_err *err);
/* *low: first offset; *stable_end: the LSO, one behind the last record a committed reader may see.
 */
MR_NODISCARD enum mr_status mr_log_watermarks(struct mr_log *log, const char *topic,
                                              int32_t partition, int64_t *low, int64_t *stable_end,
                                              struct mr_err *err);
/* One behind the last record, whether or not its transaction is over: above the LSO as long as a
 * transaction is open there, or committed and still being marked. */
MR_NODISCARD enum mr_status mr_log_end(struct mr_log *log, const char *topic, int32_t partition,
                                       int64_t *end, struct mr_err *err);
/* Where a partition begins and ends. */
struct mr_extent {
    const char *topic;
    int32_t partition;
    int64_t low;        /* as of mr_log_watermarks */
    int64_t stable_end; /* likewise */
    int64_t end;        /* as of mr_log_end, asked after the other two */
};
/* Of many partitions with as few questions to the cluster as there can be. */
MR_NODISCARD enum mr_status mr_log_extents(struct mr_log *log, struct mr_extent *extents,
                                           size_t count, struct mr_err *err);
#define MR_UNSTABLE INT64_C(-1)
/*
 * Fills positions[i].offset with the group's committed offset or MR_OFFSET_NONE. Waits for open
 * transactions that hold offsets of the group (stable offsets), at most timeout_us. MR_UNSTABLE:
 * does not wait, and says what is committed whatever open transactions may still change.
 */
MR_NODISCARD enum mr_status mr_log_committed(struct mr_log *log, const char *group,
                                             struct mr_topic_partition *positions, size_t count,
                                             int64_t timeout_us, struct mr_err *err);
/* Whether the group has a static member of that instance: one that lives, or whose session still
 * runs. */
MR_NODISCARD enum mr_status mr_log_member_present(struct mr_log *log, const char *group,
                                                  const char *instance, bool *present,
                                                  struct mr_err *err);
/* How many members the group has: those that live, and static ones whose session still runs. */
MR_NODISCARD enum mr_status mr_log_group_members(struct mr_log *log, const char *group,
                                                 size_t *count, struct mr_err *err);
/*
 * Sets committed offsets (offset, metadata) of a group that has no members: what it will go on
 * from. All or nothing. MR_EXISTS: it has members.
 */
MR_NODISCARD enum mr_status mr_log_group_commit(struct mr_log *log, const char *group,
                                                const struct mr_topic_partition *positions,
                                                size_t count, struct mr_err *err);
/* Calls visit for each topic, in no order. */
MR_NODISCARD enum mr_status mr_log_topic_names(struct mr_log *log,
                                               void (*visit)(void *arg, const char *topic),
                                               void *arg, struct mr_err *err);
/* The address or name it is known by, for messages. */
const char *mr_log_address(const struct mr_log *log);
void mr_log_close(struct mr_log **log);

/* ---- producing ------------------------------------------------------------------------------- */

struct mr_producer_options {
    const char *transactional_id; /* NULL: not transactional (idempotent, acks=all) */
    int64_t transaction_timeout_us;
    int64_t linger_us; /* non-transactional producers only; transactional ones do not linger */
    const char *compression; /* none, snappy, lz4, zstd, gzip */
};

struct mr_outgoing {
    int topic; /* of mr_producer_topic */
    int32_t partition;
    int64_t timestamp_ms; /* or MR_TIMESTAMP_NOW */
    struct mr_slice key;
    struct mr_slice value;
    bool has_value; /* false: a tombstone */
    const struct mr_header *headers;
    size_t header_count;
};

/*
 * Opens a producer. A transactional one settles whatever an earlier holder of its id left open and
 * fences that holder: the call waits for it, at most timeout_us (MR_TIMEOUT, may be called again).
 */
MR_NODISCARD enum mr_status mr_producer_open(struct mr_log *log,
                                             const struct mr_producer_options *options,
                                             int64_t timeout_us, struct mr_producer **producer,
                                             struct mr_err *err);
/* A small number for a topic, found once. *partitions may be NULL. MR_CONFIG when there is no such
 * topic. */
MR_NODISCARD enum mr_status mr_producer_topic(struct mr_producer *producer, const char *name,
                                              int *topic, int32_t *partitions, struct mr_err *err);
/* Says which topics will be asked for, so that one question to the cluster answers all. What is
 * not there shows when it is asked for. */
MR_NODISCARD enum mr_status mr_producer_expect(struct mr_producer *producer,
                                               const char *const *names, size_t count,
                                               struct mr_err *err);
MR_NODISCARD enum mr_status mr_producer_begin(struct mr_producer *producer, struct mr_err *err);
/* Copies key, value and headers. Delivery failures surface at commit (or flush). A full queue is
 * waited out. MR_TOO_LARGE is POISON; nothing of the record was sent then. */
MR_NODISCARD enum mr_status mr_producer_send(struct mr_producer *producer,
                                             const struct mr_outgoing *record, struct mr_err *err);
/*
 * Commits everything sent since begin together with the member's input offsets (offset = next to
 * read). member may be NULL with count 0.
 * Returns MR_OK: committed | ABORT class: call mr_producer_abort, then the inputs again
 *       | MR_FENCED | MR_INDETERMINATE: may or may not be committed; this producer is finished.
 */
MR_NODISCARD enum mr_status mr_producer_commit(struct mr_producer *producer,
                                               struct mr_member *member,
                                               const struct mr_topic_partition *offsets,
                                               size_t count, struct mr_err *err);
/*
 * The same with offsets of a group that has no members: for a tool whose place in its own work is
 * kept as the offsets of a group of its own. Who may commit is decided by the transactional id.
 */
MR_NODISCARD enum mr_status mr_producer_commit_as(struct mr_producer *producer, const char *group,
                                                  const struct mr_topic_partition *offsets,
                                                  size_t count, struct mr_err *err);
MR_NODISCARD enum mr_status mr_producer_abort(struct mr_producer *producer, struct mr_err *err);
/* Waits until everything sent is acknowledged. MR_TIMEOUT, or the first delivery failure. */
MR_NODISCARD enum mr_status mr_producer_flush(struct mr_producer *producer, int64_t timeout_us,
                                              struct mr_err *err);
/* Serves acknowledgements without waiting; call it between sends in a long transaction. */
void mr_producer_poll(struct mr_producer *producer);
/* Offset of the last record acknowledged in (topic, partition), MR_OFFSET_NONE before the first.
 * After mr_producer_commit returned MR_OK it covers everything the transaction sent. */
int64_t mr_producer_delivered(const struct mr_producer *producer, int topic, int32_t partition);
void mr_producer_close(struct mr_producer **producer);

/* ---- consuming as a member of a group -------------------------------------------------------- */

/*
 * Rebalance callbacks, called from inside mr_member_poll and mr_member_close on the owner's thread.
 * assigned: partitions the member now owns and did not; they start at the committed offset (the
 *           beginning when there is none). It may pause them.
 * revoked:  the partitions go away when the callback returns: commit or abort before.
 *           lost true: they are somebody else's already; a commit would be refused: abort.
 */
struct mr_member_callbacks {
    void (*assigned)(void *arg, const struct mr_topic_partition *partitions, size_t count);
    void (*revoked)(void *arg, const struct mr_topic_partition *partitions, size_t count,
                    bool lost);
    void *arg;
};

struct mr_member_options {
    const char *group;
    const char *instance; /* static membership id */
    const char *const *topics;
    size_t topic_count;
    int64_t session_timeout_us;
    /* Fetched and not yet polled, about: more than the owner takes in a second. 0: 48 MiB. */
    int64_t queue_bytes_max;
    struct mr_member_callbacks callbacks;
};

MR_NODISCARD enum mr_status mr_member_open(struct mr_log *log,
                                           const struct mr_member_options *options,
                                           struct mr_member **member, struct mr_err *err);
/*
 * Waits at most timeout_us for a first record, then takes what is there, at most max. The caller
 * releases each message. Partitions are in offset order each.
 * Returns MR_OK (also with *count 0) | MR_UNAVAILABLE (no broker: keep polling) | MR_FENCED |
 * MR_LOG_FATAL.
 */
MR_NODISCARD enum mr_status mr_member_poll(struct mr_member *member, int64_t timeout_us,
                                           struct mr_message *messages, size_t max, size_t *count,
                                           struct mr_err *err);
MR_NODISCARD enum mr_status mr_member_pause(struct mr_member *member, const char *topic,
                                            int32_t partition, struct mr_err *err);
/*
 * Goes on where it stopped. begin: the partition's committed offset, for a partition of which
 * nothing has been delivered yet; MR_OFFSET_NONE: the caller does not know it, and the member,
 * which does, takes longer to begin.
 */
MR_NODISCARD enum mr_status mr_member_resume(struct mr_member *member, const char *topic,
                                             int32_t partition, int64_t begin, struct mr_err *err);
/* The next record delivered will be the one at offset. Messages in the caller's hands are the
 * caller's to drop. */
MR_NODISCARD enum mr_status mr_member_seek(struct mr_member *member, const char *topic,
                                           int32_t partition, int64_t offset, struct mr_err *err);
/* Stores offsets outside a transaction: for sinks, after the acknowledgement. */
MR_NODISCARD enum mr_status mr_member_commit(struct mr_member *member,
                                             const struct mr_topic_partition *offsets, size_t count,
                                             struct mr_err *err);
/* Leaves (static members keep their place until the session times out). */
void mr_member_close(struct mr_member **member);

/* ---- reading without a group ----------------------------------------------------------------- */

/* How long the log may take to answer when there is nothing new: of a reader that goes on, and of
 * one that is done when it is at the end and should not wait there. */
#define MR_READER_FOLLOWS_US (100 * MR_MS_US)
#define MR_READER_CATCHES_UP_US (5 * MR_MS_US)
MR_NODISCARD enum mr_status mr_reader_open(struct mr_log *log, int64_t idle_wait_us,
                                           struct mr_reader **reader, struct mr_err *err);
/* Adds a partition from offset (inclusive; below the log's start: MR_OUT_OF_RANGE at poll). */
MR_NODISCARD enum mr_status mr_reader_add(struct mr_reader *reader, const char *topic,
                                          int32_t partition, int64_t offset, struct mr_err *err);
MR_NODISCARD enum mr_status mr_reader_remove(struct mr_reader *reader, const char *topic,
                                             int32_t partition, struct mr_err *err);
/* Like mr_member_poll, over the partitions added. */
MR_NODISCARD enum mr_status mr_reader_poll(struct mr_reader *reader, int64_t timeout_us,
                                           struct mr_message *messages, size_t max, size_t *count,
                                           struct mr_err *err);
/*
 * The next offset the reader will deliver from. It passes markers, aborted records and compaction
 * holes at the end too: position >= an LSO taken earlier means that everything below it was
 * delivered.
 */
int64_t mr_reader_position(const struct mr_reader *reader, const char *topic, int32_t partition);
void mr_reader_close(struct mr_reader **reader);

/* ---- implementations ------------------------------------------------------------------------- */

struct mr_log_ops; /* log_ops.h, for implementers */

#endif
