/* expect.h -- what came out of a world against what was expected. */
#ifndef MILLRACE_SUITE_EXPECT_H
#define MILLRACE_SUITE_EXPECT_H

#include "play.h"
#include "value.h"

/* A case that is being played. */
struct suite_run {
    const struct suite *suite;
    const struct suite_case *played;
    struct mr_world *world;
    struct suite_clock clock;
    int64_t **next; /* [topic][partition]: looked at up to here */
    bool *watched;  /* [topic]: something was expected of it */
    bool at_rest;
    struct suite_result *result;
};

/* The first failure; its text goes to result->text, behind what is there. */
void suite_failed(struct suite_run *run, struct suite_place place);

void suite_looks_init(struct suite_run *run);
void suite_looks_fini(struct suite_run *run);

/* All of these look at a world at rest; false: the case has failed. */
bool suite_expect(struct suite_run *run, const struct suite_batch *batch);
bool suite_expect_last(struct suite_run *run, const struct suite_batch *batch);
bool suite_expect_store(struct suite_run *run, const struct suite_batch *batch);
/* What came to the topic up to here is of no interest. */
void suite_ignore(struct suite_run *run, size_t topic);
/* The same of all but dead letters, without being watched from now on. */
void suite_ignore_all(struct suite_run *run);
/* Nothing unexpected in dead letters, nor in topics that are watched. */
bool suite_expect_nothing_left(struct suite_run *run);

/*
 * The record framed, for a topic or for a store; it was tried when it was read. *whole: what it
 * says, NULL: not asked for. The caller frees both.
 */
struct mr_buffer suite_framed(struct suite_run *run, const struct mr_binding *binding,
                              const struct suite_defaults *defaults,
                              const struct suite_record *record, json_t **whole);

/* expect_store.c: puts into the changelogs what the stores hold when the case begins. */
void suite_fill_stores(struct suite_run *run);

/* match.c ------------------------------------------------------------------------------------- */

/* How many of the fields that want names are different in got. */
size_t suite_differences(json_t *want, json_t *got);
/* A key as it is shown: its text, in hex when it is none. */
json_t *suite_key_json(struct mr_slice key);

/* A record that was expected and one that came; NULL: it did not, or was not. */
struct suite_pair {
    const struct suite_record *record; /* of want */
    json_t *want;
    json_t *got;
};

/*
 * The pairs of one key, in order: the alignment with the fewest differences, so that one record
 * that is missing does not make all behind it wrong. pairs: room for want_count + got_count.
 */
size_t suite_align(json_t *const *want, size_t want_count, json_t *const *got, size_t got_count,
                   struct suite_pair *pairs);

/* diff.c -------------------------------------------------------------------------------------- */

/* A headline with its place, then a line a field, those that differ marked. */
void suite_diff(struct mr_buffer *out, struct suite_place place, const char *what, json_t *want,
                json_t *got);
/* The lines alone, of all that want names. */
void suite_diff_fields(struct mr_buffer *out, json_t *want, json_t *got);

#endif
