/* replay_journal.c -- see replay_journal.h. */
#include "replay_journal.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define RECORD_ARENA_BYTES ((size_t)4096)

struct part {
    size_t feed;
    int64_t target; /* nothing from here on is read */
    struct mr_arena *arena;
    struct runtime_journal record;
    bool decoded;
};

struct replay_journal {
    struct feeds *feeds;
    const char *topic;
    struct part *parts;
    int32_t count;
};

/* The end, not the last stable offset: what is there already belongs to transactions whose outputs
 * may be seen, although this partition's marker is still on its way. */
static enum mr_status add_parts(struct replay_journal *journal, struct mr_err *err)
{
    struct mr_extent *extents = mr_xcalloc((size_t)journal->count, sizeof(*extents));
    size_t first = 0;
    const enum mr_status status =
        feeds_add(journal->feeds, journal->topic, journal->count, extents, &first, err);

    for (int32_t p = 0; p < journal->count; p++) {
        journal->parts[p] = (struct part){.feed = first + (size_t)p,
                                          .target = extents[p].end,
                                          .arena = mr_arena_create(RECORD_ARENA_BYTES)};
    }
    free(extents);
    return status;
}

enum mr_status replay_journal_open(struct mr_log *log, struct feeds *feeds, const char *topic,
                                   struct replay_journal **out, struct mr_err *err)
{
    struct replay_journal *journal = mr_xcalloc(1, sizeof(*journal));
    enum mr_status status = mr_log_topic_partitions(log, topic, &journal->count, err);

    journal->feeds = feeds;
    journal->topic = topic;
    journal->parts = mr_xcalloc((size_t)journal->count, sizeof(*journal->parts));
    if (status == MR_OK && journal->count == 0) {
        status = mr_fail(err, MR_CONFIG, "there is no journal %s", topic);
    }
    status = status == MR_OK ? add_parts(journal, err) : status;
    if (status != MR_OK) {
        replay_journal_destroy(&journal);
        return status;
    }
    *out = journal;
    return MR_OK;
}

void replay_journal_destroy(struct replay_journal **out)
{
    struct replay_journal *journal = *out;

    if (journal == NULL) {
        return;
    }
    for (int32_t p = 0; p < journal->count; p++) {
        mr_arena_destroy(&journal->parts[p].arena);
    }
    free(journal->parts);
    free(journal);
    *out = NULL;
}

int32_t replay_journal_partitions(const struct replay_journal *journal)
{
    return journal->count;
}

enum mr_status replay_journal_head(struct replay_journal *journal, int32_t partition,
                                   struct mr_codec *codec, const struct mr_binding *binding,
                                   const struct runtime_journal **record, struct mr_err *err)
{
    struct part *part = &journal->parts[partition];
    const struct mr_message *message = feed_head(journal->feeds, part->feed);

    *record = NULL;
    if (message == NULL || message->offset >= part->target) {
        return MR_OK;
    }
    if (!part->decoded) {
        const enum mr_status status =
            mr_codec_decode(codec, binding, message->value, part->arena, &part->record, err);

        if (status != MR_OK) {
            const struct mr_err why = *err;

            return mr_fail(err, MR_CORRUPT, "journal %s[%d], offset %lld: %.250s", journal->topic,
                           (int)partition, (long long)message->offset, why.text);
        }
        part->decoded = true;
    }
    *record = &part->record;
    return MR_OK;
}

void replay_journal_drop(struct replay_journal *journal, int32_t partition)
{
    struct part *part = &journal->parts[partition];

    feed_drop(journal->feeds, part->feed);
    mr_arena_reset(part->arena);
    part->decoded = false;
}

static int64_t part_left(const struct replay_journal *journal, const struct part *part)
{
    const int64_t left = part->target - feed_position(journal->feeds, part->feed);

    return left > 0 ? left : 0;
}

bool replay_journal_over(const struct replay_journal *journal, int32_t partition)
{
    return part_left(journal, &journal->parts[partition]) == 0;
}

int64_t replay_journal_left(const struct replay_journal *journal)
{
    int64_t left = 0;

    for (int32_t p = 0; p < journal->count; p++) {
        left += part_left(journal, &journal->parts[p]);
    }
    return left;
}
