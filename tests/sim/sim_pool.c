/* sim_pool.c -- see sim_pool.h. */
#include "sim_pool.h"

#include "millrace/logger.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a processor's time; a seed takes a fraction of a second. */
#define SECONDS_MAX 60
#define JOBS_MAX 64

struct job {
    pid_t pid; /* 0: none */
    int pipe;
    uint64_t seed;
};

/* Never returns. trace NULL: nothing is said. */
static _Noreturn void live(enum mr_planted planted, uint64_t seed, FILE *trace, int pipe)
{
    const struct rlimit limit = {.rlim_cur = SECONDS_MAX, .rlim_max = SECONDS_MAX + 5};
    const struct rlimit no_core = {0};
    struct sim_result result = {0};
    const int output = trace != NULL ? fileno(trace) : open("/dev/null", O_WRONLY);

    (void)setrlimit(RLIMIT_CPU, &limit);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(output, STDERR_FILENO);
    mr_logger_set_level(trace != NULL ? MR_LEVEL_INFO : MR_LEVEL_ERROR);
    mr_plant(planted);
    sim_run(seed, trace, &result);
    if (trace != NULL) {
        (void)fflush(trace);
    }
    /* Smaller than what a pipe takes at once. */
    _exit(write(pipe, &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
}

static void start(struct job *job, enum mr_planted planted, uint64_t seed, FILE *trace)
{
    int ends[2];

    (void)fflush(NULL);
    MR_ASSERT(pipe(ends) == 0);
    job->seed = seed;
    job->pid = fork();
    MR_ASSERT(job->pid >= 0);
    if (job->pid == 0) {
        (void)close(ends[0]);
        live(planted, seed, trace, ends[1]);
    }
    (void)close(ends[1]);
    job->pipe = ends[0];
}

/* The process has ended, as status says. */
static void finish(struct job *job, int status, struct sim_result *result)
{
    if (read(job->pipe, result, sizeof(*result)) != (ssize_t)sizeof(*result)) {
        const int sign = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

        *result = (struct sim_result){.seed = job->seed, .violated = true};
        (void)snprintf(result->check, sizeof(result->check), "%s",
                       sign == SIGABRT                      ? "assertion"
                       : sign == SIGXCPU || sign == SIGKILL ? "endless"
                                                            : "crash");
        (void)snprintf(result->text, sizeof(result->text), "the process ended with %s %d",
                       sign != 0 ? "signal" : "status", sign != 0 ? sign : WEXITSTATUS(status));
    }
    (void)close(job->pipe);
    *job = (struct job){0};
}

void sim_pool_run(const struct sim_pool *pool, uint64_t first, uint64_t count)
{
    struct job jobs[JOBS_MAX] = {0};
    const int width = pool->jobs < 1 ? 1 : pool->jobs > JOBS_MAX ? JOBS_MAX : pool->jobs;
    uint64_t next = first;
    int running = 0;
    bool more = true;

    while (running > 0 || (more && next < first + count)) {
        struct sim_result result;
        int status;
        pid_t ended;

        for (int i = 0; i < width && more && next < first + count; i++) {
            if (jobs[i].pid == 0) {
                start(&jobs[i], pool->planted, next++, NULL);
                running++;
            }
        }
        ended = waitpid(-1, &status, 0);
        MR_ASSERT(ended > 0);
        for (int i = 0; i < width; i++) {
            if (jobs[i].pid == ended) {
                finish(&jobs[i], status, &result);
                running--;
                more = pool->done(pool->arg, &result) && more;
            }
        }
    }
}

bool sim_pool_trace(enum mr_planted planted, uint64_t seed, const char *path,
                    struct sim_result *result)
{
    FILE *trace = fopen(path, "w");
    struct job job = {0};
    int status;

    if (trace == NULL) {
        return false;
    }
    start(&job, planted, seed, trace);
    MR_ASSERT(waitpid(job.pid, &status, 0) == job.pid);
    finish(&job, status, result);
    (void)fclose(trace);
    return true;
}
