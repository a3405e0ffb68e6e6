/* sim_seed.c -- see sim.h: one seed from the first number to the result. */
#include "sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HASH_START UINT64_C(1469598103934665603)
#define ROUNDS_MIN 150
#define ROUNDS_MAX 450

/* A process runs one seed, so there is one to be told of violations. */
static struct sim *running;
static jmp_buf ended;

/* ---- numbers --------------------------------------------------------------------------------- */

uint64_t sim_next(struct sim_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t sim_pick(struct sim_random *random, uint64_t bound)
{
    return sim_next(random) % bound;
}

int64_t sim_between(struct sim_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)sim_pick(random, (uint64_t)(high - low) + 1);
}

bool sim_chance(struct sim_random *random, uint64_t once_in)
{
    return sim_pick(random, once_in) == 0;
}

uint64_t sim_hash(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* ---- what is said ---------------------------------------------------------------------------- */

void sim_say(struct sim *sim, const char *format, ...)
{
    char text[700];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    len = len < (int)sizeof(text) ? len : (int)sizeof(text) - 1;
    sim->result.hash = sim_hash(sim->result.hash, text, (size_t)len);
    if (sim->trace != NULL) {
        (void)fprintf(sim->trace, "[%" PRIu64 " %.3fs] %s\n", sim->result.rounds,
                      sim->world == NULL
                          ? 0.0
                          : (double)(mr_world_now_us(sim->world) % (1000 * MR_SECOND_US)) / 1e6,
                      text);
        (void)fflush(sim->trace);
    }
}

_Noreturn void sim_violated(struct sim *sim, const char *format, ...)
{
    va_list args;

    mr_plant(MR_PLANTED_NOTHING);
    mr_point_set_watch(NULL, NULL);
    va_start(args, format);
    (void)vsnprintf(sim->result.text, sizeof(sim->result.text), format, args);
    va_end(args);
    (void)snprintf(sim->result.check, sizeof(sim->result.check), "%s", sim->check);
    sim->result.violated = true;
    sim_say(sim, "VIOLATION %s: %s", sim->result.check, sim->result.text);
    longjmp(ended, 1);
}

static void world_violated(const char *text)
{
    sim_violated(running, "%s", text);
}

/* ---- planted faults -------------------------------------------------------------------------- */

const char *sim_planted_name(enum mr_planted planted)
{
    static const char *const names[] = {
#define X(name, text) #name,
        MR_PLANTED_MAP(X)
#undef X
    };

    return names[planted];
}

enum mr_planted sim_planted_find(const char *name)
{
    int planted = 0;

    while (planted < MR_PLANTED_COUNT &&
           strcmp(sim_planted_name((enum mr_planted)planted), name) != 0) {
        planted++;
    }
    return (enum mr_planted)planted;
}

/* ---- one seed -------------------------------------------------------------------------------- */

/* What the runtime has counted, over all instances. */
static uint64_t counted(struct sim *sim, const char *name)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);
    uint64_t sum = 0;

    for (size_t g = 0; g < topology->group_count; g++) {
        for (int w = 0; w < topology->groups[g].workers; w++) {
            char labels[128];

            (void)snprintf(labels, sizeof(labels), "group=\"%s\",worker=\"%d\"",
                           topology->groups[g].name, w);
            sum += mr_counter_value(
                mr_metrics_counter(mr_world_metrics(sim->world), name, labels, ""));
        }
    }
    return sum;
}

static void live(struct sim *sim)
{
    sim->check = "start";
    sim_world_open(sim);
    sim_load_open(sim);
    sim->rounds = (int)sim_between(&sim->random, ROUNDS_MIN, ROUNDS_MAX);
    sim_faults_plan(sim);
    sim_load_begin(sim);
    for (int i = (int)sim_pick(&sim->random, 60); i > 0; i--) {
        (void)sim_round(sim);
    }
    sim->check = "run";
    for (int i = 0; i < sim->rounds; i++) {
        sim_load_send(sim, sim->rounds - i);
        sim_faults_happen(sim, i);
        (void)sim_round(sim);
    }
    sim_faults_stop(sim);
    sim->check = "settle";
    sim_settle(sim);
    sim->result.commits = counted(sim, "millrace_commits_total");
    sim->result.aborts = counted(sim, "millrace_aborts_total");
    sim_check(sim);
}

void sim_run(uint64_t seed, FILE *trace, struct sim_result *result)
{
    struct sim *sim = mr_xcalloc(1, sizeof(*sim));

    MR_ASSERT(running == NULL);
    running = sim;
    sim->random.state = seed * UINT64_C(0xD1342543DE82EF95) + 1;
    sim->result = (struct sim_result){.seed = seed, .hash = HASH_START};
    sim->trace = trace;
    mr_world_on_violation(world_violated);
    if (setjmp(ended) == 0) {
        live(sim);
    }
    /* Instances that died inside a step have left handles open: the world is not ended, but left.
     */
    *result = sim->result;
}
