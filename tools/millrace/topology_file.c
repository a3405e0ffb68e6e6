/* topology_file.c -- see topology_file.h. */
#include "topology_file.h"

#include "catalog.h"

void topology_problem_print(const struct mr_problem *problem, FILE *out)
{
    if (problem->position.line > 0) {
        (void)fprintf(out, "%s:%d:%d: %s\n", problem->file, problem->position.line,
                      problem->position.column, problem->text);
    } else {
        (void)fprintf(out, "%s: %s\n", problem->file, problem->text);
    }
}

struct mr_topology *topology_file_load(const char *path)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};

    if (mr_topology_load_file(path, mr_cli_catalog(), &topology, &problems, &err) != MR_OK) {
        for (size_t i = 0; i < problems.count; i++) {
            topology_problem_print(&problems.items[i], stderr);
        }
    }
    mr_problems_fini(&problems);
    return topology;
}
