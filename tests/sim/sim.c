/* sim.c -- temporary. */
#include "sim.h"

#include "millrace/logger.h"

#include <stdlib.h>
int main(int argc, char **argv)
{
    struct sim_result r;
    mr_logger_set_level(argc > 2 ? MR_LEVEL_INFO : MR_LEVEL_ERROR);
    sim_run(strtoull(argv[1], NULL, 10), argc > 2 ? stderr : NULL, &r);
    printf("seed %llu hash %016llx orders %llu records %llu rounds %llu restarts %llu commits %llu "
           "aborts %llu %s %s: %s\n",
           (unsigned long long)r.seed, (unsigned long long)r.hash, (unsigned long long)r.orders,
           (unsigned long long)r.records, (unsigned long long)r.rounds,
           (unsigned long long)r.restarts, (unsigned long long)r.commits,
           (unsigned long long)r.aborts, r.violated ? "VIOLATED" : "ok", r.check, r.text);
    return r.violated;
}
