/* fault.c -- see millrace/fault.h. Empty in a release build. */
#include "millrace/fault.h"

#ifdef MR_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LATER_NS 400000L

enum action { ACTION_NONE, ACTION_KILL, ACTION_STOP, ACTION_ERROR };

static const char *const point_names[] = {
#define X(name, text) text,
    MR_POINT_MAP(X)
#undef X
};
static const char *const planted_texts[] = {
#define X(name, text) text,
    MR_PLANTED_MAP(X)
#undef X
};

static pthread_once_t armed_once = PTHREAD_ONCE_INIT;
static enum mr_point armed_point;
static enum action armed_action;
static _Atomic long armed_left; /* passages until it happens */
static _Atomic int planted_now;
static mr_point_watch *watch_call;
static void *watch_arg;

static void misuse(const char *text)
{
    (void)fprintf(stderr,
                  "MILLRACE_POINT=%s: must be name:number:kill, stop or error, with a name of\n",
                  text);
    for (size_t i = 0; i < MR_COUNT(point_names); i++) {
        (void)fprintf(stderr, "  %s\n", point_names[i]);
    }
    exit(2);
}

static void arm(void)
{
    static const char *const actions[] = {"", "kill", "stop", "error"};
    const char *text = getenv("MILLRACE_POINT");
    char name[64];
    char action[16];
    long number;

    if (text == NULL || text[0] == '\0') {
        return;
    }
    if (sscanf(text, "%63[a-z-]:%ld:%15s", name, &number, action) != 3 || number < 1) {
        misuse(text);
    }
    armed_point = MR_POINT_COUNT;
    for (size_t i = 0; i < MR_COUNT(point_names); i++) {
        armed_point = strcmp(point_names[i], name) == 0 ? (enum mr_point)i : armed_point;
    }
    for (size_t i = 1; i < MR_COUNT(actions); i++) {
        armed_action = strcmp(actions[i], action) == 0 ? (enum action)i : armed_action;
    }
    if (armed_point == MR_POINT_COUNT || armed_action == ACTION_NONE) {
        misuse(text);
    }
    atomic_store(&armed_left, number);
}

/* What happens at this passage. */
static enum action pass(enum mr_point point)
{
    (void)pthread_once(&armed_once, arm);
    if (armed_action == ACTION_NONE || point != armed_point ||
        atomic_fetch_sub(&armed_left, 1) != 1) {
        return ACTION_NONE;
    }
    (void)fprintf(stderr, "fault point=%s pid=%d\n", point_names[point], (int)getpid());
    return armed_action;
}

static void end(enum action action)
{
    if (action == ACTION_KILL) {
        (void)kill(getpid(), SIGKILL);
    } else if (action == ACTION_STOP) {
        (void)kill(getpid(), SIGSTOP);
    }
}

static void *end_later(void *arg)
{
    const struct timespec later = {.tv_nsec = LATER_NS};

    (void)nanosleep(&later, NULL);
    end(*(const enum action *)arg);
    return NULL;
}

enum mr_status mr_point_pass(enum mr_point point, struct mr_err *err)
{
    const enum action action = pass(point);
    const enum mr_status status = watch_call == NULL ? MR_OK : watch_call(watch_arg, point);

    end(action);
    if (status != MR_OK) {
        return mr_fail(err, status, "fault point %s", point_names[point]);
    }
    return action == ACTION_ERROR ? mr_fail(err, MR_TXN_ABORT, "fault point %s", point_names[point])
                                  : MR_OK;
}

void mr_point_mark(enum mr_point point, bool later)
{
    static enum action action;
    pthread_t thread;
    const enum action now = pass(point);

    if (watch_call != NULL) {
        (void)watch_call(watch_arg, point);
    }
    if (now == ACTION_NONE) {
        return;
    }
    action = now;
    if (!later || pthread_create(&thread, NULL, end_later, &action) != 0) {
        end(now);
    } else {
        (void)pthread_detach(thread);
    }
}

const char *mr_point_name(enum mr_point point)
{
    return point_names[point];
}

void mr_point_set_watch(mr_point_watch *watch, void *arg)
{
    watch_call = watch;
    watch_arg = arg;
}

static _Atomic long allocations_left;

void mr_fail_allocation(long n)
{
    atomic_store(&allocations_left, n);
}

bool mr_allocation_fails(void)
{
    return atomic_load_explicit(&allocations_left, memory_order_relaxed) > 0 &&
           atomic_fetch_sub(&allocations_left, 1) == 1;
}

void mr_plant(enum mr_planted planted)
{
    atomic_store(&planted_now, (int)planted);
}

bool mr_is_planted(enum mr_planted planted)
{
    return atomic_load(&planted_now) == (int)planted;
}

const char *mr_planted_text(enum mr_planted planted)
{
    return planted_texts[planted];
}

#else
/* ISO C wants a translation unit to hold something. */
typedef int mr_fault_unused;
#endif
