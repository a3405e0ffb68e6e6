/* replay_match.c -- see replay_match.h. */
#include "replay_match.h"

#include "millrace/arena.h"

#include <stdlib.h>

/* Where records differ: so far ahead a counterpart is looked for. */
#define LOOK_AHEAD ((size_t)1000)
#define OWED_BUCKETS ((size_t)1024)

struct source {
    struct replay_list items;
    bool begun; /* one of its records was found */
    bool ended;
};

struct replay_match {
    struct replay_match_options options;
    struct source *sources;
    size_t count;
    struct replay_match_counts counts;
    struct replay_list *owed; /* compacted: passed over, by hash of the key; each key once */
    size_t bytes;
};

struct replay_match *replay_match_create(const struct replay_match_options *options, size_t sources)
{
    struct replay_match *match = mr_xcalloc(1, sizeof(*match));

    match->options = *options;
    match->sources = mr_xcalloc(sources, sizeof(*match->sources));
    match->count = sources;
    if (options->compacted) {
        match->owed = mr_xcalloc(OWED_BUCKETS, sizeof(*match->owed));
    }
    return match;
}

void replay_match_destroy(struct replay_match **out)
{
    struct replay_match *match = *out;

    if (match == NULL) {
        return;
    }
    for (size_t i = 0; i < match->count; i++) {
        replay_list_fini(&match->sources[i].items);
    }
    for (size_t i = 0; match->owed != NULL && i < OWED_BUCKETS; i++) {
        replay_list_fini(&match->owed[i]);
    }
    free(match->owed);
    free(match->sources);
    free(match);
    *out = NULL;
}

void replay_match_wrote(struct replay_match *match, size_t source, struct replay_item *item)
{
    match->bytes += item->bytes;
    replay_list_push(&match->sources[source].items, item);
}

void replay_match_ended(struct replay_match *match, size_t source)
{
    match->sources[source].ended = true;
}

static void release(struct replay_match *match, struct replay_item **item)
{
    if (match->options.released != NULL) {
        match->options.released(match->options.arg, *item);
    }
    replay_item_destroy(item);
}

static struct replay_item *pop(struct replay_match *match, struct source *source)
{
    struct replay_item *item = replay_list_pop(&source->items);

    match->bytes -= item->bytes;
    return item;
}

static void tell(struct replay_match *match, enum replay_difference_kind kind,
                 const struct mr_message *recorded, const struct replay_item *replayed)
{
    const struct replay_difference difference = {
        .kind = kind, .recorded = recorded, .replayed = replayed};

    match->options.differs(match->options.arg, &difference);
}

/* ---- keys of a compacted topic that must come again ------------------------------------------ */

static struct replay_list *owed_bucket(struct replay_match *match, struct mr_slice key)
{
    uint64_t hash = UINT64_C(1469598103934665603);

    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(1099511628211);
    }
    return &match->owed[(hash ^ (hash >> 29)) % OWED_BUCKETS];
}

/* The key was found on record again, or is passed over once more. */
static void owed_settle(struct replay_match *match, struct mr_slice key)
{
    struct replay_list *bucket = owed_bucket(match, key);

    for (size_t left = bucket->count; left > 0; left--) {
        struct replay_item *item = replay_list_pop(bucket);

        if (mr_slice_equal(item->key, key)) {
            release(match, &item);
            match->counts.gone++;
            return;
        }
        replay_list_push(bucket, item);
    }
}

/* ---- the record is the head of a source, or behind it ---------------------------------------- */

static void matched(struct replay_match *match, struct source *source)
{
    struct replay_item *item = pop(match, source);

    if (match->owed != NULL) {
        owed_settle(match, item->key);
    }
    match->counts.equal++;
    source->begun = true;
    release(match, &item);
}

/* What was written and is not on record, in front of what is. */
static void pass_over(struct replay_match *match, struct source *source)
{
    struct replay_item *item = pop(match, source);

    if (match->options.compacted) {
        owed_settle(match, item->key);
        replay_list_push(owed_bucket(match, item->key), item);
        return;
    }
    if (match->options.cut && !source->begun) {
        match->counts.gone++;
    } else {
        tell(match, REPLAY_ONLY_REPLAYED, NULL, item);
    }
    release(match, &item);
}

