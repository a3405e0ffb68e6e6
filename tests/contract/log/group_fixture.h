/*
 * group_fixture.h -- a member of a group that notes what it owns and what it has seen.
 */
#ifndef MILLRACE_TESTS_LOG_GROUP_FIXTURE_H
#define MILLRACE_TESTS_LOG_GROUP_FIXTURE_H

#include "contract.h"

#define OWNED_MAX 16

struct group_member {
    struct mr_member *member;
    struct mr_topic_partition owned[OWNED_MAX];
    size_t owned_count;
    int revocations;
    int losses;
    void (*on_revoked)(struct group_member *self);  /* may be NULL */
    void (*on_assigned)(struct group_member *self); /* may be NULL */
    void *arg;                                      /* of on_revoked */
    struct seen_list seen;
};

/* instance NULL: one of its own. */
void member_open(struct group_member *self, const char *group, const char *instance,
                 const char *const *topics, size_t topic_count);
/* One poll of at most timeout_us. */
enum mr_status member_poll(struct group_member *self, int64_t timeout_us, struct mr_err *err);
/* Polls until it owns so many partitions, or fails. */
void member_await_owned(struct group_member *self, size_t count);
/* Polls until it has seen so many records in all, or fails. */
void member_read(struct group_member *self, size_t count);
bool member_owns(const struct group_member *self, const char *topic, int32_t partition);
/* Fails when the group's committed offset is another. */
void expect_committed(const char *group, const char *topic, int32_t partition, int64_t offset);

#endif
