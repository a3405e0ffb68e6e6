/* replay_verify.c -- see replay_verify.h. */
#include "replay_verify.h"

#include "millrace/arena.h"
#include "replay_lane.h"
#include "runtime/task/feed.h"

#include <stdlib.h>

#define IDLE_WAIT_US (5 * MR_MS_US)
/*
 * Transactions that were committed together lie side by side in a partition: what is written a
 * little after the range is replayed too, so that it is known when it is met on record.
 */
#define MARGIN_US MR_MINUTE_US

/* How much more than it was given a lane may have outstanding before a record is given up. */
#define ROOM_FACTOR ((size_t)8)
#define ROOM_BYTES_MIN ((size_t)32 << 20)

/* One partition of a topic that is compared. Its feed has the same number. */
struct part {
    struct verify *verify;
    size_t topic;
    int32_t partition;
    int64_t target; /* on record when the replay began: must be accounted for */
    struct replay_match *match;
};

struct lane {
    size_t group;
    struct replay_lane *lane;
    struct mr_backend *backend;
    size_t bytes_max;
    int64_t reached_us; /* commits of what was fetched */
    bool over;
};

struct verify {
    const struct load_env *env;
    const struct replay_verify_options *options;
    struct replay_verify_result *result;
    bool *wanted;         /* by topic */
    size_t *first_part;   /* by topic; its partitions follow */
    size_t *lane_of;      /* by group; SIZE_MAX: it writes nothing that is compared */
    size_t *first_source; /* by group */
    size_t source_count;
    struct part *parts;
    size_t part_count;
    struct feeds *feeds;
    struct lane *lanes;
    size_t lane_count;
    uint64_t in_range; /* items that wait for their counterpart and count */
    int64_t said_us;
};

/* ---- what is compared ------------------------------------------------------------------------ */

static void want_outputs(struct verify *verify, size_t stage)
{
    const struct mr_topology *topology = verify->env->topology;
    const struct mr_stage_node *node = &topology->stages[stage];

    for (size_t o = 0; o < node->type->out_count; o++) {
        if (node->out[o].topic != MR_UNBOUND && node->out[o].written) {
            verify->wanted[node->out[o].topic] = true;
        }
    }
    verify->wanted[node->dead_letter] = true;
}

static bool writes_wanted(const struct verify *verify, size_t group, size_t topic)
{
    const struct mr_topology *topology = verify->env->topology;
    const struct mr_group_node *node = &topology->groups[group];

    for (size_t i = 0; i < node->stage_count; i++) {
        const struct mr_stage_node *stage = &topology->stages[node->stages[i]];

        for (size_t o = 0; o < stage->type->out_count; o++) {
            if (stage->out[o].topic == topic && stage->out[o].written) {
                return true;
            }
        }
        if (stage->dead_letter == topic) {
            return true;
        }
    }
    return false;
}

static void choose_lanes(struct verify *verify)
{
    const struct mr_topology *topology = verify->env->topology;

    for (size_t s = 0; s < topology->stage_count; s++) {
        if (verify->options->stage == MR_UNBOUND || verify->options->stage == s) {
            want_outputs(verify, s);
        }
    }
    for (size_t g = 0; g < topology->group_count; g++) {
        verify->first_source[g] = verify->source_count;
        verify->source_count += (size_t)topology->groups[g].partitions;
        verify->lane_of[g] = SIZE_MAX;
        for (size_t t = 0; t < topology->topic_count && verify->lane_of[g] == SIZE_MAX; t++) {
            if (verify->wanted[t] && writes_wanted(verify, g, t)) {
                verify->lane_of[g] = verify->lane_count;
                verify->lanes[verify->lane_count++] = (struct lane){.group = g};
            }
        }
    }
}

/* ---- partitions ------------------------------------------------------------------------------ */

static bool counts(const struct verify *verify, const struct replay_item *item)
{
    return item->committed_us < verify->options->until_us &&
           (verify->options->stage == MR_UNBOUND || verify->options->stage == item->stage);
}

/* Of a record that nobody wrote only the log's time is known. */
static void differs(void *arg, const struct replay_difference *difference)
{
    const struct part *part = arg;
    struct verify *verify = part->verify;
    struct replay_verify_result *result = verify->result;
    const int64_t at_us = difference->replayed != NULL
                              ? difference->replayed->committed_us
                              : difference->recorded->timestamp_ms * MR_MS_US;

    if (at_us >= verify->options->until_us ||
        (difference->replayed != NULL && !counts(verify, difference->replayed))) {
        return;
    }
    if (at_us < verify->options->from_us) {
        result->before++;
        return;
    }
    switch (difference->kind) {
    case REPLAY_DIFFERS:
        result->differ++;
        break;
    case REPLAY_ONLY_RECORDED:
        result->only_recorded++;
        break;
    case REPLAY_ONLY_REPLAYED:
        result->only_replayed++;
        break;
    }
    verify->options->differs(verify->options->arg, difference);
}

