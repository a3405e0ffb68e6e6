/*
 * feed.h -- partitions read side by side, each taken from at its own pace.
 *
 * Why: a replay takes records in the order that a journal tells, not in the order in which they
 *      arrive: each partition needs a queue of its own, and none may grow without bound while
 *      another is waited for.
 * How: one reader for all. A partition whose queue is full is taken out of the reader and put back
 *      where it stopped when the queue has run low.
 * Thread: one.
 */
#ifndef MILLRACE_TASK_FEED_H
#define MILLRACE_TASK_FEED_H

#include "millrace/log.h"

struct feeds;

struct feeds *feeds_create(struct mr_log *log);
void feeds_destroy(struct feeds **feeds);
/*
 * Reads all partitions of a topic, each from its beginning, for which the log is asked once.
 * topic    borrowed
 * extents  gets where each partition begins and ends; one for each
 * first    gets the number of the feed of partition 0; the others follow
 */
MR_NODISCARD enum mr_status feeds_add(struct feeds *feeds, const char *topic, int32_t partitions,
                                      struct mr_extent *extents, size_t *first, struct mr_err *err);
/* Takes in what has come, waiting at most timeout_us for the first record. *busy: something did. */
MR_NODISCARD enum mr_status feeds_poll(struct feeds *feeds, int64_t timeout_us, bool *busy,
                                       struct mr_err *err);

/* The next record, NULL when none is here. Valid until it is taken. */
const struct mr_message *feed_head(const struct feeds *feeds, size_t feed);
size_t feed_count(const struct feeds *feeds, size_t feed);
/* The caller's to release. There is one. */
struct mr_message feed_take(struct feeds *feeds, size_t feed);
void feed_drop(struct feeds *feeds, size_t feed);
/* So many records at once will be needed: the queue may grow that far. */
void feed_want(struct feeds *feeds, size_t feed, size_t count);
/* Everything below it has been taken: the head's offset, or how far the log was read. */
int64_t feed_position(const struct feeds *feeds, size_t feed);

#endif
