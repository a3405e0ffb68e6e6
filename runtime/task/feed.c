/* feed.c -- see feed.h. */
#include "feed.h"

#include "message_queue.h"
#include "millrace/arena.h"

#include <stdlib.h>

#define QUEUE_RECORDS_MAX ((size_t)100000)
#define QUEUE_BYTES_MAX ((size_t)64 << 20)
#define POLL_MAX ((size_t)4096)

struct feed {
    const char *topic;
    int32_t partition;
    bool reading;  /* it is in the reader */
    int64_t next;  /* to be read; meaningful while it is not in the reader */
    size_t wanted; /* records that the queue must be able to hold */
    struct message_queue queue;
};

struct feeds {
    struct mr_log *log;
    struct mr_reader *reader;
    struct feed *items;
    size_t count;
    size_t last; /* that a message belonged to */
    struct mr_message *polled;
};

struct feeds *feeds_create(struct mr_log *log)
{
    struct feeds *feeds = mr_xcalloc(1, sizeof(*feeds));

    feeds->log = log;
    feeds->polled = mr_xcalloc(POLL_MAX, sizeof(*feeds->polled));
    return feeds;
}

void feeds_destroy(struct feeds **out)
{
    struct feeds *feeds = *out;

    if (feeds == NULL) {
        return;
    }
    for (size_t i = 0; i < feeds->count; i++) {
        message_queue_fini(&feeds->items[i].queue);
    }
    mr_reader_close(&feeds->reader);
    free(feeds->items);
    free(feeds->polled);
    free(feeds);
    *out = NULL;
}

static enum mr_status read_on(struct feeds *feeds, struct feed *feed, struct mr_err *err)
{
    MR_TRY(mr_reader_add(feeds->reader, feed->topic, feed->partition, feed->next, err));
    feed->reading = true;
    return MR_OK;
}

static enum mr_status stop_reading(struct feeds *feeds, struct feed *feed, struct mr_err *err)
{
    feed->next = mr_reader_position(feeds->reader, feed->topic, feed->partition);
    MR_TRY(mr_reader_remove(feeds->reader, feed->topic, feed->partition, err));
    feed->reading = false;
    return MR_OK;
}

enum mr_status feeds_add(struct feeds *feeds, const char *topic, int32_t partitions,
                         struct mr_extent *extents, size_t *first, struct mr_err *err)
{
    const size_t more = (size_t)partitions;

    *first = feeds->count;
    if (more == 0) {
        return MR_OK;
    }
    for (int32_t p = 0; p < partitions; p++) {
        extents[p] = (struct mr_extent){.topic = topic, .partition = p};
    }
    MR_TRY(mr_log_extents(feeds->log, extents, more, err));
    if (feeds->reader == NULL) {
        MR_TRY(mr_reader_open(feeds->log, MR_READER_CATCHES_UP_US, &feeds->reader, err));
    }
    feeds->items = mr_xrealloc(feeds->items, (feeds->count + more) * sizeof(*feeds->items));
    for (int32_t p = 0; p < partitions; p++) {
        feeds->items[feeds->count] =
            (struct feed){.topic = topic, .partition = p, .next = extents[p].low};
        MR_TRY(read_on(feeds, &feeds->items[feeds->count++], err));
    }
    return MR_OK;
}

/* ---- queues ---------------------------------------------------------------------------------- */

const struct mr_message *feed_head(const struct feeds *feeds, size_t feed)
{
    return message_queue_head(&feeds->items[feed].queue);
}

size_t feed_count(const struct feeds *feeds, size_t feed)
{
    return feeds->items[feed].queue.count;
}

struct mr_message feed_take(struct feeds *feeds, size_t feed)
{
    return message_queue_pop(&feeds->items[feed].queue);
}

void feed_drop(struct feeds *feeds, size_t feed)
{
    struct mr_message message = feed_take(feeds, feed);

    mr_message_release(&message);
}

void feed_want(struct feeds *feeds, size_t feed, size_t count)
{
    feeds->items[feed].wanted = count;
}

int64_t feed_position(const struct feeds *feeds, size_t feed)
{
    const struct feed *self = &feeds->items[feed];
    const struct mr_message *head = message_queue_head(&self->queue);

    if (head != NULL) {
        return head->offset;
    }
    return self->reading ? mr_reader_position(feeds->reader, self->topic, self->partition)
                         : self->next;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Enough is here: of records and bytes, and what is wanted. */
static bool is_full(const struct feed *feed)
{
    return (feed->queue.count >= QUEUE_RECORDS_MAX || feed->queue.bytes >= QUEUE_BYTES_MAX) &&
           feed->queue.count >= feed->wanted;
}

static bool has_run_low(const struct feed *feed)
{
    return (feed->queue.count < QUEUE_RECORDS_MAX / 4 && feed->queue.bytes < QUEUE_BYTES_MAX / 4) ||
           feed->queue.count < feed->wanted;
}

static enum mr_status balance(struct feeds *feeds, struct mr_err *err)
{
    for (size_t i = 0; i < feeds->count; i++) {
        struct feed *feed = &feeds->items[i];

        if (feed->reading && is_full(feed)) {
            MR_TRY(stop_reading(feeds, feed, err));
        } else if (!feed->reading && has_run_low(feed)) {
            MR_TRY(read_on(feeds, feed, err));
        }
    }
    return MR_OK;
}

static struct feed *find(struct feeds *feeds, const struct mr_message *message)
{
    for (size_t i = 0; i < feeds->count; i++) {
        const size_t at = (feeds->last + i) % feeds->count;
        struct feed *feed = &feeds->items[at];

        if (feed->partition == message->partition && strcmp(feed->topic, message->topic) == 0) {
            feeds->last = at;
            return feed;
        }
    }
    return NULL;
}

enum mr_status feeds_poll(struct feeds *feeds, int64_t timeout_us, bool *busy, struct mr_err *err)
{
    size_t count = 0;

    MR_TRY(balance(feeds, err));
    MR_TRY(mr_reader_poll(feeds->reader, timeout_us, feeds->polled, POLL_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        struct feed *feed = find(feeds, &feeds->polled[i]);

        MR_ASSERT(feed != NULL);
        message_queue_push(&feed->queue, &feeds->polled[i]);
    }
    *busy = *busy || count > 0;
    return MR_OK;
}
