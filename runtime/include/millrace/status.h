/*
 * status.h -- what can go wrong, and what the runtime must do about it.
 *
 * Every failure has a status (what) and every status has exactly one class (what to do), fixed in
 * one table, so no call site decides policy. Three classes mirror librdkafka's error bits
 * (retriable, txn-requires-abort, fatal); the fourth is Kafka's missing one: poison, a record that
 * will fail the same way for ever and belongs in the dead-letter topic.
 */
#ifndef MILLRACE_STATUS_H
#define MILLRACE_STATUS_H

#include "millrace/api.h"

#include <stddef.h>
#include <stdint.h>

MR_API_BEGIN

enum mr_class {
    MR_CLASS_OK,
    MR_CLASS_POISON, /* this record only: dead letter, go on */
    MR_CLASS_RETRY,  /* abort the transaction, back off, take the same inputs again */
    MR_CLASS_ABORT,  /* abort the transaction, take the same inputs again at once */
    MR_CLASS_FATAL,  /* stop the process: one line, exit non-zero */
};

/* name, class, text */
#define MR_STATUS_MAP(X)                                                                           \
    X(OK, OK, "ok")                                                                                \
    X(MALFORMED, POISON, "record violates its schema or a stage precondition")                     \
    X(SCHEMA_UNKNOWN, POISON, "schema id is not in the registry")                                  \
    X(TOO_LARGE, POISON, "record exceeds a size limit")                                            \
    X(OUT_OF_RANGE, POISON, "value out of range")                                                  \
    X(UNAVAILABLE, RETRY, "a server does not answer")                                              \
    X(TIMEOUT, RETRY, "an answer did not come in time")                                            \
    X(STORE_IO, RETRY, "state store read or write failed")                                         \
    X(TXN_ABORT, ABORT, "the log asks for the transaction to be aborted")                          \
    X(FENCED, FATAL, "another instance owns this identity now")                                    \
    X(INDETERMINATE, FATAL, "the outcome of a commit is unknown")                                  \
    X(CONFIG, FATAL, "configuration rejected")                                                     \
    X(EXISTS, FATAL, "exists already and differs")                                                 \
    X(FOREIGN_STATE, FATAL, "state directory belongs to somebody else or to a newer version")      \
    X(CORRUPT, FATAL, "stored data is corrupt")                                                    \
    X(RESOURCE, FATAL, "out of a resource")                                                        \
    X(LOG_FATAL, FATAL, "the log client cannot go on")

enum mr_status {
#define X(name, class, text) MR_##name,
    MR_STATUS_MAP(X)
#undef X
};

#define MR_NODISCARD __attribute__((warn_unused_result))
#define MR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Caller-owned, on the caller's stack; never allocated. Written only on failure. */
struct mr_err {
    enum mr_status status;
    char text[400]; /* NUL-terminated, one line, no secrets */
};

const char *mr_status_name(enum mr_status status);
const char *mr_status_text(enum mr_status status);
enum mr_class mr_status_class(enum mr_status status);
const char *mr_class_name(enum mr_class status_class);

/* Fill err and return status, so a failure is one statement: return mr_fail(err, MR_X, "..."). */
MR_NODISCARD enum mr_status mr_fail(struct mr_err *err, enum mr_status status, const char *fmt, ...)
    MR_PRINTF(3, 4);

/* Return early on failure. Only where the function owns nothing; otherwise goto out. */
#define MR_TRY(expr)                                                                               \
    do {                                                                                           \
        enum mr_status mr_try_ = (expr);                                                           \
        if (mr_try_ != MR_OK) {                                                                    \
            return mr_try_;                                                                        \
        }                                                                                          \
    } while (0)

/* One line, exit code 1, nothing more: what is committed is safe, and nothing else will be. */
_Noreturn void mr_out_of_memory(size_t bytes);
_Noreturn void mr_assert_fail(const char *expr, const char *file, int line, const char *func);

/* On in every build: a broken invariant must stop the process before it commits. */
#define MR_ASSERT(expr)                                                                            \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            mr_assert_fail(#expr, __FILE__, __LINE__, __func__);                                   \
        }                                                                                          \
    } while (0)

#define MR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Checked void* to typed pointer: a wrong or freed pointer dies here, not three calls later. */
#define MR_SELF(type, ptr, magic_value)                                                            \
    ((type *)mr_self_check((ptr), (ptr) != NULL ? ((const type *)(ptr))->magic : 0, (magic_value), \
                           __FILE__, __LINE__, __func__))

static inline void *mr_self_check(void *self, uint32_t magic, uint32_t want, const char *file,
                                  int line, const char *func)
{
    if (self == NULL || magic != want) {
        mr_assert_fail("self has the wrong magic", file, line, func);
    }
    return self;
}

MR_API_END

#endif