static struct lane *lane_of_source(struct verify *verify, size_t source)
{
    size_t group = 0;

    while (group + 1 < verify->env->topology->group_count &&
           verify->first_source[group + 1] <= source) {
        group++;
    }
    return &verify->lanes[verify->lane_of[group]];
}

static void released(void *arg, const struct replay_item *item)
{
    const struct part *part = arg;
    struct verify *verify = part->verify;

    verify->in_range -= counts(verify, item) ? 1 : 0;
    replay_lane_return(lane_of_source(verify, item->source)->lane, item->bytes);
}

static void open_part(struct verify *verify, size_t topic, const struct mr_extent *extent)
{
    const struct mr_topic *spec = &verify->env->topology->topics[topic];
    struct part *part = &verify->parts[verify->part_count++];

    *part = (struct part){.verify = verify,
                          .topic = topic,
                          .partition = extent->partition,
                          .target = extent->stable_end};
    part->match = replay_match_create(
        &(struct replay_match_options){
            .compacted = strstr(spec->cleanup, "compact") != NULL,
            .cut = extent->low > 0,
            .differs = differs,
            .released = released,
            .arg = part,
        },
        verify->source_count);
    for (size_t g = 0; g < verify->env->topology->group_count; g++) {
        const int32_t tasks = verify->env->topology->groups[g].partitions;

        for (int32_t t = 0; t < tasks && !writes_wanted(verify, g, topic); t++) {
            replay_match_ended(part->match, verify->first_source[g] + (size_t)t);
        }
    }
}

static enum mr_status open_topic(struct verify *verify, size_t topic, struct mr_err *err)
{
    const struct mr_topic *spec = &verify->env->topology->topics[topic];
    struct mr_extent *extents = mr_xcalloc((size_t)spec->partitions, sizeof(*extents));
    enum mr_status status;

    status = feeds_add(verify->feeds, spec->name, spec->partitions, extents,
                       &verify->first_part[topic], err);
    for (int32_t p = 0; p < spec->partitions && status == MR_OK; p++) {
        open_part(verify, topic, &extents[p]);
    }
    free(extents);
    return status;
}

/* Before the journals: what is on record then is in the journals as they end a moment later. */
static enum mr_status open_parts(struct verify *verify, struct mr_err *err)
{
    const struct mr_topology *topology = verify->env->topology;
    size_t total = 0;

    for (size_t t = 0; t < topology->topic_count; t++) {
        total += verify->wanted[t] ? (size_t)topology->topics[t].partitions : 0;
    }
    verify->parts = mr_xcalloc(total, sizeof(*verify->parts));
    for (size_t t = 0; t < topology->topic_count; t++) {
        MR_TRY(verify->wanted[t] ? open_topic(verify, t, err) : MR_OK);
    }
    return MR_OK;
}

static enum mr_status open_lanes(struct verify *verify, struct mr_err *err)
{
    const struct replay_verify_options *options = verify->options;
    const struct mr_process process = {
        .topology = verify->env->topology,
        .log = verify->env->log,
        .codec = verify->env->codec,
        .clock = verify->env->clock,
    };

    for (size_t i = 0; i < verify->lane_count; i++) {
        struct lane *lane = &verify->lanes[i];
        struct replay_lane_options how = {
            .process = &process,
            .group = lane->group,
            .first_source = verify->first_source[lane->group],
            .until_us = options->until_us > INT64_MAX - MARGIN_US ? INT64_MAX
                                                                  : options->until_us + MARGIN_US,
            .bytes_max = options->bytes_max / verify->lane_count,
            .wanted = verify->wanted,
        };

        MR_TRY(options->backend(options->backend_arg, lane->group, &lane->backend, err));
        how.backend = lane->backend;
        lane->bytes_max = how.bytes_max;
        lane->reached_us = INT64_MIN;
        MR_TRY(replay_lane_start(&how, &lane->lane, err));
    }
    return MR_OK;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static enum mr_status fetch(struct verify *verify, struct lane *lane, bool *busy,
                            struct mr_err *err)
{
    struct replay_list list = {0};
    struct replay_item *item;
    bool over = false;
    bool any;

