/*
 * mailbox.c -- see mailbox.h.
 *
 * A letter is the asker's while it is in the box, and the worker's from when it is taken until it
 * is answered. An asker that gives up takes it out of the box; one that finds it taken leaves it to
 * the worker, which then throws the answer away.
 */
#include "mailbox.h"

#include "task.h"

#include <stdlib.h>
#include <time.h>

#define ANSWER_ARENA_BYTES ((size_t)16 * 1024)
/* After an answer the next question is likely to come at once: a scan asks page after page. */
#define ATTENTIVE_US (50 * MR_MS_US)
#define ATTENTIVE_STEP_US MR_MS_US

struct letter {
    struct mr_question question;
    struct mr_answer *answer;
    enum mr_status status;
    struct mr_err err;
    bool taken, done, given_up;
};

void mailbox_init(struct mailbox *mailbox)
{
    pthread_condattr_t monotonic;

    *mailbox = (struct mailbox){.served_us = INT64_MIN};
    MR_ASSERT(pthread_mutex_init(&mailbox->lock, NULL) == 0);
    MR_ASSERT(pthread_condattr_init(&monotonic) == 0);
    MR_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    MR_ASSERT(pthread_cond_init(&mailbox->answered, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
}

void mr_answer_destroy(struct mr_answer **answer)
{
    if (*answer == NULL) {
        return;
    }
    mr_arena_destroy(&(*answer)->arena);
    free((*answer)->rows);
    free(*answer);
    *answer = NULL;
}

static void letter_destroy(struct letter *letter)
{
    tap_ring_drop(&letter->question.ring);
    mr_answer_destroy(&letter->answer);
    free(letter);
}

/* The question's bytes are copied: its asker may give up while the worker reads them. */
static struct letter *letter_create(const struct mr_question *question)
{
    struct letter *letter = mr_xcalloc(1, sizeof(*letter));

    letter->answer = mr_xcalloc(1, sizeof(*letter->answer));
    letter->answer->arena = mr_arena_create(ANSWER_ARENA_BYTES);
    letter->question = *question;
    letter->question.key = mr_arena_copy(letter->answer->arena, question->key);
    letter->question.from = mr_arena_copy(letter->answer->arena, question->from);
    letter->question.to = mr_arena_copy(letter->answer->arena, question->to);
    letter->question.ring = question->ring == NULL ? NULL : tap_ring_hold(question->ring);
    return letter;
}

static void take_out(struct mailbox *mailbox, const struct letter *letter)
{
    size_t kept = 0;
    const size_t count = atomic_load(&mailbox->waiting);

    for (size_t i = 0; i < count; i++) {
        if (mailbox->letters[i] != letter) {
            mailbox->letters[kept++] = mailbox->letters[i];
        }
    }
    atomic_store(&mailbox->waiting, kept);
}

/* With the lock. False: not within timeout_us. */
static bool await(struct mailbox *mailbox, const struct letter *letter, int64_t timeout_us)
{
    struct timespec until;

    MR_ASSERT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += (time_t)(timeout_us / MR_SECOND_US);
    until.tv_nsec += (long)(timeout_us % MR_SECOND_US) * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (!letter->done) {
        if (pthread_cond_timedwait(&mailbox->answered, &mailbox->lock, &until) != 0) {
            return letter->done;
        }
    }
    return true;
}

enum mr_status mr_worker_ask(struct mr_worker *worker, const struct mr_question *question,
                             int64_t timeout_us, struct mr_answer **answer, struct mr_err *err)
{
    struct mailbox *mailbox = &worker->mailbox;
    struct letter *letter = letter_create(question);
    enum mr_status status = MR_OK;
    bool owned = true;

    *answer = NULL;
    MR_ASSERT(pthread_mutex_lock(&mailbox->lock) == 0);
    if (atomic_load(&mailbox->waiting) == MAILBOX_MAX) {
        status = mr_fail(err, MR_RESOURCE, "worker %d of group %s has too many questions to answer",
                         worker->index, worker->group->name);
    } else {
        mailbox->letters[atomic_load(&mailbox->waiting)] = letter;
        (void)atomic_fetch_add(&mailbox->waiting, 1);
        if (await(mailbox, letter, timeout_us)) {
            status = letter->status;
            *err = letter->err;
        } else {
            status =
                mr_fail(err, MR_TIMEOUT, "worker %d of group %s did not answer within %lld ms",
                        worker->index, worker->group->name, (long long)(timeout_us / MR_MS_US));
            owned = !letter->taken;
            letter->given_up = true;
            take_out(mailbox, letter);
        }
    }
    MR_ASSERT(pthread_mutex_unlock(&mailbox->lock) == 0);
    if (owned && status == MR_OK) {
        *answer = letter->answer;
        letter->answer = NULL;
    }
    if (owned) {
        letter_destroy(letter);
    }
    return status;
}

/* ---- the worker's side ----------------------------------------------------------------------- */

static struct letter *take_first(struct mailbox *mailbox)
{
    struct letter *letter = NULL;

    MR_ASSERT(pthread_mutex_lock(&mailbox->lock) == 0);
    if (atomic_load(&mailbox->waiting) > 0) {
        letter = mailbox->letters[0];
        letter->taken = true;
        take_out(mailbox, letter);
    }
    MR_ASSERT(pthread_mutex_unlock(&mailbox->lock) == 0);
    return letter;
}

static void give_back(struct mailbox *mailbox, struct letter *letter)
{
    bool given_up;

    MR_ASSERT(pthread_mutex_lock(&mailbox->lock) == 0);
    given_up = letter->given_up;
    letter->done = true;
    MR_ASSERT(pthread_cond_broadcast(&mailbox->answered) == 0);
    MR_ASSERT(pthread_mutex_unlock(&mailbox->lock) == 0);
    if (given_up) {
        letter_destroy(letter);
    }
}

void mailbox_serve(struct mr_worker *worker)
{
    struct mailbox *mailbox = &worker->mailbox;
    const size_t there = atomic_load_explicit(&mailbox->waiting, memory_order_relaxed);

    for (size_t i = 0; i < there; i++) {
        struct letter *letter = take_first(mailbox);

        if (letter == NULL) {
            return; /* given up meanwhile */
        }
        letter->status = inspect_answer(worker, &letter->question, letter->answer, &letter->err);
        give_back(mailbox, letter);
        mailbox->served_us = worker_now_us(worker);
    }
}

int64_t mailbox_patience_us(const struct mr_worker *worker, int64_t timeout_us)
{
    const int64_t served_us = worker->mailbox.served_us;
    const bool attentive =
        served_us != INT64_MIN && worker_now_us(worker) - served_us < ATTENTIVE_US;

    return attentive && timeout_us > ATTENTIVE_STEP_US ? ATTENTIVE_STEP_US : timeout_us;
}

void mailbox_fini(struct mailbox *mailbox)
{
    MR_ASSERT(atomic_load(&mailbox->waiting) == 0);
    (void)pthread_cond_destroy(&mailbox->answered);
    (void)pthread_mutex_destroy(&mailbox->lock);
}
