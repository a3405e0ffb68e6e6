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
    /* How far it was searched for the record that is offered; NULL: not yet. */
    struct replay_item *searched;
    size_t distance; /* items up to there */
};

struct replay_match {
    struct replay_match_options options;
    struct source *sources;
    size_t count;
    struct replay_match_counts counts;
    int64_t offered;          /* offset of the record that is offered, again and again */
    uint64_t hash;            /* of it */
    struct replay_list *owed; /* compacted: passed over, by hash of the key; each key once */
    size_t bytes;
};

struct replay_match *replay_match_create(const struct replay_match_options *options, size_t sources)
{
    struct replay_match *match = mr_xcalloc(1, sizeof(*match));

    match->options = *options;
    match->offered = MR_OFFSET_NONE;
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
    return &match->owed[replay_hash(key, mr_slice_of(NULL, 0)) % OWED_BUCKETS];
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

static bool is_offered(const struct replay_match *match, const struct replay_item *item,
                       const struct mr_message *recorded)
{
    return item->hash == match->hash && replay_item_equals(item, recorded);
}

/* A record that was not offered before is looked for from the beginning. */
static void begin(struct replay_match *match, const struct mr_message *recorded)
{
    if (match->offered == recorded->offset) {
        return;
    }
    match->offered = recorded->offset;
    match->hash = replay_hash(recorded->key, recorded->value);
    for (size_t i = 0; i < match->count; i++) {
        match->sources[i].searched = NULL;
        match->sources[i].distance = 0;
    }
}

static struct source *head_is(struct replay_match *match, const struct mr_message *recorded)
{
    for (size_t i = 0; i < match->count; i++) {
        const struct replay_item *head = match->sources[i].items.first;

        if (head != NULL && is_offered(match, head, recorded)) {
            return &match->sources[i];
        }
    }
    return NULL;
}

/* The source that has it within the given distance; goes on where it stopped for this record. */
static struct source *find(struct replay_match *match, const struct mr_message *recorded,
                           size_t distance_max)
{
    for (size_t i = 0; i < match->count; i++) {
        struct source *source = &match->sources[i];
        struct replay_item *item =
            source->searched == NULL ? source->items.first : source->searched->next;

        for (; item != NULL && source->distance < distance_max; item = item->next) {
            if (is_offered(match, item, recorded)) {
                return source;
            }
            source->searched = item;
            source->distance++;
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

/* In front of it the source has what is not on record. */
static void matched_behind(struct replay_match *match, struct source *source)
{
    for (size_t left = source->distance; left > 0; left--) {
        pass_over(match, source);
    }
    matched(match, source);
}

/* Nobody wrote it as it is. */
static void judge(struct replay_match *match, const struct mr_message *recorded)
{
    struct source *source = head_has_key(match, recorded);

    if (source == NULL) {
        tell(match, REPLAY_ONLY_RECORDED, recorded, NULL);
    } else {
        struct replay_item *item = pop(match, source);

        tell(match, REPLAY_DIFFERS, recorded, item);
        release(match, &item);
    }
}

bool replay_match_offer(struct replay_match *match, const struct mr_message *recorded,
                        enum replay_offer how)
{
    const bool lenient = match->options.compacted || match->options.cut;
    const bool forced = how == REPLAY_OFFER_FORCED;
    struct source *source;

    begin(match, recorded);
    source = head_is(match, recorded);
    if (source != NULL) {
        matched(match, source);
    } else if (!lenient && !forced && waits(match)) {
        return false;
    } else if ((source = find(match, recorded, lenient ? SIZE_MAX : LOOK_AHEAD)) != NULL) {
        matched_behind(match, source);
    } else if (!forced && lenient && !all_ended(match)) {
        return false;
    } else if (how != REPLAY_OFFER_LATER) {
        judge(match, recorded);
    }
    match->offered = MR_OFFSET_NONE;
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