    if (lane->over) {
        return MR_OK;
    }
    MR_TRY(replay_lane_fetch(lane->lane, &list, &over, err));
    any = list.count > 0;
    *busy = *busy || any || over;
    while ((item = replay_list_pop(&list)) != NULL) {
        lane->reached_us = item->committed_us;
        verify->in_range += counts(verify, item) ? 1 : 0;
        replay_match_wrote(
            verify->parts[verify->first_part[item->topic] + (size_t)item->partition].match,
            item->source, item);
    }
    if (over && !any) {
        const size_t tasks = (size_t)verify->env->topology->groups[lane->group].partitions;

        lane->over = true;
        lane->reached_us = INT64_MAX;
        for (size_t p = 0; p < verify->part_count; p++) {
            for (size_t t = 0; t < tasks; t++) {
                replay_match_ended(verify->parts[p].match, verify->first_source[lane->group] + t);
            }
        }
    }
    return MR_OK;
}

static void offer(struct verify *verify, size_t at, bool *busy)
{
    const struct part *part = &verify->parts[at];
    const struct mr_message *head;

    while ((head = feed_head(verify->feeds, at)) != NULL) {
        /* What came after the beginning is only looked at for the sake of what waits for it: it
         * stands among records of transactions that were not over then. */
        const bool later = head->offset >= part->target;

        if ((later && replay_match_bytes(part->match) == 0) ||
            !replay_match_offer(part->match, head, later ? REPLAY_OFFER_LATER : REPLAY_OFFER)) {
            return;
        }
        feed_drop(verify->feeds, at);
        *busy = true;
    }
}

/*
 * Every lane waits for room or is over, and no record can be judged. More room first: what is next
 * on record may be what a lane writes next.
 */
static bool give_room(struct verify *verify)
{
    const size_t bound = verify->options->bytes_max * ROOM_FACTOR / verify->lane_count;
    const size_t ceiling = bound > ROOM_BYTES_MIN ? bound : ROOM_BYTES_MIN;
    bool given = false;

    for (size_t i = 0; i < verify->lane_count; i++) {
        struct lane *lane = &verify->lanes[i];

        if (lane->bytes_max < ceiling) {
            lane->bytes_max *= 2;
            replay_lane_allow(lane->lane, lane->bytes_max);
            given = true;
        }
    }
    return given;
}

/* The log has nothing there now that was not offered. */
static enum mr_status is_at_end(const struct verify *verify, size_t at, bool *at_end,
                                struct mr_err *err)
{
    const struct part *part = &verify->parts[at];
    int64_t low;
    int64_t end;

    MR_TRY(mr_log_watermarks(verify->env->log, verify->env->topology->topics[part->topic].name,
                             part->partition, &low, &end, err));
    *at_end = feed_position(verify->feeds, at) >= end;
    return MR_OK;
}

/* One partition holds the others up: that with the most to be compared. Its next record on the log
 * is nobody's; or it has none, and what waits there is not on record. */
static enum mr_status force(struct verify *verify, struct mr_err *err)
{
    bool at_end = false;
    size_t most = 0;

    for (size_t i = 0; i < verify->part_count; i++) {
        if (replay_match_bytes(verify->parts[i].match) >
            replay_match_bytes(verify->parts[most].match)) {
            most = i;
        }
    }
    if (feed_head(verify->feeds, most) != NULL) {
        (void)replay_match_offer(verify->parts[most].match, feed_head(verify->feeds, most),
                                 REPLAY_OFFER_FORCED);
        feed_drop(verify->feeds, most);
        return MR_OK;
    }
    MR_TRY(is_at_end(verify, most, &at_end, err));
    if (at_end) {
        replay_match_finish(verify->parts[most].match);
    }
    return MR_OK;
}

static bool lanes_are_stuck(const struct verify *verify)
{
    bool any = false;

    for (size_t i = 0; i < verify->lane_count; i++) {
        const struct lane *lane = &verify->lanes[i];

        if (!lane->over && !replay_lane_waits(lane->lane)) {
            return false;
        }
        any = any || !lane->over;
    }
    return any;
}

static bool lanes_are_past(const struct verify *verify, int64_t us)
{
    for (size_t i = 0; i < verify->lane_count; i++) {
        if (verify->lanes[i].reached_us < us) {
            return false;
        }
    }
    return true;
}

static void progress(struct verify *verify, int64_t started_us)
{
    const struct load_env *env = verify->env;
    const int64_t now_us = mr_clock_monotonic_us(env->clock);
    const int64_t elapsed_us = now_us - started_us;
    int64_t left = 0;
    int64_t total = 1;
    uint64_t records = 0;

    if (now_us - verify->said_us < load_progress_every_us(env)) {
        return;
    }
    verify->said_us = now_us;
    for (size_t i = 0; i < verify->lane_count; i++) {
        struct mr_replay_progress of;

        replay_lane_progress(verify->lanes[i].lane, &of);
        left += of.journal_left;
        total += of.journal_total;
        records += of.records;
    }
    load_progress(env, "replayed %lld %%, %llu records, %lld/s, about %lld s left",
                  (long long)((total - left) * 100 / total), (unsigned long long)records,
                  (long long)((int64_t)records * MR_SECOND_US / (elapsed_us + 1)),
                  (long long)(left * (elapsed_us / MR_MS_US) / (total - left + 1) / 1000));
}

/* Everything was compared that is to be. */
static bool is_done(const struct verify *verify)
{
    if (verify->options->until_us != INT64_MAX) {
        return lanes_are_past(verify, verify->options->until_us) && verify->in_range == 0;
    }
    if (!lanes_are_past(verify, INT64_MAX)) {
        return false;
    }
    for (size_t i = 0; i < verify->part_count; i++) {
        if (feed_position(verify->feeds, i) < verify->parts[i].target ||
            replay_match_bytes(verify->parts[i].match) > 0) {
            return false;
        }
    }
    return true;
}

/* What waits now has no counterpart below the present ends. */
static enum mr_status settle_ends(struct verify *verify, bool *settled, struct mr_err *err)
{
    *settled = true;
    for (size_t i = 0; i < verify->part_count && *settled; i++) {
        if (replay_match_bytes(verify->parts[i].match) > 0) {
            MR_TRY(is_at_end(verify, i, settled, err));
        }
    }
    return MR_OK;
}

static enum mr_status turn(struct verify *verify, bool *done, struct mr_err *err)
{
    bool busy = false;
    bool settled = false;