static struct source *head_is(struct replay_match *match, const struct mr_message *recorded)
{
    for (size_t i = 0; i < match->count; i++) {
        const struct replay_item *head = match->sources[i].items.first;

        if (head != NULL && replay_item_equals(head, recorded)) {
            return &match->sources[i];
        }
    }
    return NULL;
}

/* The source that has it within the given distance; *distance: how many are in front of it. */
static struct source *find(struct replay_match *match, const struct mr_message *recorded,
                           size_t distance_max, size_t *distance)
{
    for (size_t i = 0; i < match->count; i++) {
        const struct replay_item *item = match->sources[i].items.first;

        for (*distance = 0; item != NULL && *distance < distance_max; (*distance)++) {
            if (replay_item_equals(item, recorded)) {
                return &match->sources[i];
            }
            item = item->next;
        }
    }
    return NULL;
}

static struct source *head_has_key(struct replay_match *match, const struct mr_message *recorded)
{
    for (size_t i = 0; i < match->count; i++) {
        const struct replay_item *head = match->sources[i].items.first;

        if (head != NULL && mr_slice_equal(head->key, recorded->key)) {
            return &match->sources[i];
        }
    }
    return NULL;
}

/* A source may still write what is looked for. */
static bool waits(const struct replay_match *match)
{
    for (size_t i = 0; i < match->count; i++) {
        if (match->sources[i].items.count < LOOK_AHEAD && !match->sources[i].ended) {
            return true;
        }
    }
    return false;
}

static bool all_ended(const struct replay_match *match)
{
    for (size_t i = 0; i < match->count; i++) {
        if (!match->sources[i].ended) {
            return false;
        }
    }
    return true;
}

bool replay_match_offer(struct replay_match *match, const struct mr_message *recorded,
                        enum replay_offer how)
{
    const bool lenient = match->options.compacted || match->options.cut;
    const bool forced = how == REPLAY_OFFER_FORCED;
    struct source *source = head_is(match, recorded);
    size_t distance = 0;

    if (source != NULL) {
        matched(match, source);
        return true;
    }
    source = find(match, recorded, lenient ? SIZE_MAX : LOOK_AHEAD, &distance);
    if (source != NULL && (lenient || forced || !waits(match))) {
        for (; distance > 0; distance--) {
            pass_over(match, source);
        }
        matched(match, source);
        return true;
    }
    if (!forced && (lenient ? !all_ended(match) : waits(match))) {
        return false;
    }
    if (how == REPLAY_OFFER_LATER) {
        return true;
    }
    source = head_has_key(match, recorded);
    if (source == NULL) {
        tell(match, REPLAY_ONLY_RECORDED, recorded, NULL);
    } else {
        struct replay_item *item = pop(match, source);

        tell(match, REPLAY_DIFFERS, recorded, item);
        release(match, &item);
    }
    return true;
}

/* ---- the end --------------------------------------------------------------------------------- */

void replay_match_finish(struct replay_match *match)
{
    struct replay_item *item;

    for (size_t i = 0; i < match->count; i++) {
        while (match->sources[i].items.first != NULL) {
            item = pop(match, &match->sources[i]);
            if (match->owed != NULL) {
                owed_settle(match, item->key);
                replay_list_push(owed_bucket(match, item->key), item);
            } else {
                tell(match, REPLAY_ONLY_REPLAYED, NULL, item);
                release(match, &item);
            }
        }
    }
    for (size_t i = 0; match->owed != NULL && i < OWED_BUCKETS; i++) {
        while ((item = replay_list_pop(&match->owed[i])) != NULL) {
            tell(match, REPLAY_ONLY_REPLAYED, NULL, item);
            release(match, &item);
        }
    }
}

void replay_match_counts(const struct replay_match *match, struct replay_match_counts *counts)
{
    *counts = match->counts;
}

size_t replay_match_bytes(const struct replay_match *match)
{
    return match->bytes;
}
