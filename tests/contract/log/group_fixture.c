/* group_fixture.c -- see group_fixture.h. */
#include "group_fixture.h"

#define BATCH 16
#define SESSION_US INT64_C(6000000) /* the least that a broker takes as it comes */

static void on_assigned(void *arg, const struct mr_topic_partition *partitions, size_t count)
{
    struct group_member *self = arg;

    ck_assert_uint_le(self->owned_count + count, OWNED_MAX);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(!member_owns(self, partitions[i].topic, partitions[i].partition),
                      "assigned twice: %s [%d]", partitions[i].topic, partitions[i].partition);
        self->owned[self->owned_count++] = partitions[i];
    }
    if (self->on_assigned != NULL) {
        self->on_assigned(self);
    }
}

static void on_revoked(void *arg, const struct mr_topic_partition *partitions, size_t count,
                       bool lost)
{
    struct group_member *self = arg;

    self->revocations++;
    self->losses += lost ? 1 : 0;
    if (self->on_revoked != NULL) {
        self->on_revoked(self);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        while (at < self->owned_count &&
               (self->owned[at].partition != partitions[i].partition ||
                strcmp(self->owned[at].topic, partitions[i].topic) != 0)) {
            at++;
        }
        ck_assert_msg(at < self->owned_count, "revoked, but not owned: %s [%d]",
                      partitions[i].topic, partitions[i].partition);
        self->owned[at] = self->owned[--self->owned_count];
    }
}

void member_open(struct group_member *self, const char *group, const char *instance,
                 const char *const *topics, size_t topic_count)
{
    const struct mr_member_options options = {
        .group = group,
        .instance = instance == NULL ? unique("instance") : instance,
        .topics = topics,
        .topic_count = topic_count,
        .session_timeout_us = SESSION_US,
        .callbacks = {.assigned = on_assigned, .revoked = on_revoked, .arg = self},
    };
    struct mr_err err = {0};

    expect_ok(mr_member_open(cluster, &options, &self->member, &err), &err);
}

enum mr_status member_poll(struct group_member *self, int64_t timeout_us, struct mr_err *err)
{
    struct mr_message messages[BATCH];
    size_t count;
    const enum mr_status status =
        mr_member_poll(self->member, timeout_us, messages, BATCH, &count, err);

    seen_take(&self->seen, messages, count);
    return status;
}

void member_await_owned(struct group_member *self, size_t count)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_err err = {0};

    while (self->owned_count != count) {
        ck_assert_msg(now_us() < deadline_us, "owns %zu partitions, not %zu", self->owned_count,
                      count);
        expect_ok(member_poll(self, POLL_US, &err), &err);
    }
}

void member_read(struct group_member *self, size_t count)
{
    const int64_t deadline_us = now_us() + PATIENCE_US;
    struct mr_err err = {0};

    while (self->seen.count < count) {
        ck_assert_msg(now_us() < deadline_us, "only %zu of %zu came", self->seen.count, count);
        expect_ok(member_poll(self, POLL_US, &err), &err);
    }
    ck_assert_uint_eq(self->seen.count, count);
}

bool member_owns(const struct group_member *self, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < self->owned_count; i++) {
        if (self->owned[i].partition == partition && strcmp(self->owned[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

void expect_committed(const char *group, const char *topic, int32_t partition, int64_t offset)
{
    struct mr_topic_partition position = {.topic = topic, .partition = partition, .offset = 77};
    struct mr_err err = {0};

    expect_ok(mr_log_committed(cluster, group, &position, 1, PATIENCE_US, &err), &err);
    ck_assert_int_eq(position.offset, offset);
}