    for (size_t i = 0; i < verify->lane_count; i++) {
        MR_TRY(fetch(verify, &verify->lanes[i], &busy, err));
    }
    MR_TRY(feeds_poll(verify->feeds, busy ? 0 : IDLE_WAIT_US, &busy, err));
    for (size_t i = 0; i < verify->part_count; i++) {
        offer(verify, i, &busy);
    }
    *done = is_done(verify);
    if (busy || *done) {
        return MR_OK;
    }
    if (lanes_are_stuck(verify)) {
        return give_room(verify) ? MR_OK : force(verify, err);
    }
    if (lanes_are_past(verify, INT64_MAX)) {
        MR_TRY(settle_ends(verify, &settled, err));
        *done = settled;
    }
    return MR_OK;
}

static enum mr_status compare(struct verify *verify, int64_t started_us, struct mr_err *err)
{
    bool done = false;

    while (!done) {
        MR_TRY(turn(verify, &done, err));
        progress(verify, started_us);
    }
    for (size_t i = 0; i < verify->part_count; i++) {
        struct replay_match_counts of;

        replay_match_finish(verify->parts[i].match);
        replay_match_counts(verify->parts[i].match, &of);
        verify->result->equal += of.equal;
        verify->result->gone += of.gone;
    }
    for (size_t i = 0; i < verify->lane_count; i++) {
        struct mr_replay_progress of;

        replay_lane_progress(verify->lanes[i].lane, &of);
        verify->result->transactions += of.transactions;
        verify->result->records += of.records;
    }
    verify->result->elapsed_us = mr_clock_monotonic_us(verify->env->clock) - started_us;
    load_progress_end(verify->env);
    return MR_OK;
}

enum mr_status replay_verify_run(const struct load_env *env,
                                 const struct replay_verify_options *options,
                                 struct replay_verify_result *result, struct mr_err *err)
{
    const struct mr_topology *topology = env->topology;
    struct verify verify = {
        .env = env,
        .options = options,
        .result = result,
        .wanted = mr_xcalloc(topology->topic_count, sizeof(bool)),
        .first_part = mr_xcalloc(topology->topic_count, sizeof(size_t)),
        .lane_of = mr_xcalloc(topology->group_count, sizeof(size_t)),
        .first_source = mr_xcalloc(topology->group_count, sizeof(size_t)),
        .lanes = mr_xcalloc(topology->group_count, sizeof(struct lane)),
        .feeds = feeds_create(env->log),
    };
    const int64_t started_us = mr_clock_monotonic_us(env->clock);
    enum mr_status status;

    *result = (struct replay_verify_result){0};
    choose_lanes(&verify);
    status = open_parts(&verify, err);
    status = status == MR_OK ? open_lanes(&verify, err) : status;
    status = status == MR_OK ? compare(&verify, started_us, err) : status;
    for (size_t i = 0; i < verify.lane_count; i++) {
        replay_lane_destroy(&verify.lanes[i].lane);
        mr_backend_close(&verify.lanes[i].backend);
    }
    for (size_t i = 0; i < verify.part_count; i++) {
        replay_match_destroy(&verify.parts[i].match);
    }
    feeds_destroy(&verify.feeds);
    free(verify.parts);
    free(verify.lanes);
    free(verify.first_source);
    free(verify.lane_of);
    free(verify.first_part);
    free(verify.wanted);
    return status;
}
